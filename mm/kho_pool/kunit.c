// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the index, of the root and of pools, on memory of their own.  The
 * exhaustive ones are in tools/testing/kho_pool, on the same code; these see
 * that it does the same when compiled into this kernel.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/kho_pool.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "golden.h"
#include "golden_2.h"
#include "golden_3.h"
#include "golden_states.h"
#include "internal.h"
#include "pool.h"

#define BLOCK	((u64)KHO_POOL_BLOCK_FRAMES)
#define AREA	((u64)KP_AREA_FRAMES)
/* Not on an area, so that the first and the last are partial. */
#define BASE	(2 * AREA - 3 * BLOCK)
#define FRAMES	(4 * AREA + 8 * BLOCK)

struct fixture {
	struct kp_index idx;
	void *index, *vol;
	u64 index_size, vol_size;
};

static int take_over(struct fixture *f, const u64 *sum)
{
	int err;

	memset(f->vol, 0, f->vol_size);
	memset(&f->idx, 0, sizeof(f->idx));
	err = kp_index_attach(&f->idx, f->index, f->index_size, BASE, FRAMES, PAGE_SHIFT, f->vol,
			      1);
	return err ?: kp_index_restore(&f->idx, sum);
}

static int kp_kunit_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->index_size = kp_index_size(BASE, FRAMES);
	f->vol_size = kp_index_volatile_size(BASE, FRAMES, 1);
	f->index = vmalloc(f->index_size);
	f->vol = vmalloc(f->vol_size);
	KUNIT_ASSERT_NOT_NULL(test, f->index);
	KUNIT_ASSERT_NOT_NULL(test, f->vol);
	memset(f->index, 0xa5, f->index_size);
	KUNIT_ASSERT_EQ(test, kp_index_format(f->index, BASE, FRAMES, PAGE_SHIFT, "kunit"), 0);
	KUNIT_ASSERT_EQ(test, take_over(f, NULL), 0);
	KUNIT_ASSERT_EQ(test, kp_owner_set(&f->idx, f->idx.lane, 1, "one"), 0);
	return 0;
}

static void kp_kunit_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	vfree(f->index);
	vfree(f->vol);
}

static int get(struct fixture *f, u64 frames, u64 align, const char *name, u64 *frame)
{
	struct kp_request req = { .frames = frames, .align = align, .owner = 1, .name = name };

	return kp_index_alloc(&f->idx, f->idx.lane, &req, frame);
}

static int put(struct fixture *f, u64 frame, u64 frames)
{
	return kp_index_free(&f->idx, f->idx.lane, frame, frames, 1);
}

static void sizes_and_alignments(struct kunit *test)
{
	static const u64 sizes[] = { 1, 3, 511, 512, 513, 5000, AREA - 1, AREA, AREA + 1,
				     3 * AREA };
	struct fixture *f = test->priv;

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (u64 align = 1; align <= AREA; align *= 8) {
			u64 frame;

			KUNIT_ASSERT_EQ(test, get(f, sizes[i], align, NULL, &frame), 0);
			KUNIT_EXPECT_EQ(test, (BASE + frame) % align, 0);
			KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
			KUNIT_EXPECT_EQ(test, put(f, frame, sizes[i]), 0);
			KUNIT_EXPECT_EQ(test, put(f, frame, sizes[i]), -ENOENT);
			KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
		}
	}
}

