// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* More than the last level of cache has. */
#define CACHES	(96UL << 20)

void figure_add(struct figure *f, double value)
{
	if (f->nr < MAX_VALUES)
		f->value[f->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double figure_median(struct figure *f)
{
	qsort(f->value, f->nr, sizeof(*f->value), compare);
	if (!f->nr)
		return 0;
	return (f->value[(f->nr - 1) / 2] + f->value[f->nr / 2]) / 2;
}

double clock_cost(void)
{
	static double cost;
	struct figure f = {};

	if (cost)
		return cost;
	for (int round = 0; round < 32; round++) {
		u64 begin = now_ns(), end = begin;

		for (int i = 0; i < 1000; i++)
			end = now_ns();
		figure_add(&f, (end - begin) / 1000.0);
	}
	cost = figure_median(&f);
	return cost;
}

static cpu_set_t allowed(void)
{
	static cpu_set_t all;

	/* Asked once: a thread that stays on one is allowed no other. */
	if (!CPU_COUNT(&all))
		sched_getaffinity(0, sizeof(all), &all);
	return all;
}

unsigned int nr_cpus(void)
{
	cpu_set_t all = allowed();

	return CPU_COUNT(&all);
}

void stay_on_cpu(unsigned int nr)
{
	cpu_set_t all = allowed(), one;

	CPU_ZERO(&one);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && !nr--)
			CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

void forget_caches(void)
{
	static char *other;
	static int value;

	if (!other)
		other = malloc(CACHES);
	memset(other, ++value, CACHES);
	/* Or the compiler sees that nobody reads it. */
	__asm__ volatile("" : : "r"(other) : "memory");
}
