// SPDX-License-Identifier: GPL-2.0-only
/* Where extents go: what is free can be had, and small extents are packed. */
#include "random.h"
#include "region.h"
#include "test.h"

#define CPUS	64

static u64 seed = 1;

static u64 rnd(u64 below)
{
	return random_below(&seed, below);
}

static u64 free_blocks(struct region *r)
{
	struct kp_stat stat = {};

	kp_index_stat(&r->idx, &stat);
	return stat.free_blocks;
}

static int get_on(struct region *r, u32 cpu, u64 frames, u8 owner, const char *name, u64 *frame)
{
	struct kp_request req = { .frames = frames, .align = 1, .owner = owner, .name = name };

	return kp_index_alloc(&r->idx, &r->idx.pcpu[cpu], &req, frame);
}

/*
 * The area from which allocations are served has 40 blocks in which another owner has
 * small extents and has left room; the rest of it is taken.
 */
static bool crowded(struct region *r, u64 frames)
{
	char name[8];
	u64 frame;

	region_init(r, 0, frames, CPUS);
	for (u8 owner = 3; owner < KHO_POOL_OWNERS; owner++) {
		snprintf(name, sizeof(name), "o%d", owner);
		CHECK_EQ(kp_owner_set(&r->idx, r->idx.pcpu, owner, name), 0);
	}
	for (int i = 0; i < 40; i++)
		CHECK_EQ(get(r, 300, 1, 1, NULL, &frame), 0);
	CHECK_EQ(get(r, 472 * MIB2, 1, 1, NULL, &frame), 0);
	return true;
}

/* Extents of two owners in turns, whatever their numbers are */
static bool owners_in_turns(void)
{
	struct region r;
	u64 frame, gone;

	for (u8 other = 2; other < KHO_POOL_OWNERS; other++) {
		u64 before;

		CHECK(crowded(&r, 2 * GIB));
		before = free_blocks(&r);
		for (int i = 0; i < 5000; i++) {
			CHECK_EQ(get(&r, 1, 1, other, NULL, &frame), 0);
			CHECK_EQ(get(&r, 1, 1, 1, NULL, &gone), 0);
			CHECK_EQ(put(&r, gone, 1, 1), 0);
		}
		CHECK(before - free_blocks(&r) <= 10);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		region_exit(&r);
	}
	return true;
}

static bool names_in_turns(void)
{
	u64 frame, gone, before;
	struct region r;
	char name[8];

	CHECK(crowded(&r, 2 * GIB));
	before = free_blocks(&r);
	for (int i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		CHECK_EQ(get(&r, 1, 1, 1, name, &frame), 0);
		CHECK_EQ(get(&r, 1, 1, 1, NULL, &gone), 0);
		CHECK_EQ(put(&r, gone, 1, 1), 0);
	}
	CHECK_EQ(before - free_blocks(&r), 1);
	region_exit(&r);
	return true;
}

static bool next_kernel(struct region *r)
{
	struct kp_extent ext;
	u64 pos = 0;

	CHECK_EQ(region_restore(r, NULL), 0);
	CHECK_EQ(kp_index_validate(&r->idx), 0);
	while (kp_index_next(&r->idx, &pos, &ext))
		kp_index_claim(&r->idx, r->idx.pcpu, ext.frame);
	return true;
}

/* A few extents on each CPU in each kernel */
static bool over_kexecs(void)
{
	u64 frame, before, nr = 0;
	struct region r;

	CHECK(crowded(&r, 4 * GIB));
	before = free_blocks(&r);
	for (int kernel = 0; kernel <= 20; kernel++) {
		for (u32 cpu = 0; cpu < CPUS; cpu++)
			for (int i = 0; i < 4; i++, nr++)
				CHECK_EQ(get_on(&r, cpu, 1, 2, NULL, &frame), 0);
		CHECK(next_kernel(&r));
	}
	CHECK(before - free_blocks(&r) <= nr / MIB2 + 1);
	region_exit(&r);
	return true;
}

/*
 * Any mix of sizes, owners, names, CPUs and kernels takes at most twice what it needs,
 * and a block more for each kind: each owner, with and without names.
 */
static bool any_mix(void)
{
	u64 need[2 * KHO_POOL_OWNERS] = {}, frame, before, most = 0;
	struct region r;
	char name[16];

	CHECK(crowded(&r, 8 * GIB));
	before = free_blocks(&r);
	for (int i = 0; i < 20000; i++) {
		u64 frames = 1 + rnd(rnd(4) ? 8 : MIB2 - 1);
		u8 owner = 2 + rnd(KHO_POOL_OWNERS - 2);
		bool named = !rnd(128);

		snprintf(name, sizeof(name), "n%d", i);
		CHECK_EQ(get_on(&r, rnd(CPUS), frames, owner, named ? name : NULL, &frame), 0);
		need[2 * owner + named] += frames;
		if (!rnd(2000))
			CHECK(next_kernel(&r));
	}
	for (u32 kind = 0; kind < ARRAY_SIZE(need); kind++)
		most += need[kind] ? 2 * need[kind] / MIB2 + 1 : 0;
	CHECK(before - free_blocks(&r) <= most);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "owners_in_turns", owners_in_turns },
		{ "names_in_turns", names_in_turns },
		{ "over_kexecs", over_kexecs },
		{ "any_mix", any_mix },
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0) ?: 1;
	return run_tests(tests, ARRAY_SIZE(tests));
}
