// SPDX-License-Identifier: GPL-2.0-only
/*
 * khopool stat --format=prom: for the textfile collector of Prometheus' node_exporter.
 *
 * The format is https://prometheus.io/docs/instrumenting/exposition_formats/, text, 0.0.4.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

struct metric {
	const char *file;	/* in sysfs */
	const char *name;	/* after "khopool_", NULL: the same */
	const char *type;
	const char *help;
};

static const struct metric metrics[] = {
	{ "size_bytes", NULL, "gauge", "Size of the pool." },
	{ "free_bytes", NULL, "gauge", "Memory that is not allocated." },
	{ "largest_free_bytes", NULL, "gauge", "Largest extent that could be allocated." },
	{ "quarantined_bytes", NULL, "gauge", "Memory that is out of use." },
	{ "index_bytes", NULL, "gauge", "Memory that records what is allocated." },
	{ "extents", NULL, "gauge", "Extents that are allocated." },
	{ "unclaimed", "unclaimed_extents", "gauge", "Extents whose owner has not come back." },
	{ "bad_frames", NULL, "gauge", "Base pages with memory errors." },
	{ "generation", NULL, "gauge", "Kexecs since the pool was made." },
	{ "allocs", "allocs_total", "counter", "Allocations since boot." },
	{ "frees", "frees_total", "counter", "Frees since boot." },
	{ "alloc_failures", "alloc_failures_total", "counter", "Allocations that failed." },
	{ "bad_frees", "bad_frees_total", "counter", "Frees that were refused." },
};

static void head(const char *name, const char *type, const char *help)
{
	printf("# HELP khopool_%s %s\n# TYPE khopool_%s %s\n", name, help, name, type);
}

/* A label's value; states are plain text, and so are pools' names. */
static void quoted(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s == '\n' ? ' ' : *s);
	}
	putchar('"');
}

static bool is_good(const char *state)
{
	return !strcmp(state, "active") || !strcmp(state, "sealed");
}

static void good_or_not(const char *name, const char *pool, const char *text, bool good)
{
	printf("khopool_%s{", name);
	if (pool) {
		fputs("pool=", stdout);
		quoted(pool);
		putchar(',');
	}
	fputs("state=", stdout);
	quoted(text);
	printf("} %d\n", good);
}

static void pool_metric(const struct pools *pools, const struct metric *m)
{
	head(m->name ?: m->file, m->type, m->help);
	for (u32 i = 0; i < pools->nr; i++) {
		printf("khopool_%s{pool=", m->name ?: m->file);
		quoted(pools->name[i]);
		printf("} %" PRIu64 "\n", sysfs_number(pools->name[i], m->file));
	}
}

/* Whatever the pools are like: that there are none may be what somebody has to know. */
void stat_prom(const struct pools *pools)
{
	char text[300];

	head("handover_ok", "gauge", "1 if the next kernel will get the pools.");
	if (!sysfs_text(text, sizeof(text), SYSFS_POOLS "/handover"))
		COPY(text, "no kho_pool");
	good_or_not("handover_ok", NULL, text, is_good(text));
	if (sysfs_text(text, sizeof(text), SYSFS_POOLS "/kexec")) {
		head("kexec_ready", "gauge", "1 if the loaded image keeps what is in them.");
		good_or_not("kexec_ready", NULL, text, !strcmp(text, "ready"));
	}
	if (!pools->nr)
		return;
	head("pool_ok", "gauge", "1 if all of the pool can be used.");
	for (u32 i = 0; i < pools->nr; i++) {
		if (!sysfs_text(text, sizeof(text), SYSFS_POOLS "/%s/state", pools->name[i]))
			COPY(text, "?");
		good_or_not("pool_ok", pools->name[i], text, is_good(text));
	}
	for (u32 i = 0; i < ARRAY_SIZE(metrics); i++)
		pool_metric(pools, &metrics[i]);
	head("restore_seconds", "gauge", "What taking over the pools took at boot.");
	printf("khopool_restore_seconds %.9f\n", sysfs_number(pools->name[0], "restore_ns") / 1e9);
	head("seal_seconds", "gauge", "What sealing them took.");
	printf("khopool_seal_seconds %.9f\n", sysfs_number(pools->name[0], "seal_ns") / 1e9);
}
