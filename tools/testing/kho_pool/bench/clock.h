/* SPDX-License-Identifier: GPL-2.0-only */
/* Time, CPUs, and what becomes of a figure that was taken several times. */
#ifndef _KHO_POOL_BENCH_CLOCK_H
#define _KHO_POOL_BENCH_CLOCK_H

#include <time.h>

#include "../../../mm/khopool/shim/shim.h"

#define MAX_VALUES	256

static inline u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Has the median told, so what another program or a hypervisor took counts little. */
struct figure {
	double value[MAX_VALUES];
	unsigned int nr;
};

void figure_add(struct figure *f, double value);
/* Sorts them. */
double figure_median(struct figure *f);

/* What one now_ns() costs, which every measured time holds once. */
double clock_cost(void);

/* How many of the CPUs that this process may use are there, and stay on one. */
unsigned int nr_cpus(void);
void stay_on_cpu(unsigned int nr);

/* Fill the caches with something else, as a boot does. */
void forget_caches(void);

#endif /* _KHO_POOL_BENCH_CLOCK_H */
