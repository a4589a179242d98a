// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames with memory errors.
 *
 * They are kept in words of the index's header.  A word says all there is to say,
 * so one store records a frame whatever it is part of, and at any time.
 *
 * What is out of use is the whole block that such a frame is in: it counts as taken
 * when no extent has it, and takes no more small extents when some have it.  Both
 * are bits of the volatile side only, so allocation need not know of any of this.
 * What an extent has it keeps.
 */
#include "internal.h"

/* The last word is for what the others have no room for. */
#define LAST	(KHO_POOL_BAD_WORDS - 1)

/* Frames @frame up to, not with, @end. */
struct run {
	u64 frame, end;
};

static u64 encode(const struct run *run)
{
	u64 word = (run->frame + 1) | (run->end - run->frame - 1) << KHO_POOL_BAD_MORE_SHIFT;

	return word | kp_sum_mix(word) >> KHO_POOL_BAD_CHECK_SHIFT << KHO_POOL_BAD_CHECK_SHIFT;
}

/* False for an unused word and for one that means nothing, or too much. */
static bool read_run(const struct kp_index *idx, u32 i, struct run *run)
{
	u64 word = kp_load(&idx->header->bad[i]);

	if (!(word & KHO_POOL_BAD_FRAME))
		return false;
	run->frame = (word & KHO_POOL_BAD_FRAME) - 1;
	run->end = run->frame + 1 + (word >> KHO_POOL_BAD_MORE_SHIFT & KHO_POOL_BAD_MORE);
	return run->end <= idx->nr_frames && encode(run) == word &&
	       run->frame >> KHO_POOL_BLOCK_SHIFT == (run->end - 1) >> KHO_POOL_BLOCK_SHIFT;
}

bool kp_bad_has(const struct kp_index *idx, u32 block)
{
	struct run run;

	if (READ_ONCE(idx->all_bad))
		return true;
	for (u32 i = 0; i < LAST; i++)
		if (read_run(idx, i, &run) && run.frame >> KHO_POOL_BLOCK_SHIFT == block)
			return true;
	return false;
}

/* No one new is to get the block; its area is locked. */
static void hold_block(struct kp_index *idx, u32 a, u32 bit)
{
	struct kp_area *area = &idx->area[a];

	if (area->whole)
		return;
	if (!kp_test(area->used, bit))
		kp_area_take(idx, a, bit, 1);
	else if (kp_test(area->partial, bit))
		kp_clear_partial(area, bit);
}

/* The same for what is bad of blocks @from up to @end of an area that is locked. */
void kp_bad_hold(struct kp_index *idx, u32 a, u32 from, u32 end)
{
	struct run run;

	for (u32 bit = from; bit < end && READ_ONCE(idx->all_bad); bit++)
		hold_block(idx, a, bit);
	for (u32 i = 0; i < LAST; i++) {
		u32 block, bit;

		if (!read_run(idx, i, &run))
			continue;
		block = run.frame >> KHO_POOL_BLOCK_SHIFT;
		bit = kp_bit_of(idx, block);
		if (kp_area_of(idx, block) == a && bit >= from && bit < end)
			hold_block(idx, a, bit);
	}
}

static void hold_all(struct kp_index *idx)
{
	for (u32 a = 0; a < idx->nr_areas; a++) {
		raw_spin_lock(&idx->area[a].lock);
		kp_bad_hold(idx, a, 0, KHO_POOL_AREA_BLOCKS);
		raw_spin_unlock(&idx->area[a].lock);
	}
}

/* What the words come to; where they are stored big is held. */
static void count(struct kp_index *idx)
{
	bool all = false;
	u32 nr = 0;

	for (u32 i = 0; i < KHO_POOL_BAD_WORDS; i++) {
		struct run run;

		if (!kp_load(&idx->header->bad[i]))
			continue;
		nr++;
		all |= i == LAST || !read_run(idx, i, &run);
	}
	WRITE_ONCE(idx->all_bad, all);
	WRITE_ONCE(idx->nr_bad, nr);
}

/* The last step of restore. */
void kp_bad_restore(struct kp_index *idx)
{
	count(idx);
	if (idx->nr_bad)
		hold_all(idx);
}

/* The word for @frame, and what is to be in it.  LAST if there is none. */
static u32 find_word(const struct kp_index *idx, u64 frame, struct run *to)
{
	u32 unused = LAST;

	for (u32 i = LAST; i-- > 0;) {
		struct run run;

		if (!kp_load(&idx->header->bad[i]))
			unused = i;
		if (!read_run(idx, i, &run) ||
		    run.frame >> KHO_POOL_BLOCK_SHIFT != frame >> KHO_POOL_BLOCK_SHIFT ||
		    frame + 1 < run.frame || frame > run.end)
			continue;
		to->frame = min(run.frame, frame);
		to->end = max(run.end, frame + 1);
		return i;
	}
	to->frame = frame;
	to->end = frame + 1;
	return unused;
}

/**
 * kp_index_bad - record that a frame has a memory error
 * @idx: the index
 * @frame: from the region's base
 *
 * Works at any time, after the seal too.  The caller has interrupts disabled.
 *
 * Return: 0, also if it was recorded before; -ENOSPC if there is no room for it:
 * then nothing of the region is given out any more; -EINVAL if it is not in the
 * region, -EROFS if the index may only be read.
 */
int kp_index_bad(struct kp_index *idx, u64 frame)
{
	u64 word = KHO_POOL_BAD_TOO_MANY;
	struct run run;
	int ret = 0;
	u32 i;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	if (idx->read_only)
		return -EROFS;
	raw_spin_lock(&idx->big);
	i = find_word(idx, frame, &run);
	if (i == LAST)
		ret = -ENOSPC;
	else
		word = encode(&run);
	/* In no sum: it may be stored after the seal. */
	smp_store_release(&idx->header->bad[i], cpu_to_le64(word));
	count(idx);
	/* Who has one of these locks, or gets it later, sees what is bad. */
	hold_all(idx);
	raw_spin_unlock(&idx->big);
	return ret;
}

/**
 * kp_bad_next - find the next frame that is recorded as bad
 * @idx: the index
 * @frame: where to begin; set to what was found
 *
 * Return: false if there is none.
 */
bool kp_bad_next(const struct kp_index *idx, u64 *frame)
{
	u64 next = idx->nr_frames;

	for (u32 i = 0; i < LAST && READ_ONCE(idx->nr_bad); i++) {
		struct run run;

		if (read_run(idx, i, &run) && run.end > *frame)
			next = min(next, max(run.frame, *frame));
	}
	*frame = next;
	return next < idx->nr_frames;
}
