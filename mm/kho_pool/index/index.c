// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of extents: they are found, freed, claimed, given to another owner.
 */
#include "internal.h"

void kp_account_free(struct kp_pcpu *pcpu, u64 frames)
{
	if (frames >= KHO_POOL_BLOCK_FRAMES)
		frames = (u64)kp_blocks(frames) << KHO_POOL_BLOCK_SHIFT;
	WRITE_ONCE(pcpu->given, pcpu->given + frames);
	/* After the extent came, see kp_index_extents(). */
	smp_store_release(&pcpu->frees, pcpu->frees + 1);
	kp_account_gain(pcpu);
}

static void kp_clear_block_word(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block)
{
	u32 a = kp_area_of(idx, block);

	kp_store(idx, pcpu, &idx->blocks[block], 0);
	if (!--idx->area[a].nr_words)
		kp_store(idx, pcpu, &idx->areas[a], 0);
}

/* The word that describes the extent at @block; its area is locked. */
__le64 *kp_extent_word(struct kp_index *idx, u32 block)
{
	u32 a = kp_area_of(idx, block);

	switch (kp_word_kind(kp_load(&idx->areas[a]))) {
	case KHO_POOL_EXTENT:
		return kp_bit_of(idx, block) ? NULL : &idx->areas[a];
	case KHO_POOL_SPLIT:
		return &idx->blocks[block];
	default:
		return NULL;
	}
}

/* Look @frame up; its area is locked. */
static int kp_find(struct kp_index *idx, u64 frame, struct kp_extent *ext, u64 *word)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	u32 bit = frame & (KHO_POOL_BLOCK_FRAMES - 1);
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	__le64 *p = kp_extent_word(idx, block);

	*word = p ? kp_load(p) : 0;
	ext->frame = frame;
	ext->owner = kp_word_owner(*word);
	ext->unclaimed = kp_test(area->unclaimed, kp_bit_of(idx, block));
	ext->name[0] = 0;
	if (kp_word_live(*word) && !bit)
		ext->frames = kp_word_frames(*word);
	else if (kp_word_kind(*word) == KHO_POOL_SPLIT)
		ext->frames = kp_bitmaps_length(&idx->bitmaps[block], bit);
	else
		ext->frames = 0;
	return ext->frames ? 0 : -ENOENT;
}

/* Of small extents with names each is claimed by itself, others with all in their block. */
static bool kp_claimed_by_name(u64 word)
{
	return kp_word_kind(word) == KHO_POOL_SPLIT && word & KHO_POOL_NAMED;
}

/* What kp_find() does not know; index_lock is held if the extent has a name. */
static void kp_find_claim(const struct kp_index *idx, struct kp_extent *ext, u64 word)
{
	if (ext->unclaimed && kp_claimed_by_name(word))
		ext->unclaimed = !*kp_name_claimed(idx, ext->frame);
}

/* All extents of a split block are claimed, or gone: others can share it again. */
static bool kp_all_claimed(const struct kp_index *idx, u32 block)
{
	const struct kho_pool_bitmaps *maps = &idx->bitmaps[block];
	u64 first = (u64)block << KHO_POOL_BLOCK_SHIFT;

	for (u32 bit = kp_bitmaps_next(maps, 0); bit < KHO_POOL_BLOCK_FRAMES;
	     bit = kp_bitmaps_next(maps, bit + 1))
		if (!*kp_name_claimed(idx, first + bit))
			return false;
	return true;
}

