// SPDX-License-Identifier: GPL-2.0-only
/* khopool kexec-args: what kexec_load(2) needs to hand the pools over */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "machine.h"

/* For the shell and for xargs, as one word */
static void put_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

static void read_word(char *buf, u32 size, const char *file)
{
	if (sysfs_text(buf, size, SYSFS_KHO "/%s", file) && *buf)
		return;
	if (errno == EACCES)
		fail(SYSFS_KHO "/%s: only root can read it", file);
	fail("kexec -c would hand nothing over: there is no %s/%s; kexec -s needs no arguments",
	     SYSFS_KHO, file);
}

/* The running kernel's command line, which may be longer than what it was given */
static const char *running_line(void)
{
	static char line[1 << 16];

	if (!sysfs_text(line, sizeof(line), "/proc/cmdline"))
		die("/proc/cmdline: %s", strerror(errno));
	return line;
}

/* The part of @line for the next kernel, without newlines at the end */
static char *whole_line(const char *line, const char *word)
{
	size_t len = strlen(line), bytes;
	char *copy, *whole;

	while (len && line[len - 1] == '\n')
		len--;
	copy = strndup(line, len);
	whole = malloc(len + strlen(word) + 2);
	if (!copy || !whole)
		die("out of memory");
	/* The kernel treats a newline as a space, but xargs treats it as the end. */
	if (strchr(copy, '\n'))
		die("the command line has more than one line: put spaces where the newlines are");
	bytes = line_hand_over(whole, copy, word);
	if (bytes > LINE_MAX_BYTES)
		die("with %s in front the command line is %zu bytes too long; give a shorter one",
		    word, bytes - LINE_MAX_BYTES);
	free(copy);
	return whole;
}

static int kexec_args(int argc, char **argv)
{
	static const struct option options[] = {
		{ "command-line", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	char args[160], word[80], *whole;
	const char *line = NULL;
	int opt;

	while ((opt = next_option(&cmd_kexec_args, argc, argv, options)) != -1) {
		if (opt == 'c')
			line = optarg;
	}
	operands(&cmd_kexec_args, argc, &argv, 0, 0);
	read_word(args, sizeof(args), "args");
	read_word(word, sizeof(word), "cmdline");
	whole = whole_line(line ?: running_line(), word);
	if (as_json) {
		json_open();
		json_string("args", args);
		json_string("command_line", whole);
		json_close();
	} else {
		printf("%s --command-line=", args);
		put_quoted(whole);
		putchar('\n');
	}
	free(whole);
	return EXIT_OK;
}

const struct command cmd_kexec_args = {
	.name = "kexec-args",
	.args = "[--command-line=TEXT] [--json]",
	.what = "print the arguments for kexec -c that hand the pools over",
	.help =	"Prints the arguments that kexec(8) needs to load an image by kexec_load(2):\n"
		"where it may go, and the command line with the word that hands over in front\n"
		"and without older ones.  They are quoted for a shell and for xargs:\n\n"
		"  khopool kexec-args | xargs -r kexec -c -l bzImage --initrd=initrd\n\n"
		"kexec -s does not need this.\n\n"
		"  --command-line=TEXT  of the next kernel; by default that of the running one\n"
		"  --json               for programs: arguments and command line, not quoted\n",
	.run = kexec_args,
};
