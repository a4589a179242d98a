// SPDX-License-Identifier: GPL-2.0-only
/*
 * khopool map: names, which are arbitrary bytes, as text in HTML.
 *
 * UTF-8 stays what it is.  Of all else, and of characters that would not be seen or would
 * move others about, the bytes are shown, as in "\x1b".
 */
#include <stdio.h>
#include <string.h>

#include "map.h"

static bool can_be_seen(u32 c)
{
	static const u32 unseen[][2] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x180e, 0x180e },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xd800, 0xf8ff },
		{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xfff0, 0xffff }, { 0xe0000, UINT32_MAX },
	};

	for (u32 i = 0; i < ARRAY_SIZE(unseen); i++)
		if (c >= unseen[i][0] && c <= unseen[i][1])
			return false;
	return (c & 0xfffe) != 0xfffe;
}

/* How many bytes the character has; 0: they are not one, or it cannot be seen. */
static u32 character(const char *s, u32 *c)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	u8 lead = *s;
	u32 bytes = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 :
		    lead < 0xf8 ? 4 : 0;

	if (bytes < 2) {
		*c = lead;
		return bytes && can_be_seen(lead);
	}
	*c = lead & (0x7f >> bytes);
	for (u32 i = 1; i < bytes; i++) {
		/* The NUL, too */
		if (((u8)s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | ((u8)s[i] & 0x3f);
	}
	return *c >= least[bytes] && can_be_seen(*c) ? bytes : 0;
}

void html_text(const char *s)
{
	static const char special[] = "&<>\"'";
	u32 c, bytes;

	for (; *s; s += bytes ?: 1) {
		bytes = character(s, &c);
		if (!bytes)
			printf("\\x%02x", (u8)*s);
		else if (bytes == 1 && strchr(special, *s))
			printf("&#%u;", c);
		else
			fwrite(s, bytes, 1, stdout);
	}
}

u32 html_width(const char *s)
{
	u32 c, bytes, width = 0;

	for (; *s; s += bytes ?: 1) {
		bytes = character(s, &c);
		/* Scripts from Hangul on have wide characters. */
		width += !bytes ? strlen("\\x00") : c < 0x1100 ? 1 : 2;
	}
	return width;
}
