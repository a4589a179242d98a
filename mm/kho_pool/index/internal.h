/* SPDX-License-Identifier: GPL-2.0-only */
/* What the index's files share among themselves. */
#ifndef _KHO_POOL_INTERNAL_H
#define _KHO_POOL_INTERNAL_H

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include <asm/barrier.h>
#include <asm/byteorder.h>

#include "index.h"
#include "csum.h"

static_assert(sizeof(struct kho_pool_index_header) == 256);
static_assert(sizeof(struct kho_pool_bitmaps) == 128);
static_assert(sizeof(struct kho_pool_name_record) == 64);
static_assert(sizeof(struct kho_pool_owner_record) == 32);

/* Blocks numbered by area: the region's first block is number idx->lead. */
static inline u32 kp_area_of(const struct kp_index *idx, u32 block)
{
	return (block + idx->lead) >> KHO_POOL_AREA_SHIFT;
}

static inline u32 kp_bit_of(const struct kp_index *idx, u32 block)
{
	return (block + idx->lead) & (KHO_POOL_AREA_BLOCKS - 1);
}

static inline u32 kp_block_at(const struct kp_index *idx, u32 area, u32 bit)
{
	return (area << KHO_POOL_AREA_SHIFT) + bit - idx->lead;
}

/* Blocks of @area that are in the region: bits @first to @end - 1. */
static inline void kp_area_span(const struct kp_index *idx, u32 area, u32 *first, u32 *end)
{
	u32 last = idx->lead + idx->nr_blocks - (area << KHO_POOL_AREA_SHIFT);

	*first = area ? 0 : idx->lead;
	*end = min_t(u32, last, KHO_POOL_AREA_BLOCKS);
}

static inline u32 kp_blocks(u64 frames)
{
	return (frames + KHO_POOL_BLOCK_FRAMES - 1) >> KHO_POOL_BLOCK_SHIFT;
}

/* Area and block words */
static inline u64 kp_word(u64 kind, u8 owner, u64 frames)
{
	return kind | (u64)owner << KHO_POOL_OWNER_SHIFT | frames << KHO_POOL_LENGTH_SHIFT;
}

static inline u64 kp_word_kind(u64 word)
{
	return word & KHO_POOL_KIND;
}

static inline u8 kp_word_owner(u64 word)
{
	return word >> KHO_POOL_OWNER_SHIFT;
}

static inline u64 kp_word_frames(u64 word)
{
	return word >> KHO_POOL_LENGTH_SHIFT;
}

/* An extent that callers may know of */
static inline bool kp_word_live(u64 word)
{
	return (word & (KHO_POOL_KIND | KHO_POOL_PENDING)) == KHO_POOL_EXTENT;
}

static inline u64 kp_load(const __le64 *p)
{
	return le64_to_cpu(READ_ONCE(*p));
}

static inline u64 kp_word_offset(const struct kp_index *idx, const void *p)
{
	return ((const u8 *)p - (const u8 *)idx->header) / 8;
}

/* Around every operation that changes the persistent index. */
static inline void kp_begin(struct kp_pcpu *pcpu)
{
	WRITE_ONCE(pcpu->active, true);
}

static inline void kp_end(struct kp_pcpu *pcpu)
{
	/* Pairs with kp_index_seal(): the CPU's checksum is complete. */
	smp_store_release(&pcpu->active, false);
}

/* Wait until the CPU is in no operation.  *@spins is how often to look, for several CPUs. */
static inline bool kp_wait_idle(const struct kp_pcpu *pcpu, unsigned long *spins)
{
	/* Pairs with kp_end(): what the operation added is seen. */
	while (smp_load_acquire(&pcpu->active)) {
		if (!(*spins)--)
			return false;
		cpu_relax();
	}
	return true;
}

/*
 * The first lock that an operation takes.  Pairs with kp_index_seal(): either
 * we see that the index is sealed, or the sealer sees that we are active.
 */
static inline bool kp_lock_unless_sealed(struct kp_index *idx, raw_spinlock_t *lock)
{
	raw_spin_lock(lock);
	/* Orders kp_begin() before the load; nothing on x86. */
	smp_mb__after_spinlock();
	if (likely(!READ_ONCE(idx->sealed)))
		return true;
	raw_spin_unlock(lock);
	return false;
}

/*
 * Every change of the persistent index goes through here.  Stores become visible in
 * program order: the last one commits.
 */
