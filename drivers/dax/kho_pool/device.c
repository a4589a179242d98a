// SPDX-License-Identifier: GPL-2.0-only
/*
 * device-dax devices of kho_pool's extents.
 *
 *	faux device kho_pool.X		an extent; says which one it is
 *	  dax region X
 *	    /dev/daxX.0			mapped with pages of one size
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
#include <linux/memregion.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "../bus.h"
#include "../dax-private.h"
#include "exposed.h"

bool kp_dax_fits(const struct kho_pool_extent *ext, u64 align)
{
	/* Struct pages come in subsections, whatever the page size. */
	return IS_ALIGNED(ext->phys | ext->size, max_t(u64, align, SUBSECTION_SIZE));
}

/* Can user space have pages of that size?  device-dax does not ask the CPU for PUDs. */
bool kp_dax_can_map(u64 align)
{
	if (align == PUD_SIZE && align != PMD_SIZE && !arch_vmap_pud_supported(PAGE_KERNEL))
		return false;
	return dax_align_valid(align);
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

/* The driver left while pages were pinned, so their struct pages are still there. */
bool kp_dax_is_kept(const struct exposed *e)
{
	return e->dev_dax->pgmap->flags & PGMAP_KEEP_PAGES;
}

/* A mapped or pinned page has more than its initial reference. */
static bool kp_dax_has_used_pages(const struct exposed *e)
{
	const struct dev_pagemap *pgmap = e->dev_dax->pgmap;
	unsigned long step = 1UL << pgmap->vmemmap_shift;
	unsigned long pfn = PHYS_PFN(e->ext.phys), end = pfn + PHYS_PFN(e->ext.size);

	if (!e->dev_dax->dev.driver && !kp_dax_is_kept(e))
		return false;
	for (; pfn < end; pfn += step) {
		if (folio_ref_count(pfn_folio(pfn)) > 1)
			return true;
		cond_resched();
	}
	return false;
}

/*
 * The driver is about to leave.  Mappings are taken away now, as it would do later.  Who
 * has pinned pages will unpin them, so these must stay.
 */
static void kp_dax_keep_pinned(struct exposed *e)
{
	if (!kp_dax_is_device_dax(e->dev_dax->dev.driver))
		return;
	kill_dev_dax(e->dev_dax);
	if (!kp_dax_has_used_pages(e))
		return;
	e->dev_dax->pgmap->flags |= PGMAP_KEEP_PAGES;
	pr_warn("%s/%s: pages are pinned, and their driver leaves: it stays exposed until they are not\n",
		kho_pool_name(e->pool), e->ext.name);
}

static void kp_dax_drop_kept(struct exposed *e)
{
	if (kp_dax_is_kept(e))
		memunmap_kept_pages(e->dev_dax->pgmap);
}

static void kp_dax_open_iomem(struct exposed *e)
{
	/* If this fails, so does the driver. */
	if (!e->open)
		e->open = !kho_pool_iomem_open(e->ext.phys, e->ext.size);
}

static void kp_dax_close_iomem(void *data)
{
	struct exposed *e = data;

	if (e->open)
		kho_pool_iomem_close(e->ext.phys);
	e->open = false;
}

/* Without the memory region, which stays closed, the driver fails. */
static void kp_dax_let_bind(struct exposed *e, struct device *dev)
{
	if (kp_dax_is_kept(e) && kp_dax_has_used_pages(e)) {
		pr_warn("%s/%s: pages are pinned since before its driver left: it can have none\n",
			kho_pool_name(e->pool), e->ext.name);
		return;
	}
	kp_dax_drop_kept(e);
	/* Another driver may have had its own. */
	e->dev_dax->pgmap->ops = &pgmap_ops;
	kp_dax_open_iomem(e);
	/* Runs when the driver has failed or left, after it has released the region. */
	devm_add_action_or_reset(dev, kp_dax_close_iomem, e);
}

static void kp_dax_bound(struct exposed *e)
{
	kho_pool_iomem_taken(e->ext.phys);
	if (kp_dax_is_device_dax(e->dev_dax->dev.driver))
		kp_dax_mark_known_bad(e);
}

/* With the device's lock held. */
static int kp_dax_notify(struct notifier_block *nb, unsigned long action, void *dev)
{
	struct exposed *e = container_of(nb, struct exposed, nb);

	/* The bus has other devices, too. */
	if (dev != &e->dev_dax->dev)
		return NOTIFY_DONE;
	switch (action) {
	case BUS_NOTIFY_BIND_DRIVER:
		kp_dax_let_bind(e, dev);
		break;
	case BUS_NOTIFY_BOUND_DRIVER:
		kp_dax_bound(e);
		break;
	case BUS_NOTIFY_UNBIND_DRIVER:
		kp_dax_keep_pinned(e);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		/* It may have bound before this was there. */
		kp_dax_close_iomem(e);
		break;
	}
	return NOTIFY_OK;
}

/*
 * device_dax may have bound to the new device, may do so later, on its own or by request,
 * or may not be there.  From here on the notifier hears of it.
 */
static int kp_dax_bind(struct exposed *e)
{
	struct device *dev = &e->dev_dax->dev;
	int err, attached;

	scoped_guard(device, dev) {
		e->nb.notifier_call = kp_dax_notify;
		err = bus_register_notifier(dev->bus, &e->nb);
		if (err)
			return err;
		e->bus = dev->bus;
		if (dev->driver)
			kp_dax_bound(e);
	}
	attached = device_attach(dev);
	guard(device)(dev);
	if (dev->driver)
		return kp_dax_is_device_dax(dev->driver) ? 0 : -EBUSY;
	kp_dax_close_iomem(e);
	if (attached < 0)
		return -ENODEV;
	return driver_find("device_dax", dev->bus) ? -ENOMEM : -EOPNOTSUPP;
}

/* Nobody uses its pages. */
static void kp_dax_destroy_device(struct exposed *e)
{
	if (e->bus)
		bus_unregister_notifier(e->bus, &e->nb);
	if (!IS_ERR_OR_NULL(e->dev_dax))
		kp_dax_drop_kept(e);
	faux_device_destroy(e->faux);
	kp_dax_close_iomem(e);
	memregion_free(e->as.region);
}

/* Make the device, which may have to wait for its driver. */
int kp_dax_make_device(struct exposed *e, bool may_wait)
{
	struct dev_pagemap pgmap = {
		.flags = PGMAP_DIRECT_MAPPED,
		.ops = &pgmap_ops,
		.nr_range = 1,
		.range = { .start = e->ext.phys, .end = e->ext.phys + e->ext.size - 1 },
	};
	struct dev_dax_data data = { .pgmap = &pgmap, .size = e->ext.size };
	char name[24];
	int id, err;

	id = memregion_alloc(GFP_KERNEL);
	if (id < 0)
		return id;
	e->as.region = id;
	kp_dax_set_attributes(e);
	snprintf(name, sizeof(name), "kho_pool.%d", id);
	e->faux = faux_device_create_with_groups(name, NULL, NULL, e->groups);
	if (!e->faux) {
		memregion_free(id);
		return -ENOMEM;
	}
	set_dev_node(&e->faux->dev, e->ext.nid);
	kp_dax_open_iomem(e);
	/* Without a target node, because it must not become System RAM (dax kmem). */
	data.dax_region = alloc_dax_region(&e->faux->dev, id, &pgmap.range, NUMA_NO_NODE,
					   e->as.align, IORESOURCE_DAX_STATIC);
	e->dev_dax = data.dax_region ? devm_create_dev_dax(&data) : ERR_PTR(-ENOMEM);
	err = IS_ERR(e->dev_dax) ? PTR_ERR(e->dev_dax) : kp_dax_bind(e);
	/* This kernel's device_dax may bind later, and so may the next kernel's. */
	if (err && e->bus && may_wait) {
		pr_warn("%s/%s: /dev/dax%d.0 is not bound to device_dax: %d\n",
			kho_pool_name(e->pool), e->ext.name, id, err);
		return 0;
	}
	if (err)
		kp_dax_destroy_device(e);
	return err;
}

/* Give the extent back to KHO_POOL_USER if nobody uses it; from then on nobody can. */
int kp_dax_withdraw(struct exposed *e, struct kho_pool_owner *user)
{
	struct address_space *mapping = dax_inode(e->dev_dax->dax_dev)->i_mapping;
	struct device *dev = &e->dev_dax->dev;
	int err = -EBUSY;

	/* The driver can neither bind nor unbind meanwhile. */
	guard(device)(dev);
	if (dev->driver && !kp_dax_is_device_dax(dev->driver))
		return -EBUSY;
	/* Mappings cannot be made or removed either, and pages are in use through one only. */
	i_mmap_lock_write(mapping);
	if (!mapping_mapped(mapping) && !kp_dax_has_used_pages(e))
		err = e->owner ? kho_pool_assign(e->owner, user, e->ext.phys, e->ext.size) : 0;
	if (!err) {
		/*
		 * A mapping that comes now gets no pages, and there is no other whose
		 * faults one would have to wait for.  To wait would not do: some who look
		 * at other devices need an mmap_lock, whose holder may want this lock.
		 */
		stop_dax(e->dev_dax->dax_dev);
		/* No driver binds to it again. */
		kill_device(dev);
	}
	i_mmap_unlock_write(mapping);
	return err;
}

/* It was withdrawn.  With kp_dax_devices_lock held. */
void kp_dax_remove_device(struct exposed *e)
{
	kp_dax_destroy_device(e);
	if (e->owner)
		kho_pool_unregister_owner(e->owner);
	list_del(&e->list);
	kfree(e);
}
