// SPDX-License-Identifier: GPL-2.0-only
/*
 * One split block: 512 frames in two maps, see the format's header.
 *
 * An extent of several words is taken from its end to its head, and freed from its
 * head to its end.  If the kernel stops in between, it leaves used tails without a
 * head; they belong to nobody, and restore cleans them up.
 */
#include "internal.h"

#define WORDS	(KHO_POOL_BLOCK_FRAMES / 64)

static u64 kp_used_word(const struct kho_pool_bitmaps *maps, u32 word)
{
	return kp_load(&maps->used[word]);
}

static u64 kp_tail_word(const struct kho_pool_bitmaps *maps, u32 word)
{
	return kp_load(&maps->tail[word]);
}

/* First of @nr free frames, not in @also, that is a multiple of @align, or 512. */
u32 kp_bitmaps_find(const struct kho_pool_bitmaps *maps, const u64 *also, u32 nr, u32 align)
{
	u64 words[WORDS];

	if (nr == 1 && align == 1 && !also) {
		for (u32 i = 0; i < WORDS; i++) {
			u64 word = ~kp_used_word(maps, i);

			if (word)
				return i * 64 + __ffs64(word);
		}
		return KHO_POOL_BLOCK_FRAMES;
	}
	for (u32 i = 0; i < WORDS; i++)
		words[i] = kp_used_word(maps, i) | (also ? also[i] : 0);
	/* In a block full of holes, do not look at each of them. */
	if (!kp_has_run(words, min_t(u32, nr, 64)))
		return KHO_POOL_BLOCK_FRAMES;
	return kp_find_clear(words, KHO_POOL_BLOCK_FRAMES, nr, align);
}

/* The length of the run of free frames around @bit, which is free. */
u32 kp_bitmaps_run(const struct kho_pool_bitmaps *maps, u32 bit)
{
	u64 words[WORDS];

	for (u32 i = 0; i < WORDS; i++)
		words[i] = kp_used_word(maps, i);
	return kp_next_set(words, bit, KHO_POOL_BLOCK_FRAMES) - kp_end_of_set(words, 0, bit);
}

/* Frames of the extent that begins at @bit, or 0. */
u32 kp_bitmaps_length(const struct kho_pool_bitmaps *maps, u32 bit)
{
	u32 i = bit / 64, end;

	if (!(kp_used_word(maps, i) >> (bit % 64) & 1) || kp_tail_word(maps, i) >> (bit % 64) & 1)
		return 0;
	for (end = bit + 1; end < KHO_POOL_BLOCK_FRAMES; end = (end | 63) + 1) {
		u64 stop;

		i = end / 64;
		stop = ~(kp_used_word(maps, i) & kp_tail_word(maps, i)) >> (end % 64);
		if (stop) {
			end += __ffs64(stop);
			break;
		}
	}
	return min_t(u32, end, KHO_POOL_BLOCK_FRAMES) - bit;
}

/* First frame of the first extent that begins at @bit or later, or 512. */
u32 kp_bitmaps_next(const struct kho_pool_bitmaps *maps, u32 bit)
{
	while (bit < KHO_POOL_BLOCK_FRAMES) {
		u32 i = bit / 64;
		u64 heads = (kp_used_word(maps, i) & ~kp_tail_word(maps, i)) >> (bit % 64);

		if (heads)
			return bit + __ffs64(heads);
		bit = (bit | 63) + 1;
	}
	return KHO_POOL_BLOCK_FRAMES;
}

u32 kp_bitmaps_extents(const struct kho_pool_bitmaps *maps)
{
	u32 nr = 0;

	for (u32 i = 0; i < WORDS; i++)
		nr += hweight64(kp_used_word(maps, i) & ~kp_tail_word(maps, i));
	return nr;
}

bool kp_bitmaps_full(const struct kho_pool_bitmaps *maps)
{
	for (u32 i = 0; i < WORDS; i++)
		if (~kp_used_word(maps, i))
			return false;
	return true;
}

bool kp_bitmaps_empty(const struct kho_pool_bitmaps *maps)
{
	for (u32 i = 0; i < WORDS; i++)
		if (kp_used_word(maps, i))
			return false;
	return true;
}

