// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints golden images, as the words that are not zero, with what a reader has
 * to find in them.  It was run once for each set; what is committed is never
 * made anew.  Further states go into a further set.
 */
#include "region.h"

#include "../../../mm/kho_pool/root.h"

#define SET "golden_2"

static struct region r;
static u64 frame;

static void empty(void)
{
}

/* All of it one extent. */
static void whole(void)
{
	get(&r, r.frames, 1, 1, "all of it", &frame);
}

/* Blocks with every frame an extent, with every second one free, and full of one. */
static void frames(void)
{
	for (u32 i = 0; i < 512; i++)
		get(&r, 1, 1, 1, NULL, &frame);
	for (u32 i = 0; i < 512; i++)
		get(&r, 1, 1, 2, NULL, &frame);
	for (u32 i = 0; i < 256; i++)
		put(&r, frame - 2 * i, 1, 2);
	get(&r, 511, 1, 1, "five hundred and eleven", &frame);
	get(&r, 1, 1, 1, "one", &frame);
}

/* Names up to the longest, some of them unused again. */
static void names(void)
{
	char name[KHO_POOL_NAME_MAX];

	for (u32 i = 0; i < 12; i++) {
		memset(name, 'a' + i, sizeof(name));
		name[i == 11 ? sizeof(name) - 1 : 1 + i] = 0;
		get(&r, 1 + 100 * i, 1, 1 + i % 2, name, &frame);
		if (i % 4 == 2)
			put(&r, frame, 1 + 100 * i, 1 + i % 2);
	}
}

/* What a CPU leaves that stops anywhere: everything that restore cleans up. */
static void stopped(void)
{
	struct kp_request req = {
		.frames = 3 * MIB2, .align = 1, .owner = 1, .clear = true, .name = "pending",
	};
	struct kho_pool_bitmaps *maps;
	u64 kept;

	get(&r, 7, 1, 1, "kept", &kept);
	kp_index_alloc(&r.idx, r.idx.lane, &req, &frame);
	/* A give of 130 frames that got through its first word. */
	get(&r, 60, 1, 2, NULL, &frame);
	get(&r, 130, 1, 2, NULL, &frame);
	maps = &r.idx.bitmaps[frame / MIB2];
	maps->used[0] &= cpu_to_le64((1ULL << 60) - 1);
	/* A name of which only the key is gone, and one that no extent came for. */
	get(&r, MIB2, 1, 1, "erased", &frame);
	put(&r, frame, MIB2, 1);
	strcpy(r.idx.names[1].name, "pending");
	kp_name_write(&r.idx, r.idx.lane, 2, kept + 1000, "too early");
	/* An owner whose first word is missing. */
	strcpy(r.idx.owners[3].name + 8, "end of its name");
	/* A block that was to be consulted, and an area. */
	r.idx.blocks[0] = cpu_to_le64(kp_word(KHO_POOL_CONSULT, 1, 0));
	memset(&r.idx.bitmaps[0], 0, sizeof(*r.idx.bitmaps));
}

static const struct state {
	const char *name;
	u64 base, frames;
	u32 shift;
	void (*make)(void);
	bool sealed;
} states[] = {
	{ "empty", 3 * GIB - 32 * MIB2, GIB + 64 * MIB2, 12, empty, true },
	{ "whole", 3 * GIB, GIB, 12, whole, true },
	{ "frames", 2 * GIB, 16 * MIB2, 12, frames, true },
	{ "names", 2 * GIB + 5 * MIB2, 16 * MIB2, 12, names, true },
	{ "stopped", 2 * GIB - 8 * MIB2, 16 * MIB2, 12, stopped, false },
	/* Pages of 16 and of 64 KiB: the same numbers of frames. */
	{ "pages_16k", GIB - MIB2, 4 * MIB2, 14, names, true },
	{ "pages_64k", GIB - MIB2, 4 * MIB2, 16, names, true },
};

static void print(const char *state, const char *what, const void *mem, u64 size)
{
	const __le64 *words = mem;

	printf("static const struct golden_word " SET "_%s_%s[] = {\n", state, what);
	for (u64 i = 0; i < size / 8; i++)
		if (words[i])
			printf("\t{ %#llx, 0x%016llxULL },\n", (unsigned long long)(8 * i),
			       (unsigned long long)le64_to_cpu(words[i]));
	printf("};\n\n");
}

