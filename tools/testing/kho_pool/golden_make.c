// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints golden images, as the words that are not zero, with what a reader has
 * to find in them.  It was run once for each set; what is committed is never
 * made anew.  Further states go into a further set.
 */
#include "region.h"

#include "../../../mm/kho_pool/tests/golden_states.h"

#define SET "golden_table"

static struct region r;

static void print(const char *state, const char *what, const void *mem, u64 size)
{
	const __le64 *words = mem;

	printf("static const struct golden_word " SET "_%s_%s[] = {\n", state, what);
	for (u64 i = 0; i < size / 8; i++)
		if (words[i])
			printf("\t{ %#llx, 0x%016llxULL },\n", (unsigned long long)(8 * i),
			       (unsigned long long)le64_to_cpu(words[i]));
	printf("};\n\n");
}

int main(void)
{
	static struct {
		u64 csum, used, largest;
		s64 extents;
	} found[ARRAY_SIZE(golden_states_table)];

	printf("/* %s-License-Identifier: GPL-2.0-only */\n", "SPDX");
	puts("/*\n"
	     " * Golden images with a table of bad frames, made by golden_make in\n"
	     " * tools/testing/kho_pool.\n"
	     " * Every later version has to read them.\n"
	     " */\n");
	for (u32 i = 0; i < ARRAY_SIZE(golden_states_table); i++) {
		const struct golden_state *s = &golden_states_table[i];
		struct kp_stat stat = {};

		memset(&r, 0, sizeof(r));
		r.base = s->base;
		r.frames = s->frames;
		r.cpus = 1;
		r.index_size = golden_size(r.base, r.frames, s->table);
		r.vol_size = kp_index_volatile_size(r.base, r.frames, 1);
		r.index = pages(r.index_size);
		r.vol = pages(r.vol_size);
		if (golden_write(s, &r.idx, r.index, r.vol))
			return 1;
		print(s->name, "index", r.index, r.index_size);
		found[i].csum = kp_index_csum(&r.idx);

		memset(r.vol, 0, r.vol_size);
		memset(&r.idx, 0, sizeof(r.idx));
		if (kp_index_attach(&r.idx, r.index, r.index_size, r.base, r.frames, s->shift,
				    r.vol, 1) ||
		    kp_index_restore(&r.idx, s->sealed ? &found[i].csum : NULL) ||
		    kp_index_validate(&r.idx))
			return 1;
		count_free(&r.idx, &stat);
		found[i].used = kp_index_used(&r.idx);
		found[i].extents = kp_index_extents(&r.idx);
		found[i].largest = stat.largest;
		if (!s->sealed)
			found[i].csum = kp_index_csum(&r.idx);
	}
	static u8 page[KHO_POOL_ROOT_SIZE] __aligned(8);
	static struct kp_root root;

	golden_table_root(&root);
	if (kp_root_encode(&root, page) < 0)
		return 1;
	print("two_regions", "root", page, sizeof(page));
	puts("/* Where they are from, and what is in them; @csum is the one after restore. */\n"
	     "static const struct golden_image " SET "[] = {");
	for (u32 i = 0; i < ARRAY_SIZE(golden_states_table); i++) {
		const struct golden_state *s = &golden_states_table[i];

		printf("\t{\n\t\t\"%s\", " SET "_%s_index, ARRAY_SIZE(" SET "_%s_index), %u, %s,\n"
		       "\t\t%#llx, %#llx, 0x%016llxULL, %lld, %llu, %llu\n\t},\n",
		       s->name, s->name, s->name, s->shift, s->sealed ? "true" : "false",
		       (unsigned long long)s->base, (unsigned long long)s->frames,
		       (unsigned long long)found[i].csum, (long long)found[i].extents,
		       (unsigned long long)found[i].used, (unsigned long long)found[i].largest);
	}
	puts("};");
	return 0;
}
