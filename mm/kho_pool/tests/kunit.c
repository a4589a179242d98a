// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the index, of the root and of pools, on memory of their own.  The
 * exhaustive ones are in tools/testing/kho_pool, on the same code; these check
 * that it does the same when compiled into this kernel.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/kho_pool.h>
#include <linux/kho_pool_expose.h>
#include <linux/kho_pool_place.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../groups.h"
#include "../index/internal.h"
#include "../pool.h"
#include "golden_v1.h"
#include "golden_sizes.h"
#include "golden_bad_frames.h"
#include "golden_table.h"
#include "golden_states.h"

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

static int take_over(struct fixture *f, const u64 *csum)
{
	int err;

	memset(f->vol, 0, f->vol_size);
	memset(&f->idx, 0, sizeof(f->idx));
	err = kp_index_attach(&f->idx, f->index, f->index_size, BASE, FRAMES, PAGE_SHIFT, f->vol,
			      1);
	return err ?: kp_index_restore(&f->idx, csum);
}

static int kp_kunit_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->index_size = kp_index_size_table(BASE, FRAMES);
	f->vol_size = kp_index_volatile_size(BASE, FRAMES, 1);
	f->index = vmalloc(f->index_size);
	f->vol = vmalloc(f->vol_size);
	KUNIT_ASSERT_NOT_NULL(test, f->index);
	KUNIT_ASSERT_NOT_NULL(test, f->vol);
	memset(f->index, 0xa5, f->index_size);
	KUNIT_ASSERT_EQ(test, kp_index_format(f->index, f->index_size, BASE, FRAMES,
					      PAGE_SHIFT, "kunit"), 0);
	KUNIT_ASSERT_EQ(test, take_over(f, NULL), 0);
	KUNIT_ASSERT_EQ(test, kp_owner_set(&f->idx, f->idx.pcpu, 1, "one"), 0);
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

	return whole_alloc(&f->idx, f->idx.pcpu, &req, frame);
}