static void bad_requests_and_frees(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 frame, sum;

	KUNIT_EXPECT_EQ(test, get(f, 0, 1, NULL, &frame), -EINVAL);
	KUNIT_EXPECT_EQ(test, get(f, 1, 3, NULL, &frame), -EINVAL);
	KUNIT_EXPECT_EQ(test, get(f, FRAMES + 1, 1, NULL, &frame), -ENOMEM);
	KUNIT_ASSERT_EQ(test, get(f, 2 * BLOCK, 1, "x", &frame), 0);
	sum = kp_index_sum(&f->idx);
	KUNIT_EXPECT_EQ(test, put(f, frame, BLOCK), -EINVAL);
	KUNIT_EXPECT_EQ(test, put(f, frame + BLOCK, BLOCK), -ENOENT);
	KUNIT_EXPECT_EQ(test, put(f, FRAMES, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, kp_index_sum(&f->idx), sum);
	KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
}

static void over_a_restore(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kp_extent ext;
	u64 a, b, c, sum, found;

	KUNIT_ASSERT_EQ(test, get(f, 5, 1, "five", &a), 0);
	KUNIT_ASSERT_EQ(test, get(f, 3 * BLOCK, 1, NULL, &b), 0);
	KUNIT_ASSERT_EQ(test, get(f, 2 * AREA, AREA, "big", &c), 0);
	KUNIT_ASSERT_TRUE(test, kp_index_seal(&f->idx, &sum, 1));
	KUNIT_EXPECT_EQ(test, get(f, 1, 1, NULL, &found), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, put(f, a, 5), -ESHUTDOWN);
	KUNIT_ASSERT_EQ(test, take_over(f, &sum), 0);
	KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
	KUNIT_EXPECT_EQ(test, f->idx.lane[0].unclaimed, 3);
	KUNIT_ASSERT_EQ(test, kp_name_find(&f->idx, "big", &found), 0);
	KUNIT_EXPECT_EQ(test, found, c);
	KUNIT_EXPECT_EQ(test, kp_index_claim(&f->idx, f->idx.lane, c), 0);
	KUNIT_ASSERT_EQ(test, kp_index_find(&f->idx, b, &ext), 0);
	KUNIT_EXPECT_EQ(test, ext.frames, 3 * BLOCK);
	KUNIT_EXPECT_TRUE(test, ext.unclaimed);

	/* A changed index is not taken over, and not changed further. */
	f->idx.areas[kp_area_of(&f->idx, c >> KHO_POOL_BLOCK_SHIFT)] ^= cpu_to_le64(1ULL << 20);
	KUNIT_EXPECT_EQ(test, take_over(f, &sum), -EBADMSG);
	f->idx.areas[kp_area_of(&f->idx, c >> KHO_POOL_BLOCK_SHIFT)] ^= cpu_to_le64(1ULL << 20);
	KUNIT_EXPECT_EQ(test, take_over(f, &sum), 0);
	/* One that was not sealed is believed if it makes sense. */
	KUNIT_EXPECT_EQ(test, take_over(f, NULL), 0);
	KUNIT_EXPECT_EQ(test, kp_index_sum(&f->idx), sum);
}

static void largest_root_fits(struct kunit *test)
{
	struct kp_root *root = kunit_kzalloc(test, 2 * sizeof(*root), GFP_KERNEL);
	void *page = kunit_kzalloc(test, KHO_POOL_ROOT_SIZE, GFP_KERNEL);
	u64 size = BLOCK << PAGE_SHIFT;

	KUNIT_ASSERT_NOT_NULL(test, root);
	KUNIT_ASSERT_NOT_NULL(test, page);
	root->frame_size = PAGE_SIZE;
	root->generation = 7;
	root->sealed = 1;
	root->nr_pools = KHO_POOL_MAX_POOLS;
	root->nr_regions = KHO_POOL_MAX_REGIONS;
	for (u32 i = 0; i < root->nr_pools; i++)
		scnprintf(root->pool_name[i], sizeof(root->pool_name[i]),
			  "%u-a-name-of-all-31-bytes-allowed", i);
	for (u32 i = 0; i < root->nr_regions; i++) {
		root->region[i].base = (2 * i + 1) * size;
		root->region[i].size = size;
		root->region[i].index = (2 * i + 2) * size;
		root->region[i].index_size = kp_index_size((2 * i + 1) * BLOCK, BLOCK);
		root->region[i].sum = i;
		root->region[i].pool = i * root->nr_pools / root->nr_regions;
	}
	KUNIT_ASSERT_GT(test, kp_root_encode(root, page), 0);
	KUNIT_EXPECT_NULL(test, kp_root_decode(page, PAGE_SIZE, root + 1));
	KUNIT_EXPECT_MEMEQ(test, root, root + 1, sizeof(*root));
	KUNIT_EXPECT_NOT_NULL(test, kp_root_decode(page, 2 * PAGE_SIZE, root + 1));
	for (u32 i = 0; i < KHO_POOL_ROOT_SIZE; i += 7) {
		((u8 *)page)[i] ^= 0x10;
		KUNIT_EXPECT_NOT_NULL(test, kp_root_decode(page, PAGE_SIZE, root + 1));
		((u8 *)page)[i] ^= 0x10;
	}
}

static void *image(struct kunit *test, const struct golden_word *words, u32 nr, u64 size)
{
	__le64 *mem = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	for (u32 i = 0; i < nr; i++)
		mem[words[i].offset / 8] = cpu_to_le64(words[i].word);
	return mem;
}

/* What another version, on another architecture, has written. */
static void golden_version_1(struct kunit *test)
{
	struct kp_root *root = kunit_kzalloc(test, sizeof(*root), GFP_KERNEL);
	void *page = image(test, golden_v1_root, ARRAY_SIZE(golden_v1_root), KHO_POOL_ROOT_SIZE);
	void *again = kunit_kzalloc(test, KHO_POOL_ROOT_SIZE, GFP_KERNEL);
	void *index = image(test, golden_v1_index, ARRAY_SIZE(golden_v1_index),
			    GOLDEN_V1_INDEX_SIZE);
	struct kp_index *idx = kunit_kzalloc(test, sizeof(*idx), GFP_KERNEL);
	u64 base, frames, frame;
	void *vol;

	KUNIT_ASSERT_NOT_NULL(test, root);
	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_ASSERT_NOT_NULL(test, idx);
	/* The image's pages are of 4 KiB, whatever this kernel's are. */
	KUNIT_ASSERT_NULL(test, kp_root_decode(page, SZ_4K, root));
	KUNIT_ASSERT_GT(test, kp_root_encode(root, again), 0);
	KUNIT_EXPECT_MEMEQ(test, page, again, KHO_POOL_ROOT_SIZE);

	base = root->region[0].base / SZ_4K;
	frames = root->region[0].size / SZ_4K;
	vol = kunit_kzalloc(test, kp_index_volatile_size(base, frames, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vol);
	KUNIT_ASSERT_EQ(test, kp_index_attach(idx, index, GOLDEN_V1_INDEX_SIZE, base, frames, 12,
					      vol, 1), 0);
	KUNIT_ASSERT_EQ(test, kp_index_restore(idx, &root->region[0].sum), 0);
	KUNIT_EXPECT_EQ(test, kp_index_validate(idx), 0);
	KUNIT_EXPECT_EQ(test, idx->lane[0].extents, 5);
	KUNIT_EXPECT_EQ(test, kp_name_find(idx, "large", &frame), 0);
	KUNIT_EXPECT_EQ(test, frame, 32 * BLOCK);
}

static void golden_set(struct kunit *test, const struct golden_image *set, u32 nr)
{
	struct kp_index *idx = kunit_kzalloc(test, sizeof(*idx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, idx);
	for (u32 i = 0; i < nr; i++) {
		const struct golden_image *g = &set[i];
		u64 size = kp_index_size(g->base, g->frames), sum = g->sum;
		void *index = image(test, g->words, g->nr_words, size);
		void *vol = kunit_kzalloc(test, kp_index_volatile_size(g->base, g->frames, 1),
					  GFP_KERNEL);
		struct kp_stat stat = {};

		KUNIT_ASSERT_NOT_NULL(test, vol);
		memset(idx, 0, sizeof(*idx));
		KUNIT_ASSERT_EQ_MSG(test, kp_index_attach(idx, index, size, g->base, g->frames,
							  g->frame_shift, vol, 1), 0,
				    "%s", g->name);
		KUNIT_ASSERT_EQ_MSG(test, kp_index_restore(idx, g->sealed ? &sum : NULL), 0,
				    "%s", g->name);
		kp_index_stat(idx, &stat);
		KUNIT_EXPECT_EQ_MSG(test, kp_index_sum(idx), sum, "%s", g->name);
		KUNIT_EXPECT_EQ_MSG(test, kp_index_validate(idx), 0, "%s", g->name);
		KUNIT_EXPECT_EQ_MSG(test, idx->lane[0].extents, g->extents, "%s", g->name);
		KUNIT_EXPECT_EQ_MSG(test, idx->lane[0].used_frames, g->used_frames, "%s", g->name);
		KUNIT_EXPECT_EQ_MSG(test, stat.largest, g->largest, "%s", g->name);
	}
}

static void golden_states(struct kunit *test)
{
	golden_set(test, golden_2, ARRAY_SIZE(golden_2));
	golden_set(test, golden_3, ARRAY_SIZE(golden_3));
}

static void written_set(struct kunit *test, const struct golden_state *states,
			const struct golden_image *set, u32 nr)
{
	struct kp_index *idx = kunit_kzalloc(test, sizeof(*idx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, idx);
	for (u32 i = 0; i < nr; i++) {
		const struct golden_state *s = &states[i];
		u64 size = kp_index_size(s->base, s->frames);
		void *golden = image(test, set[i].words, set[i].nr_words, size);
		void *index = kunit_kzalloc(test, size, GFP_KERNEL);
		void *vol = kunit_kzalloc(test, kp_index_volatile_size(s->base, s->frames, 1),
					  GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, index);
		KUNIT_ASSERT_NOT_NULL(test, vol);
		memset(idx, 0, sizeof(*idx));
		KUNIT_ASSERT_EQ_MSG(test, golden_write(s, idx, index, vol), 0, "%s", s->name);
		KUNIT_EXPECT_STREQ(test, s->name, set[i].name);
		KUNIT_EXPECT_MEMEQ_MSG(test, index, golden, size, "%s", s->name);
	}
}

/* The same operations write the same bytes, on any architecture. */
static void golden_written(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(golden_2), ARRAY_SIZE(golden_states_2));
	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(golden_3), ARRAY_SIZE(golden_states_3));
	written_set(test, golden_states_2, golden_2, ARRAY_SIZE(golden_2));
	written_set(test, golden_states_3, golden_3, ARRAY_SIZE(golden_3));
}

static void golden_two_pools(struct kunit *test)
{
	void *page = image(test, golden_2_two_pools_root, ARRAY_SIZE(golden_2_two_pools_root),
			   KHO_POOL_ROOT_SIZE);
	void *list = image(test, golden_2_two_pools_keep, ARRAY_SIZE(golden_2_two_pools_keep),
			   KHO_POOL_ROOT_SIZE);
	void *again = kunit_kzalloc(test, KHO_POOL_ROOT_SIZE, GFP_KERNEL);
	struct kp_root *root = kunit_kzalloc(test, sizeof(*root), GFP_KERNEL);
	struct kp_keep *keep = kunit_kzalloc(test, sizeof(*keep), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_ASSERT_NOT_NULL(test, root);
	KUNIT_ASSERT_NOT_NULL(test, keep);
	KUNIT_ASSERT_NULL(test, kp_root_decode(page, SZ_4K, root));
	KUNIT_EXPECT_EQ(test, root->nr_regions, 4);
	KUNIT_EXPECT_EQ(test, root->region[3].pool, 1);
	KUNIT_ASSERT_GT(test, kp_root_encode(root, again), 0);
	KUNIT_EXPECT_MEMEQ(test, page, again, KHO_POOL_ROOT_SIZE);
	KUNIT_ASSERT_TRUE(test, kp_keep_decode(list, keep));
	KUNIT_EXPECT_EQ(test, keep->nr, 8);
	kp_keep_encode(keep, again);
	KUNIT_EXPECT_MEMEQ(test, list, again, KHO_POOL_ROOT_SIZE);

	memset(root, 0, sizeof(*root));
	memset(keep, 0, sizeof(*keep));
	golden_two_roots(root, keep);
	KUNIT_ASSERT_GT(test, kp_root_encode(root, again), 0);
	KUNIT_EXPECT_MEMEQ(test, page, again, KHO_POOL_ROOT_SIZE);
	kp_keep_encode(keep, again);
	KUNIT_EXPECT_MEMEQ(test, list, again, KHO_POOL_ROOT_SIZE);
}

/* A pool of one region a node; nodes need not be there to be told apart. */
static struct kho_pool *pool_on_nodes(struct kunit *test, u32 nr)
{
	struct kho_pool *pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	u32 lanes = cpumask_last(cpu_possible_mask) + 1;

	KUNIT_ASSERT_NOT_NULL(test, pool);
	strscpy(pool->name, "kunit");
	raw_spin_lock_init(&pool->name_lock);
	for (u32 i = 0; i < nr; i++) {
		struct kp_region *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
		u64 base = (2 * i + 1) * AREA, frames = 4 * BLOCK;
		void *index, *vol;

		KUNIT_ASSERT_NOT_NULL(test, r);
		r->pool = pool;
		r->base = PFN_PHYS(base);
		r->size = PFN_PHYS(frames);
		r->nid = i;
		r->index_size = kp_index_size(base, frames);
		index = kunit_kzalloc(test, r->index_size, GFP_KERNEL);
		vol = kunit_kzalloc(test, kp_index_volatile_size(base, frames, lanes), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, index);
		KUNIT_ASSERT_NOT_NULL(test, vol);
		KUNIT_ASSERT_EQ(test, kp_index_format(index, base, frames, PAGE_SHIFT,
						      pool->name), 0);
		KUNIT_ASSERT_EQ(test, kp_index_attach(&r->idx, index, r->index_size, base, frames,
						      PAGE_SHIFT, vol, lanes), 0);
		KUNIT_ASSERT_EQ(test, kp_index_restore(&r->idx, NULL), 0);
		pool->region[pool->nr_regions++] = r;
	}
	return pool;
}

static void strict_and_preferred_nodes(struct kunit *test)
{
	struct kho_pool *pool = pool_on_nodes(test, 2);
	struct kho_pool_owner *owner = kho_pool_register_owner(pool, "one");
	u64 block = PFN_PHYS(BLOCK);
	struct kho_pool_request req = {
		.size = 4 * block, .nid = 1, .flags = KHO_POOL_NOZERO | KHO_POOL_THISNODE,
	};
	struct kp_pool_stat all, node[2];
	phys_addr_t strict, preferred, phys;

	KUNIT_ASSERT_FALSE(test, IS_ERR(owner));
	KUNIT_ASSERT_EQ(test, kho_pool_alloc(owner, &req, &strict), 0);
	KUNIT_EXPECT_EQ(test, strict, pool->region[1]->base);
	req.size = block;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), -ENOSPC);
	req.flags = KHO_POOL_NOZERO;
	KUNIT_ASSERT_EQ(test, kho_pool_alloc(owner, &req, &preferred), 0);
	KUNIT_EXPECT_LT(test, preferred, pool->region[1]->base);

	kp_node_stat(pool, NUMA_NO_NODE, &all);
	for (int nid = 0; nid < 2; nid++) {
		kp_node_stat(pool, nid, &node[nid]);
		KUNIT_EXPECT_EQ(test, node[nid].extents, 1);
		KUNIT_EXPECT_EQ(test, node[nid].regions, 1);
	}
	KUNIT_EXPECT_EQ(test, node[0].free.free_frames, 3 * BLOCK);
	KUNIT_EXPECT_EQ(test, node[1].free.free_frames, 0);
	KUNIT_EXPECT_EQ(test, all.size, node[0].size + node[1].size);
	KUNIT_EXPECT_EQ(test, all.free.free_frames, 3 * BLOCK);
	KUNIT_EXPECT_EQ(test, all.extents, 2);

	/* A node that the pool has nothing on */
	req.nid = 2;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), 0);
	req.flags |= KHO_POOL_THISNODE;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), -ENOSPC);
	req.nid = NUMA_NO_NODE;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), -EINVAL);
	req.flags = KHO_POOL_NOZERO;
	req.size = 4 * block;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), -ENOMEM);

	KUNIT_EXPECT_EQ(test, kho_pool_free(owner, strict, 4 * block), 0);
	kp_node_stat(pool, 1, &node[1]);
	KUNIT_EXPECT_EQ(test, node[1].free.free_frames, 4 * BLOCK);
	KUNIT_EXPECT_EQ(test, node[1].frees, 1);
}

