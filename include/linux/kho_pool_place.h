/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory a pool takes.  mm/kho_pool takes it, and the x86 decompressor keeps the
 * kernel out of it.  Both compile this file.
 */
#ifndef _LINUX_KHO_POOL_PLACE_H
#define _LINUX_KHO_POOL_PLACE_H

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/kho/abi/kho_pool.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include <asm/page.h>
#include <asm/sparsemem.h>

/* The lowest memory is left to the kernel: this much, which is also the minimum in total. */
#define KHO_POOL_KERNEL_MIN	SZ_512M

/*
 * A pool is made of whole areas, which are the largest huge pages, while there are any,
 * and then of sections, the smallest pieces that can be without struct pages.
 */
#define KHO_POOL_AREA		((u64)PAGE_SIZE << (KHO_POOL_BLOCK_SHIFT + KHO_POOL_AREA_SHIFT))
#define KHO_POOL_SECTION	BIT_ULL(SECTION_SIZE_BITS)

/**
 * struct kho_pool_piece - the best piece of memory for a pool so far
 * @base: its first byte
 * @size: bytes, 0 if there is none yet
 */
struct kho_pool_piece {
	u64 base, size;
};

/**
 * kho_pool_offer - check whether a free range of memory has a better piece
 * @best: the best one of lower ranges; set to the one in this range if that is better
 * @start: of the range
 * @end: of the range
 * @want: bytes that the pool still needs
 * @grain: alignment and unit of the piece, a power of two
 *
 * The largest piece up to @want is the best.  It is at the end of its range, and among
 * equals the highest is taken, because low memory is scarce.
 *
 * Return: true if @best was set.
 */
static inline bool kho_pool_offer(struct kho_pool_piece *best, u64 start, u64 end, u64 want,
				  u64 grain)
{
	u64 size;

	start = ALIGN(start, grain);
	end = ALIGN_DOWN(end, grain);
	if (start >= end)
		return false;
	size = min(end - start, ALIGN_DOWN(want, grain));
	if (!size || size < best->size)
		return false;
	best->base = end - size;
	best->size = size;
	return true;
}

#endif /* _LINUX_KHO_POOL_PLACE_H */
