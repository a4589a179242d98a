/* SPDX-License-Identifier: GPL-2.0 */
/* What a kexec image says about the kernel in it. */
#ifndef _LINUX_KHO_IMAGE_H
#define _LINUX_KHO_IMAGE_H

#include <linux/types.h>
#include <asm/setup.h>

struct kimage;

/**
 * struct kho_image - what was seen in an image
 * @image: the image, with its segments loaded
 * @line: its kernel's command line, cut off where that kernel cuts it off
 * @lines: how many command lines there are; if several, they are the same
 * @wrong: why the kernel cannot take memory over, or NULL
 * @reach: the kernel cannot map this address or any above it
 * @base_pages: according to its command line, its direct map uses base pages
 * @map: segment with the boot parameters, mapped, or NULL
 * @initrd: where its initramfs is, in which there is no note of this kernel
 * @noted: 1 if its kernel says something about KHO; set by kho_image_wrong()
 */
struct kho_image {
	struct kimage *image;
	char line[COMMAND_LINE_SIZE];
	unsigned int lines;
	const char *wrong;
	u64 reach;
	bool base_pages;
	const void *map;
	u64 initrd;
	int noted;
};

struct kho_image *kho_image_open(struct kimage *image);
void kho_image_close(struct kho_image *seen);
const char *kho_image_wrong(struct kho_image *seen, u64 memory);
int kho_image_note(struct kho_image *seen, u32 type, void *note, size_t size);
void kho_image_line(struct kho_image *seen, const char *text, size_t size);
bool kho_image_read(struct kimage *image, u64 phys, void *buf, size_t size);
size_t kho_image_text(struct kimage *image, u64 phys, char *buf, size_t size);
bool kho_line_has(const char *line, const char *name, const char *value);
int kho_line_each(const char *line, int (*each)(const char *param, char *val, void *data),
		  void *data);

/* Provided by the architecture; each has a default that does nothing. */
void kho_arch_look(struct kho_image *seen, const void *text, size_t size);
void kho_arch_look_line(struct kho_image *seen);
bool kho_arch_map_has(const struct kho_image *seen, u64 base, u64 size);
bool kho_arch_line_hides(const struct kho_image *seen, u64 base, u64 size);
bool kho_arch_secure_boot(void);

#endif /* _LINUX_KHO_IMAGE_H */
