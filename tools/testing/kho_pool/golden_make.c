// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints a golden image: a sealed index and its root, as the words that are not
 * zero.  It was run once for each image; what is committed is never made anew.
 */
#include "region.h"

#include "../../../mm/kho_pool/root.h"

#define NAME "golden_v1"

static void print(const char *what, const void *mem, u64 size)
{
	const __le64 *words = mem;

	printf("static const struct golden_word " NAME "_%s[] = {\n", what);
	for (u64 i = 0; i < size / 8; i++)
		if (words[i])
			printf("\t{ %#llx, 0x%016llxULL },\n", (unsigned long long)(8 * i),
			       (unsigned long long)le64_to_cpu(words[i]));
	printf("};\n\n");
}

int main(void)
{
	static struct kp_root root;
	static u8 page[KHO_POOL_ROOT_SIZE] __aligned(8);
	struct region r = { .base = 3 * GIB - 32 * MIB2, .frames = GIB + 64 * MIB2, .lanes = 1 };
	u64 frame, sum;

	r.index_size = kp_index_size(r.base, r.frames);
	r.vol_size = kp_index_volatile_size(r.base, r.frames, 1);
	r.index = pages(r.index_size);
	if (kp_index_format(r.index, r.base, r.frames, SHIFT, "golden") ||
	    region_restore(&r, NULL) ||
	    kp_owner_set(&r.idx, r.idx.lane, 1, "one") ||
	    kp_owner_set(&r.idx, r.idx.lane, 2, "two") ||
	    get(&r, 1, 1, 1, NULL, &frame) || get(&r, 3, 1, 2, "small", &frame) ||
	    get(&r, 65, 64, 1, NULL, &frame) || get(&r, 700, 1, 1, "middle", &frame) ||
	    get(&r, GIB, GIB, 2, "large", &frame) || !kp_index_seal(&r.idx, &sum, 1))
		return 1;

	root.frame_size = 1 << SHIFT;
	root.generation = 3;
	root.sealed = 1;
	root.seal_ns = 4;
	root.nr_pools = 1;
	root.nr_regions = 1;
	strscpy(root.pool_name[0], "golden", sizeof(root.pool_name[0]));
	root.region[0].base = r.base << SHIFT;
	root.region[0].size = r.frames << SHIFT;
	root.region[0].index = 1 << 20;
	root.region[0].index_size = r.index_size;
	root.region[0].sum = sum;
	if (kp_root_encode(&root, page) < 0)
		return 1;

	printf("/* %s-License-Identifier: GPL-2.0-only */\n", "SPDX");
	puts("/*\n"
	     " * Golden image, made by golden_make in tools/testing/kho_pool: a sealed pool of\n"
	     " * one region with pages of 4 KiB.  Every later version has to read it.\n"
	     " */\n"
	     "#include <linux/types.h>\n\n"
	     "struct golden_word {\n\tu32 offset;\n\tu64 word;\n};\n");
	printf("#define GOLDEN_V1_INDEX_SIZE\t%#llxULL\n\n", (unsigned long long)r.index_size);
	print("root", page, sizeof(page));
	print("index", r.index, r.index_size);
	return 0;
}
