// SPDX-License-Identifier: GPL-2.0-only
/* khopool verify */
#include <stdarg.h>

#include "khopool.h"

static u32 nr_violated;

void violated(const struct blob *blob, const char *fmt, ...)
{
	char text[400];
	va_list args;

	nr_violated++;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!as_json) {
		printf("%s: %s\n", blob->name, text);
		return;
	}
	json_begin(NULL, '{');
	json_string("file", blob->name);
	json_string("violated", text);
	json_end('}');
}

u32 violations(void)
{
	return nr_violated;
}

static int verify(int argc, char **argv)
{
	static struct images images;
	const char *mem = NULL;
	bool received = false;

	for (; argc && argv[0][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[0], "--json"))
			continue;
		if (!strcmp(argv[0], "--in"))
			received = true;
		else if (!strcmp(argv[0], "--mem") && argc > 1)
			argc--, mem = *++argv;
		else
			bad_call(&cmd_verify);
	}
	if (argc && (received || mem))
		bad_call(&cmd_verify);
	if (argc)
		read_images(&images, argc, argv);
	else
		read_live(&images, received, mem);
	if (images.tree.data)
		die("%s: rules for KHO's own tree are not known here", images.tree.name);
	if (as_json) {
		json_open();
		json_begin("violations", '[');
	}
	if (images.root)
		check_root(images.root);
	for (u32 i = 0; i < images.nr_indexes; i++)
		check_index(&images.index[i]);
	if (as_json) {
		json_end(']');
		json_close();
	}
	return nr_violated ? EXIT_REFUSED : EXIT_OK;
}

const struct command cmd_verify = {
	.name = "verify",
	.args = "[--json] [--in] [--mem FILE] | [--json] FILE...",
	.what = "say what is wrong with it",
	.help =	"Prints a line for each rule of the format that is not kept, and then exits\n"
		"with 1; with 0 if all are.\n\n"
		"FILE is a root (as saved from debugfs, with its keep list or without) or the\n"
		"index of a region.  An index is checked against the root before it, if there\n"
		"is one.  Without files, it is what this machine is going to hand to the next\n"
		"kernel; that is no rest, and may be seen in the middle of a change.\n\n"
		"  --json      for programs\n"
		"  --in        what this kernel was handed, instead: the root only\n"
		"  --mem FILE  read the indexes from this image of memory, such as /dev/mem\n",
	.run = verify,
};
