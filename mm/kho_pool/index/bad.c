// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames with memory errors.
 *
 * They are recorded in words, in a table at the end of the index or, in an index without
 * one, in its header.  A word is complete by itself, so one store records a frame at any
 * time, no matter what the frame is part of.
 *
 * The whole block around such a frame is taken out of use.  If no extent has the
 * block, it counts as taken; if small extents have it, no more are put there.  Both
 * are only bits of the volatile side, so allocation does not deal with bad frames.
 * Extents keep what they have.  If there are more bad frames than words for them, every
 * request is refused.
 */
#include "internal.h"

/* Frames @frame up to, not with, @end. */
struct run {
	u64 frame, end;
};

/* The last word says that the others are full. */
static u32 kp_bad_last(const struct kp_index *idx)
{
	return idx->nr_bad_words - 1;
}

static u64 kp_bad_encode(const struct run *run)
{
	u64 word = (run->frame + 1) | (run->end - run->frame - 1) << KHO_POOL_BAD_MORE_SHIFT;

	return word | kp_csum_mix(word) >> KHO_POOL_BAD_CSUM_SHIFT << KHO_POOL_BAD_CSUM_SHIFT;
}

/* False for an unused word and an invalid one; "too many" is one of those. */
static bool kp_bad_read(const struct kp_index *idx, u32 i, struct run *run)
{
	u64 word = kp_load(&idx->bad[i]);

	if (!(word & KHO_POOL_BAD_FRAME))
		return false;
	run->frame = (word & KHO_POOL_BAD_FRAME) - 1;
	run->end = run->frame + 1 + (word >> KHO_POOL_BAD_MORE_SHIFT & KHO_POOL_BAD_MORE);
	return run->end <= idx->nr_frames && kp_bad_encode(run) == word &&
	       run->frame >> KHO_POOL_BLOCK_SHIFT == (run->end - 1) >> KHO_POOL_BLOCK_SHIFT;
}

/* How many frames are known from word @i */
static u32 kp_bad_length(const struct kp_index *idx, u32 i)
{
	struct run run;

	return kp_bad_read(idx, i, &run) ? run.end - run.frame : 0;
}

bool kp_bad_has(const struct kp_index *idx, u32 block)
{
	return kp_test(idx->bad_blocks, idx->lead + block);
}

/*
 * The words of one block are in the same bucket, with those of few others.  Blocks with
 * errors are often a power of two apart, which must not mean the same bucket.
 */
static u32 *kp_bad_bucket(const struct kp_index *idx, u32 block)
{
	return &idx->bad_bucket[(block * 0x9e3779b97f4a7c15ULL >> 32) & (idx->nr_bad_buckets - 1)];
}

/* Do not allocate from the block any more; its area is locked. */
static void kp_bad_retire_block(struct kp_index *idx, u32 a, u32 bit)
{
	struct kp_area *area = &idx->area[a];

	if (area->whole)
		return;
	if (!kp_test(area->used, bit))
		kp_area_take(idx, a, bit, 1);
	else if (kp_test(area->partial, bit))
		kp_clear_partial(area, bit);
}

/* The same for the bad ones among blocks @from to @end - 1 of a locked area. */
void kp_bad_retire(struct kp_index *idx, u32 a, u32 from, u32 end)
{
	const u64 *bad = &idx->bad_blocks[a * KP_AREA_WORDS];

	for (u32 bit = kp_next_set(bad, from, end); bit < end; bit = kp_next_set(bad, bit + 1, end))
		kp_bad_retire_block(idx, a, bit);
}

static noinline void kp_area_give_but_bad(struct kp_index *idx, u32 a, u32 bit, u32 nr)
{
	kp_area_free(idx, a, bit, nr);
	kp_bad_retire(idx, a, bit, bit + nr);
}

/* Free blocks of a locked area, except for bad ones. */
void kp_area_give(struct kp_index *idx, u32 a, u32 bit, u32 nr)
{
	if (unlikely(READ_ONCE(idx->nr_bad)))
		kp_area_give_but_bad(idx, a, bit, nr);
	else
		kp_area_free(idx, a, bit, nr);
}

/* Only one area has to be looked at. */
static void kp_bad_retire_frame(struct kp_index *idx, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT, a = kp_area_of(idx, block);

	raw_spin_lock(&idx->area[a].lock);
	kp_set_bits(&idx->bad_blocks[a * KP_AREA_WORDS], kp_bit_of(idx, block), 1);
	kp_bad_retire_block(idx, a, kp_bit_of(idx, block));
	raw_spin_unlock(&idx->area[a].lock);
}

static void kp_bad_refuse_all(struct kp_index *idx)
{
	WRITE_ONCE(idx->all_bad, true);
	WRITE_ONCE(idx->refusals, idx->refusals | KP_REFUSED_ALL);
}

/* Note that word @i is in use; unless nothing else runs, index_lock is held. */
static void kp_bad_count(struct kp_index *idx, u32 i)
{
	struct run run;
	bool known = kp_bad_read(idx, i, &run);

	if (i == kp_bad_last(idx) || !known)
		kp_bad_refuse_all(idx);
	/* A frame is known wherever it stands, in the last word too. */
	if (known) {
		u32 *bucket = kp_bad_bucket(idx, run.frame >> KHO_POOL_BLOCK_SHIFT);

		idx->bad_link[i] = *bucket;
		/* Others look the word up without a lock. */
		smp_store_release(bucket, i + 1);
	}
	if (i >= idx->bad_end)
		WRITE_ONCE(idx->bad_end, i + 1);
	WRITE_ONCE(idx->nr_bad, idx->nr_bad + 1);
}

