// SPDX-License-Identifier: GPL-2.0-only
/* Several CPUs on one index, under ThreadSanitizer. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "random.h"
#include "region.h"
#include "test.h"

#define THREADS	4
#define HELD	128

static struct region r;
static u8 *taken;		/* one byte per frame, set by its owner */
static bool stop_early;

struct worker {
	pthread_t thread;
	u32 cpu;
	u64 done;
	const char *wrong;
};

static void *work(void *data)
{
	struct { u64 frame, frames; } held[HELD] = {};
	struct worker *w = data;
	struct kp_pcpu *pcpu = &r.idx.pcpu[w->cpu];
	u64 seed = 0x9e3779b97f4a7c15ULL * (w->cpu + 1);
	u8 owner = 1 + w->cpu % 2;

	for (u32 i = 0; i < 20000 && !w->wrong; i++) {
		u32 slot = random_below(&seed, HELD);
		char name[32];
		int ret;

		if (held[slot].frames) {
			for (u64 f = 0; f < held[slot].frames; f += 64)
				if (__atomic_exchange_n(&taken[held[slot].frame + f], 0,
							__ATOMIC_RELAXED) != 1 + w->cpu)
					w->wrong = "handed out twice";
			ret = whole_free(&r.idx, pcpu, held[slot].frame, held[slot].frames,
					 owner);
			held[slot].frames = 0;
		} else {
			struct kp_request req = {
				.frames = 1 + random_below(&seed, 4), .align = 1,
				.owner = owner, .clear = !random_below(&seed, 8),
			};
			u64 frame = 0;

			if (!random_below(&seed, 8))
				req.frames = MIB2 * (1 + random_below(&seed, 4));
			if (!random_below(&seed, 200))
				req.frames = GIB + random_below(&seed, GIB);
			if (!random_below(&seed, 16)) {
				snprintf(name, sizeof(name), "%u-%u", w->cpu, i);
				req.name = name;
			}
			ret = whole_alloc(&r.idx, pcpu, &req, &frame);
			if (ret == -ENOMEM || ret == -ENOSPC)
				continue;
			if (!ret && req.clear && req.frames >= MIB2)
				ret = whole_confirm(&r.idx, pcpu, frame);
			for (u64 f = 0; !ret && f < req.frames; f += 64)
				if (__atomic_exchange_n(&taken[frame + f], 1 + w->cpu,
							__ATOMIC_RELAXED))
					w->wrong = "was not free";
			held[slot].frame = frame;
			held[slot].frames = ret ? 0 : req.frames;
		}
		if (ret == -ESHUTDOWN && stop_early)
			break;
		if (ret)
			w->wrong = strerror(-ret);
		w->done++;
	}
	return NULL;
}

static bool run(struct worker *w)
{
	memset(w, 0, THREADS * sizeof(*w));
	memset(taken, 0, r.frames);
	for (u32 i = 0; i < THREADS; i++) {
		w[i].cpu = i;
		pthread_create(&w[i].thread, NULL, work, &w[i]);
	}
	return true;
}

static bool join(struct worker *w)
{
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	for (u32 i = 0; i < THREADS; i++) {
		if (w[i].wrong)
			printf("# thread %u: %s\n", i, w[i].wrong);
		CHECK(!w[i].wrong);
	}
	return true;
}

static bool all_at_once(void)
{
	struct worker w[THREADS];
	u64 frame, bad[10];

	region_init(&r, 3 * GIB - 64 * MIB2, 6 * GIB, THREADS);
	taken = calloc(1, r.frames);
	run(w);
	/* Memory errors in the middle of it all */
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		usleep(1000);
		bad[i] = (11 * i + 1) * (GIB / 20) + i;
		CHECK_EQ(kp_index_bad(&r.idx, bad[i]), 0);
	}
	CHECK(join(w));
	for (u32 i = 0; i < THREADS; i++)
		CHECK(w[i].done > 1000);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	while (!get(&r, MIB2, 1, 1, NULL, &frame))
		for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
			CHECK(bad[i] < frame || bad[i] >= frame + MIB2);
	CHECK_EQ(region_restore(&r, NULL), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

/* The sum of a seal in the middle of it all is that of the index as it is then. */
static bool sealed_in_between(void)
{
	stop_early = true;
	for (int round = 0; round < 20; round++) {
		struct worker w[THREADS];
		u64 csum;

		region_init(&r, 0, 6 * GIB, THREADS);
		run(w);
		usleep(round * 300);
		CHECK(kp_index_seal(&r.idx, &csum, -1UL));
		CHECK(join(w));
		CHECK_EQ(region_restore(&r, &csum), 0);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		region_exit(&r);
	}
	free(taken);
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
	struct worker w[THREADS] = {};

	region_init(&r, 0, GIB, THREADS);
	for (u32 i = 0; i < THREADS; i++) {
		w[i].cpu = i;
		pthread_create(&w[i].thread, NULL, take_and_give, &w[i]);
	}
	CHECK(join(w));
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
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
	struct worker w[THREADS] = {};
	u64 frame;

	/* Two threads, and room for what one of them wants */
	region_init(&r, 0, 64 * MIB2, THREADS);
	for (u32 i = 0; i < 62; i++)
		CHECK_EQ(get(&r, MIB2, 1, 1, NULL, &frame), 0);
	for (u32 i = 0; i < THREADS; i++) {
		w[i].cpu = i;
		pthread_create(&w[i].thread, NULL, i < 2 ? free_and_take : ask_for_more, &w[i]);
	}
	for (u32 i = 0; i < THREADS; i++) {
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

int main(void)
{
	static const struct test tests[] = {
		{ "all_at_once", all_at_once },
		{ "sealed_in_between", sealed_in_between },
		{ "never_without_reason", never_without_reason },
		{ "refused_for_a_while", refused_for_a_while },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
