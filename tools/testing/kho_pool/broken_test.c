// SPDX-License-Identifier: GPL-2.0-only
/* The validator, which all other tests trust, is shown indexes that are broken in one place. */
#include "region.h"
#include "test.h"

static struct region r;
static u64 small, split, named, large, free_block;
static u32 bad_area;

/* Something of everything: small extents, with names and without, blocks, whole areas. */
static bool make(void)
{
	u64 frame;

	region_init_table(&r, GIB / 2, 6 * GIB + 4 * MIB2, 2);
	CHECK_EQ(get(&r, 3, 1, 1, NULL, &small), 0);
	CHECK_EQ(get(&r, 200, 1, 1, "small", &named), 0);
	CHECK_EQ(get(&r, 3 * MIB2, 1, 2, "blocks", &split), 0);
	CHECK_EQ(get(&r, 2 * GIB, GIB, 1, NULL, &large), 0);
	CHECK_EQ(get(&r, 2, 1, 2, NULL, &frame), 0);
	CHECK_EQ(region_restore(&r, NULL), 0);
	CHECK_EQ(kp_index_claim(&r.idx, r.idx.pcpu, small, 3, 1), 0);
	CHECK_EQ(get(&r, MIB2, 1, 1, NULL, &free_block), 0);
	CHECK_EQ(put(&r, free_block, MIB2, 1), 0);
	CHECK_EQ(kp_index_bad(&r.idx, 5), 0);
	bad_area = kp_area_of(&r.idx, 0);
	return true;
}

static struct kp_area *area_of(u64 frame)
{
	return &r.idx.area[kp_area_of(&r.idx, frame >> KHO_POOL_BLOCK_SHIFT)];
}

static u32 bit_of(u64 frame)
{
	return kp_bit_of(&r.idx, frame >> KHO_POOL_BLOCK_SHIFT);
}

static __le64 *word_of(u64 frame)
{
	return &r.idx.blocks[frame >> KHO_POOL_BLOCK_SHIFT];
}

static u64 *bits_of(u64 *bits, u64 frame)
{
	return &bits[bit_of(frame) / 64];
}

static struct kho_pool_bitmaps *maps_of(u64 frame)
{
	return &r.idx.bitmaps[frame >> KHO_POOL_BLOCK_SHIFT];
}

/*
 * Each field in turn gets another value, and the validator must say so; then it is as it was.
 */
#define BREAK(field, value) do {						\
	__typeof__(field) was = (field);					\
	int line;								\
										\
	(field) = (value);							\
	line = kp_index_validate(&r.idx);					\
	(field) = was;								\
	if (!line)								\
		printf("# %s = %s is not seen\n", #field, #value);		\
	CHECK(line);								\
	CHECK_EQ(kp_index_validate(&r.idx), 0);					\
} while (0)

static bool areas(void)
{
	struct kp_index *idx = &r.idx;

	CHECK(make());
	BREAK(area_of(split)->nr_used, was + 1);
	BREAK(area_of(large)->nr_used, 0);
	BREAK(area_of(split)->nr_words, was - 1);
	BREAK(area_of(large)->whole, false);
	BREAK(area_of(split)->whole, true);
	BREAK(area_of(split)->words_clear, false);
	BREAK(*bits_of(area_of(split)->used, split), was ^ 1ULL << bit_of(split) % 64);
	BREAK(*bits_of(area_of(free_block)->used, free_block),
	      was ^ 1ULL << bit_of(free_block) % 64);
	BREAK(*bits_of(area_of(small)->partial, small), was ^ 1ULL << bit_of(small) % 64);
	BREAK(*bits_of(area_of(split)->partial, split), was ^ 1ULL << bit_of(split) % 64);
	BREAK(*bits_of(area_of(split)->unclaimed, split), 0);
	BREAK(*bits_of(area_of(split)->unclaimed, split + MIB2),
	      was | 1ULL << bit_of(split + MIB2) % 64);
	BREAK(idx->busy[0], was ^ 1UL << kp_area_of(idx, split >> KHO_POOL_BLOCK_SHIFT));
	BREAK(idx->full[0], was ^ 1UL << kp_area_of(idx, large >> KHO_POOL_BLOCK_SHIFT));
	BREAK(kp_partial_areas(idx, 2)[0], 0);
	BREAK(idx->bad_blocks[bad_area * KP_AREA_WORDS + bit_of(0) / 64], 0);
	BREAK(idx->bad_blocks[kp_area_of(idx, split >> KHO_POOL_BLOCK_SHIFT) * KP_AREA_WORDS +
			      bit_of(free_block) / 64], was | 1ULL << bit_of(free_block) % 64);
	region_exit(&r);
	return true;
}

