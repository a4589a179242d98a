// SPDX-License-Identifier: GPL-2.0-only
/* khopool verify */
#include "khopool.h"

static int verify(int argc, char **argv)
{
	static struct images images;

	which_images(&cmd_verify, argc, argv, &images);
	if (images.tree.data)
		die("%s: rules for KHO's own tree are not known here", images.tree.name);
	if (as_json)
		json_open_list("violations");
	if (images.root)
		check_root(images.root);
	for (u32 i = 0; i < images.nr_indexes; i++)
		check_index(&images.index[i]);
	if (as_json)
		json_close_list();
	return violations() ? EXIT_REFUSED : EXIT_OK;
}

const struct command cmd_verify = {
	.name = "verify",
	.args = "[--json] [--in] [--mem FILE] | [--json] FILE...",
	.what = "check what is handed from one kernel to the next",
	.help =	"Prints a line for each broken rule of the format, and exits with 1 if there are\n"
		"any, otherwise with 0.\n\n"
		"FILE is a root (as saved from debugfs, with its keep list or without) or the\n"
		"index of a region.  An index is checked against the root before it, if there\n"
		"is one.  Without files, this checks what this machine is going to hand to the\n"
		"next kernel; that keeps changing, and may be read in the middle of a change.\n\n"
		"  --json      for programs\n"
		"  --in        check what this kernel has received instead: only the root\n"
		"  --mem FILE  read the indexes from this image of memory, such as /dev/mem\n",
	.run = verify,
};
