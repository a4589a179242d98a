/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the states of golden_sizes.h, golden_bad_frames.h and golden_table.h come about:
 * for golden_make, and for the tests that write them again.  With the same operations
 * every architecture and every page size has to write the same bytes.  A policy of
 * allocation that places extents elsewhere is no change of the format; it needs a further
 * set.
 */
#ifndef _KHO_POOL_GOLDEN_STATES_H
#define _KHO_POOL_GOLDEN_STATES_H

#include <linux/string.h>

#include "../index/internal.h"
#include "../index/root.h"
#include "whole.h"

#define GOLDEN_BLOCK	((u64)KHO_POOL_BLOCK_FRAMES)
#define GOLDEN_AREA	((u64)KP_AREA_FRAMES)

static u64 golden_get(struct kp_index *idx, u64 frames, u8 owner, const char *name)
{
	struct kp_request req = { .frames = frames, .align = 1, .owner = owner, .name = name };
	u64 frame = 0;

	whole_alloc(idx, idx->pcpu, &req, &frame);
	return frame;
}

static void golden_put(struct kp_index *idx, u64 frame, u64 frames, u8 owner)
{
	whole_free(idx, idx->pcpu, frame, frames, owner);
}

static void golden_empty(struct kp_index *idx, u64 frames)
{
}

/* All of it one extent. */
static void golden_whole(struct kp_index *idx, u64 frames)
{
	golden_get(idx, frames, 1, "all of it");
}

/* Blocks with every frame an extent, with every second one free, and full of one. */
static void golden_frames(struct kp_index *idx, u64 frames)
{
	u64 frame;

	for (u32 i = 0; i < 512; i++)
		golden_get(idx, 1, 1, NULL);
	for (u32 i = 0; i < 512; i++)
		frame = golden_get(idx, 1, 2, NULL);
	for (u32 i = 0; i < 256; i++)
		golden_put(idx, frame - 2 * i, 1, 2);
	golden_get(idx, 511, 1, "five hundred and eleven");
	golden_get(idx, 1, 1, "one");
}

/* Names up to the longest, some of them unused again. */
static void golden_names(struct kp_index *idx, u64 frames)
{
	char name[KHO_POOL_NAME_MAX];

	for (u32 i = 0; i < 12; i++) {
		u64 frame;

		memset(name, 'a' + i, sizeof(name));
		name[i == 11 ? sizeof(name) - 1 : 1 + i] = 0;
		frame = golden_get(idx, 1 + 100 * i, 1 + i % 2, name);
		if (i % 4 == 2)
			golden_put(idx, frame, 1 + 100 * i, 1 + i % 2);
	}
}

/* What a CPU leaves that stops anywhere: everything that restore cleans up. */
static void golden_stopped(struct kp_index *idx, u64 frames)
{
	struct kp_request req = {
		.frames = 3 * GOLDEN_BLOCK, .align = 1, .owner = 1, .clear = true,
		.name = "pending",
	};
	u64 kept = golden_get(idx, 7, 1, "kept"), frame;

	whole_alloc(idx, idx->pcpu, &req, &frame);
	/* A give of 130 frames that got through its first word. */
	golden_get(idx, 60, 2, NULL);
	frame = golden_get(idx, 130, 2, NULL);
	idx->bitmaps[frame / GOLDEN_BLOCK].used[0] &= cpu_to_le64((1ULL << 60) - 1);
	/* A name of which only the key is gone, and one that no extent came for. */
	frame = golden_get(idx, GOLDEN_BLOCK, 1, "erased");
	golden_put(idx, frame, GOLDEN_BLOCK, 1);
	strscpy(idx->names[1].name, "pending", sizeof(idx->names[1].name));
	kp_name_write(idx, idx->pcpu, 2, kept + 1000, "too early");
	/* An owner whose first word is missing. */
	strscpy(idx->owners[3].name + 8, "end of its name", sizeof(idx->owners[3].name) - 8);
	/* A block that was split, and an area. */
	idx->blocks[0] = cpu_to_le64(kp_word(KHO_POOL_SPLIT, 1, 0));
	memset(&idx->bitmaps[0], 0, sizeof(*idx->bitmaps));
}

/* Memory errors: in extents, large and small, beside them, in free memory, several in a row. */
static void golden_bad(struct kp_index *idx, u64 frames)
{
	u64 frame = golden_get(idx, 3 * GOLDEN_BLOCK, 1, "large");

	kp_index_bad(idx, frame + 700);
	frame = golden_get(idx, 5, 2, "small");
	golden_get(idx, 1, 2, "beside it");
	kp_index_bad(idx, frame + 2);
	for (u32 i = 0; i < 4; i++)
		kp_index_bad(idx, 2 * GOLDEN_BLOCK + 100 - i);
	kp_index_bad(idx, 2 * GOLDEN_BLOCK + 300);
	/* Freed, and then no one's. */
	frame = golden_get(idx, 2 * GOLDEN_BLOCK, 1, NULL);
	kp_index_bad(idx, frame + 1);
	golden_put(idx, frame, 2 * GOLDEN_BLOCK, 1);
}

/* More than there is room for. */
static void golden_too_many(struct kp_index *idx, u64 frames)
{
	golden_get(idx, GOLDEN_BLOCK + 1, 1, "kept");
	for (u32 i = 0; i < 20; i++)
		kp_index_bad(idx, 3 * GOLDEN_BLOCK + 2 * i * i);
}

