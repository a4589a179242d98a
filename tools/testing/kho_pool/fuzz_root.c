// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostile bytes as root and as keep list.  The check values are made right,
 * else nothing would get past them.  What is believed has to make sense, and
 * to be the same when it is written again.
 *
 * The input's first byte says what the rest is: a root, a keep list, or changes
 * of three bytes to a good root: where (two bytes), and to what.
 */
#include "region.h"
#include "save.h"

#include "../../../mm/kho_pool/index/root.h"

static u8 page[KHO_POOL_ROOT_SIZE] __aligned(8), good[KHO_POOL_ROOT_SIZE] __aligned(8);

static void die(const char *what)
{
	fprintf(stderr, "fuzz_root: %s\n", what);
	abort();
}

static void make(void)
{
	static struct kp_root root;
	u64 block = MIB2 << SHIFT;

	root.frame_size = 1 << SHIFT;
	root.generation = 2;
	root.sealed = 1;
	root.nr_pools = 2;
	root.nr_regions = 3;
	strscpy(root.pool_name[0], "default", KHO_POOL_POOL_NAME_MAX);
	strscpy(root.pool_name[1], "b", KHO_POOL_POOL_NAME_MAX);
	for (u32 i = 0; i < 3; i++) {
		root.region[i].base = (2 + 4 * i) * block;
		root.region[i].size = 2 * block;
		root.region[i].index = block + 0x20000 * i;
		root.region[i].index_size = kp_index_size((2 + 4 * i) * MIB2, 2 * MIB2);
		root.region[i].pool = i / 2;
	}
	if (kp_root_encode(&root, good) < 0)
		die("no root");
}

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static void see_root(void)
{
	static struct kp_root root, again;
	static u8 other[KHO_POOL_ROOT_SIZE] __aligned(8);

	if (kp_root_decode(page, 1 << SHIFT, &root))
		return;
	if (!root.nr_regions || root.nr_regions > KHO_POOL_MAX_REGIONS ||
	    root.nr_pools > KHO_POOL_MAX_POOLS)
		die("too many");
	for (u32 i = 0; i < root.nr_pools; i++)
		if (!memchr(root.pool_name[i], 0, KHO_POOL_POOL_NAME_MAX))
			die("a name has no end");
	for (u32 i = 0; i < root.nr_regions; i++) {
		const struct kp_root_region *a = &root.region[i];

		if (a->base + a->size < a->base || a->pool >= root.nr_pools)
			die("a region makes no sense");
		for (u32 j = 0; j < root.nr_regions; j++) {
			const struct kp_root_region *b = &root.region[j];

			if ((i != j && overlap(a->base, a->size, b->base, b->size)) ||
			    overlap(a->base, a->size, b->index, b->index_size))
				die("regions overlap");
		}
	}
	if (kp_root_encode(&root, other) < 0)
		die("cannot be written again");
	if (kp_root_decode(other, 1 << SHIFT, &again) || memcmp(&root, &again, sizeof(root)))
		die("is another one when written again");
}

static void see_keep(void)
{
	static struct kp_keep keep, again;
	static u8 other[KHO_POOL_ROOT_SIZE] __aligned(8);

	if (!kp_keep_decode(page, &keep))
		return;
	if (keep.nr > KHO_POOL_MAX_KEEP)
		die("too many ranges");
	kp_keep_encode(&keep, other);
	if (!kp_keep_decode(other, &again) || memcmp(&keep, &again, sizeof(keep)))
		die("is another list when written again");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	__le64 csum;

	if (!good[0])
		make();
	if (!size)
		return 0;
	memset(page, 0, sizeof(page));
	if (data[0] % 4 > 1) {
		memcpy(page, good, sizeof(page));
		for (u32 i = 1; i + 2 < size; i += 3)
			page[(data[i] | data[i + 1] << 8) % KHO_POOL_ROOT_CSUM] = data[i + 2];
	} else {
		memcpy(page, data + 1, min_t(u64, size - 1, KHO_POOL_ROOT_CSUM));
	}
	csum = cpu_to_le64(kp_csum_words((__le64 *)page, 0, KHO_POOL_ROOT_CSUM / 8));
	memcpy(page + KHO_POOL_ROOT_CSUM, &csum, sizeof(csum));
	if (data[0] % 4 == 1) {
		see_keep();
	} else {
		static struct kp_root root;

		see_root();
		save("root", page, sizeof(page), !kp_root_decode(page, 1 << SHIFT, &root));
	}
	return 0;
}
