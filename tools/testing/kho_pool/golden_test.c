// SPDX-License-Identifier: GPL-2.0-only
/* Golden images of every version are read, whatever this one writes. */
#include "region.h"
#include "test.h"

#include "../../../mm/kho_pool/golden.h"
#include "../../../mm/kho_pool/root.h"

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
	struct region r = { .lanes = 2 };
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
	r.vol_size = kp_index_volatile_size(r.base, r.frames, r.lanes);
	CHECK_EQ(region_restore(&r, &root.region[0].sum), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	while (kp_index_next(&r.idx, &pos, &ext))
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

int main(void)
{
	static const struct test tests[] = {
		{ "version_1", version_1 },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
