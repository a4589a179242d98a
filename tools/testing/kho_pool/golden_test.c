// SPDX-License-Identifier: GPL-2.0-only
/* Golden images of every version are read, whatever this one writes. */
#include "region.h"
#include "test.h"

#include "../../../mm/kho_pool/tests/golden_v1.h"
#include "../../../mm/kho_pool/tests/golden_sizes.h"
#include "../../../mm/kho_pool/tests/golden_bad_frames.h"
#include "../../../mm/kho_pool/tests/golden_table.h"
#include "../../../mm/kho_pool/tests/golden_states.h"
#include "../../../mm/kho_pool/index/root.h"

static void *image(const struct golden_word *words, u32 nr, u64 size)
{
	__le64 *mem = pages(size);

	for (u32 i = 0; i < nr; i++)
		mem[words[i].offset / 8] = cpu_to_le64(words[i].word);
	return mem;
}

static bool version_1(void)
{
	void *page = image(golden_v1_root, ARRAY_SIZE(golden_v1_root), KHO_POOL_ROOT_SIZE);
	u8 again[KHO_POOL_ROOT_SIZE] __aligned(8);
	static struct kp_root root;
	struct kp_extent ext;
	struct region r = { .cpus = 2 };
	u64 pos = 0, nr = 0, frame;

	CHECK(!kp_root_decode(page, 1 << SHIFT, &root));
	CHECK_EQ(root.generation, 3);
	CHECK_EQ(root.nr_regions, 1);
	CHECK(!strcmp(root.pool_name[0], "golden"));
	/* The same state is the same bytes. */
	CHECK(kp_root_encode(&root, again) > 0);
	CHECK(!memcmp(page, again, sizeof(again)));

	r.base = root.region[0].base >> SHIFT;
	r.frames = root.region[0].size >> SHIFT;
	r.index_size = root.region[0].index_size;
	CHECK_EQ(r.index_size, GOLDEN_V1_INDEX_SIZE);
	r.index = image(golden_v1_index, ARRAY_SIZE(golden_v1_index), r.index_size);
	r.vol_size = kp_index_volatile_size(r.base, r.frames, r.cpus);
	CHECK_EQ(region_restore(&r, &root.region[0].csum), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	while (whole_next(&r.idx, &pos, &ext))
		nr++;
	CHECK_EQ(nr, 5);
	CHECK_EQ(kp_name_find(&r.idx, "small", &frame), 0);
	CHECK_EQ(kp_index_find(&r.idx, frame, &ext), 0);
	CHECK_EQ(ext.frames, 3);
	CHECK_EQ(ext.owner, kp_owner_find(&r.idx, "two"));
	CHECK_EQ(kp_name_find(&r.idx, "middle", &frame), 0);
	CHECK_EQ(put(&r, frame, 700, kp_owner_find(&r.idx, "one")), 0);
	CHECK_EQ(kp_name_find(&r.idx, "large", &frame), 0);
	CHECK_EQ(frame, 32 * MIB2);
	CHECK_EQ(put(&r, frame, GIB, 2), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

/* Each index is taken over, and is then the one that it always was. */
static bool state(const struct golden_image *g, bool table)
{
	struct region r = { .base = g->base, .frames = g->frames, .cpus = 2 };
	struct kp_stat stat = {};
	struct kp_extent ext;
	u64 pos = 0, csum = g->csum;

	r.index_size = golden_size(r.base, r.frames, table);
	r.vol_size = kp_index_volatile_size(r.base, r.frames, r.cpus);
	r.index = image(g->words, g->nr_words, r.index_size);
	r.vol = pages(r.vol_size);
	CHECK_EQ(kp_index_attach(&r.idx, r.index, r.index_size, r.base, r.frames, g->frame_shift,
				 r.vol, r.cpus), 0);
	CHECK_EQ(kp_index_restore(&r.idx, g->sealed ? &csum : NULL), 0);
	CHECK(kp_index_csum(&r.idx) == csum);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	count_free(&r.idx, &stat);
	CHECK_EQ(kp_index_extents(&r.idx), g->extents);
	CHECK_EQ(kp_index_used(&r.idx), g->used_frames);
	CHECK_EQ(stat.largest, g->largest);
	while (whole_next(&r.idx, &pos, &ext))
		CHECK_EQ(put(&r, ext.frame, ext.frames, ext.owner), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, r.frames, 1, 1, NULL, &pos), r.idx.nr_bad ? -ENOMEM : 0);
	CHECK_EQ(r.idx.bad == r.idx.header->bad, !table);
	region_exit(&r);
	return true;
}

static bool set(const struct golden_image *g, u32 nr, bool table)
{
	for (; nr--; g++) {
		if (!state(g, table)) {
			printf("# %s\n", g->name);
			return false;
		}
	}
	return true;
}

static bool states(void)
{
	return set(golden_sizes, ARRAY_SIZE(golden_sizes), false) &&
	       set(golden_bad_frames, ARRAY_SIZE(golden_bad_frames), false) &&
	       set(golden_table, ARRAY_SIZE(golden_table), true);
}

/* The frames with memory errors are those that they always were. */
static bool bad_frames(void)
{
	const struct golden_image *g = &golden_bad_frames[0];
	static const u64 bad[] = { 1, 0x461, 0x462, 0x463, 0x464, 0x52c, 0x1802, 0x1cbc };
	struct region r = { .base = g->base, .frames = g->frames, .cpus = 1 };
	u64 csum = g->csum, frame = 0;

	CHECK(!strcmp(g->name, "bad"));
	r.index_size = kp_index_size(r.base, r.frames);
	r.vol_size = kp_index_volatile_size(r.base, r.frames, r.cpus);
	r.index = image(g->words, g->nr_words, r.index_size);
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK(!r.idx.all_bad);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++, frame++) {
		CHECK(kp_bad_next(&r.idx, &frame));
		CHECK_EQ(frame, bad[i]);
	}
	CHECK(!kp_bad_next(&r.idx, &frame));
	/* Two blocks would be free but for them. */
	for (u32 i = 0; i < 10; i++)
		CHECK_EQ(get(&r, MIB2, 1, 1, NULL, &frame), 0);
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &frame), -ENOMEM);
	region_exit(&r);
	return true;
}

