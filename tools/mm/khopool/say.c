// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors and warnings on stderr: a line of text, or with --json an object on one line:
 *
 *	{"error": {"message": "...", "status": 1, "errno": 16}}
 *	{"warning": {"message": "..."}}
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

bool as_json;

static void say(const char *kind, int status, int err, const char *fmt, va_list args)
{
	char text[1024];

	if (!as_json) {
		fflush(stdout);
		fputs("khopool: ", stderr);
		vfprintf(stderr, fmt, args);
		fputc('\n', stderr);
		return;
	}
	vsnprintf(text, sizeof(text), fmt, args);
	/* First print on stdout what has been done. */
	if (status)
		json_abandon();
	fflush(stdout);
	fprintf(stderr, "{\"%s\": {\"message\": ", kind);
	json_quote(stderr, text);
	if (status)
		fprintf(stderr, ", \"status\": %d", status);
	if (err)
		fprintf(stderr, ", \"errno\": %d", err);
	fputs("}}\n", stderr);
}

void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("warning", 0, 0, fmt, args);
	va_end(args);
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("error", EXIT_CALL, 0, fmt, args);
	va_end(args);
	exit(EXIT_CALL);
}

void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("error", EXIT_REFUSED, 0, fmt, args);
	va_end(args);
	exit(EXIT_REFUSED);
}

void refused(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("error", EXIT_REFUSED, err, fmt, args);
	va_end(args);
	exit(EXIT_REFUSED);
}

const char *wrong_about(const char *name, int err)
{
	static char text[PATH_MAX + 100];

	snprintf(text, sizeof(text), "%s: %s", name, strerror(err));
	return text;
}

void bad_call(const struct command *command)
{
	die("usage: khopool %s %s\n(khopool %s --help says more)", command->name, command->args,
	    command->name);
}
