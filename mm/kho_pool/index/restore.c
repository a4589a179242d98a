// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rebuild the volatile state from a persistent index, and check whether the index
 * can be trusted.
 *
 * The first pass only reads.  It fails if the checksum is not the sealed one, or if the
 * index has a state that no sequence of operations leaves behind; the index is then
 * unchanged.  The second pass runs if there is something to clean up: extents that
 * were never returned to a caller, and halves of interrupted operations.
 */
#include "internal.h"

struct pass {
	struct kp_index *idx;
	struct kp_pcpu *pcpu;
	u64 csum;
	u32 covered;		/* first block that no extent seen so far covers */
	u32 named;		/* live extents that should have a name */
	bool repair;		/* something is to be cleaned up */
};

/* Something in the area has to be cleaned up. */
static void kp_to_repair(struct pass *p, u32 a)
{
	p->repair = true;
	p->idx->area[a].repair = true;
}

/* Mark the blocks of an extent as taken.  Nothing is locked: nothing else uses the index. */
static void kp_cover(struct pass *p, u32 block, u32 nr)
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

static bool kp_valid_word(const struct kp_index *idx, u64 word)
{
	u8 owner = kp_word_owner(word);

	if (word & KHO_POOL_WORD_RESERVED || owner >= KHO_POOL_OWNERS)
		return false;
	return owner != KP_OWNER_NONE && idx->owners[owner].name[0];
}

/* An extent begins at @block and has a word of its own. */
static bool kp_scan_extent(struct pass *p, u32 block, u64 word)
{
	struct kp_index *idx = p->idx;
	u64 frames = kp_word_frames(word);
	u32 nr = kp_blocks(frames);

	if (!kp_valid_word(idx, word) || frames < KHO_POOL_BLOCK_FRAMES ||
	    block < p->covered || frames > idx->nr_frames || nr > idx->nr_blocks - block)
		return false;
	if (word & KHO_POOL_PENDING) {
		kp_to_repair(p, kp_area_of(idx, block));
		p->covered = block + nr;
		return true;
	}
	kp_cover(p, block, nr);
	kp_set_bits(idx->area[kp_area_of(idx, block)].unclaimed, kp_bit_of(idx, block), 1);
	p->named += !!(word & KHO_POOL_NAMED);
	p->idx->restored++;
	p->pcpu->unclaimed++;
	p->pcpu->taken += (u64)nr << KHO_POOL_BLOCK_SHIFT;
	return true;
}

static bool kp_scan_bitmaps(struct pass *p, u32 block, u64 word)
{
	struct kp_index *idx = p->idx;
	const struct kho_pool_bitmaps *maps = &idx->bitmaps[block];
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	u32 bit = kp_bit_of(idx, block);
	u64 mask = 1ULL << bit % 64;
	struct kp_bitmaps_seen seen;

	if (!kp_valid_word(idx, word) || word & KHO_POOL_PENDING || kp_word_frames(word) ||
	    block < p->covered)
		return false;
	kp_bitmaps_read(maps, kp_word_offset(idx, maps), &seen);
	p->csum += seen.csum;
	if (seen.torn || !seen.extents)
		kp_to_repair(p, kp_area_of(idx, block));
	if (!seen.extents) {
		p->covered = block + 1;
		return true;
	}
	/* Like kp_cover(), but kp_scan_blocks() updates the area, once for up to 512 blocks. */
	p->covered = block + 1;
	area->used[bit / 64] |= mask;
	area->nr_used++;
	area->unclaimed[bit / 64] |= mask;
	if (!seen.full)
		kp_set_partial(idx, kp_area_of(idx, block), bit, word);
	idx->restored += seen.extents;
	p->pcpu->unclaimed += seen.extents;
	p->pcpu->taken += seen.frames;
	if (word & KHO_POOL_NAMED)
		p->named += seen.extents;
	return true;
}

static bool kp_scan_blocks(struct pass *p, u32 a)
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
		p->csum += kp_csum_word(kp_word_offset(idx, &idx->blocks[block]), word);
		if (kp_word_kind(word) == KHO_POOL_EXTENT)
			/* There is only one form: a larger extent has the area's word. */
			good = (kp_bit_of(idx, block) ||
				kp_blocks(kp_word_frames(word)) < KHO_POOL_AREA_BLOCKS) &&
			       kp_scan_extent(p, block, word);
		else if (kp_word_kind(word) == KHO_POOL_SPLIT)
			good = kp_scan_bitmaps(p, block, word);
		if (!good)
			return false;
	}
	if (!area->nr_words)
		kp_to_repair(p, a);
	kp_area_take(idx, a, 0, 0);
	return true;
}

