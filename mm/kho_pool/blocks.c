// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which blocks are taken: the volatile bits, and the search for a run of free
 * ones.  Nothing here reads or writes the persistent index.
 */
#include "internal.h"

/* Keep the two maps of areas right; the area is locked. */
static void area_changed(struct kp_index *idx, u32 a)
{
	u16 nr_used = idx->area[a].nr_used;

	/* Tested first: the words are shared, and seldom change. */
	if (nr_used && !test_bit(a, idx->busy))
		set_bit(a, idx->busy);
	else if (!nr_used && test_bit(a, idx->busy))
		clear_bit(a, idx->busy);
	if (nr_used == KHO_POOL_AREA_BLOCKS && !test_bit(a, idx->full))
		set_bit(a, idx->full);
	else if (nr_used < KHO_POOL_AREA_BLOCKS && test_bit(a, idx->full))
		clear_bit(a, idx->full);
}

/* Take free blocks of a locked area. */
void kp_area_take(struct kp_index *idx, u32 a, u32 bit, u32 nr)
{
	struct kp_area *area = &idx->area[a];

	if (nr == KHO_POOL_AREA_BLOCKS)
		area->whole = true;
	else
		kp_set_bits(area->used, bit, nr);
	WRITE_ONCE(area->nr_used, area->nr_used + nr);
	area_changed(idx, a);
}

/* Give blocks of a locked area back. */
void kp_area_give(struct kp_index *idx, u32 a, u32 bit, u32 nr)
{
	struct kp_area *area = &idx->area[a];

	if (nr == KHO_POOL_AREA_BLOCKS)
		area->whole = false;
	else
		kp_clear_bits(area->used, bit, nr);
	WRITE_ONCE(area->nr_used, area->nr_used - nr);
	area_changed(idx, a);
}

/* How many of @nr blocks from @block on are in the area of @block. */
static u32 in_area(const struct kp_index *idx, u32 block, u32 nr)
{
	return min(nr, KHO_POOL_AREA_BLOCKS - kp_bit_of(idx, block));
}

void kp_blocks_give(struct kp_index *idx, u32 block, u32 nr)
{
	while (nr) {
		u32 here = in_area(idx, block, nr);
		u32 a = kp_area_of(idx, block);

		raw_spin_lock(&idx->area[a].lock);
		kp_area_give(idx, a, kp_bit_of(idx, block), here);
		raw_spin_unlock(&idx->area[a].lock);
		block += here;
		nr -= here;
	}
}

/* Take a run that may cross areas.  False, and nothing taken, if one was not free. */
bool kp_blocks_take(struct kp_index *idx, u32 block, u32 nr)
{
	u32 first = block;

	while (nr) {
		u32 here = in_area(idx, block, nr);
		u32 a = kp_area_of(idx, block);
		u32 bit = kp_bit_of(idx, block);
		struct kp_area *area = &idx->area[a];
		bool free;

		raw_spin_lock(&area->lock);
		free = !area->whole && kp_next_set(area->used, bit, bit + here) == bit + here;
		if (free)
			kp_area_take(idx, a, bit, here);
		raw_spin_unlock(&area->lock);
		if (!free) {
			kp_blocks_give(idx, first, block - first);
			return false;
		}
		block += here;
		nr -= here;
	}
	return true;
}

/* First taken block of @from .. @end - 1, or @end. */
static u32 next_taken(const struct kp_index *idx, u32 from, u32 end)
{
	while (from < end) {
		u32 a = kp_area_of(idx, from);
		u32 bit = kp_bit_of(idx, from);
		u32 here = in_area(idx, from, end - from);

		if (test_bit(a, idx->busy)) {
			u32 set;

			if (READ_ONCE(idx->area[a].nr_used) == KHO_POOL_AREA_BLOCKS)
				return from;
			set = kp_next_set(idx->area[a].used, bit, bit + here);
			if (set < bit + here)
				return from + set - bit;
			from += here;
		} else if (!bit) {
			/* Over all areas that have nothing taken at once. */
			u32 next = find_next_bit(idx->busy, idx->nr_areas, a);

			from = min_t(u64, end, kp_block_at(idx, next, 0));
		} else {
			from += here;
		}
	}
	return end;
}

/**
 * kp_blocks_find - find a run of free blocks that may cross areas
 * @idx: the index
 * @from: block to begin the search with
 * @nr: blocks in the run
 * @align: of the run's first block in physical memory, blocks, power of two
 *
 * No lock is needed or taken: what it finds has to be taken by
 * kp_blocks_take(), which may fail.
 *
 * Return: the first block, or idx->nr_blocks.
 */
u32 kp_blocks_find(struct kp_index *idx, u32 from, u32 nr, u64 align)
{
	u64 base = idx->base >> KHO_POOL_BLOCK_SHIFT;
	u64 pos = from;

	for (;;) {
		u32 a, next, taken;

		pos = ((pos + base + align - 1) & ~(align - 1)) - base;
		if (pos + nr > idx->nr_blocks)
			return idx->nr_blocks;
		/* Over all full areas at once. */
		a = kp_area_of(idx, pos);
		next = find_next_zero_bit(idx->full, idx->nr_areas, a);
		if (next > a) {
			pos = kp_block_at(idx, next, 0);
			continue;
		}
		taken = next_taken(idx, pos, pos + nr);
		if (taken == pos + nr)
			return pos;
		pos = taken + 1;
	}
}
