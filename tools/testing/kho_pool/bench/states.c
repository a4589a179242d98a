// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "../random.h"
#include "states.h"

/*
 * The unit decides how long a bitmap is, so only those who ask for 4 KiB pay for
 * it.  The largest of the pieces that come and go are such that what is asked for
 * has a place in a pool that is half full; of 4 KiB there are fewer, as each takes
 * a search in such a bitmap milliseconds.
 */
const struct load loads[NR_LOADS] = {
	{ "4 KiB", 4 * KIB, 4 * KIB, 16 * GIB, 1024, 1 },
	{ "2 MiB", 2 * MIB, 2 * MIB, 2 * GIB, 1024, 3 },
	{ "1 GiB", GIB, 2 * MIB, 16 * GIB, 256, 3 },
	{ "64 GiB", 64 * GIB, 2 * MIB, 128 * GIB, 8, 3 },
};

u64 held_random(struct held *h, u64 below)
{
	return random_below(&h->seed, below);
}

/* As many of 4 to 8 MiB as of 1 to 2 GiB. */
u64 held_size(struct held *h)
{
	const struct load *load = h->load;
	unsigned int orders = __builtin_ctzll(load->largest / load->unit);
	u64 units = 1ULL << held_random(h, orders);

	return load->unit * (units + held_random(h, units));
}

bool held_get(struct held *h, u64 bytes)
{
	u64 align = align_for(bytes);

	if (h->nr == h->room) {
		h->room = h->room ? 2 * h->room : 1024;
		h->piece = realloc(h->piece, h->room * sizeof(*h->piece));
	}
	if (!h->peer->alloc(h->pool, 0, bytes, align, &h->piece[h->nr]))
		return false;
	h->nr++;
	h->bytes += bytes;
	return true;
}

void held_put(struct held *h, unsigned int i)
{
	h->peer->free(h->pool, 0, &h->piece[i]);
	h->bytes -= h->piece[i].bytes;
	h->piece[i] = h->piece[--h->nr];
}

/*
 * Ask until @tries in a row were more than wanted, or could not be had.  Eight are
 * enough to be full but for holes that only thousands of small pieces would fill.
 */
static void fill(struct held *h, double share, unsigned int tries)
{
	unsigned int missed = 0;

	while (missed < tries) {
		u64 bytes = held_size(h);

		if (h->bytes + bytes <= share * POOL && held_get(h, bytes))
			missed = 0;
		else
			missed++;
	}
}

/* Each piece goes and others come, about once. */
static void churn(struct held *h, double share)
{
	fill(h, share, 8);
	for (unsigned int i = h->nr; i && h->nr; i--) {
		held_put(h, held_random(h, h->nr));
		fill(h, share, 1);
	}
	fill(h, share, 8);
}

static void fresh(struct held *h)
{
}

static void half_full(struct held *h)
{
	fill(h, 1, 8);
	while (h->bytes > POOL / 2)
		held_put(h, held_random(h, h->nr));
}

static void fragmented(struct held *h)
{
	churn(h, .75);
}

static void nearly_full(struct held *h)
{
	churn(h, .97);
}

const struct state states[NR_STATES] = {
	[FRESH] = { "fresh", fresh },
	[HALF_FULL] = { "half full", half_full },
	[FRAGMENTED] = { "fragmented", fragmented },
	[NEARLY_FULL] = { "nearly full", nearly_full },
};

void held_create(struct held *h, const struct peer *peer, const struct load *load,
		 const struct state *state, unsigned int threads, u64 seed)
{
	memset(h, 0, sizeof(*h));
	h->peer = peer;
	h->load = load;
	h->seed = seed * 0x9e3779b97f4a7c15ULL | 1;
	h->pool = peer->create(BASE, POOL, load->unit, threads);
	state->make(h);
}

void held_destroy(struct held *h)
{
	while (h->nr)
		held_put(h, h->nr - 1);
	h->peer->destroy(h->pool);
	free(h->piece);
}
