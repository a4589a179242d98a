// SPDX-License-Identifier: GPL-2.0-only
/*
 * "KHO pool" in /proc/iomem, and the gaps in it where drivers have extents.
 *
 * A range that the pools keep is shown in pieces: what lies between the extents
 * that drivers have requested for themselves.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "pool.h"

struct gap {
	struct list_head list;
	u64 base, size;
};

static DEFINE_MUTEX(gaps_lock);
static LIST_HEAD(gaps);

/*
 * Busy, as memory hotplug would take it for free address space and add it again;
 * exclusive, so that user space cannot map through /dev/mem what it could not
 * map as System RAM.
 */
static void show(u64 base, u64 end)
{
	struct resource *res = kzalloc_obj(*res);

	if (!res)
		return;
	res->name = "KHO pool";
	res->start = base;
	res->end = end - 1;
	res->flags = IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE;
	if (insert_resource(&iomem_resource, res)) {
		pr_warn("no place in /proc/iomem for %#llx\n", base);
		kfree(res);
	}
}

static void unshow(u64 base, u64 end)
{
	if (base < end)
		release_mem_region_adjustable(base, end - base);
}

/**
 * kho_pool_iomem_open - let a driver request an extent's memory region
 * @phys: of the extent
 * @size: bytes
 *
 * Context: process.
 *
 * Return: 0 or -ENOMEM.
 */
int kho_pool_iomem_open(phys_addr_t phys, u64 size)
{
	struct gap *gap = kzalloc_obj(*gap);

	if (!gap)
		return -ENOMEM;
	gap->base = phys;
	gap->size = size;
	guard(mutex)(&gaps_lock);
	list_add(&gap->list, &gaps);
	unshow(phys, phys + size);
	return 0;
}
EXPORT_SYMBOL_GPL(kho_pool_iomem_open);

/**
 * kho_pool_iomem_taken - the driver has requested it
 * @phys: as it was given to kho_pool_iomem_open()
 *
 * It is exclusive then as the rest of the pool is.  The driver must not release it
 * meanwhile.
 *
 * Context: any but interrupts.
 */
void kho_pool_iomem_taken(phys_addr_t phys)
{
	struct resource *res = lookup_resource(&iomem_resource, phys);

	if (res)
		res->flags |= IORESOURCE_EXCLUSIVE;
}
EXPORT_SYMBOL_GPL(kho_pool_iomem_taken);

/**
 * kho_pool_iomem_close - the driver has released it
 * @phys: as it was given to kho_pool_iomem_open()
 *
 * Context: process.
 */
void kho_pool_iomem_close(phys_addr_t phys)
{
	const struct kp_keep *keep = &kp_state.keep;
	u64 start = 0, end = U64_MAX, phys_end = 0;
	struct gap *gap, *next;

	guard(mutex)(&gaps_lock);
	list_for_each_entry_safe(gap, next, &gaps, list) {
		if (gap->base == phys) {
			phys_end = phys + gap->size;
			list_del(&gap->list);
			kfree(gap);
		} else if (gap->base > phys) {
			end = min(end, gap->base);
		} else {
			start = max(start, gap->base + gap->size);
		}
	}
	if (WARN_ON_ONCE(!phys_end))
		return;
	/* One piece with those on both sides, or the next extent may be in two. */
	for (u32 i = 0; i < keep->nr; i++) {
		u64 base = keep->range[i].base, size = keep->range[i].size;

		if (phys < base || phys - base >= size)
			continue;
		start = max(start, base);
		end = min(end, base + size);
		unshow(start, phys);
		unshow(phys_end, end);
		show(start, end);
	}
}
EXPORT_SYMBOL_GPL(kho_pool_iomem_close);

/* System RAM gives way to "KHO pool". */
static int __init kho_pool_iomem_init(void)
{
	for (u32 i = 0; i < kp_state.keep.nr; i++) {
		u64 base = kp_state.keep.range[i].base;
		u64 end = base + kp_state.keep.range[i].size;

		unshow(base, end);
		show(base, end);
	}
	return 0;
}
core_initcall(kho_pool_iomem_init);
