// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make the volatile state anew from a persistent index, and see whether that
 * can be trusted.
 *
 * The first pass only reads.  It fails if the sum is not the sealed one or if
 * the index says something that no sequence of operations leaves behind; the
 * index is then as it was.  The second pass runs if there is something to
 * clean up: extents that no one was told of, halves of stopped operations.
 */
#include "internal.h"

struct pass {
	struct kp_index *idx;
	struct kp_lane *lane;
	u64 sum;
	u32 covered;		/* first block that no extent seen so far covers */
	u32 named;		/* live extents that should have a name */
	bool settle;		/* something is to be cleaned up */
};

/* Something in the area is to be cleaned up. */
static void to_settle(struct pass *p, u32 a)
{
	p->settle = true;
	p->idx->area[a].settle = true;
}

/* Blocks of an extent are taken; nothing is locked, no one else is here. */
static void cover(struct pass *p, u32 block, u32 nr)
{
	struct kp_index *idx = p->idx;

	p->covered = block + nr;
	while (nr) {
		u32 a = kp_area_of(idx, block), bit = kp_bit_of(idx, block);
		u32 here = min(nr, KHO_POOL_AREA_BLOCKS - bit);

		kp_area_take(idx, a, bit, here);
		block += here;
		nr -= here;
	}
}

static bool valid_word(const struct kp_index *idx, u64 word)
{
	u8 owner = kp_word_owner(word);

	if (word & KHO_POOL_WORD_RESERVED || owner >= KHO_POOL_OWNERS)
		return false;
	return owner != KP_OWNER_NONE && idx->owners[owner].name[0];
}

/* An extent begins at @block and has a word of its own. */
static bool see_extent(struct pass *p, u32 block, u64 word)
{
	struct kp_index *idx = p->idx;
	u64 frames = kp_word_frames(word);
	u32 nr = kp_blocks(frames);

	if (!valid_word(idx, word) || frames < KHO_POOL_BLOCK_FRAMES ||
	    block < p->covered || frames > idx->nr_frames || nr > idx->nr_blocks - block)
		return false;
	if (word & KHO_POOL_PENDING) {
		to_settle(p, kp_area_of(idx, block));
		p->covered = block + nr;
		return true;
	}
	cover(p, block, nr);
	kp_set_bits(idx->area[kp_area_of(idx, block)].unclaimed, kp_bit_of(idx, block), 1);
	p->named += !!(word & KHO_POOL_NAMED);
	p->lane->extents++;
	p->lane->unclaimed++;
	p->lane->used_frames += (u64)nr << KHO_POOL_BLOCK_SHIFT;
	return true;
}

static bool see_bitmaps(struct pass *p, u32 block, u64 word)
{
	struct kp_index *idx = p->idx;
	const struct kho_pool_bitmaps *maps = &idx->bitmaps[block];
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	u32 bit = kp_bit_of(idx, block);
	u64 mask = 1ULL << bit % 64;
	struct kp_bitmaps_seen seen;

	if (!valid_word(idx, word) || word & KHO_POOL_PENDING || kp_word_frames(word) ||
	    block < p->covered)
		return false;
	kp_bitmaps_read(maps, kp_word_offset(idx, maps), &seen);
	p->sum += seen.sum;
	if (seen.torn || !seen.extents)
		to_settle(p, kp_area_of(idx, block));
	if (!seen.extents) {
		p->covered = block + 1;
		return true;
	}
	/* As cover() does, but that see_blocks() has the last word: there may be 512. */
	p->covered = block + 1;
	area->used[bit / 64] |= mask;
	area->nr_used++;
	area->unclaimed[bit / 64] |= mask;
	if (!seen.full)
		kp_set_partial(area, bit);
	p->lane->extents += seen.extents;
	p->lane->unclaimed += seen.extents;
	p->lane->used_frames += seen.frames;
	if (word & KHO_POOL_NAMED)
		p->named += seen.extents;
	return true;
}

