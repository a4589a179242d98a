// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handing the pools to the next kernel: their memory in KHO's tree, the root,
 * the seal, and the check that no kexec image is going to land on them.
 *
 * Everything that is handed on has had its place since the pools were made:
 * at the seal one page is written, whatever the size of the pools.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/irqflags.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_load.h>
#include <linux/kho_load.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/panic.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/syscore_ops.h>
#include <trace/events/kho_pool.h>

#include "pool.h"

/* How often to look at a CPU that does not come out of an operation. */
#define SEAL_SPINS	10000000UL

/* Both too large for the stack; at boot and at the seal one CPU is at work. */
static struct kp_root root;

/* Write the root from what is known now.  The sums are those that are set. */
void kp_root_write(bool sealed)
{
	struct kho_pool *pool;
	struct kp_region *r;
	int len;

	for_each_region(r)
		if (kp_region_ok(r) && r->idx.nr_bad)
			kp_state.ro_compat |= KHO_POOL_RO_COMPAT_BAD;
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
	/* The limits on pools and regions are such that it fits. */
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

	/* There may be no pools, and so no root. */
	if (!kp_state.blob || kp_state.quarantine || kp_state.sealed)
		return 0;
	kp_state.sealed = true;
	for_each_region(r) {
		u64 *sum = &root.region[r - kp_state.region].sum;
		bool done;

		if (!kp_region_ok(r))
			continue;
		done = kp_index_seal(&r->idx, sum, SEAL_SPINS);
		trace_kho_pool_seal(r->pool->name, r->base, r->size, done ? *sum : 0,
				    done ? 0 : -ETIMEDOUT);
		stuck |= !done;
	}
	if (stuck) {
		pr_err("a CPU is stuck in an operation: not sealed, the next kernel will verify the indexes in full\n");
		/* Its features may not be those of the one that was written at boot. */
		kp_root_write(false);
		return -ETIMEDOUT;
	}
	kp_root_write(true);
	kp_root_set_seal_ns(phys_to_virt(kp_state.blob), sched_clock() - start);
	return 0;
}

/**
 * kp_unseal - go on after a kexec that did not happen
 *
 * Context: any.
 */
void kp_unseal(void)
{
	struct kp_region *r;
	unsigned long irqs;

	if (!kp_state.sealed)
		return;
	/* The root first: it must not vouch for an index that changes. */
	kp_root_write(false);
	local_irq_save(irqs);
	for_each_region(r)
		if (kp_region_ok(r))
			kp_index_unseal(&r->idx, kp_this_lane(r));
	local_irq_restore(irqs);
	kp_state.sealed = false;
	pr_info("unsealed\n");
}

static void kp_syscore_shutdown(void *data)
{
	/*
	 * Neither the image nor the pools' places can change after the kexec was
	 * let go.  If they have, it is too late to go back, and to write over some
	 * of a guest's memory and start it again is worse than to lose it.
	 */
	if (kexec_in_progress && kho_pool_check_segments(kexec_image))
		panic("kho_pool: the kexec would write over pool memory\n");
	kp_seal();
}

static void kp_syscore_resume(void *data)
{
	kp_unseal();
}

static const struct syscore_ops kp_syscore_ops = {
	.shutdown = kp_syscore_shutdown,
	.resume = kp_syscore_resume,
};

static struct syscore kp_syscore = {
	.ops = &kp_syscore_ops,
};

/* Will the next kernel not get the pools, and why? */
static bool carries_nothing(const struct kimage *image, const char **why)
{
	*why = kp_state.no_handover;
	if (!*why && kho_load_own_tree(image) && !kp_state.debug.inject)
		*why = "the image has a tree of its own, and kho_pool_inject is off";
	return *why || (kp_state.blob && !image->kho.fdt);
}

/* Would a kexec with this image lose extents? */
static int check_loss(const struct kimage *image)
{
	const char *why;

	if (!carries_nothing(image, &why) || !kp_pool_extents())
		return 0;
	if (why || image->file_mode || !kho_load_phys())
		pr_err("kexec refused, it would lose %lld extents: %s\n", kp_pool_extents(),
		       why ?: "the image was loaded without Kexec HandOver");
	else
		pr_err("kexec refused, it would lose %lld extents: %s=%#llx is not on the image's command line\n",
		       kp_pool_extents(), KHO_HANDOVER_ARG, (u64)kho_load_phys());
	return -EBUSY;
}

/* Where number @nr of an image's segments or control pages is; a test may have it be @there. */
static u64 place_of(unsigned long nr, u64 base, u64 there)
{
	if (!IS_ENABLED(CONFIG_KHO_POOL_DEBUG) || nr || !there)
		return base;
	return kp_state.debug.late == kexec_in_progress ? there : base;
}

