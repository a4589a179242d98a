// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kexec image says about the kernel in it: its command line, and what that
 * kernel will not be able to do with memory that is handed over.
 *
 * All of this is read where the kernel will read it: in the boot parameters or the
 * device tree, which are segments of the image as it was loaded.  So one check serves
 * both system calls, and any loader.
 */
#define pr_fmt(fmt) "KHO: " fmt

#include <linux/elfnote.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kho_image.h>
#include <linux/kho_note.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kexec_handover_internal.h"

/* What this kernel can take over, for one that is about to start it. */
ELFNOTE64(KHO_NOTE_OWNER, KHO_NOTE_KHO, ((struct kho_note) {
	.magic = KHO_NOTE_MAGIC,
	.flags = cpu_to_le64(IS_ENABLED(CONFIG_KEXEC_HANDOVER_LOAD) ? KHO_NOTE_LOAD : 0),
	.page_size = cpu_to_le64(PAGE_SIZE),
	.compatible = KHO_FDT_COMPATIBLE,
}));

void __weak kho_arch_look(struct kho_image *seen, const void *text, size_t size)
{
}

void __weak kho_arch_look_line(struct kho_image *seen)
{
}

bool __weak kho_arch_map_has(const struct kho_image *seen, u64 base, u64 size)
{
	return true;
}

bool __weak kho_arch_line_hides(const struct kho_image *seen, u64 base, u64 size)
{
	return false;
}

/* The index of the segment with data at @phys, or -1. */
static int kho_image_segment_at(const struct kimage *image, u64 phys)
{
	for (unsigned long i = 0; i < image->nr_segments; i++) {
		u64 mem = image->segment[i].mem;

		if (phys >= mem && phys - mem < image->segment[i].bufsz)
			return i;
	}
	return -1;
}

/**
 * kho_image_text - read a string from an image
 * @image: with its segments loaded
 * @phys: where it will be
 * @buf: for the text, up to its NUL or the end of its segment
 * @size: of @buf, which gets a NUL at its end
 *
 * Context: process.
 *
 * Return: the length of the text, or 0 if there is none.
 */
size_t kho_image_text(struct kimage *image, u64 phys, char *buf, size_t size)
{
	int i = kho_image_segment_at(image, phys);
	size_t len;
	void *text;

	*buf = 0;
	text = i < 0 ? NULL : kimage_map_segment(image, i);
	if (!text)
		return 0;
	len = min(size - 1, image->segment[i].bufsz - (phys - image->segment[i].mem));
	memcpy(buf, text + (phys - image->segment[i].mem), len);
	buf[len] = 0;
	kimage_unmap_segment(text);
	return strlen(buf);
}

/**
 * kho_image_read - read data from an image
 * @image: with its segments loaded
 * @phys: where it will be
 * @buf: for the data
 * @size: bytes
 *
 * Context: process.
 *
 * Return: true if that many bytes are there.
 */
bool kho_image_read(struct kimage *image, u64 phys, void *buf, size_t size)
{
	int i = kho_image_segment_at(image, phys);
	void *text;

	if (i < 0 || image->segment[i].bufsz - (phys - image->segment[i].mem) < size)
		return false;
	text = kimage_map_segment(image, i);
	if (!text)
		return false;
	memcpy(buf, text + (phys - image->segment[i].mem), size);
	kimage_unmap_segment(text);
	return true;
}

/**
 * kho_image_line - note the command line of an image
 * @seen: the image
 * @text: the line, which need not end in NUL
 * @size: bytes of it
 *
 * Like this kernel, the one in the image has room for COMMAND_LINE_SIZE - 1 bytes of it.
 *
 * Context: process.
 */
void kho_image_line(struct kho_image *seen, const char *text, size_t size)
{
	size = strnlen(text, min(size, sizeof(seen->line) - 1));
	if (seen->lines && (strlen(seen->line) != size || memcmp(seen->line, text, size)))
		seen->wrong = "it has two command lines";
	memcpy(seen->line, text, size);
	seen->line[size] = 0;
	seen->lines++;
}

/**
 * kho_line_each - call a function for the parameters of a command line
 * @line: the line
 * @each: gets name and value as the kernel's parser does; returns non-zero to stop
 * @data: for @each
 *
 * Context: process.
 *
 * Return: what @each returned last, or -ENOMEM.
 */
int kho_line_each(const char *line, int (*each)(const char *param, char *val, void *data),
		  void *data)
{
	char *copy __free(kfree) = kstrdup(line, GFP_KERNEL), *next, *param, *val;
	int ret = 0;

	if (!copy)
		return -ENOMEM;
	next = skip_spaces(copy);
	while (*next && !ret) {
		next = next_arg(next, &param, &val);
		if (!val && !strcmp(param, "--"))
			break;
		ret = each(param, val, data);
	}
	return ret;
}

struct wanted {
	const char *name, *value;
};

static int kho_image_is_wanted(const char *param, char *val, void *data)
{
	const struct wanted *wanted = data;

	return parameq(param, wanted->name) && val && !strcmp(val, wanted->value);
}

