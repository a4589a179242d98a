// SPDX-License-Identifier: GPL-2.0-only
/* Notes about handover, as include/linux/kho/abi/kho_note.h describes them. */
#include <shim.h>

#include <linux/kho/abi/kho_pool.h>
#include <linux/kho_note.h>

#include "note.h"

void note_read(const void *text, u64 size, struct kernel_note *note)
{
	struct kho_pool_note pool;
	struct kho_note kho;

	memset(note, 0, sizeof(*note));
	if (kho_note_find(text, size, KHO_NOTE_KHO, &kho, sizeof(kho))) {
		note->has_kho = true;
		note->loads = le64_to_cpu(kho.flags) & KHO_NOTE_LOAD;
		note->page_size = le64_to_cpu(kho.page_size);
		memcpy(note->kho, kho.compatible, sizeof(kho.compatible));
	}
	if (kho_note_find(text, size, KHO_NOTE_POOL, &pool, sizeof(pool))) {
		note->has_pool = true;
		note->incompat = le64_to_cpu(pool.incompat);
		note->ro_compat = le64_to_cpu(pool.ro_compat);
		note->compat = le64_to_cpu(pool.compat);
		memcpy(note->pool, pool.compatible, sizeof(pool.compatible));
	}
}
