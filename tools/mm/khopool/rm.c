// SPDX-License-Identifier: GPL-2.0-only
/* khopool rm */
#include <errno.h>
#include <stddef.h>

#include "machine.h"

static void rm_extent(struct extent *extent)
{
	int err;

	if (extent->flags & KHO_POOL_EXTENT_EXPOSED)
		hide_extent(extent);
	err = control_release(extent);
	if (err == EBUSY)
		refused(err, "%s is in use: it belongs to \"%s\", a driver in the kernel",
			full_name(extent), shown(extent->owner));
	if (err)
		refused(err, "%s cannot be removed: %s", full_name(extent), control_error(err));
}

static int rm(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pool", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	const char *pool = NULL;
	struct extent extent;
	int opt, nr;

	while ((opt = next_option(&cmd_rm, argc, argv, options)) != -1)
		if (opt == 'p')
			pool = optarg;
	nr = operands(&cmd_rm, argc, &argv, 1, argc);
	control_lock();
	if (as_json) {
		json_open();
		json_begin("removed", '[');
	}
	for (int i = 0; i < nr; i++) {
		find_extent(&extent, argv[i], pool);
		rm_extent(&extent);
		if (as_json)
			json_extent(&extent);
	}
	if (as_json) {
		json_end(']');
		json_close();
	}
	return EXIT_OK;
}

const struct command cmd_rm = {
	.name = "rm",
	.args = "NAME... [--pool POOL] [--json]",
	.what = "remove extents, with what is in them",
	.help =	"Gives the memory back to the pool.  What is exposed is hidden first, and nothing\n"
		"is removed that someone has mapped or pinned.  An extent of a driver can only\n"
		"be removed if the driver has not claimed it since the last kexec.\n\n"
		"  --pool POOL  the pool that they are in; also written POOL/NAME\n"
		"  --json       for programs: those that were removed, as they last were\n",
	.run = rm,
};
