// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of blocks: the search for free ones, and taking and giving them, over as
 * many areas as they cross.  Nothing here reads or writes the persistent index.
 */
#include "internal.h"

/* Areas in use that a search for a hole looks at; some 20 us if all are full of holes. */
#define HOLE_TRIES	64

/* What one step looks at: areas, or runs of free areas; some 20 us */
#define FIND_LOOKS	128
#define RUN_LOOKS	1024

/* Runs of free areas that are compared before one is broken up */
#define FRESH_LOOKS	256

/* How many of @nr blocks from @block on are in the area of @block. */
static u32 kp_in_area(const struct kp_index *idx, u32 block, u32 nr)
{
	return min(nr, KHO_POOL_AREA_BLOCKS - kp_bit_of(idx, block));
}

/* Longer runs of areas than this need more time for keeping hints right than for new ones. */
#define HINT_AREAS	16

static void kp_forget_hints(struct kp_index *idx, u32 nr)
{
	if (nr > HINT_AREAS * KHO_POOL_AREA_BLOCKS)
		WRITE_ONCE(idx->short_run, 0);
}

/*
 * Give a run back that may cross areas, from its end, in one step.  Returns how many blocks
 * are left.
 */
u32 kp_blocks_give(struct kp_index *idx, u32 block, u32 nr)
{
	kp_forget_hints(idx, nr);
	for (u32 areas = 0; nr && areas < KP_STEP_AREAS; areas++) {
		u32 a = kp_area_of(idx, block + nr - 1);
		u32 here = min(nr, kp_bit_of(idx, block + nr - 1) + 1);

		nr -= here;
		raw_spin_lock(&idx->area[a].lock);
		kp_area_give(idx, a, kp_bit_of(idx, block + nr), here);
		raw_spin_unlock(&idx->area[a].lock);
	}
	return nr;
}

/*
 * Take the next part of a run that may cross areas, in one step.  *@taken blocks are taken.
 * Returns false if a block is not free; the caller then gives what is taken back.
 */
bool kp_blocks_take(struct kp_index *idx, u32 block, u32 nr, u32 *taken)
{
	kp_forget_hints(idx, nr);
	block += *taken;
	nr -= *taken;
	for (u32 areas = 0; nr && areas < KP_STEP_AREAS; areas++) {
		u32 here = kp_in_area(idx, block, nr);
		u32 a = kp_area_of(idx, block);
		u32 bit = kp_bit_of(idx, block);
		struct kp_area *area = &idx->area[a];
		bool free;

		raw_spin_lock(&area->lock);
		free = !area->whole && kp_next_set(area->used, bit, bit + here) == bit + here;
		if (free)
			kp_area_take(idx, a, bit, here);
		raw_spin_unlock(&area->lock);
		if (!free)
			return false;
		block += here;
		nr -= here;
		*taken += here;
	}
	return true;
}

/*
 * The search for a place.  Blocks are numbered by area here: block + lead.
 *
 * Best fit, over all runs of free blocks that cross areas or have at least 64
 * blocks.  A request goes to the run
 *
 *	1. with the fewest whole areas, so that long runs stay long,
 *	2. which is the shortest of these,
 *
 * and there to the end where it uses up fewer whole areas; whole areas also go to an
 * area's boundary near the end.  Among equals, requests of at least an area get the
 * lowest place and smaller ones the highest.  This was chosen with bench/trace.c in
 * tools/testing/kho_pool.
 */
struct search {
	u32 nr;
	bool whole;		/* whole areas, not aligned to them */
	u64 align, origin;	/* origin: number 0 in physical memory, blocks */
	u64 cost, perfect;
	u64 block;
};

#define COST(areas, rest, lost)	((u64)(areas) << 34 | (u64)(rest) << 24 | (u64)(lost) << 1)
#define NO_PLACE		(~0ULL)

/* Areas wholly between @from and @end. */
static u64 kp_whole_areas(u64 from, u64 end)
{
	u64 first = (from + KHO_POOL_AREA_BLOCKS - 1) >> KHO_POOL_AREA_SHIFT;

	end >>= KHO_POOL_AREA_SHIFT;
	return end > first ? end - first : 0;
}

static u64 kp_align_up(const struct search *s, u64 block, u64 align)
{
	return ((block + s->origin + align - 1) & ~(align - 1)) - s->origin;
}

static u64 kp_align_down(const struct search *s, u64 block, u64 align)
{
	return ((block + s->origin) & ~(align - 1)) - s->origin;
}

/*
 * Is @block a better place, in the run from @from to @end, which is long enough?
 * An aligned @block may be outside of the run, or even below zero.
 */
static void kp_consider_at(struct search *s, u64 block, u64 from, u64 end, u64 areas)
{
	u64 lost, cost;

	if (block < from || block > end - s->nr)
		return;
	lost = areas - kp_whole_areas(from, block) - kp_whole_areas(block + s->nr, end);
	cost = COST(areas, end - from - (areas << KHO_POOL_AREA_SHIFT), lost);
	if (s->whole)
		cost |= !!(block & (KHO_POOL_AREA_BLOCKS - 1));
	if (s->nr < KHO_POOL_AREA_BLOCKS ? cost > s->cost : cost >= s->cost)
		return;
	s->cost = cost;
	s->block = block;
}

