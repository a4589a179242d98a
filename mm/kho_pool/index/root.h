/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The root and the keep list: the contents of the two pages that KHO's tree names.
 *
 * Pure code, like the index; libfdt does the flattened tree.
 */
#ifndef _KHO_POOL_ROOT_H
#define _KHO_POOL_ROOT_H

#include <linux/kho/abi/kho_pool.h>
#include <linux/types.h>

struct kp_root_region {
	u64 base, size;		/* bytes */
	u64 index, index_size;	/* bytes */
	u64 csum;
	u32 nid, state;
	u32 pool;		/* number in the root's pool_name[] */
};

struct kp_root {
	u64 incompat;
	u64 ro_compat, compat;	/* kept as they came */
	u64 frame_size;
	u64 generation;
	u64 sealed;
	u64 seal_ns;
	u32 nr_pools, nr_regions;
	char pool_name[KHO_POOL_MAX_POOLS][KHO_POOL_POOL_NAME_MAX];
	struct kp_root_region region[KHO_POOL_MAX_REGIONS];
};

struct kp_keep {
	u32 nr;
	struct {
		u64 base, size, flags;
	} range[KHO_POOL_MAX_KEEP];
};

/* Returns the length of the tree, or a negative error. */
int kp_root_encode(const struct kp_root *root, void *page);
/* The duration of the seal is known only after the rest is written. */
int kp_root_set_seal_ns(void *page, u64 seal_ns);
/* NULL, or what is wrong with it; *@root must not be used then. */
const char *kp_root_decode(const void *page, u64 frame_size, struct kp_root *root);

void kp_keep_encode(const struct kp_keep *keep, void *page);
bool kp_keep_decode(const void *page, struct kp_keep *keep);

#endif /* _KHO_POOL_ROOT_H */
