// SPDX-License-Identifier: GPL-2.0-only
/* khopool expose, khopool hide: an extent as a device to map */
#include <errno.h>
#include <stdio.h>

#include "machine.h"

void expose_extent(struct extent *extent, u64 align)
{
	char has[32], path[40];
	int err, reader;

	err = control_expose(extent, align);
	/* It would be hidden in the end. */
	reader = err == EALREADY ? lock_reader(extent) : 0;
	if (reader)
		refused(EBUSY, "%s is in use: khopool put or get (%d) has it for the moment",
			full_name(extent), reader);
	if (err == EALREADY && align && align != extent->align)
		refused(err, "%s is %s already, with pages of %s (khopool hide %s)",
			full_name(extent), device_path(extent, path),
			size_text(extent->align, has), full_name(extent));
	if (err && err != EALREADY)
		refused(err, "%s cannot be exposed: %s", full_name(extent),
			control_expose_error(extent, align, err));
	links_follow(extent->pool);
	query_extent(extent);
}

static __attribute__((noreturn)) void in_use(const struct extent *extent)
{
	const char *holder = device_holder(extent), *users, *pinners;
	char path[40];

	if (holder)
		refused(EBUSY, "%s is in use: %s", full_name(extent), holder);
	users = device_users(extent);
	pinners = *users ? "" : device_pinners();
	refused(EBUSY, "%s is in use: %s is mapped%s%s, or its pages are pinned%s%s",
		full_name(extent), device_path(extent, path), *users ? " by " : "", users,
		*pinners ? ", perhaps by " : "", pinners);
}

void hide_extent(struct extent *extent)
{
	int err;

	err = control_hide(extent);
	if (err == EBUSY) {
		query_extent(extent);
		/* Someone else may have hidden it since. */
		if (!(extent->flags & KHO_POOL_EXTENT_EXPOSED))
			err = ENXIO;
	}
	if (err == EBUSY)
		in_use(extent);
	if (err == ENXIO)
		refused(err, "%s is not exposed", full_name(extent));
	if (err)
		refused(err, "%s cannot be hidden: %s", full_name(extent), control_error(err));
	links_follow(extent->pool);
	query_extent(extent);
}

static int expose(int argc, char **argv)
{
	static const struct option options[] = {
		{ "align", required_argument, NULL, 'a' },
		{ "owner", required_argument, NULL, NODE_OWNER },
		{ "group", required_argument, NULL, NODE_GROUP },
		{ "mode", required_argument, NULL, NODE_MODE },
		{ "pool", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	const char *pool = NULL, *wrong;
	struct node node = {};
	struct extent extent;
	char path[40];
	u64 align = 0;
	int opt;

	while ((opt = next_option(&cmd_expose, argc, argv, options)) != -1) {
		if (opt == 'a')
			align = parse_size("--align", optarg);
		else if (opt == 'p')
			pool = optarg;
		else
			node_option(&node, opt, optarg);
	}
	operands(&cmd_expose, argc, &argv, 1, 1);
	find_extent(&extent, argv[0], pool);
	lock_extent(&extent);
	expose_extent(&extent, align);
	unlock_extent(&extent);
	wrong = node_apply(&node, &extent);
	if (wrong)
		fail("%s", wrong);
	if (as_json)
		json_extent(&extent);
	else
		puts(device_path(&extent, path));
	return EXIT_OK;
}

static int hide(int argc, char **argv)
{
	const char *pool = pool_option(&cmd_hide, argc, argv);
	struct extent extent;

	operands(&cmd_hide, argc, &argv, 1, 1);
	find_extent(&extent, argv[0], pool);
	lock_extent(&extent);
	hide_extent(&extent);
	unlock_extent(&extent);
	if (as_json)
		json_extent(&extent);
	return EXIT_OK;
}

const struct command cmd_expose = {
	.name = "expose",
	.args = "NAME [--align PAGE] [--owner USER] [--group GROUP] [--mode MODE]\n"
		"	[--pool POOL] [--json]",
	.what = "make a device of an extent, for programs to map",
	.help =	"Makes a device-dax device of the extent and prints its path.  Later kernels\n"
		"make it again by themselves, and /dev/kho_pool/POOL/NAME leads to it.  If the\n"
		"extent is exposed already, nothing changes.\n\n"
		"  --align PAGE     map it with pages of this size: 4K, 2M or 1G on most machines;\n"
		"                   by default the largest that its size and address allow\n"
		NODE_HELP
		"  --pool POOL      the pool that it is in; also written POOL/NAME\n"
		"  --json           for programs\n",
	.run = expose,
};

const struct command cmd_hide = {
	.name = "hide",
	.args = "NAME [--pool POOL] [--json]",
	.what = "take the device of an extent away",
	.help =	"Takes the device and its struct pages away.  The extent and its contents stay.\n"
		"Fails if a process has it mapped or pinned, or a live update session or another\n"
		"driver has it, and names them as far as they can be found.\n\n"
		"  --pool POOL  the pool that it is in; also written POOL/NAME\n"
		"  --json       for programs: the extent after that\n",
	.run = hide,
};