static inline void kp_store(struct kp_index *idx, struct kp_pcpu *pcpu, __le64 *p, u64 word)
{
	u64 n = kp_word_offset(idx, p);

	pcpu->csum += kp_csum_word(n, word) - kp_csum_word(n, le64_to_cpu(*p));
	/* After all earlier stores: a kernel that stops has stopped between two stores. */
	smp_store_release(p, cpu_to_le64(word));
}

/* The same for a structure of whole words, last word first. */
static inline void kp_store_words(struct kp_index *idx, struct kp_pcpu *pcpu, void *dst,
				  const void *src, u32 size)
{
	for (u32 i = size / 8; i-- > 0;) {
		__le64 word;

		memcpy(&word, (const u8 *)src + 8 * i, 8);
		kp_store(idx, pcpu, (__le64 *)dst + i, le64_to_cpu(word));
	}
}

/* First set bit of @words from @from on, or @end.  Words may be changing. */
static inline u32 kp_next_set(const u64 *words, u32 from, u32 end)
{
	while (from < end) {
		u64 word = READ_ONCE(words[from / 64]) >> (from % 64);

		if (word) {
			from += __ffs64(word);
			return min(from, end);
		}
		from = (from | 63) + 1;
	}
	return end;
}

static inline u32 kp_next_clear(const u64 *words, u32 from, u32 end)
{
	while (from < end) {
		u64 word = ~READ_ONCE(words[from / 64]) >> (from % 64);

		if (word) {
			from += __ffs64(word);
			return min(from, end);
		}
		from = (from | 63) + 1;
	}
	return end;
}

/*
 * Is there a run of @nr clear bits, up to 64, in 512?  Each step keeps the bits
 * at which a run of twice the length begins.
 */
static inline bool kp_has_run(const u64 *words, u32 nr)
{
	u64 run[8], any = 0;

	for (u32 i = 0; i < 8; i++)
		run[i] = ~READ_ONCE(words[i]);
	for (u32 have = 1; have < nr;) {
		u32 step = min(have, nr - have);

		for (u32 i = 0; i < 7; i++)
			run[i] &= run[i] >> step | run[i + 1] << (64 - step);
		run[7] &= run[7] >> step;
		have += step;
	}
	for (u32 i = 0; i < 8; i++)
		any |= run[i];
	return any;
}

/* First of @nr clear bits that is a multiple of @align, or @end. */
static inline u32 kp_find_clear(const u64 *words, u32 end, u32 nr, u32 align)
{
	u32 from = 0;

	for (;;) {
		u32 set;

		from = (kp_next_clear(words, from, end) + align - 1) & ~(align - 1);
		if (from + nr > end)
			return end;
		set = kp_next_set(words, from, from + nr);
		if (set == from + nr)
			return from;
		from = set + 1;
	}
}

/* One past the last set bit of @words in @from .. @end - 1, or @from. */
static inline u32 kp_end_of_set(const u64 *words, u32 from, u32 end)
{
	while (end > from) {
		u64 word = READ_ONCE(words[(end - 1) / 64]) << (63 - (end - 1) % 64);

		if (word)
			return max(end + fls64(word) - 64, from);
		end = (end - 1) & ~63U;
	}
	return from;
}

static inline u32 kp_end_of_clear(const u64 *words, u32 from, u32 end)
{
	while (end > from) {
		u64 word = ~READ_ONCE(words[(end - 1) / 64]) << (63 - (end - 1) % 64);

		if (word)
			return max(end + fls64(word) - 64, from);
		end = (end - 1) & ~63U;
	}
	return from;
}

static inline u64 kp_mask(u32 from, u32 end)
{
	return (end < 64 ? (1ULL << end) - 1 : ~0ULL) & (~0ULL << from);
}

static inline void kp_set_bits(u64 *words, u32 from, u32 nr)
{
	for (u32 end = from + nr; from < end; from = (from | 63) + 1)
		WRITE_ONCE(words[from / 64], words[from / 64] |
			   kp_mask(from % 64, min(end - (from & ~63U), 64U)));
}

static inline void kp_clear_bits(u64 *words, u32 from, u32 nr)
{
	for (u32 end = from + nr; from < end; from = (from | 63) + 1)
		WRITE_ONCE(words[from / 64], words[from / 64] &
			   ~kp_mask(from % 64, min(end - (from & ~63U), 64U)));
}

