// SPDX-License-Identifier: GPL-2.0-only
/* khopool map: a picture of pools */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map.h"

static int by_phys(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return (x->phys > y->phys) - (x->phys < y->phys);
}

/* Files are numbered in another order than ours, which is that of addresses. */
static void read_bad_frames(struct picture *p)
{
	char file[40], base[32];

	for (u32 i = 0; i < p->nr_regions; i++) {
		snprintf(file, sizeof(file), "region%u/bad_frames", i);
		if (!sysfs_text(base, sizeof(base), SYSFS_POOLS "/%s/region%u/base", p->pool, i))
			continue;
		for (u32 r = 0; r < p->nr_regions; r++)
			if (p->regions[r].base == strtoull(base, NULL, 0))
				p->bad_frames[r] = sysfs_number(p->pool, file);
	}
}

static void read_pool(struct picture *p, const char *pool)
{
	memset(p, 0, sizeof(*p));
	p->pool = pool;
	p->nr_regions = sysfs_regions(pool, p->regions, MAX_REGIONS);
	if (!p->nr_regions)
		fail("pool %s: this kernel does not say where its regions are", pool);
	read_bad_frames(p);
	p->extents = control_list(pool, &p->nr_extents);
	if (p->nr_extents && !p->extents[0].phys)
		fail("pool %s: the kernel tells where extents are to root only", pool);
	qsort(p->extents, p->nr_extents, sizeof(*p->extents), by_phys);
	count_kinds(p);
}

static bool parse_colour(const char *when)
{
	if (!strcmp(when, "always"))
		return true;
	if (strcmp(when, "never"))
		die("--color: \"%s\" is neither always nor never", when);
	return false;
}

static bool parse_format(const char *text)
{
	if (strcmp(text, "html"))
		die("--format: there is only \"html\"");
	return true;
}

static int map(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cell", required_argument, NULL, 'c' },
		{ "color", required_argument, NULL, 'C' },
		{ "pool", required_argument, NULL, 'p' },
		{ "format", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	const char *pool = NULL, *no_colour = getenv("NO_COLOR");
	bool colour = isatty(1) && (!no_colour || !*no_colour), html = false;
	static struct picture p;
	struct pools pools;
	u64 cell = 0;
	int opt;

	while ((opt = next_option(&cmd_map, argc, argv, options)) != -1) {
		switch (opt) {
		case 'c':
			cell = parse_size("--cell", optarg);
			if (!cell || cell & (cell - 1) || cell < (u64)sysconf(_SC_PAGESIZE) ||
			    cell >> 48)
				die("--cell: %s is not a power of two of at least a page", optarg);
			break;
		case 'C':
			colour = parse_colour(optarg);
			break;
		case 'p':
			pool = optarg;
			break;
		case 'f':
			html = parse_format(optarg);
		}
	}
	operands(&cmd_map, argc, &argv, 0, 0);
	if (html && as_json)
		die("--format=html does not go with --json");
	select_pools(&pools, pool);
	if (as_json)
		json_open_list("pools");
	else if (html)
		html_begin(&pools);
	for (u32 i = 0; i < pools.nr; i++) {
		read_pool(&p, pools.name[i]);
		p.number = i;
		if (as_json)
			map_json(&p);
		else if (html)
			map_html(&p, cell);
		else
			map_text(&p, cell, colour);
		free(p.extents);
	}
	if (as_json)
		json_close_list();
	else if (html)
		html_end();
	return EXIT_OK;
}

const struct command cmd_map = {
	.name = "map",
	.args = "[--cell SIZE] [--color=always|never] [--pool POOL] [--format=html] [--json]",
	.what = "draw a picture of the pools",
	.help =	"Draws each region of the pools as rows of cells, in the order of addresses.  A\n"
		"letter stands for an owner, a dot is free.  Colours are used if stdout is a\n"
		"terminal and NO_COLOR is not set.\n\n"
		"  --cell SIZE           size of a cell; by default such that a pool takes up to\n"
		"                        16 rows\n"
		"  --color=always|never  use colours or not, wherever the output goes\n"
		"  --pool POOL           only this pool\n"
		"  --format=html         a document for a browser: figures of each pool and node,\n"
		"                        the picture, and a table of extents\n"
		"  --json                for programs: regions, and the extents in each\n",
	.run = map,
};
