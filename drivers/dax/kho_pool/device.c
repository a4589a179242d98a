// SPDX-License-Identifier: GPL-2.0-only
/*
 * device-dax devices of kho_pool's extents.
 *
 *	faux device kho_pool.X		an extent; says which one it is
 *	  dax region X
 *	    /dev/daxX.0			mapped with pages of one size
 *
 * The owner of an extent says whether and how it is exposed: "dax12" has those with
 * pages of 4 KiB, "dax21" those of 2 MiB, "dax30" those of 1 GiB.  So the next kernel
 * finds it in the pool's index.
 *
 * The struct pages are made with the device and go away with it.  The direct map has
 * covered the memory since boot, and keeps doing so.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/cleanup.h>
#include <linux/dax.h>
#include <linux/device/bus.h>
#include <linux/device/faux.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kho_pool.h>
#include <linux/kho_pool_expose.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/memregion.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../bus.h"
#include "../dax-private.h"
#include "kho_pool.h"

static const u64 aligns[] = { PUD_SIZE, PMD_SIZE, PAGE_SIZE };

struct exposed {
	struct list_head list;
	struct kho_pool *pool;
	/* NULL if the pool is read-only, so that the next kernel cannot be told. */
	struct kho_pool_owner *owner;
	struct kho_pool_extent ext;
	struct kho_pool_exposed as;
	struct faux_device *faux;
	struct dev_dax *dev_dax;
	/* It was exposed before the last kexec, and has been ever since. */
	bool came_back;
	/* How many users need it to stay; under devices_lock. */
	unsigned int held;
	/* For udev: /dev/kho_pool/<pool>/<extent> */
	struct device_attribute pool_attr, name_attr;
	struct attribute *attrs[3];
	struct attribute_group group;
	const struct attribute_group *groups[2];
};

/*
 * Changed under the control device's lock and, inside of that, devices_lock; either
 * is sufficient for reading.  Until the control device knows this driver, only init
 * uses it.
 */
static LIST_HEAD(all);
static DEFINE_MUTEX(devices_lock);

static struct exposed *kp_dax_exposed_at(phys_addr_t phys)
{
	struct exposed *e;

	list_for_each_entry(e, &all, list)
		if (e->ext.phys == phys)
			return e;
	return NULL;
}

static ssize_t kp_dax_pool_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct exposed *e = container_of(attr, struct exposed, pool_attr);

	return sysfs_emit(buf, "%s\n", kho_pool_name(e->pool));
}

static ssize_t kp_dax_name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct exposed *e = container_of(attr, struct exposed, name_attr);

	return sysfs_emit(buf, "%s\n", e->ext.name);
}

static void kp_dax_set_attributes(struct exposed *e)
{
	e->pool_attr = (struct device_attribute)__ATTR(kho_pool, 0444, kp_dax_pool_show, NULL);
	e->name_attr = (struct device_attribute)__ATTR(kho_extent, 0444, kp_dax_name_show, NULL);
	sysfs_attr_init(&e->pool_attr.attr);
	sysfs_attr_init(&e->name_attr.attr);
	e->attrs[0] = &e->pool_attr.attr;
	e->attrs[1] = &e->name_attr.attr;
	e->group.attrs = e->attrs;
	e->groups[0] = &e->group;
}

/* Is it bound to the driver that lets user space map it, and not to another one? */
static bool kp_dax_is_device_dax(const struct device_driver *driver)
{
	return driver && to_dax_drv(driver)->type == DAXDRV_DEVICE_TYPE;
}

/* A fault on a marked page gives SIGBUS, unless it is a huge page. */
static void kp_dax_mark_bad(unsigned long pfn)
{
	SetPageHWPoison(&pfn_folio(pfn)->page);
}

/* The generic handler deals with mapped pages; others must not be mapped later. */
static int kp_dax_page_failed(struct dev_pagemap *pgmap, unsigned long pfn, unsigned long nr,
			      int flags)
{
	kp_dax_mark_bad(pfn);
	return READ_ONCE(pfn_folio(pfn)->mapping) ? -EOPNOTSUPP : 0;
}

static const struct dev_pagemap_ops pgmap_ops = {
	.memory_failure = kp_dax_page_failed,
};

/* Errors from earlier kernels, and from when it was not exposed. */
static void kp_dax_mark_known_bad(const struct exposed *e)
{
	phys_addr_t phys = e->ext.phys, end = phys + e->ext.size;

	for (; kho_pool_next_bad(e->pool, &phys) && phys < end; phys += PAGE_SIZE)
		kp_dax_mark_bad(PHYS_PFN(phys));
}

