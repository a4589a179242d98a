// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second half of an allocation whose memory has to be cleared: nobody knows the
 * extent before it is confirmed.  Large ones are PENDING in the persistent index
 * meanwhile; small ones are in a list of their area.
 */
#include "internal.h"

/* Frames of @block become an extent, or the block may have to go; index_lock if it has a name. */
static int kp_confirm_frames(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_alloc *alloc,
			     struct kp_gain *gain)
{
	struct kp_reserved *reserved = &alloc->reserved;

	if (alloc->req->name && kp_name_unused(idx) == idx->nr_names) {
		kp_give_unused(idx, pcpu, reserved->block, reserved->bit, gain);
		return -ENOSPC;
	}
	kp_commit_frames(idx, pcpu, alloc->req, reserved->block, reserved->bit);
	return 0;
}

/* After the seal: the block stays until kp_index_sweep() if nobody else has a part of it. */
static void kp_leave_frames(struct kp_index *idx, struct kp_reserved *reserved)
{
	u32 block = reserved->block;
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];

	if (kp_bitmaps_empty(&idx->bitmaps[block]) && !kp_is_reserved(area, block))
		kp_set_bits(area->unclaimed, kp_bit_of(idx, block), 1);
}

static int kp_settle(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_alloc *alloc,
		     bool keep, struct kp_rest *rest)
{
	const struct kp_request *req = alloc->req;
	u32 block = alloc->frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	bool small = req->frames < KHO_POOL_BLOCK_FRAMES;
	struct kp_gain gain = {};
	int ret = 0;

	rest->nr = 0;
	kp_begin(pcpu);
	if (req->name)
		raw_spin_lock(&idx->index_lock);
	raw_spin_lock(&area->lock);
	/* Orders kp_begin() before the load, see kp_lock_unless_sealed(). */
	smp_mb__after_spinlock();
	if (small)
		kp_unreserve(area, &alloc->reserved);
	if (unlikely(READ_ONCE(idx->sealed))) {
		ret = -ESHUTDOWN;
		if (small)
			kp_leave_frames(idx, &alloc->reserved);
		else
			/* The mark that kp_index_sweep() looks for. */
			kp_set_bits(area->unclaimed, kp_bit_of(idx, block), 1);
	} else if (small && keep) {
		ret = kp_confirm_frames(idx, pcpu, alloc, &gain);
	} else if (small) {
		kp_give_unused(idx, pcpu, alloc->reserved.block, alloc->reserved.bit, &gain);
	} else {
		__le64 *p = kp_extent_word(idx, block);
		struct kp_extent ext = { .frame = alloc->frame, .frames = req->frames };

		if (keep) {
			kp_store(idx, pcpu, p, kp_load(p) & ~KHO_POOL_PENDING);
		} else {
			kp_give(idx, pcpu, &ext, kp_load(p), rest, &gain);
			if (req->name)
				kp_name_erase(idx, pcpu, alloc->frame);
			kp_account_free(pcpu, req->frames);
		}
	}
	raw_spin_unlock(&area->lock);
	if (req->name)
		raw_spin_unlock(&idx->index_lock);
	kp_end(pcpu);
	kp_refused_loosen(idx, &gain);
	alloc->unconfirmed = false;
	return ret;
}

/**
 * kp_index_confirm - confirm an extent once it is cleared
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @alloc: the allocation
 *
 * Return: 0; or with nothing allocated, -ENOSPC if there is no room for its name, or
 * -ESHUTDOWN if the index was sealed in between.  The next kernel then does not see
 * the extent, and if this kernel continues, it is freed.
 */
int kp_index_confirm(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_alloc *alloc)
{
	struct kp_rest rest;

	return kp_settle(idx, pcpu, alloc, true, &rest);
}

/**
 * kp_index_drop - take an allocation back that is not confirmed
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @alloc: the allocation
 * @rest: for kp_index_give(), which has to be called afterwards
 */
void kp_index_drop(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_alloc *alloc,
		   struct kp_rest *rest)
{
	kp_settle(idx, pcpu, alloc, false, rest);
}
