/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks that other parts of the kernel call.  Drivers need only linux/kho_pool.h. */
#ifndef _LINUX_KHO_POOL_HOOKS_H
#define _LINUX_KHO_POOL_HOOKS_H

#include <linux/types.h>

struct kimage;

#ifdef CONFIG_KHO_POOL
void kho_pool_init_early(void);
void kho_pool_yield_scratch(void);
bool kho_pool_owns(phys_addr_t phys, u64 size);
bool kho_pool_keeps(phys_addr_t phys, u64 size);
bool kho_pool_in_use(void);
int kho_pool_check_segments(struct kimage *image);
int kho_pool_check_kexec(struct kimage *image);
int kho_pool_prepare_kexec(struct kimage *image);
void kho_pool_cancel_kexec(void);
bool kho_pool_memory_failure(unsigned long pfn);
#else
static inline void kho_pool_init_early(void) { }
static inline void kho_pool_yield_scratch(void) { }
static inline bool kho_pool_owns(phys_addr_t phys, u64 size)
{
	return false;
}

static inline bool kho_pool_keeps(phys_addr_t phys, u64 size)
{
	return false;
}

static inline bool kho_pool_in_use(void)
{
	return false;
}

static inline int kho_pool_check_segments(struct kimage *image)
{
	return 0;
}

static inline int kho_pool_check_kexec(struct kimage *image)
{
	return 0;
}

static inline int kho_pool_prepare_kexec(struct kimage *image)
{
	return 0;
}

static inline void kho_pool_cancel_kexec(void) { }

static inline bool kho_pool_memory_failure(unsigned long pfn)
{
	return false;
}
#endif /* CONFIG_KHO_POOL */

#endif /* _LINUX_KHO_POOL_HOOKS_H */
