/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a kernel could take over what another one hands on */
#ifndef _KHOPOOL_TAKES_H
#define _KHOPOOL_TAKES_H

#include "note.h"

enum verdict { VERDICT_YES = EXIT_OK, VERDICT_NO = EXIT_REFUSED, VERDICT_UNKNOWN = EXIT_CALL };

extern const char *const verdict_names[];

/* A file in memory; ends the program if it cannot be read. */
struct file {
	const char *path;
	const u8 *text;
	u64 size;
};

struct file file_open(const char *path);

/* The running kernel */
void own_note(struct kernel_note *note);
/* Features that pools have: bits as in the root */
struct features {
	u64 incompat, ro_compat;
	bool strict;		/* images that say nothing are refused */
};

/* Those of the running kernel now, and those that a kernel may give to its pools */
struct features own_features(void);
struct features note_features(const struct kernel_note *note);
/* @why is set to a reason or, with VERDICT_YES, to a restriction or NULL. */
enum verdict takes_over(const struct kernel_note *next, const struct kernel_note *from,
			struct features has, const char **why);

#endif /* _KHOPOOL_TAKES_H */
