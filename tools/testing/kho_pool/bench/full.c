// SPDX-License-Identifier: GPL-2.0-only
#include "full.h"

static void write_names(struct kp_index *idx)
{
	u32 nr = min(idx->nr_names, idx->nr_blocks / 32);

	/*
	 * From one to the next it is far, so no cache helps who looks them up.  It
	 * is a power of two of them, so an odd step meets each once.
	 */
	for (u32 i = 0; i < nr; i++) {
		u32 block = (u64)i * (nr * 79ULL / 128 | 1) % nr * 32;

		idx->names[i].key = cpu_to_le64((u64)block * KHO_POOL_BLOCK_FRAMES + 1);
		snprintf(idx->names[i].name, KHO_POOL_NAME_MAX,
			 "a name as long as it may be, of extent number %09u", i);
		memset(&idx->bitmaps[block], 0, sizeof(idx->bitmaps[block]));
		idx->bitmaps[block].used[0] = cpu_to_le64(1);
		idx->blocks[block] |= cpu_to_le64(KHO_POOL_NAMED);
	}
	idx->header->names_used = cpu_to_le64(nr);
}

void full_write(struct region *r, bool names)
{
	struct kp_index *idx = &r->idx;
	u64 word = kp_word(KHO_POOL_SPLIT, 1, 0);

	for (u32 a = 0; a < idx->nr_areas; a++)
		idx->areas[a] = cpu_to_le64(KHO_POOL_SPLIT);
	for (u32 block = 0; block < idx->nr_blocks; block++) {
		idx->blocks[block] = cpu_to_le64(word);
		memset(idx->bitmaps[block].used, 0x55, sizeof(idx->bitmaps[block].used));
		memset(idx->bitmaps[block].tail, 0, sizeof(idx->bitmaps[block].tail));
	}
	if (names)
		write_names(idx);
	if (region_restore(r, NULL)) {
		fprintf(stderr, "a full region is not restored\n");
		exit(2);
	}
}

void full_claim(struct region *r)
{
	for (u32 block = 0; block < r->idx.nr_blocks; block++)
		kp_index_claim(&r->idx, &r->idx.pcpu[0], (u64)block << KHO_POOL_BLOCK_SHIFT,
			       1, 1);
}
