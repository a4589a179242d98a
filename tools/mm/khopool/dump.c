// SPDX-License-Identifier: GPL-2.0-only
/* khopool dump */
#include "khopool.h"

static int dump(int argc, char **argv)
{
	static struct images images;

	which_images(&cmd_dump, argc, argv, &images);
	if (as_json)
		json_images(&images);
	else
		text_images(&images);
	return 0;
}

const struct command cmd_dump = {
	.name = "dump",
	.args = "[--json] [--in] [--mem FILE] | [--json] FILE...",
	.what = "show what is handed from one kernel to the next",
	.help =	"Shows pools, regions and extents as text, or as JSON.\n\n"
		"FILE is a root (as saved from debugfs, with its keep list or without), the\n"
		"index of a region, or KHO's own tree.  Without files, this shows what this\n"
		"machine is going to hand to the next kernel.\n\n"
		"  --json      for programs\n"
		"  --in        show what this kernel has received instead: only the root\n"
		"  --mem FILE  read the indexes from this image of memory, such as /dev/mem\n",
	.run = dump,
};
