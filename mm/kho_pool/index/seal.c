// SPDX-License-Identifier: GPL-2.0-only
/* The seal: no change after it.  And back, if there is no kexec after all. */
#include "internal.h"

/**
 * kp_index_seal - stop all changes and take the checksum
 * @idx: the index
 * @csum: over the persistent index
 * @spins: how often to look at CPUs that are in an operation, in total
 *
 * The time that this takes does not depend on the size of the region.
 *
 * Return: false if a CPU did not finish an operation; @csum is then invalid, and
 * the index stays sealed.
 */
bool kp_index_seal(struct kp_index *idx, u64 *csum, unsigned long spins)
{
	WRITE_ONCE(idx->sealed, true);
	/* Pairs with kp_lock_unless_sealed(): no operation is missed. */
	smp_mb();
	*csum = 0;
	for (u32 i = 0; i < idx->nr_pcpu; i++) {
		struct kp_pcpu *pcpu = &idx->pcpu[i];

		if (!kp_wait_idle(pcpu, &spins))
			return false;
		*csum += pcpu->csum;
	}
	return true;
}

/* What a kp_index_confirm() has left that came too late, at @bit; the area is locked. */
static void kp_sweep_block(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block,
			   struct kp_rest *rest)
{
	struct kp_extent ext = { .frame = (u64)block << KHO_POOL_BLOCK_SHIFT };
	__le64 *p = kp_extent_word(idx, block);
	u64 word = p ? kp_load(p) : 0;
	/* kp_index_sweep() knows. */
	struct kp_gain gain = {};

	if (word & KHO_POOL_PENDING) {
		ext.frames = kp_word_frames(word);
		kp_give(idx, pcpu, &ext, word, rest, &gain);
		if (word & KHO_POOL_NAMED)
			kp_name_erase(idx, pcpu, ext.frame);
		kp_account_free(pcpu, ext.frames);
	} else if (kp_word_kind(word) == KHO_POOL_SPLIT &&
		   kp_bitmaps_empty(&idx->bitmaps[block])) {
		kp_give_unused(idx, pcpu, block, 0, &gain);
	}
}

/**
 * kp_index_unseal - allow changes again
 * @idx: the index
 *
 * The checksum that the seal took is void before the first change.  Must be followed by
 * kp_index_sweep().
 */
void kp_index_unseal(struct kp_index *idx)
{
	/* The root, which vouched for the index, was written before this. */
	smp_store_release(&idx->sealed, false);
}

/* What one step of a sweep looks at: so many unclaimed blocks, each area is worth some. */
#define STEP_COST	256
#define AREA_COST	4

/**
 * kp_index_sweep - free, in some blocks, what kp_index_confirm() has left under the seal
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @at: where to begin, 0 at first; set to where to continue
 * @rest: for kp_index_give(), which has to be called before the next call
 *
 * Is always necessary: a kp_index_confirm() that came too late holds its area's lock, so
 * either the sweep sees what it has left, or it sees that the index is not sealed.
 *
 * Return: true if there is more.
 */
bool kp_index_sweep(struct kp_index *idx, struct kp_pcpu *pcpu, u32 *at, struct kp_rest *rest)
{
	struct kp_gain gain = { .kind = KP_ANY_KIND, .run = ~0U };
	u32 end = idx->nr_areas << KHO_POOL_AREA_SHIFT;
	int budget = STEP_COST;

	rest->nr = 0;
	kp_begin(pcpu);
	raw_spin_lock(&idx->index_lock);
	while (*at < end && budget > 0 && !rest->nr) {
		u32 a = *at >> KHO_POOL_AREA_SHIFT, bit = *at & (KHO_POOL_AREA_BLOCKS - 1);
		struct kp_area *area = &idx->area[a];

		budget -= AREA_COST;
		raw_spin_lock(&area->lock);
		for (; budget > 0 && !rest->nr; bit++, budget--) {
			bit = kp_next_set(area->unclaimed, bit, KHO_POOL_AREA_BLOCKS);
			if (bit == KHO_POOL_AREA_BLOCKS)
				break;
			kp_sweep_block(idx, pcpu, kp_block_at(idx, a, bit), rest);
		}
		raw_spin_unlock(&area->lock);
		*at = (a << KHO_POOL_AREA_SHIFT) + bit;
	}
	raw_spin_unlock(&idx->index_lock);
	kp_end(pcpu);
	kp_refused_loosen(idx, &gain);
	return *at < end;
}
