/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: who extents are charged to
 *
 * Extents that user space makes are charged to a group of the dmem cgroup
 * controller.  The next kernel has no groups when it takes the pools over, so it
 * is told the groups' paths.
 *
 * This is a contract between kernels.  Everything is little-endian and of fixed
 * width; addresses are physical.
 *
 * KHO's tree has a subtree "kho_pool-groups".  Its blob is the first of a list of
 * pages that KHO preserves, each of at least 4096 bytes.  The first page names no
 * group.  Each other page has some extents of one group; a group with more of them
 * has several pages.
 *
 * The pages are kept up to date while a kernel runs.  An extent that is in no page
 * belongs to no group: it was made in the root group, a crash came between its
 * allocation and the entry, or a kernel without this subtree made it.  An entry without
 * an extent of user space of just that place and size means nothing.  A kernel that
 * does not know the subtree does not hand it on, so the extents belong to no group from
 * then on.
 */
#ifndef _LINUX_KHO_ABI_KHO_POOL_GROUPS_H
#define _LINUX_KHO_ABI_KHO_POOL_GROUPS_H

#include <linux/types.h>

#define KHO_POOL_GROUPS_SUBTREE	"kho_pool-groups"
#define KHO_POOL_GROUPS_MAGIC	0x307370756f72676bULL	/* "kgroups0" */
#define KHO_POOL_GROUPS_VERSION	1
#define KHO_POOL_GROUPS_PATH	2016	/* bytes with the NUL */
#define KHO_POOL_GROUPS_EXTENTS	128

/**
 * struct kho_pool_group_extent - an extent of a group
 * @phys: where it is
 * @bytes: its size; 0: the entry is free
 */
struct kho_pool_group_extent {
	__le64 phys;
	__le64 bytes;
};

/**
 * struct kho_pool_group_page - some extents of a group
 * @magic: KHO_POOL_GROUPS_MAGIC
 * @version: KHO_POOL_GROUPS_VERSION; a reader leaves others alone
 * @reserved: 0
 * @next: the page that follows in the list, or 0
 * @unused: 0
 * @path: of the group in the default hierarchy, from its root, with a NUL; empty in
 *	the first page
 * @extent: entries, in no order
 */
struct kho_pool_group_page {
	__le64 magic;
	__le32 version;
	__le32 reserved;
	__le64 next;
	__le64 unused;
	char path[KHO_POOL_GROUPS_PATH];
	struct kho_pool_group_extent extent[KHO_POOL_GROUPS_EXTENTS];
};

#endif /* _LINUX_KHO_ABI_KHO_POOL_GROUPS_H */
