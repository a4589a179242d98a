/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command line as it is seen from all sides:
 *
 *	the load check		kho_line_page()
 *	the next kernel		the parser of a kernel's tree, compiled unchanged
 *	khopool			line_hand_over(), which makes lines
 *
 * If a load accepts a line that the next kernel ignores, all preserved memory is lost.
 */
#ifndef _KHO_POOL_TEST_LINE_SIDES_H
#define _KHO_POOL_TEST_LINE_SIDES_H

#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/kho_load_line.h>

#include "../../mm/khopool/line.h"

/* Of x86 and arm64; the load check and the kernel read one byte less. */
#define COMMAND_LINE_SIZE 2048

struct seen {
	enum kho_line what;
	u64 phys;
};

/* What the kernel's parser makes of a line, with kho_handover kept apart */
struct parsed {
	struct seen last;
	char *params;		/* each with its value, if it has one */
	size_t size;
	const char *rest;	/* after "--", or NULL */
	u32 words;		/* how many kho_handover there were */
	char *line;		/* what the kernel has of it, overwritten */
	FILE *to;
};

/* The rules for addresses, implemented a second time */
static inline struct seen see_value(const char *val)
{
	size_t digits = 0;
	u64 phys;

	if (val && !strncmp(val, "0x", 2))
		digits = strspn(val + 2, "0123456789abcdefABCDEF");
	if (!digits || digits > 16 || val[2 + digits])
		return (struct seen){ .what = KHO_LINE_MALFORMED };
	phys = strtoull(val, NULL, 16);
	if (!phys || phys & 4095)
		return (struct seen){ .what = KHO_LINE_MALFORMED };
	return (struct seen){ .what = KHO_LINE_PAGE, .phys = phys };
}

/* Like do_early_param() with early_param("kho_handover", ...) */
static inline int see_param(char *param, char *val, const char *doing, void *arg)
{
	struct parsed *parsed = arg;

	if (parameq(param, "kho_handover")) {
		parsed->last = see_value(val);
		parsed->words++;
		return 0;
	}
	fprintf(parsed->to, "%s%c%s%c", param, 0, val ?: "", val ? '=' : ' ');
	return 0;
}

/* In just enough memory for a sanitizer to catch reads beyond the end */
static inline void parse(struct parsed *parsed, const char *line, size_t max)
{
	char *end;

	*parsed = (struct parsed){ .line = strndup(line, max) };
	parsed->to = open_memstream(&parsed->params, &parsed->size);
	end = parse_args("early options", parsed->line, NULL, 0, 0, 0, parsed, see_param);
	fclose(parsed->to);
	parsed->rest = end;
}

static inline void parse_end(struct parsed *parsed)
{
	free(parsed->line);
	free(parsed->params);
}

static inline struct seen next_kernel(const char *line)
{
	struct parsed parsed;

	parse(&parsed, line, COMMAND_LINE_SIZE - 1);
	parse_end(&parsed);
	return parsed.last;
}

static inline struct seen load_check(const char *line)
{
	char *copy = strndup(line, COMMAND_LINE_SIZE - 1);
	struct seen seen = {};

	seen.what = kho_line_page(copy, &seen.phys);
	free(copy);
	if (seen.what != KHO_LINE_PAGE)
		seen.phys = 0;
	return seen;
}

static inline bool same(struct seen a, struct seen b)
{
	return a.what == b.what && a.phys == b.phys;
}

static inline const char *wrong_params(const struct parsed *before, const struct parsed *after)
{
	if (after->words != 1 || after->last.what != KHO_LINE_PAGE)
		return "khopool's word is not the only one";
	if (before->size != after->size || memcmp(before->params, after->params, before->size))
		return "khopool has changed other parameters";
	if (!before->rest != !after->rest || (before->rest && strcmp(before->rest, after->rest)))
		return "khopool has changed what is for init";
	return NULL;
}

/* @to is what khopool has made of @line, and a kernel reads all of it. */
static inline const char *wrong_made(const char *line, const char *word, const char *to)
{
	struct parsed before, after;
	size_t len = strlen(word);
	const char *wrong;

	parse(&before, line, strlen(line));
	parse(&after, to, COMMAND_LINE_SIZE - 1);
	wrong = wrong_params(&before, &after);
	if (!wrong && !same(after.last, see_value(strchr(word, '=') + 1)))
		wrong = "the next kernel does not obey khopool's word";
	if (!wrong && strncmp(to, word, len))
		wrong = "khopool's word is not in front";
	if (!wrong && !before.words && *line && (to[len] != ' ' || strcmp(to + len + 1, line)))
		wrong = "khopool has changed a line that has no such word";
	parse_end(&before);
	parse_end(&after);
	return wrong;
}

static inline const char *wrong_khopool(const char *line, const char *word)
{
	size_t room = strlen(line) + strlen(word) + 2;
	char *to = malloc(room), *again = malloc(room + strlen(word) + 1);
	const char *wrong = NULL;
	size_t len;

	len = line_hand_over(to, line, word);
	if (len != strlen(to) || len >= room)
		wrong = "khopool cannot count";
	else if (len <= LINE_MAX_BYTES)
		wrong = wrong_made(line, word, to);
	if (!wrong && len <= LINE_MAX_BYTES &&
	    !same(load_check(to), see_value(strchr(word, '=') + 1)))
		wrong = "khopool's line would not be accepted";
	line_hand_over(again, to, word);
	if (!wrong && strcmp(again, to))
		wrong = "khopool has changed its own line";
	free(to);
	free(again);
	return wrong;
}

/* NULL, or which rule does not hold for a line */
static inline const char *wrong_line(const char *line, const char *word)
{
	if (!same(load_check(line), next_kernel(line)))
		return load_check(line).what == KHO_LINE_PAGE ?
			"a load accepts what the next kernel ignores" :
			"load check and next kernel do not agree";
	return wrong_khopool(line, word);
}

static inline void print_line(const char *line)
{
	printf("# line: ");
	for (; *line; line++) {
		if (*line < ' ' || *line > '~' || *line == '\\')
			printf("\\x%02x", (u8)*line);
		else
			putchar(*line);
	}
	putchar('\n');
}

#endif /* _KHO_POOL_TEST_LINE_SIDES_H */