/* A root of two pools and four regions, with all that a later version may add. */
static void print_root(void)
{
	static struct kp_root root;
	static struct kp_keep keep;
	static u8 page[KHO_POOL_ROOT_SIZE] __aligned(8);

	root.ro_compat = 1ULL << 40;
	root.compat = 1ULL << 41 | 1;
	root.frame_size = 4096;
	root.generation = 0x123456789abcdefULL;
	root.seal_ns = 20000;
	root.nr_pools = 2;
	root.nr_regions = 4;
	strscpy(root.pool_name[0], "vm", KHO_POOL_POOL_NAME_MAX);
	strscpy(root.pool_name[1], "a-name-of-all-the-31-bytes-max.", KHO_POOL_POOL_NAME_MAX);
	for (u32 i = 0; i < 4; i++) {
		struct kp_root_region *to = &root.region[i];

		to->base = (4ULL + 2 * i) << 30;
		to->size = (i + 1ULL) << 28;
		to->index = 0x1000000 * (i + 1ULL);
		to->index_size = kp_index_size(to->base >> 12, to->size >> 12);
		to->sum = 0xfedcba9876543210ULL - i;
		to->nid = i < 3 ? i : ~0U;
		to->state = i;
		to->pool = i / 2;
		keep.range[2 * i].base = to->base;
		keep.range[2 * i].size = to->size;
		keep.range[2 * i].flags = KHO_POOL_KEEP_POOL;
		keep.range[2 * i + 1].base = to->index;
		keep.range[2 * i + 1].size = to->index_size;
	}
	keep.nr = 8;
	if (kp_root_encode(&root, page) < 0)
		exit(1);
	print("two_pools", "root", page, sizeof(page));
	kp_keep_encode(&keep, page);
	print("two_pools", "keep", page, sizeof(page));
}

int main(void)
{
	static struct { u64 sum, used, largest; s64 extents; } found[ARRAY_SIZE(states)];

	printf("/* %s-License-Identifier: GPL-2.0-only */\n", "SPDX");
	puts("/*\n"
	     " * Golden images, the second set, made by golden_make in tools/testing/kho_pool.\n"
	     " * Every later version has to read them.\n"
	     " */\n");
	for (u32 i = 0; i < ARRAY_SIZE(states); i++) {
		const struct state *s = &states[i];
		struct kp_stat stat = {};

		memset(&r, 0, sizeof(r));
		r.base = s->base;
		r.frames = s->frames;
		r.lanes = 1;
		r.index_size = kp_index_size(r.base, r.frames);
		r.vol_size = kp_index_volatile_size(r.base, r.frames, 1);
		r.index = pages(r.index_size);
		r.vol = pages(r.vol_size);
		if (kp_index_format(r.index, r.base, r.frames, s->shift, s->name) ||
		    kp_index_attach(&r.idx, r.index, r.index_size, r.base, r.frames, s->shift,
				    r.vol, 1) || kp_index_restore(&r.idx, NULL) ||
		    kp_owner_set(&r.idx, r.idx.lane, 1, "one") ||
		    kp_owner_set(&r.idx, r.idx.lane, 2, "two"))
			return 1;
		s->make();
		print(s->name, "index", r.index, r.index_size);
		found[i].sum = kp_index_sum(&r.idx);

		memset(r.vol, 0, r.vol_size);
		memset(&r.idx, 0, sizeof(r.idx));
		if (kp_index_attach(&r.idx, r.index, r.index_size, r.base, r.frames, s->shift,
				    r.vol, 1) ||
		    kp_index_restore(&r.idx, s->sealed ? &found[i].sum : NULL) ||
		    kp_index_validate(&r.idx))
			return 1;
		kp_index_stat(&r.idx, &stat);
		found[i].used = r.idx.lane->used_frames;
		found[i].extents = r.idx.lane->extents;
		found[i].largest = stat.largest;
		if (!s->sealed)
			found[i].sum = kp_index_sum(&r.idx);
	}
	print_root();
	puts("/* Where they are from, and what is in them; @sum is the one after restore. */\n"
	     "static const struct golden_image {\n"
	     "\tconst char *name;\n"
	     "\tconst struct golden_word *words;\n"
	     "\tu32 nr_words, frame_shift;\n"
	     "\tbool sealed;\n"
	     "\tu64 base, frames, sum, extents, used_frames, largest;\n"
	     "} " SET "[] = {");
	for (u32 i = 0; i < ARRAY_SIZE(states); i++) {
		const struct state *s = &states[i];

		printf("\t{\n\t\t\"%s\", " SET "_%s_index, ARRAY_SIZE(" SET "_%s_index), %u, %s,\n"
		       "\t\t%#llx, %#llx, 0x%016llxULL, %lld, %llu, %llu\n\t},\n",
		       s->name, s->name, s->name, s->shift, s->sealed ? "true" : "false",
		       (unsigned long long)s->base, (unsigned long long)s->frames,
		       (unsigned long long)found[i].sum, (long long)found[i].extents,
		       (unsigned long long)found[i].used, (unsigned long long)found[i].largest);
	}
	puts("};");
	return 0;
}