static int put(struct fixture *f, u64 frame, u64 frames)
{
	return whole_free(&f->idx, f->idx.pcpu, frame, frames, 1);
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
	u64 frame, csum;

	KUNIT_EXPECT_EQ(test, get(f, 0, 1, NULL, &frame), -EINVAL);
	KUNIT_EXPECT_EQ(test, get(f, 1, 3, NULL, &frame), -EINVAL);
	KUNIT_EXPECT_EQ(test, get(f, FRAMES + 1, 1, NULL, &frame), -ENOMEM);
	KUNIT_ASSERT_EQ(test, get(f, 2 * BLOCK, 1, "x", &frame), 0);
	csum = kp_index_csum(&f->idx);
	KUNIT_EXPECT_EQ(test, put(f, frame, BLOCK), -EINVAL);
	KUNIT_EXPECT_EQ(test, put(f, frame + BLOCK, BLOCK), -ENOENT);
	KUNIT_EXPECT_EQ(test, put(f, FRAMES, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, kp_index_csum(&f->idx), csum);
	KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
}

static void over_a_restore(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kp_extent ext;
	u64 a, b, c, csum, found;

	KUNIT_ASSERT_EQ(test, get(f, 5, 1, "five", &a), 0);
	KUNIT_ASSERT_EQ(test, get(f, 3 * BLOCK, 1, NULL, &b), 0);
	KUNIT_ASSERT_EQ(test, get(f, 2 * AREA, AREA, "big", &c), 0);
	KUNIT_ASSERT_TRUE(test, kp_index_seal(&f->idx, &csum, 1));
	KUNIT_EXPECT_EQ(test, get(f, 1, 1, NULL, &found), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, put(f, a, 5), -ESHUTDOWN);
	KUNIT_ASSERT_EQ(test, take_over(f, &csum), 0);
	KUNIT_EXPECT_EQ(test, kp_index_validate(&f->idx), 0);
	KUNIT_EXPECT_EQ(test, f->idx.pcpu[0].unclaimed, 3);
	KUNIT_ASSERT_EQ(test, kp_name_find(&f->idx, "big", &found), 0);
	KUNIT_EXPECT_EQ(test, found, c);
	KUNIT_EXPECT_EQ(test, kp_index_claim(&f->idx, f->idx.pcpu, c, 2 * AREA, 1), 0);
	KUNIT_ASSERT_EQ(test, kp_index_find(&f->idx, b, &ext), 0);
	KUNIT_EXPECT_EQ(test, ext.frames, 3 * BLOCK);
	KUNIT_EXPECT_TRUE(test, ext.unclaimed);

	/* A modified index is not taken over, and not modified further. */
	f->idx.areas[kp_area_of(&f->idx, c >> KHO_POOL_BLOCK_SHIFT)] ^= cpu_to_le64(1ULL << 20);
	KUNIT_EXPECT_EQ(test, take_over(f, &csum), -EBADMSG);
	f->idx.areas[kp_area_of(&f->idx, c >> KHO_POOL_BLOCK_SHIFT)] ^= cpu_to_le64(1ULL << 20);
	KUNIT_EXPECT_EQ(test, take_over(f, &csum), 0);
	/* An index that was not sealed is used if it is consistent. */
	KUNIT_EXPECT_EQ(test, take_over(f, NULL), 0);
	KUNIT_EXPECT_EQ(test, kp_index_csum(&f->idx), csum);
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
		root->region[i].csum = i;
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

/* An index that another version has written on another architecture. */
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
	/* The image has pages of 4 KiB, whatever this kernel's page size. */
	KUNIT_ASSERT_NULL(test, kp_root_decode(page, SZ_4K, root));
	KUNIT_ASSERT_GT(test, kp_root_encode(root, again), 0);
	KUNIT_EXPECT_MEMEQ(test, page, again, KHO_POOL_ROOT_SIZE);

	base = root->region[0].base / SZ_4K;
	frames = root->region[0].size / SZ_4K;
	vol = kunit_kzalloc(test, kp_index_volatile_size(base, frames, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vol);
	KUNIT_ASSERT_EQ(test, kp_index_attach(idx, index, GOLDEN_V1_INDEX_SIZE, base, frames, 12,
					      vol, 1), 0);
	KUNIT_ASSERT_EQ(test, kp_index_restore(idx, &root->region[0].csum), 0);
	KUNIT_EXPECT_EQ(test, kp_index_validate(idx), 0);
	KUNIT_EXPECT_EQ(test, kp_index_extents(idx), 5);
	KUNIT_EXPECT_EQ(test, kp_name_find(idx, "large", &frame), 0);
	KUNIT_EXPECT_EQ(test, frame, 32 * BLOCK);
}

static void golden_set(struct kunit *test, const struct golden_image *set, u32 nr, bool table)
{
	struct kp_index *idx = kunit_kzalloc(test, sizeof(*idx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, idx);
	for (u32 i = 0; i < nr; i++) {
		const struct golden_image *g = &set[i];
		u64 size = golden_size(g->base, g->frames, table), csum = g->csum;
		void *index = image(test, g->words, g->nr_words, size);
		void *vol = kunit_kzalloc(test, kp_index_volatile_size(g->base, g->frames, 1),
					  GFP_KERNEL);
		struct kp_stat_at at = {};
		struct kp_stat stat = {};

		KUNIT_ASSERT_NOT_NULL(test, vol);
		memset(idx, 0, sizeof(*idx));
		KUNIT_ASSERT_EQ_MSG(test, kp_index_attach(idx, index, size, g->base, g->frames,
							  g->frame_shift, vol, 1), 0,
				    "%s", g->name);
		KUNIT_ASSERT_EQ_MSG(test, kp_index_restore(idx, g->sealed ? &csum : NULL), 0,
				    "%s", g->name);
		while (kp_index_stat(idx, &stat, &at))
			;
		KUNIT_EXPECT_EQ_MSG(test, kp_index_csum(idx), csum, "%s", g->name);
		KUNIT_EXPECT_EQ_MSG(test, kp_index_validate(idx), 0, "%s", g->name);
		KUNIT_EXPECT_EQ_MSG(test, kp_index_extents(idx), g->extents, "%s", g->name);
		KUNIT_EXPECT_EQ_MSG(test, kp_index_used(idx), g->used_frames, "%s", g->name);
		KUNIT_EXPECT_EQ_MSG(test, stat.largest, g->largest, "%s", g->name);
	}
}

static void golden_states(struct kunit *test)
{
	golden_set(test, golden_sizes, ARRAY_SIZE(golden_sizes), false);
	golden_set(test, golden_bad_frames, ARRAY_SIZE(golden_bad_frames), false);
	golden_set(test, golden_table, ARRAY_SIZE(golden_table), true);
}

static void written_set(struct kunit *test, const struct golden_state *states,
			const struct golden_image *set, u32 nr)
{
	struct kp_index *idx = kunit_kzalloc(test, sizeof(*idx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, idx);
	for (u32 i = 0; i < nr; i++) {
		const struct golden_state *s = &states[i];
		u64 size = golden_size(s->base, s->frames, s->table);
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
	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(golden_sizes), ARRAY_SIZE(golden_states_sizes));
	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(golden_bad_frames), ARRAY_SIZE(golden_states_bad));
	written_set(test, golden_states_sizes, golden_sizes, ARRAY_SIZE(golden_sizes));
	written_set(test, golden_states_bad, golden_bad_frames, ARRAY_SIZE(golden_bad_frames));
	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(golden_table), ARRAY_SIZE(golden_states_table));
	written_set(test, golden_states_table, golden_table, ARRAY_SIZE(golden_table));
}

static void golden_two_pools(struct kunit *test)
{
	void *page = image(test, golden_two_pools_root, ARRAY_SIZE(golden_two_pools_root),
			   KHO_POOL_ROOT_SIZE);
	void *list = image(test, golden_two_pools_keep, ARRAY_SIZE(golden_two_pools_keep),
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

static void golden_table_two_regions(struct kunit *test)
{
	void *page = image(test, golden_table_two_regions_root,
			   ARRAY_SIZE(golden_table_two_regions_root), KHO_POOL_ROOT_SIZE);
	void *again = kunit_kzalloc(test, KHO_POOL_ROOT_SIZE, GFP_KERNEL);
	struct kp_root *root = kunit_kzalloc(test, sizeof(*root), GFP_KERNEL);
	struct kp_root *made = kunit_kzalloc(test, sizeof(*made), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_ASSERT_NOT_NULL(test, root);
	KUNIT_ASSERT_NOT_NULL(test, made);
	golden_table_root(made);
	KUNIT_ASSERT_NULL(test, kp_root_decode(page, SZ_4K, root));
	KUNIT_EXPECT_MEMEQ(test, root, made, sizeof(*root));
	KUNIT_ASSERT_GT(test, kp_root_encode(root, again), 0);
	KUNIT_EXPECT_MEMEQ(test, page, again, KHO_POOL_ROOT_SIZE);
}

/* A pool with one region per node; the nodes do not have to exist. */
static struct kho_pool *pool_on_nodes(struct kunit *test, u32 nr)
{
	struct kho_pool *pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	u32 cpus = cpumask_last(cpu_possible_mask) + 1;

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
		r->index_size = kp_index_size_table(base, frames);
		index = kunit_kzalloc(test, r->index_size, GFP_KERNEL);
		vol = kunit_kzalloc(test, kp_index_volatile_size(base, frames, cpus), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, index);
		KUNIT_ASSERT_NOT_NULL(test, vol);
		KUNIT_ASSERT_EQ(test, kp_index_format(index, r->index_size, base, frames,
						      PAGE_SHIFT, pool->name), 0);
		KUNIT_ASSERT_EQ(test, kp_index_attach(&r->idx, index, r->index_size, base, frames,
						      PAGE_SHIFT, vol, cpus), 0);
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
	struct kp_stat free;
	phys_addr_t strict, preferred, phys;

	KUNIT_ASSERT_FALSE(test, IS_ERR(owner));
	KUNIT_ASSERT_EQ(test, kho_pool_alloc(owner, &req, &strict), 0);
	KUNIT_EXPECT_EQ(test, strict, pool->region[1]->base);
	req.size = block;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), -ENOSPC);
	req.flags = KHO_POOL_NOZERO;
	KUNIT_ASSERT_EQ(test, kho_pool_alloc(owner, &req, &preferred), 0);
	KUNIT_EXPECT_LT(test, preferred, pool->region[1]->base);

	for (int nid = 0; nid < 2; nid++) {
		KUNIT_EXPECT_EQ(test, kp_node_sum(pool, nid, KP_SUM_EXTENTS), 1);
		KUNIT_EXPECT_EQ(test, kp_node_sum(pool, nid, KP_SUM_REGIONS), 1);
	}
	kp_node_count(pool, 0, &free);
	KUNIT_EXPECT_EQ(test, free.free_frames, 3 * BLOCK);
	kp_node_count(pool, 1, &free);
	KUNIT_EXPECT_EQ(test, free.free_frames, 0);
	KUNIT_EXPECT_EQ(test, kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_SIZE),
			kp_node_sum(pool, 0, KP_SUM_SIZE) + kp_node_sum(pool, 1, KP_SUM_SIZE));
	kp_node_count(pool, NUMA_NO_NODE, &free);
	KUNIT_EXPECT_EQ(test, free.free_frames, 3 * BLOCK);
	KUNIT_EXPECT_EQ(test, kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_EXTENTS), 2);

	/* A node on which the pool has no memory */
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
	kp_node_count(pool, 1, &free);
	KUNIT_EXPECT_EQ(test, free.free_frames, 4 * BLOCK);
	KUNIT_EXPECT_EQ(test, kp_node_sum(pool, 1, KP_SUM_FREES), 1);
}

/* An extent keeps a page with a memory error, and nobody else gets the page. */
static void memory_errors(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 taken, frame, csum, free_bad = FRAMES - 5, nr = 0;

	KUNIT_ASSERT_EQ(test, get(f, 3 * BLOCK, 1, "taken", &taken), 0);
	csum = kp_index_csum(&f->idx);
	KUNIT_ASSERT_EQ(test, kp_index_bad(&f->idx, taken + BLOCK + 1), 0);
	KUNIT_ASSERT_EQ(test, kp_index_bad(&f->idx, free_bad), 0);
	KUNIT_EXPECT_EQ(test, kp_index_bad(&f->idx, FRAMES), -EINVAL);
	KUNIT_EXPECT_EQ(test, kp_index_csum(&f->idx), csum);
	KUNIT_ASSERT_TRUE(test, kp_index_seal(&f->idx, &csum, 1));
	/* At the very last moment */
	KUNIT_ASSERT_EQ(test, kp_index_bad(&f->idx, free_bad + 1), 0);
	KUNIT_ASSERT_EQ(test, take_over(f, &csum), 0);
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

/* The names in a region that could not be read are unknown, so no name is free. */
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

	/* The next kernel can use it again; a damaged one never comes back. */
	pool->region[1]->state = KHO_POOL_REGION_OK;
	req.name = "name";
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), -EEXIST);
	pool->region[1]->state = KHO_POOL_REGION_BAD_SUM;
	KUNIT_EXPECT_EQ(test, kho_pool_alloc(owner, &req, &phys), 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(kho_pool_register_owner(pool, "two")));
}

