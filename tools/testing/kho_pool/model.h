/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pool of several regions on two nodes beside an oracle that is a list of
 * extents and one byte a frame.  The same sequence of operations always does
 * the same: random, fuzzed and shrunk ones all run here.
 */
#ifndef _KHO_POOL_TEST_MODEL_H
#define _KHO_POOL_TEST_MODEL_H

#include <linux/types.h>

struct op {
	u8 kind, a;
	u16 b;
	u32 c;
};

struct model_stat {
	u64 allocs, refused, frees, restores, quarantined;
};

/*
 * Runs them all on a new pool, a @large one with extents of gigabytes or a
 * small one.  Returns NULL, or what is wrong after operation *@at.
 */
const char *model_run(const struct op *ops, u32 nr, bool large, u32 *at,
		      struct model_stat *stat);
void model_print(const struct op *op);

#endif /* _KHO_POOL_TEST_MODEL_H */