static inline bool kp_test(const u64 *words, u32 bit)
{
	return READ_ONCE(words[bit / 64]) >> (bit % 64) & 1;
}

/* The kind of a split block, from its word. */
static inline u32 kp_kind(u64 word)
{
	return 2 * (kp_word_owner(word) % KHO_POOL_OWNERS) + !!(word & KHO_POOL_NAMED);
}

/* The word of a block whose bitmaps serve requests like @req. */
static inline u64 kp_frames_word(const struct kp_request *req)
{
	return kp_word(KHO_POOL_SPLIT, req->owner, 0) | (req->name ? KHO_POOL_NAMED : 0);
}

/* Areas that may have a block of this kind with a free frame. */
static inline unsigned long *kp_partial_areas(const struct kp_index *idx, u32 kind)
{
	return idx->partial + kind * BITS_TO_LONGS(idx->nr_areas);
}

/* A block of this word has a free frame; its area is locked. */
static inline void kp_set_partial(struct kp_index *idx, u32 a, u32 bit, u64 word)
{
	unsigned long *areas = kp_partial_areas(idx, kp_kind(word));

	kp_set_bits(idx->area[a].partial, bit, 1);
	/* Tested first: others read the word.  kp_visit_partial() clears it. */
	if (!test_bit(a, areas))
		set_bit(a, areas);
}

static inline void kp_clear_partial(struct kp_area *area, u32 bit)
{
	kp_clear_bits(area->partial, bit, 1);
}

/* No run of @nr free blocks is in the area; its lock need not be held. */
static inline bool kp_area_too_full(const struct kp_area *area, u32 nr)
{
	u32 no_run = READ_ONCE(area->no_run);

	return READ_ONCE(area->nr_used) + nr > KHO_POOL_AREA_BLOCKS || (no_run && nr >= no_run);
}

/*
 * What an operation that gives something up has made possible: extents of up to @run
 * frames of @kind, or blocks.  0 if no refusal was remembered at that time.
 */
struct kp_gain {
	u32 kind, run;
};

#define KP_ANY_KIND	(~0U)	/* free blocks */

/* kp_index.refusals */
#define KP_REFUSED_BLOCKS	1
#define KP_REFUSED_FRAMES	2
#define KP_REFUSED_TRY		4	/* one is about to be remembered */
#define KP_REFUSED_ALL		8	/* too many bad frames */

/* Something that was taken is free, or can be shared. */
static inline void kp_account_gain(struct kp_pcpu *pcpu)
{
	/* After it can be found by others, see kp_index_gains(). */
	smp_store_release(&pcpu->gains, pcpu->gains + 1);
}

/* So many areas of a long run are taken or given back in a step. */
#define KP_STEP_AREAS	64U

/* bitmaps.c: one split block */
struct kp_bitmaps_seen {
	u64 csum;		/* their part of the index's */
	u32 frames, extents;
	bool torn, full;
};

void kp_bitmaps_read(const struct kho_pool_bitmaps *maps, u64 n, struct kp_bitmaps_seen *seen);
u32 kp_bitmaps_find(const struct kho_pool_bitmaps *maps, const u64 *also, u32 nr, u32 align);
u32 kp_bitmaps_run(const struct kho_pool_bitmaps *maps, u32 bit);
u32 kp_bitmaps_length(const struct kho_pool_bitmaps *maps, u32 bit);
u32 kp_bitmaps_next(const struct kho_pool_bitmaps *maps, u32 bit);
u32 kp_bitmaps_extents(const struct kho_pool_bitmaps *maps);
bool kp_bitmaps_full(const struct kho_pool_bitmaps *maps);
bool kp_bitmaps_empty(const struct kho_pool_bitmaps *maps);
bool kp_bitmaps_torn(const struct kho_pool_bitmaps *maps);
void kp_bitmaps_take(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block, u32 bit, u32 nr);
void kp_bitmaps_give(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block, u32 bit, u32 nr);
void kp_bitmaps_repair(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block);

/* reserve.c: frames that are being cleared; their area is locked */
void kp_reserve(struct kp_area *area, struct kp_reserved *reserved);
void kp_unreserve(struct kp_area *area, struct kp_reserved *reserved);
bool kp_has_reserved(const struct kp_area *area, u32 block);
u32 kp_unreserved_find(const struct kp_index *idx, const struct kp_area *area, u32 block, u32 nr,
		       u32 align);

