/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions in which something takes long, and what it is; it is done in steps.  Whoever
 * includes this looks at each step, between step_begin() and step_end().
 */
#ifndef _KHO_POOL_TEST_HARD_H
#define _KHO_POOL_TEST_HARD_H

#include "region.h"

static void step_begin(void);
static void step_end(void);

struct hard {
	const char *name;
	void (*make)(struct region *r);
	int (*run)(struct region *r);
	int expected;
};

static inline void hard_must(int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "cannot make a region's state: %d\n", ret);
	exit(2);
}

static inline int hard_alloc(struct region *r, u64 frames, u64 align, u8 owner, u64 *frame)
{
	struct kp_request req = { .frames = frames, .align = align, .owner = owner };
	struct kp_alloc alloc;
	int ret;

	kp_begin_alloc(&alloc, &req);
	do {
		step_begin();
		ret = kp_index_alloc(&r->idx, r->idx.pcpu, &alloc);
		step_end();
	} while (ret == -EAGAIN);
	if (!ret)
		*frame = alloc.frame;
	return ret;
}

static inline int hard_free(struct region *r, u64 frame, u64 frames, u8 owner)
{
	struct kp_rest rest;
	int ret;

	step_begin();
	ret = kp_index_free(&r->idx, r->idx.pcpu, frame, frames, owner, &rest);
	step_end();
	while (rest.nr) {
		step_begin();
		kp_index_give(&r->idx, r->idx.pcpu, &rest);
		step_end();
	}
	return ret;
}

/* Nothing is known of what was refused while the state was made. */
static inline void hard_make(const struct hard *hard, struct region *r)
{
	static const struct kp_gain all = { .kind = KP_ANY_KIND, .run = ~0U };

	hard->make(r);
	kp_refused_loosen(&r->idx, &all);
}

/* Extents of @frames by owner 2 until there is no room */
static inline u64 hard_fill(struct region *r, u64 frames)
{
	u64 frame, nr = 0;

	while (!get(r, frames, frames < MIB2 ? 1 : MIB2, 2, NULL, &frame))
		nr++;
	return nr;
}

/* The first extent of @frames in each of so many, all of which are owner 2's */
static inline void hard_holes(struct region *r, u64 frames, u64 each)
{
	for (u64 frame = 0; frame + each <= r->frames; frame += each)
		hard_must(put(r, frame, frames, 2));
}

static inline void hard_halves(struct region *r)
{
	hard_fill(r, MIB2 / 2 + 1);
}

static inline int hard_frame(struct region *r)
{
	u64 frame;

	return hard_alloc(r, 1, 1, 1, &frame);
}

/* Full of one owner's extents of 126 frames, holes of one, and extents of one */
static inline void hard_pricked(struct region *r)
{
	u64 frame;

	for (u64 at = 0; at < r->frames; at += 128) {
		hard_must(get(r, 126, 1, 2, NULL, &frame));
		hard_must(get(r, 1, 1, 2, NULL, &frame));
		hard_must(get(r, 1, 1, 2, NULL, &frame));
	}
	for (u64 at = 0; at < r->frames; at += 128)
		hard_must(put(r, at + 126, 1, 2));
}

static inline int hard_two_frames(struct region *r)
{
	u64 frame;

	return hard_alloc(r, 2, 1, 2, &frame);
}

/* Full, and one block of small extents in each area */
static inline void hard_one_small(struct region *r)
{
	hard_fill(r, MIB2);
	for (u64 frame = 0; frame < r->frames; frame += GIB) {
		u64 small;

		hard_must(put(r, frame, MIB2, 2));
		hard_must(get(r, MIB2 - 1, 1, 2, NULL, &small));
		hard_must(small != frame);
	}
}

/* Every second block is taken */
static inline void hard_every_second(struct region *r)
{
	hard_fill(r, MIB2);
	hard_holes(r, MIB2, 2 * MIB2);
}

static inline int hard_two_blocks(struct region *r)
{
	u64 frame;

	return hard_alloc(r, 2 * MIB2, MIB2, 1, &frame);
}

/* The only place for two blocks is in the area that is looked at last */
static inline void hard_last_place(struct region *r)
{
	hard_every_second(r);
	hard_must(put(r, 3 * MIB2, MIB2, 2));
}

static inline int hard_128m(struct region *r)
{
	u64 frame;

	return hard_alloc(r, 64 * MIB2, MIB2, 1, &frame);
}