/* A driver has bound to the device, which is locked. */
static void kp_dax_bound(struct device *dev)
{
	const struct dev_pagemap *pgmap = to_dev_dax(dev)->pgmap;
	struct exposed *e;

	/* The bus has other devices, too. */
	if (!kp_dax_is_device_dax(dev->driver) || !pgmap || pgmap->ops != &pgmap_ops)
		return;
	e = pgmap->owner;
	kho_pool_iomem_taken(e->ext.phys);
	kp_dax_mark_known_bad(e);
}

/* device_dax may come later than the device, or leave it and come back. */
static int kp_dax_notify(struct notifier_block *nb, unsigned long action, void *dev)
{
	if (action == BUS_NOTIFY_BOUND_DRIVER)
		kp_dax_bound(dev);
	return NOTIFY_OK;
}

static struct notifier_block kp_dax_nb = { .notifier_call = kp_dax_notify };
/* Known as soon as there is a device. */
static const struct bus_type *kp_dax_bus;

/* device_dax does not bind if it is not there, or has no memory for the struct pages. */
static bool kp_dax_has_bound(struct exposed *e)
{
	struct device *dev = &e->dev_dax->dev;

	guard(device)(dev);
	/* The notifier tells of all but the first device, which shows where to ask for it. */
	if (!kp_dax_bus && !bus_register_notifier(dev->bus, &kp_dax_nb)) {
		kp_dax_bus = dev->bus;
		kp_dax_bound(dev);
	}
	return kp_dax_is_device_dax(dev->driver);
}

static int kp_dax_make_device(struct exposed *e)
{
	struct dev_pagemap pgmap = {
		.flags = PGMAP_DIRECT_MAPPED,
		.ops = &pgmap_ops,
		.owner = e,
		.nr_range = 1,
		.range = { .start = e->ext.phys, .end = e->ext.phys + e->ext.size - 1 },
	};
	struct dev_dax_data data = { .pgmap = &pgmap, .size = e->ext.size };
	int id, err = -ENOMEM;
	char name[24];

	id = memregion_alloc(GFP_KERNEL);
	if (id < 0)
		return id;
	e->as.region = id;
	kp_dax_set_attributes(e);
	snprintf(name, sizeof(name), "kho_pool.%d", id);
	e->faux = faux_device_create_with_groups(name, NULL, NULL, e->groups);
	if (!e->faux)
		goto no_faux;
	set_dev_node(&e->faux->dev, e->ext.nid);
	err = kho_pool_iomem_open(e->ext.phys, e->ext.size);
	if (err)
		goto no_gap;
	/* Without a target node, because it must not become System RAM (dax kmem). */
	data.dax_region = alloc_dax_region(&e->faux->dev, id, &pgmap.range, NUMA_NO_NODE,
					   e->as.align, IORESOURCE_DAX_STATIC);
	e->dev_dax = data.dax_region ? devm_create_dev_dax(&data) : ERR_PTR(-ENOMEM);
	if (!IS_ERR(e->dev_dax)) {
		if (kp_dax_has_bound(e))
			return 0;
		/*
		 * What was exposed stays exposed: this kernel's device_dax may bind later,
		 * and so may the next kernel's.
		 */
		if (e->came_back) {
			pr_warn("%s/%s: /dev/dax%d.0 has no driver: device_dax is not loaded, or has no memory\n",
				kho_pool_name(e->pool), e->ext.name, id);
			return 0;
		}
	}
	err = PTR_ERR_OR_ZERO(e->dev_dax) ?: -ENOMEM;
	faux_device_destroy(e->faux);
	kho_pool_iomem_close(e->ext.phys);
	memregion_free(id);
	return err;

no_gap:
	faux_device_destroy(e->faux);
no_faux:
	memregion_free(id);
	return err;
}

/* Nobody uses its pages any more.  With devices_lock held. */
static void kp_dax_remove_device(struct exposed *e)
{
	faux_device_destroy(e->faux);
	kho_pool_iomem_close(e->ext.phys);
	memregion_free(e->as.region);
	if (e->owner)
		kho_pool_unregister_owner(e->owner);
	list_del(&e->list);
	kfree(e);
	module_put(THIS_MODULE);
}

static struct kho_pool_owner *kp_dax_owner_for(struct kho_pool *pool, u64 align)
{
	char name[16];

	snprintf(name, sizeof(name), "dax%d", ilog2(align));
	return kho_pool_register_owner(pool, name);
}

static bool kp_dax_fits(const struct kho_pool_extent *ext, u64 align)
{
	/* Struct pages come in subsections, whatever the page size. */
	return IS_ALIGNED(ext->phys | ext->size, max_t(u64, align, SUBSECTION_SIZE));
}

