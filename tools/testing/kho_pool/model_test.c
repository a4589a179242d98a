// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations against an oracle that is a list of extents and one byte a
 * frame.  usage: model_test [SEED [STEPS]]
 */
#include <time.h>

#include "region.h"
#include "test.h"

#define MAX	4096

struct extent {
	u64 frame, frames;
	u8 owner;
	bool claimed;
	char name[24];
};

static struct extent extents[MAX];
static u32 nr_extents;
static u8 *taken;		/* one byte a frame */
static u64 seed, step, allocs;

static u64 rnd(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed * 0x2545f4914f6cdd1dULL >> 11) % below;
}

static u64 random_frames(void)
{
	switch (rnd(100)) {
	case 0 ... 59:	return 1 + rnd(3);
	case 60 ... 79:	return 1 + rnd(511);
	case 80 ... 89:	return MIB2;
	case 90 ... 95:	return MIB2 + rnd(8 * MIB2);
	case 96 ... 97:	return MIB2 * (1 + rnd(300));
	default:	return rnd(4) ? GIB : GIB + rnd(2 * GIB);
	}
}

static bool one_alloc(struct region *r)
{
	struct extent e = { .frames = random_frames(), .owner = 1 + rnd(2), .claimed = true };
	struct kp_request req = {
		.frames = e.frames,
		.align = rnd(3) ? 1 : 1ULL << rnd(20),
		.owner = e.owner,
		.clear = !rnd(4),
	};
	struct kp_lane *lane = &r->idx.lane[rnd(r->lanes)];
	int ret;

	if (nr_extents == MAX)
		return true;
	if (!rnd(8)) {
		snprintf(e.name, sizeof(e.name), "n%llu", (unsigned long long)step);
		req.name = e.name;
	}
	ret = kp_index_alloc(&r->idx, lane, &req, &e.frame);
	if (ret == -ENOSPC)
		return true;
	if (ret == -ENOMEM) {
		/* It must be true: look for a place, block by block. */
		u64 unit = e.frames < MIB2 ? 1 : MIB2;
		u64 blocks = (e.frames + MIB2 - 1) / MIB2 * MIB2;

		if (e.frames < MIB2 || rnd(20))
			return true;
		unit = max(unit, req.align);
		for (u64 f = ALIGN(r->base, unit) - r->base; f + blocks <= r->frames; f += unit)
			CHECK(memchr(taken + f, 1, blocks));
		return true;
	}
	CHECK_EQ(ret, 0);
	CHECK_EQ((r->base + e.frame) & (req.align - 1), 0);
	CHECK(e.frame + e.frames <= r->frames);
	CHECK(!memchr(taken + e.frame, 1, e.frames));
	memset(taken + e.frame, 1, e.frames);
	if (req.clear && e.frames >= MIB2)
		CHECK_EQ(kp_index_confirm(&r->idx, lane, e.frame), 0);
	extents[nr_extents++] = e;
	allocs++;
	return true;
}

static bool one_free(struct region *r)
{
	struct kp_lane *lane = &r->idx.lane[rnd(r->lanes)];
	u32 i = nr_extents ? rnd(nr_extents) : 0;
	struct extent e = extents[i];

	if (!nr_extents)
		return true;
	if (!rnd(16)) {
		u64 frame = rnd(r->frames);
		bool head = false;

		CHECK(kp_index_free(&r->idx, lane, e.frame, e.frames + 1, e.owner) == -EINVAL);
		CHECK(kp_index_free(&r->idx, lane, e.frame, e.frames, 3 - e.owner) == -EINVAL);
		for (u32 j = 0; j < nr_extents; j++)
			head |= extents[j].frame == frame;
		if (!head)
			CHECK_EQ(kp_index_free(&r->idx, lane, frame, 1, 1), -ENOENT);
	}
	CHECK_EQ(kp_index_free(&r->idx, lane, e.frame, e.frames, e.owner), 0);
	memset(taken + e.frame, 0, e.frames);
	extents[i] = extents[--nr_extents];
	return true;
}

/* All that the oracle has is there, and nothing else. */
static bool compare(struct region *r)
{
	struct kp_extent ext;
	u64 pos = 0, nr = 0;

	CHECK_EQ(kp_index_validate(&r->idx), 0);
	while (kp_index_next(&r->idx, &pos, &ext))
		nr++;
	CHECK_EQ(nr, nr_extents);
	for (u32 i = 0; i < nr_extents; i++) {
		const struct extent *e = &extents[i];

		CHECK_EQ(kp_index_find(&r->idx, e->frame, &ext), 0);
		CHECK_EQ(ext.frames, e->frames);
		CHECK_EQ(ext.owner, e->owner);
		CHECK(!ext.name == !e->name[0]);
		CHECK(!ext.name || !strcmp(ext.name, e->name));
	}
	return true;
}

static bool restore(struct region *r)
{
	bool sealed = rnd(2);
	u64 sum;

	CHECK(kp_index_seal(&r->idx, &sum, 10));
	CHECK_EQ(region_restore(r, sealed ? &sum : NULL), 0);
	CHECK(kp_index_sum(&r->idx) == sum);
	if (!compare(r))
		return false;
	for (u32 i = 0; i < nr_extents; i++) {
		if (rnd(2)) {
			int ret = kp_index_claim(&r->idx, &r->idx.lane[0], extents[i].frame);

			CHECK(!ret || (ret == -EALREADY && extents[i].frames < MIB2));
		}
	}
	return compare(r);
}

static bool run(u64 base, u64 frames, u64 steps)
{
	u32 filling = 0;
	struct region r;
	bool ok = true;

	nr_extents = 0;
	allocs = 0;
	taken = calloc(1, frames);
	region_init(&r, base, frames, 4);
	for (step = 0; ok && step < steps; step++) {
		if (!(step % 5000))
			filling = rnd(3);
		if (rnd(10) < 4 + filling)
			ok = one_alloc(&r);
		else
			ok = one_free(&r);
		if (ok && !rnd(100))
			ok = compare(&r);
		if (ok && !rnd(1000))
			ok = restore(&r);
	}
	printf("# %llu allocations, %u extents at the end\n", (unsigned long long)allocs,
	       nr_extents);
	CHECK(allocs > steps / 5);
	while (ok && nr_extents)
		ok = one_free(&r);
	ok = ok && compare(&r);
	if (ok)
		CHECK_EQ(get(&r, frames, 1, 1, NULL, &base), 0);
	region_exit(&r);
	free(taken);
	return ok;
}

static u64 steps = 100000;

static bool small_region(void)
{
	return run(64 * MIB2, 64 * MIB2, steps);
}

static bool middle_region(void)
{
	return run(GIB - 3 * MIB2, 3 * GIB + 5 * MIB2, steps);
}

static bool large_region(void)
{
	return run(4 * GIB, 20 * GIB, steps);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "small_region", small_region },
		{ "middle_region", middle_region },
		{ "large_region", large_region },
	};
	u64 first;
	int ret;

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (u64)time(NULL);
	seed = seed ?: 1;
	first = seed;
	if (argc > 2)
		steps = strtoull(argv[2], NULL, 0);
	printf("# seed %llu\n", (unsigned long long)seed);
	ret = run_tests(tests, ARRAY_SIZE(tests));
	if (ret)
		printf("# failed at step %llu; again with: model_test %llu %llu\n",
		       (unsigned long long)step, (unsigned long long)first,
		       (unsigned long long)steps);
	return ret;
}
