// SPDX-License-Identifier: GPL-2.0-only
/* The command line: which subcommand, and how it is called. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct command *const commands[] = {
	&cmd_create, &cmd_ls, &cmd_show, &cmd_map, &cmd_rm, &cmd_expose, &cmd_hide, &cmd_links,
	&cmd_put, &cmd_get, &cmd_stat, &cmd_kexec_args, &cmd_dump, &cmd_verify, &cmd_edit,
};

static void say(const char *fmt, va_list args)
{
	fflush(stdout);
	fputs("khopool: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit(EXIT_CALL);
}

void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit(EXIT_REFUSED);
}

void bad_call(const struct command *command)
{
	die("usage: khopool %s %s\n(khopool %s --help says more)", command->name, command->args,
	    command->name);
}

static void print_help(FILE *to)
{
	fputs("usage: khopool COMMAND ...\n\n"
	      "Memory that survives kexec: makes, shows and removes what is in its pools.\n\n", to);
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-10s  %s\n", commands[i]->name, commands[i]->what);
	fputs("\nkhopool COMMAND --help says how each is called.\n", to);
}

static bool is_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	if (is_help(argv[1]) || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = commands[i];

		if (strcmp(argv[1], c->name))
			continue;
		if (argc > 2 && is_help(argv[2])) {
			printf("usage: khopool %s %s\n\n%s", c->name, c->args, c->help);
			return 0;
		}
		return c->run(argc - 2, argv + 2);
	}
	die("there is no command \"%s\"; khopool --help lists them", argv[1]);
}
