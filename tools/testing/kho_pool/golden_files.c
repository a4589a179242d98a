// SPDX-License-Identifier: GPL-2.0-only
/* The golden images as files, for khopool: golden_files FOLDER */
#include <stdio.h>
#include <stdlib.h>

#include "../../../mm/kho_pool/index/internal.h"

#include "../../../mm/kho_pool/tests/golden_v1.h"
#include "../../../mm/kho_pool/tests/golden_sizes.h"
#include "../../../mm/kho_pool/tests/golden_bad_frames.h"
#include "../../../mm/kho_pool/tests/golden_table.h"

static const char *folder;

static void image(const char *name, const struct golden_word *words, u32 nr, u64 size,
		  const struct golden_word *second, u32 nr_second)
{
	__le64 *mem = calloc(1, size);
	char path[256];
	FILE *f;

	for (u32 i = 0; i < nr; i++)
		mem[words[i].offset / 8] = cpu_to_le64(words[i].word);
	for (u32 i = 0; i < nr_second; i++)
		mem[(KHO_POOL_ROOT_SIZE + second[i].offset) / 8] = cpu_to_le64(second[i].word);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (!f || fwrite(mem, 1, size, f) != size || fclose(f)) {
		perror(path);
		exit(1);
	}
	free(mem);
}

static void set(const struct golden_image *g, u32 nr, u64 (*size)(u64 base, u64 frames))
{
	char name[64];

	for (; nr--; g++) {
		snprintf(name, sizeof(name), "%s_index", g->name);
		image(name, g->words, g->nr_words, size(g->base, g->frames), NULL, 0);
	}
}

int main(int argc, char **argv)
{
	folder = argc > 1 ? argv[1] : ".";
	image("v1_root", golden_v1_root, ARRAY_SIZE(golden_v1_root), KHO_POOL_ROOT_SIZE, NULL, 0);
	image("v1_index", golden_v1_index, ARRAY_SIZE(golden_v1_index), GOLDEN_V1_INDEX_SIZE,
	      NULL, 0);
	image("two_pools_root", golden_two_pools_root, ARRAY_SIZE(golden_two_pools_root),
	      KHO_POOL_BLOB_SIZE, golden_two_pools_keep, ARRAY_SIZE(golden_two_pools_keep));
	image("table_root", golden_table_two_regions_root,
	      ARRAY_SIZE(golden_table_two_regions_root), KHO_POOL_ROOT_SIZE, NULL, 0);
	set(golden_sizes, ARRAY_SIZE(golden_sizes), kp_index_size);
	set(golden_bad_frames, ARRAY_SIZE(golden_bad_frames), kp_index_size);
	set(golden_table, ARRAY_SIZE(golden_table), kp_index_size_table);
	return 0;
}
