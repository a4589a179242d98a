// SPDX-License-Identifier: GPL-2.0-only
/*
 * The next kernel obeys what a load accepts, and a load accepts what khopool writes.
 *
 *	line_test [SEED]	for the made-up lines; 1 unless said, so that each run
 *				sees the same
 */
#include "line_sides.h"
#include "random.h"
#include "test.h"

#define WORD "kho_handover=0x1234000"

static u64 seed;

static u64 rnd(void)
{
	return random_word(&seed) >> 16;
}

/* What all have to see in a line; 0: malformed, 1: none */
static const struct {
	const char *line;
	u64 phys;
} lines[] = {
	{ "", 1 },
	{ "console=ttyS0 quiet", 1 },
	{ WORD, 0x1234000 },
	{ "console=ttyS0 kho=on " WORD, 0x1234000 },
	{ WORD " console=ttyS0", 0x1234000 },
	/* What follows "--" is for init. */
	{ "console=ttyS0 kho=on -- single " WORD, 1 },
	{ WORD " -- single", 0x1234000 },
	{ "kho_handover=0x9999000 console=ttyS0 -- 3 " WORD, 0x9999000 },
	{ WORD " -- kho-handover=0x1", 0x1234000 },
	{ "\"--\" " WORD, 1 },
	{ "\"-- " WORD, 1 },
	{ "--=1 " WORD, 0x1234000 },
	{ "--\" " WORD "\" x", 1 },
	{ "--x " WORD, 0x1234000 },
	{ "-_ " WORD, 0x1234000 },
	{ "-- -- " WORD, 1 },
	/* White space is what the kernel takes for white space. */
	{ "console=ttyS0 " WORD "\tquiet", 0x1234000 },
	{ "console=ttyS0\t" WORD "\t", 0x1234000 },
	{ "a\n" WORD "\nb", 0x1234000 },
	{ "a\v" WORD "\fb\r", 0x1234000 },
	{ "a\xa0" WORD "\xa0y", 0x1234000 },
	{ "a\xa1" WORD, 1 },
	{ " \t " WORD, 0x1234000 },
	{ "\t--\t" WORD, 1 },
	{ "a\x1f" WORD, 1 },
	{ WORD "\x1f", 0 },
	/* Quotes */
	{ "dyndbg=\"file x.c +p " WORD, 1 },
	{ "dyndbg=\"file x.c +p\" " WORD, 0x1234000 },
	{ "dyndbg=\"file x.c +p " WORD "\" quiet", 1 },
	{ "a=\"--\" " WORD, 0x1234000 },
	{ "\"" WORD "\"", 0x1234000 },
	{ "\"" WORD, 0x1234000 },
	{ "\"" WORD " quiet\"", 0 },
	{ "kho_handover=\"0x1234000\"", 0x1234000 },
	{ "kho_handover=\"0x1234000", 0x1234000 },
	{ "kho_handover=0x1234000\"", 0 },
	{ "\"kho_handover\"=0x1234000", 1 },
	{ "kho_\"handover=0x1234000\"", 1 },
	{ "\"\" " WORD, 0x1234000 },
	/* The name */
	{ "kho-handover=0x1234000", 0x1234000 },
	{ "xkho_handover=0x1234000", 1 },
	{ "kho_handover2=0x1234000", 1 },
	{ "kho_handove=0x1234000", 1 },
	{ "KHO_HANDOVER=0x1234000", 1 },
	{ "=kho_handover=0x1234000", 1 },
	{ "kho_handover_0x1234000", 1 },
	/* The last one counts, whatever it is. */
	{ WORD " kho-handover=0x5", 0 },
	{ WORD " kho-handover=0x5000", 0x5000 },
	{ "kho_handover=0x5000 " WORD, 0x1234000 },
	{ "kho_handover=0x5 " WORD, 0x1234000 },
	{ WORD " kho_handover", 0 },
	{ WORD " \"kho-handover\"", 0 },
	{ WORD " kho_handover=", 0 },
	/* The address */
	{ "kho_handover=0x", 0 },
	{ "kho_handover=0x0", 0 },
	{ "kho_handover=0x1234", 0 },
	{ "kho_handover=0x1234800", 0 },
	{ "kho_handover=0x1800", 0 },
	{ "kho_handover=0X1234000", 0 },
	{ "kho_handover=1234000", 0 },
	{ "kho_handover=4096", 0 },
	{ "kho_handover=0x1234000x", 0 },
	{ "kho_handover=0x123g000", 0 },
	{ "kho_handover=-0x1000", 0 },
	{ "kho_handover=0x1000,", 0 },
	{ "kho_handover=0xabcdef000", 0xabcdef000 },
	{ "kho_handover=0xABCDEF000", 0xabcdef000 },
	{ "kho_handover=0x0000000001234000", 0x1234000 },
	{ "kho_handover=0x00000000001234000", 0 },
	{ "kho_handover=0xfffffffffffff000", 0xfffffffffffff000 },
	{ "kho_handover=0x1fffffffffffff000", 0 },
	{ "kho_handover=0x10000000000000000", 0 },
};

