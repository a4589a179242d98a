/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by kho_pool_blackout and its ways to hand memory on. */
#ifndef _KHO_POOL_BLACKOUT_H
#define _KHO_POOL_BLACKOUT_H

#include "kvm.h"

/*
 * A way to bring memory and the saved state of the CPU to the next kernel.  @memory
 * and @saved point to what the running guest uses, and to what is left for later.
 */
struct way {
	const char *name;
	/* Memory for a new guest. */
	void (*make)(uint64_t size);
	/* Whatever can be done while the guest runs. */
	void (*prepare)(void);
	/* The guest stands still. */
	void (*put)(void);
	/* In the next kernel: what was left, and then the guest's memory. */
	void (*find)(void);
	void (*get)(void);
	/* The guest runs again. */
	void (*finish)(void);
};

extern void *memory;
extern uint64_t memory_size;
extern struct saved *saved;

extern const struct way pool_way, pool_2m_way, memfd_way, reserve_way;

#endif /* _KHO_POOL_BLACKOUT_H */
