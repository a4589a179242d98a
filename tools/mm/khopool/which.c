// SPDX-License-Identifier: GPL-2.0-only
/* Which images dump and verify are about: those in files, or the machine's own. */
#include "khopool.h"

void which_images(const struct command *command, int argc, char **argv, struct images *images)
{
	static const struct option options[] = {
		{ "in", no_argument, NULL, 'i' },
		{ "mem", required_argument, NULL, 'm' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	const char *mem = NULL;
	bool received = false;
	int opt, nr;

	while ((opt = next_option(command, argc, argv, options)) != -1) {
		if (opt == 'i')
			received = true;
		else if (opt == 'm')
			mem = optarg;
	}
	nr = operands(command, argc, &argv, 0, received || mem ? 0 : argc);
	if (nr)
		read_images(images, nr, argv);
	else
		read_live(images, received, mem);
}
