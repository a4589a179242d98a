/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers of tests and benchmarks: the same seed, which must not be 0, gives
 * the same ones on every machine.
 */
#ifndef _KHO_POOL_TEST_RANDOM_H
#define _KHO_POOL_TEST_RANDOM_H

#include <stdint.h>

/* xorshift64*; its low bits are the weaker ones. */
static inline uint64_t random_word(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed * 0x2545f4914f6cdd1dULL;
}

static inline uint64_t random_below(uint64_t *seed, uint64_t below)
{
	return (random_word(seed) >> 11) % below;
}

#endif /* _KHO_POOL_TEST_RANDOM_H */
