// SPDX-License-Identifier: GPL-2.0-only
/*
 * The next kernel's command line, with the word that hands over.
 *
 * The word goes to the front, where nothing can hide it: no "--", no open quote, no end
 * that is cut off.  As the last one counts, those of earlier kexecs have to go.  The
 * kernel's parser decides which these are; its rules are followed here without writing
 * to the line.
 */
#include <stdbool.h>
#include <string.h>

#include "line.h"

#define NAME "kho_handover"
/* What the kernel takes for white space: that of Latin-1 */
#define SPACE " \t\n\v\f\r\xa0"

/* White space between quotes belongs to the word, and a quote may begin anywhere. */
static const char *word_end(const char *word)
{
	bool quoted = false;

	for (; *word && (quoted || !strchr(SPACE, *word)); word++)
		quoted ^= *word == '"';
	return word;
}

/*
 * The parameter's name, and whether a value follows.  A quote in front of a word is not
 * part of it, and then neither is one at its end.  (A name that begins with '=' does not
 * matter here.)
 */
static size_t name_of(const char **word, const char *end, bool *has_value)
{
	bool quoted = **word == '"';
	const char *name = *word += quoted, *stop;

	stop = memchr(name, '=', end - name);
	*has_value = stop;
	if (!stop) {
		stop = end;
		if (quoted && stop > name && stop[-1] == '"')
			stop--;
	}
	return stop - name;
}

static bool is_word(const char *word, const char *end)
{
	bool has_value;
	size_t len = name_of(&word, end, &has_value);

	if (len != strlen(NAME))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((word[i] == '-' ? '_' : word[i]) != NAME[i])
			return false;
	return true;
}

/* What follows it is for init. */
static bool is_stop(const char *word, const char *end)
{
	bool has_value;
	size_t len = name_of(&word, end, &has_value);

	return !has_value && len == 2 && !memcmp(word, "--", 2);
}

size_t line_hand_over(char *to, const char *line, const char *word)
{
	char *const begin = to;
	char *kept;

	to = stpcpy(to, word);
	*to++ = ' ';
	kept = to;
	while (*line) {
		const char *start = line + strspn(line, SPACE), *end = word_end(start);

		if (!*start || is_stop(start, end))
			break;
		if (is_word(start, end)) {
			/* With the white space before it; if it comes first, one after it, too */
			line = end;
			if (to == kept && *line)
				line++;
			continue;
		}
		to = mempcpy(to, line, end - line);
		line = end;
	}
	to = stpcpy(to, line);
	if (to == kept)
		*--to = 0;
	return to - begin;
}
