/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: The index
 *
 * The index of a region records what is allocated, to whom, and under which
 * name.  It has a persistent side, in the handover format, and a volatile side,
 * which finds free memory fast and is rebuilt from the persistent side at
 * boot. ::
 *
 *	       struct kp_index                          persistent index
 *	+-------------------------+                  +--------------------+
 *	| busy, full  1 bit/area  |   written        | areas   1 word each|
 *	| area[]  ----+           |   through by     | blocks  1 word each|
 *	| pcpu[]      |           |   every change   | bitmaps            |
 *	| link[]      |           |  ------------->  | names, owners      |
 *	+-------------|-----------+                  +--------------------+
 *	              v
 *	   struct kp_area: lock, used / partial / unclaimed, 1 bit per block
 *
 * The volatile side only says which blocks are taken.  To whom they belong, and
 * where extents begin and end, is read from the persistent side.  Blocks with a
 * memory error count as taken, too; see bad.c.
 *
 * For example, a region of 1 GiB at 1 GiB + 1020 MiB has 512 blocks of 2 MiB,
 * numbered from the region's base.  Areas are aligned in physical memory, so it
 * has two of them: @lead is 510, the first area has blocks 0 and 1, and the
 * second one has blocks 2 to 511.  An extent of 6 MiB at block 0 is committed by
 * one word, that of block 0, with a length of 1536 frames; the word of the first
 * area says SPLIT.  On the volatile side its blocks are two bits of the first
 * area and one of the second.
 *
 * This is pure code: it allocates nothing, never sleeps and logs nothing.  The
 * kernel, tools/testing/kho_pool and tools/mm/khopool compile the same files.
 * tools/testing/kho_pool/walls.py says what they may include and call.
 */

/**
 * DOC: Index source files
 *
 * Each uses only those above it::
 *
 *	csum.h internal.h	the checksum, bits and words
 *	layout.c		where the tables are; making and attaching an index
 *	bitmaps.c		one block that is split into small extents
 *	reserve.c		frames of such blocks that are being cleared
 *	blocks.c		the blocks of one area: which are taken
 *	bad.c			frames with memory errors
 *	runs.c			runs of blocks over several areas
 *	names.c			names of extents and owners
 *	stat.c			sums; what is free
 *	refused.c		requests that were refused
 *	alloc.c			allocation
 *	index.c			free, claim, assign
 *	confirm.c seal.c	allocations that are to be cleared; the seal
 *	restore.c		the volatile side, rebuilt from a checked index
 *	walk.c			all extents
 *	validate.c		every invariant, in code
 *	root.c			the root and the keep list
 */

/**
 * DOC: Index locking
 *
 * Two kinds of locks, the outer one first.  Both are raw spinlocks.
 *
 * kp_index.index_lock
 *	names, owners and bad frames of the region, claims, and what is refused
 *
 * kp_area.lock
 *	the area's bits and its word, and the words and bitmaps of its blocks
 *
 * An allocation without a name takes only the locks of areas, one at a time, and so does a
 * free of what has none.
 * Callers disable interrupts and pass the struct kp_pcpu of the CPU that they run on.
 * Nothing else may use that until the call returns.  What may take long is done in
 * steps: a call does a part of it, some 20 us at most, and says if there is more.
 */

/**
 * DOC: Order of stores
 *
 * If the kernel stops at any point, the index holds either the state before an
 * operation or the state after it:
 *
 * - alloc: block words are zeroed before the word of their area says SPLIT.
 *   The name is written before the extent, and tails are written before the
 *   head, whose word commits.
 * - free: the head is cleared first, then the tails, then the name.
 * - An extent that has to be cleared is committed as PENDING, cleared without a
 *   lock, and confirmed.  The next kernel treats PENDING extents as free memory,
 *   so nobody sees what an earlier owner left there.  Frames of a split block are
 *   cleared before they are committed; meanwhile a volatile list says that they are
 *   taken, and the block may be one without extents.
 */
#ifndef _KHO_POOL_INDEX_H
#define _KHO_POOL_INDEX_H

#include <linux/cache.h>
#include <linux/kho/abi/kho_pool.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "names.h"

#define KP_AREA_WORDS		(KHO_POOL_AREA_BLOCKS / 64)
#define KP_AREA_FRAMES		(KHO_POOL_BLOCK_FRAMES * KHO_POOL_AREA_BLOCKS)
#define KP_HINTS		8

/* Split blocks are of one kind each: of one owner, whose extents in it have names or not. */
#define KP_KINDS		(2 * KHO_POOL_OWNERS)

/* Owner slots with a meaning of their own */
#define KP_OWNER_NONE		0

/* Frames of a split block that are taken, but not yet an extent */
struct kp_reserved {
	struct kp_reserved *next;	/* in the same area */
	u32 block;
	u16 bit, nr;
};

