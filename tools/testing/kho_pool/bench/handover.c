// SPDX-License-Identifier: GPL-2.0-only
/* What the next kernel pays to take a pool over, and this one to seal it. */
#include "../../../../mm/kho_pool/index/root.h"

#include "../random.h"
#include "bench.h"
#include "full.h"

/* As many CPUs as a host has; the seal looks at each. */
#define CPUS	256

static u64 seed;

static u64 rnd(u64 below)
{
	return random_below(&seed, below);
}

static void empty(struct region *r)
{
}

static void gigantic(struct region *r)
{
	u64 frame;

	while (!get(r, GIB, GIB, 1, NULL, &frame))
		;
}

static void gigantic_named(struct region *r)
{
	char name[KHO_POOL_NAME_MAX];
	u64 frame;
	u32 nr = 0;

	do {
		snprintf(name, sizeof(name), "guest-%u-memory", nr++);
	} while (!get(r, GIB, GIB, 1, name, &frame));
}

/*
 * Sizes of 4 KiB to 2 GiB, as many of 4 to 8 KiB as of 1 to 2 GiB; a name for what
 * is a block or more.  Then at random half of it goes.
 */
static void mixed(struct region *r)
{
	struct { u64 frame, frames; } *held = malloc(r->frames / 64 * sizeof(*held));
	u64 nr = 0, used = 0;
	u32 missed = 0, serial = 0;

	seed = 0x9e3779b97f4a7c15ULL;
	while (missed < 32) {
		u64 order = 1ULL << rnd(19), frames = order + rnd(order), frame;
		u64 align = frames >= GIB ? GIB : frames >= MIB2 ? MIB2 : 1;
		char name[KHO_POOL_NAME_MAX];

		snprintf(name, sizeof(name), "extent-%u", serial++);
		if (get(r, frames, align, 1, frames >= MIB2 ? name : NULL, &frame)) {
			missed++;
			continue;
		}
		missed = 0;
		held[nr].frame = frame;
		held[nr++].frames = frames;
		used += frames;
	}
	while (used > r->frames / 2) {
		u64 i = rnd(nr);

		if (put(r, held[i].frame, held[i].frames, 1))
			exit(2);
		used -= held[i].frames;
		held[i] = held[--nr];
	}
	free(held);
}

static void worst(struct region *r)
{
	full_write(r, true);
}

/* With a block that a stopped CPU left empty, for which all of it is gone through again. */
static void worst_stopped(struct region *r)
{
	full_write(r, true);
	memset(&r->idx.bitmaps[1], 0, sizeof(r->idx.bitmaps[1]));
}

static const struct {
	const char *name;
	u64 frames;
} pools[] = {
	{ "1 GiB", GIB }, { "64 GiB", 64 * GIB }, { "1 TiB", 1024 * GIB },
	{ "16 TiB", 16384 * GIB },
};

static const struct {
	const char *name;
	void (*make)(struct region *r);
	bool sealed;
} contents[] = {
	{ "empty", empty, true },
	{ "1 GiB extents", gigantic, true },
	{ "1 GiB extents, named", gigantic_named, true },
	{ "half full, mixed", mixed, true },
	{ "worst", worst, true },
	{ "worst, stopped", worst_stopped, false },
};

/* Bytes of the index that have a meaning, which is what a restore reads. */
static u64 bytes_read(struct region *r)
{
	struct kp_index *idx = &r->idx;
	u64 bytes = sizeof(*idx->header) + KHO_POOL_OWNERS * sizeof(*idx->owners);

	bytes += 8ULL * idx->nr_areas + kp_load(&idx->header->names_used) * sizeof(*idx->names);
	for (u32 block = 0; block < idx->nr_blocks; block++) {
		if (kp_load(&idx->areas[kp_area_of(idx, block)]) != KHO_POOL_SPLIT)
			continue;
		bytes += 8;
		if (kp_word_kind(kp_load(&idx->blocks[block])) == KHO_POOL_SPLIT)
			bytes += sizeof(*idx->bitmaps);
	}
	return bytes;
}

