// SPDX-License-Identifier: GPL-2.0-only
/*
 * What two CPUs get done together that one gets done alone.  Each allocates a
 * batch and frees it, and begins again until the time is over.
 *
 * Two CPUs of a virtual machine are not always two: they may be threads of one
 * core, and others have their share.  A control, each CPU with a pool of its own,
 * tells in the same rounds what the machine had to give.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "bench.h"
#include "states.h"

#define THREADS		2
#define MAX_BATCH	64

struct worker {
	pthread_t thread;
	unsigned int nr;
	struct held *held;
	u64 ns;		/* how long to go on */
	double pairs;		/* alloc and free, a second */
	u64 refused, asked;
};

static atomic_uint waiting;

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct held *h = w->held;
	const struct load *load = h->load;
	/* Even the largest fits several times into free memory. */
	unsigned int batch = load->most < MAX_BATCH ? 1 : MAX_BATCH;
	u64 bytes = load->bytes, align = align_for(bytes), begin, end, pairs = 0;
	struct piece piece[MAX_BATCH];

	if (load->most > MAX_BATCH && load->bytes >= GIB)
		batch = 8;
	stay_on_cpu(w->nr);
	waiting--;
	while (waiting)
		;
	begin = now_ns();
	do {
		unsigned int nr = 0;

		while (nr < batch && h->peer->alloc(h->pool, w->nr, bytes, align, &piece[nr]))
			nr++;
		w->asked += nr + (nr < batch);
		w->refused += nr < batch;
		pairs += nr;
		while (nr--)
			h->peer->free(h->pool, w->nr, &piece[nr]);
		end = now_ns();
	} while (end - begin < w->ns);
	w->pairs = pairs * 1e9 / (end - begin);
	return NULL;
}

/* @second is what the second thread works on. */
static double run(struct held *h, struct held *second, unsigned int threads, struct worker *sum)
{
	struct worker w[THREADS];
	double pairs = 0;

	waiting = threads;
	for (unsigned int i = 0; i < threads; i++) {
		w[i] = (struct worker) {
			.nr = i, .held = i ? second : h, .ns = bench_quick ? 2000000 : 20000000,
		};
		pthread_create(&w[i].thread, NULL, work, &w[i]);
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(w[i].thread, NULL);
		pairs += w[i].pairs;
		sum->asked += w[i].asked;
		sum->refused += w[i].refused;
	}
	return pairs;
}

static void one(const struct load *load, const struct state *state)
{
	struct figure single[NR_PEERS] = {}, both[NR_PEERS] = {}, ratio[NR_PEERS] = {};
	struct worker sum[NR_PEERS] = {}, none = {};
	struct held held[NR_PEERS], own;
	struct figure control = {};

	bench_progress("two threads, %s, %s", load->name, state->name);
	for (unsigned int p = 0; p < NR_PEERS; p++)
		held_create(&held[p], bench_peers[p], load, state, THREADS, 1);
	held_create(&own, bench_peers[0], load, state, THREADS, 1);
	for (unsigned int round = 0; round < 9; round++) {
		for (unsigned int p = 0; p < NR_PEERS; p++) {
			double one = run(&held[p], &held[p], 1, &sum[p]);
			double two = run(&held[p], &held[p], 2, &sum[p]);

			figure_add(&single[p], one);
			figure_add(&both[p], two);
			if (one)
				figure_add(&ratio[p], two / one);
			if (one && !p)
				figure_add(&control, run(&held[0], &own, 2, &none) / one);
		}
	}
	held_destroy(&own);
	json_begin("threads_control");
	json_text("load", load->name);
	json_text("state", state->name);
	json_figure("ratio", &control);
	json_end();
	for (unsigned int p = 0; p < NR_PEERS; p++) {
		json_begin("threads");
		json_text("load", load->name);
		json_text("state", state->name);
		json_text("allocator", bench_peers[p]->name);
		json_figure("one_per_s", &single[p]);
		json_figure("two_per_s", &both[p]);
		json_figure("ratio", &ratio[p]);
		json_number("asked", sum[p].asked);
		json_number("refused", sum[p].refused);
		json_end();
		held_destroy(&held[p]);
	}
}

void bench_threads(void)
{
	if (nr_cpus() < THREADS) {
		bench_progress("two threads: not on one CPU");
		return;
	}
	for (unsigned int l = 0; l < NR_LOADS; l++) {
		one(&loads[l], &states[FRESH]);
		/* Where a bitmap is long, it takes long to come to this state. */
		if (!bench_quick || loads[l].unit > 4 * KIB)
			one(&loads[l], &states[HALF_FULL]);
	}
}
