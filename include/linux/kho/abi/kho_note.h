/* SPDX-License-Identifier: GPL-2.0 */
/**
 * DOC: Notes about handover
 *
 * An image says what its kernel can take over, so that the running kernel, or a
 * person, can know before the kexec.
 *
 * It is said in ELF notes of the owner "KHO".  They are in vmlinux, in its notes
 * segment; in an arm64 Image, with its read-only data; and in a bzImage, in the chunk
 * "NOTE" of its kernel_info, which is not compressed.  In all three a note begins at
 * a multiple of four bytes, so that a reader can look for its header and its magic
 * and need not know the format of the image.
 *
 * This is a contract between kernels.  Numbers are little-endian.  Later versions may
 * add fields to the end of a note; its header says how long it is.  If no note is
 * found, nothing is known: the kernel may be older, have no KHO, or be in a
 * compressed image.
 */
#ifndef _LINUX_KHO_ABI_KHO_NOTE_H
#define _LINUX_KHO_ABI_KHO_NOTE_H

#include <linux/types.h>

/* As in the file, that is of Elf32_Nhdr and Elf64_Nhdr, with the owner's name */
struct kho_note_header {
	__le32 namesz;
	__le32 descsz;
	__le32 type;
	char name[4];
} __attribute__((packed, aligned(4)));

#define KHO_NOTE_OWNER	"KHO"
#define KHO_NOTE_MAGIC	"KHONOTE1"	/* without a NUL */

/* Types of notes; each begins with the magic */
#define KHO_NOTE_KHO	1	/* struct kho_note */
#define KHO_NOTE_POOL	2	/* struct kho_pool_note */

/* What is known of Kexec HandOver itself */
struct kho_note {
	char magic[8];
	__le64 flags;		/* KHO_NOTE_* */
	__le64 page_size;	/* bytes */
	char compatible[16];	/* of KHO's tree */
} __attribute__((packed, aligned(4)));

/* It reads kho_handover= on its command line: images of kexec_load(2) hand over. */
#define KHO_NOTE_LOAD	1ULL

#endif /* _LINUX_KHO_ABI_KHO_NOTE_H */
