// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carving the first pools out of memory.
 *
 * A pool takes the largest free pieces, in whole areas while there are any.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "early.h"

#define MARGIN_MAX	SZ_8G

/*
 * May the memory at @base be removed while the kernel runs?  Nothing would prevent
 * that for a memory module that is entirely pool: memory without struct pages is not
 * offlined first.
 */
static bool __init kp_removable(u64 base)
{
	struct memblock_region *m;

	for_each_mem_region(m)
		if (base >= m->base && base - m->base < m->size)
			return memblock_is_hotpluggable(m);
	return false;
}

/*
 * Like kho_pool_offer(), but outside of the scratch areas, which exist already if KHO
 * has started this kernel: kernel images go there.
 */
static bool __init kp_offer_clear(struct kho_pool_piece *best, u64 start, u64 end, u64 want,
				  u64 grain)
{
	u64 from, to;
	bool below;

	if (start >= end || !kho_scratch_in(start, end, &from, &to))
		return kho_pool_offer(best, start, end, want, grain);
	below = kp_offer_clear(best, start, from, want, grain);
	return kp_offer_clear(best, to, end, want, grain) || below;
}

/* The largest free piece of memory in whole grains, up to @want. */
static u64 __init kp_find_piece(u64 want, u64 grain, int want_nid, u64 above, u64 *base, int *nid)
{
	struct kho_pool_piece best = {};
	phys_addr_t start, end;
	u64 low = kp_left_in_low_memory(), i;
	int range_nid;

	want = min(want, kp_left_for_pools());
	for_each_free_mem_range(i, want_nid, MEMBLOCK_NONE, &start, &end, &range_nid) {
		/* The range is in one region of memblock, so all of it is of one kind. */
		if (end <= above || kp_removable(start))
			continue;
		start = max_t(u64, start, above);
		if (start < KP_LOW_END)
			start = max_t(u64, start,
				      min(end, KP_LOW_END) - min(low, min(end, KP_LOW_END)));
		if (kp_offer_clear(&best, start, end, min(want, kp_left_on_node(range_nid)), grain))
			*nid = range_nid;
	}
	*base = best.base;
	return best.size;
}

/* In a kernel that KHO has started, memblock would take it from a scratch area. */
static phys_addr_t __init kp_find_meta(u64 size, int nid)
{
	phys_addr_t start, end;
	u64 i;

	for_each_free_mem_range_reverse(i, nid, MEMBLOCK_NONE, &start, &end, NULL) {
		struct kho_pool_piece piece = {};

		if (kp_removable(start))
			continue;
		kp_offer_clear(&piece, max_t(u64, start, SZ_1M), end, size, PAGE_SIZE);
		if (piece.size == size)
			return piece.base;
	}
	return nid == NUMA_NO_NODE ? 0 : kp_find_meta(size, NUMA_NO_NODE);
}

static phys_addr_t __init kp_reserve_meta(u64 size, int nid)
{
	phys_addr_t phys;

	if (is_kho_boot()) {
		phys = kp_find_meta(size, nid);
		return phys && !memblock_reserve(phys, size) ? phys : 0;
	}
	return kp_reserve_uncounted(size, PAGE_SIZE, 0, MEMBLOCK_ALLOC_ACCESSIBLE, nid, false);
}

/* Take the memory for one region.  False if there is no room for it or its index. */
static bool __init kp_place_region(struct kho_pool *pool, u64 base, u64 size, int nid)
{
	u64 index_size = kp_index_size_table(PHYS_PFN(base), size >> PAGE_SHIFT);
	phys_addr_t index;

	if (kp_state.nr_regions == KHO_POOL_MAX_REGIONS || memblock_remove(base, size))
		return false;
	index = kp_reserve_meta(round_up(index_size, PAGE_SIZE), nid);
	if (!index) {
		memblock_add_node(base, size, nid, MEMBLOCK_NONE);
		return false;
	}
	kp_add_region(pool, base, size, nid, index, index_size);
	return true;
}

