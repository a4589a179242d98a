/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checksum over an index, updated by differences.  The format's header explains why
 * it has this form.
 */
#ifndef _KHO_POOL_CSUM_H
#define _KHO_POOL_CSUM_H

#include <linux/types.h>
#include <asm/byteorder.h>

static inline u64 kp_csum_mix(u64 word)
{
	word ^= word >> 32;
	word *= 0xd6e8feb86659fd93ULL;
	return word ^ word >> 29;
}

/* The factor of the @n-th word of a structure; it grows by the same step each word. */
#define KP_CSUM_STEP	(2 * 0x9e3779b97f4a7c15ULL)

static inline u64 kp_csum_factor(u64 n)
{
	return n * KP_CSUM_STEP + 1;
}

/* What @word contributes as the @n-th of its structure. */
static inline u64 kp_csum_word(u64 n, u64 word)
{
	return kp_csum_mix(word) * kp_csum_factor(n);
}

static inline u64 kp_csum_words(const __le64 *words, u64 n, u64 nr)
{
	u64 csum = 0, factor = kp_csum_factor(n);

	for (u64 i = 0; i < nr; i++, factor += KP_CSUM_STEP)
		csum += kp_csum_mix(le64_to_cpu(words[i])) * factor;
	return csum;
}

#endif /* _KHO_POOL_CSUM_H */
