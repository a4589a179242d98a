/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel says in its image that it can take over */
#ifndef _KHOPOOL_NOTE_H
#define _KHOPOOL_NOTE_H

#include "command.h"

struct kernel_note {
	bool has_kho, has_pool;
	bool loads;		/* images of kexec_load(2), too */
	u64 page_size;
	u64 incompat, ro_compat, compat;
	char kho[17], pool[17];
};

/* What is said in a file's text.  If nothing is, all fields are zero. */
void note_read(const void *text, u64 size, struct kernel_note *note);

#endif /* _KHOPOOL_NOTE_H */
