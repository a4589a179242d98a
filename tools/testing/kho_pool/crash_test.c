// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stop the world after every single store to the persistent index, take the
 * index over from what is there, and see that nothing is lost, nothing is
 * handed out twice, and the operation that was under way has either not
 * happened or happened.
 *
 * There is memory behind the index, a word for each frame.  Whatever happens, an extent
 * keeps what its owner wrote there, and one that was to be cleared is never seen before
 * it is, neither by the next kernel nor by those who allocate from it.
 *
 * Stores are recorded and played back as the memory model of arm64 lets others
 * see them, which includes what x86 does: a store-release comes after all
 * stores before it; plain stores come in any order, but after the last lock
 * that was taken before them and before the next store-release.  So a plain
 * store may also overtake store-releases before it, back to that lock.
 *
 * crash.h, which is included before everything here and in the index, has the
 * stores recorded.
 *
 *	crash_test [SEED]	1 unless said, so that each run sees the same
 */
/* A frame is one word. */
#define SHIFT	3

#include "random.h"
#include "region.h"
#include "test.h"

#define MAX	512
#define EVENTS	4096
/* Sets of plain stores that are tried at each stop, besides none and all. */
#define SETS	3
/* Bad frames that there may be: they are never good again. */
#define BAD	6
/* Memory is cleared in so many pieces; each may be seen before the others. */
#define PIECES	4
/* Owners from this one on come and go. */
#define GUESTS	3

struct extent {
	u64 frame, frames;
	u8 owner;
	char name[24];
};

static struct region world, copy, again;
static struct extent held[MAX];
static u32 nr_held, *held_at;	/* by frame, plus one */
/*
 * The operation under way: it adds an extent, unless it only begins to, or takes
 * held[doomed] away; or it does both, to one and the same extent.
 */
static struct kp_request adding;
static int doomed = -1;
static bool never, both;
static bool under_way, restoring;
/* Memory errors so far; the last one may be under way. */
static u64 errors[BAD];
static u32 nr_errors, nr_recorded;
/* Owners' names; that of @changing is this one, or there is none. */
static char owners[KHO_POOL_OWNERS][KHO_POOL_OWNER_MAX];
static u8 changing;
static u64 seed, stops, reordered, operations, late_seals;
static const char *wrong;

static struct event {
	u64 n, word;		/* the @n-th word of the index becomes @word */
	u64 frames;		/* or so many frames from @n on are cleared */
	u32 epoch;
	bool release;
} events[EVENTS];
static u32 nr_events, epoch;
static bool no_order;		/* as if no store were a store-release */
static __le64 *image, *before;	/* what the next kernel gets; at the operation's begin */
/* The memory: as it is; as owners wrote it; as the next kernel gets it */
static u64 *memory, *mine, *memory_image;
/* What the next kernel and its owners changed there */
static struct { u64 frame, frames; } cleared[EVENTS];
static u32 nr_cleared;

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

static void hold(const struct extent *e)
{
	static u64 word;

	held_at[e->frame] = nr_held + 1;
	held[nr_held++] = *e;
	/* Its owner uses it. */
	for (u64 f = e->frame; f < e->frame + e->frames; f++) {
		mine[f] = ++word;
		memory[f] = word;
		memory_image[f] = word;
	}
}

