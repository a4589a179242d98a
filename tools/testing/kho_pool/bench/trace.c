// SPDX-License-Identifier: GPL-2.0-only
/*
 * A year of virtual machines coming and going on a host of 1 TiB, replayed over
 * every allocator: which share of free memory is still available as whole,
 * aligned GiB, and how many requests failed although there was enough memory?
 *
 * Sizes are those of the Azure public data sets: "v1" (2017: 0.75 to 112 GB,
 * published with Resource Central, SOSP'17) and "v2" (2019: 2 to 64 GB).  The
 * shares are chosen after its figures (seven of ten machines have less than
 * 4 GB).  Lifetimes are log-normal, half of them shorter than an hour and one in
 * ten longer than a day, as there; the mean is that of few long ones.
 *
 * Each machine is one contiguous extent, aligned to 1 GiB if it has as much or
 * to 2 MiB only, and three extents of 2 to 16 MiB for its devices' state.  When one goes,
 * others come until the next would take more than the target from the pool, or
 * four in a row were refused.
 *
 * usage: trace [SEEDS]; prints one line of JSON a run
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../random.h"
#include "peer.h"

#define MIB		0x100000ULL
#define GIB		(1024 * MIB)
#define UNIT		(2 * MIB)
#define POOL		(1024 * GIB)
#define BASE		(4 * GIB)
#define MAX_VMS		4096
#define PARTS		4
#define HOURS		8766.0

struct kind {
	double share, gib;
};

static const struct kind v1[] = {
	{ .18, 0.75 }, { .28, 1.75 }, { .27, 3.5 }, { .12, 7 }, { .08, 14 }, { .04, 28 },
	{ .02, 56 }, { .01, 112 }, { 0, 0 }
};

static const struct kind v2[] = {
	{ .20, 2 }, { .45, 4 }, { .18, 8 }, { .08, 16 }, { .06, 32 }, { .03, 64 }, { 0, 0 }
};

static const struct {
	const char *name;
	const struct kind *kinds;
} mixes[] = { { "v1", v1 }, { "v2", v2 } };

static const struct peer *peers[] = {
	&kho_pool_peer, &genalloc_first_fit_peer, &genalloc_best_fit_peer, &gpu_buddy_peer,
	&cma_peer, &kho_pool_cpus_peer,
};

struct vm {
	double end;
	struct piece part[PARTS];
	uint64_t bytes;
};

static uint64_t seed;

static double uniform(void)
{
	return ((random_word(&seed) >> 11) + 1) / (double)(1ULL << 53);
}

static double lifetime(void)
{
	double normal = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());

	return fmin(exp(2.5 * normal), HOURS);
}

static uint64_t size_of(const struct kind *kinds)
{
	double x = uniform();

	while (x > kinds->share && kinds[1].share) {
		x -= kinds->share;
		kinds++;
	}
	return kinds->gib * GIB;
}

static struct vm vms[MAX_VMS];
static unsigned int nr_vms;
static uint8_t taken[POOL / UNIT];

static void mark(const struct piece *piece, int value)
{
	memset(taken + (piece->addr - BASE) / UNIT, value, piece->bytes / UNIT);
}

/* Of the free bytes, those in whole and aligned GiB. */
static double whole_share(void)
{
	uint64_t whole = 0, free = 0;

	for (uint64_t i = 0; i < POOL / UNIT; i += GIB / UNIT) {
		uint64_t here = 0;

		for (uint64_t j = i; j < i + GIB / UNIT; j++)
			here += !taken[j];
		free += here;
		if (here == GIB / UNIT)
			whole += here;
	}
	return (double)whole / free;
}

static void run(const struct peer *peer, const char *mix, const struct kind *kinds, double target,
		uint64_t align, uint64_t first_seed)
{
	uint64_t used = 0, requests = 0, failed = 0, samples = 0;
	double now = 0, sum = 0, sum_used = 0, next_sample = HOURS / 2, worst = 1, share;
	void *pool = peer->create(BASE, POOL, UNIT, 1);
	uint64_t next = 0;

	seed = first_seed * 0x9e3779b97f4a7c15ULL + 1;
	nr_vms = 0;
	memset(taken, 0, sizeof(taken));
	while (now < HOURS) {
		unsigned int first = 0, refused = 0;

		/* Fill up to the target. */
		while (refused < 4) {
			struct vm *vm = &vms[nr_vms];
			unsigned int i;

			if (!next) {
				next = size_of(kinds);
				vm->part[0].bytes = next;
				for (i = 1; i < PARTS; i++)
					vm->part[i].bytes = UNIT * (1 + (int)(uniform() * 8));
				vm->end = lifetime();
			}
			if (used + next + 48 * MIB > target * POOL || nr_vms == MAX_VMS - 1)
				break;
			requests++;
			vm->end += now;
			vm->bytes = 0;
			for (i = 0; i < PARTS; i++) {
				uint64_t bytes = vm->part[i].bytes;

				if (!peer->alloc(pool, 0, bytes, bytes < GIB ? UNIT : align,
						 &vm->part[i]))
					break;
				mark(&vm->part[i], 1);
				vm->bytes += bytes;
			}
			next = 0;
			if (i == PARTS) {
				used += vm->bytes;
				nr_vms++;
				refused = 0;
				continue;
			}
			failed++;
			refused++;
			while (i-- > 0) {
				mark(&vm->part[i], 0);
				peer->free(pool, 0, &vm->part[i]);
			}
		}
		/* The next one goes. */
		for (unsigned int i = 1; i < nr_vms; i++)
			if (vms[i].end < vms[first].end)
				first = i;
		now = vms[first].end;
		if (now > next_sample) {
			share = whole_share();
			sum += share;
			sum_used += (double)used / POOL;
			samples++;
			worst = fmin(worst, share);
			next_sample += HOURS / 1000;
		}
		for (unsigned int i = 0; i < PARTS; i++) {
			mark(&vms[first].part[i], 0);
			peer->free(pool, 0, &vms[first].part[i]);
		}
		used -= vms[first].bytes;
		{
			struct vm waiting = vms[nr_vms];

			vms[first] = vms[nr_vms - 1];
			vms[--nr_vms] = waiting;
		}
	}
	while (nr_vms-- > 0)
		for (unsigned int i = 0; i < PARTS; i++)
			peer->free(pool, 0, &vms[nr_vms].part[i]);
	printf("{\"mix\": \"%s\", \"align_mib\": %llu, \"fill\": %.2f, \"seed\": %llu, ",
	       mix, (unsigned long long)(align / MIB), target, (unsigned long long)first_seed);
	printf("\"allocator\": \"%s\", \"used_mean\": %.4f, \"whole_mean\": %.4f, ",
	       peer->name, sum_used / samples, sum / samples);
	printf("\"whole_worst\": %.4f, \"requests\": %llu, \"failed\": %llu}\n",
	       worst, (unsigned long long)requests, (unsigned long long)failed);
	fflush(stdout);
	peer->destroy(pool);
}

int main(int argc, char **argv)
{
	static const double fills[] = { .70, .85, .95 };
	static const uint64_t aligns[] = { GIB, UNIT };
	uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 0) : 3;

	for (unsigned int m = 0; m < 4; m++)
		for (unsigned int f = 0; f < 3; f++)
			for (uint64_t s = 1; s <= seeds; s++)
				for (unsigned int p = 0; p < sizeof(peers) / sizeof(*peers); p++)
					run(peers[p], mixes[m / 2].name, mixes[m / 2].kinds,
					    fills[f], aligns[m % 2], s);
	return 0;
}
