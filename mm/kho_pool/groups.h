/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages with the groups that extents are charged to, see
 * include/linux/kho/abi/kho_pool_groups.h
 */
#ifndef _KHO_POOL_GROUPS_H
#define _KHO_POOL_GROUPS_H

#include <linux/build_bug.h>
#include <linux/kho/abi/kho_pool_groups.h>
#include <linux/string.h>

static_assert(sizeof(struct kho_pool_group_page) == 4096);

/* A page that is cleared becomes one of the group at @path. */
static inline void kp_group_page_init(struct kho_pool_group_page *page, const char *path)
{
	page->magic = cpu_to_le64(KHO_POOL_GROUPS_MAGIC);
	page->version = cpu_to_le32(KHO_POOL_GROUPS_VERSION);
	strscpy(page->path, path);
}

static inline bool kp_group_page_valid(const struct kho_pool_group_page *page)
{
	return page->magic == cpu_to_le64(KHO_POOL_GROUPS_MAGIC) &&
	       page->version == cpu_to_le32(KHO_POOL_GROUPS_VERSION) &&
	       memchr(page->path, 0, sizeof(page->path));
}

/* An entry is an extent, or, with @bytes 0, free. */
static inline void kp_group_page_set(struct kho_pool_group_page *page, u32 slot, u64 phys,
				     u64 bytes)
{
	page->extent[slot].phys = cpu_to_le64(phys);
	page->extent[slot].bytes = cpu_to_le64(bytes);
}

#endif /* _KHO_POOL_GROUPS_H */
