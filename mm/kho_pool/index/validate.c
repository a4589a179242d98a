// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every invariant of an index, in code.  This is for tests and debug kernels: it
 * reads everything, and trusts no state that operations maintain.
 */
#include "internal.h"

/* The first line whose invariant does not hold ends the check. */
#define HOLDS(cond)	do { if (!(cond)) return __LINE__; } while (0)

struct check {
	struct kp_index *idx;
	u32 covered;		/* first block after the extents seen so far */
	u64 csum, named;
	u64 extents, used_frames;
	s64 unclaimed;
	/* What the area at hand should look like */
	u64 used[KP_AREA_WORDS], partial[KP_AREA_WORDS], heads[KP_AREA_WORDS];
	u32 nr_words;
};

static int kp_check_word(struct check *c, u64 word)
{
	u8 owner = kp_word_owner(word);

	HOLDS(!(word & KHO_POOL_WORD_RESERVED));
	HOLDS(owner != KP_OWNER_NONE && owner < KHO_POOL_OWNERS);
	HOLDS(c->idx->owners[owner].name[0]);
	return 0;
}

static int kp_check_extent(struct check *c, u32 block, u64 word)
{
	u64 frames = kp_word_frames(word);
	u32 nr = kp_blocks(frames), bit = kp_bit_of(c->idx, block);
	u32 a = kp_area_of(c->idx, block);
	int ret = kp_check_word(c, word);

	if (ret)
		return ret;
	HOLDS(frames >= KHO_POOL_BLOCK_FRAMES && frames <= c->idx->nr_frames);
	HOLDS(block >= c->covered && nr <= c->idx->nr_blocks - block);
	HOLDS((!bit && nr >= KHO_POOL_AREA_BLOCKS) ==
	      (kp_word_kind(kp_load(&c->idx->areas[a])) == KHO_POOL_EXTENT));
	c->covered = block + nr;
	kp_set_bits(c->used, bit, min(nr, KHO_POOL_AREA_BLOCKS - bit));
	kp_set_bits(c->heads, bit, 1);
	c->extents++;
	c->named += !!(word & KHO_POOL_NAMED);
	/* For a PENDING extent the bit has another meaning. */
	if (kp_word_live(word))
		c->unclaimed += kp_test(c->idx->area[a].unclaimed, bit);
	c->used_frames += (u64)nr << KHO_POOL_BLOCK_SHIFT;
	return 0;
}

static int kp_check_bitmaps(struct check *c, u32 block, u64 word)
{
	struct kp_index *idx = c->idx;
	const struct kho_pool_bitmaps *maps = &idx->bitmaps[block];
	u32 bit = kp_bit_of(idx, block), extents = 0, unclaimed = 0;
	int ret = kp_check_word(c, word);

	if (ret)
		return ret;
	HOLDS(!(word & KHO_POOL_PENDING) && !kp_word_frames(word));
	HOLDS(block >= c->covered);
	HOLDS(!kp_bitmaps_empty(maps) && !kp_bitmaps_torn(maps));
	for (u32 i = 0; i < KHO_POOL_BLOCK_FRAMES / 64; i++)
		HOLDS(!(kp_load(&maps->tail[i]) & ~kp_load(&maps->used[i])));
	c->covered = block + 1;
	c->csum += kp_csum_words((const __le64 *)maps, kp_word_offset(idx, maps),
				 sizeof(*maps) / 8);
	kp_set_bits(c->used, bit, 1);
	kp_set_bits(c->heads, bit, 1);
	if (!kp_bitmaps_full(maps))
		kp_set_bits(c->partial, bit, 1);
	for (u32 i = kp_bitmaps_next(maps, 0); i < KHO_POOL_BLOCK_FRAMES;
	     i = kp_bitmaps_next(maps, i + 1), extents++)
		c->used_frames += kp_bitmaps_length(maps, i);
	c->extents += extents;
	if (word & KHO_POOL_NAMED)
		c->named += extents;
	if (!kp_test(idx->area[kp_area_of(idx, block)].unclaimed, bit))
		return 0;
	if (!(word & KHO_POOL_NAMED)) {
		c->unclaimed += extents;
		return 0;
	}
	/* Each by itself; as long as one is not claimed, nobody shares the block. */
	for (u32 i = kp_bitmaps_next(maps, 0); i < KHO_POOL_BLOCK_FRAMES;
	     i = kp_bitmaps_next(maps, i + 1)) {
		u64 frame = ((u64)block << KHO_POOL_BLOCK_SHIFT) + i;

		HOLDS(kp_name_of(idx, frame));
		unclaimed += !*kp_name_claimed(idx, frame);
	}
	HOLDS(unclaimed);
	c->unclaimed += unclaimed;
	return 0;
}

