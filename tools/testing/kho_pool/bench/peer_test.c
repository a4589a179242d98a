// SPDX-License-Identifier: GPL-2.0-only
/*
 * The peers give what they are asked for: each piece inside the memory, aligned,
 * and nobody else's.  A map with a byte for each unit knows what is taken.
 *
 * usage: peer_test [SEED]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

#include "../../../mm/khopool/shim/shim.h"
#include "../random.h"
#include "../test.h"

#define KIB		1024ULL
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define STEPS		20000
#define PIECES		512
#define MAX_THREADS	2

struct memory {
	const char *name;
	u64 base, bytes, unit, max_piece, max_align;
};

static const struct memory memories[] = {
	/* Aligned as far as anybody asks. */
	{ "64 GiB of 2 MiB", 192 * GIB, 64 * GIB, 2 * MIB, 2 * GIB, 4 * GIB },
	/* From address 0. */
	{ "1 GiB of 4 KiB", 0, GIB, 4 * KIB, 32 * MIB, 16 * MIB },
	/* Less aligned than the pieces are. */
	{ "64 GiB of 2 MiB at 5 GiB", 5 * GIB, 64 * GIB, 2 * MIB, 2 * GIB, 4 * GIB },
};

static const struct {
	const struct peer *peer;
	bool exact;		/* refuses only if there is no place */
} peers[] = {
	{ &genalloc_first_fit_peer, true },
	{ &genalloc_best_fit_peer, true },
	{ &gpu_buddy_peer, false },
	{ &cma_peer, true },
};

static const struct peer *peer;
static const struct memory *mem;
static bool exact;
static void *pool;
static u8 *taken;
static u64 first_seed = 1;

struct worker {
	unsigned int thread;
	u64 seed, max_piece, max_align;
	unsigned int pieces, refused, room;
	struct piece piece[PIECES];
	bool ok;
};

static u64 rnd(struct worker *w, u64 below)
{
	return random_below(&w->seed, below);
}

/* Small ones are as likely as large ones. */
static u64 rnd_size(struct worker *w, u64 max)
{
	unsigned int order = rnd(w, __builtin_ctzll(max / mem->unit) + 1);

	return mem->unit * (1 + rnd(w, 1ULL << order));
}

static bool room_for(u64 bytes, u64 align)
{
	for (u64 at = (mem->base + align - 1) & -align;
	     at + bytes <= mem->base + mem->bytes; at += align)
		if (!memchr(taken + (at - mem->base) / mem->unit, 1, bytes / mem->unit))
			return true;
	return false;
}

static bool check_taken(const struct piece *piece, u64 bytes, u64 align)
{
	u64 first = (piece->addr - mem->base) / mem->unit;

	CHECK_EQ(piece->bytes, bytes);
	CHECK_EQ(piece->addr & (align - 1), 0);
	CHECK(piece->addr >= mem->base);
	CHECK(piece->addr + bytes <= mem->base + mem->bytes);
	for (u64 i = 0; i < bytes / mem->unit; i++)
		CHECK(!__atomic_exchange_n(&taken[first + i], 1, __ATOMIC_RELAXED));
	return true;
}

static void give(struct worker *w, const struct piece *piece)
{
	u64 first = (piece->addr - mem->base) / mem->unit;

	for (u64 i = 0; i < piece->bytes / mem->unit; i++)
		__atomic_store_n(&taken[first + i], 0, __ATOMIC_RELAXED);
	peer->free(pool, w->thread, piece);
}

