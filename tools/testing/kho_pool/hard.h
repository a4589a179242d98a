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
	/* The same state, written into the index: for regions in which making it takes minutes */
	void (*write)(struct region *r);
	u32 cpus;		/* if it matters */
};

static inline void hard_must(int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "cannot make a region's state: %d\n", ret);
	exit(2);
}

static inline int hard_alloc_req(struct region *r, const struct kp_request *req,
				 struct kp_alloc *alloc)
{
	int ret;

	kp_begin_alloc(alloc, req);
	do {
		step_begin();
		ret = kp_index_alloc(&r->idx, r->idx.pcpu, alloc);
		step_end();
	} while (ret == -EAGAIN);
	return ret;
}

static inline int hard_alloc(struct region *r, u64 frames, u64 align, u8 owner, u64 *frame)
{
	struct kp_request req = { .frames = frames, .align = align, .owner = owner };
	struct kp_alloc alloc;
	int ret = hard_alloc_req(r, &req, &alloc);

	if (!ret)
		*frame = alloc.frame;
	return ret;
}

static inline void hard_rest(struct region *r, struct kp_rest *rest)
{
	while (rest->nr) {
		step_begin();
		kp_index_give(&r->idx, r->idx.pcpu, rest);
		step_end();
	}
}

static inline int hard_free(struct region *r, u64 frame, u64 frames, u8 owner)
{
	struct kp_rest rest;
	int ret;

	step_begin();
	ret = kp_index_free(&r->idx, r->idx.pcpu, frame, frames, owner, &rest);
	step_end();
	hard_rest(r, &rest);
	return ret;
}

