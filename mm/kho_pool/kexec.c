// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of kexec images: images that would land on a pool or lose extents are
 * refused.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/init.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kho_load.h>
#include <linux/kho_image.h>
#include <linux/kho_load.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>

#include "debug.h"
#include "handover.h"

#ifdef CONFIG_KHO_POOL_DEBUG
struct kp_faults kp_faults;
#endif

/* Will the next kernel not get the pools, and why? */
static bool kp_carries_nothing(const struct kimage *image, const char **why)
{
	*why = kp_state.no_handover;
	if (!*why && kho_load_own_tree(image) && !kp_fault_inject())
		*why = "the image has a tree of its own, and kho_pool_inject is off";
	return *why || (kp_state.blob && !image->kho.fdt);
}

/* Bytes of memory that the next kernel will map. */
static u64 kp_all_memory(void)
{
	u64 size = PFN_PHYS((u64)totalram_pages());

	for (u32 i = 0; i < kp_state.keep.nr; i++)
		if (kp_state.keep.range[i].flags & KHO_POOL_KEEP_POOL)
			size += kp_state.keep.range[i].size;
	return size;
}

/* Refuse images that do not say what their kernel can take over. */
bool kp_strict;

static int __init kp_parse_strict(char *arg)
{
	kp_strict = true;
	return arg ? kstrtobool(arg, &kp_strict) : 0;
}
early_param("kho_pool_strict", kp_parse_strict);

/* A look at an image */
struct kp_look {
	bool warns;	/* print what is accepted with a warning */
	bool unsaid;	/* set if it does not say what its kernel can take over */
};

/* What an image's kernel says of itself: why it could not take the pools over, or NULL. */
static const char *kp_look_at_note(struct kho_image *seen, struct kp_look *look)
{
	struct kho_pool_note pool;
	u64 unknown;
	int there;

	if (!seen->noted) {
		look->unsaid = true;
		if (kp_strict)
			return "it does not say what it can take over (kho_pool_strict)";
		if (look->warns)
			pr_warn("the image does not say what its kernel can take over: without kho_pool it would lose %lld extents, and one that is too old could not use them\n",
				kp_pool_extents());
		return NULL;
	}
	there = kho_image_note(seen, KHO_NOTE_POOL, &pool, sizeof(pool));
	if (there < 0)
		return "there is no memory to look at the image";
	if (!there)
		return "its kernel has no kho_pool";
	if (strncmp(pool.compatible, KHO_POOL_COMPATIBLE, sizeof(pool.compatible)))
		return "its kernel reads another format of pools";
	/* It would keep the pools, but they would be of no use. */
	if (kp_incompat() & ~le64_to_cpu(pool.incompat))
		return "its kernel does not know a feature that the pools have";
	unknown = kp_ro_compat() & ~le64_to_cpu(pool.ro_compat);
	if (unknown && look->warns)
		pr_warn("the image's kernel does not know the features %#llx: it will only read the pools\n",
			unknown);
	return NULL;
}

/* Why the image's kernel would not find the pools, or NULL. */
static const char *kp_look_at(struct kimage *image, struct kp_look *look)
{
	struct kho_image *seen = kho_image_open(image);
	const char *why = seen ? kho_image_wrong(seen, kp_all_memory()) :
				 "there is no memory to look at the image";

	for (u32 i = 0; !why && i < kp_state.keep.nr; i++) {
		u64 base = kp_state.keep.range[i].base, size = kp_state.keep.range[i].size;

		if (base + size > seen->reach)
			why = "they are beyond its kernel's four levels of page tables";
		else if (!kho_arch_map_has(seen, base, size))
			why = "the memory map that its kernel gets does not have the pools";
		else if (look->warns && kho_arch_line_hides(seen, base, size))
			pr_warn("mem= or memmap= on the image's command line hides [%#llx-%#llx]: the next kernel will keep the pools, but not use them\n",
				base, base + size - 1);
	}
	why = why ?: kp_look_at_note(seen, look);
	kho_image_close(seen);
	return why;
}

/* Why a kexec with this image would lose extents, or NULL. */
static const char *kp_why_lost(struct kimage *image, struct kp_look *look)
{
	const char *why;
	bool lost;

	if (!kp_pool_extents())
		return NULL;
	lost = kp_carries_nothing(image, &why);
	why = why ?: kp_look_at(image, look);
	if (why || !lost)
		return why;
	if (image->file_mode || !kho_load_phys())
		return "the image was loaded without Kexec HandOver";
	return "this kernel's " KHO_HANDOVER_ARG "= is not on the image's command line";
}

