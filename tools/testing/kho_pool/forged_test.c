// SPDX-License-Identifier: GPL-2.0-only
/*
 * Indexes with a word that says too much: each field at its limits and one past them.  Each
 * is either refused, and then not written to, or taken over as what it says.  The index and
 * the volatile state are in memory of their own, so the address sanitizer sees a read before
 * or after them.
 */
#include "region.h"
#include "test.h"

#define BASE	(GIB - 64 * MIB2)
#define FRAMES	(2 * GIB + 128 * MIB2)

/* Blocks and areas: 64 blocks, two whole areas, and 64 blocks */
#define FIRST	0U
#define WHOLE	64U
#define LAST	(WHOLE + 2 * KHO_POOL_AREA_BLOCKS)
#define BLOCKS	(LAST + 64)

enum verdict {
	TAKEN,			/* as it is */
	CLEANED,		/* what was interrupted is gone */
	FULL,			/* taken, but nothing more is allocated */
	REFUSED,
};

static void *index_mem, *was, *vol;
static u64 index_size, vol_size, base, frames;
static struct kp_index idx;

static void *exactly(u64 size)
{
	void *p = aligned_alloc(SMP_CACHE_BYTES, size);

	if (!p)
		exit(2);
	return p;
}

static int attach(void)
{
	memset(vol, 0, vol_size);
	memset(&idx, 0, sizeof(idx));
	return kp_index_attach(&idx, index_mem, index_size, base, frames, SHIFT, vol, 1);
}

/* An index without an extent, and owners 1 and 63. */
static void begin_at(u64 at, u64 nr, bool table)
{
	free(index_mem);
	free(was);
	free(vol);
	base = at;
	frames = nr;
	index_size = table ? kp_index_size_table(base, frames) : kp_index_size(base, frames);
	vol_size = kp_index_volatile_size(base, frames, 1);
	index_mem = exactly(index_size);
	was = exactly(index_size);
	vol = exactly(vol_size);
	memset(index_mem, 0, index_size);
	if (kp_index_format(index_mem, index_size, base, frames, SHIFT, "test") || attach())
		exit(2);
	strcpy(idx.owners[1].name, "one");
	strcpy(idx.owners[63].name, "last");
}

static void begin(void)
{
	begin_at(BASE, FRAMES, false);
}

static void end(void)
{
	free(index_mem);
	free(was);
	free(vol);
	index_mem = NULL;
	was = NULL;
	vol = NULL;
}

/* What one writes */

static void area(u32 a, u64 word)
{
	idx.areas[a] = cpu_to_le64(word);
}

/* A word of a block; its area is split. */
static void block(u32 b, u64 word)
{
	area(kp_area_of(&idx, b), KHO_POOL_SPLIT);
	idx.blocks[b] = cpu_to_le64(word);
}

static u64 extent(u8 owner, u64 nr)
{
	return kp_word(KHO_POOL_EXTENT, owner, nr);
}

static u64 split(u8 owner)
{
	return kp_word(KHO_POOL_SPLIT, owner, 0);
}

static void maps(u32 b, u64 used, u64 tail)
{
	idx.bitmaps[b].used[0] = cpu_to_le64(used);
	idx.bitmaps[b].tail[0] = cpu_to_le64(tail);
}

/* A record below names_used */
static void record(u32 i, u64 key, const char *name)
{
	idx.names[i].key = cpu_to_le64(key);
	strcpy(idx.names[i].name, name);
	if (le64_to_cpu(idx.header->names_used) <= i)
		idx.header->names_used = cpu_to_le64(i + 1);
}

static void bad(u32 i, u64 first, u64 more)
{
	u64 word = (first + 1) | more << KHO_POOL_BAD_MORE_SHIFT;

	word |= kp_csum_mix(word) >> KHO_POOL_BAD_CSUM_SHIFT << KHO_POOL_BAD_CSUM_SHIFT;
	idx.bad[i] = cpu_to_le64(word);
}

static bool is_written(void)
{
	return memcmp(was, index_mem, index_size);
}

static int restore(const u64 *csum, bool read_only)
{
	int ret = attach();

	idx.read_only = read_only;
	return ret ?: kp_index_restore(&idx, csum);
}

