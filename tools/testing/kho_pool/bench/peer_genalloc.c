// SPDX-License-Identifier: GPL-2.0-only
/*
 * genalloc, which takes no lock: first fit and best fit.
 *
 * Best fit knows no alignment.  Where more than the unit is asked for, both
 * pools search by first fit, as gen_pool_dma_alloc_align() does in a pool of any
 * kind: neither waste by asking for more, nor a refusal while there is a place.
 */
#include <linux/bitmap.h>
#include <linux/genalloc.h>
#include <linux/slab.h>

#include "peer.h"

/* An address of 0 would say that there is no memory; this keeps every alignment. */
#define AWAY_FROM_0	BIT(62)

struct pool {
	struct gen_pool *gen;
	u64 bytes, unit;
};

static void *create(u64 base, u64 bytes, u64 unit, genpool_algo_t algo)
{
	struct pool *p = kzalloc(sizeof(*p), GFP_KERNEL);

	must(bytes / unit <= UINT_MAX);
	p->gen = gen_pool_create(ilog2(unit), -1);
	p->bytes = bytes;
	p->unit = unit;
	must(!gen_pool_add_virt(p->gen, base + AWAY_FROM_0, base, bytes, -1));
	gen_pool_set_algo(p->gen, algo, NULL);
	return p;
}

static void *create_first_fit(u64 base, u64 bytes, u64 unit, unsigned int threads)
{
	return create(base, bytes, unit, gen_pool_first_fit);
}

static void *create_best_fit(u64 base, u64 bytes, u64 unit, unsigned int threads)
{
	return create(base, bytes, unit, gen_pool_best_fit);
}

/* For alignments that do not fit into the int of gen_pool_first_fit_align(). */
static unsigned long first_fit_wide(unsigned long *map, unsigned long size, unsigned long start,
				    unsigned int nr, void *data, struct gen_pool *gen,
				    unsigned long start_addr)
{
	u64 rest = *(u64 *)data - 1;

	return bitmap_find_next_zero_area_off(map, size, start, nr, rest >> gen->min_alloc_order,
					      (start_addr & rest) >> gen->min_alloc_order);
}

static bool take(void *pool, unsigned int thread, u64 bytes, u64 align, struct piece *piece)
{
	struct genpool_data_align data = { .align = align };
	struct pool *p = pool;
	unsigned long addr;

	if (align <= p->unit)
		addr = gen_pool_alloc(p->gen, bytes);
	else if (align <= INT_MAX)
		addr = gen_pool_alloc_algo(p->gen, bytes, gen_pool_first_fit_align, &data);
	else
		addr = gen_pool_alloc_algo(p->gen, bytes, first_fit_wide, &align);
	if (!addr)
		return false;
	piece->addr = addr - AWAY_FROM_0;
	piece->bytes = bytes;
	return true;
}

static void give(void *pool, unsigned int thread, const struct piece *piece)
{
	struct pool *p = pool;

	gen_pool_free(p->gen, piece->addr + AWAY_FROM_0, piece->bytes);
}

static void destroy(void *pool)
{
	struct pool *p = pool;

	gen_pool_destroy(p->gen);
	kfree(p);
}

static u64 overhead(void *pool)
{
	struct pool *p = pool;

	return sizeof(struct gen_pool) + sizeof(struct gen_pool_chunk) +
		bitmap_size(p->bytes / p->unit);
}

const struct peer genalloc_first_fit_peer = {
	.name = "genalloc first fit",
	.create = create_first_fit,
	.alloc = take,
	.free = give,
	.destroy = destroy,
	.overhead = overhead,
};

const struct peer genalloc_best_fit_peer = {
	.name = "genalloc best fit",
	.create = create_best_fit,
	.alloc = take,
	.free = give,
	.destroy = destroy,
	.overhead = overhead,
};
