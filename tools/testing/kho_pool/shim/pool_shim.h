/* SPDX-License-Identifier: GPL-2.0-only */
/* What mm/kho_pool/pool.c needs besides, for user space. */
#ifndef _KHO_POOL_SHIM_POOL_H
#define _KHO_POOL_SHIM_POOL_H

#include <limits.h>
#include <shim.h>
#include <stdlib.h>

#define CONFIG_KHO_POOL 1

typedef u64 phys_addr_t;
struct kobject { int unused; };
struct module { int unused; };

#define THIS_MODULE	((struct module *)NULL)

typedef struct { s64 counter; } atomic64_t;

static inline void atomic64_inc(atomic64_t *v)
{
	__atomic_fetch_add(&v->counter, 1, __ATOMIC_RELAXED);
}

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PFN_PHYS(pfn)		((phys_addr_t)(pfn) << PAGE_SHIFT)
#define SZ_2M			0x200000
#define NUMA_NO_NODE		(-1)
#define MAX_NUMNODES		64
/* A search for memory on another node asks for it, twice; a test may do something then. */
#define node_distance(a, b)	(shim_far(), 10 + 10 * abs((a) - (b)))
__attribute__((weak)) void (*shim_when_far)(void);

static inline void shim_far(void)
{
	if (shim_when_far)
		shim_when_far();
}

#define EXPORT_SYMBOL_GPL(f)	extern typeof(f) f
#define ERR_PTR(err)		((void *)(long)(err))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= -4095UL)
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
/* A test may say that the task is to die, and see whether it would have slept. */
__attribute__((weak)) bool shim_killed;
__attribute__((weak)) u32 shim_sleeps;
#define fatal_signal_pending(task)	shim_killed
#define might_sleep_if(cond)	((void)(shim_sleeps += !!(cond)))
#define cond_resched()		((void)shim_sleeps++)
#define local_irq_save(f)	((f) = 0)
#define local_irq_restore(f)	((void)(f))
#define raw_spin_lock_irqsave(l, f)		((f) = 0, raw_spin_lock(l))
#define raw_spin_unlock_irqrestore(l, f)	((void)(f), raw_spin_unlock(l))
#define strscpy_pad(dst, src)	(memset(dst, 0, sizeof(dst)), strscpy(dst, src, sizeof(dst)))

static inline void pr_err(const char *fmt, ...) { }
static inline void pr_warn_ratelimited(const char *fmt, ...) { }

/* The test says which CPU it is on, and where memory is. */
extern __thread u32 this_cpu;
#define smp_processor_id()	this_cpu
/* Two nodes, with CPUs in turns */
#define numa_mem_id()		((int)(this_cpu & 1))
void *phys_to_virt(phys_addr_t phys);

static inline raw_spinlock_t *guard_lock(raw_spinlock_t *lock)
{
	raw_spin_lock(lock);
	return lock;
}

static inline void guard_unlock(raw_spinlock_t **lock)
{
	raw_spin_unlock(*lock);
}

#define guarded			__attribute__((cleanup(guard_unlock)))
#define guard(kind)		raw_spinlock_t *guard guarded = guard_lock
#define scoped_guard(kind, lock) \
	for (raw_spinlock_t *g guarded = guard_lock(lock), *once = g; once; once = NULL)

#endif /* _KHO_POOL_SHIM_POOL_H */
