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

/**
 * kp_index_sweep - free, in some areas, what kp_index_confirm() has left under the seal
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @a: area to begin with, 0 at first; set to where to continue
 * @rest: for kp_index_give(), which has to be called before the next call
 *
 * Is always necessary: a kp_index_confirm() that came too late holds its area's lock, so
 * either the sweep sees what it has left, or it sees that the index is not sealed.
 *
 * Return: true if there are more areas.
 */
bool kp_index_sweep(struct kp_index *idx, struct kp_pcpu *pcpu, u32 *a, struct kp_rest *rest)
{
	struct kp_gain gain = { .kind = KP_ANY_KIND, .run = ~0U };
	u32 end = min(*a + KP_STEP_AREAS, idx->nr_areas);

	rest->nr = 0;
	kp_begin(pcpu);
	raw_spin_lock(&idx->index_lock);
	while (*a < end && !rest->nr) {
		struct kp_area *area = &idx->area[*a];
		u32 bit = 0;

		raw_spin_lock(&area->lock);
		for (; !rest->nr; bit++) {
			bit = kp_next_set(area->unclaimed, bit, KHO_POOL_AREA_BLOCKS);
			if (bit == KHO_POOL_AREA_BLOCKS)
				break;
			kp_sweep_block(idx, pcpu, kp_block_at(idx, *a, bit), rest);
		}
		raw_spin_unlock(&area->lock);
		/* An extent of several areas is the last in its first one. */
		++*a;
	}
	raw_spin_unlock(&idx->index_lock);
	kp_end(pcpu);
	kp_refused_loosen(idx, &gain);
	return *a < idx->nr_areas;
}
