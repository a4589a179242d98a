// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any command line: load check, next kernel and khopool have to see the same in it.
 *
 * The input's first byte says how the line is padded to around the limit, if at all; the
 * next two bytes say where and how far.  In the rest, bytes that have no use on a command
 * line stand for tokens that do.
 */
#include "line_sides.h"

static const char *const tokens[] = {
	"kho_handover=", "kho-handover=", "kho_handover", "0x1234000", "0x5000",
	"0xffffffffffffffff", " -- ", "\"",
};

static const char *const words[] = {
	"kho_handover=0x1234000", "kho_handover=0x1000", "kho_handover=0xfffffffffffff000",
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char line[COMMAND_LINE_SIZE * 16], *to = line;
	const char *wrong, *word;
	size_t len, at, fill = 0;
	u8 kind;

	if (size < 4)
		return 0;
	kind = data[0];
	for (size_t i = 3; i < size && i < 1000; i++) {
		if (data[i] < ARRAY_SIZE(tokens))
			to += sprintf(to, "%s", tokens[data[i]]);
		else
			*to++ = data[i];
	}
	*to = 0;
	len = to - line;
	if (kind & 1 && len < COMMAND_LINE_SIZE + 128)
		fill = COMMAND_LINE_SIZE + 128 - data[2] > len ?
		       COMMAND_LINE_SIZE + 128 - data[2] - len : 0;
	at = data[1] * (len + 1) / 256;
	memmove(line + at + fill, line + at, len - at + 1);
	memset(line + at, kind & 2 ? ' ' : 'x', fill);
	word = words[(kind >> 2) % ARRAY_SIZE(words)];
	wrong = wrong_line(line, word);
	if (wrong) {
		print_line(line);
		fprintf(stderr, "fuzz_line: %s\n", wrong);
		abort();
	}
	return 0;
}