/* Nothing is known of what was refused while the state was made. */
static inline void hard_make(const struct hard *hard, struct region *r, bool write)
{
	static const struct kp_gain all = { .kind = KP_ANY_KIND, .run = ~0U };

	if (write)
		hard->write(r);
	else
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

/* The next kernel, before any owner is back */
static inline void hard_unclaimed(struct region *r)
{
	hard_halves(r);
	hard_must(region_restore(r, NULL));
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

/* Written words become the state of a kernel that has claimed all. */
static inline void hard_take_over(struct region *r)
{
	struct kp_extent ext;
	u64 pos = 0;

	for (u32 a = 0; a < r->idx.nr_areas; a++)
		r->idx.areas[a] = cpu_to_le64(KHO_POOL_SPLIT);
	hard_must(region_restore(r, NULL));
	while (whole_next(&r->idx, &pos, &ext))
		if (ext.frames < MIB2)
			kp_index_claim(&r->idx, r->idx.pcpu, ext.frame, ext.frames, ext.owner);
}

static inline void hard_write_one_small(struct region *r)
{
	struct kp_index *idx = &r->idx;

	for (u32 block = 0; block < idx->nr_blocks; block++) {
		struct kho_pool_bitmaps *maps = &idx->bitmaps[block];

		if (block % KHO_POOL_AREA_BLOCKS) {
			idx->blocks[block] = cpu_to_le64(kp_word(KHO_POOL_EXTENT, 2, MIB2));
			continue;
		}
		idx->blocks[block] = cpu_to_le64(kp_word(KHO_POOL_SPLIT, 2, 0));
		memset(maps, 0xff, sizeof(*maps));
		maps->tail[0] ^= cpu_to_le64(1);
		maps->used[7] ^= cpu_to_le64(1ULL << 63);
		maps->tail[7] ^= cpu_to_le64(1ULL << 63);
	}
	hard_take_over(r);
}

/* Every second block is taken */
static inline void hard_every_second(struct region *r)
{
	hard_fill(r, MIB2);
	hard_holes(r, MIB2, 2 * MIB2);
}

static inline void hard_write_every_second(struct region *r)
{
	u64 word = kp_word(KHO_POOL_EXTENT, 2, MIB2);

	for (u32 block = 0; block < r->idx.nr_blocks; block++)
		r->idx.blocks[block] = cpu_to_le64(block % 2 ? word : 0);
	hard_take_over(r);
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

static inline void hard_write_last_place(struct region *r)
{
	hard_write_every_second(r);
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

/* The same, known from an earlier kernel, and two words are unused */
static inline void hard_bad_restored(struct region *r)
{
	u64 apart = r->frames / r->idx.nr_bad_words;

	for (u32 i = 0; i < r->idx.nr_bad_words - 2; i++)
		hard_must(kp_index_bad(&r->idx, i * apart));
	hard_must(region_restore(r, NULL));
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
	u32 at = 0;
	u64 csum;

	step_begin();
	hard_must(!kp_index_seal(&r->idx, &csum, 1));
	step_end();
	kp_index_unseal(&r->idx);
	do {
		step_begin();
		more = kp_index_sweep(&r->idx, r->idx.pcpu, &at, &rest);
		step_end();
	} while (more);
	return 0;
}

/* All names but the last one are in use, and a search for one begins at the first */
static inline void hard_names(struct region *r)
{
	u32 nr = r->idx.nr_names - 1;
	char name[KHO_POOL_NAME_MAX];
	u64 frame, first;

	for (u32 i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "a name that is long, of extent number %09u", i);
		hard_must(get(r, MIB2, MIB2, 1, name, i ? &frame : &first));
	}
	hard_must(put(r, first, MIB2, 1));
	hard_must(get(r, MIB2, MIB2, 1, "first", &frame));
	hard_must(r->idx.first_name || kp_name_of(&r->idx, frame) != r->idx.names[0].name);
}

/* The last name that there is, of a block; none for another one; and it goes again */
static inline int hard_last_name(struct region *r)
{
	struct kp_request req = { .frames = MIB2, .align = 1, .owner = 1, .name = "last" };
	struct kp_request more = { .frames = MIB2, .align = 1, .owner = 1, .name = "more" };
	struct kp_alloc alloc, none;
	struct kp_extent ext;
	u64 frame;

	hard_must(hard_alloc_req(r, &req, &alloc));
	hard_must(hard_alloc_req(r, &more, &none) != -ENOSPC);
	step_begin();
	hard_must(kp_name_find(&r->idx, "last", &frame) || frame != alloc.frame);
	step_end();
	step_begin();
	hard_must(kp_index_find(&r->idx, frame, &ext) || strcmp(ext.name, "last"));
	step_end();
	return hard_free(r, frame, MIB2, 1);
}

/* What is to be cleared is not wanted after all; then it is, and is confirmed. */
static inline int hard_drop_and_confirm(struct region *r, const struct kp_request *req,
					struct kp_alloc *alloc)
{
	struct kp_rest rest;
	int ret;

	hard_must(hard_alloc_req(r, req, alloc));
	step_begin();
	kp_index_drop(&r->idx, r->idx.pcpu, alloc, &rest);
	step_end();
	hard_rest(r, &rest);
	hard_must(hard_alloc_req(r, req, alloc));
	step_begin();
	ret = kp_index_confirm(&r->idx, r->idx.pcpu, alloc);
	step_end();
	return ret;
}

/* The same of a frame, whose name is written when it is confirmed; and of one that is dropped */
static inline int hard_confirm_name(struct region *r)
{
	struct kp_request req = {
		.frames = 1, .align = 1, .owner = 1, .name = "last", .clear = true,
	};
	struct kp_alloc alloc;
	int ret = hard_drop_and_confirm(r, &req, &alloc);

	return ret ?: hard_free(r, alloc.frame, 1, 1);
}

/* A block full of frames that have names, all of them of the kernel before */
static inline void hard_named_frames(struct region *r)
{
	char name[KHO_POOL_NAME_MAX];
	u64 frame;

	for (u32 i = 0; i < MIB2; i++) {
		snprintf(name, sizeof(name), "frame-%u", i);
		hard_must(get(r, 1, 1, 1, name, &frame));
	}
	hard_must(frame != r->frames - 1);
	hard_must(region_restore(r, NULL));
}

/*
 * Each of them is claimed by its name; whoever claims the last one sees that all are.  But
 * first two are released, and the last one too.
 */
static inline int hard_claim(struct region *r)
{
	u64 first = r->frames - MIB2;
	struct kp_rest rest;

	for (u64 frame = first; frame < first + MIB2; frame++) {
		bool release = frame < first + 2 || frame == first + MIB2 - 1;

		step_begin();
		if (release)
			hard_must(kp_index_release(&r->idx, r->idx.pcpu, frame, 1, 1, &rest));
		else
			hard_must(kp_index_claim(&r->idx, r->idx.pcpu, frame, 1, 1));
		step_end();
	}
	return 0;
}

/* The same, and all of them are claimed */
static inline int hard_claim_all(struct region *r)
{
	u64 first = r->frames - MIB2;

	for (u64 frame = first; frame < first + MIB2; frame++) {
		step_begin();
		hard_must(kp_index_claim(&r->idx, r->idx.pcpu, frame, 1, 1));
		step_end();
	}
	return 0;
}

/* All of it; and it gets another owner. */
static inline int hard_drop(struct region *r)
{
	struct kp_request req = { .frames = r->frames, .align = 1, .owner = 1, .clear = true };
	struct kp_alloc alloc;

	hard_must(hard_drop_and_confirm(r, &req, &alloc));
	step_begin();
	hard_must(kp_index_assign(&r->idx, r->idx.pcpu, 0, r->frames, 1, 2));
	step_end();
	return hard_free(r, 0, r->frames, 2);
}

#define MADE(name, make, run, expected) { name, hard_##make, hard_##run, expected, NULL, 0 }
#define WRITTEN(name, make, run, expected, cpus) \
	{ name, hard_##make, hard_##run, expected, hard_write_##make, cpus }

/*
 * Those with blocks half full or full of holes are made only where there is memory for all
 * bitmaps: 128 bytes a block, 4 GiB for 64 TiB.  Whatever a step costs there, it costs in a
 * few areas, and how many of them there are is seen in the other states.
 */
static const struct hard hard[] = {
	MADE("1 frame, blocks half full of another owner's", halves, frame, -ENOMEM),
	MADE("2 frames, holes of one", pricked, two_frames, -ENOMEM),
	WRITTEN("2 frames, one small block an area", one_small, two_frames, -ENOMEM, 0),
	WRITTEN("2 blocks, every second one taken", every_second, two_blocks, -ENOMEM, 0),
	WRITTEN("the same with 512 CPUs", every_second, two_blocks, -ENOMEM, 512),
	WRITTEN("2 blocks, in the last place of all", last_place, two_blocks, 0, 0),
	WRITTEN("64 blocks, every second one taken", every_second, 128m, -ENOMEM, 0),
	MADE("an area, every second one taken", comb, area, 0),
	MADE("two areas, every second one taken", comb, two_areas, -ENOMEM),
	MADE("a block, every second area taken", comb, block, 0),
	MADE("all of it, and back", empty, all, 0),
	MADE("all of it, but another CPU has a block", empty, all_but_one, -ENOMEM),
	MADE("all of it, dropped, confirmed and assigned", empty, drop, 0),
	MADE("the last bad frame that there is room for", bad, bad_last, -ENOSPC),
	MADE("the last but one, in another kernel", bad_restored, bad_last, 0),
	MADE("the last name of all", names, last_name, 0),
	MADE("the last name, once it is confirmed", names, confirm_name, 0),
	MADE("a block of named frames, claimed", named_frames, claim_all, 0),
	MADE("a block of named frames, some released", named_frames, claim, 0),
	MADE("a walk, nothing there", empty, walk, 0),
	MADE("a walk, blocks half full", halves, walk, 0),
	MADE("a seal, and back, nothing there", empty, unseal, 0),
	MADE("a seal, and back", halves, unseal, 0),
	MADE("a seal, and back, nothing is claimed", unclaimed, unseal, 0),
	WRITTEN("a seal with 512 CPUs, and back", every_second, unseal, 0, 512),
};

#endif /* _KHO_POOL_TEST_HARD_H */
