/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KHO_POOL_CHARGE_H
#define _KHO_POOL_CHARGE_H

#include <linux/types.h>

struct kho_pool;
struct kp_charge;

#ifdef CONFIG_CGROUP_DMEM
int kp_charge_init(void);
struct kp_charge *kp_charge_begin(struct kho_pool *pool, u64 bytes);
void kp_charge_end(struct kp_charge *charge, phys_addr_t phys);
void kp_charge_undo(struct kp_charge *charge);
struct kp_charge *kp_charge_detach(phys_addr_t phys);
#else
static inline int kp_charge_init(void)
{
	return 0;
}

static inline struct kp_charge *kp_charge_begin(struct kho_pool *pool, u64 bytes)
{
	return NULL;
}

static inline void kp_charge_end(struct kp_charge *charge, phys_addr_t phys)
{
}

static inline void kp_charge_undo(struct kp_charge *charge)
{
}

static inline struct kp_charge *kp_charge_detach(phys_addr_t phys)
{
	return NULL;
}
#endif

#endif /* _KHO_POOL_CHARGE_H */