static void let_go(u32 i)
{
	held_at[held[i].frame] = 0;
	held[i] = held[--nr_held];
	if (i < nr_held)
		held_at[held[i].frame] = i + 1;
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

static bool is_cleared(u64 frame, u64 frames)
{
	for (u64 f = frame; f < frame + frames; f++)
		if (memory_image[f])
			return false;
	return true;
}

/* Of long extents the first and the last block and one more are looked at. */
static bool is_intact(const struct extent *e)
{
	u64 at[] = { 0, e->frames - MIB2, 0 };

	if (e->frames <= 4 * MIB2)
		return !memcmp(&memory_image[e->frame], &mine[e->frame], e->frames << SHIFT);
	at[2] = rnd(e->frames - MIB2);
	for (u32 i = 0; i < ARRAY_SIZE(at); i++)
		if (memcmp(&memory_image[e->frame + at[i]], &mine[e->frame + at[i]],
			   MIB2 << SHIFT))
			return false;
	return true;
}

static bool owners_are_there(const struct kp_index *idx)
{
	for (u8 i = 1; i < KHO_POOL_OWNERS; i++) {
		const char *name = idx->owners[i].name;

		if (i == changing && !memchr_inv(name, 0, KHO_POOL_OWNER_MAX))
			continue;
		if (memcmp(name, owners[i], KHO_POOL_OWNER_MAX))
			return false;
	}
	return true;
}

/* What does the next kernel find? */
static const char *look(struct kp_index *idx)
{
	struct kp_extent ext;
	u32 found = 0, added = 0;
	u64 pos = 0, bad = 0;

	if (kp_index_validate(idx))
		return "validate";
	for (u32 i = 0; i < nr_recorded; i++)
		if (!is_bad(idx, errors[i]))
			return "a bad frame is forgotten";
	for (u64 frame = 0; kp_bad_next(idx, &frame); frame++)
		bad++;
	if (bad > nr_errors)
		return "a good frame is bad";
	if (!owners_are_there(idx))
		return "an owner is lost";
	while (whole_next(idx, &pos, &ext)) {
		u32 i = held_at[ext.frame];

		if (i && is_held(&ext, i - 1)) {
			found++;
			if (!is_intact(&held[i - 1]))
				return "an extent has lost its contents";
			continue;
		}
		/* Not held: it can only be the one that is being added. */
		added++;
		if (!adding.frames || never || ext.frames != adding.frames ||
		    ext.owner != adding.owner || strcmp(ext.name, adding.name ?: ""))
			return "an extent that no one asked for";
		if (adding.clear && !is_cleared(ext.frame, ext.frames))
			return "an extent was to be cleared";
		if (both && (ext.frame != held[doomed].frame || !is_intact(&held[doomed])))
			return "an extent has changed more than its owner";
	}
	if (added > 1)
		return "added twice";
	if (found != nr_held && !(doomed >= 0 && found == nr_held - 1))
		return "an extent is lost";
	if (doomed >= 0 && found == nr_held - 1 &&
	    !kp_index_find(idx, held[doomed].frame, &ext) && is_held(&ext, doomed))
		return "another extent is lost";
	if (both && found + added != nr_held)
		return "an extent is neither the one nor the other";
	return NULL;
}

/* The next kernel goes on: what is had from it is cleared, and nobody else's. */
static const char *use(struct kp_index *idx)
{
	struct kp_request req = {
		.frames = rnd(8) ? 1 + rnd(MIB2 - 1) : MIB2 * (1 + rnd(2)), .align = 1,
		.owner = 1 + rnd(2), .clear = true,
	};
	struct kp_extent ext;
	u64 frame, pos = 0;
	bool gone;
	int ret;

	gone = doomed >= 0 && (kp_index_find(idx, held[doomed].frame, &ext) ||
			       !is_held(&ext, doomed));
	ret = whole_alloc(idx, idx->pcpu, &req, &frame);
	if (ret == -ENOMEM)
		return NULL;
	if (!ret && req.frames >= MIB2) {
		if (!kp_index_find(idx, frame, &ext))
			return "the next kernel shows what is not cleared";
		memset(&memory_image[frame], 0, req.frames << SHIFT);
		ret = whole_confirm(idx, idx->pcpu, frame);
	}
	if (ret || kp_index_find(idx, frame, &ext) || ext.frames != req.frames)
		return "the next kernel cannot allocate";
	if (!is_cleared(frame, req.frames))
		return "the next kernel does not clear";
	while (whole_next(idx, &pos, &ext)) {
		u32 i = held_at[ext.frame];

		if (i && is_held(&ext, i - 1) && !is_intact(&held[i - 1]) &&
		    !(gone && i - 1 == doomed))
			return "the next kernel takes another's memory";
	}
	return NULL;
}

/* As it was before the next kernel */
static void undo_cleared(void)
{
	for (; nr_cleared; nr_cleared--) {
		u64 frame = cleared[nr_cleared - 1].frame;

		for (u64 f = frame; f < frame + cleared[nr_cleared - 1].frames; f++)
			memory_image[f] = memory[f];
	}
}

/* What is in copy.index becomes the next kernel's. */
static const char *attach_copy(const u64 *csum)
{
	int ret;

	memset(copy.vol, 0, copy.vol_size);
	memset(&copy.idx, 0, sizeof(copy.idx));
	copy.idx.mem = memory_image;
	if (kp_index_attach(&copy.idx, copy.index, copy.index_size, copy.base, copy.frames, SHIFT,
			    copy.vol, copy.cpus))
		return "attach";
	restoring = true;
	ret = kp_index_restore(&copy.idx, csum);
	restoring = false;
	return ret ? "restore" : NULL;
}

static const char *take_over(void)
{
	memcpy(copy.index, image, world.index_size);
	return attach_copy(NULL) ?: look(&copy.idx) ?: use(&copy.idx);
}

/* A seal at this moment vouches for what is there, and the next kernel believes it. */
static const char *sealed(void)
{
	u64 csum;

	if (!kp_index_seal(&world.idx, &csum, 1))
		return "seal";
	memcpy(copy.index, world.index, world.index_size);
	return attach_copy(&csum) ?: look(&copy.idx);
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
	    kp_index_restore(&again.idx, NULL))
		wrong = "stopped while it restored";
	else
		wrong = look(&again.idx);
	stops++;
	inside = false;
}

