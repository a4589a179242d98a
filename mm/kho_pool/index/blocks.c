// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which blocks of an area are taken: its volatile bits, and the maps of areas that
 * follow from them.  Nothing here reads or writes the persistent index.
 */
#include "internal.h"

/* A new run of free areas may now be the shortest. */
static void kp_note_run(struct kp_index *idx, u32 from, u32 end)
{
	u32 length = end - from, shortest = READ_ONCE(idx->short_run);

	if (!length || length > shortest)
		return;
	if (length < shortest || from < READ_ONCE(idx->short_from))
		WRITE_ONCE(idx->short_from, from);
	WRITE_ONCE(idx->short_run, length);
}

/* The first of the free areas before @a. */
static u32 kp_run_before(const struct kp_index *idx, u32 a)
{
	while (a) {
		u32 word = (a - 1) / BITS_PER_LONG;
		unsigned long busy = READ_ONCE(idx->busy[word]);

		busy <<= BITS_PER_LONG - 1 - (a - 1) % BITS_PER_LONG;
		if (busy)
			return a - (BITS_PER_LONG - 1 - __fls(busy));
		a = word * BITS_PER_LONG;
	}
	return 0;
}

/* The run of free areas around @a has changed: update the hints, if they are in use. */
static void kp_runs_changed(struct kp_index *idx, u32 a, bool is_free)
{
	u32 from, end;

	if (!READ_ONCE(idx->short_run))
		return;
	from = kp_run_before(idx, a);
	end = find_next_bit(idx->busy, idx->nr_areas, a + 1);
	if (is_free) {
		kp_note_run(idx, from, end);
	} else {
		kp_note_run(idx, from, a);
		kp_note_run(idx, a + 1, end);
	}
}

/* Keep the two maps of areas right; the area is locked. */
static void kp_area_changed(struct kp_index *idx, u32 a)
{
	u16 nr_used = idx->area[a].nr_used;

	/* Tested first: the words are shared, and seldom change. */
	if (nr_used && !test_bit(a, idx->busy)) {
		set_bit(a, idx->busy);
		kp_runs_changed(idx, a, false);
	} else if (!nr_used && test_bit(a, idx->busy)) {
		clear_bit(a, idx->busy);
		kp_runs_changed(idx, a, true);
	}
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
		WRITE_ONCE(area->whole, true);
	else
		kp_set_bits(area->used, bit, nr);
	WRITE_ONCE(area->nr_used, area->nr_used + nr);
	kp_area_changed(idx, a);
}

/* Free taken blocks of a locked area, bad ones too: see kp_area_give(). */
void kp_area_free(struct kp_index *idx, u32 a, u32 bit, u32 nr)
{
	struct kp_area *area = &idx->area[a];

	if (nr == KHO_POOL_AREA_BLOCKS)
		WRITE_ONCE(area->whole, false);
	else
		kp_clear_bits(area->used, bit, nr);
	WRITE_ONCE(area->nr_used, area->nr_used - nr);
	if (area->no_run)
		WRITE_ONCE(area->no_run, 0);
	kp_area_changed(idx, a);
}

/* Blocks of a locked area were given back: what is possible now? */
void kp_gain_run(const struct kp_index *idx, struct kp_gain *gain, u32 a, u32 bit, u32 nr)
{
	const u64 *used = idx->area[a].used;
	u32 from = kp_end_of_set(used, 0, bit);
	u32 end = kp_next_set(used, bit + nr, KHO_POOL_AREA_BLOCKS);

	gain->kind = KP_ANY_KIND;
	/* A run that reaches the area's edge may go on behind it. */
	gain->run = !from || end == KHO_POOL_AREA_BLOCKS ? ~0U : end - from;
}
