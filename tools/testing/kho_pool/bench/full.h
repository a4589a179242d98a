/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions of which every block is split.  What billions of requests would
 * leave behind is written as they would leave it, and restored.
 */
#ifndef _KHO_POOL_BENCH_FULL_H
#define _KHO_POOL_BENCH_FULL_H

#include "../region.h"

/*
 * Every second frame is taken, each an extent; with @names, one block of 32 holds
 * a single extent instead, and that has a name: as many as there is room for.
 */
void full_write(struct region *r, bool names);

/* Every extent's owner is back. */
void full_claim(struct region *r);

#endif /* _KHO_POOL_BENCH_FULL_H */