static bool words(void)
{
	struct kp_index *idx = &r.idx;
	u32 a = kp_area_of(idx, 0);

	CHECK(make());
	a = kp_area_of(idx, large >> KHO_POOL_BLOCK_SHIFT);
	BREAK(idx->areas[a], 0);
	BREAK(idx->areas[a], was ^ kp_word(0, 1 ^ 3, 0));
	BREAK(idx->areas[a], was | KHO_POOL_WORD_RESERVED);
	BREAK(idx->areas[a], was + kp_word(0, 0, GIB));
	BREAK(idx->areas[a], kp_word(KHO_POOL_EXTENT, 1, MIB2));
	BREAK(idx->areas[a], kp_word(KHO_POOL_EXTENT, 0, 2 * GIB));
	BREAK(idx->areas[a], kp_word(KHO_POOL_EXTENT, KHO_POOL_OWNERS, 2 * GIB));
	BREAK(idx->areas[a], kp_word(KHO_POOL_EXTENT, 63, 2 * GIB));
	BREAK(idx->areas[kp_area_of(idx, split >> KHO_POOL_BLOCK_SHIFT)], KHO_POOL_KIND);
	BREAK(idx->areas[kp_area_of(idx, split >> KHO_POOL_BLOCK_SHIFT)],
	      kp_word(KHO_POOL_SPLIT, 1, 0));
	BREAK(*word_of(split), 0);
	BREAK(*word_of(split), KHO_POOL_KIND);
	BREAK(*word_of(split), was + kp_word(0, 0, MIB2));
	BREAK(*word_of(split), was & ~KHO_POOL_NAMED);
	BREAK(*word_of(split), kp_word(KHO_POOL_EXTENT, 2, MIB2 - 1));
	BREAK(*word_of(small), was | KHO_POOL_PENDING);
	BREAK(*word_of(small), was + kp_word(0, 0, 1));
	BREAK(*word_of(small), was | KHO_POOL_NAMED);
	BREAK(*word_of(split + MIB2), kp_word(KHO_POOL_SPLIT, 1, 0));
	BREAK(maps_of(small)->used[0], 0);
	BREAK(maps_of(small)->used[0], was << 1);
	BREAK(maps_of(small)->tail[0], 0);
	BREAK(maps_of(small)->tail[0], was | 1);
	BREAK(maps_of(small)->tail[7], 1ULL << 63);
	region_exit(&r);
	return true;
}

static u32 record_of(const char *name)
{
	u32 i = 0;

	while (strcmp(r.idx.names[i].name, name))
		i++;
	return i;
}

static bool names(void)
{
	struct kp_index *idx = &r.idx;
	u32 i;

	CHECK(make());
	i = record_of("small");
	BREAK(idx->names[i].key, 0);
	BREAK(idx->names[i].key, was + 1);
	BREAK(idx->names[i].key, cpu_to_le64(r.frames + 1));
	BREAK(idx->names[i].name[0], 'S');
	BREAK(idx->names[i].name[40], 'x');
	BREAK(idx->link[i].hash, was ^ 1);
	BREAK(idx->link[i].hash, 0);
	BREAK(idx->link[idx->nr_names - 1].hash, 1);
	BREAK(idx->records[0], was ^ 1UL << i);
	BREAK(idx->first_name, 3);
	BREAK(idx->header->names_used, cpu_to_le64(idx->nr_names + 1));
	BREAK(idx->header->names_used, was - 1);
	BREAK(idx->owners[1].name[0], 0);
	BREAK(idx->owners[3].name[0], 'x');
	BREAK(*(u64 *)idx->owners[3].name, *(u64 *)idx->owners[1].name);
	/* It is claimed, and then nobody keeps others out of the block. */
	BREAK(*kp_name_claimed(idx, named), true);
	region_exit(&r);
	return true;
}

static bool sums(void)
{
	struct kp_index *idx = &r.idx;

	CHECK(make());
	for (u32 cpu = 0; cpu < 2; cpu++) {
		BREAK(idx->pcpu[cpu].csum, was + 1);
		BREAK(idx->pcpu[cpu].active, true);
		BREAK(idx->pcpu[cpu].allocs, was + 1);
		BREAK(idx->pcpu[cpu].frees, was + 1);
		BREAK(idx->pcpu[cpu].taken, was + 1);
		BREAK(idx->pcpu[cpu].given, was + 1);
		BREAK(idx->pcpu[cpu].unclaimed, was + 1);
		BREAK(idx->pcpu[cpu].moving, was + 1);
	}
	BREAK(idx->restored, was - 1);
	BREAK(idx->nr_bad, 0);
	BREAK(idx->nr_bad_frames, was + 1);
	BREAK(idx->bad_end, was + 1);
	BREAK(idx->bad[0], 0);
	BREAK(idx->bad[1], 1);
	BREAK(idx->bad[idx->nr_bad_words - 1], KHO_POOL_BAD_TOO_MANY);
	BREAK(idx->all_bad, true);
	region_exit(&r);
	return true;
}

int main(void)
{
	static const struct test tests[] = {
		{ "areas", areas },
		{ "words", words },
		{ "names", names },
		{ "sums", sums },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