/* A split block has lost an extent of @kind, at @bit; its area is locked. */
static __always_inline void kp_give_frames(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block,
					   u32 bit, u64 word, struct kp_gain *gain)
{
	u32 a = kp_area_of(idx, block), in_area = kp_bit_of(idx, block);
	struct kp_area *area = &idx->area[a];

	if (!kp_test(area->partial, in_area))
		kp_set_partial(idx, a, in_area, word);
	if (!kp_bitmaps_empty(&idx->bitmaps[block]) || kp_is_reserved(area, block)) {
		/* If it was the last one that nobody had claimed, others can share the block. */
		if (unlikely(kp_test(area->unclaimed, in_area)) && kp_claimed_by_name(word) &&
		    kp_all_claimed(idx, block)) {
			kp_clear_bits(area->unclaimed, in_area, 1);
			gain->kind = kp_kind(word);
			gain->run = KHO_POOL_BLOCK_FRAMES;
		}
		if (unlikely(READ_ONCE(idx->nr_bad)))
			kp_bad_retire(idx, a, in_area, in_area + 1);
		if (!gain->run)
			kp_gain_frames(idx, gain, block, bit, kp_kind(word));
		return;
	}
	kp_clear_partial(area, in_area);
	kp_clear_block_word(idx, pcpu, block);
	kp_clear_bits(area->unclaimed, in_area, 1);
	kp_area_give(idx, a, in_area, 1);
	kp_gain_blocks(idx, gain, a, in_area, 1);
}

/* Frames that were reserved, and are no more; their area is locked. */
void kp_give_unused(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block, u32 bit,
		    struct kp_gain *gain)
{
	kp_give_frames(idx, pcpu, block, bit, kp_load(&idx->blocks[block]), gain);
	kp_account_gain(pcpu);
}

/*
 * Give the extent back; its area is locked, and index_lock if it has a name.  The blocks
 * of one that is in several areas are left for kp_index_give().
 */
static __always_inline void kp_give_extent(struct kp_index *idx, struct kp_pcpu *pcpu,
					   const struct kp_extent *ext, u64 word,
					   struct kp_rest *rest, struct kp_gain *gain)
{
	u32 block = ext->frame >> KHO_POOL_BLOCK_SHIFT;
	u32 a = kp_area_of(idx, block), bit = kp_bit_of(idx, block);
	struct kp_area *area = &idx->area[a];
	u32 nr = kp_blocks(ext->frames);

	pcpu->unclaimed -= ext->unclaimed;
	if (kp_word_kind(word) == KHO_POOL_SPLIT) {
		bit = ext->frame & (KHO_POOL_BLOCK_FRAMES - 1);
		kp_bitmaps_give(idx, pcpu, block, bit, ext->frames);
		kp_give_frames(idx, pcpu, block, bit, word, gain);
		return;
	}

	if (kp_word_kind(kp_load(&idx->areas[a])) == KHO_POOL_EXTENT)
		kp_store(idx, pcpu, &idx->areas[a], 0);
	else
		kp_clear_block_word(idx, pcpu, block);
	kp_clear_bits(area->unclaimed, bit, 1);
	if (bit + nr > KHO_POOL_AREA_BLOCKS) {
		/* The extent can no longer be found, so its blocks can go in steps. */
		WRITE_ONCE(pcpu->moving, pcpu->moving + 1);
		rest->block = block;
		rest->nr = nr;
		return;
	}
	kp_area_give(idx, a, bit, nr);
	kp_gain_blocks(idx, gain, a, bit, nr);
}

/* The same, where it happens seldom */
void kp_give(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_extent *ext, u64 word,
	     struct kp_rest *rest, struct kp_gain *gain)
{
	kp_give_extent(idx, pcpu, ext, word, rest, gain);
}

static int kp_free_extent(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames,
			  u8 owner, bool unclaimed_only, struct kp_rest *rest)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_gain gain = {};
	struct kp_extent ext;
	struct kp_area *area;
	bool index_locked = false;
	u64 word;
	int ret;

	rest->nr = 0;
	if (frame >= idx->nr_frames)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, block)];

	kp_begin(pcpu);
