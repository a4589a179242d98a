/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: kho_pool handover format
 *
 * What one kernel leaves in memory for the next.
 *
 * This is a contract between kernels.  It contains no code that runs, and nothing
 * that depends on a kernel's configuration.  Everything is little-endian and of
 * fixed width on every architecture; addresses are physical.  A change that an
 * older kernel must not ignore requires a feature bit (below).  A change of a
 * structure requires a new KHO_POOL_COMPATIBLE.
 *
 * The root
 * --------
 * KHO's own tree has a subtree "kho_pool".  Its blob consists of two pages of
 * 4 KiB, the root and the keep list, in all versions: a kernel that cannot read a
 * root hands on no more than that.  The root is a flattened device tree, followed by
 * zeroes, and in the last eight bytes by the checksum of everything before
 * them.  ::
 *
 *	/ {
 *		compatible = "kho-pool-v1";
 *		incompat = <u64>;	feature bits, see below
 *		ro-compat = <u64>;
 *		compat = <u64>;
 *		frame-size = <u64>;	bytes, the page size of the writer
 *		generation = <u64>;	kexecs since the pools were made
 *		sealed = <u64>;		1: every "csum" below is valid
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
 * index is always complete, only its checksums have not been taken.
 *
 * The keep list
 * -------------
 * Every range of memory that belongs to kho_pool, in a form that no version
 * ever changes.  A kernel that cannot use the root, because it is damaged or was
 * written by a later version, does not touch these ranges and hands them on, with
 * both pages as they are.
 *
 * Regions
 * -------
 * A region is a physically contiguous range of pool memory.  It is counted in
 * frames (the page size), blocks (512 frames: 2 MiB) and areas (512 blocks:
 * 1 GiB).  Frames and blocks are numbered from the region's base.  Areas are
 * aligned in physical memory, so a region's first and last area may be partial.
 *
 * The index of a region
 * ---------------------
 * It lies outside of the region, so that no gigantic page is lost to it.  ::
 *
 *	+---------+--------+-------+--------+-------+-----------+---------------+
 *	| header  | owners | areas | blocks | names | bitmaps   | bad frames    |
 *	| 256 B   | 64 *   | 8 B   | 8 B    | 64 B  | 128 B     | 8 B per word, |
 *	|         | 32 B   | each  | each   | each  | per block | if there      |
 *	+---------+--------+-------+--------+-------+-----------+---------------+
 *
 * Area and block words have the same form.  An area's word says that the area is
 * free, that an extent of at least one area begins with it, or that it is
 * split into its blocks.  A block's word says that it is free, that an
 * extent begins with it, or that it is split into its frames.  Words and
 * bitmaps below a word that does not say "split" have no meaning and may hold
 * anything.  All other words for memory that an earlier extent covers must be free.
 * So one store of one word commits an extent of any size, and one store frees it.
 *
 * A split block has two 512-bit maps.  "used": the frame is part of an
 * extent.  "tail": it continues the extent of the frame before it.  An extent
 * exists if its first frame is used and is not a tail.  Tail bits are zero where
 * the frame is not used.  All extents in one block have the same owner.
 *
 * An extent shorter than a block never crosses a block boundary.  A longer one
 * begins on a block boundary, and the rest of its last block does not belong to
 * any other extent.
 *
 * Checksums
 * ---------
 * The checksum of a region's index is taken over every word of it that has
 * meaning: owners, the count of name records, areas, blocks of split areas,
 * maps of split blocks, and name records below that count.  It is the sum,
 * modulo 2^64, of mix(word) * (2 * (n * 0x9e3779b97f4a7c15) + 1), with n the
 * word's offset in the index divided by eight, and
 * mix(w): w ^= w >> 32; w *= 0xd6e8feb86659fd93; w ^= w >> 29.
 * Because mix is a bijection that keeps zero and the factor is odd, every change
 * of a single word changes the checksum.  Because it is a sum, it can be
 * updated with differences.  The header and the root have a checksum of the
 * same kind.
 *
 * Bad frames
 * ----------
 * The frames with memory errors are in words, whether they are in an extent or not.
 * The words are in the table at the end of the index, if the index has one, and then
 * "bad" in the header is not used; otherwise they are in "bad".  The table begins at
 * a multiple of 4096 bytes.  It has one word for each whole 32 blocks of the region and
 * one more, rounded up to a multiple of 512 words.  The root has
 * KHO_POOL_INCOMPAT_BAD_TABLE in "incompat" if any index has a table; "index_size" says
 * which.
 *
 * A word that is not zero is a run of frames in one block:
 * bits 0 to 39 are its first frame, from the region's base, plus one; bits 40 to
 * 48 say how many more follow; bits 49 to 63 are the upper 15 bits of mix() of the
 * other bits.  The last word is zero, or all ones if there were more runs than
 * there is room for.  The words are in no checksum, and may be written after
 * the seal.
 *
 * A block with such a frame does not count as free memory.  If it is a split
 * block, no further frames of it are allocated.  Extents keep what they have.  If
 * the last word is set, or if a word has another form or a wrong check, nothing more
 * is allocated from the region.  Words are never taken back.
 *
 * The root has KHO_POOL_RO_COMPAT_BAD in "ro-compat" as soon as a region has a bad
 * frame.  A kernel that does not know of bad frames would allocate them again, so it
 * only reads and claims, and changes nothing.
 */
#ifndef _LINUX_KHO_ABI_KHO_POOL_H
#define _LINUX_KHO_ABI_KHO_POOL_H

#include <linux/kho/abi/kho_note.h>
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
 * neither allocate nor free.  In "compat": ignore, and clear: a kernel writes
 * only what it knows into the root, so data of a feature that has to survive such
 * a kernel belongs in the index.
 */
#define KHO_POOL_RO_COMPAT_BAD		1ULL	/* a region has bad frames */
#define KHO_POOL_INCOMPAT_BAD_TABLE	1ULL	/* an index has a table of bad frames */

#define KHO_POOL_INCOMPAT_KNOWN		KHO_POOL_INCOMPAT_BAD_TABLE
#define KHO_POOL_RO_COMPAT_KNOWN	KHO_POOL_RO_COMPAT_BAD
#define KHO_POOL_COMPAT_KNOWN		0ULL

/* KHO_NOTE_POOL in a kernel's image: the format and the feature bits that it knows */
struct kho_pool_note {
	char magic[8];		/* KHO_NOTE_MAGIC */
	__le64 incompat;
	__le64 ro_compat;
	__le64 compat;
	char compatible[16];	/* KHO_POOL_COMPATIBLE */
} __attribute__((packed, aligned(4)));

/* The root's page, whatever the size of the kernel's own pages. */
#define KHO_POOL_ROOT_SIZE	4096
#define KHO_POOL_ROOT_CSUM	(KHO_POOL_ROOT_SIZE - 8)

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
	__le64 csum;		/* over the index; valid if the root is sealed */
	__le32 nid;		/* NUMA node when the pool was made, or ~0 */
	__le32 state;		/* KHO_POOL_REGION_* */
};

