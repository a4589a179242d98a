// SPDX-License-Identifier: GPL-2.0-only
/* khopool dump */
#include "khopool.h"

static int dump(int argc, char **argv)
{
	bool received = false;
	static struct images images;
	const char *mem = NULL;

	for (; argc && argv[0][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[0], "--json"))
			continue;
		if (!strcmp(argv[0], "--in"))
			received = true;
		else if (!strcmp(argv[0], "--mem") && argc > 1)
			argc--, mem = *++argv;
		else
			bad_call(&cmd_dump);
	}
	if (argc && (received || mem))
		bad_call(&cmd_dump);
	if (argc)
		read_images(&images, argc, argv);
	else
		read_live(&images, received, mem);
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
		"index of a region, or KHO's own tree.  Without one, it is what this machine is\n"
		"going to hand to the next kernel.\n\n"
		"  --json      for programs\n"
		"  --in        what this kernel was handed, instead: the root only\n"
		"  --mem FILE  read the indexes from this image of memory, such as /dev/mem\n",
	.run = dump,
};
