// SPDX-License-Identifier: GPL-2.0-only
/* khopool stat */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

#define MAX_NODES 1024

/* Counts of a pool, or of a node in it, by the names of their files */
static const char *const values[] = {
	"size_bytes", "free_bytes", "largest_free_bytes", "quarantined_bytes", "extents",
	"unclaimed", "allocs", "frees", "free_areas", "free_blocks", "free_frames", "regions",
	"index_bytes",
};

enum { SIZE, FREE, LARGEST, QUARANTINED, EXTENTS, UNCLAIMED, ALLOCS, FREES, VALUES = 13 };

/* And for pools only */
static const char *const pool_values[] = { "alloc_failures", "bad_frees" };
static const char *const all_values[] = { "generation", "seal_ns", "restore_ns", "root_bytes" };

struct sample {
	struct timespec at;
	u64 allocs[MAX_POOLS], frees[MAX_POOLS];
};

static void read_state(char *state, u32 size, const char *file)
{
	if (!sysfs_text(state, size, SYSFS_POOLS "/%s", file))
		copy_text(state, "?", size);
}

static void read_pool_state(char *state, u32 size, const char *pool)
{
	char file[48];

	snprintf(file, sizeof(file), "%s/state", pool);
	read_state(state, size, file);
}

/* @folder is a pool or "pool/nodeN" */
static void read_values(const char *folder, u64 *value)
{
	for (u32 i = 0; i < VALUES; i++)
		value[i] = sysfs_number(folder, values[i]);
}

static bool read_node(const char *pool, u32 nid, u64 *value)
{
	char folder[64];

	snprintf(folder, sizeof(folder), SYSFS_POOLS "/%s/node%u", pool, nid);
	if (access(folder, F_OK))
		return false;
	snprintf(folder, sizeof(folder), "%s/node%u", pool, nid);
	read_values(folder, value);
	return true;
}

static void stat_row(const char *name, const char *state, const u64 *value, const char *failed,
		     const char *rate)
{
	char size[32], free[32], largest[32], extents[24], unclaimed[24], used[16];

	snprintf(used, sizeof(used), "%u%%", value[SIZE] > value[QUARANTINED] ?
		 (u32)((value[SIZE] - value[FREE] - value[QUARANTINED]) * 100.0 / value[SIZE]) : 0);
	snprintf(extents, sizeof(extents), "%" PRIu64, value[EXTENTS]);
	snprintf(unclaimed, sizeof(unclaimed), "%" PRIu64, value[UNCLAIMED]);
	table_row(10, (const char *[]){ name, size_short(value[SIZE], size), used,
		  size_short(value[FREE], free), size_short(value[LARGEST], largest), extents,
		  unclaimed, rate, failed, state });
}

static void stat_text(const struct pools *pools, const struct sample *before,
		      struct sample *now)
{
	char state[160], rate[48], failed[24], name[48];
	const char *first = pools->name[0];
	u64 value[VALUES];

	read_state(state, sizeof(state), "handover");
	printf("handover %s, generation %" PRIu64, state, sysfs_number(first, "generation"));
	/* The first pools were not taken over. */
	if (sysfs_number(first, "generation"))
		printf(", sealed in %" PRIu64 " us, taken over in %" PRIu64 " us",
		       sysfs_number(first, "seal_ns") / 1000,
		       sysfs_number(first, "restore_ns") / 1000);
	putchar('\n');
	table_row(10, (const char *[]){ "POOL", "SIZE", "USED", "FREE", "LARGEST", "EXTENTS",
		  "UNCLAIMED", before ? "ALLOCS/s FREES/s" : "ALLOCS FREES", "FAILED", "STATE" });
	clock_gettime(CLOCK_MONOTONIC, &now->at);
	for (u32 i = 0; i < pools->nr; i++) {
		const char *pool = pools->name[i];

		read_values(pool, value);
		now->allocs[i] = value[ALLOCS];
		now->frees[i] = value[FREES];
		if (before) {
			double s = now->at.tv_sec - before->at.tv_sec +
				   (now->at.tv_nsec - before->at.tv_nsec) / 1e9;

			snprintf(rate, sizeof(rate), "%.0f %.0f",
				 (now->allocs[i] - before->allocs[i]) / s,
				 (now->frees[i] - before->frees[i]) / s);
		} else {
			snprintf(rate, sizeof(rate), "%" PRIu64 " %" PRIu64, value[ALLOCS],
				 value[FREES]);
		}
		snprintf(failed, sizeof(failed), "%" PRIu64,
			 sysfs_number(pool, "alloc_failures"));
		read_pool_state(state, sizeof(state), pool);
		stat_row(pool, state, value, failed, rate);
		for (u32 nid = 0; nid < MAX_NODES; nid++) {
			if (!read_node(pool, nid, value))
				continue;
			snprintf(name, sizeof(name), "  node %u", nid);
			stat_row(name, "", value, "", "");
		}
	}
	table_print(0x1fe);
}

