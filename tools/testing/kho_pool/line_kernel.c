// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel has in lib/string_helpers.c, by its own ctype.c */
#include <linux/ctype.h>
#include <linux/string.h>

char *skip_spaces(const char *str)
{
	for (; isspace(*str); str++)
		;
	return (char *)str;
}
