/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each file of beside_test: wherever no lock is held that the other
 * operation could wait for, and something is about to be read, the test may run it.  Reads
 * are counted, and comparisons of owners' names.
 */
#ifndef _KHO_POOL_TEST_BESIDE_H
#define _KHO_POOL_TEST_BESIDE_H

#include <shim.h>

/* Locks that are held, but for the pool's name_lock */
extern int beside_held;
extern unsigned long beside_reads;
void beside_point(void);
bool beside_ignores(const raw_spinlock_t *lock);

static inline void beside_lock(raw_spinlock_t *lock)
{
	beside_point();
	raw_spin_lock(lock);
	beside_held += !beside_ignores(lock);
}

static inline bool beside_trylock(raw_spinlock_t *lock)
{
	bool done;

	beside_point();
	done = raw_spin_trylock(lock);
	beside_held += done && !beside_ignores(lock);
	return done;
}

static inline void beside_unlock(raw_spinlock_t *lock)
{
	raw_spin_unlock(lock);
	beside_held -= !beside_ignores(lock);
	beside_point();
}

#define raw_spin_lock(lock)	beside_lock(lock)
#define raw_spin_trylock(lock)	beside_trylock(lock)
#define raw_spin_unlock(lock)	beside_unlock(lock)

static inline void beside_read(void)
{
	beside_reads++;
	beside_point();
}

#undef READ_ONCE
#define READ_ONCE(x)	(beside_read(), __atomic_load_n(&(x), __ATOMIC_RELAXED))

static inline int beside_strncmp(const char *a, const char *b, size_t n)
{
	beside_reads++;
	return strncmp(a, b, n);
}

#undef strncmp
#define strncmp(a, b, n)	beside_strncmp(a, b, n)

#endif /* _KHO_POOL_TEST_BESIDE_H */