/* Would a kexec with this image lose extents? */
static int kp_check_loss(struct kimage *image, bool warns)
{
	struct kp_look look = { .warns = warns };
	const char *why = kp_why_lost(image, &look);

	if (!why)
		return 0;
	pr_err("kexec refused, it would lose %lld extents: %s\n", kp_pool_extents(), why);
	return -EBUSY;
}

static int kp_verdict(struct kimage *image, void *data)
{
	struct kp_verdict *verdict = data;
	struct kp_look look = {};

	if (!image)
		return -ENOENT;
	verdict->why = kp_why_lost(image, &look);
	verdict->unsaid = look.unsaid;
	return 0;
}

/**
 * kp_kexec_verdict - would a kexec with the image that is loaded lose extents?
 * @verdict: set if an image is loaded
 *
 * Context: process.
 *
 * Return: 0; -ENOENT if none is loaded, -EBUSY if one is being loaded or started.
 */
int kp_kexec_verdict(struct kp_verdict *verdict)
{
	return kexec_look_at_image(kp_verdict, verdict);
}

/* Does the kexec overwrite part of a pool, an index or the root? */
static int kp_check_clear(const char *what, unsigned long nr, u64 base, u64 end)
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
 * kho_pool_check_segments - check that an image keeps clear of the pools
 * @image: with its segments set
 *
 * A kexec writes only to segments and control pages.  The kernel in the image, its
 * purgatory and its boot parameters are segments; the room that it unpacks itself
 * into is part of its segment's size.  Control pages are the code that moves the
 * segments, its page tables, and the page that it swaps with.
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
		u64 base = kp_fault_segment(i, image->segment[i].mem);

		err = kp_check_clear("segment", i, base, base + image->segment[i].memsz);
		if (err)
			return err;
	}
	list_for_each_entry(page, &image->control_pages, lru) {
		u64 base = kp_fault_control(nr, page_to_phys(page));

		err = kp_check_clear("control page", nr, base,
				     base + (PAGE_SIZE << page_private(page)));
		if (err)
			return err;
		nr++;
	}
	return 0;
}

/* No kernel puts a handover page in a pool. */
static int kp_check_named(const struct kimage *image)
{
	if (!image->kho.named || !kho_pool_keeps(image->kho.named, KHO_HANDOVER_SIZE))
		return 0;
	pr_err("kexec refused: %s=%#llx on the image's command line is in memory of a pool\n",
	       KHO_HANDOVER_ARG, image->kho.named);
	return -EADDRNOTAVAIL;
}

/**
 * kho_pool_check_kexec - may this image be started?
 * @image: the loaded image
 *
 * Called when an image is loaded, so that administrators learn about a problem
 * before they stop services for the kexec.
 *
 * Context: process.
 *
 * Return: 0; -EADDRNOTAVAIL if the image lands on a pool or names a handover page
 * in one, -EBUSY if there are extents that it would lose.
 */
int kho_pool_check_kexec(struct kimage *image)
{
	int err;

	if (image->type == KEXEC_TYPE_CRASH || image->preserve_context)
		return 0;
	err = kho_pool_check_segments(image);
	err = err ?: kp_check_named(image);
	return err ?: kp_check_loss(image, true);
}

/**
 * kho_pool_prepare_kexec - check a kexec while it can still be called off
 * @image: the image that is going to be started
 *
 * If it hands the pools on, they are sealed when devices are shut down, and can be
 * used until then.  If it does not, nothing may be allocated from now on, because it
 * would be lost.
 *
 * Context: process.
 *
 * Return: as kho_pool_check_kexec(), or -EBUSY if a CPU is stuck in an operation.
 */
int kho_pool_prepare_kexec(struct kimage *image)
{
	struct kp_look look = {};
	const char *why;
	int err;

	err = kho_pool_check_kexec(image);
	/* An image that would be refused with extents: make sure that none are allocated. */
	if (err || image->preserve_context || !kp_state.blob ||
	    (!kp_carries_nothing(image, &why) && !kp_look_at(image, &look)))
		return err;
	kp_fault_between_looks();
	err = kp_seal() ? -EBUSY : kp_check_loss(image, false);
	if (err)
		kp_unseal();
	return err;
}

/**
 * kho_pool_cancel_kexec - other code has called off the kexec
 *
 * Context: process.
 */
void kho_pool_cancel_kexec(void)
{
	kp_unseal();
}