static int kp_check_blocks(struct check *c, u32 a, u32 first, u32 end)
{
	struct kp_index *idx = c->idx;

	HOLDS(idx->area[a].words_clear);
	for (u32 bit = first; bit < end; bit++) {
		u32 block = kp_block_at(idx, a, bit);
		u64 word = kp_load(&idx->blocks[block]);
		int ret;

		if (!word)
			continue;
		c->nr_words++;
		c->csum += kp_csum_word(kp_word_offset(idx, &idx->blocks[block]), word);
		HOLDS(kp_word_kind(word) == KHO_POOL_EXTENT ||
		      kp_word_kind(word) == KHO_POOL_SPLIT);
		if (kp_word_kind(word) == KHO_POOL_EXTENT)
			ret = kp_check_extent(c, block, word);
		else
			ret = kp_check_bitmaps(c, block, word);
		if (ret)
			return ret;
	}
	HOLDS(c->nr_words);
	return 0;
}

static int kp_check_area(struct check *c, u32 a)
{
	struct kp_index *idx = c->idx;
	struct kp_area *area = &idx->area[a];
	u64 word = kp_load(&idx->areas[a]);
	u32 first, end, before, nr_used = 0;
	int ret = 0;

	memset(c->used, 0, sizeof(c->used));
	memset(c->partial, 0, sizeof(c->partial));
	memset(c->heads, 0, sizeof(c->heads));
	c->nr_words = 0;
	kp_area_span(idx, a, &first, &end);
	kp_set_bits(c->used, 0, first);
	kp_set_bits(c->used, end, KHO_POOL_AREA_BLOCKS - end);
	before = kp_block_at(idx, a, first);
	if (c->covered > before)
		kp_set_bits(c->used, first, min(c->covered - before, end - first));

	c->csum += kp_csum_word(kp_word_offset(idx, &idx->areas[a]), word);
	switch (kp_word_kind(word)) {
	case KHO_POOL_FREE:
		HOLDS(!word);
		break;
	case KHO_POOL_EXTENT:
		HOLDS(!first);
		ret = kp_check_extent(c, before, word);
		break;
	case KHO_POOL_SPLIT:
		HOLDS(word == KHO_POOL_SPLIT);
		ret = kp_check_blocks(c, a, first, end);
		break;
	default:
		HOLDS(false);
	}
	if (ret)
		return ret;

	/* Extents in such a block stay, and nothing more of it is allocated. */
	for (u32 bit = first; idx->nr_bad && bit < end; bit++) {
		if (!kp_bad_has(idx, kp_block_at(idx, a, bit)))
			continue;
		kp_set_bits(c->used, bit, 1);
		kp_clear_bits(c->partial, bit, 1);
	}
	for (u32 i = 0; i < KP_AREA_WORDS; i++) {
		nr_used += hweight64(c->used[i]);
		HOLDS(area->used[i] == (area->whole ? 0 : c->used[i]));
		HOLDS(area->partial[i] == c->partial[i]);
		HOLDS(!(area->unclaimed[i] & ~c->heads[i]));
	}
	for (u32 bit = kp_next_set(c->partial, first, end); bit < end;
	     bit = kp_next_set(c->partial, bit + 1, end)) {
		u64 split = kp_load(&idx->blocks[kp_block_at(idx, a, bit)]);

		HOLDS(test_bit(a, kp_partial_areas(idx, kp_kind(split))));
	}
	HOLDS(area->nr_used == nr_used);
	HOLDS(area->nr_words == c->nr_words);
	HOLDS(!area->whole || (!first && end == KHO_POOL_AREA_BLOCKS &&
			       nr_used == KHO_POOL_AREA_BLOCKS));
	HOLDS(test_bit(a, idx->busy) == !!nr_used);
	HOLDS(test_bit(a, idx->full) == (nr_used == KHO_POOL_AREA_BLOCKS));
	if (area->words_clear && word != KHO_POOL_SPLIT)
		for (u32 bit = first; bit < end; bit++)
			HOLDS(!idx->blocks[kp_block_at(idx, a, bit)]);
	return 0;
}

