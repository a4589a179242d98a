/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools and their regions, as the kernel has them.
 *
 *	early.c ------> pool.c ------> index, root (pure)
 *	handover.c ---> pool.c
 *	sysfs.c, debugfs.c ---> pool.c, handover.c
 *	trace.c ---> pool.c
 */
#ifndef _KHO_POOL_POOL_H
#define _KHO_POOL_POOL_H

#include <linux/kho_pool.h>
#include <linux/kobject.h>
#include <linux/spinlock.h>

#include "index.h"
#include "root.h"

struct kp_region {
	struct kp_index idx;	/* unused unless the state is OK */
	struct kho_pool *pool;
	phys_addr_t base, index;
	u64 size, index_size;	/* bytes */
	int nid;
	u32 state;		/* KHO_POOL_REGION_* */
	/* How much came over, and how long it took; for trace.c */
	u64 restored, restore_cycles;
};

struct kho_pool_owner {
	struct kho_pool *pool;
	const char *name;
	u8 id;			/* slot in every region's owner table */
};

struct kho_pool {
	char name[KHO_POOL_POOL_NAME_MAX];
	struct kp_region *region[KHO_POOL_MAX_REGIONS];
	u32 nr_regions;
	bool read_only;		/* the root has features that we may only read */
	/* Outermost: names are unique in the pool, indexes know their own only. */
	raw_spinlock_t name_lock;
	struct kho_pool_owner owner[KHO_POOL_OWNERS];
	atomic64_t failures;	/* allocations that were not met */
	atomic64_t bad_frees;
	struct kobject kobj;
};

/* Set by debugfs, for tests; all zero without CONFIG_KHO_POOL_DEBUG. */
struct kp_debug {
	/* In checks of a kexec image, for the place of its first one; 0: where it is */
	u64 segment, control;
	bool late;		/* in the check before the seal only, else in those before */
	bool inject;		/* root may hand on something else than the pools */
};

/* One of a kind.  Written at boot, at the seal and by debugfs. */
struct kp_state {
	struct kho_pool pool[KHO_POOL_MAX_POOLS];
	struct kp_region region[KHO_POOL_MAX_REGIONS];
	u32 nr_pools, nr_regions;
	u64 ro_compat, compat;
	u64 generation;
	u64 restore_cycles;	/* taking the pools over took this long */
	u64 seal_ns;		/* and sealing them, in the kernel before */
	u32 root_size;		/* bytes of the tree as last written */
	phys_addr_t blob;	/* root and keep list; 0: there are no pools */
	struct kp_keep keep;
	const char *quarantine;	/* why nothing is known of the pools, or NULL */
	const char *no_handover;/* why they cannot be handed on, or NULL */
	bool sealed;
	struct kp_debug debug;
};

extern struct kp_state kp_state;

static inline bool kp_region_ok(const struct kp_region *r)
{
	return r->state == KHO_POOL_REGION_OK;
}

const char *kp_region_reason(u32 state);

/* Interrupts are disabled. */
struct kp_lane *kp_this_lane(struct kp_region *r);

/* What an index is asked for pools and shown in sysfs: sums over the regions. */
struct kp_pool_stat {
	struct kp_stat free;
	u64 size, index_bytes, quarantined, regions, bad_frames;
	s64 extents, unclaimed, used_frames;
	u64 allocs, frees;
};

void kp_node_stat(struct kho_pool *pool, int nid, struct kp_pool_stat *stat);
void kp_pool_stat(struct kho_pool *pool, struct kp_pool_stat *stat);
s64 kp_pool_extents(void);
u64 kp_bad_frames(const struct kp_region *r);

/* handover.c */
void kp_root_write(bool sealed);
int kp_seal(void);
void kp_unseal(void);

#define for_each_pool(p) \
	for ((p) = kp_state.pool; (p) < kp_state.pool + kp_state.nr_pools; (p)++)
#define for_each_region(r) \
	for ((r) = kp_state.region; (r) < kp_state.region + kp_state.nr_regions; (r)++)

/* The first region of @pool from number *@i on that is in use, or NULL. */
static inline struct kp_region *kp_next_region(struct kho_pool *pool, u32 *i)
{
	for (; *i < pool->nr_regions; ++*i)
		if (kp_region_ok(pool->region[*i]))
			return pool->region[*i];
	return NULL;
}

#define for_each_pool_region(pool, r, i) \
	for ((i) = 0; ((r) = kp_next_region(pool, &(i))); (i)++)

#endif /* _KHO_POOL_POOL_H */
