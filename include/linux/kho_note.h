/* SPDX-License-Identifier: GPL-2.0 */
/* How to find a note about handover in an image; for the kernel and for khopool. */
#ifndef _LINUX_KHO_NOTE_H
#define _LINUX_KHO_NOTE_H

#include <linux/kho/abi/kho_note.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/byteorder.h>

/**
 * kho_note_find - look for a note
 * @text: an image, or part of one
 * @size: bytes of it
 * @type: KHO_NOTE_KHO or another
 * @note: for what is in the note
 * @note_size: bytes that the caller knows of; a shorter note is none
 *
 * Return: true if it is there.
 */
static inline bool kho_note_find(const void *text, unsigned long size, u32 type,
				 void *note, unsigned long note_size)
{
	struct kho_note_header h;
	unsigned long at;

	for (at = 0; at + sizeof(h) + note_size <= size; at += 4) {
		const char *p = (const char *)text + at;

		/* Of four bytes at a time the name is what is rare. */
		if (memcmp(p + 12, KHO_NOTE_OWNER, sizeof(h.name)))
			continue;
		memcpy(&h, p, sizeof(h));
		if (le32_to_cpu(h.namesz) != sizeof(h.name) || le32_to_cpu(h.type) != type ||
		    le32_to_cpu(h.descsz) < note_size ||
		    memcmp(p + sizeof(h), KHO_NOTE_MAGIC, 8))
			continue;
		memcpy(note, p + sizeof(h), note_size);
		return true;
	}
	return false;
}

#endif /* _LINUX_KHO_NOTE_H */