/* Is the index refused, or taken over with @extents? */
static bool is(enum verdict verdict, u64 extents)
{
	struct kp_request req = { .frames = 1, .align = 1, .owner = 1 };
	struct kp_extent ext;
	u64 csum = 0, wrong, frame, pos = 0, nr = 0;

	memcpy(was, index_mem, index_size);
	/* Whoever may not write sees the same. */
	CHECK_EQ(restore(NULL, true), verdict == REFUSED ? -EUCLEAN : 0);
	CHECK(!is_written());
	if (verdict == REFUSED) {
		CHECK_EQ(restore(&csum, false), -EBADMSG);
		CHECK(!is_written());
		CHECK_EQ(restore(NULL, false), -EUCLEAN);
		CHECK(!is_written());
		return true;
	}
	/* The sum is of what is there, clean or not. */
	csum = kp_index_csum(&idx);
	wrong = csum + 1;
	CHECK_EQ(restore(&wrong, false), -EBADMSG);
	CHECK(!is_written());
	CHECK_EQ(restore(&csum, false), 0);
	CHECK_EQ(is_written(), verdict == CLEANED);
	CHECK_EQ(kp_index_validate(&idx), 0);
	memcpy(was, index_mem, index_size);
	csum = kp_index_csum(&idx);
	CHECK_EQ(restore(&csum, false), 0);
	CHECK(!is_written());
	CHECK_EQ(kp_index_validate(&idx), 0);
	while (whole_next(&idx, &pos, &ext))
		nr++;
	CHECK_EQ(nr, extents);
	CHECK_EQ(kp_index_extents(&idx), extents);
	if (verdict == FULL)
		CHECK_EQ(whole_alloc(&idx, idx.pcpu, &req, &frame), -ENOMEM);
	return true;
}

#define EXPECT(verdict, extents, write) do {				\
	begin();							\
	write;								\
	if (!is(verdict, extents)) {					\
		printf("# row %s: %s\n", #verdict, #write);		\
		return false;						\
	}								\
} while (0)

#define ALL_ONES	(~0ULL)
#define LONGEST		(ALL_ONES >> KHO_POOL_LENGTH_SHIFT)

static bool lengths(void)
{
	/* From the first block on: the lead has no part in it. */
	EXPECT(REFUSED, 0, block(FIRST, extent(1, 0)));
	EXPECT(REFUSED, 0, block(FIRST, extent(1, MIB2 - 1)));
	EXPECT(TAKEN, 1, block(FIRST, extent(1, MIB2)));
	EXPECT(TAKEN, 1, block(FIRST, extent(1, MIB2 + 1)));
	EXPECT(TAKEN, 1, block(FIRST, extent(1, FRAMES)));
	EXPECT(REFUSED, 0, block(FIRST, extent(1, FRAMES + 1)));
	EXPECT(REFUSED, 0, block(FIRST, extent(1, FRAMES + MIB2)));
	EXPECT(REFUSED, 0, block(FIRST, extent(1, LONGEST)));
	/* As many blocks as fit into a word of 32 bits, and one more */
	EXPECT(REFUSED, 0, block(FIRST, extent(1, (1ULL << 32) * MIB2)));
	EXPECT(REFUSED, 0, block(FIRST, extent(1, ((1ULL << 32) + 1) * MIB2)));
	/* To the last block */
	EXPECT(TAKEN, 1, block(BLOCKS - 1, extent(1, MIB2)));
	EXPECT(REFUSED, 0, block(BLOCKS - 1, extent(1, MIB2 + 1)));
	EXPECT(TAKEN, 1, block(WHOLE + 1, extent(1, (BLOCKS - WHOLE - 1) * MIB2)));
	EXPECT(REFUSED, 0, block(WHOLE + 1, extent(1, (BLOCKS - WHOLE - 1) * MIB2 + 1)));
	/* A whole area, from its first block, has the area's word. */
	EXPECT(TAKEN, 1, block(WHOLE, extent(1, GIB - MIB2)));
	EXPECT(REFUSED, 0, block(WHOLE, extent(1, GIB - MIB2 + 1)));
	EXPECT(TAKEN, 1, block(WHOLE + 1, extent(1, GIB)));
	EXPECT(REFUSED, 0, area(1, extent(1, 0)));
	EXPECT(REFUSED, 0, area(1, extent(1, GIB - MIB2)));
	EXPECT(TAKEN, 1, area(1, extent(1, GIB - MIB2 + 1)));
	EXPECT(TAKEN, 1, area(1, extent(1, GIB)));
	EXPECT(TAKEN, 1, area(1, extent(1, (BLOCKS - WHOLE) * MIB2)));
	EXPECT(REFUSED, 0, area(1, extent(1, (BLOCKS - WHOLE) * MIB2 + 1)));
	EXPECT(REFUSED, 0, area(1, extent(1, LONGEST)));
	EXPECT(REFUSED, 0, area(1, extent(1, ((1ULL << 32) + 512) * MIB2)));
	/* Neither the first nor the last area is whole. */
	EXPECT(REFUSED, 0, area(0, extent(1, 64 * MIB2)));
	EXPECT(REFUSED, 0, area(0, extent(1, GIB)));
	EXPECT(REFUSED, 0, area(3, extent(1, 64 * MIB2)));
	EXPECT(REFUSED, 0, area(3, extent(1, GIB)));
	/* Small extents have no length there. */
	EXPECT(TAKEN, 1, block(5, split(1)); maps(5, 1, 0));
	EXPECT(REFUSED, 0, block(5, split(1) | kp_word(0, 0, 1)); maps(5, 1, 0));
	EXPECT(REFUSED, 0, block(5, split(1) | kp_word(0, 0, LONGEST)); maps(5, 1, 0));
	end();
	return true;
}

