// SPDX-License-Identifier: GPL-2.0-only
/* khopool rm */
#include <errno.h>
#include <stddef.h>

#include "machine.h"

static void rm_extent(struct extent *extent)
{
	int err;

	lock_extent(extent);
	query_extent(extent);
	if (extent->flags & KHO_POOL_EXTENT_EXPOSED)
		hide_extent(extent);
	err = control_release(extent);
	if (err == EBUSY)
		refused(err, "%s is in use: it belongs to \"%s\", a driver in the kernel",
			full_name(extent), shown(extent->owner));
	if (err)
		refused(err, "%s cannot be removed: %s", full_name(extent), control_error(err));
	unlock_extent(extent);
}

static int rm(int argc, char **argv)
{
	const char *pool = pool_option(&cmd_rm, argc, argv);
	struct extent extent;
	int nr;

	nr = operands(&cmd_rm, argc, &argv, 1, argc);
	if (as_json)
		json_open_list("removed");
	for (int i = 0; i < nr; i++) {
		find_extent(&extent, argv[i], pool);
		rm_extent(&extent);
		if (as_json)
			json_extent(&extent);
	}
	if (as_json)
		json_close_list();
	return EXIT_OK;
}

const struct command cmd_rm = {
	.name = "rm",
	.args = "NAME... [--pool POOL] [--json]",
	.what = "remove extents with their contents",
	.help =	"Gives the memory back to the pool.  Exposed extents are hidden first, and an\n"
		"extent that a process has mapped or pinned is not removed.  An extent of a\n"
		"driver can only be removed if the driver has not claimed it since the last\n"
		"kexec.\n\n"
		"  --pool POOL  the pool that they are in; also written POOL/NAME\n"
		"  --json       for programs: the removed extents, as they last were\n",
	.run = rm,
};
