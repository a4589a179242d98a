// SPDX-License-Identifier: GPL-2.0-only
/* Ours, as it runs in the kernel, except for the interrupts. */
#include "../random.h"
#include "../region.h"

#include "peer.h"

static void *create(u64 base, u64 bytes, u64 unit, unsigned int threads)
{
	struct region *r = malloc(sizeof(*r));

	region_init(r, base >> SHIFT, bytes >> SHIFT, threads);
	return r;
}

static bool take(void *pool, unsigned int thread, u64 bytes, u64 align, struct piece *piece)
{
	struct region *r = pool;
	struct kp_request req = {
		.frames = bytes >> SHIFT, .align = align >> SHIFT, .owner = 1,
	};
	u64 frame;

	if (whole_alloc(&r->idx, &r->idx.pcpu[thread], &req, &frame))
		return false;
	piece->addr = (r->base + frame) << SHIFT;
	piece->bytes = bytes;
	return true;
}

static void give(void *pool, unsigned int thread, const struct piece *piece)
{
	struct region *r = pool;

	whole_free(&r->idx, &r->idx.pcpu[thread], (piece->addr >> SHIFT) - r->base,
		   piece->bytes >> SHIFT, 1);
}

static void destroy(void *pool)
{
	region_exit(pool);
	free(pool);
}

static u64 overhead(void *pool)
{
	struct region *r = pool;

	return r->index_size + r->vol_size;
}

const struct peer kho_pool_peer = {
	.name = "kho_pool",
	.create = create,
	.alloc = take,
	.free = give,
	.destroy = destroy,
	.overhead = overhead,
};

/*
 * The same with 200 CPUs that allocate in no order, and now and then meet another one.
 */
#define CPUS	200

static u64 seed;

static void *create_cpus(u64 base, u64 bytes, u64 unit, unsigned int threads)
{
	seed = 1;
	return create(base, bytes, unit, CPUS);
}

static bool take_cpus(void *pool, unsigned int thread, u64 bytes, u64 align, struct piece *piece)
{
	struct region *r = pool;
	unsigned int cpu = random_below(&seed, CPUS);

	/* It finds the lock of its area taken, once in a while. */
	if (!random_below(&seed, 256))
		kp_met_another(&r->idx.pcpu[cpu]);
	return take(pool, cpu, bytes, align, piece);
}

static void give_cpus(void *pool, unsigned int thread, const struct piece *piece)
{
	give(pool, random_below(&seed, CPUS), piece);
}

const struct peer kho_pool_cpus_peer = {
	.name = "kho_pool, 200 CPUs",
	.create = create_cpus,
	.alloc = take_cpus,
	.free = give_cpus,
	.destroy = destroy,
	.overhead = overhead,
};