void record_lock(void)
{
	epoch++;
}

static void record(struct event event)
{
	if (nr_events == EVENTS) {
		wrong = "more stores than there is room for";
		return;
	}
	event.epoch = epoch;
	events[nr_events++] = event;
}

void record_store(void *p, u64 word, bool release)
{
	if (restoring && release)
		stopped_restore();
	if (!under_way || (u8 *)p < (u8 *)world.index ||
	    (u8 *)p >= (u8 *)world.index + world.index_size)
		return;
	record((struct event){
		.n = (__le64 *)p - (__le64 *)world.index, .word = word,
		.release = release && !no_order,
	});
}

static bool is_in(const u64 *of, const void *p, u64 *frame)
{
	*frame = (const u64 *)p - of;
	return of && (const u64 *)p >= of && *frame < world.frames;
}

void *record_memset(void *p, int c, size_t n)
{
	u64 frame;

	if (under_way && is_in(memory, p, &frame)) {
		/* It becomes so in end(). */
		for (u64 end = frame + (n >> SHIFT), i = PIECES; i; i--) {
			u64 frames = (end - frame) / i;

			if (frames)
				record((struct event){ .n = frame, .frames = frames });
			frame += frames;
		}
		return p;
	}
	if (is_in(memory_image, p, &frame)) {
		cleared[nr_cleared].frame = frame;
		cleared[nr_cleared++].frames = n >> SHIFT;
	}
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

static void play(const struct event *e)
{
	if (e->frames)
		memset(&memory_image[e->n], 0, e->frames << SHIFT);
	else
		image[e->n] = e->word;
}

/* What all stores before @stop have made, and of the plain ones around it those @chosen. */
static void stop_at(u32 stop, u32 set)
{
	u32 next = stop, may = 0;

	for (u32 i = 0; i < stop; i++)
		play(&events[i]);
	while (next < nr_events && !events[next].release)
		next++;
	/* From the store-release at @next on, up to the next lock. */
	for (u32 i = stop; i < nr_events; i++) {
		struct event *e = &events[i];

		if (i > next && e->epoch != events[next].epoch)
			break;
		if (e->release || (!e->frames && overtakes_itself(next, i)))
			continue;
		may++;
		if (set == 1 || (set > 1 && rnd(2)))
			play(e);
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
			undo_cleared();
		}
	}
	for (u32 i = 0; i < nr_events; i++) {
		for (u64 f = events[i].n; f < events[i].n + events[i].frames; f++) {
			memory[f] = 0;
			memory_image[f] = 0;
		}
	}
	if (!wrong && kp_index_validate(&world.idx))
		wrong = "validate in this kernel";
}

/* What becomes of an extent that has to be cleared */
enum how { CONFIRM, CONFIRM_TOO, DROP, CONFIRM_LATE, DROP_LATE, HOWS };

