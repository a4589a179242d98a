// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stop the world after every single store to the persistent index, take the
 * index over from what is there, and see that nothing is lost, nothing is
 * handed out twice, and the operation that was under way has either not
 * happened or happened.
 *
 * Stores are recorded and played back as the memory model of arm64 lets others
 * see them, which includes what x86 does: a store-release comes after all
 * stores before it; plain stores come in any order, but after the last lock
 * that was taken before them and before the next store-release.  So a plain
 * store may also overtake store-releases before it, back to that lock.
 *
 * crash.h, which is included before everything here and in the index, has the
 * stores recorded.
 */
#include <time.h>

#include "random.h"
#include "region.h"
#include "test.h"

#define MAX	512
#define EVENTS	4096
/* Sets of plain stores that are tried at each stop, besides none and all. */
#define SETS	3
/* Bad frames that there may be: they are never good again. */
#define BAD	6

struct extent {
	u64 frame, frames;
	u8 owner;
	char name[24];
};

static struct region world, copy, again;
static struct extent held[MAX];
static u32 nr_held;
/* The operation under way: it adds an extent, or takes held[doomed] away. */
static struct kp_request adding;
static int doomed = -1;
static bool under_way, restoring;
/* Memory errors so far; the last one may be under way. */
static u64 errors[BAD];
static u32 nr_errors, nr_recorded;
static u64 seed, stops, reordered, operations;
static const char *wrong;

static struct event {
	u64 n, word;		/* the @n-th word of the index becomes @word */
	u32 epoch;
	bool release, seen;
} events[EVENTS];
static u32 nr_events, epoch;
static bool no_order;		/* as if no store were a store-release */
static __le64 *image, *before;	/* what the next kernel gets; at the operation's begin */

static u64 rnd(u64 below)
{
	return random_below(&seed, below);
}

static bool is_held(const struct kp_extent *ext, u32 i)
{
	const struct extent *e = &held[i];

	return e->frame == ext->frame && e->frames == ext->frames && e->owner == ext->owner &&
	       !strcmp(e->name, ext->name);
}

/* Does it know of the frame, and has nothing of its block free? */
static bool is_bad(const struct kp_index *idx, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT, bit = kp_bit_of(idx, block);
	const struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	u64 next = frame;

	return kp_bad_next(idx, &next) && next == frame && !kp_test(area->partial, bit) &&
	       (area->whole || kp_test(area->used, bit));
}

/* The next kernel: what does it find? */
static const char *take_over(void)
{
	struct kp_extent ext;
	u32 found = 0, added = 0;
	u64 pos = 0, bad = 0;
	int ret;

	memcpy(copy.index, image, world.index_size);
	memset(copy.vol, 0, copy.vol_size);
	memset(&copy.idx, 0, sizeof(copy.idx));
	if (kp_index_attach(&copy.idx, copy.index, copy.index_size, copy.base, copy.frames, SHIFT,
			    copy.vol, copy.cpus))
		return "attach";
	restoring = true;
	ret = kp_index_restore(&copy.idx, NULL);
	restoring = false;
	if (ret)
		return "restore";
	if (kp_index_validate(&copy.idx))
		return "validate";
	for (u32 i = 0; i < nr_recorded; i++)
		if (!is_bad(&copy.idx, errors[i]))
			return "a bad frame is forgotten";
	for (u64 frame = 0; kp_bad_next(&copy.idx, &frame); frame++)
		bad++;
	if (bad > nr_errors)
		return "a good frame is bad";
	while (whole_next(&copy.idx, &pos, &ext)) {
		u32 i;

		for (i = 0; i < nr_held; i++)
			if (is_held(&ext, i))
				break;
		if (i < nr_held) {
			found++;
			continue;
		}
		/* Not held: it can only be the one that is being added. */
		added++;
		if (!adding.frames || ext.frames != adding.frames || ext.owner != adding.owner ||
		    strcmp(ext.name, adding.name ?: ""))
			return "an extent that no one asked for";
	}
	if (added > 1)
		return "added twice";
	if (found != nr_held && !(doomed >= 0 && found == nr_held - 1))
		return "an extent is lost";
	if (doomed >= 0 && found == nr_held - 1 &&
	    !kp_index_find(&copy.idx, held[doomed].frame, &ext) && is_held(&ext, doomed))
		return "another extent is lost";
	return NULL;
}

