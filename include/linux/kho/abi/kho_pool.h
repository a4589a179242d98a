/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kho_pool: what one kernel leaves in memory for the next.
 *
 * This header is a contract between kernels.  It holds no code that runs and
 * nothing that depends on a kernel's configuration.  Everything is
 * little-endian and of fixed width on every architecture; addresses are
 * physical.  A change that an older kernel must not ignore takes a feature
 * bit (below); a change of a structure takes a new KHO_POOL_COMPATIBLE.
 *
 * DOC: kho_pool handover format
 *
 * The root
 * --------
 * KHO's own tree has a subtree "kho_pool" whose blob is two pages of 4 KiB, the
 * root and the keep list, in all versions: kernels hand on no more than that of
 * a root that they cannot read.  The root is a flattened device tree, zeroes, and in
 * the last eight bytes the check value of all that comes before them.  ::
 *
 *	/ {
 *		compatible = "kho-pool-v1";
 *		incompat = <u64>;	feature bits, see below
 *		ro-compat = <u64>;
 *		compat = <u64>;
 *		frame-size = <u64>;	bytes, the page size of the writer
 *		generation = <u64>;	kexecs since the pools were made
 *		sealed = <u64>;		1: every "sum" below holds
 *		seal-ns = <u64>;	how long sealing took, for people to read
 *		pool@0 {
 *			pool-name = "default";
 *			regions = <struct kho_pool_root_region ...>;
 *		};
 *		...
 *	};
 *
 * The root is written unsealed when a kernel has taken the pools over, and
 * sealed at the very end of its life.  An unsealed root is not damaged: the
 * index is always complete, only its sums were not taken.
 *
 * The keep list
 * -------------
 * Every range of memory that belongs to kho_pool, in a form that no version
 * ever changes.  A kernel that can make nothing of the root, because it is
 * damaged or of a later time, keeps its hands off these ranges and hands them
 * on, with both pages as they are.
 *
 * Regions
 * -------
 * A region is a physically contiguous range of pool memory.  It is counted in
 * frames (the page size), blocks (512 frames: 2 MiB) and areas (512 blocks:
 * 1 GiB).  Frames and blocks are numbered from the region's base, areas are
 * aligned in physical memory, so a region's first and last may be partial.
 *
 * The index of a region
 * ---------------------
 * It lies outside of the region, so that it costs no gigantic page.  ::
 *
 *	+---------+--------+-------+--------+-------+----------------+
 *	| header  | owners | areas | blocks | names | bitmaps        |
 *	| 256 B   | 64 *   | 8 B   | 8 B    | 64 B  | 128 B          |
 *	|         | 32 B   | each  | each   | each  | per block      |
 *	+---------+--------+-------+--------+-------+----------------+
 *
 * Area and block words have one form.  An area's word says that the area is
 * free, that an extent of at least one area begins with it, or that its block
 * words are to be consulted; a block's word says that it is free, that an
 * extent begins with it, or that its bitmaps are to be consulted.  A word
 * below one that does not say "consult" has no meaning and may hold anything;
 * so has a word for memory that lies under an earlier extent, which must then
 * be free, or under an area's extent.  So one store of one word commits an
 * extent of any size, and giving it up is one store too.
 *
 * A consulted block has two 512-bit maps.  "used": the frame is part of an
 * extent.  "tail": it continues the extent of the frame before it.  An extent
 * exists if its first frame is used and is no tail.  Tail bits are zero where
 * the frame is not used.  All extents in one block have the same owner.
 *
 * An extent shorter than a block never crosses a block; a longer one begins
 * on a block, and what is left of its last block belongs to no one else.
 *
 * Sums
 * ----
 * The sum of a region's index is taken over every word of it that has meaning:
 * owners, the count of name records, areas, blocks of consulted areas, maps
 * of consulted blocks, name records below that count.  It is the sum, modulo
 * 2^64, of mix(word) * (2 * (n * 0x9e3779b97f4a7c15) + 1) with n the word's
 * offset in the index divided by eight, and
 * mix(w): w ^= w >> 32; w *= 0xd6e8feb86659fd93; w ^= w >> 29.
 * As mix is a bijection that keeps zero and the factor is odd, no change of a
 * single word goes unseen; as it is a sum, it can be kept by its differences.
 * The check value of the header and of the root is the same sum.
 *
 * Bad frames
 * ----------
 * "bad" in a region's header has the frames with memory errors, whether they are
 * in an extent or not.  A word that is not zero is a run of frames in one block:
 * bits 0 to 39 are its first frame, from the region's base, plus one; bits 40 to
 * 48 how many more follow; bits 49 to 63 are the upper 15 bits of mix() of the
 * others.  The last word is zero, or all ones: there were more than there is room
 * for.  The words are in no sum, and may be written after the seal.
 *
 * A block with such a frame is in no free memory, and of its frames no further
 * ones are given out if it is a consulted one.  Extents keep what they have.  If
 * the last word is set, or one has another form or check, nothing of the region is
 * given out any more.  No word is ever taken back.
 *
 * The root has KHO_POOL_RO_COMPAT_BAD in "ro-compat" as soon as a region has one: a
 * kernel that does not know of them would give the frames out again, so it reads,
 * claims, and changes nothing.
 */
