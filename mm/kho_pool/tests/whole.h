/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations on an index with all their steps, for tests. */
#ifndef _KHO_POOL_TEST_WHOLE_H
#define _KHO_POOL_TEST_WHOLE_H

#include "../index/index.h"

/*
 * Memory of less than a block is cleared and confirmed, if there is any; larger extents
 * that have to be cleared stay unconfirmed.
 */
static inline int whole_alloc(struct kp_index *idx, struct kp_pcpu *pcpu,
			      const struct kp_request *req, u64 *frame)
{
	struct kp_alloc alloc;
	int ret;

	kp_begin_alloc(&alloc, req);
	do
		ret = kp_index_alloc(idx, pcpu, &alloc);
	while (ret == -EAGAIN);
	if (!ret)
		*frame = alloc.frame;
	if (!ret && alloc.unconfirmed && req->frames < KHO_POOL_BLOCK_FRAMES) {
		u32 shift = le32_to_cpu(idx->header->frame_shift);

		if (idx->mem)
			memset((u8 *)idx->mem + (*frame << shift), 0, req->frames << shift);
		ret = kp_index_confirm(idx, pcpu, &alloc);
	}
	return ret;
}

/* What whole_alloc() has left unconfirmed */
static inline int whole_confirm(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame)
{
	const struct kp_request req = { .frames = KHO_POOL_BLOCK_FRAMES };
	struct kp_alloc alloc = { .req = &req, .frame = frame, .unconfirmed = true };

	return kp_index_confirm(idx, pcpu, &alloc);
}

static inline void whole_rest(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_rest *rest)
{
	while (rest->nr)
		kp_index_give(idx, pcpu, rest);
}

static inline int whole_free(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames,
			     u8 owner)
{
	struct kp_rest rest;
	int ret = kp_index_free(idx, pcpu, frame, frames, owner, &rest);

	whole_rest(idx, pcpu, &rest);
	return ret;
}

static inline int whole_release(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames,
				u8 owner)
{
	struct kp_rest rest;
	int ret = kp_index_release(idx, pcpu, frame, frames, owner, &rest);

	whole_rest(idx, pcpu, &rest);
	return ret;
}

static inline void whole_unseal(struct kp_index *idx, struct kp_pcpu *pcpu)
{
	struct kp_rest rest;
	bool more;
	u32 at = 0;

	kp_index_unseal(idx);
	do {
		more = kp_index_sweep(idx, pcpu, &at, &rest);
		whole_rest(idx, pcpu, &rest);
	} while (more);
}

static inline bool whole_next(struct kp_index *idx, u64 *frame, struct kp_extent *ext)
{
	int ret;

	do
		ret = kp_index_next(idx, frame, ext);
	while (ret == -EAGAIN);
	return !ret;
}

#endif /* _KHO_POOL_TEST_WHOLE_H */
