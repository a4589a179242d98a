// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our index and its peers, compared with each other.
 *
 * usage: bench [quick] [latency|threads|handover|longest|machine] ...
 *
 * Prints one line of JSON a result, times in ns as [median, least, most] of the
 * rounds; progress goes to stderr.  bench.py makes tables of it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

const struct peer *const bench_peers[NR_PEERS] = {
	&kho_pool_peer, &genalloc_first_fit_peer, &genalloc_best_fit_peer, &gpu_buddy_peer,
	&cma_peer,
};

bool bench_quick;

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "latency", bench_latency },
	{ "threads", bench_threads },
	{ "handover", bench_handover },
	{ "longest", bench_longest },
	{ "machine", bench_machine },
};

#define NR_PARTS	(sizeof(parts) / sizeof(*parts))

void bench_progress(const char *fmt, ...)
{
	static u64 begin;
	va_list args;

	if (!begin)
		begin = now_ns();
	fprintf(stderr, "[%4llus] bench: ", (unsigned long long)(now_ns() - begin) / 1000000000);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

int main(int argc, char **argv)
{
	bool wanted[NR_PARTS] = {}, all = true;

	for (int i = 1; i < argc; i++) {
		unsigned int part = 0;

		if (!strcmp(argv[i], "quick")) {
			bench_quick = true;
			continue;
		}
		while (part < NR_PARTS && strcmp(argv[i], parts[part].name))
			part++;
		if (part == NR_PARTS) {
			fprintf(stderr, "bench: there is no part called %s\n", argv[i]);
			return 2;
		}
		wanted[part] = true;
		all = false;
	}
	stay_on_cpu(0);
	json_begin("machine");
	json_number("cpus", nr_cpus());
	json_number("clock_ns", clock_cost());
	json_end();
	for (unsigned int part = 0; part < NR_PARTS; part++)
		if (all || wanted[part])
			parts[part].run();
	return 0;
}