static void __init kp_place(struct kp_want *want)
{
	u64 above = memblock_start_of_DRAM() + KHO_POOL_KERNEL_MIN, base, size;
	u64 grain = KHO_POOL_AREA;
	struct kho_pool *pool = kp_get_pool(want->name);
	int nid;

	want->left = want->size;
	while (pool && want->left) {
		size = kp_find_piece(want->left, grain, want->nid, above, &base, &nid);
		if (size && kp_place_region(pool, base, size, nid))
			want->left -= size;
		else if (!size && grain > KHO_POOL_SECTION)
			grain = KHO_POOL_SECTION;
		else
			break;
	}
	if (pool && !pool->nr_regions)
		kp_state.nr_pools--;
}

/* Give all memory back. */
static void __init kp_unplace_all(void)
{
	struct kp_region *r;

	for_each_region(r) {
		memblock_add_node(r->base, r->size, r->nid, MEMBLOCK_NONE);
		memblock_phys_free(r->index, round_up(r->index_size, PAGE_SIZE));
	}
	memset(kp_state.region, 0, sizeof(kp_state.region));
	memset(kp_state.pool, 0, sizeof(kp_state.pool));
	kp_state.nr_regions = 0;
	kp_state.nr_pools = 0;
	kp_state.keep.nr = 0;
}

/* Take less and less, until KHO gets its areas.  After a KHO kexec it has them already. */
static void __init kp_place_all(void)
{
	kp_measure_cma();
	for (kp_margin = 0; kp_margin <= MARGIN_MAX; kp_margin += KHO_POOL_SECTION) {
		for (u32 i = 0; i < kp_nr_wants; i++)
			kp_place(&kp_wants[i]);
		if (is_kho_boot() || !kp_state.nr_regions || kp_hold_scratch())
			return;
		kp_unplace_all();
	}
	/* Pools that cannot be handed on are better than none, and it will be reported. */
	kp_margin = 0;
	for (u32 i = 0; i < kp_nr_wants; i++)
		kp_place(&kp_wants[i]);
}

/**
 * kp_carve_all - make the pools that kho_pool= requests
 */
void __init kp_carve_all(void)
{
	struct kp_region *r;

	/* The root first: without it nothing can be handed on, and pools are useless. */
	kp_state.blob = kp_reserve_meta(round_up(KHO_POOL_BLOB_SIZE, PAGE_SIZE), NUMA_NO_NODE);
	if (!kp_state.blob) {
		pr_err("kho_pool=%s: no memory for the root\n", kp_args);
		return;
	}
	kp_parse_wants();
	kp_place_all();
	for (u32 i = 0; i < kp_nr_wants; i++) {
		const struct kp_want *want = &kp_wants[i];

		if (want->left && !kho_pool_find(want->name) &&
		    kp_state.nr_pools == KHO_POOL_MAX_POOLS)
			pr_err("kho_pool=%s: more than %d pools\n", want->arg,
			       KHO_POOL_MAX_POOLS);
		else if (want->left)
			pr_err("kho_pool=%s: %llu MiB of %llu MiB are not available, continuing with %llu MiB\n",
			       want->arg, want->left >> 20, want->size >> 20,
			       (want->size - want->left) >> 20);
	}
	if (!kp_state.nr_regions) {
		memblock_phys_free(kp_state.blob, round_up(KHO_POOL_BLOB_SIZE, PAGE_SIZE));
		kp_state.blob = 0;
		return;
	}
	for_each_region(r) {
		accept_memory(r->base, r->size);
		kp_index_format(phys_to_virt(r->index), r->index_size, PHYS_PFN(r->base),
				r->size >> PAGE_SHIFT, PAGE_SHIFT, r->pool->name);
		kp_restore_region(r, NULL);
	}
	kp_keep_range(kp_state.blob, round_up(KHO_POOL_BLOB_SIZE, PAGE_SIZE), 0);
	kp_keep_encode(&kp_state.keep, phys_to_virt(kp_state.blob + KHO_POOL_ROOT_SIZE));
}