static int settle(struct kp_alloc *alloc, enum how how)
{
	struct kp_pcpu *pcpu = world.idx.pcpu;
	struct kp_rest rest = {};
	int ret = -ESHUTDOWN;

	memset(&memory[alloc->frame], 0, alloc->req->frames << SHIFT);
	if (how >= CONFIRM_LATE) {
		wrong = wrong ?: sealed();
		late_seals++;
	}
	if (how == DROP || how == DROP_LATE)
		kp_index_drop(&world.idx, pcpu, alloc, &rest);
	else
		ret = kp_index_confirm(&world.idx, pcpu, alloc);
	whole_rest(&world.idx, pcpu, &rest);
	if (how >= CONFIRM_LATE)
		whole_unseal(&world.idx, pcpu);
	return ret;
}

static void one_alloc(void)
{
	static const u64 sizes[] = { 1, 2, 3, 63, 64, 65, 130, 511, MIB2, MIB2 + 1, 3 * MIB2,
				     40 * MIB2, GIB, GIB + MIB2 };
	struct kp_request req = {
		.frames = sizes[rnd(rnd(4) ? 8 : ARRAY_SIZE(sizes))],
		.align = rnd(4) ? 1 : 1ULL << rnd(12),
		.owner = 1 + rnd(2),
		.clear = !rnd(3),
	};
	enum how how = rnd(HOWS);
	struct kp_alloc alloc;
	struct extent e;
	int ret;

	if (nr_held == MAX)
		return;
	if (!rnd(8) && owners[GUESTS + 1][0])
		req.owner = GUESTS + 1;
	e = (struct extent){ .frames = req.frames, .owner = req.owner };
	if (!rnd(3)) {
		snprintf(e.name, sizeof(e.name), "n%llu", (unsigned long long)operations);
		req.name = e.name;
	}
	adding = req;
	never = req.clear && how > CONFIRM_TOO;
	begin();
	kp_begin_alloc(&alloc, &req);
	do
		ret = kp_index_alloc(&world.idx, world.idx.pcpu, &alloc);
	while (ret == -EAGAIN);
	if (!ret && alloc.unconfirmed != req.clear)
		wrong = "not cleared";
	e.frame = alloc.frame;
	if (!ret && req.clear)
		ret = settle(&alloc, how);
	end();
	if (!ret)
		hold(&e);
	else if (ret != -ENOMEM && ret != -ENOSPC && !(never && ret == -ESHUTDOWN))
		wrong = "alloc";
	if (!wrong && !ret == never && ret != -ENOMEM)
		wrong = "confirmed though it is not wanted";
	adding.frames = 0;
	never = false;
}

static void one_free(void)
{
	struct kp_extent ext;
	struct extent e;
	int ret;

	if (!nr_held)
		return;
	doomed = rnd(nr_held);
	e = held[doomed];
	ret = kp_index_find(&world.idx, e.frame, &ext);
	begin();
	if (!ret && ext.unclaimed && rnd(2))
		ret = whole_release(&world.idx, world.idx.pcpu, e.frame, e.frames, e.owner);
	else if (!ret)
		ret = whole_free(&world.idx, world.idx.pcpu, e.frame, e.frames, e.owner);
	if (ret)
		wrong = "free";
	end();
	let_go(doomed);
	doomed = -1;
}

static void one_assign(void)
{
	struct extent *e;
	u8 to = 1 + rnd(2);

	if (!nr_held)
		return;
	doomed = rnd(nr_held);
	e = &held[doomed];
	if (e->frames >= MIB2 && e->owner != to) {
		adding = (struct kp_request){ .frames = e->frames, .owner = to, .name = e->name };
		both = true;
		begin();
		if (kp_index_assign(&world.idx, world.idx.pcpu, e->frame, e->frames, e->owner, to))
			wrong = "assign";
		end();
		e->owner = to;
		both = false;
		adding.frames = 0;
	}
	doomed = -1;
}

