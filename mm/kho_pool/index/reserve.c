// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of split blocks that are being cleared.  Nobody may see them before, so they are
 * not in the block's bitmaps yet; a list in their area says that they are taken.  It is
 * as long as there are CPUs and tasks that are clearing small extents of the area.
 */
#include "internal.h"

void kp_reserve(struct kp_area *area, struct kp_reserved *reserved)
{
	reserved->next = area->reserved;
	area->reserved = reserved;
}

void kp_unreserve(struct kp_area *area, struct kp_reserved *reserved)
{
	struct kp_reserved **p = &area->reserved;

	while (*p != reserved)
		p = &(*p)->next;
	*p = reserved->next;
}

bool kp_has_reserved(const struct kp_area *area, u32 block)
{
	for (const struct kp_reserved *r = area->reserved; r; r = r->next)
		if (r->block == block)
			return true;
	return false;
}

/* As kp_bitmaps_find(), but for reserved frames. */
u32 kp_unreserved_find(const struct kp_index *idx, const struct kp_area *area, u32 block, u32 nr,
		       u32 align)
{
	u64 taken[KHO_POOL_BLOCK_FRAMES / 64] = {};

	for (const struct kp_reserved *r = area->reserved; r; r = r->next)
		if (r->block == block)
			kp_set_bits(taken, r->bit, r->nr);
	return kp_bitmaps_find(&idx->bitmaps[block], taken, nr, align);
}