struct kp_area {
	raw_spinlock_t lock;
	/*
	 * Blocks taken, counting those outside of the region.  The bits say the
	 * same, except in an area wholly inside one extent: its bits stay clear.
	 */
	u16 nr_used;
	u16 nr_words;		/* block words that are not free */
	u16 no_run;		/* has no run of so many free blocks; 0: it may */
	u16 home;		/* CPU that keeps to it, plus one; a hint, see kp_is_foreign() */
	u32 home_epoch;		/* the index's epoch when that CPU last allocated here */
	bool whole;		/* wholly inside one extent */
	bool words_clear;	/* every block word is known to be zero */
	bool repair;		/* during restore: there is something to clean up */
	u64 used[KP_AREA_WORDS];
	u64 partial[KP_AREA_WORDS];	/* split, with a free frame */
	u64 unclaimed[KP_AREA_WORDS];	/* restored, and not claimed since */
	struct kp_reserved *reserved;	/* frames that are being cleared */
} ____cacheline_aligned;

/* The changes made by one CPU; only sums over all CPUs have a meaning. */
struct kp_pcpu {
	bool active;		/* inside an operation */
	u8 meetings;		/* with other CPUs, each soon after the last one */
	u16 alone;		/* allocations for which to keep to an area of its own */
	u32 met;		/* @allocs at the last meeting */
	u64 csum;		/* of the persistent index */
	/* Extents and frames that came and went, with the slack of last blocks: only growing */
	u64 allocs, frees;
	u64 taken, given;
	s64 unclaimed;		/* extents */
	u64 gains;		/* how often something came free, or could be shared again */
	s64 moving;		/* runs of blocks that are neither free nor an extent's */
	u32 hint_area;		/* area last used for blocks */
	u16 hint_used;		/* its nr_used then */
	u32 epoch;		/* the index's when it last broke up a free area */
	/* Block last used for small extents, by low bits of the kind. */
	u32 hint_block[KP_HINTS];
} ____cacheline_aligned;

/* A name's record in the two tables that find it; numbers of records plus one. */
struct kp_link {
	u32 hash;		/* of the name; 0: the record is unused */
	bool claimed;		/* or new */
	u32 by_name, by_frame;	/* next in the bucket */
};

struct kp_index {
	/* Persistent, in the handover format */
	struct kho_pool_index_header *header;
	struct kho_pool_owner_record *owners;
	__le64 *areas;
	__le64 *blocks;
	struct kho_pool_name_record *names;
	struct kho_pool_bitmaps *bitmaps;
	__le64 *bad;		/* words for bad frames, in a table or in the header */

	/* The region */
	u64 base;		/* in frames */
	u64 nr_frames;		/* all whole blocks */
	u32 nr_blocks;
	u32 lead;		/* blocks of the first area before the region */
	u32 nr_areas;
	u32 nr_names;
	u32 nr_bad_words;
	void *mem;		/* the memory itself; NULL: do not clear it */
	bool read_only;		/* never write to the persistent side */

	/* Volatile */
	u64 restored;		/* extents from before this kernel */
	bool sealed;
	bool all_bad;		/* nothing more may be allocated */
	u32 refusals;		/* KP_REFUSED_*: what @refused knows of */
	struct kp_refused *refused;
	u64 nr_bad_frames;
	u32 nr_bad;		/* words for bad frames that are in use */
	u32 bad_end;		/* none from here on */
	u32 bad_unused;		/* none before is unused */
	u32 nr_pcpu;
	struct kp_pcpu *pcpu;
	struct kp_area *area;
	unsigned long *busy;	/* areas with a block taken */
	unsigned long *full;	/* areas with no block free */
	/* For each kind, areas that may have such a block with a free frame, and no others. */
	unsigned long *partial;
	u32 *last_block;	/* for each kind, the last one that a search ended with */
	u64 *bad_blocks;	/* blocks with bad frames, numbered by area */
	u32 *bad_link;		/* next word of the bucket, plus one */
	u32 *bad_bucket;	/* words for bad frames, by their block */
	u32 nr_bad_buckets;	/* power of two */
	struct kp_link *link;	/* one a record */
	unsigned long *records;	/* which of them are used */
	hsiphash_key_t name_key;	/* random, so that nobody can choose names of one bucket */
	u32 nr_buckets;		/* in each table, power of two */
	u32 *by_name, *by_frame;

	/* Written while others read what is above, so in a cache line of its own */
	raw_spinlock_t index_lock ____cacheline_aligned;
	u32 first_name;		/* no unused record below */
	u32 epoch;		/* how many free areas were broken up, about */
	/* The first of the shortest runs of free areas; only hints. */
	u32 short_run, short_from;
};

struct kp_request {
	u64 frames;
	u64 align;		/* frames, power of two */
	u8 owner;
	bool clear;
	const char *name;	/* NULL: none */
};