/* Can user space have pages of that size?  device-dax does not ask the CPU for PUDs. */
static bool kp_dax_can_map(u64 align)
{
	if (align == PUD_SIZE && align != PMD_SIZE && !arch_vmap_pud_supported(PAGE_KERNEL))
		return false;
	return dax_align_valid(align);
}

static struct exposed *kp_dax_expose_as(struct kho_pool *pool, struct kho_pool_owner *owner,
					const struct kho_pool_extent *ext, u64 align,
					bool came_back)
{
	struct exposed *e;
	int err;

	e = kzalloc_obj(*e);
	if (!e)
		return ERR_PTR(-ENOMEM);
	e->pool = pool;
	e->owner = owner;
	e->ext = *ext;
	e->as.align = align;
	e->came_back = came_back;
	err = kp_dax_make_device(e);
	if (err) {
		kfree(e);
		return ERR_PTR(err);
	}
	/* The module stays while anyone may use its pages. */
	__module_get(THIS_MODULE);
	guard(mutex)(&devices_lock);
	list_add(&e->list, &all);
	return e;
}

/* There is no device after all.  If this fails, the next kernel tries to make one. */
static void kp_dax_assign_back(struct kho_pool_owner *owner, struct kho_pool_owner *user,
			       const struct kho_pool_extent *ext)
{
	int err = kho_pool_assign(owner, user, ext->phys, ext->size);

	if (err)
		pr_err("%s is not given back: %d\n", ext->name, err);
}

static int kp_dax_expose(struct kho_pool *pool, const struct kho_pool_extent *ext,
			 struct kho_pool_exposed *as)
{
	struct kho_pool_owner *user = kho_pool_user_owner(pool), *owner;
	u64 align = as->align;
	struct exposed *e;
	int err;

	if (IS_ERR(user))
		return PTR_ERR(user);
	for (u32 i = 0; i < ARRAY_SIZE(aligns) && !align; i++)
		if (kp_dax_can_map(aligns[i]) && kp_dax_fits(ext, aligns[i]))
			align = aligns[i];
	if (!align || !is_power_of_2(align) || !kp_dax_fits(ext, align))
		return -EINVAL;
	if (!kp_dax_can_map(align))
		return -EOPNOTSUPP;
	/*
	 * From here on the next kernel exposes it, too.  That comes first: once there
	 * is a device, it may have users.
	 */
	owner = kp_dax_owner_for(pool, align);
	err = PTR_ERR_OR_ZERO(owner) ?: kho_pool_assign(user, owner, ext->phys, ext->size);
	if (err && !IS_ERR(owner))
		kho_pool_unregister_owner(owner);
	if (err == -EROFS)
		owner = NULL;
	else if (err)
		return err;
	e = kp_dax_expose_as(pool, owner, ext, align, false);
	if (IS_ERR(e)) {
		if (owner) {
			kp_dax_assign_back(owner, user, ext);
			kho_pool_unregister_owner(owner);
		}
		return PTR_ERR(e);
	}
	*as = e->as;
	pr_info("%s/%s is /dev/dax%u.%u, pages of %llu KiB\n", kho_pool_name(pool), ext->name,
		as->region, as->id, as->align >> 10);
	return 0;
}

/* A mapped or pinned page has more than its initial reference. */
static bool kp_dax_has_used_pages(const struct exposed *e)
{
	const struct dev_pagemap *pgmap = e->dev_dax->pgmap;
	unsigned long step = 1UL << pgmap->vmemmap_shift;
	unsigned long pfn = PHYS_PFN(e->ext.phys), end = pfn + PHYS_PFN(e->ext.size);

	/* Its struct pages come and go with the driver. */
	if (!e->dev_dax->dev.driver)
		return false;
	for (; pfn < end; pfn += step) {
		if (folio_ref_count(pfn_folio(pfn)) > 1)
			return true;
		cond_resched();
	}
	return false;
}

/* Give the extent back to KHO_POOL_USER if nobody uses it; from then on nobody can. */
static int kp_dax_withdraw(struct exposed *e, struct kho_pool_owner *user)
{
	struct address_space *mapping = dax_inode(e->dev_dax->dax_dev)->i_mapping;
	struct device *dev = &e->dev_dax->dev;
	int err = -EBUSY;

	/* The driver can neither bind nor unbind meanwhile. */
	guard(device)(dev);
	if (dev->driver && !kp_dax_is_device_dax(dev->driver))
		return -EBUSY;
	/*
	 * Mappings cannot be made or removed either, and without one no more pages come
	 * into use.  Faults that kill_dax() waits for may need locks of other mappings,
	 * but never this one.
	 */
	down_write_nested(&mapping->i_mmap_rwsem, SINGLE_DEPTH_NESTING);
	if (!mapping_mapped(mapping) && !kp_dax_has_used_pages(e))
		err = e->owner ? kho_pool_assign(e->owner, user, e->ext.phys, e->ext.size) : 0;
	if (!err) {
		kill_dax(e->dev_dax->dax_dev);
		/* No driver binds to it again. */
		kill_device(dev);
	}
	i_mmap_unlock_write(mapping);
	return err;
}