/* Is something that the kexec overwrites in a pool, an index or the root? */
static int check_clear(const char *what, unsigned long nr, u64 base, u64 end)
{
	for (u32 i = 0; i < kp_state.keep.nr; i++) {
		u64 kept = kp_state.keep.range[i].base;
		u64 kept_end = kept + kp_state.keep.range[i].size;

		if (base >= kept_end || end <= kept)
			continue;
		pr_err("kexec %s %lu [%#llx-%#llx] overlaps pool memory [%#llx-%#llx]: image refused\n",
		       what, nr, base, end - 1, kept, kept_end - 1);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/**
 * kho_pool_check_segments - see that an image keeps clear of the pools
 * @image: with its segments set
 *
 * Segments are all that a kexec writes to but for control pages: the code that
 * moves the segments, its page tables, the page that it swaps with. The kernel
 * in the image, its purgatory and its boot parameters are segments; where it
 * unpacks itself to is part of its segment's size.
 *
 * Context: when an image is loaded, when it is to be started, and before the seal.
 *
 * Return: 0, or -EADDRNOTAVAIL if one is in a pool.
 */
int kho_pool_check_segments(struct kimage *image)
{
	unsigned long nr = 0;
	struct page *page;
	int err;

	if (image->type == KEXEC_TYPE_CRASH)
		return 0;
	for (unsigned long i = 0; i < image->nr_segments; i++) {
		u64 base = place_of(i, image->segment[i].mem, kp_state.debug.segment);

		err = check_clear("segment", i, base, base + image->segment[i].memsz);
		if (err)
			return err;
	}
	list_for_each_entry(page, &image->control_pages, lru) {
		u64 base = place_of(nr, page_to_phys(page), kp_state.debug.control);

		err = check_clear("control page", nr, base,
				  base + (PAGE_SIZE << page_private(page)));
		if (err)
			return err;
		nr++;
	}
	return 0;
}

/**
 * kho_pool_check_kexec - may this image be started?
 * @image: the loaded image
 *
 * Called when an image was loaded, so that whoever is about to stop services
 * for a kexec is told before.
 *
 * Context: process.
 *
 * Return: 0; -EADDRNOTAVAIL if the image lands on a pool, -EBUSY if there are
 * extents that it would lose.
 */
int kho_pool_check_kexec(struct kimage *image)
{
	int err;

	if (image->type == KEXEC_TYPE_CRASH || image->preserve_context)
		return 0;
	err = kho_pool_check_segments(image);
	return err ?: check_loss(image);
}

/**
 * kho_pool_prepare_kexec - see that a kexec does no harm, while it can be called off
 * @image: the image that is to be started
 *
 * If it hands the pools on they are sealed when devices are shut down, and can be
 * used until then.  If it does not, nothing may be allocated from now on, for it
 * would be lost.
 *
 * Context: process.
 *
 * Return: as kho_pool_check_kexec(), or -EBUSY if a CPU is stuck in an operation.
 */
int kho_pool_prepare_kexec(struct kimage *image)
{
	const char *why;
	int err;

	err = kho_pool_check_kexec(image);
	if (err || image->preserve_context || !carries_nothing(image, &why))
		return err;
	err = kp_seal() ? -EBUSY : check_loss(image);
	if (err)
		kp_unseal();
	return err;
}

/**
 * kho_pool_cancel_kexec - the kexec is called off by someone else
 *
 * Context: process.
 */
void kho_pool_cancel_kexec(void)
{
	kp_unseal();
}

static int __init preserve_all(void)
{
	int err;

	for (u32 i = 0; i < kp_state.keep.nr; i++) {
		err = kho_preserve_phys(kp_state.keep.range[i].base, kp_state.keep.range[i].size);
		if (err)
			return err;
	}
	return kho_add_subtree(KHO_POOL_SUBTREE, phys_to_virt(kp_state.blob), KHO_POOL_BLOB_SIZE);
}

/* After kho_init(), which makes the tree that goes to the next kernel. */
static int __init kho_pool_handover_init(void)
{
	int err;

	if (!kp_state.blob)
		return 0;
	if (!kp_state.quarantine)
		kp_root_write(false);
	if (!kho_is_enabled()) {
		kp_state.no_handover = "Kexec HandOver is off";
	} else {
		err = preserve_all();
		if (err) {
			kp_state.no_handover = "KHO did not take the pools";
			pr_err("KHO did not take the pools: %d\n", err);
		}
	}
	if (kp_state.no_handover)
		pr_warn("the pools will not be handed on: %s\n", kp_state.no_handover);
	register_syscore(&kp_syscore);
	return 0;
}
fs_initcall_sync(kho_pool_handover_init);
