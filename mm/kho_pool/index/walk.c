// SPDX-License-Identifier: GPL-2.0-only
/* All extents of a region, in the order of their addresses. */
#include "internal.h"

/*
 * The first frame from @frame on at which an extent may begin, in the area of @frame
 * only; its lock is held.  The end of the area if there is none.
 */
static u64 kp_next_in_area(struct kp_index *idx, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	u32 bit = frame & (KHO_POOL_BLOCK_FRAMES - 1);
	u32 a = kp_area_of(idx, block);
	u32 first, end;
	u64 kind;

	kp_area_span(idx, a, &first, &end);
	end = kp_block_at(idx, a, end);
	first = kp_block_at(idx, a, first);
	kind = kp_word_kind(kp_load(&idx->areas[a]));
	if (kind == KHO_POOL_EXTENT && block == first && !bit)
		return frame;
	if (kind != KHO_POOL_SPLIT)
		return (u64)end << KHO_POOL_BLOCK_SHIFT;

	for (; block < end; block++, bit = 0) {
		u64 word = kp_load(&idx->blocks[block]);

		if (kp_word_kind(word) == KHO_POOL_EXTENT && !bit)
			break;
		if (kp_word_kind(word) != KHO_POOL_SPLIT)
			continue;
		bit = kp_bitmaps_next(&idx->bitmaps[block], bit);
		if (bit < KHO_POOL_BLOCK_FRAMES)
			break;
	}
	return ((u64)block << KHO_POOL_BLOCK_SHIFT) + (block < end ? bit : 0);
}

/* Areas that one step looks at; one in use is worth many. */
#define STEP_COST	1024
#define IN_USE		32

/**
 * kp_index_next - find the next extent
 * @idx: the index
 * @frame: where to begin; set to the frame after the extent
 * @ext: the extent
 *
 * The caller has interrupts disabled.  Extents that are allocated or freed meanwhile
 * may or may not be seen.
 *
 * Return: 0, -ENOENT if there is none, or -EAGAIN to call it again, with interrupts
 * enabled in between.
 */
int kp_index_next(struct kp_index *idx, u64 *frame, struct kp_extent *ext)
{
	int budget = STEP_COST;

	while (*frame < idx->nr_frames) {
		u32 a = kp_area_of(idx, *frame >> KHO_POOL_BLOCK_SHIFT);
		u32 first, end;

		if (budget <= 0)
			return -EAGAIN;
		if (!kp_load(&idx->areas[a])) {
			/* No extent begins there. */
			kp_area_span(idx, a, &first, &end);
			*frame = (u64)kp_block_at(idx, a, end) << KHO_POOL_BLOCK_SHIFT;
			budget--;
			continue;
		}
		budget -= IN_USE;

		raw_spin_lock(&idx->area[a].lock);
		*frame = kp_next_in_area(idx, *frame);
		raw_spin_unlock(&idx->area[a].lock);
		if (*frame >= idx->nr_frames)
			break;
		if (!kp_index_find(idx, *frame, ext)) {
			*frame += ext->frames;
			return 0;
		}
		/* It was the next area's first frame, or freed since, or is still PENDING. */
		if (kp_area_of(idx, *frame >> KHO_POOL_BLOCK_SHIFT) == a)
			++*frame;
	}
	return -ENOENT;
}