/* Who has a page with a memory error keeps it, and no one else gets it. */
static void memory_errors(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 taken, frame, sum, free_bad = FRAMES - 5, nr = 0;

	KUNIT_ASSERT_EQ(test, get(f, 3 * BLOCK, 1, "taken", &taken), 0);
	sum = kp_index_sum(&f->idx);
	KUNIT_ASSERT_EQ(test, kp_index_bad(&f->idx, taken + BLOCK + 1), 0);
	KUNIT_ASSERT_EQ(test, kp_index_bad(&f->idx, free_bad), 0);
	KUNIT_EXPECT_EQ(test, kp_index_bad(&f->idx, FRAMES), -EINVAL);
	KUNIT_EXPECT_EQ(test, kp_index_sum(&f->idx), sum);
	KUNIT_ASSERT_TRUE(test, kp_index_seal(&f->idx, &sum, 1));
	/* At the very last moment */
	KUNIT_ASSERT_EQ(test, kp_index_bad(&f->idx, free_bad + 1), 0);
	KUNIT_ASSERT_EQ(test, take_over(f, &sum), 0);
	KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
	for (frame = 0; kp_bad_next(&f->idx, &frame); frame++)
		nr++;
	KUNIT_EXPECT_EQ(test, nr, 3);
	KUNIT_EXPECT_EQ(test, put(f, taken, 3 * BLOCK), 0);
	KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
	for (nr = 0; !get(f, BLOCK, 1, NULL, &frame); nr++) {
		KUNIT_ASSERT_NE(test, frame / BLOCK, (taken + BLOCK + 1) / BLOCK);
		KUNIT_ASSERT_NE(test, frame / BLOCK, free_bad / BLOCK);
	}
	KUNIT_EXPECT_EQ(test, nr, FRAMES / BLOCK - 2);
	KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
}