static const struct golden_state {
	const char *name;
	u64 base, frames;
	u32 shift;
	void (*make)(struct kp_index *idx, u64 frames);
	bool sealed;
	bool table;		/* of bad frames */
} golden_states_sizes[] = {
	{ "empty", 3 * GOLDEN_AREA - 32 * GOLDEN_BLOCK, GOLDEN_AREA + 64 * GOLDEN_BLOCK, 12,
	  golden_empty, true, false },
	{ "whole", 3 * GOLDEN_AREA, GOLDEN_AREA, 12, golden_whole, true, false },
	{ "frames", 2 * GOLDEN_AREA, 16 * GOLDEN_BLOCK, 12, golden_frames, true, false },
	{ "names", 2 * GOLDEN_AREA + 5 * GOLDEN_BLOCK, 16 * GOLDEN_BLOCK, 12, golden_names,
	  true, false },
	{ "stopped", 2 * GOLDEN_AREA - 8 * GOLDEN_BLOCK, 16 * GOLDEN_BLOCK, 12, golden_stopped,
	  false, false },
	/* Pages of 16 and of 64 KiB: the same numbers of frames. */
	{ "pages_16k", GOLDEN_AREA - GOLDEN_BLOCK, 4 * GOLDEN_BLOCK, 14, golden_names, true,
	  false },
	{ "pages_64k", GOLDEN_AREA - GOLDEN_BLOCK, 4 * GOLDEN_BLOCK, 16, golden_names, true,
	  false },
};

static const struct golden_state golden_states_bad[] = {
	{ "bad", 2 * GOLDEN_AREA - 8 * GOLDEN_BLOCK, 16 * GOLDEN_BLOCK, 12, golden_bad, true,
	  false },
	{ "too_many", 2 * GOLDEN_AREA, 16 * GOLDEN_BLOCK, 16, golden_too_many, true, false },
};

static const struct golden_state golden_states_table[] = {
	{ "table", 2 * GOLDEN_AREA - 8 * GOLDEN_BLOCK, 16 * GOLDEN_BLOCK, 12, golden_bad, true,
	  true },
	{ "many", 2 * GOLDEN_AREA, 16 * GOLDEN_BLOCK, 14, golden_too_many, true, true },
	{ "no_bad", GOLDEN_AREA, GOLDEN_AREA, 16, golden_names, true, true },
};

static inline u64 golden_size(u64 base, u64 frames, bool table)
{
	return table ? kp_index_size_table(base, frames) : kp_index_size(base, frames);
}

/* Make one in @index and @vol, both zeroed.  0, or what went wrong. */
static int golden_write(const struct golden_state *s, struct kp_index *idx, void *index, void *vol)
{
	u64 size = golden_size(s->base, s->frames, s->table);
	int err = kp_index_format(index, size, s->base, s->frames, s->shift, s->name);

	err = err ?: kp_index_attach(idx, index, size, s->base, s->frames, s->shift, vol, 1);
	err = err ?: kp_index_restore(idx, NULL);
	err = err ?: kp_owner_set(idx, idx->pcpu, 1, "one");
	err = err ?: kp_owner_set(idx, idx->pcpu, 2, "two");
	if (!err)
		s->make(idx, s->frames);
	return err;
}

/* A root of two pools and four regions, with all that a later version may add. */
static inline void golden_two_roots(struct kp_root *root, struct kp_keep *keep)
{
	root->ro_compat = 1ULL << 40;
	root->compat = 1ULL << 41 | 1;
	root->frame_size = 4096;
	root->generation = 0x123456789abcdefULL;
	root->seal_ns = 20000;
	root->nr_pools = 2;
	root->nr_regions = 4;
	strscpy(root->pool_name[0], "vm", KHO_POOL_POOL_NAME_MAX);
	strscpy(root->pool_name[1], "a-name-of-all-the-31-bytes-max.", KHO_POOL_POOL_NAME_MAX);
	for (u32 i = 0; i < 4; i++) {
		struct kp_root_region *to = &root->region[i];

		to->base = (4ULL + 2 * i) << 30;
		to->size = (i + 1ULL) << 28;
		to->index = 0x1000000 * (i + 1ULL);
		to->index_size = kp_index_size(to->base >> 12, to->size >> 12);
		to->csum = 0xfedcba9876543210ULL - i;
		to->nid = i < 3 ? i : ~0U;
		to->state = i;
		to->pool = i / 2;
		keep->range[2 * i].base = to->base;
		keep->range[2 * i].size = to->size;
		keep->range[2 * i].flags = KHO_POOL_KEEP_POOL;
		keep->range[2 * i + 1].base = to->index;
		keep->range[2 * i + 1].size = to->index_size;
	}
	keep->nr = 8;
}

/* A root of two regions, one of which has an index with a table of bad frames. */
static inline void golden_table_root(struct kp_root *root)
{
	root->incompat = KHO_POOL_INCOMPAT_BAD_TABLE;
	root->ro_compat = KHO_POOL_RO_COMPAT_BAD;
	root->frame_size = 4096;
	root->generation = 7;
	root->sealed = 1;
	root->seal_ns = 20000;
	root->nr_pools = 1;
	root->nr_regions = 2;
	memcpy(root->pool_name[0], "table", sizeof("table"));
	for (u32 i = 0; i < 2; i++) {
		struct kp_root_region *to = &root->region[i];

		to->base = (4ULL + 100 * i) << 30;
		to->size = (1 + 63ULL * i) << 30;
		to->index = 0x10000000 * (i + 1ULL);
		to->index_size = golden_size(to->base >> 12, to->size >> 12, i);
		to->csum = 0xfedcba9876543210ULL - i;
		to->nid = i;
	}
}

#endif /* _KHO_POOL_GOLDEN_STATES_H */