static bool see_blocks(struct pass *p, u32 a)
{
	struct kp_index *idx = p->idx;
	struct kp_area *area = &idx->area[a];
	u32 first, end;

	kp_area_span(idx, a, &first, &end);
	first = kp_block_at(idx, a, first);
	end = kp_block_at(idx, a, end);
	area->words_clear = true;
	for (u32 block = first; block < end; block++) {
		u64 word = kp_load(&idx->blocks[block]);
		bool good = false;

		if (!word)
			continue;
		area->nr_words++;
		p->sum += kp_sum_word(kp_word_offset(idx, &idx->blocks[block]), word);
		if (kp_word_kind(word) == KHO_POOL_EXTENT)
			/* One form only: such an extent has the area's word. */
			good = (kp_bit_of(idx, block) ||
				kp_blocks(kp_word_frames(word)) < KHO_POOL_AREA_BLOCKS) &&
			       see_extent(p, block, word);
		else if (kp_word_kind(word) == KHO_POOL_CONSULT)
			good = see_bitmaps(p, block, word);
		if (!good)
			return false;
	}
	if (!area->nr_words)
		to_settle(p, a);
	kp_area_take(idx, a, 0, 0);
	return true;
}

static bool see_areas(struct pass *p)
{
	struct kp_index *idx = p->idx;

	for (u32 a = 0; a < idx->nr_areas; a++) {
		u64 word = kp_load(&idx->areas[a]);
		bool good = false;

		p->sum += kp_sum_word(kp_word_offset(idx, &idx->areas[a]), word);
		if (!word)
			good = true;
		else if (word == KHO_POOL_CONSULT)
			good = see_blocks(p, a);
		else if (kp_word_kind(word) == KHO_POOL_EXTENT && (a || !idx->lead))
			good = kp_blocks(kp_word_frames(word)) >= KHO_POOL_AREA_BLOCKS &&
			       see_extent(p, kp_block_at(idx, a, 0), word);
		if (!good)
			return false;
	}
	return true;
}

/* Is there a live extent with a name at @frame?  Reads the persistent words only. */
static bool named_extent(const struct kp_index *idx, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	u32 bit = frame & (KHO_POOL_BLOCK_FRAMES - 1);
	u64 word;

	if (frame >= idx->nr_frames)
		return false;
	word = kp_load(&idx->areas[kp_area_of(idx, block)]);
	if (kp_word_kind(word) == KHO_POOL_CONSULT)
		word = kp_load(&idx->blocks[block]);
	else if (kp_bit_of(idx, block))
		return false;
	if (!(word & KHO_POOL_NAMED))
		return false;
	if (kp_word_kind(word) == KHO_POOL_CONSULT)
		return kp_bitmaps_length(&idx->bitmaps[block], bit);
	return kp_word_live(word) && !bit;
}

static bool valid_name(const char *name, size_t size)
{
	return name[0] && memchr(name, 0, size);
}

static bool see_names(struct pass *p)
{
	struct kp_index *idx = p->idx;
	u64 used = kp_load(&idx->header->names_used);
	u32 live = 0;

	if (used > idx->nr_names)
		return false;
	p->sum += kp_sum_word(kp_word_offset(idx, &idx->header->names_used), used);
	for (u32 i = 0; i < used; i++) {
		struct kho_pool_name_record *record = &idx->names[i];
		u64 key = kp_load(&record->key);

		p->sum += kp_sum_words((__le64 *)record, kp_word_offset(idx, record),
				       sizeof(*record) / 8);
		if (!key) {
			/* Without a key the rest may be half written or erased. */
			if (memchr_inv(record, 0, sizeof(*record)))
				p->settle = true;
			continue;
		}
		if (!valid_name(record->name, sizeof(record->name)))
			return false;
		if (named_extent(idx, key - 1)) {
			if (!kp_name_insert(idx, i))
				return false;
			live++;
		} else {
			p->settle = true;
		}
	}
	/* No two have the same extent, so if they are as many, each one has its name. */
	return live == p->named;
}

static bool see_owners(struct pass *p)
{
	struct kp_index *idx = p->idx;

	p->sum += kp_sum_words((__le64 *)idx->owners, kp_word_offset(idx, idx->owners),
			       KHO_POOL_OWNERS * sizeof(*idx->owners) / 8);
	for (u32 i = 0; i < KHO_POOL_OWNERS; i++) {
		const char *name = idx->owners[i].name;

		if (name[0] && (!i || !memchr(name, 0, KHO_POOL_OWNER_MAX)))
			return false;
		if (name[0] && kp_owner_find(idx, name) != i)
			return false;
		/* The first bytes commit; what was stopped before is cleared. */
		if (!name[0] && memchr_inv(name, 0, KHO_POOL_OWNER_MAX))
			p->settle = true;
	}
	return true;
}

