/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is asked for, and the states of a pool in which it is asked for.  A state
 * is a sequence of requests, the same for every allocator; where they go is the
 * allocator's own choice, and so is which of them it cannot meet.
 */
#ifndef _KHO_POOL_BENCH_STATES_H
#define _KHO_POOL_BENCH_STATES_H

#include "peer.h"

#include "../../../mm/khopool/shim/shim.h"

#define KIB		1024ULL
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define POOL		(1024 * GIB)
#define BASE		(4 * GIB)

struct load {
	const char *name;
	u64 bytes;		/* each piece */
	u64 unit;		/* the allocator's */
	u64 largest;	/* of the pieces that are there already */
	unsigned int most;	/* pieces held at once */
	unsigned int seeds;	/* each state is made so often */
};

#define NR_LOADS	4
extern const struct load loads[NR_LOADS];

/* Aligned as guests want it: to 1 GiB, else to 2 MiB, else not at all. */
static inline u64 align_for(u64 bytes)
{
	return bytes >= GIB ? GIB : bytes >= 2 * MIB ? 2 * MIB : 4 * KIB;
}

/* A pool, and what is held of it. */
struct held {
	const struct peer *peer;
	void *pool;
	const struct load *load;
	u64 seed, bytes;
	unsigned int nr, room;
	struct piece *piece;
};

struct state {
	const char *name;
	void (*make)(struct held *h);
};

enum { FRESH, HALF_FULL, FRAGMENTED, NEARLY_FULL, NR_STATES };
extern const struct state states[NR_STATES];

u64 held_random(struct held *h, u64 below);
u64 held_size(struct held *h);
bool held_get(struct held *h, u64 bytes);
void held_put(struct held *h, unsigned int i);

void held_create(struct held *h, const struct peer *peer, const struct load *load,
		 const struct state *state, unsigned int threads, u64 seed);
void held_destroy(struct held *h);

#endif /* _KHO_POOL_BENCH_STATES_H */
