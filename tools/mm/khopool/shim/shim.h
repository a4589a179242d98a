/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The little of the kernel that the index needs, for user space.  The headers
 * under linux/ and asm/ next to this file all lead here.  Not tools/include: the
 * command is also built where there is no kernel tree.
 */
#ifndef _KHO_POOL_SHIM_H
#define _KHO_POOL_SHIM_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef uint32_t __le32;
typedef uint64_t __le64;

#define cpu_to_le32	htole32
#define cpu_to_le64	htole64
#define le32_to_cpu	le32toh
#define le64_to_cpu	le64toh

#define SMP_CACHE_BYTES		64
#define __aligned(n)		__attribute__((aligned(n)))
#define ____cacheline_aligned	__attribute__((aligned(SMP_CACHE_BYTES)))
#define BITS_PER_LONG		64
#define BITS_TO_LONGS(n)	(((n) + 63) / 64)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN(x, a)		(((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#undef static_assert
#define static_assert(x)	_Static_assert(x, #x)
#define likely(x)		__builtin_expect(!!(x), 1)
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define __must_check		__attribute__((warn_unused_result))
#define noinline		__attribute__((noinline))
#define unlikely(x)		__builtin_expect(!!(x), 0)

#define min(a, b)	({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b)	({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a > _b ? _a : _b; })
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define smp_mb__after_spinlock()	__asm__ volatile("" ::: "memory")
#define cpu_relax()		__builtin_ia32_pause()
#else
#define smp_mb__after_spinlock()	smp_mb()
#define cpu_relax()		__asm__ volatile("" ::: "memory")
#endif

static inline u32 __ffs64(u64 x) { return __builtin_ctzll(x); }
static inline u32 __fls(u64 x) { return 63 - __builtin_clzll(x); }
static inline u32 fls64(u64 x) { return x ? 64 - __builtin_clzll(x) : 0; }
static inline u32 hweight64(u64 x) { return __builtin_popcountll(x); }

static inline bool test_bit(u32 n, const unsigned long *map)
{
	return READ_ONCE(map[n / 64]) >> (n % 64) & 1;
}

static inline void set_bit(u32 n, unsigned long *map)
{
	__atomic_fetch_or(&map[n / 64], 1UL << (n % 64), __ATOMIC_RELAXED);
}

static inline void clear_bit(u32 n, unsigned long *map)
{
	__atomic_fetch_and(&map[n / 64], ~(1UL << (n % 64)), __ATOMIC_RELAXED);
}

static inline u32 find_next_bit(const unsigned long *map, u32 size, u32 from)
{
	while (from < size) {
		unsigned long word = READ_ONCE(map[from / 64]) >> (from % 64);

		if (word)
			return min(from + __ffs64(word), size);
		from = (from | 63) + 1;
	}
	return size;
}

static inline u32 find_next_zero_bit(const unsigned long *map, u32 size, u32 from)
{
	while (from < size) {
		unsigned long word = ~READ_ONCE(map[from / 64]) >> (from % 64);

		if (word)
			return min(from + __ffs64(word), size);
		from = (from | 63) + 1;
	}
	return size;
}

typedef struct { u8 locked; } raw_spinlock_t;

static inline void raw_spin_lock_init(raw_spinlock_t *lock)
{
	lock->locked = 0;
}

static inline bool raw_spin_trylock(raw_spinlock_t *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

static inline void raw_spin_lock(raw_spinlock_t *lock)
{
	while (!raw_spin_trylock(lock))
		while (READ_ONCE(lock->locked))
			cpu_relax();
}

static inline void raw_spin_unlock(raw_spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

static inline const void *memchr_inv(const void *p, int c, size_t n)
{
	for (const u8 *b = p; n--; b++)
		if (*b != (u8)c)
			return b;
	return NULL;
}

static inline void strscpy(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(src, size - 1);

	memcpy(dst, src, n);
	dst[n] = 0;
}

#endif /* _KHO_POOL_SHIM_H */
