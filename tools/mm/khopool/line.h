/* SPDX-License-Identifier: GPL-2.0-only */
/* The next kernel's command line */
#ifndef _KHOPOOL_LINE_H
#define _KHOPOOL_LINE_H

#include <stddef.h>

/* As much as kernels read: COMMAND_LINE_SIZE of x86 and arm64, less the NUL */
#define LINE_MAX_BYTES	2047

/*
 * Writes @line to @to, with @word in front and without any kho_handover that a kernel
 * would obey; everything else stays as it is.  @to has room for both, a space and a NUL.
 * Returns the length of the result, which may be more than a kernel reads.
 */
size_t line_hand_over(char *to, const char *line, const char *word);

#endif /* _KHOPOOL_LINE_H */