/* Is there a resource, and one that /dev/mem must not map? */
static bool is_exclusive(u64 phys)
{
	const struct resource *res = lookup_resource(&iomem_resource, phys);

	return res && res->flags & IORESOURCE_EXCLUSIVE;
}

/* A driver has the middle of a range, where there is no memory, and lets go of it. */
/* What mm/kho_pool takes, and what the decompressor keeps clear of */
static void place_of_a_pool(struct kunit *test)
{
	const u64 grain = KHO_POOL_SECTION;
	struct kho_pool_piece best = {};

	/* No whole section of it, or not as much wanted */
	KUNIT_EXPECT_FALSE(test, kho_pool_offer(&best, 1, 2 * grain - 1, grain, grain));
	KUNIT_EXPECT_FALSE(test, kho_pool_offer(&best, 0, 2 * grain, grain - 1, grain));
	KUNIT_EXPECT_EQ(test, best.size, 0);
	/* At its end */
	KUNIT_EXPECT_TRUE(test, kho_pool_offer(&best, 1, 5 * grain + 1, 3 * grain + 1, grain));
	KUNIT_EXPECT_EQ(test, best.base, 2 * grain);
	KUNIT_EXPECT_EQ(test, best.size, 3 * grain);
	/* A smaller one is not better, one of the same size is, as it is higher. */
	KUNIT_EXPECT_FALSE(test, kho_pool_offer(&best, 6 * grain, 8 * grain, 9 * grain, grain));
	KUNIT_EXPECT_TRUE(test, kho_pool_offer(&best, 8 * grain, 11 * grain, 9 * grain, grain));
	KUNIT_EXPECT_EQ(test, best.base, 8 * grain);
	KUNIT_EXPECT_EQ(test, best.size, 3 * grain);
}

