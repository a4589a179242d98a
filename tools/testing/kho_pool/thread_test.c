// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several CPUs on one index, under ThreadSanitizer: as many as this machine has, or more.
 *
 *	thread_test [SEED [THREADS]]
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "random.h"
#include "region.h"
#include "test.h"

/* There are always so many. */
#define FEW	4U
#define HELD	128

static struct region r;
static u32 threads;
static u16 *taken;		/* one a frame, set by its owner */
static bool stop_early;		/* the first seal is the end */

struct held {
	u64 frame, frames;
	u8 owner;
	bool restored;		/* and not claimed since */
	char name[24];
};

struct worker {
	pthread_t thread;
	u32 cpu;
	u64 seed, done;
	struct held held[HELD];
	const char *wrong;
};

static struct worker *workers;

static struct kp_pcpu *pcpu_of(const struct worker *w)
{
	return &r.idx.pcpu[w->cpu];
}

static u64 rnd(struct worker *w, u64 below)
{
	return random_below(&w->seed, below);
}

static const char *name_of(const struct held *h)
{
	return h->name[0] ? h->name : NULL;
}

/* Of the first and every 64th frame, and what was there before. */
static bool mark(const struct held *h, u16 before, u16 after)
{
	bool fine = true;

	for (u64 f = 0; f < h->frames; f += 64)
		if (__atomic_exchange_n(&taken[h->frame + f], after, __ATOMIC_RELAXED) != before)
			fine = false;
	return fine;
}

static int allocate(struct worker *w, struct held *h, u32 i)
{
	struct kp_request req = {
		.frames = 1 + rnd(w, 4), .align = 1, .owner = 1 + rnd(w, 2), .clear = !rnd(w, 8),
	};
	struct kp_alloc alloc;
	struct kp_rest rest;
	int ret;

	if (!rnd(w, 8))
		req.frames = MIB2 * (1 + rnd(w, 4));
	if (!rnd(w, 200))
		req.frames = GIB + rnd(w, GIB);
	*h = (struct held){ .frames = req.frames, .owner = req.owner };
	if (!rnd(w, 8)) {
		snprintf(h->name, sizeof(h->name), "%u-%u", w->cpu, i);
		req.name = h->name;
	}
	kp_begin_alloc(&alloc, &req);
	do
		ret = kp_index_alloc(&r.idx, pcpu_of(w), &alloc);
	while (ret == -EAGAIN);
	h->frame = alloc.frame;
	if (!ret && alloc.unconfirmed) {
		/* Memory is cleared, which takes time; a seal may come in between. */
		sched_yield();
		if (rnd(w, 4)) {
			ret = kp_index_confirm(&r.idx, pcpu_of(w), &alloc);
		} else {
			kp_index_drop(&r.idx, pcpu_of(w), &alloc, &rest);
			whole_rest(&r.idx, pcpu_of(w), &rest);
			ret = -ENOMEM;
		}
	}
	if (!ret && !mark(h, 0, 1 + w->cpu))
		w->wrong = "was not free";
	if (ret)
		h->frames = 0;
	return ret == -ENOMEM || ret == -ENOSPC ? 0 : ret;
}

static int give_back(struct worker *w, struct held *h)
{
	int ret = -EBUSY;

	if (!mark(h, 1 + w->cpu, 0))
		w->wrong = "handed out twice";
	if (h->restored)
		ret = whole_release(&r.idx, pcpu_of(w), h->frame, h->frames, h->owner);
	/* Somebody has claimed another one in its block. */
	if (ret == -EBUSY)
		ret = whole_free(&r.idx, pcpu_of(w), h->frame, h->frames, h->owner);
	if (ret)
		mark(h, 0, 1 + w->cpu);
	else
		h->frames = 0;
	return ret;
}

static int assign(struct worker *w, struct held *h)
{
	u8 to = 3 - h->owner;
	int ret;

	if (h->frames < MIB2)
		return 0;
	ret = kp_index_assign(&r.idx, pcpu_of(w), h->frame, h->frames, h->owner, to);
	if (!ret)
		h->owner = to;
	return ret;
}