retry:
	ret = -ESHUTDOWN;
	if (!kp_lock_unless_sealed(idx, &area->lock))
		goto out;
	ret = kp_find(idx, frame, &ext, &word);
	if (!ret && (ext.frames != frames || ext.owner != owner))
		ret = -EINVAL;
	if (!ret && word & KHO_POOL_NAMED && !index_locked) {
		/* Names come before areas. */
		raw_spin_unlock(&area->lock);
		raw_spin_lock(&idx->index_lock);
		index_locked = true;
		goto retry;
	}
	if (!ret)
		kp_find_claim(idx, &ext, word);
	if (!ret && unclaimed_only && !ext.unclaimed)
		ret = -EBUSY;
	if (!ret) {
		kp_give_extent(idx, pcpu, &ext, word, rest, &gain);
		if (word & KHO_POOL_NAMED)
			kp_name_erase(idx, pcpu, frame);
	}
	raw_spin_unlock(&area->lock);
	if (!ret)
		kp_account_free(pcpu, frames);
out:
	if (index_locked)
		raw_spin_unlock(&idx->index_lock);
	kp_end(pcpu);
	kp_refused_loosen(idx, &gain);
	return ret;
}

/**
 * kp_index_give - give more blocks of a freed extent back
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @rest: what is left
 *
 * To be called after a function with a @rest, for as long as @rest->nr is not 0, with
 * interrupts enabled in between.  Until then the blocks cannot be allocated.
 */
void kp_index_give(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_rest *rest)
{
	struct kp_gain gain = { .kind = KP_ANY_KIND, .run = ~0U };
	u32 nr;

	if (!rest->nr)
		return;
	kp_begin(pcpu);
	/* Orders kp_begin() before the look at what is refused, see kp_refuse(). */
	smp_mb();
	nr = kp_blocks_give(idx, rest->block, rest->nr);
	rest->nr = nr;
	if (!nr)
		WRITE_ONCE(pcpu->moving, pcpu->moving - 1);
	kp_account_gain(pcpu);
	kp_end(pcpu);
	kp_refused_loosen(idx, &gain);
}

/**
 * kp_index_free - free an extent
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length
 * @owner: whose it is
 * @rest: for kp_index_give(), which has to be called afterwards
 *
 * Never sleeps.  Changes nothing unless it succeeds.
 *
 * Return: 0; -ENOENT if no extent begins at @frame, -EINVAL if it has another
 * length or owner or @frame is not in the region, -ESHUTDOWN if sealed.
 */
int kp_index_free(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner,
		  struct kp_rest *rest)
{
	return kp_free_extent(idx, pcpu, frame, frames, owner, false, rest);
}

/**
 * kp_index_release - free an extent that nobody has claimed
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length
 * @owner: whose it is
 * @rest: as for kp_index_free()
 *
 * Return: as kp_index_free(), and -EBUSY if it is claimed or new.
 */
int kp_index_release(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner,
		     struct kp_rest *rest)
{
	return kp_free_extent(idx, pcpu, frame, frames, owner, true, rest);
}

/**
 * kp_index_find - describe the extent that begins at a frame
 * @idx: the index
 * @frame: from the region's base
 * @ext: what was found
 *
 * The caller has interrupts disabled.
 *
 * Return: 0, -ENOENT, or -EINVAL if @frame is not in the region.
 */
int kp_index_find(struct kp_index *idx, u64 frame, struct kp_extent *ext)
{
	struct kp_area *area;
	const char *name;
	u64 word;
	int ret;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, frame >> KHO_POOL_BLOCK_SHIFT)];
	raw_spin_lock(&area->lock);
	ret = kp_find(idx, frame, ext, &word);
	raw_spin_unlock(&area->lock);
	if (ret || !(word & KHO_POOL_NAMED))
		return ret;

	/* Names come before areas, and by now it may be another extent. */
	raw_spin_lock(&idx->index_lock);
	raw_spin_lock(&area->lock);
	ret = kp_find(idx, frame, ext, &word);
	if (!ret)
		kp_find_claim(idx, ext, word);
	raw_spin_unlock(&area->lock);
	name = ret ? NULL : kp_name_of(idx, frame);
	if (name)
		strscpy(ext->name, name, sizeof(ext->name));
	raw_spin_unlock(&idx->index_lock);
	return ret;
}