static bool kp_scan_areas(struct pass *p)
{
	struct kp_index *idx = p->idx;

	for (u32 a = 0; a < idx->nr_areas; a++) {
		u64 word = kp_load(&idx->areas[a]);
		bool good = false;

		p->csum += kp_csum_word(kp_word_offset(idx, &idx->areas[a]), word);
		if (!word)
			good = true;
		else if (word == KHO_POOL_SPLIT)
			good = kp_scan_blocks(p, a);
		else if (kp_word_kind(word) == KHO_POOL_EXTENT && (a || !idx->lead))
			good = kp_blocks(kp_word_frames(word)) >= KHO_POOL_AREA_BLOCKS &&
			       kp_scan_extent(p, kp_block_at(idx, a, 0), word);
		if (!good)
			return false;
	}
	return true;
}

/* Is there a live extent with a name at @frame?  Reads the persistent words only. */
static bool kp_named_extent(const struct kp_index *idx, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	u32 bit = frame & (KHO_POOL_BLOCK_FRAMES - 1);
	u64 word;

	if (frame >= idx->nr_frames)
		return false;
	word = kp_load(&idx->areas[kp_area_of(idx, block)]);
	if (kp_word_kind(word) == KHO_POOL_SPLIT)
		word = kp_load(&idx->blocks[block]);
	else if (kp_bit_of(idx, block))
		return false;
	if (!(word & KHO_POOL_NAMED))
		return false;
	if (kp_word_kind(word) == KHO_POOL_SPLIT)
		return kp_bitmaps_length(&idx->bitmaps[block], bit);
	return kp_word_live(word) && !bit;
}

static bool kp_name_complete(const char *name, size_t size)
{
	return name[0] && memchr(name, 0, size);
}

static bool kp_scan_names(struct pass *p)
{
	struct kp_index *idx = p->idx;
	u64 used = kp_load(&idx->header->names_used);
	u32 live = 0;

	if (used > idx->nr_names)
		return false;
	p->csum += kp_csum_word(kp_word_offset(idx, &idx->header->names_used), used);
	for (u32 i = 0; i < used; i++) {
		struct kho_pool_name_record *record = &idx->names[i];
		u64 key = kp_load(&record->key);

		p->csum += kp_csum_words((__le64 *)record, kp_word_offset(idx, record),
					 sizeof(*record) / 8);
		if (!key) {
			/* Without a key the rest may be half written or erased. */
			if (memchr_inv(record, 0, sizeof(*record)))
				p->repair = true;
			continue;
		}
		if (!kp_name_complete(record->name, sizeof(record->name)))
			return false;
		if (kp_named_extent(idx, key - 1)) {
			if (!kp_name_insert(idx, i))
				return false;
			live++;
		} else {
			p->repair = true;
		}
	}
	/* Extents have at most one name, so if the counts match, each one has its name. */
	return live == p->named;
}

static bool kp_scan_owners(struct pass *p)
{
	struct kp_index *idx = p->idx;

	p->csum += kp_csum_words((__le64 *)idx->owners, kp_word_offset(idx, idx->owners),
				 KHO_POOL_OWNERS * sizeof(*idx->owners) / 8);
	for (u32 i = 0; i < KHO_POOL_OWNERS; i++) {
		const char *name = idx->owners[i].name;

		if (name[0] && (!i || !memchr(name, 0, KHO_POOL_OWNER_MAX)))
			return false;
		if (name[0] && kp_owner_find(idx, name) != i)
			return false;
		/* The first bytes commit; clear what was interrupted before that. */
		if (!name[0] && memchr_inv(name, 0, KHO_POOL_OWNER_MAX))
			p->repair = true;
	}
	return true;
}

