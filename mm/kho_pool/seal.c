// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root and the seal, which tell the next kernel where the pools are, and that
 * their indexes are complete.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/sched/clock.h>
#include <linux/string.h>
#include <trace/events/kho_pool.h>

#include "handover.h"

/* How often to look at a CPU that does not finish an operation. */
#define SEAL_SPINS	10000000UL

/* Too large for the stack; at boot and at the seal one CPU is at work. */
static struct kp_root root;

/**
 * kp_ro_compat - features that the pools have
 *
 * Context: any.
 *
 * Return: bits as in the root.  Kernels that do not know them only read the pools.
 */
u64 kp_ro_compat(void)
{
	u64 bits = kp_state.ro_compat;
	struct kp_region *r;

	for_each_region(r)
		if (kp_region_ok(r) && r->idx.nr_bad)
			bits |= KHO_POOL_RO_COMPAT_BAD;
	return bits;
}

/**
 * kp_incompat - features without which a kernel cannot use the pools
 *
 * Context: any.
 *
 * Return: bits as in the root.
 */
u64 kp_incompat(void)
{
	struct kp_region *r;

	for_each_region(r)
		if (kp_index_has_table(r->index_size, PHYS_PFN(r->base), r->size >> PAGE_SHIFT))
			return KHO_POOL_INCOMPAT_BAD_TABLE;
	return 0;
}

/* Write the root from what is known now.  The sums are those that are set. */
void kp_root_write(bool sealed)
{
	struct kho_pool *pool;
	struct kp_region *r;
	int len;

	root.incompat = kp_incompat();
	kp_state.ro_compat = kp_ro_compat();
	root.ro_compat = kp_state.ro_compat;
	/* What we do not know of does not get into what we write. */
	root.compat = kp_state.compat & KHO_POOL_COMPAT_KNOWN;
	root.frame_size = PAGE_SIZE;
	root.generation = kp_state.generation;
	root.sealed = sealed;
	root.nr_pools = kp_state.nr_pools;
	root.nr_regions = kp_state.nr_regions;
	for_each_pool(pool)
		strscpy(root.pool_name[pool - kp_state.pool], pool->name);
	for_each_region(r) {
		struct kp_root_region *to = &root.region[r - kp_state.region];

		to->base = r->base;
		to->size = r->size;
		to->index = r->index;
		to->index_size = r->index_size;
		to->nid = r->nid;
		to->state = r->state;
		to->pool = r->pool - kp_state.pool;
	}
	len = kp_root_encode(&root, phys_to_virt(kp_state.blob));
	/* The limits on pools and regions ensure that it fits. */
	if (WARN_ON(len < 0))
		return;
	kp_state.root_size = len;
	trace_kho_pool_root(root.generation, sealed, root.nr_pools, root.nr_regions, len);
}

/**
 * kp_seal - stop all changes and write the sealed root
 *
 * Context: shutdown; other CPUs may still be running.
 *
 * Return: 0, also if it was tried before, or -ETIMEDOUT if a CPU is stuck in an
 * operation.  The root then stays unsealed, and the next kernel verifies the
 * indexes in full.
 */
int kp_seal(void)
{
	u64 start = sched_clock();
	struct kp_region *r;
	bool stuck = false;

	/* There may be no pools, and therefore no root. */
	if (!kp_state.blob || kp_state.quarantine || kp_state.sealed)
		return 0;
	kp_state.sealed = true;
	for_each_region(r) {
		u64 *csum = &root.region[r - kp_state.region].csum;
		bool done;

		if (!kp_region_ok(r))
			continue;
		done = kp_index_seal(&r->idx, csum, SEAL_SPINS);
		trace_kho_pool_seal(r->pool->name, r->base, r->size, done ? *csum : 0,
				    done ? 0 : -ETIMEDOUT);
		stuck |= !done;
	}
	if (stuck) {
		pr_err("a CPU is stuck in an operation: not sealed, the next kernel will verify the indexes in full\n");
		/* Its features may differ from those that were written at boot. */
		kp_root_write(false);
		return -ETIMEDOUT;
	}
	kp_root_write(true);
	kp_root_set_seal_ns(phys_to_virt(kp_state.blob), sched_clock() - start);
	return 0;
}

static void kp_unseal_region(struct kp_region *r)
{
	struct kp_rest rest;
	unsigned long irqs;
	bool more;
	u32 at = 0;

	kp_index_unseal(&r->idx);
	do {
		local_irq_save(irqs);
		more = kp_index_sweep(&r->idx, kp_this_pcpu(r), &at, &rest);
		local_irq_restore(irqs);
		kp_give_rest(r, &rest);
	} while (more);
}

/**
 * kp_unseal - undo the seal after a kexec that did not happen
 *
 * Context: any.
 */
void kp_unseal(void)
{
	struct kho_pool *pool;
	struct kp_region *r;

	if (!kp_state.sealed)
		return;
	/* The root first: it must not vouch for an index that changes. */
	kp_root_write(false);
	for_each_region(r)
		if (kp_region_ok(r))
			kp_unseal_region(r);
	kp_state.sealed = false;
	pr_info("unsealed\n");
	for_each_pool(pool)
		kp_notify(pool, KP_CHANGED_STATE);
}
