/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sum over an index, kept by its differences.  The format's header says
 * why it has this form.
 */
#ifndef _KHO_POOL_SUM_H
#define _KHO_POOL_SUM_H

#include <linux/types.h>
#include <asm/byteorder.h>

/* What @word contributes as the @n-th of its structure. */
static inline u64 kp_sum_word(u64 n, u64 word)
{
	word ^= word >> 32;
	word *= 0xd6e8feb86659fd93ULL;
	word ^= word >> 29;
	return word * (2 * (n * 0x9e3779b97f4a7c15ULL) + 1);
}

static inline u64 kp_sum_words(const __le64 *words, u64 n, u64 nr)
{
	u64 sum = 0;

	for (u64 i = 0; i < nr; i++)
		sum += kp_sum_word(n + i, le64_to_cpu(words[i]));
	return sum;
}

#endif /* _KHO_POOL_SUM_H */