/* ctype.c calls the letters of Latin-1 letters. */
static void names_are_ascii(struct kunit *test)
{
	for (unsigned int c = 0; c < 256; c++) {
		char name[] = { 'a', c, 0 };
		bool valid = !c || (isascii(c) && isalnum(c)) || strchr("-_.", c);

		KUNIT_EXPECT_EQ_MSG(test, kp_name_valid(name, sizeof(name)), valid, "%#x", c);
	}
	KUNIT_EXPECT_FALSE(test, kp_name_valid("", 2));
	KUNIT_EXPECT_FALSE(test, kp_name_valid(".a", 3));
	KUNIT_EXPECT_FALSE(test, kp_name_valid("ab", 2));
	KUNIT_EXPECT_TRUE(test, kp_name_valid("ab", 3));
}

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
	/* Nobody has requested it yet. */
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

/* A page of the group /host/vm1 with two extents, as version 1 has it */
static const u8 golden_group[] =
	"kgroups0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0/host/vm1";
static const u8 golden_group_extents[] = {
	0, 0, 0, 0x40, 1, 0, 0, 0,	0, 0, 0x20, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,		0, 0, 0, 0, 0, 0, 0, 0,
	0, 0x10, 0, 0, 2, 0, 0, 0,	0, 0x10, 0, 0, 0, 0, 0, 0,
};

