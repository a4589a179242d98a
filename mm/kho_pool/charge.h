/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KHO_POOL_CHARGE_H
#define _KHO_POOL_CHARGE_H

#include <linux/cleanup.h>
#include <linux/types.h>

struct kho_pool;
struct kp_charge;

#ifdef CONFIG_CGROUP_DMEM
int kp_charge_init(void);
struct kp_charge *kp_charge_begin(struct kho_pool *pool, u64 bytes);
int kp_charge_end(struct kp_charge *c, const char *name, phys_addr_t phys);
void kp_charge_undo(struct kp_charge *c);
void kp_charge_lock(void);
void kp_charge_unlock(void);
void kp_charge_drop(phys_addr_t phys);
void kp_charge_sweep(void);
#else
static inline int kp_charge_init(void)
{
	return 0;
}

static inline struct kp_charge *kp_charge_begin(struct kho_pool *pool, u64 bytes)
{
	return NULL;
}

static inline int kp_charge_end(struct kp_charge *c, const char *name, phys_addr_t phys)
{
	return 0;
}

static inline void kp_charge_undo(struct kp_charge *c) { }
static inline void kp_charge_lock(void) { }
static inline void kp_charge_unlock(void) { }
static inline void kp_charge_drop(phys_addr_t phys) { }
static inline void kp_charge_sweep(void) { }
#endif

/* While extents are freed, and their charges dropped */
DEFINE_LOCK_GUARD_0(kp_charge, kp_charge_lock(), kp_charge_unlock())

#endif /* _KHO_POOL_CHARGE_H */
