/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The handover page: how an image of kexec_load(2) learns of KHO's state.
 *
 * This is a contract between kernels.  A kernel that does not know it ignores
 * it; a change needs another magic.
 *
 * kexec_file_load() tells the next kernel where KHO's tree and scratch areas are
 * by the means that each architecture has for such data: setup_data, a device tree.
 * User space that loads an image by kexec_load() uses the command line, on every
 * architecture:
 *
 *	kho_handover=0x<physical address of the handover page>
 *
 * The page is filled during the kexec, not before.  The kernel that takes it over
 * clears the magic, so a page that is left over from an earlier kexec means nothing.
 * A kernel that does not know the page leaves it as it is.  From then on the word must
 * not be given to a kernel that does know it, because the memory that the page
 * describes is no longer preserved.  A kernel that was handed something by its
 * architecture's own means does not look at the page.
 *
 * If a command line has several such words, the last one before a bare "--" counts.
 *
 * A loader that wants to choose the page's place makes it the last segment of its
 * image, names it on the command line, and passes KEXEC_HANDOVER.  The kernel fills
 * the segment: first the page, then the tree, KHO_HANDOVER_SIZE bytes after the
 * beginning.  If the loader gives that segment data, what follows the first
 * KHO_HANDOVER_SIZE bytes of it is the tree that is passed on.
 *
 * All numbers are little-endian.
 */
#ifndef _LINUX_KHO_ABI_KHO_LOAD_H
#define _LINUX_KHO_ABI_KHO_LOAD_H

#include <linux/types.h>
#include <asm/byteorder.h>

#define KHO_HANDOVER_ARG		"kho_handover"
#define KHO_HANDOVER_MAGIC		0x3144414f4c4f484bULL	/* "KHOLOAD1" */
#define KHO_HANDOVER_SIZE		4096
/* 253 areas of 16 bytes and six words make 4096 bytes. */
#define KHO_HANDOVER_MAX_SCRATCH	253

struct kho_handover_scratch {
	__le64 addr;
	__le64 size;
};

struct kho_handover {
	__le64 magic;
	__le64 self;		/* physical address of this page */
	__le64 fdt;		/* KHO's tree: physical address, bytes */
	__le64 fdt_size;
	__le64 nr_scratch;
	struct kho_handover_scratch scratch[KHO_HANDOVER_MAX_SCRATCH];
	__le64 check;		/* kho_handover_sum() */
};

/* Over all words but the last: rotate the sum by one bit, then add the word. */
static inline __u64 kho_handover_sum(const struct kho_handover *h)
{
	const __le64 *word = (const __le64 *)h;
	__u64 sum = 0;

	for (unsigned int i = 0; i < KHO_HANDOVER_SIZE / sizeof(*word) - 1; i++)
		sum = (sum << 1 | sum >> 63) + le64_to_cpu(word[i]);
	return sum;
}

static inline bool kho_handover_valid(const struct kho_handover *h, __u64 phys)
{
	return le64_to_cpu(h->magic) == KHO_HANDOVER_MAGIC && le64_to_cpu(h->self) == phys &&
	       le64_to_cpu(h->check) == kho_handover_sum(h) && h->nr_scratch &&
	       le64_to_cpu(h->nr_scratch) <= KHO_HANDOVER_MAX_SCRATCH;
}

#endif /* _LINUX_KHO_ABI_KHO_LOAD_H */
