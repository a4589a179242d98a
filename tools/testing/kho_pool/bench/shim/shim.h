/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the measured kernel files need beyond the kernel's own headers that
 * stand alone: locks, memory, atomics, and empty places for the driver model.
 * The Makefile makes the linux/ headers that lead here.
 */
#ifndef _KHO_POOL_BENCH_SHIM_H
#define _KHO_POOL_BENCH_SHIM_H

#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <asm/barrier.h>

/* A peer that would only warn is broken too, and what it does not worth a figure. */
#define BUG()		__builtin_trap()
#define BUG_ON(c)	do { if (unlikely(c)) BUG(); } while (0)
#define WARN_ON(c)	({ bool _c = !!(c); BUG_ON(_c); _c; })

/* libc */
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);
int printf(const char *fmt, ...);
int dprintf(int fd, const char *fmt, ...);

/* For the adapters: else there is nothing to measure. */
#define must(c)	do {							\
	if (unlikely(!(c))) {						\
		dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #c);	\
		BUG();							\
	}								\
} while (0)

#define pr_info		printf
#define __init
#define MODULE_DESCRIPTION(s)
#define MODULE_LICENSE(s)
#define module_init(f)	static void __attribute__((constructor)) call_##f(void) { f(); }
#define module_exit(f)	static void __attribute__((destructor)) call_##f(void) { f(); }
#define cond_resched()	do { } while (0)
#define get_random_u32_below(n)	({ BUG(); (n); })
#define kmemleak_update_trace(p)	do { } while (0)

#ifdef __x86_64__
#define cpu_relax()	__builtin_ia32_pause()
#else
#define cpu_relax()	barrier()
#endif

/* The same lock as the one that our own allocator gets in user space. */
typedef struct { u8 locked; } spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->locked = 0;
}

static inline void spin_lock(spinlock_t *lock)
{
	while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE))
		while (READ_ONCE(lock->locked))
			cpu_relax();
}

static inline void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

/* Nothing that is under RCU is ever freed while threads run. */
#define rcu_read_lock()			barrier()
#define rcu_read_unlock()		barrier()
#define rcu_assign_pointer(p, v)	smp_store_release(&(p), v)
#define rcu_dereference_raw(p)		READ_ONCE(p)

typedef struct { long counter; } atomic_long_t;

#define atomic_long_set(v, n)	WRITE_ONCE((v)->counter, n)
#define atomic_long_read(v)	READ_ONCE((v)->counter)
#define atomic_long_add(n, v)	((void)__atomic_fetch_add(&(v)->counter, n, __ATOMIC_RELAXED))
#define atomic_long_sub(n, v)	((void)__atomic_fetch_sub(&(v)->counter, n, __ATOMIC_RELAXED))
#define try_cmpxchg(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)

/* libc's calloc() is its slow path, hence malloc() and memset(). */
#define GFP_KERNEL			0
#define __GFP_ZERO			1

static __always_inline void *kmalloc(size_t size, gfp_t flags)
{
	void *p = malloc(size);

	return p && flags & __GFP_ZERO ? memset(p, 0, size) : p;
}

#define kfree(p)			free((void *)(p))
#define kfree_const(p)			kfree(p)
#define kstrdup_const(s, flags)		(s)
#define kzalloc(n, flags)		kmalloc(n, (flags) | __GFP_ZERO)
#define kmalloc_node(n, flags, nid)	kmalloc(n, flags)
#define kmalloc_array(n, size, flags)	kmalloc((n) * (size), flags)
#define kmalloc_array_node(n, size, flags, nid)	kmalloc_array(n, size, flags)
#define kcalloc(n, size, flags)		calloc(n, size)
#define kmalloc_objs(obj, n)		((typeof(obj) *)malloc((n) * sizeof(obj)))
#define vzalloc_node(n, nid)		calloc(1, n)
#define vfree(p)			free(p)

struct kmem_cache { size_t size; };

#define KMEM_CACHE(type, flags)	({					\
	struct kmem_cache *_c = malloc(sizeof(*_c));			\
	if (_c)								\
		_c->size = sizeof(struct type);				\
	_c; })
#define kmem_cache_zalloc(c, flags)	kzalloc((c)->size, flags)
#define kmem_cache_free(c, p)		kfree(p)
#define kmem_cache_destroy(c)		kfree(c)

/* Devices: none, and so nothing to find or to undo. */
struct device;
struct device_node;

#define devres_find(dev, release, match, data)	((void)(match), NULL)
#define devres_alloc(release, size, flags)	((void)(release), NULL)
#define devres_add(dev, res)			((void)(res))
#define devres_free(res)			((void)(res))
#define devm_add_action_or_reset(dev, f, p)	((void)(f), -ENODEV)

#endif /* _KHO_POOL_BENCH_SHIM_H */