static void kp_consider(struct search *s, u64 from, u64 end)
{
	u64 areas;

	if (end < from + s->nr)
		return;
	areas = kp_whole_areas(from, end);
	kp_consider_at(s, kp_align_up(s, from, s->align), from, end, areas);
	kp_consider_at(s, kp_align_down(s, end - s->nr, s->align), from, end, areas);
}

/*
 * Looks at the runs in an area that has both free and taken blocks.  @from is where
 * the run before the area began.  Returns where the run after it begins.
 */
static u64 kp_search_area(struct search *s, const struct kp_area *area, u64 first, u64 from)
{
	for (u32 i = 0; i < KP_AREA_WORDS; i++) {
		u64 word = READ_ONCE(area->used[i]);

		/* Runs inside one word are too short. */
		if (word) {
			kp_consider(s, from, first + 64 * i + __ffs64(word));
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
 * @find: how far the search has come, all zero at first; and its result
 *
 * Finds runs that cross areas or have at least 64 blocks.  No lock is needed or
 * taken: the result has to be taken by kp_blocks_take(), which may fail.
 *
 * Return: true at the end, with the first block in @find->block, or idx->nr_blocks;
 * false to call it again.
 */
bool kp_blocks_find(const struct kp_index *idx, u32 nr, u64 align, struct kp_find *find)
{
	u64 areas = nr >> KHO_POOL_AREA_SHIFT, from = find->from;
	u32 looks = FIND_LOOKS, a = find->area;
	struct search s = {
		.nr = nr,
		.whole = !(nr & (KHO_POOL_AREA_BLOCKS - 1)) && align < KHO_POOL_AREA_BLOCKS,
		.align = align,
		.origin = (idx->base >> KHO_POOL_BLOCK_SHIFT) - idx->lead,
		.cost = find->begun ? find->cost : NO_PLACE,
		.block = find->block,
		/* A run of whole areas that would be used up completely. */
		.perfect = COST(areas, 0, areas),
	};

	/* Less than an area takes the last of equals. */
	if (!areas)
		s.perfect = NO_PLACE;
	while (a < idx->nr_areas && looks--) {
		u64 first = (u64)a << KHO_POOL_AREA_SHIFT;

		if (!test_bit(a, idx->busy)) {
			a = find_next_bit(idx->busy, idx->nr_areas, a + 1);
		} else if (test_bit(a, idx->full)) {
			kp_consider(&s, from, first);
			a = find_next_zero_bit(idx->full, idx->nr_areas, a + 1);
			from = (u64)a << KHO_POOL_AREA_SHIFT;
		} else {
			from = kp_search_area(&s, &idx->area[a], first, from);
			a++;
		}
		if (s.cost == s.perfect && areas) {
			find->block = s.block - idx->lead;
			return true;
		}
	}
	if (a < idx->nr_areas) {
		find->begun = true;
		find->area = a;
		find->from = from;
		find->cost = s.cost;
		find->block = s.block;
		return false;
	}
	/* Blocks outside of the region are taken. */
	kp_consider(&s, from, (u64)idx->nr_areas << KHO_POOL_AREA_SHIFT);
	find->block = s.cost == NO_PLACE ? idx->nr_blocks : s.block - idx->lead;
	return true;
}

/*
 * The first of the shortest runs of free areas from @find->area on; one of @enough ends the
 * search.  Its length is @find->cost.  False if there are more runs to look at.
 */
static bool kp_shortest_run(const struct kp_index *idx, u32 enough, struct kp_find *find)
{
	for (u32 looks = RUN_LOOKS; find->cost > enough && looks; looks--) {
		u32 from = find_next_zero_bit(idx->busy, idx->nr_areas, find->area), end;

		if (from >= idx->nr_areas)
			return true;
		end = find_next_bit(idx->busy, idx->nr_areas, from);
		if (end - from < find->cost) {
			find->cost = end - from;
			find->block = from;
		}
		find->area = end;
	}
	return find->cost <= enough;
}

/* Begin to look at runs from area @from on. */
static void kp_begin_run(const struct kp_index *idx, struct kp_find *find, u32 from)
{
	find->begun = true;
	find->area = from;
	find->block = idx->nr_areas;
	find->cost = ~0ULL;
}

/**
 * kp_area_find - find the best place for one whole area
 * @idx: the index
 * @find: how far the search has come, all zero at first; and its result
 *
 * The first area of the shortest run of free areas.  No run is shorter than the one
 * where the last search ended, and none before it is as short, until kp_area_changed()
 * says so: most searches end where they begin.  These are hints: if other CPUs change
 * them meanwhile, the place may be another one.
 *
 * Return: as kp_blocks_find().
 */
bool kp_area_find(struct kp_index *idx, struct kp_find *find)
{
	u32 shortest = READ_ONCE(idx->short_run);

	if (!find->begun) {
		kp_begin_run(idx, find, READ_ONCE(idx->short_from));
		find->again = !shortest;
		if (find->again)
			find->area = 0;
	}
	if (!find->again) {
		if (!kp_shortest_run(idx, shortest, find))
			return false;
		if (find->cost != shortest) {
			kp_begin_run(idx, find, 0);
			find->again = true;
			return false;
		}
	} else if (!kp_shortest_run(idx, 1, find)) {
		return false;
	}
	if (find->block == idx->nr_areas) {
		find->block = idx->nr_blocks;
		return true;
	}
	WRITE_ONCE(idx->short_run, find->cost);
	WRITE_ONCE(idx->short_from, find->block);
	find->block = kp_block_at(idx, find->block, 0);
	return true;
}

/* Is the run that ends at an edge of area @a cut off there? */
static bool kp_taken_at(const struct kp_index *idx, u32 a, u32 bit)
{
	return a >= idx->nr_areas || test_bit(a, idx->full) || kp_test(idx->area[a].used, bit);
}

/*
 * A single block, in few steps and without looking at other areas: in the last word
 * that has one, a hole of one block is preferred to one with room for more.
 */
static u32 kp_single_in_area(const u64 *used)
{
	for (u32 i = KP_AREA_WORDS; i-- > 0;) {
		u64 word = ~READ_ONCE(used[i]);
		u64 alone = word & ~(word << 1) & ~(word >> 1);

		if (word)
			return 64 * i + __fls(alone ?: word);
	}
	return KHO_POOL_AREA_BLOCKS;
}

/* The shortest hole for @nr blocks in area @a, of equals the last; none not below *@cost. */
u32 kp_area_hole(const struct kp_index *idx, u32 a, u32 nr, u32 align, u32 *cost)
{
	const u64 *used = idx->area[a].used;
	u32 best = KHO_POOL_AREA_BLOCKS, to = KHO_POOL_AREA_BLOCKS;

	if (nr == 1 && align == 1)
		return kp_single_in_area(used);
	if (!kp_has_run(used, min(nr, 64U)))
		return KHO_POOL_AREA_BLOCKS;
	while ((to = kp_end_of_clear(used, 0, to)) >= nr) {
		u32 from = kp_end_of_set(used, 0, to), length = to - from;

		if (length >= nr && ((to - nr) & ~(align - 1)) >= from) {
			/* A run that continues in the next area is a long one. */
			if ((!from && !kp_taken_at(idx, a - 1, KHO_POOL_AREA_BLOCKS - 1)) ||
			    (to == KHO_POOL_AREA_BLOCKS && !kp_taken_at(idx, a + 1, 0)))
				length += KHO_POOL_AREA_BLOCKS;
			if (length < *cost) {
				*cost = length;
				best = (to - nr) & ~(align - 1);
				if (length == nr)
					break;
			}
		}
		to = from;
	}
	return best;
}

/**
 * kp_blocks_hole - find the best place for a few blocks
 * @idx: the index
 * @nr: blocks, less than an area
 * @align: of the first block, blocks, power of two up to an area
 *
 * Finds the shortest hole that is large enough, in the areas that are in use: in all
 * of them unless there are very many.  No lock is needed or taken.
 *
 * Return: the first block, or idx->nr_blocks.
 */
u32 kp_blocks_hole(const struct kp_index *idx, u32 nr, u32 align)
{
	u32 cost = ~0U, block = idx->nr_blocks, tries = HOLE_TRIES;

	for (u32 word = BITS_TO_LONGS(idx->nr_areas); word-- > 0 && tries;) {
		unsigned long open = READ_ONCE(idx->busy[word]) & ~READ_ONCE(idx->full[word]);

		for (; open && tries; tries--) {
			u32 a = word * BITS_PER_LONG + __fls(open), bit;

			open &= ~(1UL << a % BITS_PER_LONG);
			if (kp_area_too_full(&idx->area[a], nr))
				continue;
			bit = kp_area_hole(idx, a, nr, align, &cost);
			if (bit < KHO_POOL_AREA_BLOCKS)
				block = kp_block_at(idx, a, bit);
			if (cost == nr)
				return block;
		}
	}
	return block;
}

/**
 * kp_area_fresh - choose a free area to break up
 * @idx: the index
 *
 * Return: the last of the shortest run of free areas, or idx->nr_areas.  If there are very
 * many runs, not all of them are compared.
 */
u32 kp_area_fresh(const struct kp_index *idx)
{
	u32 best = idx->nr_areas, shortest = ~0U, end;

	for (u32 a = 0, looks = FRESH_LOOKS; a < idx->nr_areas && looks; a = end, looks--) {
		a = find_next_zero_bit(idx->busy, idx->nr_areas, a);
		end = find_next_bit(idx->busy, idx->nr_areas, a);
		if (end > a && end - a <= shortest) {
			shortest = end - a;
			best = end - 1;
		}
	}
	return best;
}
