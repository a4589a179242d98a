// SPDX-License-Identifier: GPL-2.0-only
/* What this kernel knows of pools, said in its image: Notes about handover. */
#include <linux/elfnote.h>
#include <linux/kho/abi/kho_pool.h>

#include <asm/byteorder.h>

ELFNOTE64(KHO_NOTE_OWNER, KHO_NOTE_POOL, ((struct kho_pool_note) {
	.magic = KHO_NOTE_MAGIC,
	.incompat = cpu_to_le64(KHO_POOL_INCOMPAT_KNOWN),
	.ro_compat = cpu_to_le64(KHO_POOL_RO_COMPAT_KNOWN),
	.compat = cpu_to_le64(KHO_POOL_COMPAT_KNOWN),
	.compatible = KHO_POOL_COMPATIBLE,
}));
