// SPDX-License-Identifier: GPL-2.0-only
/* khopool ls */
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

static void ls_row(const struct extent *extent)
{
	char size[32], node[16] = "-", pages[32] = "-", device[40] = "-", owner[60];

	size_text(extent->bytes, size);
	if (extent->nid >= 0)
		sprintf(node, "%d", extent->nid);
	if (extent->flags & KHO_POOL_EXTENT_EXPOSED) {
		size_text(extent->align, pages);
		device_path(extent, device);
	}
	snprintf(owner, sizeof(owner), "%s%s", shown(extent->owner),
		 extent->flags & KHO_POOL_EXTENT_UNCLAIMED ? ", unclaimed" : "");
	table_row(6, (const char *[]){ full_name(extent), size, node, device, pages, owner });
}

static void ls_names(const struct pools *pools, const struct extent *extents, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (extents[i].name[0])
			puts(pools->nr > 1 ? full_name(&extents[i]) : shown(extents[i].name));
}

enum { TEXT, JSON, NAMES };

static int ls(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "pool", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, JSON },
		{ "names", no_argument, NULL, NAMES },
		{}
	};
	static const char *const heads[] = {
		"NAME", "SIZE", "NODE", "DEVICE", "PAGES", "OWNER",
	};
	u64 nameless = 0, nameless_bytes = 0;
	const char *pool = NULL;
	int opt, how = TEXT;
	struct pools pools;
	bool all = false;
	char size[32];

	while ((opt = next_option(&cmd_ls, argc, argv, options)) != -1) {
		if (opt == 'a')
			all = true;
		else if (opt == 'p')
			pool = optarg;
		else
			how = opt;
	}
	operands(&cmd_ls, argc, &argv, 0, 0);
	select_pools(&pools, pool);
	for (u32 i = 0; i < pools.nr; i++)
		if (*pool_trouble(pools.name[i]))
			warn("what can be seen of %s is listed%s", pools.name[i],
			     pool_trouble(pools.name[i]));
	if (how == JSON)
		json_open_list("extents");
	else if (how == TEXT)
		table_row(6, heads);
	for (u32 i = 0; i < pools.nr; i++) {
		struct extent *extents;
		u32 nr;

		extents = control_list(pools.name[i], &nr);
		for (u32 j = 0; j < nr && how != NAMES; j++) {
			if (!extents[j].name[0] && !all) {
				nameless++;
				nameless_bytes += extents[j].bytes;
			} else if (how == JSON) {
				json_extent(&extents[j]);
			} else {
				ls_row(&extents[j]);
			}
		}
		if (how == NAMES)
			ls_names(&pools, extents, nr);
		free(extents);
	}
	if (how == JSON) {
		json_close_list();
	} else if (how == TEXT) {
		table_print(1 << 1 | 1 << 2 | 1 << 4);
		if (nameless)
			printf("and %llu without a name, %s in all (--all shows them)\n",
			       (unsigned long long)nameless, size_text(nameless_bytes, size));
	}
	return EXIT_OK;
}

const struct command cmd_ls = {
	.name = "ls",
	.args = "[--all] [--names] [--pool POOL] [--json]",
	.what = "list extents",
	.help =	"Lists the extents that have names: size, NUMA node, device, the page size it is\n"
		"mapped with, and the owner: \"user\", \"dax...\" for exposed extents, or a driver.\n"
		"\"unclaimed\" extents are from before the last kexec, and nobody has asked for\n"
		"them since.\n\n"
		"  --all        include extents without a name\n"
		"  --names      names only, one per line; POOL/NAME if there are several pools\n"
		"  --pool POOL  only this pool\n"
		"  --json       for programs\n",
	.run = ls,
};
