/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the benchmark share. */
#ifndef _KHO_POOL_BENCH_BENCH_H
#define _KHO_POOL_BENCH_BENCH_H

#include <stdbool.h>

#include "clock.h"
#include "json.h"
#include "peer.h"

#define NR_PEERS	5

extern const struct peer *const bench_peers[NR_PEERS];

/* For a look: fewer rounds, shorter ones. */
extern bool bench_quick;

void bench_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void bench_latency(void);
void bench_threads(void);
void bench_handover(void);
void bench_longest(void);
void bench_machine(void);

#endif /* _KHO_POOL_BENCH_BENCH_H */