/* All of it: the volatile memory is cleared, too. */
static double restore(struct region *r, const u64 *csum)
{
	struct kp_index idx = {};
	u64 begin;

	/* The interrupted operation was repaired the last time. */
	if (!csum)
		r->idx.blocks[1] = cpu_to_le64(kp_word(KHO_POOL_SPLIT, 1, 0));
	forget_caches();
	begin = now_ns();
	memset(r->vol, 0, r->vol_size);
	if (kp_index_attach(&idx, r->index, r->index_size, r->base, r->frames, SHIFT, r->vol,
			    r->cpus) || kp_index_restore(&idx, csum)) {
		fprintf(stderr, "not restored\n");
		exit(2);
	}
	r->idx = idx;
	return now_ns() - begin - clock_cost();
}

static double seal(struct region *r, u64 *csum)
{
	enum { TIMES = 100 };
	u64 begin = now_ns();

	/* Nothing is left to sweep: no allocation is on its way. */
	for (u32 i = 0; i < TIMES; i++) {
		if (!kp_index_seal(&r->idx, csum, -1UL))
			exit(2);
		kp_index_unseal(&r->idx);
	}
	begin = now_ns() - begin;
	whole_unseal(&r->idx, &r->idx.pcpu[0]);
	return (begin - clock_cost()) / TIMES;
}

static void one(u32 p, u32 c)
{
	struct figure rebuilt = {}, sealed = {};
	struct region r;
	u64 csum;

	bench_progress("handover, %s, %s", pools[p].name, contents[c].name);
	region_init(&r, 0, pools[p].frames, CPUS);
	contents[c].make(&r);
	for (u32 round = 0; round < (bench_quick ? 7 : 9); round++) {
		if (contents[c].sealed)
			figure_add(&sealed, seal(&r, &csum));
		figure_add(&rebuilt, restore(&r, contents[c].sealed ? &csum : NULL));
	}
	json_begin("handover");
	json_text("pool", pools[p].name);
	json_number("gib", pools[p].frames / GIB);
	json_text("state", contents[c].name);
	json_number("lanes", CPUS);
	json_figure("rebuild_ns", &rebuilt);
	json_figure("seal_ns", &sealed);
	json_number("index_bytes", r.index_size);
	json_number("volatile_bytes", r.vol_size);
	json_number("read_bytes", bytes_read(&r));
	json_number("names", kp_load(&r.idx.header->names_used));
	json_end();
	region_exit(&r);
}

static void largest_root(void)
{
	static struct kp_root root = {
		.frame_size = 4096, .nr_pools = KHO_POOL_MAX_POOLS,
		.nr_regions = KHO_POOL_MAX_REGIONS, .sealed = 1,
	};
	static _Alignas(8) u8 page[KHO_POOL_ROOT_SIZE];
	struct figure f = {};
	int bytes = 0;

	for (u32 i = 0; i < KHO_POOL_MAX_POOLS; i++)
		snprintf(root.pool_name[i], sizeof(root.pool_name[i]), "pool-%026u", i);
	for (u32 i = 0; i < KHO_POOL_MAX_REGIONS; i++)
		root.region[i] = (struct kp_root_region){
			.base = (u64)i << 40, .size = 1ULL << 39, .index = (u64)i << 30,
			.index_size = 1 << 26, .csum = ~0ULL, .pool = i % KHO_POOL_MAX_POOLS,
		};
	for (u32 round = 0; round < 9; round++) {
		u64 begin = now_ns();

		for (u32 i = 0; i < 100; i++)
			bytes = kp_root_encode(&root, page);
		figure_add(&f, (now_ns() - begin) / 100.0);
	}
	json_begin("root");
	json_number("bytes", bytes);
	json_figure("encode_ns", &f);
	json_end();
}

void bench_handover(void)
{
	for (u32 p = 0; p < ARRAY_SIZE(pools); p++)
		for (u32 c = 0; c < ARRAY_SIZE(contents); c++)
			/* A look has no time for the largest. */
			if (!bench_quick || pools[p].frames <= 1024 * GIB)
				one(p, c);
	largest_root();
}