static int kp_check_names(struct check *c)
{
	struct kp_index *idx = c->idx;
	u64 used = kp_load(&idx->header->names_used), live = 0;

	HOLDS(used <= idx->nr_names);
	HOLDS(idx->first_name <= used);
	c->csum += kp_csum_word(kp_word_offset(idx, &idx->header->names_used), used);
	for (u32 i = 0; i < used; i++) {
		struct kho_pool_name_record *record = &idx->names[i];
		u64 key = kp_load(&record->key);
		struct kp_extent ext;
		u64 frame;

		c->csum += kp_csum_words((__le64 *)record, kp_word_offset(idx, record),
					 sizeof(*record) / 8);
		HOLDS(!key == !idx->link[i].hash);
		HOLDS(!key == !test_bit(i, idx->records));
		if (!key) {
			HOLDS(!memchr_inv(record, 0, sizeof(*record)));
			HOLDS(i >= idx->first_name);
			continue;
		}
		live++;
		HOLDS(memchr(record->name, 0, sizeof(record->name)));
		HOLDS(idx->link[i].hash == kp_name_hash(idx, record->name));
		HOLDS(key <= idx->nr_frames);
		if (!kp_index_find(idx, key - 1, &ext))
			HOLDS(!strcmp(ext.name, record->name));
		HOLDS(!kp_name_find(idx, record->name, &frame) && frame == key - 1);
	}
	HOLDS(live == c->named);
	for (u64 i = used; i < idx->nr_names; i++)
		HOLDS(!idx->link[i].hash);
	return 0;
}

/* The sums match the words; if there are too many or invalid ones, all_bad is set. */
static int kp_check_bad(struct kp_index *idx)
{
	u64 block = idx->nr_blocks, frame, frames = 0;
	u32 nr = 0, end = 0, valid = 0, run;

	for (u32 i = 0; i < idx->nr_bad_words; i++) {
		if (!kp_load(&idx->bad[i]))
			continue;
		nr++;
		end = i + 1;
	}
	HOLDS(idx->nr_bad == nr && idx->bad_end == end);
	for (u32 i = 0; (run = kp_bad_run(idx, &i, &frame)); valid++)
		frames += run;
	HOLDS(idx->nr_bad_frames == frames);
	HOLDS(idx->all_bad == (valid < nr || kp_load(&idx->bad[idx->nr_bad_words - 1])));
	for (frame = 0; kp_bad_next(idx, &frame); frame++) {
		HOLDS(frame < idx->nr_frames);
		HOLDS(kp_bad_has(idx, frame >> KHO_POOL_BLOCK_SHIFT));
		if (frame >> KHO_POOL_BLOCK_SHIFT == block)
			continue;
		block = frame >> KHO_POOL_BLOCK_SHIFT;
		HOLDS(nr--);
	}
	/* Several words may be of one block. */
	return 0;
}

/**
 * kp_index_validate - check whether every invariant holds
 * @idx: the index; nothing may be changing
 *
 * Return: 0, or the line of this file with the invariant that does not hold.
 */
int kp_index_validate(struct kp_index *idx)
{
	struct check c = { .idx = idx };
	s64 unclaimed = 0, moving = 0;
	int ret;

	for (int i = 1; i < KHO_POOL_OWNERS; i++)
		HOLDS(!idx->owners[i].name[0] || kp_owner_find(idx, idx->owners[i].name) == i);
	c.csum = kp_csum_words((__le64 *)idx->owners, kp_word_offset(idx, idx->owners),
			       KHO_POOL_OWNERS * sizeof(*idx->owners) / 8);
	for (u32 a = 0; a < idx->nr_areas; a++) {
		ret = kp_check_area(&c, a);
		if (ret)
			return ret;
	}
	ret = kp_check_names(&c) ?: kp_check_bad(idx);
	if (ret)
		return ret;

	HOLDS(kp_index_csum(idx) == c.csum);
	for (u32 i = 0; i < idx->nr_pcpu; i++) {
		HOLDS(!idx->pcpu[i].active);
		unclaimed += idx->pcpu[i].unclaimed;
		moving += idx->pcpu[i].moving;
	}
	HOLDS(!moving);
	HOLDS(kp_index_extents(idx) == c.extents);
	HOLDS(unclaimed == c.unclaimed);
	HOLDS(kp_index_used(idx) == c.used_frames);
	return 0;
}
