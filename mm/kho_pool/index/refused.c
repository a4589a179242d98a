// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that were refused, until something is freed that could serve them.
 *
 * Otherwise each allocation from a pool whose first region is full would search all of
 * that region before it goes to the next one.
 *
 * A request that is remembered must be refused as long as nothing comes free, so:
 *
 * - Only a search during which nothing came free counts.  Each CPU counts its gains.
 * - An operation that has begun after kp_refuse() has set KP_REFUSED_TRY sees that,
 *   and waits for index_lock before it looks whether it changes anything.  Those that
 *   have begun before are over when kp_refuse() has seen their CPU idle, and then
 *   their gains are counted.  This is the seal's protocol: kp_begin(), a lock with
 *   smp_mb__after_spinlock(), and then the look.
 */
#include "internal.h"

/* How often to look at CPUs that are in an operation, in total; some 10 us */
#define SPINS		256

#define FRAME_ORDERS	(KHO_POOL_BLOCK_SHIFT + 1)
#define BLOCK_ORDERS	32

/* Such lengths, and longer ones, are refused, by the alignment's order; 0: none is. */
struct kp_refused {
	u32 blocks[BLOCK_ORDERS];
	u32 frames[KP_KINDS][FRAME_ORDERS];
};

u64 kp_refused_size(void)
{
	return sizeof(struct kp_refused);
}

static bool kp_is_small(const struct kp_request *req)
{
	return req->frames < KHO_POOL_BLOCK_FRAMES;
}

static u32 kp_frame_order(const struct kp_request *req)
{
	return __fls(req->align);
}

static u32 kp_block_order(const struct kp_request *req)
{
	u64 align = req->align >> KHO_POOL_BLOCK_SHIFT;

	return align ? __fls(align) : 0;
}

/* Small ones with a large alignment are searched for in both ways, and not remembered. */
static bool kp_can_remember(const struct kp_request *req)
{
	if (kp_is_small(req))
		return kp_frame_order(req) < FRAME_ORDERS;
	return kp_block_order(req) < BLOCK_ORDERS;
}

/**
 * kp_was_refused - would a search find nothing?
 * @idx: the index
 * @req: a valid request
 *
 * Return: true if so; if false, nothing is known.
 */
bool kp_was_refused(const struct kp_index *idx, const struct kp_request *req)
{
	const struct kp_refused *refused = idx->refused;
	u32 limit;

	if (READ_ONCE(idx->all_bad))
		return true;
	if (!kp_can_remember(req))
		return false;
	if (kp_is_small(req)) {
		u32 kind = kp_kind(kp_frames_word(req));

		limit = READ_ONCE(refused->frames[kind][kp_frame_order(req)]);
		return limit && req->frames >= limit;
	}
	limit = READ_ONCE(refused->blocks[kp_block_order(req)]);
	return limit && kp_blocks(req->frames) >= limit;
}

/* Has each CPU been outside of an operation since? */
static bool kp_all_were_idle(const struct kp_index *idx)
{
	unsigned long spins = SPINS;

	for (u32 i = 0; i < idx->nr_pcpu; i++)
		if (!kp_wait_idle(&idx->pcpu[i], &spins))
			return false;
	return true;
}

/* A larger alignment makes it no easier. */
static void kp_remember_length(u32 *limits, u32 order, u32 orders, u32 length)
{
	for (; order < orders; order++)
		if (!limits[order] || limits[order] > length)
			WRITE_ONCE(limits[order], length);
}

static void kp_remember(struct kp_refused *refused, const struct kp_request *req)
{
	if (kp_is_small(req))
		kp_remember_length(refused->frames[kp_kind(kp_frames_word(req))],
				   kp_frame_order(req), FRAME_ORDERS, req->frames);
	else
		kp_remember_length(refused->blocks, kp_block_order(req), BLOCK_ORDERS,
				   kp_blocks(req->frames));
}

/**
 * kp_refuse - a search has found nothing
 * @idx: the index
 * @alloc: the allocation
 *
 * Return: -ENOMEM, or -EAGAIN to search once more and remember the result.
 */
int kp_refuse(struct kp_index *idx, struct kp_alloc *alloc)
{
	const struct kp_request *req = alloc->req;
	bool moving;

	if (!kp_can_remember(req))
		return -ENOMEM;
	if (!alloc->again) {
		alloc->again = true;
		alloc->stage = 0;
		alloc->gains = kp_index_gains(idx, &moving);
		return -EAGAIN;
	}
	raw_spin_lock(&idx->index_lock);
	WRITE_ONCE(idx->refusals, idx->refusals | KP_REFUSED_TRY);
	/* Pairs with kp_lock_unless_sealed() and others like it, see above. */
	smp_mb();
	if (kp_all_were_idle(idx) && kp_index_gains(idx, &moving) == alloc->gains && !moving) {
		kp_remember(idx->refused, req);
		WRITE_ONCE(idx->refusals, idx->refusals |
			   (kp_is_small(req) ? KP_REFUSED_FRAMES : KP_REFUSED_BLOCKS));
	}
	WRITE_ONCE(idx->refusals, idx->refusals & ~KP_REFUSED_TRY);
	raw_spin_unlock(&idx->index_lock);
	return -ENOMEM;
}

/* Extents of up to @run may be had again.  Is any length still refused? */
static bool kp_loosen(u32 *limits, u32 orders, u32 run)
{
	bool any = false;

	for (u32 i = 0; i < orders; i++) {
		if (limits[i] && limits[i] <= run)
			WRITE_ONCE(limits[i], run == ~0U ? 0 : run + 1);
		any |= limits[i];
	}
	return any;
}

/**
 * kp_loosen_refused - something came free
 * @idx: the index; no lock is held, and the operation is over
 * @gain: what
 */
void kp_loosen_refused(struct kp_index *idx, const struct kp_gain *gain)
{
	struct kp_refused *refused = idx->refused;
	u32 known;

	if (!READ_ONCE(idx->refusals))
		return;
	raw_spin_lock(&idx->index_lock);
	known = idx->refusals;
	if (gain->kind == KP_ANY_KIND) {
		if (!kp_loosen(refused->blocks, BLOCK_ORDERS, gain->run))
			known &= ~KP_REFUSED_BLOCKS;
		/* A free block serves every kind. */
		if (known & KP_REFUSED_FRAMES)
			kp_loosen(refused->frames[0], KP_KINDS * FRAME_ORDERS, ~0U);
		WRITE_ONCE(idx->refusals, known & ~KP_REFUSED_FRAMES);
	} else {
		kp_loosen(refused->frames[gain->kind], FRAME_ORDERS, gain->run);
	}
	raw_spin_unlock(&idx->index_lock);
}