static int claim(struct worker *w, struct held *h)
{
	int ret = kp_index_claim(&r.idx, pcpu_of(w), h->frame, h->frames, h->owner);
	bool alone = h->frames >= MIB2 || h->name[0];

	if (ret == -EALREADY && !(h->restored && alone))
		ret = 0;
	else if (!ret && !h->restored)
		w->wrong = "claimed twice";
	h->restored = false;
	return ret;
}

/* It is there as its owner knows it, by its name too. */
static int look_up(struct worker *w, const struct held *h)
{
	struct kp_extent ext;
	u64 frame;
	int ret = kp_index_find(&r.idx, h->frame, &ext);

	if (ret)
		return ret;
	if (ext.frames != h->frames || ext.owner != h->owner || strcmp(ext.name, h->name))
		w->wrong = "found another one";
	if (!h->name[0])
		return 0;
	ret = kp_name_find(&r.idx, h->name, &frame);
	if (!ret && frame != h->frame)
		w->wrong = "the name is another one's";
	return ret;
}

/* Extents of all threads, and their names */
static int walk(struct worker *w)
{
	u64 frame = rnd(w, r.frames), before = frame, found;
	struct kp_extent ext;

	for (u32 i = 0; i < 8 && whole_next(&r.idx, &frame, &ext); i++) {
		if (ext.frame < before || !ext.frames || ext.frame + ext.frames > r.frames ||
		    frame != ext.frame + ext.frames)
			w->wrong = "walked astray";
		before = frame;
		/* It may be gone by now. */
		if (ext.name[0] && !kp_name_find(&r.idx, ext.name, &found) && found >= r.frames)
			w->wrong = "a name of nothing";
	}
	return 0;
}

/* Sums, which others change meanwhile */
static int count(struct worker *w)
{
	struct kp_stat_at at = { .area = rnd(w, r.idx.nr_areas) };
	struct kp_stat stat = {};

	kp_index_stat(&r.idx, &stat, &at);
	if (stat.free_blocks > 4 * KHO_POOL_AREA_BLOCKS || stat.largest > r.frames ||
	    (s64)kp_index_extents(&r.idx) < 0 || (s64)kp_index_used(&r.idx) < 0)
		w->wrong = "a sum is wrong";
	return 0;
}

/* Owners that come and go, one for each thread as far as there are slots */
static int be_owner(struct worker *w)
{
	u8 owner = 3 + w->cpu;
	char name[16];

	if (owner >= KHO_POOL_OWNERS)
		return 0;
	snprintf(name, sizeof(name), "o%u", owner);
	if (rnd(w, 2))
		return kp_owner_set(&r.idx, pcpu_of(w), owner, name);
	kp_owner_clear(&r.idx, pcpu_of(w), owner);
	return 0;
}

static int one_step(struct worker *w, u32 i)
{
	struct held *h = &w->held[rnd(w, HELD)];

	if (!rnd(w, 64))
		return be_owner(w);
	if (!rnd(w, 16))
		return rnd(w, 4) ? walk(w) : count(w);
	if (!h->frames)
		return allocate(w, h, i);
	switch (rnd(w, 8)) {
	case 0:
		return assign(w, h);
	case 1:
		return claim(w, h);
	case 2:
		return look_up(w, h);
	default:
		return give_back(w, h);
	}
}

static void *work(void *data)
{
	struct worker *w = data;

	for (u32 i = 0; i < 20000 && !w->wrong; i++) {
		int ret = one_step(w, i);

		if (ret == -ESHUTDOWN && stop_early)
			break;
		/* Sealed; it will not be for long. */
		if (ret == -ESHUTDOWN)
			sched_yield();
		else if (ret)
			w->wrong = strerror(-ret);
		w->done += !ret;
	}
	return NULL;
}

/* Half of what each thread can hold is from the kernel before. */
static bool prepare(u64 base, u64 frames)
{
	/* One CPU more, for what is done from outside */
	region_init(&r, base, frames, threads + 1);
	taken = calloc(r.frames, sizeof(*taken));
	workers = calloc(threads, sizeof(*workers));
	for (u32 slot = 0; slot < HELD / 2; slot++) {
		for (u32 i = 0; i < threads; i++) {
			struct worker *w = &workers[i];
			struct held *h = &w->held[slot];

			*h = (struct held){
				.frames = slot % 4 ? 1 + slot % 3 : MIB2,
				.owner = 1 + slot / 8 % 2, .restored = true,
			};
			w->cpu = i;
			w->seed = 0x9e3779b97f4a7c15ULL * (i + 1);
			if (slot % 8 < 2)
				snprintf(h->name, sizeof(h->name), "%u+%u", i, slot);
			CHECK_EQ(get(&r, h->frames, 1, h->owner, name_of(h), &h->frame), 0);
			CHECK(mark(h, 0, 1 + i));
		}
	}
	CHECK_EQ(region_restore(&r, NULL), 0);
	return true;
}

