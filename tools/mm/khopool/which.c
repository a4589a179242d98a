// SPDX-License-Identifier: GPL-2.0-only
/* Which images dump and verify are about: those in files, or the machine's own. */
#include "khopool.h"

void which_images(const struct command *command, int argc, char **argv, struct images *images)
{
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
			bad_call(command);
	}
	if (argc && (received || mem))
		bad_call(command);
	if (argc)
		read_images(images, argc, argv);
	else
		read_live(images, received, mem);
}