static struct seen right(u64 phys)
{
	if (phys == 1)
		return (struct seen){ .what = KHO_LINE_NONE };
	if (!phys)
		return (struct seen){ .what = KHO_LINE_MALFORMED };
	return (struct seen){ .what = KHO_LINE_PAGE, .phys = phys };
}

static bool all_agree(const char *line)
{
	const char *wrong = wrong_line(line, WORD);

	if (!wrong)
		return true;
	printf("# %s\n", wrong);
	print_line(line);
	return false;
}

static bool known_line(const char *line, struct seen seen)
{
	CHECK(same(load_check(line), seen));
	CHECK(same(next_kernel(line), seen));
	CHECK(all_agree(line));
	return true;
}

static bool known_lines(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!known_line(lines[i].line, right(lines[i].phys))) {
			print_line(lines[i].line);
			return false;
		}
	}
	return true;
}

/* So many bytes of the word are cut off: what is left of it counts. */
static bool limit(void)
{
	static const struct {
		int cut;
		u64 phys;
	} cuts[] = {
		{ -1, 0x1234000 }, { 0, 0x1234000 }, { 1, 0 }, { 3, 0 }, { 7, 0 }, { 9, 0 },
		{ 10, 0 }, { 11, 1 }, { 22, 1 }, { 23, 1 },
	};
	char line[COMMAND_LINE_SIZE + 80];

	for (u32 i = 0; i < ARRAY_SIZE(cuts); i++) {
		int pad = COMMAND_LINE_SIZE - 1 - strlen(" " WORD) + cuts[i].cut;

		memset(line, 'x', pad);
		strcpy(line + pad, " " WORD);
		CHECK(known_line(line, right(cuts[i].phys)));
	}
	/* What is left may be an address. */
	memset(line, 'x', COMMAND_LINE_SIZE);
	strcpy(line + COMMAND_LINE_SIZE - 1 - strlen(" " WORD), " " WORD "000");
	CHECK(known_line(line, right(0x1234000)));
	return true;
}

