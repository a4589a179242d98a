// SPDX-License-Identifier: GPL-2.0-only
/* Sizes and names as people read and write them. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"

static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };

/* Exact: in the largest unit that divides it */
const char *size_text(u64 bytes, char *buf)
{
	u32 unit = 0;

	while (bytes && !(bytes & 1023) && unit + 1 < ARRAY_SIZE(units)) {
		bytes >>= 10;
		unit++;
	}
	sprintf(buf, "%" PRIu64 " %s", bytes, units[unit]);
	return buf;
}

/* Short: in the largest unit that it has one of, rounded down to a tenth */
const char *size_short(u64 bytes, char *buf)
{
	u64 whole = bytes, rest = 0;
	u32 unit = 0;

	while (whole >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		rest = whole & 1023;
		whole >>= 10;
		unit++;
	}
	if (rest * 10 / 1024 && whole < 100)
		sprintf(buf, "%" PRIu64 ".%u %s", whole, (u32)(rest * 10 / 1024), units[unit]);
	else
		sprintf(buf, "%" PRIu64 " %s", whole, units[unit]);
	return buf;
}

u64 parse_number(const char *what, const char *text, u64 max)
{
	char *end;
	u64 value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (!isdigit((u8)*text) || *end)
		die("%s: \"%s\" is not a number", what, text);
	if (errno || value > max)
		die("%s: %s is too large", what, text);
	return value;
}

/* 4096, 64K, 512M, 4G, 1T; also 4GiB, 4gb and 4 GiB. */
u64 parse_size(const char *what, const char *text)
{
	static const char letters[] = "bkmgt";
	const char *letter = letters;
	char *end;
	u64 value;
	u32 shift;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (!isdigit((u8)*text))
		die("%s: \"%s\" is not a size such as 4G, 512M or 64K", what, text);
	while (*end == ' ')
		end++;
	if (*end) {
		letter = strchr(letters, tolower((u8)*end));
		if (!letter || (end[1] && strcasecmp(end + 1, "b") && strcasecmp(end + 1, "ib")) ||
		    (letter == letters && end[1]))
			die("%s: \"%s\" is not a size such as 4G, 512M or 64K", what, text);
	}
	shift = 10 * (letter - letters);
	if (errno || value > UINT64_MAX >> shift)
		die("%s: %s is too large", what, text);
	return value << shift;
}

void copy_text(char *to, const char *from, u32 size)
{
	snprintf(to, size, "%s", from);
}

const char *shown(const char *name)
{
	static char buf[4][64];
	static u32 turn;
	char *to = buf[turn++ % 4];
	u32 i;

	for (i = 0; name[i] && i + 1 < sizeof(buf[0]); i++)
		to[i] = name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?';
	to[i] = 0;
	return to;
}