static bool steps(struct worker *w, bool alone)
{
	for (unsigned int i = 0; i < STEPS; i++) {
		u64 bytes, align;
		struct piece *piece;

		/* By turns mostly up and mostly down, so that it is full at times. */
		if (w->pieces == PIECES || (w->pieces && rnd(w, 8) < (i / 2048 & 1 ? 5 : 3))) {
			piece = &w->piece[rnd(w, w->pieces)];
			give(w, piece);
			*piece = w->piece[--w->pieces];
			continue;
		}
		bytes = rnd_size(w, w->max_piece);
		align = mem->unit;
		if (rnd(w, 2))
			align <<= rnd(w, __builtin_ctzll(w->max_align / align) + 1);
		piece = &w->piece[w->pieces];
		if (peer->alloc(pool, w->thread, bytes, align, piece)) {
			CHECK(check_taken(piece, bytes, align));
			w->pieces++;
		} else if (alone) {
			bool room = room_for(bytes, align);

			CHECK(!room || !exact);
			w->refused++;
			w->room += room;
		}
	}
	while (w->pieces)
		give(w, &w->piece[--w->pieces]);
	return true;
}

/* Down to the last unit, and after that as one piece. */
static bool fill(struct worker *w)
{
	u64 units = mem->bytes / mem->unit;
	struct piece *all = calloc(units, sizeof(*all)), piece;

	for (u64 i = 0; i < units; i++) {
		CHECK(peer->alloc(pool, 0, mem->unit, mem->unit, &all[i]));
		CHECK(check_taken(&all[i], mem->unit, mem->unit));
	}
	CHECK(!peer->alloc(pool, 0, mem->unit, mem->unit, &piece));
	while (units)
		give(w, &all[--units]);
	free(all);
	CHECK(peer->alloc(pool, 0, mem->bytes, mem->unit, &piece));
	CHECK(check_taken(&piece, mem->bytes, mem->unit));
	give(w, &piece);
	return true;
}

static void *run(void *arg)
{
	struct worker *w = arg;

	w->ok = steps(w, false);
	return NULL;
}

static bool check_peer(u64 max_align)
{
	static struct worker w[MAX_THREADS];
	pthread_t thread[MAX_THREADS];
	u64 overhead;

	for (unsigned int i = 0; i < MAX_THREADS; i++)
		w[i] = (struct worker) {
			.thread = i,
			.seed = (first_seed + i) * 0x9e3779b97f4a7c15ULL | 1,
			.max_piece = mem->max_piece,
			.max_align = max_align,
		};
	taken = calloc(1, mem->bytes / mem->unit);
	pool = peer->create(mem->base, mem->bytes, mem->unit, MAX_THREADS);
	overhead = peer->overhead(pool);
	CHECK(fill(&w[0]));
	CHECK(steps(&w[0], true));
	for (unsigned int i = 0; i < MAX_THREADS; i++)
		pthread_create(&thread[i], NULL, run, &w[i]);
	for (unsigned int i = 0; i < MAX_THREADS; i++) {
		pthread_join(thread[i], NULL);
		CHECK(w[i].ok);
	}
	CHECK(fill(&w[0]));
	peer->destroy(pool);
	free(taken);
	printf("# refused %u, %u of them with a place there; %llu bytes when new\n",
	       w[0].refused, w[0].room, (unsigned long long)overhead);
	return true;
}

int main(int argc, char **argv)
{
	int nr = 0, failed = 0;

	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 0);
	printf("TAP version 14\n1..%zu\n", ARRAY_SIZE(peers) * ARRAY_SIZE(memories));
	for (unsigned int p = 0; p < ARRAY_SIZE(peers); p++)
		for (unsigned int m = 0; m < ARRAY_SIZE(memories); m++) {
			u64 align = memories[m].max_align;
			bool ok;

			peer = peers[p].peer;
			exact = peers[p].exact;
			mem = &memories[m];
			/* It aligns offsets, not addresses. */
			if (peer == &gpu_buddy_peer && mem->base & (align - 1))
				align = GIB;
			ok = check_peer(align);
			failed += !ok;
			printf("%sok %d %s: %s\n", ok ? "" : "not ", ++nr, peer->name, mem->name);
			fflush(stdout);
		}
	return failed ? 1 : 0;
}