/* The kernel after the next one, when that stopped while it cleaned up. */
static void stopped_restore(void)
{
	static bool inside;

	if (inside || wrong)
		return;
	inside = true;
	memcpy(again.index, copy.index, copy.index_size);
	memset(again.vol, 0, again.vol_size);
	memset(&again.idx, 0, sizeof(again.idx));
	if (kp_index_attach(&again.idx, again.index, again.index_size, again.base, again.frames,
			    SHIFT, again.vol, again.cpus) ||
	    kp_index_restore(&again.idx, NULL) || kp_index_validate(&again.idx))
		wrong = "stopped while it restored";
	for (u32 i = 0; i < nr_held && !wrong; i++) {
		struct kp_extent ext;

		if ((int)i != doomed &&
		    (kp_index_find(&again.idx, held[i].frame, &ext) || !is_held(&ext, i)))
			wrong = "lost by a stopped restore";
	}
	stops++;
	inside = false;
}

void record_lock(void)
{
	epoch++;
}

void record_store(void *p, u64 word, bool release)
{
	if (restoring && release)
		stopped_restore();
	if (!under_way || (u8 *)p < (u8 *)world.index ||
	    (u8 *)p >= (u8 *)world.index + world.index_size)
		return;
	if (nr_events == EVENTS) {
		wrong = "more stores than there is room for";
		return;
	}
	events[nr_events++] = (struct event){
		.n = (__le64 *)p - (__le64 *)world.index, .word = word, .epoch = epoch,
		.release = release && !no_order,
	};
}

void *record_memset(void *p, int c, size_t n)
{
	for (size_t i = 0; i + 8 <= n; i += 8)
		record_store((u8 *)p + i, c * 0x0101010101010101UL, false);
	return (memset)(p, c, n);
}

static void begin(void)
{
	memcpy(before, world.index, world.index_size);
	nr_events = 0;
	under_way = true;
}

/* Has a store-release to the word of @e not been seen yet, though it came before? */
static bool overtakes_itself(u32 from, u32 e)
{
	for (u32 i = from; i < e; i++)
		if (events[i].release && events[i].n == events[e].n)
			return true;
	return false;
}

/* What all stores before @stop have made, and of the plain ones around it those @chosen. */
static void stop_at(u32 stop, u32 set)
{
	u32 next = stop, may = 0;

	for (u32 i = 0; i < stop; i++)
		image[events[i].n] = events[i].word;
	while (next < nr_events && !events[next].release)
		next++;
	/* From the store-release at @next on, up to the next lock. */
	for (u32 i = stop; i < nr_events; i++) {
		struct event *e = &events[i];

		if (i > next && e->epoch != events[next].epoch)
			break;
		if (e->release || overtakes_itself(next, i))
			continue;
		may++;
		if (set == 1 || (set > 1 && rnd(2)))
			image[e->n] = e->word;
	}
	if (set && !may)
		return;
	reordered += !!set;
	stops++;
	wrong = take_over();
}

static void end(void)
{
	under_way = false;
	for (u32 stop = 0; stop <= nr_events && !wrong; stop++) {
		/* All before a store-release have been seen with it. */
		if (stop && !events[stop - 1].release)
			continue;
		for (u32 set = 0; set < 2 + SETS && !wrong; set++) {
			memcpy(image, before, world.index_size);
			stop_at(stop, set);
		}
	}
}

static void one_alloc(void)
{
	static const u64 sizes[] = { 1, 2, 3, 63, 64, 65, 130, 511, MIB2, MIB2 + 1, 3 * MIB2,
				     40 * MIB2, GIB, GIB + MIB2 };
	struct kp_request req = {
		.frames = sizes[rnd(rnd(4) ? 8 : ARRAY_SIZE(sizes))],
		.align = rnd(4) ? 1 : 1ULL << rnd(12),
		.owner = 1 + rnd(2),
		.clear = !rnd(4),
	};
	struct extent e = { .frames = req.frames, .owner = req.owner };
	int ret;

	if (nr_held == MAX)
		return;
	if (!rnd(3)) {
		snprintf(e.name, sizeof(e.name), "n%llu", (unsigned long long)operations);
		req.name = e.name;
	}
	adding = req;
	begin();
	ret = whole_alloc(&world.idx, world.idx.pcpu, &req, &e.frame);
	if (!ret && req.clear && req.frames >= MIB2)
		ret = whole_confirm(&world.idx, world.idx.pcpu, e.frame);
	end();
	adding.frames = 0;
	if (!ret)
		held[nr_held++] = e;
	else if (ret != -ENOMEM && ret != -ENOSPC)
		wrong = "alloc";
}