#ifndef _LINUX_KHO_ABI_KHO_POOL_H
#define _LINUX_KHO_ABI_KHO_POOL_H

#include <linux/types.h>

#define KHO_POOL_SUBTREE	"kho_pool"
#define KHO_POOL_COMPATIBLE	"kho-pool-v1"

/* Properties of the root */
#define KHO_POOL_PROP_INCOMPAT		"incompat"
#define KHO_POOL_PROP_RO_COMPAT		"ro-compat"
#define KHO_POOL_PROP_COMPAT		"compat"
#define KHO_POOL_PROP_FRAME_SIZE	"frame-size"
#define KHO_POOL_PROP_GENERATION	"generation"
#define KHO_POOL_PROP_SEALED		"sealed"
#define KHO_POOL_PROP_SEAL_NS		"seal-ns"
#define KHO_POOL_PROP_POOL_NAME		"pool-name"
#define KHO_POOL_PROP_REGIONS		"regions"

/*
 * Feature bits known to this version.  An unknown bit in "incompat" means: do
 * not touch, hand on unchanged.  In "ro-compat": read, claim and show, but
 * neither allocate nor free.  In "compat": ignore, and clear: whoever writes the
 * root writes only what it knows, so the data of a feature that has to outlive
 * that belongs into the index.
 */
#define KHO_POOL_RO_COMPAT_BAD		1ULL	/* a region has bad frames */

#define KHO_POOL_INCOMPAT_KNOWN		0ULL
#define KHO_POOL_RO_COMPAT_KNOWN	KHO_POOL_RO_COMPAT_BAD
#define KHO_POOL_COMPAT_KNOWN		0ULL

/* The root's page, whatever the size of the kernel's own pages. */
#define KHO_POOL_ROOT_SIZE	4096
#define KHO_POOL_ROOT_CHECK	(KHO_POOL_ROOT_SIZE - 8)

/* Root and keep list */
#define KHO_POOL_BLOB_SIZE	(2 * KHO_POOL_ROOT_SIZE)

/* 60 * 48 B of regions and 8 nodes fit the root's 4088 bytes with 400 to spare. */
#define KHO_POOL_MAX_REGIONS	60
#define KHO_POOL_MAX_POOLS	8
#define KHO_POOL_POOL_NAME_MAX	32

struct kho_pool_root_region {
	__le64 base;		/* bytes, multiple of a block */
	__le64 size;		/* bytes, multiple of a block */
	__le64 index;		/* where the region's index is */
	__le64 index_size;	/* bytes */
	__le64 sum;		/* over the index; holds if the root is sealed */
	__le32 nid;		/* the node when the pool was made, or ~0 */
	__le32 state;		/* KHO_POOL_REGION_* */
};

#define KHO_POOL_KEEP_MAGIC	0x315045454b504f4fULL	/* "OOPKEEP1" */
#define KHO_POOL_MAX_KEEP	(2 * KHO_POOL_MAX_REGIONS + 1)

struct kho_pool_keep_range {
	__le64 base;		/* bytes */
	__le64 size;		/* bytes */
	__le64 flags;
};

/* The range is no System RAM: the kernel has no struct pages for it. */
#define KHO_POOL_KEEP_POOL	1ULL