/* The first unused word, or the last one.  Words that are in use stay so. */
static u32 kp_bad_unused(struct kp_index *idx)
{
	while (idx->bad_unused < kp_bad_last(idx) && kp_load(&idx->bad[idx->bad_unused]))
		idx->bad_unused++;
	return idx->bad_unused;
}

/* The last step of restore. */
void kp_bad_restore(struct kp_index *idx)
{
	struct run run;

	for (u32 i = 0; i < idx->nr_bad_words; i++) {
		if (!kp_load(&idx->bad[i]))
			continue;
		kp_bad_count(idx, i);
		idx->nr_bad_frames += kp_bad_length(idx, i);
	}
	for (u32 i = 0; i < idx->bad_end; i++)
		if (kp_bad_read(idx, i, &run))
			kp_bad_retire_frame(idx, run.frame);
	/* Not with interrupts off, when the next frame goes bad: there may be a million words. */
	kp_bad_unused(idx);
}

/*
 * The word for @frame and its new value: that of a run that has it, or else of one next
 * to it, or else an unused one.  The last one if there is no room.
 */
static u32 kp_bad_find_word(struct kp_index *idx, u64 frame, struct run *to)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT, next_to = 0;

	to->frame = frame;
	to->end = frame + 1;
	for (u32 i = *kp_bad_bucket(idx, block); i; i = idx->bad_link[i - 1]) {
		struct run run;

		if (i - 1 == kp_bad_last(idx) || !kp_bad_read(idx, i - 1, &run) ||
		    run.frame >> KHO_POOL_BLOCK_SHIFT != block ||
		    frame + 1 < run.frame || frame > run.end)
			continue;
		to->frame = min(run.frame, frame);
		to->end = max(run.end, frame + 1);
		next_to = i;
		if (frame >= run.frame && frame < run.end)
			break;
	}
	return next_to ? next_to - 1 : kp_bad_unused(idx);
}

/**
 * kp_index_bad - record that a frame has a memory error
 * @idx: the index
 * @frame: from the region's base
 *
 * Works at any time, after the seal too.  The caller has interrupts disabled.
 *
 * Return: 0, also if it was recorded before; -ENOSPC if there is no room for it, and
 * then nothing more is allocated from the region; -EINVAL if it is not in the region;
 * -EROFS if the index is read-only.
 */
int kp_index_bad(struct kp_index *idx, u64 frame)
{
	struct run run;
	u64 word, old;
	int ret = 0;
	u32 i, length;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	if (idx->read_only)
		return -EROFS;
	raw_spin_lock(&idx->index_lock);
	i = kp_bad_find_word(idx, frame, &run);
	old = kp_load(&idx->bad[i]);
	length = kp_bad_length(idx, i);
	if (i == kp_bad_last(idx)) {
		ret = -ENOSPC;
		word = old ?: KHO_POOL_BAD_TOO_MANY;
	} else {
		word = kp_bad_encode(&run);
	}
	/* In no checksum: it may be stored after the seal. */
	smp_store_release(&idx->bad[i], cpu_to_le64(word));
	if (!old)
		kp_bad_count(idx, i);
	WRITE_ONCE(idx->nr_bad_frames, idx->nr_bad_frames + kp_bad_length(idx, i) - length);
	/* Operations that take an area's lock after this see the bad frame. */
	if (!ret)
		kp_bad_retire_frame(idx, frame);
	raw_spin_unlock(&idx->index_lock);
	return ret;
}

/**
 * kp_bad_next - find the next frame that is recorded as bad
 * @idx: the index
 * @frame: where to begin; set to the frame that was found
 *
 * Return: false if there is none.
 */
bool kp_bad_next(const struct kp_index *idx, u64 *frame)
{
	u32 end = idx->lead + idx->nr_blocks, at = idx->lead + (*frame >> KHO_POOL_BLOCK_SHIFT);

	for (; *frame < idx->nr_frames; at++) {
		u64 next = idx->nr_frames;
		u32 block;

		at = kp_next_set(idx->bad_blocks, at, end);
		if (at == end)
			break;
		block = at - idx->lead;
		/* Pairs with kp_bad_count(). */
		for (u32 i = smp_load_acquire(kp_bad_bucket(idx, block)); i;
		     i = idx->bad_link[i - 1]) {
			struct run run;

			if (kp_bad_read(idx, i - 1, &run) &&
			    run.frame >> KHO_POOL_BLOCK_SHIFT == block && run.end > *frame)
				next = min(next, max(run.frame, *frame));
		}
		if (next < idx->nr_frames) {
			*frame = next;
			return true;
		}
	}
	*frame = idx->nr_frames;
	return false;
}

/**
 * kp_bad_run - one run of frames that are recorded as bad
 * @idx: the index
 * @i: number to begin with; set to the next one
 * @frame: set to the first frame of the run
 *
 * In no order.  Unlike kp_bad_next() it looks at each word once.
 *
 * Return: how many frames; 0 if there are no more runs.
 */
u32 kp_bad_run(const struct kp_index *idx, u32 *i, u64 *frame)
{
	struct run run;

	while (*i < READ_ONCE(idx->bad_end)) {
		if (!kp_bad_read(idx, (*i)++, &run))
			continue;
		*frame = run.frame;
		return run.end - run.frame;
	}
	return 0;
}