/* The same operations write the same bytes, as in the kernel's KUnit tests. */
static bool written_set(const struct golden_state *s, const struct golden_image *g, u32 nr)
{
	for (; nr--; s++, g++) {
		u64 size = golden_size(s->base, s->frames, s->table);
		void *index = pages(size), *golden;
		struct kp_index idx = {};

		CHECK(!golden_write(s, &idx, index,
				    pages(kp_index_volatile_size(s->base, s->frames, 1))));
		golden = image(g->words, g->nr_words, size);
		CHECK(!strcmp(s->name, g->name));
		CHECK(!memcmp(index, golden, size));
	}
	return true;
}

static bool written(void)
{
	CHECK_EQ(ARRAY_SIZE(golden_sizes), ARRAY_SIZE(golden_states_sizes));
	CHECK_EQ(ARRAY_SIZE(golden_bad_frames), ARRAY_SIZE(golden_states_bad));
	CHECK_EQ(ARRAY_SIZE(golden_table), ARRAY_SIZE(golden_states_table));
	return written_set(golden_states_sizes, golden_sizes, ARRAY_SIZE(golden_sizes)) &&
	       written_set(golden_states_bad, golden_bad_frames, ARRAY_SIZE(golden_bad_frames)) &&
	       written_set(golden_states_table, golden_table, ARRAY_SIZE(golden_table));
}

static bool two_pools(void)
{
	void *page = image(golden_two_pools_root, ARRAY_SIZE(golden_two_pools_root),
			   KHO_POOL_ROOT_SIZE);
	void *list = image(golden_two_pools_keep, ARRAY_SIZE(golden_two_pools_keep),
			   KHO_POOL_ROOT_SIZE);
	u8 again[KHO_POOL_ROOT_SIZE] __aligned(8);
	static struct kp_root root;
	static struct kp_keep keep;

	CHECK(!kp_root_decode(page, 4096, &root));
	CHECK(kp_root_decode(page, 65536, &root));
	CHECK(!kp_root_decode(page, 4096, &root));
	CHECK_EQ(root.nr_pools, 2);
	CHECK_EQ(root.nr_regions, 4);
	CHECK_EQ(root.generation, 0x123456789abcdefULL);
	CHECK_EQ(root.ro_compat, 1ULL << 40);
	CHECK(!strcmp(root.pool_name[1], "a-name-of-all-the-31-bytes-max."));
	CHECK_EQ(root.region[2].state, KHO_POOL_REGION_BAD_SUM);
	CHECK_EQ(root.region[3].pool, 1);
	CHECK(kp_root_encode(&root, again) > 0);
	CHECK(!memcmp(page, again, sizeof(again)));
	CHECK(kp_keep_decode(list, &keep));
	CHECK_EQ(keep.nr, 8);
	CHECK_EQ(keep.range[6].size, 1ULL << 30);
	kp_keep_encode(&keep, again);
	CHECK(!memcmp(list, again, sizeof(again)));

	memset(&root, 0, sizeof(root));
	memset(&keep, 0, sizeof(keep));
	golden_two_roots(&root, &keep);
	CHECK(kp_root_encode(&root, again) > 0);
	CHECK(!memcmp(page, again, sizeof(again)));
	kp_keep_encode(&keep, again);
	CHECK(!memcmp(list, again, sizeof(again)));
	return true;
}

static bool table_root(void)
{
	void *page = image(golden_table_two_regions_root,
			   ARRAY_SIZE(golden_table_two_regions_root), KHO_POOL_ROOT_SIZE);
	u8 again[KHO_POOL_ROOT_SIZE] __aligned(8);
	static struct kp_root root, made;

	golden_table_root(&made);
	CHECK(!kp_root_decode(page, 4096, &root));
	CHECK(!memcmp(&root, &made, sizeof(root)));
	CHECK(kp_root_encode(&root, again) > 0);
	CHECK(!memcmp(page, again, sizeof(again)));
	return true;
}

int main(void)
{
	static const struct test tests[] = {
		{ "version_1", version_1 },
		{ "states", states },
		{ "written", written },
		{ "bad_frames", bad_frames },
		{ "two_pools", two_pools },
		{ "table_root", table_root },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
