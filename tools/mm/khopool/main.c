// SPDX-License-Identifier: GPL-2.0-only
/* The command line: which subcommand, and how it is called. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static const struct command *const commands[] = {
	&cmd_create, &cmd_ls, &cmd_show, &cmd_map, &cmd_rm, &cmd_expose, &cmd_hide, &cmd_links,
	&cmd_put, &cmd_get, &cmd_stat, &cmd_check, &cmd_can_take, &cmd_kexec_args, &cmd_dump,
	&cmd_verify, &cmd_edit,
};

static void print_help(FILE *to)
{
	fputs("usage: khopool COMMAND ...\n\n"
	      "Manages memory that survives kexec: makes, shows and removes extents of pools.\n\n",
	      to);
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-10s  %s\n", commands[i]->name, commands[i]->what);
	fputs("\nkhopool COMMAND --help explains each command; khopool --version says which\n"
	      "formats it knows.\n", to);
}

static bool is_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

/* This has to be known before any error in the other arguments is reported. */
static bool asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

static const struct command *find_command(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	die("there is no command \"%s\"; khopool --help lists them", name);
}

static int explain(const struct command *c)
{
	printf("usage: khopool %s %s\n\n%s", c->name, c->args, c->help);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const struct command *c;

	if (!strcmp(argv[1], "--version") && argc == 2) {
		print_version();
		return EXIT_OK;
	}
	if (is_help(argv[1]) || (!strcmp(argv[1], "help") && argc == 2)) {
		print_help(stdout);
		return EXIT_OK;
	}
	as_json = asks_for_json(argc, argv);
	if (!strcmp(argv[1], "help"))
		return explain(find_command(argv[2]));
	c = find_command(argv[1]);
	if (argc > 2 && is_help(argv[2]))
		return explain(c);
	return c->run(argc - 2, argv + 2);
}

/* Output that does not arrive is an error; but stdout may be closed if there is none. */
static void close_stdout(void)
{
	int err = fflush(stdout) ? errno : ferror(stdout) ? EIO : 0;

	if (!err && close(STDOUT_FILENO) && errno != EBADF)
		err = errno;
	if (err)
		die("stdout: %s", strerror(err));
}

int main(int argc, char **argv)
{
	int status;

	/* It may also stand before the command. */
	if (argc > 2 && !strcmp(argv[1], "--json")) {
		argv[1] = argv[2];
		argv[2] = "--json";
	}
	if (argc < 2) {
		print_help(stderr);
		return EXIT_CALL;
	}
	status = run(argc, argv);
	close_stdout();
	return status;
}
