// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames that were bad before this kernel leave the direct map, where the CPU might read
 * them speculatively.  At the error itself, the architecture does that.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/init.h>
#include <linux/mm.h>
#include <linux/set_memory.h>

#include "pool.h"

static int __init kp_unmap_bad(void)
{
	struct kp_region *r;
	u64 nr = 0, frame;

	for_each_region(r) {
		u32 i = 0, run;

		while (kp_region_ok(r) && (run = kp_bad_run(&r->idx, &i, &frame)))
			for (; run; run--, frame++)
				nr += !set_mce_nospec(PHYS_PFN(r->base) + frame);
	}
	if (nr)
		pr_info("%llu pages with memory errors, found by earlier kernels\n", nr);
	return 0;
}

/* Before any owner looks at what it had */
core_initcall(kp_unmap_bad);
