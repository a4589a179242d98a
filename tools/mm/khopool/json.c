// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON on stdout: objects and arrays that nest, with commas where they belong.
 *
 * Not tools/bpf/bpftool/json_writer.c: a name with a control character, or with bytes that
 * are not UTF-8, would not become valid JSON, and it does not know what it has opened.
 */
#include <inttypes.h>
#include <stdio.h>

#include "command.h"

/* Is a comma needed before what comes next, on each level? */
static bool more[JSON_DEPTH];
/* What each level ends with */
static char closing[JSON_DEPTH];
static u32 level;

void json_quote(FILE *to, const char *s)
{
	putc('"', to);
	/* Names are bytes; what is not ASCII is taken for Latin-1. */
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(to, "\\%c", *s);
		else if ((u8)*s < ' ' || (u8)*s >= 0x7f)
			fprintf(to, "\\u%04x", (u8)*s);
		else
			putc(*s, to);
	}
	putc('"', to);
}

void json_key(const char *name)
{
	if (more[level])
		putchar(',');
	if (level)
		printf("\n%*s", level, "");
	more[level] = true;
	if (name) {
		json_quote(stdout, name);
		fputs(": ", stdout);
	}
}

void json_begin(const char *name, char bracket)
{
	json_key(name);
	putchar(bracket);
	more[++level] = false;
	closing[level] = bracket == '{' ? '}' : ']';
}

void json_end(char bracket)
{
	bool empty = !more[level--];

	if (!empty)
		printf("\n%*s", level, "");
	putchar(bracket);
}

void json_string(const char *name, const char *value)
{
	json_key(name);
	json_quote(stdout, value);
}

void json_number(const char *name, u64 value)
{
	json_key(name);
	printf("%" PRIu64, value);
}

void json_hex(const char *name, u64 value)
{
	json_key(name);
	printf("\"0x%" PRIx64 "\"", value);
}

void json_bool(const char *name, bool value)
{
	json_key(name);
	fputs(value ? "true" : "false", stdout);
}

u32 json_depth(void)
{
	return level;
}

void json_open(void)
{
	more[0] = false;
	json_begin(NULL, '{');
}

void json_close(void)
{
	json_end('}');
	putchar('\n');
}

void json_open_list(const char *name)
{
	json_open();
	json_begin(name, '[');
}

void json_close_list(void)
{
	json_end(']');
	json_close();
}

void json_abandon(void)
{
	if (!level)
		return;
	while (level)
		json_end(closing[level]);
	putchar('\n');
}
