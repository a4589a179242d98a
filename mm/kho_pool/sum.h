/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sum over an index, kept by its differences.  The format's header says
 * why it has this form.
 */
#ifndef _KHO_POOL_SUM_H
#define _KHO_POOL_SUM_H

#include <linux/types.h>
#include <asm/byteorder.h>

static inline u64 kp_sum_mix(u64 word)
{
	word ^= word >> 32;
	word *= 0xd6e8feb86659fd93ULL;
	return word ^ word >> 29;
}

/* What the @n-th word of a structure counts with; goes up by a step a word. */
#define KP_SUM_STEP	(2 * 0x9e3779b97f4a7c15ULL)

static inline u64 kp_sum_factor(u64 n)
{
	return n * KP_SUM_STEP + 1;
}

/* What @word contributes as the @n-th of its structure. */
static inline u64 kp_sum_word(u64 n, u64 word)
{
	return kp_sum_mix(word) * kp_sum_factor(n);
}

static inline u64 kp_sum_words(const __le64 *words, u64 n, u64 nr)
{
	u64 sum = 0, factor = kp_sum_factor(n);

	for (u64 i = 0; i < nr; i++, factor += KP_SUM_STEP)
		sum += kp_sum_mix(le64_to_cpu(words[i])) * factor;
	return sum;
}

#endif /* _KHO_POOL_SUM_H */