/* What a region has that could not be read is not known, so no name is free. */
static void names_of_unread_regions(struct kunit *test)
{
	struct kho_pool *pool = pool_on_nodes(test, 2);
	struct kho_pool_owner *owner = kho_pool_register_owner(pool, "one");
	struct kho_pool_request req = {
		.size = PAGE_SIZE, .nid = NUMA_NO_NODE, .flags = KHO_POOL_NOZERO, .name = "name",
	};
	phys_addr_t phys;

	KUNIT_ASSERT_FALSE(test, IS_ERR(owner));
	req.flags |= KHO_POOL_THISNODE;
	req.nid = 1;
	KUNIT_ASSERT_EQ(test, kho_pool_alloc(owner, &req, &phys), 0);

	pool->region[1]->state = KHO_POOL_REGION_UNREAD;
	req.nid = 0;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, PTR_ERR(kho_pool_register_owner(pool, "two")), -EUCLEAN);
	KUNIT_EXPECT_PTR_EQ(test, kho_pool_register_owner(pool, "one"), owner);
	req.name = NULL;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), 0);

	/* The next kernel has it again; one that is damaged comes back no more. */
	pool->region[1]->state = KHO_POOL_REGION_OK;
	req.name = "name";
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), -EEXIST);
	pool->region[1]->state = KHO_POOL_REGION_BAD_SUM;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(kho_pool_register_owner(pool, "two")));
}