static int kp_dax_hide(phys_addr_t phys)
{
	struct exposed *e = kp_dax_exposed_at(phys);
	struct kho_pool_owner *user = kho_pool_user_owner(e->pool);
	int err;

	if (IS_ERR(user))
		return PTR_ERR(user);
	guard(mutex)(&devices_lock);
	err = e->held ? -EBUSY : kp_dax_withdraw(e, user);
	if (!err)
		kp_dax_remove_device(e);
	return err;
}

static bool kp_dax_find(phys_addr_t phys, struct kho_pool_exposed *as)
{
	struct exposed *e = kp_dax_exposed_at(phys);

	if (e)
		*as = e->as;
	return e;
}

static struct exposed *kp_dax_exposed_of(const struct dev_dax *dev_dax)
{
	struct exposed *e;

	list_for_each_entry(e, &all, list)
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
	guard(mutex)(&devices_lock);
	/* Only files of device-dax have this mapping; an open file keeps its device. */
	list_for_each_entry(e, &all, list)
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

	guard(mutex)(&devices_lock);
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

	guard(mutex)(&devices_lock);
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

	guard(mutex)(&devices_lock);
	e = kp_dax_exposed_of(dev_dax);
	/* If exposing failed in the end, the device may have been opened and held before. */
	if (e)
		e->held--;
}

static const struct kho_pool_exposer exposer = {
	.expose = kp_dax_expose,
	.hide = kp_dax_hide,
	.find = kp_dax_find,
};

/* Extents that were exposed before the last kexec are exposed again. */
struct comeback {
	struct kho_pool *pool;
	struct kho_pool_owner *owner;
	u64 align;
};

static int kp_dax_is_mine(const struct kho_pool_extent *ext, void *data)
{
	struct comeback *c = data;
	char name[16];

	snprintf(name, sizeof(name), "dax%d", ilog2(c->align));
	return !strcmp(ext->owner, name);
}

static int kp_dax_come_back(const struct kho_pool_extent *ext, void *data)
{
	struct exposed *e = ERR_PTR(-EOPNOTSUPP);
	struct kho_pool_owner *user;
	struct comeback *c = data;

	if (kp_dax_can_map(c->align))
		e = kp_dax_expose_as(c->pool, c->owner, ext, c->align, true);
	if (!IS_ERR(e)) {
		/* The device's own reference; there is one, so this cannot fail. */
		e->owner = kp_dax_owner_for(c->pool, c->align);
		return 0;
	}
	pr_err("%s/%s: cannot make a device of it: %ld\n", kho_pool_name(c->pool), ext->name,
	       PTR_ERR(e));
	user = kho_pool_user_owner(c->pool);
	if (!IS_ERR(user))
		kp_dax_assign_back(c->owner, user, ext);
	return 0;
}

static int __init kho_pool_dax_init(void)
{
	struct kho_pool *pool = NULL;

	while ((pool = kho_pool_next(pool))) {
		for (u32 i = 0; i < ARRAY_SIZE(aligns); i++) {
			struct comeback c = { .pool = pool, .align = aligns[i] };

			/* Do not make owners without need. */
			if (kho_pool_walk(pool, kp_dax_is_mine, &c) <= 0)
				continue;
			c.owner = kp_dax_owner_for(pool, aligns[i]);
			if (IS_ERR(c.owner))
				continue;
			if (kho_pool_claim_all(c.owner, kp_dax_come_back, &c))
				pr_err("%s: not all devices are back\n", kho_pool_name(pool));
			kho_pool_unregister_owner(c.owner);
		}
	}
	return kho_pool_set_exposer(&exposer);
}
module_init(kho_pool_dax_init);

static void __exit kho_pool_dax_exit(void)
{
	kho_pool_set_exposer(NULL);
	if (kp_dax_bus)
		bus_unregister_notifier(kp_dax_bus, &kp_dax_nb);
}
module_exit(kho_pool_dax_exit);

MODULE_DESCRIPTION("device-dax devices of memory that survives kexec");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: device_dax");