static bool whole_from_the_first(void)
{
	begin_at(GIB, GIB, false);
	area(0, extent(1, GIB));
	CHECK(is(TAKEN, 1));
	begin_at(GIB, GIB, true);
	area(0, extent(1, GIB + 1));
	CHECK(is(REFUSED, 0));
	/* One block, which is all that there is */
	begin_at(GIB + MIB2, MIB2, true);
	block(0, extent(1, MIB2));
	CHECK(is(TAKEN, 1));
	begin_at(GIB + MIB2, MIB2, true);
	block(0, extent(1, MIB2 + 1));
	CHECK(is(REFUSED, 0));
	end();
	return true;
}

static bool no_overlap(void)
{
	EXPECT(TAKEN, 2, block(0, extent(1, 2 * MIB2)); block(2, extent(1, MIB2)));
	EXPECT(REFUSED, 0, block(0, extent(1, 2 * MIB2)); block(1, extent(1, MIB2)));
	EXPECT(REFUSED, 0, block(0, extent(1, MIB2 + 1)); block(1, split(1)); maps(1, 1, 0));
	EXPECT(REFUSED, 0, block(0, extent(1, MIB2 + 1)); block(1, split(1)));
	EXPECT(REFUSED, 0, block(0, extent(1, 2 * MIB2) | KHO_POOL_PENDING);
			   block(1, extent(1, MIB2)));
	/* Over the end of an area */
	EXPECT(TAKEN, 2, block(63, extent(1, 2 * MIB2)); block(65, extent(1, MIB2)));
	EXPECT(REFUSED, 0, block(63, extent(1, 2 * MIB2)); block(64, extent(1, MIB2)));
	EXPECT(REFUSED, 0, block(63, extent(1, 2 * MIB2)); area(1, extent(1, GIB)));
	EXPECT(TAKEN, 2, block(63, extent(1, MIB2)); area(1, extent(1, GIB)));
	EXPECT(CLEANED, 1, block(63, extent(1, GIB + MIB2)); area(1, KHO_POOL_SPLIT));
	EXPECT(REFUSED, 0, block(63, extent(1, GIB + MIB2)); block(64 + 511, extent(1, MIB2)));
	EXPECT(TAKEN, 2, area(1, extent(1, GIB + MIB2)); block(577, extent(1, MIB2)));
	EXPECT(REFUSED, 0, area(1, extent(1, GIB + MIB2)); block(576, extent(1, MIB2)));
	EXPECT(REFUSED, 0, area(1, extent(1, GIB + 1)); area(2, extent(1, GIB)));
	end();
	return true;
}