/* Is it a resource, and one that /dev/mem is not to map? */
static bool is_exclusive(u64 phys)
{
	const struct resource *res = lookup_resource(&iomem_resource, phys);

	return res && res->flags & IORESOURCE_EXCLUSIVE;
}

/* A driver has the middle of a range, where there is no memory, and lets go of it. */
static void exclusive_in_iomem(struct kunit *test)
{
	struct kp_keep *keep = &kp_state.keep;
	struct resource nothing = {};
	u64 base, taken;

	KUNIT_ASSERT_LT(test, keep->nr, KHO_POOL_MAX_KEEP);
	KUNIT_ASSERT_EQ(test, allocate_resource(&iomem_resource, &nothing, SZ_64M, SZ_16M,
						RESOURCE_SIZE_MAX, SZ_64M, NULL, NULL), 0);
	base = nothing.start;
	taken = base + SZ_4M;
	release_resource(&nothing);
	keep->range[keep->nr].base = base;
	keep->range[keep->nr++].size = SZ_64M;
	KUNIT_EXPECT_EQ(test, kho_pool_iomem_open(taken, SZ_2M), 0);
	/* No one has requested it yet. */
	kho_pool_iomem_taken(taken);
	KUNIT_EXPECT_NOT_NULL(test, request_mem_region(taken, SZ_2M, "kunit"));
	KUNIT_EXPECT_FALSE(test, is_exclusive(taken));
	kho_pool_iomem_taken(taken);
	KUNIT_EXPECT_TRUE(test, is_exclusive(taken));
	release_mem_region(taken, SZ_2M);
	kho_pool_iomem_close(taken);
	keep->nr--;
	/* All of it in one piece again */
	KUNIT_EXPECT_FALSE(test, is_exclusive(taken));
	KUNIT_EXPECT_TRUE(test, is_exclusive(base));
	release_mem_region_adjustable(base, SZ_64M);
	KUNIT_EXPECT_FALSE(test, is_exclusive(base));
}

static struct kunit_case kp_kunit_cases[] = {
	KUNIT_CASE(sizes_and_alignments),
	KUNIT_CASE(bad_requests_and_frees),
	KUNIT_CASE(over_a_restore),
	KUNIT_CASE(largest_root_fits),
	KUNIT_CASE(golden_version_1),
	KUNIT_CASE(golden_states),
	KUNIT_CASE(golden_written),
	KUNIT_CASE(golden_two_pools),
	KUNIT_CASE(strict_and_preferred_nodes),
	KUNIT_CASE(memory_errors),
	KUNIT_CASE(names_of_unread_regions),
	KUNIT_CASE(exclusive_in_iomem),
	{}
};

static struct kunit_suite kp_kunit_suite = {
	.name = "kho_pool",
	.init = kp_kunit_init,
	.exit = kp_kunit_exit,
	.test_cases = kp_kunit_cases,
};

kunit_test_suite(kp_kunit_suite);