/**
 * kho_line_has - is a parameter with this value on a command line?
 * @line: the line
 * @name: of the parameter
 * @value: all of it
 *
 * Context: process.
 *
 * Return: true if it is, or if there is not enough memory to find out.
 */
bool kho_line_has(const char *line, const char *name, const char *value)
{
	struct wanted wanted = { name, value };

	return kho_line_each(line, kho_image_is_wanted, &wanted);
}

/**
 * kho_image_close - release what kho_image_open() has returned
 * @seen: from kho_image_open(), or NULL
 *
 * Context: process.
 */
void kho_image_close(struct kho_image *seen)
{
	if (!seen)
		return;
	if (seen->map)
		kimage_unmap_segment((void *)seen->map);
	kfree(seen);
}

/**
 * kho_image_open - see what is in an image
 * @image: with its segments loaded
 *
 * Context: process.
 *
 * Return: what was seen, for kho_image_close(); NULL if out of memory.
 */
struct kho_image *kho_image_open(struct kimage *image)
{
	struct kho_image *seen = kzalloc_obj(*seen);

	if (!seen)
		return NULL;
	seen->image = image;
	seen->reach = U64_MAX;
	for (unsigned long i = 0; i < image->nr_segments; i++) {
		const void *text;

		/* No kernel, boot parameters or device tree is in a larger one. */
		if (!image->segment[i].bufsz || image->segment[i].memsz > SZ_256M)
			continue;
		text = kimage_map_segment(image, i);
		if (!text) {
			kho_image_close(seen);
			return NULL;
		}
		kho_arch_look(seen, text, image->segment[i].bufsz);
		if (text != seen->map)
			kimage_unmap_segment((void *)text);
	}
	if (seen->lines)
		kho_arch_look_line(seen);
	return seen;
}

/*
 * Page tables are allocated in scratch areas, before the kernel knows what else it may
 * use.  The segments of the image are there already, and take up room.
 */
static bool kho_image_tables_fit(const struct kho_image *seen, u64 memory)
{
	u64 need = memory / PAGE_SIZE * sizeof(pte_t), have = 0;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++)
		have += kho_scratch[i].size;
	for (unsigned long i = 0; i < seen->image->nr_segments; i++)
		need += seen->image->segment[i].memsz;
	return need <= have;
}

/**
 * kho_image_note - what the kernel in an image says about itself
 * @seen: the image
 * @type: KHO_NOTE_KHO or another
 * @note: for the note
 * @size: of @note
 *
 * See include/linux/kho/abi/kho_note.h.
 *
 * Context: process.
 *
 * Return: 1 if there is such a note, 0 if there is none, or -ENOMEM.
 */
int kho_image_note(struct kho_image *seen, u32 type, void *note, size_t size)
{
	struct kimage *image = seen->image;
	bool found = false;

	for (unsigned long i = 0; i < image->nr_segments && !found; i++) {
		u64 offset = seen->initrd - image->segment[i].mem;
		void *text;

		if (!image->segment[i].bufsz || image->segment[i].memsz > SZ_256M ||
		    (seen->initrd && offset < image->segment[i].memsz))
			continue;
		text = kimage_map_segment(image, i);
		if (!text)
			return -ENOMEM;
		found = kho_note_find(text, image->segment[i].bufsz, type, note, size);
		kimage_unmap_segment(text);
	}
	return found;
}

/* Of Kexec HandOver itself: NULL also if the image does not say. */
static const char *kho_image_note_wrong(struct kho_image *seen)
{
	struct kho_note note;

	seen->noted = kho_image_note(seen, KHO_NOTE_KHO, &note, sizeof(note));
	if (seen->noted < 0)
		return "there is no memory to look at it";
	if (!seen->noted)
		return NULL;
	if (strncmp(note.compatible, KHO_FDT_COMPATIBLE, sizeof(note.compatible)))
		return "its kernel reads another version of KHO's tree";
	if (le64_to_cpu(note.page_size) != PAGE_SIZE)
		return "its kernel has another page size than KHO's tree";
	if (!seen->image->file_mode && !(le64_to_cpu(note.flags) & KHO_NOTE_LOAD))
		return "its kernel does not read kho_handover=: only kexec -s can hand over to it";
	return NULL;
}

/**
 * kho_image_wrong - why an image's kernel could not take anything over
 * @seen: the image
 * @memory: bytes that the kernel is going to map
 *
 * Context: process.
 *
 * Return: a text, or NULL if nothing is known to be wrong.
 */
const char *kho_image_wrong(struct kho_image *seen, u64 memory)
{
	const char *wrong = seen->wrong ?: kho_image_note_wrong(seen);

	if (wrong)
		return wrong;
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		u64 base = kho_scratch[i].addr, size = kho_scratch[i].size;

		if (!size)
			continue;
		if (base + size > seen->reach)
			return "memory that it has to start in is beyond its page tables";
		if (kho_arch_line_hides(seen, base, size))
			return "mem= or memmap= hides memory that it has to start in";
		if (!kho_arch_map_has(seen, base, size))
			return "its memory map does not have the memory that it has to start in";
	}
	if (seen->base_pages && !kho_image_tables_fit(seen, memory))
		return "page tables would not fit the scratch areas, see kho_scratch=";
	return NULL;
}
