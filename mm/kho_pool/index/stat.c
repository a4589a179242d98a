// SPDX-License-Identifier: GPL-2.0-only
/* How much is free, in which units.  Counted on demand, without a lock. */
#include "internal.h"

/* Longest run of clear bits in [0, @end), joined to the *@run before it. */
static u32 kp_stat_longest(const u64 *words, u32 first, u32 end, u32 *run)
{
	u32 best = 0;

	for (u32 bit = first; bit < end;) {
		u32 set = kp_next_set(words, bit, end);

		*run += set - bit;
		best = max(best, *run);
		if (set == end)
			break;
		*run = 0;
		bit = set + 1;
	}
	return best;
}

static void kp_stat_bitmaps(const struct kho_pool_bitmaps *maps, struct kp_stat *stat)
{
	u64 words[KHO_POOL_BLOCK_FRAMES / 64];
	u32 run = 0;

	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		words[i] = kp_load(&maps->used[i]);
		stat->free_frames += 64 - hweight64(words[i]);
	}
	stat->largest = max_t(u64, stat->largest,
			      kp_stat_longest(words, 0, KHO_POOL_BLOCK_FRAMES, &run));
}

/*
 * Sums over the CPUs, which go on changing.  What went is counted before what came, so
 * that a sum is never too small: an extent that is there at some moment in between counts.
 */

/**
 * kp_index_extents - how many extents there are
 * @idx: the index
 *
 * Return: the number, or if others are being allocated meanwhile, a larger one.
 */
u64 kp_index_extents(const struct kp_index *idx)
{
	u64 extents = idx->restored;

	for (u32 i = 0; i < idx->nr_pcpu; i++)
		extents -= READ_ONCE(idx->pcpu[i].frees);
	/* First what went.  An extent that goes came before: see kp_account_free(). */
	smp_rmb();
	for (u32 i = 0; i < idx->nr_pcpu; i++)
		extents += READ_ONCE(idx->pcpu[i].allocs);
	return extents;
}

/**
 * kp_index_gains - how often something came free in this kernel
 * @idx: the index
 * @moving: set if some blocks are neither free nor an extent's, but may come free
 *
 * If two calls return the same, a search between them has seen all that was free at that
 * time: nothing came free behind it.
 *
 * Return: the number.
 */
u64 kp_index_gains(const struct kp_index *idx, bool *moving)
{
	u64 gains = 0;
	s64 runs = 0;

	/* The search before and the one after it stay there. */
	smp_rmb();
	for (u32 i = 0; i < idx->nr_pcpu; i++) {
		runs += READ_ONCE(idx->pcpu[i].moving);
		/* Pairs with kp_account_gain(). */
		gains += smp_load_acquire(&idx->pcpu[i].gains);
	}
	*moving = runs;
	return gains;
}

/**
 * kp_index_used - how many frames extents have, with the slack of their last blocks
 * @idx: the index
 *
 * Return: as kp_index_extents().
 */
u64 kp_index_used(const struct kp_index *idx)
{
	u64 frames = 0;

	for (u32 i = 0; i < idx->nr_pcpu; i++)
		frames -= READ_ONCE(idx->pcpu[i].given);
	/* As in kp_index_extents(). */
	smp_rmb();
	for (u32 i = 0; i < idx->nr_pcpu; i++)
		frames += READ_ONCE(idx->pcpu[i].taken);
	return frames;
}

/* Areas counted in one step; some 50 us if all their blocks are split. */
#define STEP	4

static void kp_stat_area(const struct kp_index *idx, u32 a, struct kp_stat *stat, u32 *run)
{
	const struct kp_area *area = &idx->area[a];
	u32 nr_free = KHO_POOL_AREA_BLOCKS - READ_ONCE(area->nr_used);
	u32 first, end, best;

	kp_area_span(idx, a, &first, &end);
	if (READ_ONCE(area->whole)) {
		*run = 0;
		return;
	}
	stat->free_areas += nr_free == KHO_POOL_AREA_BLOCKS;
	stat->free_blocks += nr_free;
	stat->free_frames += (u64)nr_free << KHO_POOL_BLOCK_SHIFT;
	best = kp_stat_longest(area->used, first, end, run);
	stat->largest = max(stat->largest, (u64)best << KHO_POOL_BLOCK_SHIFT);
	for (u32 bit = kp_next_set(area->partial, first, end); bit < end;
	     bit = kp_next_set(area->partial, bit + 1, end))
		kp_stat_bitmaps(&idx->bitmaps[kp_block_at(idx, a, bit)], stat);
}

/**
 * kp_index_stat - count what is free, in the next few areas
 * @idx: the index
 * @stat: the counts are added to it, the largest is the larger of the two
 * @at: where to begin, all zero at first; set to where to continue
 *
 * Return: true if there are more areas.
 */
bool kp_index_stat(const struct kp_index *idx, struct kp_stat *stat, struct kp_stat_at *at)
{
	u32 end = min(at->area + STEP, idx->nr_areas);

	/* Nothing of it can be allocated. */
	if (READ_ONCE(idx->all_bad))
		return false;

	while (at->area < end)
		kp_stat_area(idx, at->area++, stat, &at->run);
	return end < idx->nr_areas;
}