/* Every second area is free */
static inline void hard_comb(struct region *r)
{
	u64 frame, last;

	for (u64 at = 0; at < r->frames; at += 2 * GIB) {
		hard_must(get(r, GIB, GIB, 1, NULL, &frame));
		hard_must(get(r, GIB, GIB, 2, NULL, &last));
	}
	for (u64 at = 0; at < r->frames; at += 2 * GIB)
		hard_must(put(r, at, GIB, 1));
	r->idx.short_run = 0;
}

static inline int hard_area(struct region *r)
{
	u64 frame;

	return hard_alloc(r, GIB, GIB, 1, &frame);
}

static inline int hard_two_areas(struct region *r)
{
	u64 frame;

	return hard_alloc(r, 2 * GIB, GIB, 1, &frame);
}

static inline int hard_block(struct region *r)
{
	u64 frame;

	return hard_alloc(r, MIB2, MIB2, 1, &frame);
}

static inline void hard_empty(struct region *r)
{
}

static inline int hard_all(struct region *r)
{
	u64 frame;

	hard_must(hard_alloc(r, r->frames, 1, 1, &frame));
	return hard_free(r, frame, r->frames, 1);
}

/* All, but another CPU gets the last block meanwhile */
static inline int hard_all_but_one(struct region *r)
{
	struct kp_request req = { .frames = r->frames, .align = 1, .owner = 1 };
	struct kp_alloc alloc = { .req = &req };
	u64 last = r->idx.nr_areas - 1;
	bool taken = false;
	int ret;

	do {
		step_begin();
		ret = kp_index_alloc(&r->idx, r->idx.pcpu, &alloc);
		step_end();
		if (!taken) {
			kp_area_take(&r->idx, last, KHO_POOL_AREA_BLOCKS - 1, 1);
			taken = true;
		}
	} while (ret == -EAGAIN);
	kp_area_free(&r->idx, last, KHO_POOL_AREA_BLOCKS - 1, 1);
	return ret;
}

/* Every word for bad frames but the one before the last is in use */
static inline void hard_bad(struct region *r)
{
	u64 apart = r->frames / r->idx.nr_bad_words;

	for (u32 i = 0; i < r->idx.nr_bad_words - 1; i++)
		hard_must(kp_index_bad(&r->idx, i * apart));
}

static inline int hard_bad_last(struct region *r)
{
	int ret;

	step_begin();
	ret = kp_index_bad(&r->idx, r->frames - 1);
	step_end();
	return ret;
}

static inline int hard_walk(struct region *r)
{
	struct kp_extent ext;
	u64 frame = 0;
	int ret;

	do {
		step_begin();
		ret = kp_index_next(&r->idx, &frame, &ext);
		step_end();
	} while (ret != -ENOENT);
	return 0;
}

static inline int hard_unseal(struct region *r)
{
	struct kp_rest rest;
	bool more;
	u64 csum;
	u32 a = 0;

	step_begin();
	hard_must(!kp_index_seal(&r->idx, &csum, 1));
	step_end();
	kp_index_unseal(&r->idx);
	do {
		step_begin();
		more = kp_index_sweep(&r->idx, r->idx.pcpu, &a, &rest);
		step_end();
	} while (more);
	return 0;
}

static const struct hard hard[] = {
	{ "1 frame, blocks half full of another owner's", hard_halves, hard_frame, -ENOMEM },
	{ "2 frames, holes of one", hard_pricked, hard_two_frames, -ENOMEM },
	{ "2 frames, one small block an area", hard_one_small, hard_two_frames, -ENOMEM },
	{ "2 blocks, every second one taken", hard_every_second, hard_two_blocks, -ENOMEM },
	{ "2 blocks, in the last place of all", hard_last_place, hard_two_blocks, 0 },
	{ "64 blocks, every second one taken", hard_every_second, hard_128m, -ENOMEM },
	{ "an area, every second one taken", hard_comb, hard_area, 0 },
	{ "two areas, every second one taken", hard_comb, hard_two_areas, -ENOMEM },
	{ "a block, every second area taken", hard_comb, hard_block, 0 },
	{ "all of it, and back", hard_empty, hard_all, 0 },
	{ "all of it, but another CPU has a block", hard_empty, hard_all_but_one, -ENOMEM },
	{ "the last bad frame that there is room for", hard_bad, hard_bad_last, -ENOSPC },
	{ "a walk, nothing there", hard_empty, hard_walk, 0 },
	{ "a walk, blocks half full", hard_halves, hard_walk, 0 },
	{ "a seal, and back", hard_halves, hard_unseal, 0 },
};

#endif /* _KHO_POOL_TEST_HARD_H */
