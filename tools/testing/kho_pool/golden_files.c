// SPDX-License-Identifier: GPL-2.0-only
/* The golden images as files, for khopool: golden_files FOLDER */
#include <stdio.h>
#include <stdlib.h>

#include "../../../mm/kho_pool/internal.h"

#include "../../../mm/kho_pool/golden.h"
#include "../../../mm/kho_pool/golden_2.h"
#include "../../../mm/kho_pool/golden_3.h"

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

int main(int argc, char **argv)
{
	folder = argc > 1 ? argv[1] : ".";
	image("v1_root", golden_v1_root, ARRAY_SIZE(golden_v1_root), KHO_POOL_ROOT_SIZE, NULL, 0);
	image("v1_index", golden_v1_index, ARRAY_SIZE(golden_v1_index), GOLDEN_V1_INDEX_SIZE,
	      NULL, 0);
	image("two_pools_root", golden_2_two_pools_root, ARRAY_SIZE(golden_2_two_pools_root),
	      KHO_POOL_BLOB_SIZE, golden_2_two_pools_keep, ARRAY_SIZE(golden_2_two_pools_keep));
	for (u32 i = 0; i < ARRAY_SIZE(golden_2); i++) {
		const struct golden_image *g = &golden_2[i];
		char name[64];

		snprintf(name, sizeof(name), "%s_index", g->name);
		image(name, g->words, g->nr_words, kp_index_size(g->base, g->frames), NULL, 0);
	}
	for (u32 i = 0; i < ARRAY_SIZE(golden_3); i++) {
		const struct golden_image *g = &golden_3[i];
		char name[64];

		snprintf(name, sizeof(name), "%s_index", g->name);
		image(name, g->words, g->nr_words, kp_index_size(g->base, g->frames), NULL, 0);
	}
	return 0;
}
