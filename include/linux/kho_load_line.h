/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kho_handover= on a command line.
 *
 * Words on a command line are what the kernel's parser takes for words: they end at
 * white space unless a quote is open, a bare "--" ends the kernel's part of the line,
 * and '-' in a name means '_'.  All code that looks for the handover page uses this:
 * the check when an image is loaded, the kernel that is started, and the decompressor
 * on x86, which places that kernel.  So a load accepts what the next kernel obeys.
 *
 * Files that include this provide next_arg() and skip_spaces(), as in lib/cmdline.c
 * and lib/string.c, and fixed-width types.
 */
#ifndef _LINUX_KHO_LOAD_LINE_H
#define _LINUX_KHO_LOAD_LINE_H

#include <linux/kho/abi/kho_load.h>

enum kho_line {
	KHO_LINE_NONE,		/* no kho_handover= that the kernel would obey */
	KHO_LINE_PAGE,		/* the last one names an address that a page can have */
	KHO_LINE_MALFORMED,	/* the last one does not */
};

/* Is it the parameter @name?  Like parameq() in kernel/params.c, which init code uses. */
static inline bool kho_line_is(const char *param, const char *name)
{
	while (*param && (*param == '-' ? '_' : *param) == *name) {
		param++;
		name++;
	}
	return !*param && !*name;
}

/* "0x" and up to 16 digits, a multiple of KHO_HANDOVER_SIZE, not 0 */
static inline enum kho_line kho_line_address(const char *val, __u64 *phys)
{
	unsigned int digits = 0;

	if (!val || val[0] != '0' || val[1] != 'x')
		return KHO_LINE_MALFORMED;
	*phys = 0;
	for (val += 2; *val; val++) {
		char c = *val | 0x20;

		if (++digits > 16)
			return KHO_LINE_MALFORMED;
		if (*val >= '0' && *val <= '9')
			*phys = *phys << 4 | (*val - '0');
		else if (c >= 'a' && c <= 'f')
			*phys = *phys << 4 | (c - 'a' + 10);
		else
			return KHO_LINE_MALFORMED;
	}
	return *phys && !(*phys % KHO_HANDOVER_SIZE) ? KHO_LINE_PAGE : KHO_LINE_MALFORMED;
}

/**
 * kho_line_page - which handover page does a command line name?
 * @line: NUL-terminated, of less than COMMAND_LINE_SIZE bytes; it is overwritten
 * @phys: for the address
 *
 * If the line has the word more than once, the last one counts.
 *
 * Context: any.
 *
 * Return: KHO_LINE_PAGE with @phys set, KHO_LINE_NONE, or KHO_LINE_MALFORMED.
 */
static inline enum kho_line kho_line_page(char *line, __u64 *phys)
{
	enum kho_line found = KHO_LINE_NONE;
	char *param, *val;

	line = skip_spaces(line);
	while (*line) {
		line = next_arg(line, &param, &val);
		if (!val && param[0] == '-' && param[1] == '-' && !param[2])
			break;
		if (kho_line_is(param, KHO_HANDOVER_ARG))
			found = kho_line_address(val, phys);
	}
	return found;
}

#endif /* _LINUX_KHO_LOAD_LINE_H */