/* blocks.c: which blocks of an area are taken (volatile) */
void kp_area_take(struct kp_index *idx, u32 a, u32 bit, u32 nr);
void kp_area_free(struct kp_index *idx, u32 a, u32 bit, u32 nr);
void kp_gain_run(const struct kp_index *idx, struct kp_gain *gain, u32 a, u32 bit, u32 nr);

/* bad.c: which blocks have memory errors */
bool kp_bad_has(const struct kp_index *idx, u32 block);
void kp_bad_retire(struct kp_index *idx, u32 a, u32 from, u32 end);
void kp_bad_restore(struct kp_index *idx);
void kp_area_give(struct kp_index *idx, u32 a, u32 bit, u32 nr);

/* runs.c: runs of blocks, over as many areas as they cross */
bool kp_blocks_take(struct kp_index *idx, u32 block, u32 nr, u32 *taken);
u32 kp_blocks_give(struct kp_index *idx, u32 block, u32 nr);
bool kp_blocks_find(const struct kp_index *idx, u32 nr, u64 align, struct kp_find *find);
bool kp_area_find(struct kp_index *idx, struct kp_find *find);
u32 kp_area_hole(const struct kp_index *idx, u32 a, u32 nr, u32 align, u32 *cost);
u32 kp_blocks_hole(const struct kp_index *idx, u32 nr, u32 align);
u32 kp_area_fresh(const struct kp_index *idx);

/* refused.c */
u64 kp_refused_size(void);
bool kp_was_refused(const struct kp_index *idx, const struct kp_request *req);
int kp_refuse(struct kp_index *idx, struct kp_alloc *alloc);
void kp_loosen_refused(struct kp_index *idx, const struct kp_gain *gain);

/* alloc.c */
void kp_met_another(struct kp_pcpu *pcpu);
void kp_commit_frames(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_request *req,
		      u32 block, u32 bit);

/* index.c */
__le64 *kp_extent_word(struct kp_index *idx, u32 block);
void kp_account_free(struct kp_pcpu *pcpu, u64 frames);
void kp_give_unused(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block, u32 bit,
		    struct kp_gain *gain);
void kp_give(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_extent *ext, u64 word,
	     struct kp_rest *rest, struct kp_gain *gain);

/* names.c; the caller holds idx->index_lock */
u32 kp_name_unused(struct kp_index *idx);
void kp_name_write(struct kp_index *idx, struct kp_pcpu *pcpu, u32 record, u64 frame,
		   const char *name);
void kp_name_clear(struct kp_index *idx, struct kp_pcpu *pcpu, u32 record);
bool *kp_name_claimed(const struct kp_index *idx, u64 frame);
void kp_name_erase(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame);
bool kp_name_insert(struct kp_index *idx, u32 record);
u32 kp_name_hash(const struct kp_index *idx, const char *name);

/*
 * What every operation asks, and where the answer is nearly always no
 */

static inline bool kp_is_refused(const struct kp_index *idx, const struct kp_request *req)
{
	return unlikely(READ_ONCE(idx->refusals)) && kp_was_refused(idx, req);
}

/* The operation is over, and no lock is held. */
static inline void kp_refused_loosen(struct kp_index *idx, const struct kp_gain *gain)
{
	if (unlikely(gain->run))
		kp_loosen_refused(idx, gain);
}

static inline bool kp_is_reserved(const struct kp_area *area, u32 block)
{
	return unlikely(area->reserved) && kp_has_reserved(area, block);
}

/*
 * Blocks of a locked area were given back, or frames of a split block that goes on to be one.
 * The operation has seen that there is a refusal, or kp_refuse() sees the operation.
 */
static inline void kp_gain_blocks(const struct kp_index *idx, struct kp_gain *gain, u32 a, u32 bit,
				  u32 nr)
{
	if (unlikely(READ_ONCE(idx->refusals)))
		kp_gain_run(idx, gain, a, bit, nr);
}

static inline void kp_gain_frames(const struct kp_index *idx, struct kp_gain *gain, u32 block,
				  u32 bit, u32 kind)
{
	if (likely(!READ_ONCE(idx->refusals)))
		return;
	gain->kind = kind;
	gain->run = kp_bitmaps_run(&idx->bitmaps[block], bit);
}

#endif /* _KHO_POOL_INTERNAL_H */
