// SPDX-License-Identifier: GPL-2.0-only
/* The exposed extents, and files of them that keep them from being hidden. */
#include <linux/cleanup.h>
#include <linux/dax.h>
#include <linux/err.h>
#include <linux/fs.h>

#include "../dax-private.h"
#include "exposed.h"
#include "kho_pool.h"

LIST_HEAD(kp_dax_exposed);
/* Protects the list, and who holds what is in it; see exposed.h. */
DEFINE_MUTEX(kp_dax_devices_lock);

struct exposed *kp_dax_exposed_at(phys_addr_t phys)
{
	struct exposed *e;

	list_for_each_entry(e, &kp_dax_exposed, list)
		if (e->ext.phys == phys)
			return e;
	return NULL;
}

static struct exposed *kp_dax_exposed_of(const struct dev_dax *dev_dax)
{
	struct exposed *e;

	list_for_each_entry(e, &kp_dax_exposed, list)
		if (e->dev_dax == dev_dax)
			return e;
	return NULL;
}

/**
 * kho_pool_dax_of_file - get the device of an exposed extent that a file is open on
 * @file: any open file
 *
 * Return: the device, which exists while the file is open; or NULL.
 */
struct dev_dax *kho_pool_dax_of_file(const struct file *file)
{
	struct exposed *e;

	if (!S_ISCHR(file_inode(file)->i_mode))
		return NULL;
	guard(mutex)(&kp_dax_devices_lock);
	/* Only files of device-dax have this mapping; an open file keeps its device. */
	list_for_each_entry(e, &kp_dax_exposed, list)
		if (file->f_mapping == dax_inode(e->dev_dax->dax_dev)->i_mapping &&
		    file->private_data == e->dev_dax)
			return e->dev_dax;
	return NULL;
}

/**
 * kho_pool_dax_hold - prevent an extent from being hidden or released
 * @dev_dax: the device, of which there is an open file
 * @pool: the pool that the extent is in
 * @ext: the extent
 *
 * Return: 0; -ENODEV if it has been hidden, -EBUSY if it is held already.
 */
int kho_pool_dax_hold(const struct dev_dax *dev_dax, struct kho_pool **pool,
		      struct kho_pool_extent *ext)
{
	struct exposed *e;

	guard(mutex)(&kp_dax_devices_lock);
	e = kp_dax_exposed_of(dev_dax);
	if (!e)
		return -ENODEV;
	if (e->held)
		return -EBUSY;
	e->held++;
	*pool = e->pool;
	*ext = e->ext;
	return 0;
}

/**
 * kho_pool_dax_hold_name - the same for one that was exposed before the last kexec
 * @pool: the pool
 * @name: the extent's name
 * @phys: where it has to be
 * @size: the size that it has to have
 *
 * It may be held already, by a session that hands it on to the next kernel.
 *
 * Return: its device; -ENOENT if there is no such extent, -ENXIO if it is not
 * exposed, -ESTALE if it is another extent, or was hidden since.
 */
struct dev_dax *kho_pool_dax_hold_name(struct kho_pool *pool, const char *name,
				       phys_addr_t phys, u64 size)
{
	struct kho_pool_extent ext;
	struct exposed *e;
	int err;

	guard(mutex)(&kp_dax_devices_lock);
	err = kho_pool_lookup(pool, name, &ext);
	if (err)
		return ERR_PTR(err);
	if (ext.phys != phys || ext.size != size)
		return ERR_PTR(-ESTALE);
	e = kp_dax_exposed_at(phys);
	if (!e)
		return ERR_PTR(-ENXIO);
	/* It may have been released, and another extent taken its place. */
	if (!e->came_back)
		return ERR_PTR(-ESTALE);
	e->held++;
	return e->dev_dax;
}

/**
 * kho_pool_dax_drop - the extent may be hidden or released again
 * @dev_dax: what was held
 */
void kho_pool_dax_drop(const struct dev_dax *dev_dax)
{
	struct exposed *e;

	guard(mutex)(&kp_dax_devices_lock);
	e = kp_dax_exposed_of(dev_dax);
	if (e)
		e->held--;
}
