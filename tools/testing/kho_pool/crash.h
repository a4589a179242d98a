/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each file of crash_test: what writes to the persistent index,
 * and what orders that, goes to crash_test.c as well.
 */
#ifndef _KHO_POOL_TEST_CRASH_H
#define _KHO_POOL_TEST_CRASH_H

#include <shim.h>

void record_lock(void);
void record_store(void *p, u64 word, bool release);
void *record_memset(void *p, int c, size_t n);

#undef smp_store_release
/* Every store to the index is one of these, see kp_store(), or a memset(). */
#define smp_store_release(p, v) do {			\
	record_store((void *)(p), v, true);		\
	__atomic_store_n(p, v, __ATOMIC_RELEASE);	\
} while (0)

#define memset(p, c, n)	record_memset(p, c, n)

static inline void record_spin_lock(raw_spinlock_t *lock)
{
	raw_spin_lock(lock);
	record_lock();
}

static inline bool record_spin_trylock(raw_spinlock_t *lock)
{
	if (!raw_spin_trylock(lock))
		return false;
	record_lock();
	return true;
}

#define raw_spin_lock(lock)	record_spin_lock(lock)
#define raw_spin_trylock(lock)	record_spin_trylock(lock)

#endif /* _KHO_POOL_TEST_CRASH_H */
