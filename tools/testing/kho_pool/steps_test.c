// SPDX-License-Identifier: GPL-2.0-only
/*
 * What takes long is done in steps, and no step does more than so much, however large the
 * region is: reads are counted, not time.  bench/longest.c measures the time.
 */
#include "hard.h"
#include "test.h"

/* A step of 20 us, at some 10 ns for a word that is in no cache */
#define READS	4096

int beside_held;
unsigned long beside_reads;
static unsigned long before, longest, all;
static u32 steps;

void beside_point(void)
{
}

bool beside_ignores(const raw_spinlock_t *lock)
{
	return false;
}

static void step_begin(void)
{
	before = beside_reads;
}

static void step_end(void)
{
	unsigned long reads = beside_reads - before;

	steps++;
	all += reads;
	longest = max(longest, reads);
}

static void begin(void)
{
	steps = 0;
	all = 0;
	longest = 0;
}

static bool one_hard(const struct hard *h, u64 frames, bool write)
{
	struct region r;

	region_init_table(&r, 0, frames, h->cpus ?: 4);
	hard_make(h, &r, write);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	begin();
	CHECK_EQ(h->run(&r), h->expected);
	printf("# %s, %llu GiB: %u steps, at most %lu reads\n", h->name,
	       (unsigned long long)frames / GIB, steps, longest);
	CHECK(longest <= READS);
	CHECK(!beside_held);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

static bool each_step(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(hard); i++) {
		for (u64 frames = 80 * GIB; frames <= 320 * GIB; frames *= 4)
			CHECK(one_hard(&hard[i], frames, false));
		if (hard[i].make == hard_empty)
			CHECK(one_hard(&hard[i], 5120 * GIB, false));
		/* It is the same state if it is written. */
		for (u64 frames = 80 * GIB; hard[i].write && frames <= 5120 * GIB; frames *= 64)
			CHECK(one_hard(&hard[i], frames, true));
	}
	return true;
}

/* What was refused is refused at once, until it may be there again; others are not. */
static bool refused_is_remembered(void)
{
	static const struct { u64 frames, align; u8 owner; } same[] = {
		{ 2 * MIB2, MIB2, 1 }, { 2 * MIB2, MIB2, 2 }, { 2 * MIB2, 4 * MIB2, 1 },
		{ 60 * MIB2, MIB2, 1 }, { 3 * GIB, GIB, 1 },
	};
	struct region r;
	u64 frame;

	region_init(&r, 0, 64 * GIB, 4);
	hard_every_second(&r);
	CHECK_EQ(hard_two_blocks(&r), -ENOMEM);
	for (u32 i = 0; i < ARRAY_SIZE(same); i++) {
		begin();
		CHECK_EQ(hard_alloc(&r, same[i].frames, same[i].align, same[i].owner, &frame),
			 -ENOMEM);
		CHECK_EQ(steps, 1);
		CHECK(all < 20);
	}
	CHECK_EQ(hard_alloc(&r, MIB2, MIB2, 1, &frame), 0);
	CHECK_EQ(hard_free(&r, frame, MIB2, 1), 0);
	/* A run of one does not help. */
	begin();
	CHECK_EQ(hard_two_blocks(&r), -ENOMEM);
	CHECK(all < 20);
	/* One of three does, up to three. */
	CHECK_EQ(hard_free(&r, 5 * MIB2, MIB2, 2), 0);
	begin();
	CHECK_EQ(hard_alloc(&r, 4 * MIB2, MIB2, 1, &frame), -ENOMEM);
	CHECK(all < 20);
	CHECK_EQ(hard_alloc(&r, 3 * MIB2, MIB2, 1, &frame), 0);
	CHECK_EQ(frame, 4 * MIB2);
	region_exit(&r);
	return true;
}

static bool refused_frames(void)
{
	struct region r;
	u64 frame;

	region_init(&r, 0, 8 * GIB, 4);
	hard_pricked(&r);
	CHECK_EQ(hard_two_frames(&r), -ENOMEM);
	begin();
	CHECK_EQ(hard_two_frames(&r), -ENOMEM);
	CHECK_EQ(hard_alloc(&r, 100, 4, 2, &frame), -ENOMEM);
	CHECK(all < 40);
	/* One frame can be had; with one more beside it, two. */
	CHECK_EQ(hard_alloc(&r, 1, 1, 2, &frame), 0);
	CHECK_EQ(hard_free(&r, frame, 1, 2), 0);
	begin();
	CHECK_EQ(hard_two_frames(&r), -ENOMEM);
	CHECK(all < 20);
	CHECK_EQ(hard_free(&r, 3 * MIB2 + 127, 1, 2), 0);
	begin();
	CHECK_EQ(hard_alloc(&r, 3, 1, 2, &frame), -ENOMEM);
	CHECK(all < 20);
	CHECK_EQ(hard_alloc(&r, 2, 1, 2, &frame), 0);
	CHECK_EQ(frame, 3 * MIB2 + 126);
	/* Another owner was not refused before, but is; until there is a block. */
	CHECK_EQ(hard_alloc(&r, 1, 1, 1, &frame), -ENOMEM);
	CHECK_EQ(hard_alloc(&r, 5 * GIB, GIB, 1, &frame), -ENOMEM);
	for (u64 f = 7 * MIB2; f < 8 * MIB2; f += 128) {
		CHECK_EQ(hard_free(&r, f, 126, 2), 0);
		CHECK_EQ(hard_free(&r, f + 127, 1, 2), 0);
	}
	CHECK_EQ(hard_alloc(&r, 1, 1, 1, &frame), 0);
	CHECK_EQ(frame, 7 * MIB2);
	region_exit(&r);
	return true;
}

