// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of a command, in any order with its operands.
 *
 * Not tools/lib/subcmd: it exits by itself, so an error would not be JSON with --json.
 * That usage and help have the options that there are is tested (khopool_test.py).
 */
#include <string.h>

#include "command.h"

/* A single letter, which no command has, or an option that there is not, or not like this */
static void bad_option(const struct command *command, const char *last)
{
	char letter[3] = { '-', optopt };

	if (optopt && (strncmp(last, "--", 2) || !strchr(last, '=')))
		last = letter;
	die("%s has no option %s, or not like this\nusage: khopool %s %s", command->name, last,
	    command->name, command->args);
}

/**
 * next_option - like getopt_long(), but reports errors and exits
 * @command: the command
 * @argc: how many arguments there are
 * @argv: those after the command's name
 * @options: what there is, each with a @val of its own
 *
 * Return: @val of the option, whose value is in optarg, or -1 at the end.
 */
int next_option(const struct command *command, int argc, char **argv,
		const struct option *options)
{
	int opt, index = -1;

	opterr = 0;
	/* The command's own name is before them. */
	opt = getopt_long(argc + 1, argv - 1, ":", options, &index);
	if (opt == ':')
		die("%s %s needs a value (khopool %s --help)", command->name,
		    argv[optind - 2], command->name);
	if (opt == '?')
		bad_option(command, argv[optind - 2]);
	/* It may have been shortened. */
	if (index >= 0 && !strcmp(options[index].name, "json"))
		as_json = true;
	return opt;
}

const char *pool_option(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "pool", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	const char *pool = NULL;
	int opt;

	while ((opt = next_option(command, argc, argv, options)) != -1)
		if (opt == 'p')
			pool = optarg;
	return pool;
}

int operands(const struct command *command, int argc, char ***argv, int min, int max)
{
	int nr = argc + 1 - optind;

	if (nr < min || nr > max)
		bad_call(command);
	*argv += optind - 1;
	return nr;
}
