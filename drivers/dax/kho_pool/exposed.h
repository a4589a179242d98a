/* SPDX-License-Identifier: GPL-2.0-only */
/* An exposed extent, its device, and who needs it to stay. */
#ifndef _DAX_KHO_POOL_EXPOSED_H
#define _DAX_KHO_POOL_EXPOSED_H

#include <linux/device.h>
#include <linux/kho_pool.h>
#include <linux/kho_pool_expose.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/sysfs.h>

struct dev_dax;
struct faux_device;

struct exposed {
	struct list_head list;
	struct kho_pool *pool;
	/* NULL if the pool is read-only, so that the next kernel cannot be told. */
	struct kho_pool_owner *owner;
	struct kho_pool_extent ext;
	struct kho_pool_exposed as;
	struct faux_device *faux;
	struct dev_dax *dev_dax;
	/* Hears of drivers that bind to the device, and that leave it. */
	struct notifier_block nb;
	const struct bus_type *bus;
	/* A driver may request the memory region.  Under the device's lock. */
	bool open;
	/* It was exposed before the last kexec, and has been ever since. */
	bool came_back;
	/* How many users need it to stay; under kp_dax_devices_lock. */
	unsigned int held;
	/* For udev: /dev/kho_pool/<pool>/<extent> */
	struct device_attribute pool_attr, name_attr;
	struct attribute *attrs[3];
	struct attribute_group group;
	const struct attribute_group *groups[2];
};

/*
 * Changed under the control device's lock and, inside of that, kp_dax_devices_lock;
 * either is sufficient for reading.  Until the control device knows this driver, only init
 * uses it.
 */
extern struct list_head kp_dax_exposed;
extern struct mutex kp_dax_devices_lock;

struct exposed *kp_dax_exposed_at(phys_addr_t phys);

bool kp_dax_is_kept(const struct exposed *e);
bool kp_dax_can_map(u64 align);
bool kp_dax_fits(const struct kho_pool_extent *ext, u64 align);
int kp_dax_make_device(struct exposed *e, bool may_wait);
int kp_dax_withdraw(struct exposed *e, struct kho_pool_owner *user);
void kp_dax_remove_device(struct exposed *e);

#endif
