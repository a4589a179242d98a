// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stop the world after every single store to the persistent index, take the
 * index over from what is there, and see that nothing is lost, nothing is
 * handed out twice, and the operation that was under way has either not
 * happened or happened.
 */
#include <time.h>

static void stored(void *p);

/* Every persistent store is one of these; see kp_store(). */
#define smp_store_release(p, v) ({			\
	__atomic_store_n(p, v, __ATOMIC_RELEASE);	\
	stored((void *)(p));				\
})

#include "region.h"
#include "test.h"

/* The code under test, with the stores above. */
#include "../../../mm/kho_pool/bitmaps.c"
#undef WORDS
#include "../../../mm/kho_pool/blocks.c"
#include "../../../mm/kho_pool/names.c"
#include "../../../mm/kho_pool/index.c"
#include "../../../mm/kho_pool/restore.c"
#include "../../../mm/kho_pool/walk.c"
#include "../../../mm/kho_pool/validate.c"

#define MAX	512

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
static u64 seed, stops, operations;
static const char *wrong;

static u64 rnd(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

static bool is_held(const struct kp_extent *ext, u32 i)
{
	const struct extent *e = &held[i];

	return e->frame == ext->frame && e->frames == ext->frames && e->owner == ext->owner &&
	       (ext->name ? !strcmp(e->name, ext->name) : !e->name[0]);
}

/* The next kernel: what does it find? */
static const char *take_over(void)
{
	struct kp_extent ext;
	u32 found = 0, added = 0;
	u64 pos = 0;
	int ret;

	memcpy(copy.index, world.index, world.index_size);
	memset(copy.vol, 0, copy.vol_size);
	memset(&copy.idx, 0, sizeof(copy.idx));
	if (kp_index_attach(&copy.idx, copy.index, copy.index_size, copy.base, copy.frames, SHIFT,
			    copy.vol, copy.lanes))
		return "attach";
	restoring = true;
	ret = kp_index_restore(&copy.idx, NULL);
	restoring = false;
	if (ret)
		return "restore";
	if (kp_index_validate(&copy.idx))
		return "validate";
	while (kp_index_next(&copy.idx, &pos, &ext)) {
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
		    !ext.name != !adding.name ||
		    (ext.name && strcmp(ext.name, adding.name)))
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
			    SHIFT, again.vol, again.lanes) ||
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

static void stored(void *p)
{
	if (restoring)
		stopped_restore();
	if (!under_way || wrong || (u8 *)p < (u8 *)world.index ||
	    (u8 *)p >= (u8 *)world.index + world.index_size)
		return;
	under_way = false;
	wrong = take_over();
	stops++;
	under_way = true;
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
	under_way = true;
	ret = kp_index_alloc(&world.idx, world.idx.lane, &req, &e.frame);
	if (!ret && req.clear && req.frames >= MIB2)
		ret = kp_index_confirm(&world.idx, world.idx.lane, e.frame);
	under_way = false;
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
	under_way = true;
	if (kp_index_free(&world.idx, world.idx.lane, e.frame, e.frames, e.owner))
		wrong = "free";
	under_way = false;
	held[doomed] = held[--nr_held];
	doomed = -1;
}

static bool run(u64 base, u64 frames, u64 steps)
{
	nr_held = 0;
	stops = 0;
	region_init(&world, base, frames, 1);
	region_init(&copy, base, frames, 1);
	region_init(&again, base, frames, 1);
	for (operations = 0; operations < steps && !wrong; operations++) {
		bool grow = operations / 400 % 2;

		if (rnd(10) < (grow ? 7 : 4))
			one_alloc();
		else
			one_free();
		/* The next kernel goes on with it: its index is the world's too. */
		if (!wrong && !rnd(200)) {
			wrong = take_over();
			if (!wrong && region_restore(&world, NULL))
				wrong = "restore of the world";
			for (u32 i = 0; !wrong && i < nr_held; i++)
				kp_index_claim(&world.idx, world.idx.lane, held[i].frame);
		}
	}
	if (wrong)
		printf("# %s, at operation %llu, stop %llu\n", wrong,
		       (unsigned long long)operations, (unsigned long long)stops);
	printf("# %llu operations, stopped %llu times\n", (unsigned long long)operations,
	       (unsigned long long)stops);
	CHECK(!wrong);
	CHECK(stops > steps / 2);
	region_exit(&world);
	region_exit(&copy);
	region_exit(&again);
	return true;
}

static bool small_region(void)
{
	return run(64 * MIB2, 16 * MIB2, 20000);
}

static bool several_areas(void)
{
	return run(GIB - 8 * MIB2, 2 * GIB + 16 * MIB2, 4000);
}

/* Owners are written in one step too. */
static bool owners(void)
{
	char name[] = "? is of thirty-one bytes in all";

	region_init(&world, 0, 16 * MIB2, 1);
	region_init(&copy, 0, 16 * MIB2, 1);
	region_init(&again, 0, 16 * MIB2, 1);
	nr_held = 0;
	stops = 0;
	for (int i = 3; i < KHO_POOL_OWNERS; i++) {
		name[0] = 'A' + i;
		under_way = true;
		CHECK_EQ(kp_owner_set(&world.idx, world.idx.lane, i, name), 0);
		under_way = false;
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
	};

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (u64)time(NULL);
	seed = seed ?: 1;
	printf("# seed %llu\n", (unsigned long long)seed);
	return run_tests(tests, ARRAY_SIZE(tests));
}
