// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buddy allocator of graphics memory, under one lock, which is its user's
 * to take.  Drivers take a mutex; a spinlock is the cheaper of the two here.
 */
#include <linux/gpu_buddy.h>
#include <linux/spinlock.h>

#include "peer.h"

struct pool {
	spinlock_t lock;	/* for mm */
	struct gpu_buddy mm;
	u64 base;
};

static void *create(u64 base, u64 bytes, u64 unit, unsigned int threads)
{
	struct pool *p = kzalloc(sizeof(*p), GFP_KERNEL);

	spin_lock_init(&p->lock);
	p->base = base;
	must(bytes / unit <= UINT_MAX);
	must(!gpu_buddy_init(&p->mm, bytes, unit));
	return p;
}

/*
 * A contiguous piece is aligned to its size rounded up, and no further whatever
 * is asked for.  Beyond that: one block of that size, then back with its rest.
 */
static int take_blocks(struct gpu_buddy *mm, u64 bytes, u64 align, struct list_head *blocks)
{
	u64 whole = roundup_pow_of_two(bytes);
	int ret;

	if (align <= whole)
		return gpu_buddy_alloc_blocks(mm, 0, mm->size, bytes, align, blocks,
					      GPU_BUDDY_CONTIGUOUS_ALLOCATION);
	ret = gpu_buddy_alloc_blocks(mm, 0, mm->size, whole, align, blocks, 0);
	if (!ret && whole != bytes)
		gpu_buddy_block_trim(mm, NULL, bytes, blocks);
	return ret;
}

static bool take(void *pool, unsigned int thread, u64 bytes, u64 align, struct piece *piece)
{
	struct gpu_buddy_block *first;
	struct pool *p = pool;
	LIST_HEAD(blocks);
	int ret;

	/* It knows offsets only: they are as well aligned as the base is. */
	must(!(p->base & (align - 1)));

	spin_lock(&p->lock);
	ret = take_blocks(&p->mm, bytes, align, &blocks);
	spin_unlock(&p->lock);
	if (ret)
		return false;

	/* In ascending order.  They remain a ring when the head on our stack leaves it. */
	first = list_first_entry(&blocks, struct gpu_buddy_block, link);
	list_del(&blocks);
	piece->addr = p->base + gpu_buddy_block_offset(first);
	piece->bytes = bytes;
	piece->handle = &first->link;
	return true;
}

static void give(void *pool, unsigned int thread, const struct piece *piece)
{
	struct pool *p = pool;
	LIST_HEAD(blocks);

	list_add_tail(&blocks, piece->handle);
	spin_lock(&p->lock);
	gpu_buddy_free_list(&p->mm, &blocks, 0);
	spin_unlock(&p->lock);
}

static void destroy(void *pool)
{
	struct pool *p = pool;

	gpu_buddy_fini(&p->mm);
	kfree(p);
}

static u64 overhead(void *pool)
{
	struct pool *p = pool;
	u64 orders = p->mm.max_order + 1;

	return sizeof(*p) + p->mm.n_roots * (sizeof(*p->mm.roots) + sizeof(**p->mm.roots)) +
		GPU_BUDDY_MAX_FREE_TREES *
			(sizeof(*p->mm.free_trees) + orders * sizeof(**p->mm.free_trees)) +
		orders * (sizeof(*p->mm.free_scoreboard) + sizeof(*p->mm.used_scoreboard));
}

const struct peer gpu_buddy_peer = {
	.name = "gpu_buddy",
	.create = create,
	.alloc = take,
	.free = give,
	.destroy = destroy,
	.overhead = overhead,
};
