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

/*
 * The search for a place.  Blocks are numbered by area here: block + lead.
 *
 * Every run of free blocks that crosses areas or has at least 64 blocks is
 * looked at.  In each, the request could go to either end; what counts is
 *
 *	1. how many whole areas that costs,
 *	2. if it is an area or more, whether it is aligned to areas,
 *	3. how many whole areas the run has: few, so that long runs stay long,
 *	4. where it is: areas from below, less than an area from above.
 *
 * tools/testing/kho_pool/bench/trace.c is what this was chosen with.
 */
struct search {
	u32 nr;
	u64 align, origin;	/* origin: number 0 in physical memory, blocks */
	u64 cost, perfect;
	u64 block;
};

/* Areas wholly between @from and @end. */
static u64 whole_areas(u64 from, u64 end)
{
	u64 first = (from + KHO_POOL_AREA_BLOCKS - 1) >> KHO_POOL_AREA_SHIFT;

	end >>= KHO_POOL_AREA_SHIFT;
	return end > first ? end - first : 0;
}

static u64 align_up(const struct search *s, u64 block, u64 align)
{
	return ((block + s->origin + align - 1) & ~(align - 1)) - s->origin;
}

static u64 align_down(const struct search *s, u64 block, u64 align)
{
	return ((block + s->origin) & ~(align - 1)) - s->origin;
}

/* Would it be better at @block, in the run from @from to @end? */
static void consider_at(struct search *s, u64 block, u64 from, u64 end, u64 areas)
{
	u64 lost, cost;

	if (block < from || block + s->nr > end)
		return;
	lost = areas - whole_areas(from, block) - whole_areas(block + s->nr, end);
	cost = lost << 33 | areas;
	if (s->nr < KHO_POOL_AREA_BLOCKS) {
		/* The last of equals. */
		if (cost > s->cost)
			return;
	} else {
		if (block & (KHO_POOL_AREA_BLOCKS - 1))
			cost |= 1ULL << 32;
		if (cost >= s->cost)
			return;
	}
	s->cost = cost;
	s->block = block;
}

static void consider(struct search *s, u64 from, u64 end)
{
	u64 areas;

	if (end < from + s->nr)
		return;
	areas = whole_areas(from, end);
	consider_at(s, align_up(s, from, s->align), from, end, areas);
	if (s->align < KHO_POOL_AREA_BLOCKS && s->nr >= KHO_POOL_AREA_BLOCKS) {
		consider_at(s, align_up(s, from, KHO_POOL_AREA_BLOCKS), from, end, areas);
		consider_at(s, align_down(s, end - s->nr, KHO_POOL_AREA_BLOCKS), from, end, areas);
	}
	/* @end - nr is not below @from, but its aligned place may be. */
	if (end - s->nr + s->origin >= s->align)
		consider_at(s, align_down(s, end - s->nr, s->align), from, end, areas);
}

/*
 * The runs in an area that has free blocks and taken ones.  @from is where the
 * run before it began.  Returns where the one after it begins.
 */
static u64 search_area(struct search *s, const struct kp_area *area, u64 first, u64 from)
{
	for (u32 i = 0; i < KP_AREA_WORDS; i++) {
		u64 word = READ_ONCE(area->used[i]);

		/* Runs inside of one word are too short. */
		if (word) {
			consider(s, from, first + 64 * i + __ffs64(word));
			from = first + 64 * i + fls64(word);
		}
	}
	return from;
}

/**
 * kp_blocks_find - find the best place for a long run of blocks
 * @idx: the index
 * @nr: blocks in the run
 * @align: of the run's first block in physical memory, blocks, power of two
 *
 * Finds what crosses areas or has at least 64 blocks.  No lock is needed or
 * taken: what it finds has to be taken by kp_blocks_take(), which may fail.
 *
 * Return: the first block, or idx->nr_blocks.
 */
u32 kp_blocks_find(const struct kp_index *idx, u32 nr, u64 align)
{
	u64 areas = nr >> KHO_POOL_AREA_SHIFT, from = 0;
	struct search s = {
		.nr = nr,
		.align = align,
		.origin = (idx->base >> KHO_POOL_BLOCK_SHIFT) - idx->lead,
		.cost = ~0ULL,
		/* Whole areas, and none is left of the run: no search beats the first. */
		.perfect = areas << 33 | areas,
	};

	/* If it is no whole areas, equals that come later may be better. */
	if (!areas)
		s.perfect = ~0ULL - 1;
	for (u32 a = 0; a < idx->nr_areas && s.cost != s.perfect;) {
		u64 first = (u64)a << KHO_POOL_AREA_SHIFT;

		if (!test_bit(a, idx->busy)) {
			a = find_next_bit(idx->busy, idx->nr_areas, a + 1);
		} else if (test_bit(a, idx->full)) {
			consider(&s, from, first);
			a = find_next_zero_bit(idx->full, idx->nr_areas, a + 1);
			from = (u64)a << KHO_POOL_AREA_SHIFT;
		} else {
			from = search_area(&s, &idx->area[a], first, from);
			a++;
		}
	}
	/* Blocks outside of the region are taken. */
	if (s.cost != s.perfect)
		consider(&s, from, (u64)idx->nr_areas << KHO_POOL_AREA_SHIFT);
	return s.cost == ~0ULL ? idx->nr_blocks : s.block - idx->lead;
}

/**
 * kp_area_fresh - choose a free area to break up
 * @idx: the index
 *
 * Return: the last of the shortest run of free areas, or idx->nr_areas.
 */
u32 kp_area_fresh(const struct kp_index *idx)
{
	u32 best = idx->nr_areas, shortest = ~0U, end;

	for (u32 a = 0; a < idx->nr_areas; a = end) {
		a = find_next_zero_bit(idx->busy, idx->nr_areas, a);
		end = find_next_bit(idx->busy, idx->nr_areas, a);
		if (end > a && end - a <= shortest) {
			shortest = end - a;
			best = end - 1;
		}
	}
	return best;
}
