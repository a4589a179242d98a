/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each file of interleave_test: before each access to what CPUs share, and
 * with locks held, too, the other CPU may go on.
 */
#ifndef _KHO_POOL_TEST_INTERLEAVE_H
#define _KHO_POOL_TEST_INTERLEAVE_H

#include <shim.h>

void interleave_point(void);	/* the other CPU may go on */
void interleave_wait(void);	/* it has to */

static inline bool interleave_trylock(raw_spinlock_t *lock)
{
	interleave_point();
	return raw_spin_trylock(lock);
}

static inline void interleave_lock(raw_spinlock_t *lock)
{
	interleave_point();
	while (!raw_spin_trylock(lock))
		interleave_wait();
}

static inline void interleave_unlock(raw_spinlock_t *lock)
{
	raw_spin_unlock(lock);
	interleave_point();
}

#define raw_spin_lock(lock)	interleave_lock(lock)
#define raw_spin_trylock(lock)	interleave_trylock(lock)
#define raw_spin_unlock(lock)	interleave_unlock(lock)

#define set_bit(n, map)		(interleave_point(), set_bit(n, map))
#define clear_bit(n, map)	(interleave_point(), clear_bit(n, map))
#define test_bit(n, map)	(interleave_point(), test_bit(n, map))
#define find_next_bit(map, size, from)	\
	(interleave_point(), find_next_bit(map, size, from))
#define find_next_zero_bit(map, size, from)	\
	(interleave_point(), find_next_zero_bit(map, size, from))

#undef cpu_relax
#undef READ_ONCE
#undef WRITE_ONCE
#undef smp_load_acquire
#undef smp_store_release
#define cpu_relax()		interleave_wait()
#define READ_ONCE(x)		(interleave_point(), __atomic_load_n(&(x), __ATOMIC_RELAXED))
#define smp_load_acquire(p)	(interleave_point(), __atomic_load_n(p, __ATOMIC_ACQUIRE))
#define interleave_store(p, v, order) ({	\
	__typeof__(*(p)) _v = (v);		\
	interleave_point();			\
	__atomic_store_n(p, _v, order);		\
})
#define WRITE_ONCE(x, v)	interleave_store(&(x), v, __ATOMIC_RELAXED)
#define smp_store_release(p, v)	interleave_store(p, v, __ATOMIC_RELEASE)

#endif /* _KHO_POOL_TEST_INTERLEAVE_H */