/* The second pass. */
static void settle(struct pass *p)
{
	static const struct kho_pool_owner_record none;
	struct kp_index *idx = p->idx;
	struct kp_lane *lane = p->lane;

	for (u32 i = 0; i < kp_load(&idx->header->names_used); i++)
		if (!idx->link[i].hash && memchr_inv(&idx->names[i], 0, sizeof(idx->names[i])))
			kp_name_clear(idx, lane, i);
	for (u32 i = 0; i < KHO_POOL_OWNERS; i++)
		if (!idx->owners[i].name[0] && memchr_inv(&idx->owners[i], 0, sizeof(none)))
			kp_store_words(idx, lane, &idx->owners[i], &none, sizeof(none));
	for (u32 a = 0; a < idx->nr_areas; a++) {
		struct kp_area *area = &idx->area[a];
		u64 word = kp_load(&idx->areas[a]);
		u32 first, end;

		if (!area->settle)
			continue;
		area->settle = false;
		if (kp_word_kind(word) == KHO_POOL_EXTENT && !kp_word_live(word))
			kp_store(idx, lane, &idx->areas[a], 0);
		if (kp_word_kind(word) != KHO_POOL_CONSULT)
			continue;
		kp_area_span(idx, a, &first, &end);
		first = kp_block_at(idx, a, first);
		end = kp_block_at(idx, a, end);
		for (u32 block = first; block < end; block++) {
			word = kp_load(&idx->blocks[block]);
			if (!word)
				continue;
			if (kp_word_kind(word) == KHO_POOL_CONSULT)
				kp_bitmaps_settle(idx, lane, block);
			if (kp_word_kind(word) == KHO_POOL_CONSULT ?
			    kp_bitmaps_empty(&idx->bitmaps[block]) : !kp_word_live(word)) {
				kp_store(idx, lane, &idx->blocks[block], 0);
				area->nr_words--;
			} else if (kp_word_kind(word) == KHO_POOL_CONSULT &&
				   !kp_test(area->partial, kp_bit_of(idx, block)) &&
				   !kp_bitmaps_full(&idx->bitmaps[block])) {
				kp_set_partial(area, kp_bit_of(idx, block));
			}
		}
		if (!area->nr_words)
			kp_store(idx, lane, &idx->areas[a], 0);
	}
}

/* Blocks of the first and the last area that are not in the region. */
static void cover_outside(struct kp_index *idx)
{
	u32 last = idx->nr_areas - 1, first, end;

	if (idx->lead)
		kp_area_take(idx, 0, 0, idx->lead);
	kp_area_span(idx, last, &first, &end);
	if (end < KHO_POOL_AREA_BLOCKS)
		kp_area_take(idx, last, end, KHO_POOL_AREA_BLOCKS - end);
}

/**
 * kp_index_restore - take an index over
 * @idx: attached, with its volatile state all zero
 * @sum: what the index was sealed with, or NULL if it was not
 *
 * Nothing else may use the index yet.
 *
 * Return: 0; -EBADMSG if the index is not what was sealed, -EUCLEAN if it was
 * not sealed and contradicts itself.  The persistent index is not written to in
 * these cases, nor if @idx->read_only is set.
 */
int kp_index_restore(struct kp_index *idx, const u64 *sum)
{
	struct pass p = { .idx = idx, .lane = &idx->lane[0] };

	for (u32 i = 0; i < idx->nr_lanes; i++) {
		idx->lane[i].hint_area = 0;
		idx->lane[i].alone = 0;
		memset(idx->lane[i].hint_block, 0, sizeof(idx->lane[i].hint_block));
	}
	for (u32 a = 0; a < idx->nr_areas; a++)
		raw_spin_lock_init(&idx->area[a].lock);
	cover_outside(idx);

	/* The order matters: names need extents, extents need owners. */
	if (!see_owners(&p) || !see_areas(&p) || !see_names(&p))
		return sum ? -EBADMSG : -EUCLEAN;
	if (sum && p.sum != *sum)
		return -EBADMSG;
	p.lane->sum = p.sum;
	if (p.settle && !idx->read_only)
		settle(&p);
	/* When all that is taken and all that is partial is known. */
	kp_bad_restore(idx);
	return 0;
}

/* The sum as the lanes have it; nothing may be changing. */
u64 kp_index_sum(const struct kp_index *idx)
{
	u64 sum = 0;

	for (u32 i = 0; i < idx->nr_lanes; i++)
		sum += idx->lane[i].sum;
	return sum;
}
