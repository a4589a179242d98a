// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events, and those of early boot, told once they can be.
 *
 * The pools are taken over before tracing is set up, and before static branches
 * work.  What was found then is recorded, and told by the first initcalls: after
 * trace_event= on the command line has had its effect.
 */
#include <linux/init.h>

#include "pool.h"

#define CREATE_TRACE_POINTS
#include <trace/events/kho_pool.h>

static int __init trace_early_boot(void)
{
	struct kp_region *r;

	if (kp_state.quarantine) {
		/* It is not known which pools there are. */
		for (u32 i = 0; i < kp_state.keep.nr; i++)
			if (kp_state.keep.range[i].flags & KHO_POOL_KEEP_POOL)
				trace_kho_pool_quarantine("", kp_state.keep.range[i].base,
							  kp_state.keep.range[i].size,
							  kp_state.quarantine);
		if (!kp_state.keep.nr)
			trace_kho_pool_quarantine("", 0, 0, kp_state.quarantine);
		return 0;
	}
	for_each_region(r) {
		if (!kp_region_ok(r))
			trace_kho_pool_quarantine(r->pool->name, r->base, r->size,
						  kp_region_reason(r->state));
		else if (kp_state.generation)
			trace_kho_pool_restore(r->pool->name, r->base, r->size, r->nid,
					       kp_state.generation, r->restored,
					       r->restore_cycles);
	}
	return 0;
}
core_initcall(trace_early_boot);
