// SPDX-License-Identifier: GPL-2.0-only
/* khopool kexec-args: what kexec_load(2) needs to hand the pools over */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define WORD "kho_handover="
#define SPACE "\n "

/* The line without what an earlier kexec has left on it */
static void drop_word(char *line)
{
	char *from = line, *to = line;

	while (*from) {
		size_t len = strcspn(from, SPACE);

		if (len && strncmp(from, WORD, strlen(WORD))) {
			if (to != line)
				*to++ = ' ';
			memmove(to, from, len);
			to += len;
		}
		from += len;
		from += strspn(from, SPACE);
	}
	*to = 0;
}

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
	fail("this kernel hands over with kexec -s only, which needs no arguments: there is no "
	     SYSFS_KHO "/%s (CONFIG_KEXEC_HANDOVER_LOAD, kho=on)", file);
}

static int kexec_args(int argc, char **argv)
{
	static const struct option options[] = {
		{ "command-line", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	char args[160], word[80], running[4096], whole[4096 + 80], *line = NULL;
	int opt;

	while ((opt = next_option(&cmd_kexec_args, argc, argv, options)) != -1) {
		if (opt == 'c')
			line = optarg;
	}
	operands(&cmd_kexec_args, argc, &argv, 0, 0);
	read_word(args, sizeof(args), "args");
	read_word(word, sizeof(word), "cmdline");
	if (!line) {
		if (!sysfs_text(running, sizeof(running), "/proc/cmdline"))
			die("/proc/cmdline: %s", strerror(errno));
		line = running;
	}
	drop_word(line);
	/* The last one counts. */
	snprintf(whole, sizeof(whole), "%s%s%s", line, *line ? " " : "", word);
	if (as_json) {
		json_open();
		json_string("args", args);
		json_string("command_line", whole);
		json_close();
		return EXIT_OK;
	}
	printf("%s --command-line=", args);
	put_quoted(whole);
	putchar('\n');
	return EXIT_OK;
}

const struct command cmd_kexec_args = {
	.name = "kexec-args",
	.args = "[--command-line=TEXT] [--json]",
	.what = "print the arguments for kexec -c that hand the pools over",
	.help =	"Prints the arguments that kexec(8) needs to load an image by kexec_load(2):\n"
		"where it may go, and the command line with the word that hands over.  They are\n"
		"quoted for a shell and for xargs:\n\n"
		"  khopool kexec-args | xargs kexec -c -l bzImage --initrd=initrd\n\n"
		"kexec -s needs none of this.\n\n"
		"  --command-line=TEXT  of the next kernel; that of the running one if not said\n"
		"  --json               for programs: arguments and command line, not quoted\n",
	.run = kexec_args,
};