/* The second pass. */
static void kp_repair(struct pass *p)
{
	static const struct kho_pool_owner_record none;
	struct kp_index *idx = p->idx;
	struct kp_pcpu *pcpu = p->pcpu;

	for (u32 i = 0; i < kp_load(&idx->header->names_used); i++)
		if (!idx->link[i].hash && memchr_inv(&idx->names[i], 0, sizeof(idx->names[i])))
			kp_name_clear(idx, pcpu, i);
	for (u32 i = 0; i < KHO_POOL_OWNERS; i++)
		if (!idx->owners[i].name[0] && memchr_inv(&idx->owners[i], 0, sizeof(none)))
			kp_store_words(idx, pcpu, &idx->owners[i], &none, sizeof(none));
	for (u32 a = 0; a < idx->nr_areas; a++) {
		struct kp_area *area = &idx->area[a];
		u64 word = kp_load(&idx->areas[a]);
		u32 first, end;

		if (!area->repair)
			continue;
		area->repair = false;
		if (kp_word_kind(word) == KHO_POOL_EXTENT && !kp_word_live(word))
			kp_store(idx, pcpu, &idx->areas[a], 0);
		if (kp_word_kind(word) != KHO_POOL_SPLIT)
			continue;
		kp_area_span(idx, a, &first, &end);
		first = kp_block_at(idx, a, first);
		end = kp_block_at(idx, a, end);
		for (u32 block = first; block < end; block++) {
			word = kp_load(&idx->blocks[block]);
			if (!word)
				continue;
			if (kp_word_kind(word) == KHO_POOL_SPLIT)
				kp_bitmaps_repair(idx, pcpu, block);
			if (kp_word_kind(word) == KHO_POOL_SPLIT ?
			    kp_bitmaps_empty(&idx->bitmaps[block]) : !kp_word_live(word)) {
				kp_store(idx, pcpu, &idx->blocks[block], 0);
				area->nr_words--;
			} else if (kp_word_kind(word) == KHO_POOL_SPLIT &&
				   !kp_test(area->partial, kp_bit_of(idx, block)) &&
				   !kp_bitmaps_full(&idx->bitmaps[block])) {
				kp_set_partial(idx, a, kp_bit_of(idx, block), word);
			}
		}
		if (!area->nr_words)
			kp_store(idx, pcpu, &idx->areas[a], 0);
	}
}

/* Blocks of the first and the last area that are not in the region. */
static void kp_cover_outside(struct kp_index *idx)
{
	u32 last = idx->nr_areas - 1, first, end;

	if (idx->lead)
		kp_area_take(idx, 0, 0, idx->lead);
	kp_area_span(idx, last, &first, &end);
	if (end < KHO_POOL_AREA_BLOCKS)
		kp_area_take(idx, last, end, KHO_POOL_AREA_BLOCKS - end);
}

/**
 * kp_index_restore - take over an index
 * @idx: attached, with its volatile state all zero
 * @csum: the checksum that the index was sealed with, or NULL if it was not sealed
 *
 * Nothing else may use the index yet.
 *
 * Return: 0; -EBADMSG if the index is not what was sealed, -EUCLEAN if it was
 * not sealed and contradicts itself.  The persistent index is not written to in
 * these cases, nor if @idx->read_only is set.
 */
int kp_index_restore(struct kp_index *idx, const u64 *csum)
{
	struct pass p = { .idx = idx, .pcpu = &idx->pcpu[0] };

	for (u32 i = 0; i < idx->nr_pcpu; i++) {
		idx->pcpu[i].hint_area = 0;
		idx->pcpu[i].alone = 0;
		idx->pcpu[i].meetings = 0;
		idx->pcpu[i].epoch = 0;
		memset(idx->pcpu[i].hint_block, 0, sizeof(idx->pcpu[i].hint_block));
	}
	for (u32 a = 0; a < idx->nr_areas; a++)
		raw_spin_lock_init(&idx->area[a].lock);
	kp_cover_outside(idx);

	/* The order matters: names need extents, extents need owners. */
	if (!kp_scan_owners(&p) || !kp_scan_areas(&p) || !kp_scan_names(&p))
		return csum ? -EBADMSG : -EUCLEAN;
	if (csum && p.csum != *csum)
		return -EBADMSG;
	p.pcpu->csum = p.csum;
	if (p.repair && !idx->read_only)
		kp_repair(&p);
	/* After everything that is taken or partial is known. */
	kp_bad_restore(idx);
	return 0;
}

/* The checksum according to the CPUs; nothing may be changing. */
u64 kp_index_csum(const struct kp_index *idx)
{
	u64 csum = 0;

	for (u32 i = 0; i < idx->nr_pcpu; i++)
		csum += idx->pcpu[i].csum;
	return csum;
}