/* Is there a tail without a head? */
bool kp_bitmaps_torn(const struct kho_pool_bitmaps *maps)
{
	u64 before = 0;		/* was the frame before the word used? */

	for (u32 i = 0; i < WORDS; i++) {
		u64 u = kp_used_word(maps, i), t = kp_tail_word(maps, i);

		if (t & ~(u & (u << 1 | before)))
			return true;
		before = u >> 63;
	}
	return false;
}

/**
 * kp_bitmaps_read - everything that restore needs to know, in one pass
 * @maps: of a split block
 * @n: offset of the maps in the index, in words
 * @seen: what they say
 */
void kp_bitmaps_read(const struct kho_pool_bitmaps *maps, u64 n, struct kp_bitmaps_seen *seen)
{
	u64 factor = kp_csum_factor(n), csum = 0, torn = 0, all = ~0ULL, before = 0;
	u32 frames = 0, extents = 0;

	for (u32 i = 0; i < WORDS; i++, factor += KP_CSUM_STEP) {
		u64 u = kp_used_word(maps, i), t = kp_tail_word(maps, i);
		u32 weight = hweight64(u);

		csum += kp_csum_mix(u) * factor;
		all &= u;
		frames += weight;
		if (t) {
			csum += kp_csum_mix(t) * (factor + WORDS * KP_CSUM_STEP);
			torn |= t & ~(u & (u << 1 | before));
			weight = hweight64(u & ~t);
		}
		extents += weight;
		before = u >> 63;
	}
	if (unlikely(torn)) {
		frames = 0;
		for (u32 bit = kp_bitmaps_next(maps, 0); bit < KHO_POOL_BLOCK_FRAMES;
		     bit = kp_bitmaps_next(maps, bit + 1))
			frames += kp_bitmaps_length(maps, bit);
	}
	seen->csum = csum;
	seen->frames = frames;
	seen->extents = extents;
	seen->torn = torn;
	seen->full = !~all;
}

/* Make frames @bit .. @bit + @nr - 1 of @block an extent.  They are free. */
void kp_bitmaps_take(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block, u32 bit, u32 nr)
{
	struct kho_pool_bitmaps *maps = &idx->bitmaps[block];
	u32 first = bit / 64, last = (bit + nr - 1) / 64;

	for (u32 i = last + 1; i-- > first;) {
		u32 base = i * 64;
		u32 from = i == first ? bit - base : 0;
		u64 mask = kp_mask(from, min_t(u32, bit + nr - base, 64));
		u64 tails = i == first ? mask & ~(1ULL << from) : mask;

		if (tails)
			kp_store(idx, pcpu, &maps->tail[i], kp_tail_word(maps, i) | tails);
		kp_store(idx, pcpu, &maps->used[i], kp_used_word(maps, i) | mask);
	}
}

/* Free them again. */
void kp_bitmaps_give(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block, u32 bit, u32 nr)
{
	struct kho_pool_bitmaps *maps = &idx->bitmaps[block];
	u32 first = bit / 64, last = (bit + nr - 1) / 64;

	for (u32 i = first; i <= last; i++) {
		u32 base = i * 64;
		u64 mask = kp_mask(i == first ? bit - base : 0, min_t(u32, bit + nr - base, 64));

		kp_store(idx, pcpu, &maps->used[i], kp_used_word(maps, i) & ~mask);
		if (kp_tail_word(maps, i) & mask)
			kp_store(idx, pcpu, &maps->tail[i], kp_tail_word(maps, i) & ~mask);
	}
}

/* Drop what a stopped take or give has left behind. */
void kp_bitmaps_repair(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block)
{
	struct kho_pool_bitmaps *maps = &idx->bitmaps[block];
	bool alive = false;	/* does the frame before belong to an extent? */

	for (u32 i = 0; i < WORDS; i++) {
		u64 u = kp_used_word(maps, i), t = kp_tail_word(maps, i), keep = 0;

		for (u32 bit = 0; bit < 64; bit++) {
			bool is_tail = t >> bit & 1;

			alive = (u >> bit & 1) && (!is_tail || alive);
			keep |= (u64)alive << bit;
		}
		if (u != keep)
			kp_store(idx, pcpu, &maps->used[i], keep);
		if (t & ~keep)
			kp_store(idx, pcpu, &maps->tail[i], t & keep);
	}
}