/* 121 ranges of 24 B and 24 B: 2928 of 4096. */
struct kho_pool_keep {
	__le64 magic;
	__le64 nr;
	struct kho_pool_keep_range range[KHO_POOL_MAX_KEEP];
	__le64 spare[(KHO_POOL_ROOT_SIZE - 24 - 24 * KHO_POOL_MAX_KEEP) / 8];
	__le64 check;		/* of all before it */
};

/* Why a region is out of use; carried on so that every later kernel knows. */
#define KHO_POOL_REGION_OK		0
#define KHO_POOL_REGION_BAD_HEADER	1	/* the index's header is damaged */
#define KHO_POOL_REGION_BAD_SUM		2	/* the index is not what was sealed */
#define KHO_POOL_REGION_BAD_INDEX	3	/* the index contradicts itself */
/* Not taken over for want of memory: its sum is unknown, a later kernel may try. */
#define KHO_POOL_REGION_UNREAD		4
#define KHO_POOL_REGION_STATES		5

#define KHO_POOL_INDEX_MAGIC	0x3149504f4f50484bULL	/* "KHPOOPI1" */

#define KHO_POOL_BLOCK_SHIFT	9	/* frames in a block, log2 */
#define KHO_POOL_BLOCK_FRAMES	(1 << KHO_POOL_BLOCK_SHIFT)
#define KHO_POOL_AREA_SHIFT	9	/* blocks in an area, log2 */
#define KHO_POOL_AREA_BLOCKS	(1 << KHO_POOL_AREA_SHIFT)

#define KHO_POOL_OWNERS		64	/* slot 0 is never used */
#define KHO_POOL_OWNER_MAX	32	/* bytes with the NUL */
#define KHO_POOL_NAME_MAX	56	/* bytes with the NUL */

/* Bad frames */
#define KHO_POOL_BAD_WORDS	16
#define KHO_POOL_BAD_FRAME	0xffffffffffULL	/* the first one, plus one */
#define KHO_POOL_BAD_MORE_SHIFT	40
#define KHO_POOL_BAD_MORE	0x1ffULL	/* 9 bits: how many follow */
#define KHO_POOL_BAD_CHECK_SHIFT 49		/* 15 bits */
#define KHO_POOL_BAD_TOO_MANY	(~0ULL)		/* in the last word */

/* Written once when the region is made, but for names_used and bad. */
struct kho_pool_index_header {
	__le64 magic;
	__le64 base;		/* bytes, as in the root */
	__le64 size;
	__le64 index_size;
	__le64 owners;		/* offsets of the tables in the index, bytes */
	__le64 areas;
	__le64 blocks;
	__le64 names;
	__le64 bitmaps;
	__le32 frame_shift;
	__le32 nr_names;	/* records there is room for */
	char pool[KHO_POOL_POOL_NAME_MAX];
	__le64 check;		/* of the fields above */
	__le64 names_used;	/* records that have meaning; part of the sum */
	__le64 bad[KHO_POOL_BAD_WORDS];	/* frames with memory errors */
};

/* Area and block words */
#define KHO_POOL_KIND		0x7ULL
#define KHO_POOL_FREE		0ULL
#define KHO_POOL_EXTENT		1ULL
#define KHO_POOL_CONSULT	2ULL
/*
 * The extent is still being cleared and no one was told of it yet: the next
 * kernel takes it for free memory.
 */
#define KHO_POOL_PENDING	(1ULL << 3)
/* The extent has a name, or each extent in the consulted block has one. */
#define KHO_POOL_NAMED		(1ULL << 4)
#define KHO_POOL_OWNER_SHIFT	8	/* 8 bits: slot in the owners' table */
#define KHO_POOL_LENGTH_SHIFT	16	/* 48 bits: frames; 0 if consulted */
#define KHO_POOL_WORD_RESERVED	0xe0ULL	/* zero */

struct kho_pool_bitmaps {
	__le64 used[KHO_POOL_BLOCK_FRAMES / 64];
	__le64 tail[KHO_POOL_BLOCK_FRAMES / 64];
};

/* An unused record is all zeroes.  Names are unique in a pool. */
struct kho_pool_name_record {
	__le64 key;		/* first frame of the extent, plus one */
	char name[KHO_POOL_NAME_MAX];
};

struct kho_pool_owner_record {
	char name[KHO_POOL_OWNER_MAX];	/* all zeroes: the slot is free */
};

#endif /* _LINUX_KHO_ABI_KHO_POOL_H */