#define GOLDEN_GROUP_EXTENTS	2048	/* where they begin */

static void golden_groups(struct kunit *test)
{
	struct kho_pool_group_page *page = kunit_kzalloc(test, sizeof(*page), GFP_KERNEL);
	u8 *golden = kunit_kzalloc(test, sizeof(*page), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_NULL(test, golden);
	memcpy(golden, golden_group, sizeof(golden_group));
	memcpy(golden + GOLDEN_GROUP_EXTENTS, golden_group_extents,
	       sizeof(golden_group_extents));
	kp_group_page_init(page, "/host/vm1");
	kp_group_page_set(page, 0, 0x140000000, SZ_2M);
	kp_group_page_set(page, 1, 0x3000, SZ_4K);
	kp_group_page_set(page, 1, 0, 0);
	kp_group_page_set(page, 2, 0x200001000, SZ_4K);
	KUNIT_EXPECT_MEMEQ(test, page, golden, sizeof(*page));

	KUNIT_EXPECT_TRUE(test, kp_group_page_valid(page));
	page->magic ^= cpu_to_le64(1);
	KUNIT_EXPECT_FALSE(test, kp_group_page_valid(page));
	page->magic ^= cpu_to_le64(1);
	page->version = cpu_to_le32(2);
	KUNIT_EXPECT_FALSE(test, kp_group_page_valid(page));
	page->version = cpu_to_le32(1);
	memset(page->path, 'x', sizeof(page->path));
	KUNIT_EXPECT_FALSE(test, kp_group_page_valid(page));
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
	KUNIT_CASE(golden_table_two_regions),
	KUNIT_CASE(strict_and_preferred_nodes),
	KUNIT_CASE(memory_errors),
	KUNIT_CASE(names_of_unread_regions),
	KUNIT_CASE(place_of_a_pool),
	KUNIT_CASE(names_are_ascii),
	KUNIT_CASE(golden_groups),
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
