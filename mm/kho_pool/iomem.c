// SPDX-License-Identifier: GPL-2.0-only
/*
 * "KHO pool" in /proc/iomem, and the gaps in it where drivers have extents.
 *
 * A range that the pools keep is shown in pieces: the parts between the extents that
 * drivers have requested for themselves.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kho_pool_expose.h>
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

/* The part of a resource, or of what is left of it, that is in [base, end). */
static bool kp_iomem_overlap(const struct resource *res, u64 base, u64 end, u64 *from, u64 *to)
{
	*from = max_t(u64, res->start, base);
	*to = min_t(u64, res->end + 1, end);
	return *from < *to;
}

/*
 * Busy, because memory hotplug would otherwise treat it as free address space and add
 * it again; exclusive, so that /dev/mem does not map it where it would not map System
 * RAM.
 */
static void kp_iomem_show(u64 base, u64 end)
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

static void kp_iomem_unshow(u64 base, u64 end)
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
	kp_iomem_unshow(phys, phys + size);
	return 0;
}
EXPORT_SYMBOL_GPL(kho_pool_iomem_open);

/**
 * kho_pool_iomem_taken - the driver has requested it
 * @phys: as it was given to kho_pool_iomem_open()
 *
 * The region becomes exclusive, like the rest of the pool.  The driver must not
 * release it meanwhile.
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
	/* Join it with the pieces on both sides, or the next extent may span two. */
	for (u32 i = 0; i < keep->nr; i++) {
		u64 base = keep->range[i].base, size = keep->range[i].size;

		if (phys < base || phys - base >= size)
			continue;
		start = max(start, base);
		end = min(end, base + size);
		kp_iomem_unshow(start, phys);
		kp_iomem_unshow(phys_end, end);
		kp_iomem_show(start, end);
	}
}
EXPORT_SYMBOL_GPL(kho_pool_iomem_close);

/*
 * The memory map may have split the range: by nodes, or around something that is not
 * memory to this kernel.  Take out each piece that is System RAM, then fill whatever
 * nothing else has.
 */
static void __init kp_iomem_replace(u64 base, u64 end)
{
	struct resource *res, *next;
	u64 from, to;

	for (res = iomem_resource.child; res; res = next) {
		next = res->sibling;
		if ((res->flags & IORESOURCE_SYSTEM_RAM) == IORESOURCE_SYSTEM_RAM &&
		    kp_iomem_overlap(res, base, end, &from, &to))
			kp_iomem_unshow(from, to);
	}
	while (base < end) {
		u64 stop = end, after = end;

		for (res = iomem_resource.child; res; res = res->sibling) {
			if (!kp_iomem_overlap(res, base, end, &from, &to))
				continue;
			stop = from;
			after = to;
			break;
		}
		if (base < stop)
			kp_iomem_show(base, stop);
		base = after;
	}
}

/* System RAM gives way to "KHO pool". */
static int __init kho_pool_iomem_init(void)
{
	for (u32 i = 0; i < kp_state.keep.nr; i++)
		kp_iomem_replace(kp_state.keep.range[i].base,
				 kp_state.keep.range[i].base + kp_state.keep.range[i].size);
	return 0;
}
core_initcall(kho_pool_iomem_init);
