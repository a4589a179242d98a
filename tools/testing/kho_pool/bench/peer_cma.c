// SPDX-License-Identifier: GPL-2.0-only
/*
 * How CMA finds a place: first fit in one bitmap under one lock.  What costs CMA
 * most, to move others' pages out of the place, is left out: nobody else uses
 * this memory.  So a place once found is never busy, and there is no search for
 * the next one.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "peer.h"

struct pool {
	unsigned long *bitmap;
	unsigned long bits, available;
	unsigned int order;		/* log2 of the bytes of a bit */
	spinlock_t lock;		/* for bitmap and available */
	u64 base;
};

static void *create(u64 base, u64 bytes, u64 unit, unsigned int threads)
{
	struct pool *p = kzalloc(sizeof(*p), GFP_KERNEL);

	spin_lock_init(&p->lock);
	p->base = base;
	p->order = ilog2(unit);
	p->bits = bytes >> p->order;
	p->available = p->bits;
	must(p->bits <= INT_MAX);
	p->bitmap = bitmap_zalloc(p->bits, GFP_KERNEL);
	must(p->bitmap);
	return p;
}

static bool take(void *pool, unsigned int thread, u64 bytes, u64 align, struct piece *piece)
{
	struct pool *p = pool;
	unsigned long mask = (align - 1) >> p->order;
	unsigned long offset = (p->base & (align - 1)) >> p->order;
	unsigned long nr = bytes >> p->order;
	unsigned long bit = p->bits;

	if (nr > p->bits)
		return false;

	spin_lock(&p->lock);
	if (nr <= p->available)
		bit = bitmap_find_next_zero_area_off(p->bitmap, p->bits, 0, nr, mask, offset);
	if (bit < p->bits) {
		bitmap_set(p->bitmap, bit, nr);
		p->available -= nr;
	}
	spin_unlock(&p->lock);

	if (bit >= p->bits)
		return false;
	piece->addr = p->base + ((u64)bit << p->order);
	piece->bytes = bytes;
	return true;
}

static void give(void *pool, unsigned int thread, const struct piece *piece)
{
	struct pool *p = pool;
	unsigned long nr = piece->bytes >> p->order;

	spin_lock(&p->lock);
	bitmap_clear(p->bitmap, (piece->addr - p->base) >> p->order, nr);
	p->available += nr;
	spin_unlock(&p->lock);
}

static void destroy(void *pool)
{
	struct pool *p = pool;

	bitmap_free(p->bitmap);
	kfree(p);
}

static u64 overhead(void *pool)
{
	struct pool *p = pool;

	return sizeof(*p) + bitmap_size(p->bits);
}

const struct peer cma_peer = {
	.name = "CMA",
	.create = create,
	.alloc = take,
	.free = give,
	.destroy = destroy,
	.overhead = overhead,
};
