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

	count_free(&r->idx, &stat);
	return stat.free_blocks;
}

static int get_on(struct region *r, u32 cpu, u64 frames, u8 owner, const char *name, u64 *frame)
{
	struct kp_request req = { .frames = frames, .align = 1, .owner = owner, .name = name };

	return whole_alloc(&r->idx, &r->idx.pcpu[cpu], &req, frame);
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

/* Each CPU comes with a request for which most blocks of its kind have no room. */
static bool past_many_blocks(void)
{
	u64 frame, before;
	struct region r;

	region_init(&r, 0, 2 * GIB, CPUS);
	for (int i = 0; i < 40; i++)
		CHECK_EQ(get(&r, MIB2 - 1, 1, 1, NULL, &frame), 0);
	/* The rest of the area, so that others are looked at after these. */
	CHECK_EQ(get(&r, 472 * MIB2, 1, 1, NULL, &frame), 0);
	before = free_blocks(&r);
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		CHECK_EQ(get_on(&r, cpu, 2, 1, NULL, &frame), 0);
	CHECK_EQ(before - free_blocks(&r), 1);
	region_exit(&r);
	return true;
}

/* Each CPU has a block, and if @meet, finds the area that it wants to use locked. */
static bool first_blocks(struct region *r, bool meet)
{
	u64 frame;

	for (u32 cpu = 0; cpu < r->cpus; cpu++) {
		struct kp_area *mine = &r->idx.area[r->idx.pcpu[cpu].hint_area];
		struct kp_area *last = cpu ? &r->idx.area[r->idx.pcpu[cpu - 1].hint_area] : mine;

		if (meet && cpu)
			raw_spin_lock(&mine->lock);
		if (meet && last != mine)
			raw_spin_lock(&last->lock);
		/* Not for the first time */
		for (u32 i = 0; meet && i < 4; i++)
			kp_met_another(&r->idx.pcpu[cpu]);
		CHECK_EQ(get_on(r, cpu, MIB2, 1, NULL, &frame), 0);
		if (meet && cpu)
			raw_spin_unlock(&mine->lock);
		if (meet && last != mine)
			raw_spin_unlock(&last->lock);
	}
	return true;
}

/*
 * CPUs that keep to areas of their own have blocks of their own for each kind, too: one
 * more than needed for each CPU, at most, and nobody takes room from another's.
 */
static bool cpus_apart(void)
{
	enum { KINDS = 6, EACH = 20 * KINDS };
	u64 frame, before, need[KINDS] = {};
	struct region r;
	char name[16];
	u64 most;

	for (u32 frames = 1; frames <= 64; frames *= 8) {
		region_init(&r, 0, 80 * GIB, CPUS);
		for (u8 owner = 3; owner <= 5; owner++) {
			snprintf(name, sizeof(name), "o%u", owner);
			CHECK_EQ(kp_owner_set(&r.idx, r.idx.pcpu, owner, name), 0);
		}
		CHECK(first_blocks(&r, true));
		before = free_blocks(&r);
		memset(need, 0, sizeof(need));
		for (u32 i = 0; i < EACH * CPUS; i++) {
			u32 cpu = i % CPUS, kind = i / CPUS % KINDS;

			snprintf(name, sizeof(name), "n%u", i);
			/* For more of them there are no names. */
			CHECK_EQ(get_on(&r, cpu, frames, 1 + kind % 5, kind < 5 ? NULL : name,
					&frame), 0);
			need[kind] += frames;
		}
		most = 0;
		for (u32 kind = 0; kind < KINDS; kind++)
			most += need[kind] / MIB2 + CPUS;
		printf("# of %u frames, %u kinds, %u CPUs: %llu blocks, at most %llu\n", frames,
		       KINDS, CPUS, (unsigned long long)(before - free_blocks(&r)),
		       (unsigned long long)most);
		CHECK(before - free_blocks(&r) <= most);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		region_exit(&r);
	}
	return true;
}

static bool next_kernel(struct region *r)
{
	struct kp_extent ext;
	u64 pos = 0;

	CHECK_EQ(region_restore(r, NULL), 0);
	CHECK_EQ(kp_index_validate(&r->idx), 0);
	while (whole_next(&r->idx, &pos, &ext))
		kp_index_claim(&r->idx, r->idx.pcpu, ext.frame, ext.frames, ext.owner);
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
 * Any mix of sizes, owners, names, CPUs and kernels takes at most twice what it needs at
 * most, and a block more for each kind: each owner, with and without names.  Some go
 * again, and when all have gone, nothing is left.
 */
static bool any_mix_with(bool frees)
{
	enum { OPS = 20000 };
	static struct { u64 frame, frames; u32 kind; } held[OPS];
	u64 need[2 * KHO_POOL_OWNERS] = {}, highest[2 * KHO_POOL_OWNERS] = {}, before, most = 0;
	u32 nr = 0;
	struct region r;
	char name[16];

	CHECK(crowded(&r, 8 * GIB));
	before = free_blocks(&r);
	for (int i = 0; i < OPS; i++) {
		u64 frames = 1 + rnd(rnd(4) ? 8 : MIB2 - 1);
		u8 owner = 2 + rnd(KHO_POOL_OWNERS - 2);
		u32 kind = 2 * owner + !rnd(128);

		/* By turns more come than go, and more go than come. */
		if (frees && nr && rnd(8) < (i / 2000 % 2 ? 5 : 2)) {
			u32 which = rnd(nr);

			CHECK_EQ(whole_free(&r.idx, &r.idx.pcpu[rnd(CPUS)], held[which].frame,
					    held[which].frames, held[which].kind / 2), 0);
			need[held[which].kind] -= held[which].frames;
			held[which] = held[--nr];
			continue;
		}
		snprintf(name, sizeof(name), "n%d", i);
		CHECK_EQ(get_on(&r, rnd(CPUS), frames, owner, kind % 2 ? name : NULL,
				&held[nr].frame), 0);
		held[nr].frames = frames;
		held[nr++].kind = kind;
		need[kind] += frames;
		highest[kind] = max(highest[kind], need[kind]);
		if (!rnd(2000))
			CHECK(next_kernel(&r));
	}
	for (u32 kind = 0; kind < ARRAY_SIZE(highest); kind++)
		most += highest[kind] ? 2 * highest[kind] / MIB2 + 1 : 0;
	CHECK(before - free_blocks(&r) <= most);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	while (nr--)
		CHECK_EQ(put(&r, held[nr].frame, held[nr].frames, held[nr].kind / 2), 0);
	CHECK_EQ(free_blocks(&r), before);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

static bool any_mix(void)
{
	return any_mix_with(false) && any_mix_with(true);
}

/* Then one CPU takes blocks.  How many extents of 1 GiB can be had after that? */
static bool gigabytes(u32 cpus, u32 areas, u32 blocks, bool meet, u64 *nr)
{
	struct region r;
	u64 frame;

	region_init(&r, 0, areas * GIB, cpus);
	CHECK(first_blocks(&r, meet));
	for (u32 i = 0; i < blocks; i++)
		CHECK_EQ(get_on(&r, 0, MIB2, 1, NULL, &frame), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	for (*nr = 0; !get(&r, GIB, GIB, 1, NULL, &frame); ++*nr)
		;
	region_exit(&r);
	return true;
}

/* CPUs that have met and then do nothing keep no memory from others. */
static bool idle_cpus(void)
{
	u64 met, never;

	CHECK(gigabytes(200, 448, 240 * MIB2, false, &never));
	CHECK(gigabytes(200, 448, 240 * MIB2, true, &met));
	CHECK_EQ(never, 207);
	CHECK_EQ(met, 207);
	/* What they leave is used before more areas are broken up, but for one. */
	CHECK(gigabytes(64, 256, 0, true, &never));
	CHECK(gigabytes(64, 256, 40 * MIB2, true, &met));
	CHECK(met + 1 >= never);
	return true;
}

/* CPUs that have met and go on allocating fill an area each. */
static bool busy_cpus(void)
{
	enum { BUSY = 8, AREAS = 64 };
	u32 user[AREAS] = {}, shared = 0;
	struct region r;
	u64 frame;

	region_init(&r, 0, AREAS * GIB, BUSY);
	CHECK(first_blocks(&r, true));
	for (u32 i = 0; i < 5 * MIB2 * BUSY; i++) {
		u32 cpu = i % BUSY, a;

		CHECK_EQ(get_on(&r, cpu, MIB2, 1, NULL, &frame), 0);
		a = frame / GIB;
		shared += user[a] && user[a] != cpu + 1;
		user[a] = cpu + 1;
	}
	/* Those of the first blocks may be. */
	CHECK(shared < BUSY * MIB2 / 2);
	region_exit(&r);
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "owners_in_turns", owners_in_turns },
		{ "names_in_turns", names_in_turns },
		{ "past_many_blocks", past_many_blocks },
		{ "cpus_apart", cpus_apart },
		{ "over_kexecs", over_kexecs },
		{ "any_mix", any_mix },
		{ "idle_cpus", idle_cpus },
		{ "busy_cpus", busy_cpus },
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0) ?: 1;
	return run_tests(tests, ARRAY_SIZE(tests));
}
