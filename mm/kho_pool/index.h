/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The index of one region: what is allocated, to whom, under which name.
 *
 * Pure code: it allocates nothing, sleeps nowhere, logs nothing.  The same
 * files are compiled into the kernel and into tools/testing/kho_pool.
 *
 *	       struct kp_index                          persistent index
 *	+-------------------------+                  +--------------------+
 *	| busy, full  1 bit/area  |   written        | areas   1 word each|
 *	| area[]  ----+           |   through by     | blocks  1 word each|
 *	| lane[]      |           |   every change   | bitmaps            |
 *	| link[]      |           |  ------------->  | names, owners      |
 *	+-------------|-----------+                  +--------------------+
 *	              v
 *	   struct kp_area: lock, used / partial / unclaimed, 1 bit per block
 *
 * The left side is volatile and made anew from the right one at boot.  It only
 * says which blocks are taken; whose they are and where extents begin and end
 * is read from the right side.  Blocks with a memory error are taken as well, see
 * bad.c.
 *
 * Locks, outer first:
 *	kp_index.big	claims of memory in more than one area; names, owners, bad frames
 *	kp_area.lock	the area's bits, its word, its blocks' words and bitmaps
 * Callers disable interrupts and pass the lane of the CPU they are on, which
 * nothing else may use until they return.
 */
#ifndef _KHO_POOL_INDEX_H
#define _KHO_POOL_INDEX_H

#include <linux/cache.h>
#include <linux/kho/abi/kho_pool.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define KP_AREA_WORDS		(KHO_POOL_AREA_BLOCKS / 64)
#define KP_AREA_FRAMES		(KHO_POOL_BLOCK_FRAMES * KHO_POOL_AREA_BLOCKS)
#define KP_HINTS		4

/* Owner slots with a meaning of their own */
#define KP_OWNER_NONE		0

struct kp_area {
	raw_spinlock_t lock;
	/*
	 * Blocks taken, counting those outside of the region.  The bits say the
	 * same, except in an area wholly inside one extent: its bits stay clear.
	 */
	u16 nr_used;
	u16 nr_partial;		/* set bits in partial[] */
	u16 nr_words;		/* block words that are not free */
	u16 home;		/* CPU that keeps to it, plus one; a hint */
	bool whole;		/* wholly inside one extent */
	bool words_clear;	/* every block word is known to be zero */
	bool settle;		/* while it is restored: there is something to clean up */
	u64 used[KP_AREA_WORDS];
	u64 partial[KP_AREA_WORDS];	/* consulted, with a free frame */
	u64 unclaimed[KP_AREA_WORDS];	/* restored, and not claimed since */
} ____cacheline_aligned;

/* What one CPU has changed; only sums over all lanes have a meaning. */
struct kp_lane {
	bool active;		/* inside an operation */
	u64 sum;		/* of the persistent index */
	s64 used_frames;	/* taken from others, with the slack of last blocks */
	s64 extents;
	s64 unclaimed;		/* extents */
	u64 allocs;
	u64 frees;
	u32 hint_area;		/* area last used for blocks */
	u16 hint_used;		/* its nr_used then */
	u16 alone;		/* allocations for which to keep to an area of its own */
	/* Block last used for small extents, by low bits of the owner. */
	u32 hint_block[KP_HINTS];
} ____cacheline_aligned;

/* A name's record in the two tables that find it; numbers of records plus one. */
struct kp_link {
	u32 hash;		/* of the name; 0: the record is unused */
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

	/* The region */
	u64 base;		/* in frames */
	u64 nr_frames;		/* all whole blocks */
	u32 nr_blocks;
	u32 lead;		/* blocks of the first area before the region */
	u32 nr_areas;
	u32 nr_names;
	void *mem;		/* the memory itself; NULL: do not clear it */
	bool read_only;		/* never write to the persistent side */

	/* Volatile */
	bool sealed;
	bool all_bad;		/* nothing is to be given out any more */
	u8 nr_bad;		/* words of the header's that say which frames are bad */
	u32 nr_lanes;
	u32 first_name;		/* no unused record below */
	raw_spinlock_t big;
	struct kp_lane *lane;
	struct kp_area *area;
	unsigned long *busy;	/* areas with a block taken */
	unsigned long *full;	/* areas with no block free */
	/* No run of free areas is shorter, or as short and before it; only hints. */
	u32 short_run, short_from;
	struct kp_link *link;	/* one a record */
	u32 nr_buckets;		/* in each table, power of two */
	u32 *by_name, *by_frame;
};

struct kp_request {
	u64 frames;
	u64 align;		/* frames, power of two */
	u8 owner;
	bool clear;
	const char *name;	/* NULL: none */
};

struct kp_extent {
	u64 frame;		/* from the region's base */
	u64 frames;
	u8 owner;
	bool unclaimed;
	const char *name;	/* in the index; zeroed when the extent is freed */
};

struct kp_stat {
	u64 free_frames;	/* also those beside other owners' extents */
	u64 free_blocks;
	u64 free_areas;
	u64 largest;		/* frames, largest extent that could be had now */
};

/* layout.c */
u64 kp_index_size(u64 base, u64 frames);
u64 kp_index_volatile_size(u64 base, u64 frames, u32 nr_lanes);
int kp_index_format(void *mem, u64 base, u64 frames, u32 frame_shift, const char *pool);
int kp_index_attach(struct kp_index *idx, void *mem, u64 mem_size, u64 base, u64 frames,
		    u32 frame_shift, void *volatile_mem, u32 nr_lanes);

/* restore.c */
int kp_index_restore(struct kp_index *idx, const u64 *sum);
u64 kp_index_sum(const struct kp_index *idx);

/* validate.c: 0, or the line of the invariant that does not hold */
int kp_index_validate(struct kp_index *idx);

/* index.c */
int kp_index_alloc(struct kp_index *idx, struct kp_lane *lane, const struct kp_request *req,
		   u64 *frame);
int kp_index_confirm(struct kp_index *idx, struct kp_lane *lane, u64 frame);
int kp_index_free(struct kp_index *idx, struct kp_lane *lane, u64 frame, u64 frames, u8 owner);
int kp_index_release(struct kp_index *idx, struct kp_lane *lane, u64 frame, u64 frames, u8 owner);
int kp_index_find(struct kp_index *idx, u64 frame, struct kp_extent *ext);
int kp_index_claim(struct kp_index *idx, struct kp_lane *lane, u64 frame);
int kp_index_assign(struct kp_index *idx, struct kp_lane *lane, u64 frame, u64 frames,
		    u8 from, u8 to);
bool kp_index_seal(struct kp_index *idx, u64 *sum, unsigned long spins);
void kp_index_unseal(struct kp_index *idx, struct kp_lane *lane);

/* bad.c */
int kp_index_bad(struct kp_index *idx, u64 frame);
bool kp_bad_next(const struct kp_index *idx, u64 *frame);

/* stat.c */
void kp_index_stat(const struct kp_index *idx, struct kp_stat *stat);

/* walk.c: *@frame is where to begin, and after an extent was found, where to go on */
bool kp_index_next(struct kp_index *idx, u64 *frame, struct kp_extent *ext);

/* names.c */
int kp_name_find(struct kp_index *idx, const char *name, u64 *frame);
const char *kp_name_of(const struct kp_index *idx, u64 frame);
int kp_owner_find(const struct kp_index *idx, const char *name);
int kp_owner_set(struct kp_index *idx, struct kp_lane *lane, u8 owner, const char *name);

#endif /* _KHO_POOL_INDEX_H */