/* Every kind, every bit without a meaning, and every owner */
static bool kinds_and_owners(void)
{
	for (u64 kind = 0; kind <= KHO_POOL_KIND; kind++) {
		u64 word = kp_word(kind, 1, GIB);
		bool known = kind == KHO_POOL_EXTENT;

		EXPECT(known ? TAKEN : REFUSED, known, area(1, word));
		EXPECT(known ? TAKEN : REFUSED, known, block(WHOLE + 1, word));
	}
	for (u32 owner = 0; owner < 256; owner++) {
		bool known = owner == 1 || owner == 63;

		EXPECT(known ? TAKEN : REFUSED, known, area(2, extent(owner, GIB)));
		EXPECT(known ? TAKEN : REFUSED, known, block(7, extent(owner, MIB2)));
		EXPECT(known ? TAKEN : REFUSED, known, block(7, split(owner)); maps(7, 2, 0));
		/* Nor is such an extent cleaned up. */
		EXPECT(known ? CLEANED : REFUSED, 0,
		       block(7, extent(owner, MIB2) | KHO_POOL_PENDING));
	}
	for (u32 bit = 5; bit < KHO_POOL_OWNER_SHIFT; bit++) {
		EXPECT(REFUSED, 0, area(1, extent(1, GIB) | 1ULL << bit));
		EXPECT(REFUSED, 0, block(7, extent(1, MIB2) | 1ULL << bit));
		EXPECT(REFUSED, 0, block(7, split(1) | 1ULL << bit); maps(7, 1, 0));
	}
	/* The word of a split area has nothing else. */
	for (u32 bit = 3; bit < 64; bit++)
		EXPECT(REFUSED, 0, block(7, extent(1, MIB2));
				   area(0, KHO_POOL_SPLIT | 1ULL << bit));
	EXPECT(REFUSED, 0, area(1, ALL_ONES));
	EXPECT(REFUSED, 0, block(7, ALL_ONES));
	EXPECT(CLEANED, 0, area(1, extent(1, GIB) | KHO_POOL_PENDING));
	EXPECT(CLEANED, 0, block(7, extent(1, MIB2) | KHO_POOL_PENDING));
	EXPECT(REFUSED, 0, block(7, split(1) | KHO_POOL_PENDING); maps(7, 1, 0));
	EXPECT(CLEANED, 0, area(0, KHO_POOL_SPLIT));
	EXPECT(CLEANED, 0, area(3, KHO_POOL_SPLIT));
	end();
	return true;
}

static bool small_extents(void)
{
	EXPECT(CLEANED, 0, block(9, split(1)));
	EXPECT(TAKEN, 64, block(9, split(1)); maps(9, ALL_ONES, 0));
	EXPECT(TAKEN, 1, block(9, split(1)); maps(9, ALL_ONES, ALL_ONES - 1));
	EXPECT(TAKEN, 1, block(9, split(1)); idx.bitmaps[9].used[7] = 1ULL << 63);
	/* A tail of nothing, of what is not used, and over the end of a word */
	EXPECT(CLEANED, 0, block(9, split(1)); maps(9, 1, 1));
	EXPECT(CLEANED, 1, block(9, split(1)); maps(9, 1, 2));
	EXPECT(CLEANED, 1, block(9, split(1)); maps(9, 5, 4));
	EXPECT(TAKEN, 1, block(9, split(1)); maps(9, 1ULL << 63, 0);
			 idx.bitmaps[9].used[1] = 1; idx.bitmaps[9].tail[1] = 1);
	EXPECT(CLEANED, 0, block(9, split(1));
			   idx.bitmaps[9].used[1] = 1; idx.bitmaps[9].tail[1] = 1);
	/* The block before it is another matter. */
	EXPECT(CLEANED, 64, block(8, split(1)); block(9, split(1)); maps(8, 0, 0);
			    idx.bitmaps[8].used[7] = ALL_ONES; maps(9, 1, 1));
	/* In the first and the last block; what is no area's or no block's has no meaning. */
	EXPECT(TAKEN, 2, block(0, split(1)); maps(0, 1, 0); block(BLOCKS - 1, split(63));
			 maps(BLOCKS - 1, 1ULL << 63, 0));
	EXPECT(TAKEN, 1, block(0, extent(1, MIB2)); maps(0, 1, ALL_ONES));
	EXPECT(TAKEN, 0, idx.blocks[BLOCKS - 1] = ALL_ONES);
	EXPECT(TAKEN, 1, area(1, extent(1, GIB)); idx.blocks[WHOLE] = ALL_ONES);
	end();
	return true;
}