#define KHO_POOL_KEEP_MAGIC	0x315045454b504f4fULL	/* "OOPKEEP1" */
#define KHO_POOL_MAX_KEEP	(2 * KHO_POOL_MAX_REGIONS + 1)

struct kho_pool_keep_range {
	__le64 base;		/* bytes */
	__le64 size;		/* bytes */
	__le64 flags;
};

/* The range is not System RAM: the kernel has no struct pages for it. */
#define KHO_POOL_KEEP_POOL	1ULL

/* 121 ranges of 24 B and 24 B: 2928 of 4096. */
struct kho_pool_keep {
	__le64 magic;
	__le64 nr;
	struct kho_pool_keep_range range[KHO_POOL_MAX_KEEP];
	__le64 spare[(KHO_POOL_ROOT_SIZE - 24 - 24 * KHO_POOL_MAX_KEEP) / 8];
	__le64 csum;		/* of everything before it */
};

/* Why a region is out of use; handed on so that every later kernel knows. */
#define KHO_POOL_REGION_OK		0
#define KHO_POOL_REGION_BAD_HEADER	1	/* the index's header is damaged */
#define KHO_POOL_REGION_BAD_SUM		2	/* the index is not what was sealed */
#define KHO_POOL_REGION_BAD_INDEX	3	/* the index contradicts itself */
/* Not taken over for lack of memory: its checksum is unknown, a later kernel may try. */
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
#define KHO_POOL_BAD_WORDS	16	/* in the header */
#define KHO_POOL_BAD_TABLE_BLOCKS 32	/* blocks for each word of a table */
#define KHO_POOL_BAD_FRAME	0xffffffffffULL	/* the first one, plus one */
#define KHO_POOL_BAD_MORE_SHIFT	40
#define KHO_POOL_BAD_MORE	0x1ffULL	/* 9 bits: how many follow */
#define KHO_POOL_BAD_CSUM_SHIFT	49		/* 15 bits */
#define KHO_POOL_BAD_TOO_MANY	(~0ULL)		/* in the last word */

/* Written once when the region is made, except for names_used and bad. */
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
	__le32 nr_names;	/* how many records there is room for */
	char pool[KHO_POOL_POOL_NAME_MAX];
	__le64 csum;		/* of the fields above */
	__le64 names_used;	/* records that have meaning; part of the checksum */
	__le64 bad[KHO_POOL_BAD_WORDS];	/* frames with memory errors */
};

/* Area and block words */
#define KHO_POOL_KIND		0x7ULL
#define KHO_POOL_FREE		0ULL
#define KHO_POOL_EXTENT		1ULL
#define KHO_POOL_SPLIT		2ULL
/*
 * The extent is still being cleared, and the caller does not know it yet: the next
 * kernel treats it as free memory.
 */
#define KHO_POOL_PENDING	(1ULL << 3)
/* The extent has a name, or each extent in the split block has one. */
#define KHO_POOL_NAMED		(1ULL << 4)
#define KHO_POOL_OWNER_SHIFT	8	/* 8 bits: slot in the owners' table */
#define KHO_POOL_LENGTH_SHIFT	16	/* 48 bits: frames; 0 if split */
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