static const struct {
	const char *line, *made;
} edits[] = {
	{ "", WORD },
	{ "kho_handover=0x5000", WORD },
	{ "a", WORD " a" },
	{ "a b=c", WORD " a b=c" },
	{ "a  b\t", WORD " a  b\t" },
	{ "kho_handover=0x5000 a", WORD " a" },
	{ "  kho_handover=0x5000  a", WORD "  a" },
	{ "  a", WORD "   a" },
	{ "a kho_handover=0x5000", WORD " a" },
	{ "a kho_handover=0x5000  b", WORD " a  b" },
	{ "a\tkho_handover=0x5000\nb", WORD " a\nb" },
	{ "a\xa0kho_handover=0x5000\xa0y", WORD " a\xa0y" },
	{ "kho_handover=1 kho-handover=2 a kho_handover kho_handover= b", WORD " a b" },
	{ "a \"kho_handover=0x5000\" b", WORD " a b" },
	{ "a \"kho-handover\" b", WORD " a b" },
	{ "a kho_handover=\"0x5000 b\" c", WORD " a c" },
	{ "a kho_handover=\"0x5000 b", WORD " a" },
	{ "a=\"b  kho_handover=0x5000  c\" d", WORD " a=\"b  kho_handover=0x5000  c\" d" },
	{ "a=\"b kho_handover=0x5000", WORD " a=\"b kho_handover=0x5000" },
	{ "xkho_handover=1 kho_handovers=2 kho_handove=3",
	  WORD " xkho_handover=1 kho_handovers=2 kho_handove=3" },
	{ "=kho_handover=1", WORD " =kho_handover=1" },
	{ "a -- b  kho_handover=0x5000", WORD " a -- b  kho_handover=0x5000" },
	{ "kho_handover=0x5000 -- kho_handover=0x5000", WORD " -- kho_handover=0x5000" },
	{ "a kho_handover=0x5000 \"--\"  b \"c", WORD " a \"--\"  b \"c" },
	{ "--x kho_handover=0x5000 b", WORD " --x b" },
	{ "--= kho_handover=0x5000", WORD " --=" },
	{ "-- ", WORD " -- " },
};

static bool known_edits(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(edits); i++) {
		char to[256];
		size_t len = line_hand_over(to, edits[i].line, WORD);

		if (len != strlen(edits[i].made) || strcmp(to, edits[i].made)) {
			print_line(edits[i].line);
			print_line(to);
			return false;
		}
		CHECK(all_agree(edits[i].line));
	}
	return true;
}

/* As long as a kernel reads, and a byte longer */
static bool longest(void)
{
	char line[COMMAND_LINE_SIZE + 1], to[COMMAND_LINE_SIZE + 80];

	for (int end = -3; end <= 3; end++) {
		int len = COMMAND_LINE_SIZE - 1 - strlen(WORD " ") + end;

		memset(line, 'x', len);
		line[len] = 0;
		CHECK_EQ(line_hand_over(to, line, WORD) <= LINE_MAX_BYTES, end <= 0);
		CHECK_EQ(same(next_kernel(to), right(0x1234000)), true);
		CHECK(all_agree(line));
	}
	return true;
}

/* Lines of tokens that matter, in any order */
static bool made_up_lines(void)
{
	static const char *const tokens[] = {
		WORD, "kho_handover=0x5000", "kho-handover=", "kho_handover", "kho-", "handover",
		"=", "0x", "0x1000", "0x1800", "0xABCDEF000", "0x1g000", "0x1fffffffffffff000",
		"0xfffffffffffff000",
		"\"", "\"", "\"", "--", "--", "-", "a", "b=c", "\xa0", "\t", "\n", " ", " ", " ",
		" ", "  ", "\x85", "init=/bin/sh", "x=\"y z\"",
	};
	char line[2 * COMMAND_LINE_SIZE];

	for (u32 i = 0; i < 100000; i++) {
		/* Some are about as long as a kernel reads. */
		u32 len = i % 8 ? 0 : 1900 + rnd() % 160, nr = rnd() % 16;
		char *to = line + len;

		memset(line, i % 16 ? 'x' : ' ', len);
		for (*to = 0; nr--;)
			to = stpcpy(to, tokens[rnd() % ARRAY_SIZE(tokens)]);
		if (!all_agree(line))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "known_lines", known_lines },
		{ "limit", limit },
		{ "known_edits", known_edits },
		{ "longest", longest },
		{ "made_up_lines", made_up_lines },
	};

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	seed = seed ?: 1;
	printf("# seed %llu\n", (unsigned long long)seed);
	return run_tests(tests, ARRAY_SIZE(tests));
}
