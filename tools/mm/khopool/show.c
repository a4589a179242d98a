// SPDX-License-Identifier: GPL-2.0-only
/* khopool show: one extent */
#include <inttypes.h>
#include <stdio.h>

#include "machine.h"

void json_extent(const struct extent *extent)
{
	bool alone = !json_depth();
	char path[160];

	if (alone)
		json_open();
	else
		json_begin(NULL, '{');
	json_string("pool", extent->pool);
	if (extent->name[0])
		json_string("name", extent->name);
	if (extent->phys)
		json_hex("base", extent->phys);
	json_number("size", extent->bytes);
	if (extent->nid >= 0)
		json_number("node", extent->nid);
	json_string("owner", extent->owner);
	json_bool("unclaimed", extent->flags & KHO_POOL_EXTENT_UNCLAIMED);
	json_bool("user", extent->flags & KHO_POOL_EXTENT_USER);
	json_bool("exposed", extent->flags & KHO_POOL_EXTENT_EXPOSED);
	if (extent->flags & KHO_POOL_EXTENT_EXPOSED) {
		json_string("device", device_path(extent, path));
		json_string("link", link_path(extent, path));
		json_number("page_size", extent->align);
		json_bool("session", extent->flags & KHO_POOL_EXTENT_HELD);
		json_bool("pinned", extent->flags & KHO_POOL_EXTENT_PINNED);
	}
	if (alone)
		json_close();
	else
		json_end('}');
}

static void show_text(const struct extent *extent)
{
	bool exposed = extent->flags & KHO_POOL_EXTENT_EXPOSED;
	char size[32], path[160];
	const char *users, *holder;

	printf("name     %s\n", shown(extent->name));
	printf("pool     %s\n", extent->pool);
	printf("size     %s (%" PRIu64 " bytes)\n", size_text(extent->bytes, size), extent->bytes);
	if (extent->phys)
		printf("address  %#" PRIx64 "\n", extent->phys);
	if (extent->nid >= 0)
		printf("node     %d\n", extent->nid);
	printf("owner    %s%s\n", shown(extent->owner),
	       extent->flags & KHO_POOL_EXTENT_UNCLAIMED ? ", which has not claimed it" :
	       extent->flags & KHO_POOL_EXTENT_USER ? "" : ", a driver in the kernel");
	if (!exposed)
		return;
	printf("device   %s\n", device_path(extent, path));
	printf("link     %s\n", link_path(extent, path));
	printf("pages    %s\n", size_text(extent->align, size));
	users = device_users(extent);
	if (*users)
		printf("used by  %s\n", users);
	holder = device_holder(extent);
	if (holder)
		printf("in use   %s\n", holder);
}

static int show(int argc, char **argv)
{
	const char *pool = pool_option(&cmd_show, argc, argv);
	struct extent extent;

	operands(&cmd_show, argc, &argv, 1, 1);
	find_extent(&extent, argv[0], pool);
	if (as_json)
		json_extent(&extent);
	else
		show_text(&extent);
	return EXIT_OK;
}

const struct command cmd_show = {
	.name = "show",
	.args = "NAME [--pool POOL] [--json]",
	.what = "show one extent",
	.help =	"Shows an extent's address and owner, and, if it is exposed, its device, the\n"
		"link to the device and the processes that have it mapped or open.\n\n"
		"  --pool POOL  the pool that it is in; also written POOL/NAME\n"
		"  --json       for programs\n",
	.run = show,
};