static void json_values(const u64 *value)
{
	for (u32 i = 0; i < VALUES; i++)
		json_number(values[i], value[i]);
}

static void stat_json(const struct pools *pools)
{
	u64 value[VALUES];
	char state[160];

	json_open();
	read_state(state, sizeof(state), "handover");
	json_string("handover", state);
	for (u32 i = 0; i < ARRAY_SIZE(all_values); i++)
		json_number(all_values[i], sysfs_number(pools->name[0], all_values[i]));
	json_begin("pools", '[');
	for (u32 i = 0; i < pools->nr; i++) {
		const char *pool = pools->name[i];

		json_begin(NULL, '{');
		json_string("name", pool);
		read_pool_state(state, sizeof(state), pool);
		json_string("state", state);
		read_values(pool, value);
		json_values(value);
		for (u32 v = 0; v < ARRAY_SIZE(pool_values); v++)
			json_number(pool_values[v], sysfs_number(pool, pool_values[v]));
		json_begin("nodes", '[');
		for (u32 nid = 0; nid < MAX_NODES; nid++) {
			if (!read_node(pool, nid, value))
				continue;
			json_begin(NULL, '{');
			json_number("node", nid);
			json_values(value);
			json_end('}');
		}
		json_end(']');
		json_end('}');
	}
	json_end(']');
	json_close();
}

static double parse_seconds(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0.1 && value <= 86400))
		die("--watch: \"%s\" is not a number of seconds from 0.1 to 86400", text);
	return value;
}

static bool parse_format(const char *text)
{
	if (strcmp(text, "prom"))
		die("--format: there is only \"prom\"");
	return true;
}

static int stat(int argc, char **argv)
{
	static const struct option options[] = {
		{ "watch", optional_argument, NULL, 'w' },
		{ "pool", required_argument, NULL, 'p' },
		{ "format", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	const char *pool = NULL;
	bool prom = false;
	struct sample sample[2];
	struct timespec pause;
	double seconds = 0;
	struct pools pools;
	int opt;

	while ((opt = next_option(&cmd_stat, argc, argv, options)) != -1) {
		if (opt == 'w')
			seconds = optarg ? parse_seconds(optarg) : 2;
		else if (opt == 'p')
			pool = optarg;
		else if (opt == 'f')
			prom = parse_format(optarg);
	}
	operands(&cmd_stat, argc, &argv, 0, 0);
	if (prom && (seconds || pool || as_json))
		die("--format=prom goes with no other option");
	if (prom) {
		sysfs_pools(&pools);
		stat_prom(&pools);
		return EXIT_OK;
	}
	select_pools(&pools, pool);
	pause.tv_sec = seconds;
	pause.tv_nsec = (seconds - pause.tv_sec) * 1e9;
	for (u32 turn = 0; ; turn++) {
		/* From the top of the screen, if it is one */
		if (seconds && !as_json && isatty(1))
			fputs("\033[H\033[J", stdout);
		if (as_json)
			stat_json(&pools);
		else
			stat_text(&pools, turn ? &sample[~turn & 1] : NULL, &sample[turn & 1]);
		if (fflush(stdout) || ferror(stdout))
			die("stdout: it takes no more");
		if (!seconds)
			return EXIT_OK;
		nanosleep(&pause, NULL);
	}
}

const struct command cmd_stat = {
	.name = "stat",
	.args = "[--watch[=SECONDS]] [--pool POOL] [--json] | --format=prom",
	.what = "show how full the pools are, and how the handover is doing",
	.help =	"Shows each pool and its part on each NUMA node: size, share in use, free memory\n"
		"in total and in the largest piece, extents, extents that nobody has claimed\n"
		"since the last kexec, allocations and frees since boot, allocations that failed,\n"
		"and the state.  Sizes are rounded down.\n\n"
		"  --watch[=SECONDS]  repeat, by default every 2 seconds; allocations and frees\n"
		"                     are then those per second\n"
		"  --pool POOL        only this pool\n"
		"  --json             for programs: exact, in bytes; with --watch one document\n"
		"                     after the other\n"
		"  --format=prom      for the textfile collector of Prometheus' node_exporter\n",
	.run = stat,
};