/* How far the search for a run over several areas has come */
struct kp_find {
	bool begun, again;
	u32 area;
	u32 block;		/* the best place so far; at the end it is idx->nr_blocks if none */
	u64 from, cost;
};

/* An allocation on its way, see kp_begin_alloc() */
struct kp_alloc {
	const struct kp_request *req;
	u64 frame;		/* once it succeeds: the first one, from the region's base */
	bool unconfirmed;	/* and then: it has to be cleared, and confirmed */

	/* How far it has come, see alloc.c */
	bool again;
	u8 stage;
	u16 bit;
	u32 areas;
	u32 tries, looks;
	u32 taken;
	u64 gains;
	struct kp_find find;
	struct kp_reserved reserved;
};

/* Not all of it is set: clearing it would take a third of the time of an allocation. */
static inline void kp_begin_alloc(struct kp_alloc *alloc, const struct kp_request *req)
{
	alloc->req = req;
	alloc->unconfirmed = false;
	alloc->again = false;
	alloc->stage = 0;
}

/* Blocks of a freed extent that are still to be given back, see kp_index_give() */
struct kp_rest {
	u32 block, nr;
};

struct kp_extent {
	u64 frame;		/* from the region's base */
	u64 frames;
	u8 owner;
	bool unclaimed;
	char name[KHO_POOL_NAME_MAX];	/* or "" */
};

struct kp_stat {
	u64 free_frames;	/* including those in blocks of other owners */
	u64 free_blocks;
	u64 free_areas;
	u64 largest;		/* frames, largest extent that could be allocated now */
};

/* How far the count has come */
struct kp_stat_at {
	u32 area;
	u32 run;		/* free blocks right before it */
};

/* layout.c */
u64 kp_index_size(u64 base, u64 frames);
u64 kp_index_size_table(u64 base, u64 frames);
bool kp_index_has_table(u64 size, u64 base, u64 frames);
bool kp_index_size_valid(u64 size, u64 base, u64 frames);
u64 kp_index_volatile_size(u64 base, u64 frames, u32 nr_pcpu);
int kp_index_format(void *mem, u64 mem_size, u64 base, u64 frames, u32 frame_shift,
		    const char *pool);
int kp_index_attach(struct kp_index *idx, void *mem, u64 mem_size, u64 base, u64 frames,
		    u32 frame_shift, void *volatile_mem, u32 nr_pcpu);

/* restore.c */
int kp_index_restore(struct kp_index *idx, const u64 *csum);
u64 kp_index_csum(const struct kp_index *idx);

/* validate.c: 0, or the line of the invariant that does not hold */
int kp_index_validate(struct kp_index *idx);

/* alloc.c */
int kp_index_alloc(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_alloc *alloc);

/* index.c */
int kp_index_free(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner,
		  struct kp_rest *rest);
int kp_index_release(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner,
		     struct kp_rest *rest);
void kp_index_give(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_rest *rest);
int kp_index_find(struct kp_index *idx, u64 frame, struct kp_extent *ext);
int kp_index_claim(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner);
int kp_index_assign(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames,
		    u8 from, u8 to);

/* confirm.c */
int kp_index_confirm(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_alloc *alloc);
void kp_index_drop(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_alloc *alloc,
		   struct kp_rest *rest);

/* seal.c */
bool kp_index_seal(struct kp_index *idx, u64 *csum, unsigned long spins);
void kp_index_unseal(struct kp_index *idx);
bool kp_index_sweep(struct kp_index *idx, struct kp_pcpu *pcpu, u32 *at, struct kp_rest *rest);

/* bad.c */
int kp_index_bad(struct kp_index *idx, u64 frame);
bool kp_bad_next(const struct kp_index *idx, u64 *frame);
u32 kp_bad_run(const struct kp_index *idx, u32 *i, u64 *frame);

/* stat.c */
bool kp_index_stat(const struct kp_index *idx, struct kp_stat *stat, struct kp_stat_at *at);
u64 kp_index_extents(const struct kp_index *idx);
u64 kp_index_gains(const struct kp_index *idx, bool *moving);
u64 kp_index_used(const struct kp_index *idx);

/* walk.c: *@frame is where to begin, and afterwards where to continue */
int kp_index_next(struct kp_index *idx, u64 *frame, struct kp_extent *ext);

/* names.c; the rule for names is in names.h */
int kp_name_find(struct kp_index *idx, const char *name, u64 *frame);
const char *kp_name_of(const struct kp_index *idx, u64 frame);
int kp_owner_find(const struct kp_index *idx, const char *name);
void kp_owner_clear(struct kp_index *idx, struct kp_pcpu *pcpu, u8 owner);
int kp_owner_set(struct kp_index *idx, struct kp_pcpu *pcpu, u8 owner, const char *name);

#endif /* _KHO_POOL_INDEX_H */