/* Both locks are held. */
static void kp_claim(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_extent *ext,
		     u64 word, struct kp_gain *gain)
{
	u32 block = ext->frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	bool split = kp_word_kind(word) == KHO_POOL_SPLIT;

	if (kp_claimed_by_name(word)) {
		*kp_name_claimed(idx, ext->frame) = true;
		pcpu->unclaimed--;
		if (!kp_all_claimed(idx, block))
			return;
	} else {
		pcpu->unclaimed -= split ? kp_bitmaps_extents(&idx->bitmaps[block]) : 1;
	}
	kp_clear_bits(area->unclaimed, kp_bit_of(idx, block), 1);
	if (!split)
		return;
	/* Others can share the block now. */
	kp_account_gain(pcpu);
	gain->kind = kp_kind(word);
	gain->run = KHO_POOL_BLOCK_FRAMES;
}

/**
 * kp_index_claim - mark an extent as claimed by its owner
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: the extent's first frame
 * @frames: its length
 * @owner: its owner
 *
 * Extents shorter than a block that have no name are claimed with all others in their
 * block; they have the same owner.
 *
 * Return: 0, -ENOENT, -EALREADY if it is claimed, or -EINVAL if it has another length or
 * owner, or @frame is not in the region.
 */
int kp_index_claim(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_gain gain = {};
	struct kp_extent ext;
	struct kp_area *area;
	u64 word;
	int ret;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, block)];
	kp_begin(pcpu);
	/* Names come before areas. */
	raw_spin_lock(&idx->index_lock);
	raw_spin_lock(&area->lock);
	/* Orders kp_begin() before the look at what is refused, see kp_refuse(). */
	smp_mb__after_spinlock();
	ret = kp_find(idx, frame, &ext, &word);
	if (!ret)
		kp_find_claim(idx, &ext, word);
	if (!ret && (ext.frames != frames || ext.owner != owner))
		ret = -EINVAL;
	if (!ret && !ext.unclaimed)
		ret = -EALREADY;
	if (!ret)
		kp_claim(idx, pcpu, &ext, word, &gain);
	raw_spin_unlock(&area->lock);
	raw_spin_unlock(&idx->index_lock);
	kp_end(pcpu);
	kp_refused_loosen(idx, &gain);
	return ret;
}

/**
 * kp_index_assign - give an extent to another owner
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length, at least a block
 * @from: its owner
 * @to: its new owner
 *
 * This is one store, so if the kernel stops, the extent has one owner or the other.
 * Its name and its contents do not change.
 *
 * Return: 0; -ENOENT if no extent begins at @frame, -EINVAL if it has another
 * length or owner, shares its block with others, or @frame is not in the
 * region, -ESHUTDOWN if sealed.
 */
int kp_index_assign(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames,
		    u8 from, u8 to)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_extent ext;
	struct kp_area *area;
	int ret = -ESHUTDOWN;
	u64 word;

	if (frame >= idx->nr_frames || to == KP_OWNER_NONE || to >= KHO_POOL_OWNERS)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, block)];
	kp_begin(pcpu);
	if (kp_lock_unless_sealed(idx, &area->lock)) {
		ret = kp_find(idx, frame, &ext, &word);
		if (!ret && (ext.frames != frames || ext.owner != from || !kp_word_live(word)))
			ret = -EINVAL;
		if (!ret)
			kp_store(idx, pcpu, kp_extent_word(idx, block),
				 word ^ kp_word(0, from, 0) ^ kp_word(0, to, 0));
		raw_spin_unlock(&area->lock);
	}
	kp_end(pcpu);
	return ret;
}