#define NAMED(b)	block(b, extent(1, MIB2) | KHO_POOL_NAMED)
#define KEY(b)		((u64)(b) * MIB2 + 1)

static bool names(void)
{
	static const char longest[] = "a name of fifty-five bytes, which is all that there is.";
	const u32 nr = 256;

	static_assert(sizeof(longest) == KHO_POOL_NAME_MAX);
	begin();
	CHECK_EQ(idx.nr_names, nr);
	EXPECT(REFUSED, 0, NAMED(3));
	EXPECT(TAKEN, 1, NAMED(3); record(0, KEY(3), "x"));
	EXPECT(TAKEN, 1, NAMED(3); record(nr - 1, KEY(3), longest));
	EXPECT(REFUSED, 0, NAMED(3); record(0, KEY(3) - 1, "x"));
	EXPECT(REFUSED, 0, NAMED(3); record(0, KEY(3) + 1, "x"));
	EXPECT(REFUSED, 0, NAMED(3); record(0, KEY(3), ""));
	EXPECT(REFUSED, 0, NAMED(3); record(0, KEY(3), longest); idx.names[0].name[55] = 'x');
	EXPECT(REFUSED, 0, NAMED(3); record(0, KEY(3), "x");
			   idx.header->names_used = cpu_to_le64(0));
	EXPECT(TAKEN, 1, NAMED(3); record(0, KEY(3), "x");
			 idx.header->names_used = cpu_to_le64(nr));
	EXPECT(REFUSED, 0, NAMED(3); record(0, KEY(3), "x");
			   idx.header->names_used = cpu_to_le64(nr + 1));
	EXPECT(REFUSED, 0, NAMED(3); record(0, KEY(3), "x");
			   idx.header->names_used = cpu_to_le64((1ULL << 32) + 1));
	EXPECT(REFUSED, 0, idx.header->names_used = ALL_ONES);
	/* Two of one name, two of one place, and two that are neither */
	EXPECT(REFUSED, 0, NAMED(3); NAMED(4); record(0, KEY(3), "x"); record(1, KEY(4), "x"));
	EXPECT(REFUSED, 0, NAMED(3); NAMED(4); record(0, KEY(3), "x"); record(1, KEY(3), "y"));
	EXPECT(REFUSED, 0, NAMED(3); record(0, KEY(3), "x"); record(1, KEY(3), "y"));
	EXPECT(TAKEN, 2, NAMED(3); NAMED(4); record(0, KEY(3), "x"); record(1, KEY(4), "y"));
	/* Of no extent, or of one without a name; of the last frame, and past it */
	EXPECT(CLEANED, 0, record(0, 1, "x"));
	EXPECT(CLEANED, 1, block(3, extent(1, MIB2)); record(0, KEY(3), "x"));
	EXPECT(CLEANED, 0, record(0, FRAMES, "x"));
	EXPECT(CLEANED, 0, record(0, FRAMES + 1, "x"));
	EXPECT(CLEANED, 0, record(0, FRAMES + MIB2 + 1, "x"));
	/* Right after the last block's word is a key, which looks like one of an extent. */
	EXPECT(CLEANED, 1, block(BLOCKS - 1, extent(1, MIB2)); record(1, FRAMES + 1, "y");
			   record(0, KHO_POOL_EXTENT | KHO_POOL_NAMED, "x"));
	EXPECT(CLEANED, 0, record(0, ALL_ONES, "x"));
	EXPECT(CLEANED, 0, record(0, 0, "x"));
	EXPECT(CLEANED, 0, record(0, 0, ""); idx.names[0].name[55] = 'x');
	EXPECT(REFUSED, 0, record(0, ALL_ONES, ""));
	/* In a free area, where the words have no meaning */
	EXPECT(CLEANED, 0, idx.blocks[3] = extent(1, MIB2) | KHO_POOL_NAMED;
			   record(0, KEY(3), "x"));
	EXPECT(CLEANED, 1, area(1, extent(1, GIB) | KHO_POOL_NAMED); record(1, KEY(WHOLE), "x");
			   record(0, KEY(WHOLE + 1), "y"));
	/* Each small extent of such a block has one. */
	EXPECT(REFUSED, 0, block(3, split(1) | KHO_POOL_NAMED); maps(3, 5, 0);
			   record(0, KEY(3), "x"));
	EXPECT(TAKEN, 2, block(3, split(1) | KHO_POOL_NAMED); maps(3, 5, 0);
			 record(0, KEY(3), "x"); record(1, KEY(3) + 2, "y"));
	EXPECT(CLEANED, 1, block(3, split(1) | KHO_POOL_NAMED); maps(3, 3, 2);
			   record(0, KEY(3), "x"); record(1, KEY(3) + 1, "y"));
	/* An extent that is not confirmed loses its name, too. */
	EXPECT(CLEANED, 0, block(3, extent(1, MIB2) | KHO_POOL_NAMED | KHO_POOL_PENDING);
			   record(0, KEY(3), "x"));
	end();
	return true;
}

