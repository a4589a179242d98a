// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Early boot
 *
 * At a cold boot the pools are carved out of memory.  After a kexec, those that
 * the previous kernel has left are taken over.
 *
 * This runs in mm_core_init_early(), when memblock and the direct map exist and
 * zones do not.  Pool memory is removed from memblock, so it gets no struct
 * pages, belongs to no zone and costs nothing to initialise.  The indexes and the
 * root stay in memblock and are reserved.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/cc_platform.h>
#include <linux/crash_dump.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/timex.h>
#include <trace/events/kho_pool.h>

#include "early.h"

/* The first pools of a machine, or the first after a kernel that had none. */
static void __init kp_make_pools(void)
{
	if (!kp_args[0])
		return;
	if (!kho_is_enabled()) {
		pr_err("kho_pool=%s: no pool is made, because Kexec HandOver is off (kho=on)\n",
		       kp_args);
		return;
	}
	/* The next kernel would read it with encryption off, so it could not be handed on. */
	if (cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT)) {
		pr_err("kho_pool=%s: no pool is made, because memory is encrypted (mem_encrypt=on)\n",
		       kp_args);
		return;
	}
	if (is_kho_boot() && kho_reserve_early()) {
		pr_err("kho_pool=%s: no pool is made, because what was handed over cannot be reserved\n",
		       kp_args);
		return;
	}
	if (kho_is_refused())
		pr_err("this kernel cannot read what the previous one has handed over: if there were pools, they are lost\n");
	kp_carve_all();
	kp_state.blob_there = true;
}

/**
 * kho_pool_init_early - make or take over the pools
 *
 * Context: early boot, before free_area_init() and after KHO knows its memory.
 */
void __init kho_pool_init_early(void)
{
	/* sched_clock() may not be running yet. */
	cycles_t start = get_cycles();
	struct kp_region *r;
	size_t size;
	int err;

	if (is_kdump_kernel())
		return;
	err = kho_find_subtree(KHO_POOL_SUBTREE, &kp_state.blob, &size);
	if (err == -ENOENT) {
		/* A cold boot, or the previous kernel has handed over everything it had. */
		kp_make_pools();
	} else if (!err && size >= KHO_POOL_BLOB_SIZE && PAGE_ALIGNED(kp_state.blob) &&
		   kp_read_blob()) {
		kp_take_over();
	} else {
		/* Something is there that cannot be handed on. */
		kp_state.blob = 0;
		kp_state.quarantine = "root cannot be found";
		kp_state.no_handover = kp_state.quarantine;
		pr_warn("root cannot be found: no pool is made, because the memory may be in use\n");
		return;
	}
	kp_state.restore_cycles = get_cycles() - start;
	for_each_region(r)
		pr_info("%s: %pa, %llu MiB on node %d, index %llu KiB at %pa, generation %llu\n",
			r->pool->name, &r->base, r->size >> 20, r->nid, r->index_size >> 10,
			&r->index, kp_state.generation);
}

/*
 * The pools are taken over before tracing is set up, and before static branches
 * work.  The first initcalls emit events for what was found then, after trace_event=
 * on the command line has taken effect.
 */
static int __init kp_trace_early_boot(void)
{
	struct kp_region *r;

	if (kp_state.quarantine) {
		/* The pools are unknown. */
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
					       kp_state.generation, r->idx.restored,
					       r->restore_cycles);
	}
	return 0;
}
core_initcall(kp_trace_early_boot);
