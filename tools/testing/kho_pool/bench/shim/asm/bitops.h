/* SPDX-License-Identifier: GPL-2.0-only */
/* Single instructions, as every architecture of interest has them. */
#ifndef _KHO_POOL_BENCH_ASM_BITOPS_H
#define _KHO_POOL_BENCH_ASM_BITOPS_H

#include <asm-generic/bitops/builtin-__ffs.h>
#include <asm-generic/bitops/builtin-__fls.h>
#include <asm-generic/bitops/builtin-ffs.h>
#include <asm-generic/bitops/builtin-fls.h>
#include <asm-generic/bitops/ffz.h>
#include <asm-generic/bitops/fls64.h>
#include <asm-generic/bitops/non-atomic.h>

#define hweight8(x)	__builtin_popcount((u8)(x))
#define hweight16(x)	__builtin_popcount((u16)(x))
#define hweight32(x)	__builtin_popcount(x)
#define hweight64(x)	__builtin_popcountll(x)

static inline void set_bit(unsigned int n, unsigned long *map)
{
	__atomic_fetch_or(&map[n / BITS_PER_LONG], 1UL << n % BITS_PER_LONG, __ATOMIC_RELAXED);
}

#endif /* _KHO_POOL_BENCH_ASM_BITOPS_H */