static bool owners(void)
{
	static const char longest[] = "a name of thirty-one bytes, all";

	static_assert(sizeof(longest) == KHO_POOL_OWNER_MAX);
	EXPECT(TAKEN, 0, strcpy(idx.owners[2].name, longest));
	EXPECT(REFUSED, 0, strcpy(idx.owners[2].name, longest); idx.owners[2].name[31] = 'x');
	EXPECT(REFUSED, 0, strcpy(idx.owners[63].name, longest); idx.owners[63].name[31] = 'x');
	EXPECT(REFUSED, 0, strcpy(idx.owners[0].name, "x"));
	EXPECT(REFUSED, 0, memset(idx.owners[0].name, 0xff, KHO_POOL_OWNER_MAX));
	EXPECT(CLEANED, 0, idx.owners[0].name[31] = 'x');
	EXPECT(CLEANED, 0, idx.owners[2].name[1] = 'x');
	EXPECT(CLEANED, 0, idx.owners[62].name[31] = 'x');
	EXPECT(REFUSED, 0, strcpy(idx.owners[2].name, "one"));
	EXPECT(REFUSED, 0, strcpy(idx.owners[62].name, "last"));
	EXPECT(TAKEN, 0, strcpy(idx.owners[62].name, "las"));
	end();
	return true;
}

static bool all_bad_frames(bool table)
{
#define BAD(verdict, write) do {					\
	begin_at(BASE, FRAMES, table);					\
	write;								\
	if (!is(verdict, 0)) {						\
		printf("# row %s: %s\n", #verdict, #write);		\
		return false;						\
	}								\
} while (0)
	u32 last;

	begin_at(BASE, FRAMES, table);
	last = idx.nr_bad_words - 1;
	CHECK_EQ(last + 1, table ? 512 : 16);
	BAD(TAKEN, bad(0, 0, 0));
	CHECK(!kp_test(idx.bad_blocks, idx.lead + 1) && kp_bad_has(&idx, 0));
	BAD(TAKEN, bad(last - 1, FRAMES - 1, 0));
	CHECK(kp_bad_has(&idx, BLOCKS - 1));
	BAD(FULL, bad(0, FRAMES, 0));
	BAD(FULL, bad(0, KHO_POOL_BAD_FRAME - 1, 0));
	/* A block's all frames, and one more */
	BAD(TAKEN, bad(0, 0, MIB2 - 1));
	BAD(TAKEN, bad(0, FRAMES - MIB2, MIB2 - 1));
	BAD(FULL, bad(0, 1, MIB2 - 1));
	BAD(FULL, bad(0, FRAMES - MIB2 + 1, MIB2 - 1));
	BAD(FULL, bad(0, MIB2 - 1, 1));
	/* No frame, a wrong check, and the last word */
	BAD(FULL, bad(0, -1ULL, 1));
	BAD(FULL, idx.bad[0] = 1ULL << KHO_POOL_BAD_MORE_SHIFT);
	BAD(FULL, bad(0, 7, 0); idx.bad[0] ^= 1ULL << KHO_POOL_BAD_CSUM_SHIFT);
	BAD(FULL, bad(0, 7, 0); idx.bad[0] ^= 1ULL << 63);
	BAD(FULL, idx.bad[0] = ALL_ONES);
	BAD(FULL, idx.bad[last] = ALL_ONES);
	BAD(FULL, idx.bad[last] = 1);
	BAD(FULL, bad(last, 0, 0));
	CHECK(kp_bad_has(&idx, 0));
	for (u32 i = 0; table && i < KHO_POOL_BAD_WORDS; i++)
		BAD(TAKEN, idx.header->bad[i] = ALL_ONES);
#undef BAD
	end();
	return true;
}

