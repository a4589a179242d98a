// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lists of pools, of regions, and of all memory that is kept for the next kernel.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/timex.h>

#include "early.h"

void __init kp_keep_range(u64 base, u64 size, u64 flags)
{
	struct kp_keep *k = &kp_state.keep;

	k->range[k->nr].base = base;
	k->range[k->nr].size = size;
	k->range[k->nr].flags = flags;
	k->nr++;
}

struct kho_pool *__init kp_get_pool(const char *name)
{
	struct kho_pool *pool = kho_pool_find(name);

	if (pool || kp_state.nr_pools == KHO_POOL_MAX_POOLS)
		return pool;
	pool = &kp_state.pool[kp_state.nr_pools++];
	strscpy(pool->name, name);
	raw_spin_lock_init(&pool->name_lock);
	return pool;
}

struct kp_region *__init kp_add_region(struct kho_pool *pool, u64 base, u64 size, int nid,
					    phys_addr_t index, u64 index_size)
{
	struct kp_region *r = &kp_state.region[kp_state.nr_regions++];

	r->pool = pool;
	r->base = base;
	r->size = size;
	r->nid = nid;
	r->index = index;
	r->index_size = index_size;
	pool->region[pool->nr_regions++] = r;
	kp_keep_range(base, size, KHO_POOL_KEEP_POOL);
	kp_keep_range(index, round_up(index_size, PAGE_SIZE), 0);
	return r;
}

/* Set up the volatile side of a region and read its index. */
void __init kp_restore_region(struct kp_region *r, const u64 *csum)
{
	u64 base = PHYS_PFN(r->base), frames = r->size >> PAGE_SHIFT;
	u32 cpus = cpumask_last(cpu_possible_mask) + 1;
	u64 size = kp_index_volatile_size(base, frames, cpus);
	void *mem = memblock_alloc(size, SMP_CACHE_BYTES);
	cycles_t start = get_cycles();
	int err;

	if (!mem) {
		pr_err("no memory for %llu bytes of free lists\n", size);
		r->state = KHO_POOL_REGION_UNREAD;
		return;
	}
	r->idx.mem = phys_to_virt(r->base);
	r->idx.read_only = r->pool->read_only;
	get_random_bytes(&r->idx.name_key, sizeof(r->idx.name_key));
	err = kp_index_attach(&r->idx, phys_to_virt(r->index), r->index_size, base, frames,
			      PAGE_SHIFT, mem, cpus);
	if (err)
		r->state = KHO_POOL_REGION_BAD_HEADER;
	else
		err = kp_index_restore(&r->idx, csum);
	if (err == -EBADMSG)
		r->state = KHO_POOL_REGION_BAD_SUM;
	else if (err == -EUCLEAN)
		r->state = KHO_POOL_REGION_BAD_INDEX;
	if (err) {
		memblock_free(mem, size);
		return;
	}
	r->restore_cycles = get_cycles() - start;
}

/**
 * kho_pool_owns - is this pool memory, without struct pages?
 * @phys: first byte
 * @size: bytes
 *
 * For KHO, which must not touch struct pages that do not exist, and for reading /dev/mem.
 *
 * Context: any.
 *
 * Return: true if all of it is.
 */
bool kho_pool_owns(phys_addr_t phys, u64 size)
{
	for (u32 i = 0; i < kp_state.keep.nr; i++) {
		u64 base = kp_state.keep.range[i].base;

		if (kp_state.keep.range[i].flags & KHO_POOL_KEEP_POOL &&
		    phys >= base && phys + size <= base + kp_state.keep.range[i].size)
			return true;
	}
	return false;
}

/**
 * kho_pool_keeps - do the pools hand on any of this memory?
 * @phys: first byte
 * @size: bytes
 *
 * Context: any.
 *
 * Return: true if any of it is in a pool, an index or the root.
 */
bool kho_pool_keeps(phys_addr_t phys, u64 size)
{
	for (u32 i = 0; i < kp_state.keep.nr; i++)
		if (phys < kp_state.keep.range[i].base + kp_state.keep.range[i].size &&
		    phys + size > kp_state.keep.range[i].base)
			return true;
	return false;
}
