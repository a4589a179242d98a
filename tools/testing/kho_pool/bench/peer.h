/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One allocator among several that are measured beside each other.  Memory is
 * only an address here: nobody touches it.
 */
#ifndef _KHO_POOL_BENCH_PEER_H
#define _KHO_POOL_BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct piece {
	uint64_t addr, bytes;
	void *handle;		/* the allocator's own, if it needs one to free */
};

struct peer {
	const char *name;
	/*
	 * @base, @bytes: the memory, both multiples of 1 GiB
	 * @unit: the smallest piece that will be asked for, bytes
	 * @threads: how many threads may call alloc() and free() at once; each
	 *	passes its own number
	 */
	void *(*create)(uint64_t base, uint64_t bytes, uint64_t unit, unsigned int threads);
	/* @bytes is a multiple of the unit, @align a power of two of at least the unit. */
	bool (*alloc)(void *pool, unsigned int thread, uint64_t bytes, uint64_t align,
		      struct piece *piece);
	void (*free)(void *pool, unsigned int thread, const struct piece *piece);
	void (*destroy)(void *pool);
	/* Bytes of bookkeeping for a pool that was just made. */
	uint64_t (*overhead)(void *pool);
};

extern const struct peer kho_pool_peer, kho_pool_cpus_peer;
extern const struct peer genalloc_first_fit_peer, genalloc_best_fit_peer;
extern const struct peer gpu_buddy_peer, cma_peer;

#endif /* _KHO_POOL_BENCH_PEER_H */