static bool bad_frames(void)
{
	return all_bad_frames(false) && all_bad_frames(true);
}

static void set_header_csum(void)
{
	struct kho_pool_index_header *h = index_mem;

	h->csum = cpu_to_le64(kp_csum_words((__le64 *)h, 0, offsetof(typeof(*h), csum) / 8));
}

/* The header says again what the root says, and the rest follows from that. */
static bool header(void)
{
	struct kho_pool_index_header *h;

	begin();
	h = index_mem;
	set_header_csum();
	CHECK_EQ(attach(), 0);
	/* All but the pool's name, which is for people. */
	for (u32 i = 0; i < offsetof(struct kho_pool_index_header, pool) / 4; i++) {
		u32 *field = (u32 *)index_mem + i, good = *field;
		u32 values[] = { 0, good - 1, good, good + 1, ~0U, good ^ 1U << 31 };

		for (u32 j = 0; j < ARRAY_SIZE(values); j++) {
			*field = values[j];
			set_header_csum();
			CHECK_EQ(attach(), values[j] == good ? 0 : -EINVAL);
		}
		*field = good;
	}
	set_header_csum();
	CHECK_EQ(attach(), 0);
	for (u32 i = 0; i < 64; i++) {
		h->csum ^= 1ULL << i;
		CHECK_EQ(attach(), -EINVAL);
		h->csum ^= 1ULL << i;
	}
	memset(h->pool, 0xff, KHO_POOL_POOL_NAME_MAX);
	CHECK_EQ(attach(), -EINVAL);
	set_header_csum();
	CHECK_EQ(attach(), 0);
	end();
	return true;
}

/* Of which regions is it the index?  None that begins or ends in the middle of a block. */
static bool other_regions(void)
{
	const u64 most = ((1ULL << 31) - 1) * MIB2;
	const struct { u64 base, frames, size; } other[] = {
		{ BASE + 1, FRAMES, 0 }, { BASE + MIB2 / 2, FRAMES, 0 }, { BASE - 1, FRAMES, 0 },
		{ BASE, FRAMES - 1, 0 }, { BASE, FRAMES + 1, 0 }, { BASE, 0, 0 },
		{ BASE + MIB2, FRAMES, 0 }, { BASE, FRAMES - MIB2, 0 }, { BASE, FRAMES + MIB2, 0 },
		{ BASE, FRAMES, -1 }, { BASE, FRAMES, 1 }, { BASE, FRAMES, 4096 },
		{ BASE, FRAMES, -4096 }, { 0, most + MIB2, 0 }, { -MIB2, MIB2, 0 },
		{ -MIB2, 2 * MIB2, 0 },
	};

	begin();
	for (u32 i = 0; i < ARRAY_SIZE(other); i++) {
		memset(vol, 0, vol_size);
		CHECK_EQ(kp_index_attach(&idx, index_mem, index_size + other[i].size,
					 other[i].base, other[i].frames, SHIFT, vol, 1), -EINVAL);
	}
	CHECK(!kp_index_size(BASE + 1, MIB2) && !kp_index_size_table(BASE + 1, MIB2));
	CHECK(!kp_index_size(BASE, MIB2 + 1) && !kp_index_size_table(BASE, MIB2 + 1));
	CHECK(kp_index_size(0, most) && !kp_index_size(0, most + MIB2));
	CHECK(!kp_index_size_valid(0, BASE, FRAMES) && !kp_index_size_valid(0, BASE + 1, FRAMES));
	CHECK(!kp_index_has_table(0, BASE + 1, FRAMES));
	CHECK_EQ(attach(), 0);
	end();
	return true;
}

int main(void)
{
	static const struct test tests[] = {
		{ "lengths", lengths },
		{ "whole_from_the_first", whole_from_the_first },
		{ "no_overlap", no_overlap },
		{ "kinds_and_owners", kinds_and_owners },
		{ "small_extents", small_extents },
		{ "names", names },
		{ "owners", owners },
		{ "bad_frames", bad_frames },
		{ "header", header },
		{ "other_regions", other_regions },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
