// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostile bytes into restore: a good index is changed as the input says, and
 * taken over.  It is either refused, and then not written to, or it is a
 * correct pool, in which nothing can be had twice.
 *
 * The input is a list of changes of four bytes: where (two bytes, of the words
 * that have a meaning), how, and with what.  With libFuzzer, or by itself with
 * random input: fuzz_restore [SEED [RUNS]].
 */
#include "region.h"

#define FRAMES	(GIB + 16 * MIB2)
#define BASE	(2 * GIB - 8 * MIB2)

static struct region good, r;
static u64 sum;
static u32 words[1 << 14], nr_words;
static u64 accepted;
static u8 taken[FRAMES / 8];

static void has_meaning(const void *from, u64 size)
{
	for (u64 i = 0; i < size / 8; i++)
		words[nr_words++] = ((u8 *)from - (u8 *)good.index) / 8 + i;
}

static void make(void)
{
	u64 frame;

	region_init(&good, BASE, FRAMES, 1);
	get(&good, 1, 1, 1, NULL, &frame);
	get(&good, 70, 1, 1, NULL, &frame);
	get(&good, 9, 1, 2, "nine", &frame);
	get(&good, 3 * MIB2, 1, 2, "three", &frame);
	get(&good, MIB2 + 1, 1, 1, NULL, &frame);
	kp_index_seal(&good.idx, &sum, 1);
	region_init(&r, BASE, FRAMES, 1);
	has_meaning(good.index, sizeof(struct kho_pool_index_header));
	has_meaning(good.idx.owners, 4 * sizeof(*good.idx.owners));
	has_meaning(good.idx.areas, 8 * good.idx.nr_areas);
	has_meaning(good.idx.blocks, 8 * good.idx.nr_blocks);
	has_meaning(good.idx.names, 4 * sizeof(*good.idx.names));
	for (u32 i = 0; i < good.idx.nr_blocks; i++)
		if (kp_word_kind(le64_to_cpu(good.idx.blocks[i])) == KHO_POOL_CONSULT)
			has_meaning(&good.idx.bitmaps[i], sizeof(*good.idx.bitmaps));
}

static void die(const char *what)
{
	fprintf(stderr, "fuzz_restore: %s (validate.c:%d)\n", what, kp_index_validate(&r.idx));
	abort();
}

/* Mark as taken; once only. */
static void take(u64 frame, u64 frames)
{
	if (frame + frames > FRAMES || frame + frames < frame)
		die("out of the region");
	for (u64 f = frame; f < frame + frames; f++) {
		if (taken[f / 8] >> (f % 8) & 1)
			die("handed out twice");
		taken[f / 8] |= 1 << (f % 8);
	}
}

/* It was believed: then it has to hold what it says. */
static void use(void)
{
	static const u64 sizes[] = { GIB, 3 * MIB2, MIB2, 65, 1 };
	struct kp_extent ext;
	u64 pos = 0, frame;

	if (kp_index_validate(&r.idx))
		die("restored, but not valid");
	memset(taken, 0, sizeof(taken));
	while (kp_index_next(&r.idx, &pos, &ext))
		take(ext.frame, ext.frames);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		for (int n = 0; n < 3; n++)
			if (!get(&r, sizes[i], 1, r.idx.owners[1].name[0] ? 1 : 2, NULL, &frame))
				take(frame, sizes[i]);
	if (kp_index_validate(&r.idx))
		die("used, and not valid any more");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 before[1 << 20];
	u64 n = min_t(u64, size / 4, 16);
	bool changed;
	int ret;

	if (!nr_words)
		make();
	memcpy(r.index, good.index, good.index_size);
	for (u64 i = 0; i < n; i++, data += 4) {
		u64 word = words[(data[0] | data[1] << 8) % nr_words];
		u64 *p = (u64 *)r.index + word;

		switch (data[2] % 8) {
		case 0:
			*p ^= 1ULL << (data[3] % 64);
			break;
		case 1:
			*p = data[3];
			break;
		case 2:
			((u8 *)p)[data[2] / 8 % 8] = data[3];
			break;
		case 3:
			*p = 0;
			break;
		case 4:
			*p = ~0ULL;
			break;
		case 5:
			*p += (u64)(data[3] - 128) << KHO_POOL_LENGTH_SHIFT;
			break;
		case 6:
			*p = *((u64 *)r.index + words[data[3] % nr_words]);
			break;
		case 7:
			*p = kp_word(data[3] & 31, 1 + (data[3] >> 7), data[3] * 64);
			break;
		}
	}
	changed = memcmp(r.index, good.index, good.index_size);
	memcpy(before, r.index, r.index_size);

	/* As if it were not sealed, so that only its sense protects it. */
	ret = region_restore(&r, NULL);
	if (ret && memcmp(before, r.index, r.index_size))
		die("refused, but written to");
	if (!ret) {
		accepted++;
		use();
	}
	memcpy(r.index, before, r.index_size);
	ret = region_restore(&r, &sum);
	if (memcmp(before, r.index, r.index_size))
		die("written to with a sum");
	if (!ret && changed) {
		/* Words below one that says FREE and the like: no harm in them. */
		if (kp_index_validate(&r.idx))
			die("sealed, restored, but not valid");
	}
	return 0;
}

#ifndef LIBFUZZER
int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u64 runs = argc > 2 ? strtoull(argv[2], NULL, 0) : 20000;
	u8 data[64];

	printf("TAP version 14\n1..1\n# seed %llu\n", (unsigned long long)seed);
	for (u64 i = 0; i < runs; i++) {
		for (u32 j = 0; j < sizeof(data); j++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			data[j] = seed >> 33;
		}
		LLVMFuzzerTestOneInput(data, 4 * (1 + i % 16));
	}
	printf("# %llu were accepted, and correct\n", (unsigned long long)accepted);
	printf("ok 1 restore_of_%llu_hostile_indexes\n", (unsigned long long)runs);
	return 0;
}
#endif