/* A claim makes room: others may share the block then. */
static bool refused_until_claimed(void)
{
	struct region r;
	u64 frame, small;

	region_init(&r, 0, 8 * GIB, 4);
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &small), 0);
	CHECK(hard_fill(&r, MIB2));
	CHECK_EQ(region_restore(&r, NULL), 0);
	CHECK_EQ(hard_alloc(&r, 3, 1, 1, &frame), -ENOMEM);
	begin();
	CHECK_EQ(hard_alloc(&r, 3, 1, 1, &frame), -ENOMEM);
	CHECK(all < 20);
	CHECK_EQ(kp_index_claim(&r.idx, r.idx.pcpu, small, 1, 1), 0);
	CHECK_EQ(hard_alloc(&r, 3, 1, 1, &frame), 0);
	CHECK_EQ(frame, small + 1);
	region_exit(&r);
	return true;
}

/* A run that is being taken is neither free nor an extent; it may come free. */
static bool refused_while_taken(void)
{
	struct kp_request req = { .frames = 80 * GIB, .align = 1, .owner = 1 };
	struct kp_alloc alloc;
	bool moving = false;
	struct region r;
	u64 frame;

	region_init(&r, 0, 80 * GIB, 4);
	kp_begin_alloc(&alloc, &req);
	while (!moving) {
		CHECK_EQ(kp_index_alloc(&r.idx, &r.idx.pcpu[1], &alloc), -EAGAIN);
		kp_index_gains(&r.idx, &moving);
	}
	/* Another CPU takes the end of it, and is refused then. */
	while (!hard_alloc(&r, GIB, GIB, 1, &frame))
		;
	CHECK_EQ(hard_alloc(&r, MIB2, 1, 1, &frame), -ENOMEM);
	kp_index_gains(&r.idx, &moving);
	CHECK(moving);
	while (kp_index_alloc(&r.idx, &r.idx.pcpu[1], &alloc) == -EAGAIN)
		;
	kp_index_gains(&r.idx, &moving);
	CHECK(!moving);
	CHECK_EQ(hard_alloc(&r, GIB, GIB, 1, &frame), 0);
	CHECK_EQ(hard_alloc(&r, MIB2, 1, 1, &frame), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

/* Too many bad frames: everything is refused at once. */
static bool refused_all(void)
{
	struct kp_stat stat = {};
	struct region r;
	u64 frame;

	region_init(&r, 0, 64 * GIB, 4);
	for (u32 i = 0; i < r.idx.nr_bad_words - 1; i++)
		CHECK_EQ(kp_index_bad(&r.idx, i * GIB), 0);
	CHECK_EQ(kp_index_bad(&r.idx, 40 * GIB), -ENOSPC);
	begin();
	CHECK_EQ(hard_alloc(&r, 1, 1, 1, &frame), -ENOMEM);
	CHECK_EQ(hard_alloc(&r, MIB2, 1, 1, &frame), -ENOMEM);
	CHECK_EQ(hard_alloc(&r, 3 * GIB, 1, 1, &frame), -ENOMEM);
	CHECK(all < 60);
	count_free(&r.idx, &stat);
	CHECK(!stat.free_frames && !stat.free_blocks && !stat.free_areas && !stat.largest);
	region_exit(&r);
	return true;
}

/* What the sweep frees is the same wherever its steps end. */
static bool swept_in_steps(void)
{
	enum { LATE = 4 * KHO_POOL_AREA_BLOCKS / 2 };
	struct kp_request req = { .frames = MIB2, .align = 1, .owner = 1, .clear = true };
	static struct kp_alloc late[LATE];
	struct kp_stat stat = {};
	struct region r;
	u64 csum;

	region_init(&r, 0, 4 * GIB, 4);
	hard_every_second(&r);
	/* All blocks between are not claimed, and are looked at, too. */
	CHECK_EQ(region_restore(&r, NULL), 0);
	for (u32 i = 0; i < LATE; i++)
		CHECK_EQ(hard_alloc_req(&r, &req, &late[i]), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 1));
	for (u32 i = 0; i < LATE; i++)
		CHECK_EQ(kp_index_confirm(&r.idx, r.idx.pcpu, &late[i]), -ESHUTDOWN);
	CHECK_EQ(kp_index_extents(&r.idx), 2 * LATE);
	whole_unseal(&r.idx, r.idx.pcpu);
	CHECK_EQ(kp_index_extents(&r.idx), LATE);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	count_free(&r.idx, &stat);
	CHECK_EQ(stat.free_blocks, LATE);
	region_exit(&r);
	return true;
}

int main(void)
{
	static const struct test tests[] = {
		{ "each_step", each_step },
		{ "refused_is_remembered", refused_is_remembered },
		{ "refused_frames", refused_frames },
		{ "refused_until_claimed", refused_until_claimed },
		{ "refused_while_taken", refused_while_taken },
		{ "refused_all", refused_all },
		{ "swept_in_steps", swept_in_steps },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