/* An owner comes, or one goes that has no extents. */
static void one_owner(u8 i)
{
	bool comes = !owners[i][0];

	for (u32 j = 0; j < nr_held; j++)
		if (held[j].owner == i)
			return;
	changing = i;
	if (comes)
		snprintf(owners[i], sizeof(owners[i]), "%c is of thirty-one bytes in all", 'A' + i);
	begin();
	if (!comes)
		kp_owner_clear(&world.idx, world.idx.pcpu, i);
	else if (kp_owner_set(&world.idx, world.idx.pcpu, i, owners[i]))
		wrong = "owner";
	end();
	changing = 0;
	if (!comes)
		memset(owners[i], 0, sizeof(owners[i]));
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

static void make_world(u64 base, u64 frames)
{
	nr_held = 0;
	nr_errors = 0;
	nr_recorded = 0;
	stops = 0;
	reordered = 0;
	late_seals = 0;
	region_init(&world, base, frames, 1);
	region_init(&copy, base, frames, 1);
	region_init(&again, base, frames, 1);
	image = pages(world.index_size);
	before = pages(world.index_size);
	held_at = pages(frames * sizeof(*held_at));
	memory = pages(frames << SHIFT);
	mine = pages(frames << SHIFT);
	memory_image = pages(frames << SHIFT);
	/* Whoever had it before has left something there. */
	for (u64 f = 0; f < frames; f++) {
		memory[f] = ~f;
		memory_image[f] = ~f;
	}
	memset(owners, 0, sizeof(owners));
	strcpy(owners[1], "one");
	strcpy(owners[2], "two");
}

static void end_world(void)
{
	munmap(image, world.index_size);
	munmap(before, world.index_size);
	munmap(held_at, world.frames * sizeof(*held_at));
	munmap(memory, world.frames << SHIFT);
	munmap(mine, world.frames << SHIFT);
	munmap(memory_image, world.frames << SHIFT);
	memory = NULL;
	memory_image = NULL;
	region_exit(&world);
	region_exit(&copy);
	region_exit(&again);
}

/* The next kernel continues with it: its index is the world's too.  Some owners are back. */
static void next_kernel(void)
{
	if (region_restore(&world, NULL))
		wrong = "restore of the world";
	for (u32 i = 0; !wrong && i < nr_held; i++)
		if (rnd(2))
			kp_index_claim(&world.idx, world.idx.pcpu, held[i].frame,
				       held[i].frames, held[i].owner);
}

static bool run(u64 base, u64 frames, u64 steps)
{
	make_world(base, frames);
	for (operations = 0; operations < steps && !wrong; operations++) {
		bool grow = operations / 400 % 2;

		if (!rnd(steps / BAD))
			one_error();
		else if (!rnd(20))
			one_owner(GUESTS + rnd(4));
		else if (!rnd(20))
			one_assign();
		else if (rnd(10) < (grow ? 7 : 4))
			one_alloc();
		else
			one_free();
		if (!wrong && kp_index_extents(&world.idx) != nr_held)
			wrong = "extents are not as many as they are";
		if (!wrong && !rnd(200))
			next_kernel();
	}
	if (wrong && !no_order)
		printf("# %s, at operation %llu, stop %llu\n", wrong,
		       (unsigned long long)operations, (unsigned long long)stops);
	printf("# %llu operations, stopped %llu times, %llu of them reordered\n",
	       (unsigned long long)operations, (unsigned long long)stops,
	       (unsigned long long)reordered);
	end_world();
	CHECK(!wrong);
	CHECK(stops > steps / 2);
	CHECK(late_seals > steps / 200);
	CHECK(nr_errors);
	return true;
}

static bool small_region(void)
{
	return run(64 * MIB2, 16 * MIB2, 5000);
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

/* Owners come and go in one step too, whoever else is there. */
static bool all_owners(void)
{
	make_world(0, 16 * MIB2);
	for (int round = 0; round < 2; round++) {
		for (u8 i = GUESTS; i < KHO_POOL_OWNERS; i++) {
			one_owner(i);
			CHECK(!wrong);
			CHECK(!!owners[i][0] != round);
		}
	}
	CHECK(stops > 200);
	end_world();
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "small_region", small_region },
		{ "several_areas", several_areas },
		{ "all_owners", all_owners },
		{ "order_matters", order_matters },
	};

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	seed = seed ?: 1;
	printf("# seed %llu\n", (unsigned long long)seed);
	return run_tests(tests, ARRAY_SIZE(tests));
}