static void one_free(void)
{
	struct extent e;

	if (!nr_held)
		return;
	doomed = rnd(nr_held);
	e = held[doomed];
	begin();
	if (whole_free(&world.idx, world.idx.pcpu, e.frame, e.frames, e.owner))
		wrong = "free";
	end();
	held[doomed] = held[--nr_held];
	doomed = -1;
}

/* In an extent, next to the last one, or anywhere. */
static void one_error(void)
{
	u64 frame = rnd(world.frames), next;

	if (nr_errors == BAD)
		return;
	if (nr_held && rnd(2))
		frame = held[rnd(nr_held)].frame;
	else if (nr_errors && rnd(2))
		frame = min(errors[nr_errors - 1] + 1, world.frames - 1);
	next = frame;
	if (kp_bad_next(&world.idx, &next) && next == frame)
		return;
	errors[nr_errors++] = frame;
	begin();
	if (kp_index_bad(&world.idx, frame))
		wrong = "memory error";
	end();
	nr_recorded = nr_errors;
}

static bool run(u64 base, u64 frames, u64 steps)
{
	nr_held = 0;
	nr_errors = 0;
	nr_recorded = 0;
	stops = 0;
	reordered = 0;
	region_init(&world, base, frames, 1);
	region_init(&copy, base, frames, 1);
	region_init(&again, base, frames, 1);
	image = pages(world.index_size);
	before = pages(world.index_size);
	for (operations = 0; operations < steps && !wrong; operations++) {
		bool grow = operations / 400 % 2;

		if (!rnd(steps / BAD))
			one_error();
		else if (rnd(10) < (grow ? 7 : 4))
			one_alloc();
		else
			one_free();
		/* The next kernel continues with it: its index is the world's too. */
		if (!wrong && !rnd(200)) {
			if (region_restore(&world, NULL))
				wrong = "restore of the world";
			for (u32 i = 0; !wrong && i < nr_held; i++)
				kp_index_claim(&world.idx, world.idx.pcpu, held[i].frame,
					       held[i].frames, held[i].owner);
		}
	}
	if (wrong && !no_order)
		printf("# %s, at operation %llu, stop %llu\n", wrong,
		       (unsigned long long)operations, (unsigned long long)stops);
	printf("# %llu operations, stopped %llu times, %llu of them reordered\n",
	       (unsigned long long)operations, (unsigned long long)stops,
	       (unsigned long long)reordered);
	munmap(image, world.index_size);
	munmap(before, world.index_size);
	region_exit(&world);
	region_exit(&copy);
	region_exit(&again);
	CHECK(!wrong);
	CHECK(stops > steps / 2);
	CHECK(nr_errors);
	return true;
}

static bool small_region(void)
{
	return run(64 * MIB2, 16 * MIB2, 10000);
}

static bool several_areas(void)
{
	return run(GIB - 8 * MIB2, 2 * GIB + 16 * MIB2, 2000);
}

/* Without the order of the stores something must go wrong, or this test sees nothing. */
static bool order_matters(void)
{
	bool fine;

	no_order = true;
	fine = run(64 * MIB2, 16 * MIB2, 2000);
	no_order = false;
	CHECK(!fine);
	wrong = NULL;
	return true;
}

/* Owners are written in one step too. */
static bool owners(void)
{
	char name[] = "? is of thirty-one bytes in all";

	region_init(&world, 0, 16 * MIB2, 1);
	region_init(&copy, 0, 16 * MIB2, 1);
	region_init(&again, 0, 16 * MIB2, 1);
	image = pages(world.index_size);
	before = pages(world.index_size);
	nr_held = 0;
	nr_errors = 0;
	nr_recorded = 0;
	stops = 0;
	for (int i = 3; i < KHO_POOL_OWNERS; i++) {
		name[0] = 'A' + i;
		begin();
		CHECK_EQ(kp_owner_set(&world.idx, world.idx.pcpu, i, name), 0);
		end();
		CHECK(!wrong);
	}
	CHECK(stops > 100);
	region_exit(&world);
	region_exit(&copy);
	region_exit(&again);
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "small_region", small_region },
		{ "several_areas", several_areas },
		{ "owners", owners },
		{ "order_matters", order_matters },
	};

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (u64)time(NULL);
	seed = seed ?: 1;
	printf("# seed %llu\n", (unsigned long long)seed);
	return run_tests(tests, ARRAY_SIZE(tests));
}
