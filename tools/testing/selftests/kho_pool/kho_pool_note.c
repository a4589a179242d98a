// SPDX-License-Identifier: GPL-2.0-only
/*
 * Change what a kernel says of itself in its image.
 *
 *	kho_pool_note IMAGE TYPE FIELD VALUE	a number, or text for "compatible"
 *
 * The field "magic" breaks the note, whatever the value is, so that it is not found.
 */
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <linux/kho/abi/kho_pool.h>

static const struct {
	int type;
	const char *name;
	size_t offset;
} fields[] = {
	{ KHO_NOTE_KHO, "magic", offsetof(struct kho_note, magic) },
	{ KHO_NOTE_KHO, "flags", offsetof(struct kho_note, flags) },
	{ KHO_NOTE_KHO, "page_size", offsetof(struct kho_note, page_size) },
	{ KHO_NOTE_KHO, "compatible", offsetof(struct kho_note, compatible) },
	{ KHO_NOTE_POOL, "magic", offsetof(struct kho_pool_note, magic) },
	{ KHO_NOTE_POOL, "incompat", offsetof(struct kho_pool_note, incompat) },
	{ KHO_NOTE_POOL, "ro_compat", offsetof(struct kho_pool_note, ro_compat) },
	{ KHO_NOTE_POOL, "compatible", offsetof(struct kho_pool_note, compatible) },
};

/* Change all notes of that type; how many there were. */
static int change(uint8_t *image, size_t size, int type, size_t offset, const char *value)
{
	uint64_t number = htole64(strtoull(value, NULL, 0));
	char text[16] = "";
	int nr = 0;

	snprintf(text, sizeof(text), "%s", value);
	for (size_t at = 0; at + 16 + sizeof(struct kho_pool_note) <= size; at += 4) {
		struct kho_note_header *h = (void *)(image + at);
		uint8_t *note = image + at + sizeof(*h);

		if (memcmp(h->name, KHO_NOTE_OWNER, 4) || le32toh(h->namesz) != 4 ||
		    le32toh(h->type) != (uint32_t)type || memcmp(note, KHO_NOTE_MAGIC, 8))
			continue;
		if (offset == 0)
			note[0] ^= 0x20;
		else if (value[0] >= '0' && value[0] <= '9')
			memcpy(note + offset, &number, sizeof(number));
		else
			memcpy(note + offset, text, sizeof(text));
		nr++;
	}
	return nr;
}

int main(int argc, char **argv)
{
	struct stat st;
	uint8_t *image;
	int fd;

	if (argc != 5)
		errx(2, "usage: kho_pool_note IMAGE TYPE FIELD VALUE");
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", argv[1]);
	image = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED)
		err(2, "%s", argv[1]);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (fields[i].type != atoi(argv[2]) || strcmp(fields[i].name, argv[3]))
			continue;
		if (change(image, st.st_size, fields[i].type, fields[i].offset, argv[4]) != 1)
			errx(1, "%s does not have one such note", argv[1]);
		return 0;
	}
	errx(2, "there is no field %s in notes of type %s", argv[3], argv[2]);
}