static void run(void *(*what)(void *data))
{
	for (u32 i = 0; i < threads; i++)
		pthread_create(&workers[i].thread, NULL, what, &workers[i]);
}

static bool join(void)
{
	for (u32 i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	for (u32 i = 0; i < threads; i++) {
		if (workers[i].wrong)
			printf("# thread %u: %s\n", i, workers[i].wrong);
		CHECK(!workers[i].wrong);
	}
	return true;
}

/* All that the threads hold is there, and nothing else. */
static bool all_is_there(void)
{
	u64 nr = 0;

	for (u32 i = 0; i < threads; i++) {
		for (u32 slot = 0; slot < HELD; slot++) {
			if (!workers[i].held[slot].frames)
				continue;
			CHECK_EQ(look_up(&workers[i], &workers[i].held[slot]), 0);
			CHECK(!workers[i].wrong);
			nr++;
		}
	}
	CHECK_EQ(kp_index_extents(&r.idx), nr);
	return true;
}

static void end(void)
{
	free(taken);
	free(workers);
	region_exit(&r);
}

static bool all_at_once(void)
{
	u64 frame, bad[10];

	CHECK(prepare(3 * GIB - 64 * MIB2, max(threads, 6U) * GIB));
	run(work);
	/* Memory errors in the middle of it all */
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		usleep(1000);
		bad[i] = (11 * i + 1) * (GIB / 20) + i;
		CHECK_EQ(kp_index_bad(&r.idx, bad[i]), 0);
	}
	CHECK(join());
	for (u32 i = 0; i < threads; i++)
		CHECK(workers[i].done > 1000);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK(all_is_there());
	while (!get(&r, MIB2, 1, 1, NULL, &frame))
		for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
			CHECK(bad[i] < frame || bad[i] >= frame + MIB2);
	CHECK_EQ(region_restore(&r, NULL), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	end();
	return true;
}

/* The sum of a seal in the middle of it all is that of the index as it is then. */
static bool sealed_in_between(void)
{
	stop_early = true;
	for (int round = 0; round < 20; round++) {
		u64 csum;

		CHECK(prepare(0, max(threads, 6U) * GIB));
		run(work);
		usleep(round * 300);
		CHECK(kp_index_seal(&r.idx, &csum, -1UL));
		CHECK(join());
		CHECK_EQ(region_restore(&r, &csum), 0);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK(all_is_there());
		end();
	}
	stop_early = false;
	return true;
}

/*
 * The same, again and again: it is unsealed each time.  What the seal vouches for is
 * taken over meanwhile, as a copy.
 */
static bool sealed_and_back(void)
{
	struct region copy;

	CHECK(prepare(GIB - 32 * MIB2, max(threads, 6U) * GIB));
	region_init(&copy, r.base, r.frames, 1);
	run(work);
	for (u32 round = 0; round < 25; round++) {
		u64 csum;

		usleep(1000);
		CHECK(kp_index_seal(&r.idx, &csum, -1UL));
		/* Words of bad frames may be written even now. */
		for (u64 i = 0; i < r.index_size / 8; i++)
			((u64 *)copy.index)[i] = READ_ONCE(((u64 *)r.index)[i]);
		if (!(round % 8))
			CHECK_EQ(kp_index_bad(&r.idx, 7 * round * MIB2 + round), 0);
		whole_unseal(&r.idx, &r.idx.pcpu[threads]);
		CHECK_EQ(region_restore(&copy, &csum), 0);
		CHECK_EQ(kp_index_validate(&copy.idx), 0);
	}
	CHECK(join());
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK(all_is_there());
	CHECK_EQ(region_restore(&r, NULL), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK(all_is_there());
	region_exit(&copy);
	end();
	return true;
}

/* While memory is free, no allocation fails. */
static void *take_and_give(void *data)
{
	struct worker *w = data;

	for (u32 i = 0; i < 100000 && !w->wrong; i++) {
		struct kp_request req = { .frames = i % 3 ? MIB2 : 1, .align = 1, .owner = 1 };
		u64 frame;

		if (whole_alloc(&r.idx, &r.idx.pcpu[w->cpu], &req, &frame))
			w->wrong = "no memory";
		else if (whole_free(&r.idx, &r.idx.pcpu[w->cpu], frame, req.frames, 1))
			w->wrong = "free";
	}
	return NULL;
}

static bool never_without_reason(void)
{
	region_init(&r, 0, GIB, threads);
	taken = NULL;
	workers = calloc(threads, sizeof(*workers));
	for (u32 i = 0; i < threads; i++)
		workers[i].cpu = i;
	run(take_and_give);
	CHECK(join());
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	end();
	return true;
}

/*
 * What was refused is remembered, but never once it is free: some threads ask for more than
 * there is, and others free and allocate again.  Whoever has freed gets something soon, as
 * those who ask for more give it back at once.
 */
static void *free_and_take(void *data)
{
	struct worker *w = data;
	struct kp_pcpu *pcpu = &r.idx.pcpu[w->cpu];
	u64 seed = w->cpu + 1, frame;
	u8 owner = 1 + w->cpu % 2;

	for (u32 i = 0; i < 3000 && !w->wrong; i++) {
		struct kp_request req = { .align = 1, .owner = owner };
		u32 tries = 0;

		req.frames = random_below(&seed, 2) ? MIB2 : 1 + random_below(&seed, 600);
		while (whole_alloc(&r.idx, pcpu, &req, &frame) && tries++ < 1000000)
			sched_yield();
		if (tries > 1000000)
			w->wrong = "refused though it is free";
		else if (whole_free(&r.idx, pcpu, frame, req.frames, owner))
			w->wrong = "free";
	}
	return NULL;
}

static void *ask_for_more(void *data)
{
	struct worker *w = data;
	struct kp_pcpu *pcpu = &r.idx.pcpu[w->cpu];
	u64 seed = w->cpu + 1, frame;

	while (!__atomic_load_n(&w->done, __ATOMIC_RELAXED)) {
		struct kp_request req = { .align = 1, .owner = 1 + random_below(&seed, 2) };

		req.frames = random_below(&seed, 2) ? MIB2 * (1 + random_below(&seed, 4)) :
						      1 + random_below(&seed, MIB2);
		if (!whole_alloc(&r.idx, pcpu, &req, &frame) &&
		    whole_free(&r.idx, pcpu, frame, req.frames, req.owner))
			w->wrong = "free";
	}
	return NULL;
}

static bool refused_for_a_while(void)
{
	static struct worker w[FEW];
	u64 frame;

	/* Two threads, and room for what one of them wants */
	region_init(&r, 0, 64 * MIB2, FEW);
	for (u32 i = 0; i < 62; i++)
		CHECK_EQ(get(&r, MIB2, 1, 1, NULL, &frame), 0);
	for (u32 i = 0; i < FEW; i++) {
		w[i].cpu = i;
		pthread_create(&w[i].thread, NULL, i < 2 ? free_and_take : ask_for_more, &w[i]);
	}
	for (u32 i = 0; i < FEW; i++) {
		__atomic_store_n(&w[i].done, i > 1, __ATOMIC_RELAXED);
		pthread_join(w[i].thread, NULL);
		if (w[i].wrong)
			printf("# thread %u: %s\n", i, w[i].wrong);
		CHECK(!w[i].wrong);
	}
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 2 * MIB2, 1, 1, NULL, &frame), 0);
	region_exit(&r);
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "all_at_once", all_at_once },
		{ "sealed_in_between", sealed_in_between },
		{ "sealed_and_back", sealed_and_back },
		{ "never_without_reason", never_without_reason },
		{ "refused_for_a_while", refused_for_a_while },
	};

	/* The first argument is a seed; here the order in which threads run is chance. */
	threads = argc > 2 ? strtoul(argv[2], NULL, 0) : sysconf(_SC_NPROCESSORS_ONLN);
	threads = max(threads, FEW);
	printf("# %u threads\n", threads);
	return run_tests(tests, ARRAY_SIZE(tests));
}
