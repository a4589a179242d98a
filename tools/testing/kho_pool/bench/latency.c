// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one alloc and one free cost: a batch of them is timed, not each, and the
 * median of a round's batches is its figure.  The pools of all allocators are there
 * at once and are measured by turns.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "states.h"

#define MAX_BATCH	1024
/* Searches in a long bitmap take milliseconds: no batch takes longer than this, ns. */
#define LONGEST_BATCH	30000000

struct trial {
	struct held held;
	unsigned int asked;	/* pieces that what is free would hold */
	unsigned int got;	/* of them */
	unsigned int batch;
	bool cut;		/* a longer batch would take too long */
	struct piece piece[MAX_BATCH];
};

/* Of one allocator, one load and one state; over several seeds. */
struct result {
	struct figure alloc, free, refuse;
	double used;
	u64 asked, got;
	unsigned int batch;
	bool cut;
};

static unsigned int take(struct trial *t, unsigned int most)
{
	const struct peer *peer = t->held.peer;
	u64 bytes = t->held.load->bytes, align = align_for(bytes);
	unsigned int nr = 0;

	while (nr < most && peer->alloc(t->held.pool, 0, bytes, align, &t->piece[nr]))
		nr++;
	return nr;
}

/* Not in the order they came in, nor in the reverse. */
static void shuffle(struct trial *t, unsigned int nr)
{
	while (nr > 1) {
		unsigned int i = held_random(&t->held, nr--);
		struct piece piece = t->piece[i];

		t->piece[i] = t->piece[nr];
		t->piece[nr] = piece;
	}
}

static void give(struct trial *t, unsigned int nr)
{
	const struct peer *peer = t->held.peer;

	while (nr--)
		peer->free(t->held.pool, 0, &t->piece[nr]);
}

static void look(struct trial *t, struct result *r)
{
	const struct load *load = t->held.load;
	u64 would_fit = (POOL - t->held.bytes) / load->bytes;
	u64 begin = now_ns();

	t->asked = would_fit < load->most ? would_fit : load->most;
	for (t->got = 0; t->got < t->asked && !t->cut; t->got++) {
		struct piece *piece = &t->piece[t->got];

		if (!t->held.peer->alloc(t->held.pool, 0, load->bytes, align_for(load->bytes),
					 piece))
			break;
		t->cut = now_ns() - begin > LONGEST_BATCH;
	}
	give(t, t->got);
	t->batch = t->got;
	if (t->cut)
		t->asked = t->got;
	r->asked += t->asked;
	r->got += t->got;
	r->used += (double)t->held.bytes / POOL;
	r->batch = t->batch;
	r->cut |= t->cut;
}

static double positive(double ns)
{
	return ns > 0 ? ns : 0;
}

static void measure(struct trial *t, struct result *r)
{
	const struct load *load = t->held.load;
	u64 budget = bench_quick ? 1000000 : 10000000, begin, start, end;
	struct figure alloc = {}, back = {}, refuse = {};
	struct piece piece;

	start = now_ns();
	while (t->batch && alloc.nr < MAX_VALUES && now_ns() - start < budget) {
		begin = now_ns();
		take(t, t->batch);
		end = now_ns();
		figure_add(&alloc, positive(end - begin - clock_cost()) / t->batch);
		shuffle(t, t->batch);
		begin = now_ns();
		give(t, t->batch);
		end = now_ns();
		figure_add(&back, positive(end - begin - clock_cost()) / t->batch);
	}
	if (alloc.nr) {
		figure_add(&r->alloc, figure_median(&alloc));
		figure_add(&r->free, figure_median(&back));
	}
	if (t->cut || t->got == load->most)
		return;

	/* What a refusal takes; these are timed one by one. */
	take(t, t->batch);
	start = now_ns();
	do {
		begin = now_ns();
		t->held.peer->alloc(t->held.pool, 0, load->bytes, align_for(load->bytes), &piece);
		end = now_ns();
		figure_add(&refuse, positive(end - begin - clock_cost()));
	} while (refuse.nr < MAX_VALUES && end - start < budget / 4);
	figure_add(&r->refuse, figure_median(&refuse));
	give(t, t->batch);
}

static void report(const char *load, const char *state, const char *peer, struct result *r,
		   unsigned int seeds)
{
	json_begin("latency");
	json_text("load", load);
	json_text("state", state);
	json_text("allocator", peer);
	json_figure("alloc_ns", &r->alloc);
	json_figure("free_ns", &r->free);
	json_figure("refuse_ns", &r->refuse);
	json_number("asked", r->asked);
	json_number("got", r->got);
	json_number("used", r->used / seeds);
	json_number("batch", r->batch);
	json_number("cut", r->cut);
	json_end();
}

static void one(const struct load *load, const struct state *state)
{
	static struct trial trial[NR_PEERS];
	unsigned int seeds = bench_quick || state == &states[FRESH] ? 1 : load->seeds;
	unsigned int rounds = 9 / seeds;
	struct result result[NR_PEERS] = {};

	for (unsigned int seed = 1; seed <= seeds; seed++) {
		bench_progress("alloc and free, %s, %s, %u of %u", load->name, state->name, seed,
			       seeds);
		for (unsigned int p = 0; p < NR_PEERS; p++) {
			memset(&trial[p], 0, sizeof(trial[p]));
			held_create(&trial[p].held, bench_peers[p], load, state, 1, seed);
			look(&trial[p], &result[p]);
		}
		for (unsigned int round = 0; round < rounds; round++)
			for (unsigned int p = 0; p < NR_PEERS; p++)
				measure(&trial[p], &result[p]);
		for (unsigned int p = 0; p < NR_PEERS; p++)
			held_destroy(&trial[p].held);
	}
	for (unsigned int p = 0; p < NR_PEERS; p++)
		report(load->name, state->name, bench_peers[p]->name, &result[p], seeds);
}

void bench_latency(void)
{
	for (unsigned int l = 0; l < NR_LOADS; l++)
		for (unsigned int s = 0; s < NR_STATES; s++)
			one(&loads[l], &states[s]);
}
