// SPDX-License-Identifier: GPL-2.0-only
/* A rule that does not hold is said here; rules_root.c and rules_index.c know them. */
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
