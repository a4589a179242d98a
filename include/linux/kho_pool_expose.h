/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the driver that makes devices of kho_pool's extents: drivers/dax/kho_pool/.
 * Other drivers need only linux/kho_pool.h.
 */
#ifndef _LINUX_KHO_POOL_EXPOSE_H
#define _LINUX_KHO_POOL_EXPOSE_H

#include <linux/types.h>

struct kho_pool;
struct kho_pool_extent;

/* The owner of extents that user space makes through /dev/kho_pool. */
#define KHO_POOL_USER		"user"

struct kho_pool_owner *__must_check kho_pool_user_owner(struct kho_pool *pool);

/**
 * struct kho_pool_exposed - how user space sees an extent
 * @align: page size that it is mapped with, bytes
 * @region: X of /dev/daxX.Y
 * @id: Y of /dev/daxX.Y
 * @held: a live update session has its file
 * @pinned: its pages were pinned when their driver left, and may still be
 */
struct kho_pool_exposed {
	u64 align;
	u32 region, id;
	bool held, pinned;
};

/**
 * struct kho_pool_exposer - makes devices of extents for /dev/kho_pool
 * @expose: make a device of an extent whose owner is KHO_POOL_USER, or of one that
 *	@is_ours; @as->align may be 0: as before, or the largest that fits
 * @hide: take the device away, if there is one, and make KHO_POOL_USER the owner again;
 *	-ENXIO if it is not exposed
 * @find: is there a device?
 * @is_ours: does its owner stand for exposed extents, and is it claimed?
 *
 * Calls are made one at a time, and may sleep.
 */
struct kho_pool_exposer {
	int (*expose)(struct kho_pool *pool, const struct kho_pool_extent *ext,
		      struct kho_pool_exposed *as);
	int (*hide)(struct kho_pool *pool, const struct kho_pool_extent *ext);
	bool (*find)(phys_addr_t phys, struct kho_pool_exposed *as);
	bool (*is_ours)(const struct kho_pool_extent *ext);
};

int kho_pool_set_exposer(const struct kho_pool_exposer *ops);
int kho_pool_iomem_open(phys_addr_t phys, u64 size);
void kho_pool_iomem_taken(phys_addr_t phys);
void kho_pool_iomem_close(phys_addr_t phys);

#endif /* _LINUX_KHO_POOL_EXPOSE_H */
