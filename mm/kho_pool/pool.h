/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: kho_pool source files
 *
 * Each uses only those above it::
 *
 *	include/linux/kho/abi/kho_pool.h    the format, a contract between kernels
 *	mm/kho_pool/index/                  the index and the root: pure code
 *	mm/kho_pool/trace.c                 trace events
 *	mm/kho_pool/notify.c                what user space is told of
 *	mm/kho_pool/pool.c pool.h           pools, the in-kernel interface
 *	mm/kho_pool/regions.c early.h       the regions of pools
 *	mm/kho_pool/cmdline.c               kho_pool= on the command line
 *	mm/kho_pool/room.c                  how much memory pools may take
 *	mm/kho_pool/carve.c                 making pools
 *	mm/kho_pool/takeover.c              taking pools over, or quarantining them
 *	mm/kho_pool/early.c                 early boot
 *	mm/kho_pool/unmap_bad.c             memory errors and the direct map
 *	mm/kho_pool/seal.c handover.h       the root and the seal
 *	mm/kho_pool/kexec.c                 checks of kexec images
 *	mm/kho_pool/kexec_sysfs.c           what would become of a kexec now
 *	mm/kho_pool/note.c                  what this kernel says in its own image
 *	mm/kho_pool/handover.c              handing the pools to the next kernel
 *	mm/kho_pool/iomem.c                 /proc/iomem
 *	mm/kho_pool/sysfs.c                 /sys/kernel/mm/kho_pool
 *	mm/kho_pool/groups.h                what the next kernel is told of cgroups
 *	mm/kho_pool/charge.c charge.h       which cgroup extents are charged to
 *	mm/kho_pool/control.c               /dev/kho_pool/control
 *	drivers/dax/kho_pool/               extents as device-dax devices
 *	drivers/misc/kho_pool_klog/         the kernel's log, over several kernels
 *	mm/kho_pool/inspect.c inject.c      for debugging
 *	mm/kho_pool/debugfs.c
 */
#ifndef _KHO_POOL_POOL_H
#define _KHO_POOL_POOL_H

#include <linux/kho_pool.h>
#include <linux/kho_pool_hooks.h>
#include <linux/kobject.h>
#include <linux/spinlock.h>

#include "index/index.h"
#include "index/root.h"

struct kp_region {
	struct kp_index idx;	/* unused unless the state is OK */
	struct kho_pool *pool;
	phys_addr_t base, index;
	u64 size, index_size;	/* bytes */
	int nid;
	u32 state;		/* KHO_POOL_REGION_* */
	u64 restore_cycles;	/* how long taking it over took; early.c traces it */
};

struct kho_pool_owner {
	struct kho_pool *pool;
	const char *name;	/* in the index of a region; NULL or "": nobody's */
	u8 id;			/* slot in every region's owner table */
	u32 users;		/* how often it is registered, in this kernel */
	const struct module *module;	/* by whom */
};

struct kho_pool {
	char name[KHO_POOL_POOL_NAME_MAX];
	struct kp_region *region[KHO_POOL_MAX_REGIONS];
	u32 nr_regions;
	bool read_only;		/* the root has features that we may only read */
	struct kho_pool_owner owner[KHO_POOL_OWNERS];
	struct kobject kobj;
	/*
	 * Outermost: names are unique in the pool, and each index knows only its own.
	 * Every allocation reads what is above, so this is in a cache line of its own.
	 */
	raw_spinlock_t name_lock ____cacheline_aligned;
	u32 registrations;	/* how often owners came and went */
	u32 owners_known;	/* of the first so many regions the owners are in @owner */
	struct kp_named *named;	/* names of extents that are being allocated */
	atomic64_t failures;	/* allocations that were not met */
	atomic64_t bad_frees;
	struct kp_notifier *notifier;	/* NULL: nobody could be told yet */
};

/* There is only one.  Written at boot, at the seal and by debugfs. */
struct kp_state {
	struct kho_pool pool[KHO_POOL_MAX_POOLS];
	struct kp_region region[KHO_POOL_MAX_REGIONS];
	u32 nr_pools, nr_regions;
	u64 ro_compat, compat;
	u64 generation;
	u64 restore_cycles;	/* how long taking the pools over took */
	u64 seal_ns;		/* how long the previous kernel took to seal them */
	u32 root_size;		/* bytes of the tree as last written */
	phys_addr_t blob;	/* root and keep list; 0: there are no pools */
	bool blob_there;	/* and they are in this kernel's memory */
	struct kp_keep keep;
	const char *quarantine;	/* why nothing is known of the pools, or NULL */
	const char *no_handover;/* why they cannot be handed on, or NULL */
	bool sealed;
	struct kobject *kobj;	/* /sys/kernel/mm/kho_pool, when it is there */
};

extern struct kp_state kp_state;

static inline bool kp_region_ok(const struct kp_region *r)
{
	return r->state == KHO_POOL_REGION_OK;
}

const char *kp_region_reason(u32 state);

/* notify.c: what somebody may wait for */
enum kp_changed {
	KP_CHANGED_STATE,
	KP_CHANGED_BAD_FRAMES,
	KP_CHANGED_FAILURES,
};

int kp_notify_init(struct kho_pool *pool);
void kp_notify(struct kho_pool *pool, enum kp_changed what);

/* Interrupts are disabled. */
struct kp_pcpu *kp_this_pcpu(struct kp_region *r);

/* What is summed up over the regions, for sysfs; what is free has to be counted. */
enum kp_sum {
	KP_SUM_REGIONS,
	KP_SUM_SIZE,
	KP_SUM_INDEX_BYTES,
	KP_SUM_QUARANTINED,
	KP_SUM_BAD_FRAMES,
	/* These are summed up over the CPUs, too. */
	KP_SUM_EXTENTS,
	KP_SUM_UNCLAIMED,
	KP_SUM_ALLOCS,
	KP_SUM_FREES,
};

u64 kp_node_sum(struct kho_pool *pool, int nid, enum kp_sum what);
void kp_node_count(struct kho_pool *pool, int nid, struct kp_stat *free);
s64 kp_pool_extents(void);
struct kp_region *kp_region_at(phys_addr_t phys);
bool kp_name_in_use(struct kho_pool *pool, const char *name);
u64 kp_bad_frames(const struct kp_region *r);
void kp_give_rest(struct kp_region *r, struct kp_rest *rest);
int __must_check kho_pool_release_owner(struct kho_pool *pool, const char *owner);

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
