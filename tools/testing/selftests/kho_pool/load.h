/* SPDX-License-Identifier: GPL-2.0-only */
/* What kho_pool_load's parts share: an image in one area of memory. */
#ifndef _KHO_POOL_LOAD_H
#define _KHO_POOL_LOAD_H

#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct area {
	uint64_t start, end;
};

struct blob {
	uint8_t *data;
	size_t size;
};

struct image {
	struct area area;	/* what is left of it */
	uint64_t entry;
	struct kexec_segment segment[KEXEC_SEGMENT_MAX];
	int nr;
};

/* One per architecture: kernel, initrd, parameters, and the way into the kernel. */
void arch_load(struct image *image, const char *kernel, const char *initrd, const char *cmdline);

/* What tells a kernel its command line, to be placed at @at. */
struct blob arch_params(uint64_t at, const char *cmdline);

/* One that says that nothing is preserved; @map is the place of a page of zeroes. */
struct blob made_up_tree(uint64_t map);

static inline void __attribute__((noreturn)) fail(const char *what)
{
	perror(what);
	exit(1);
}

static inline struct blob read_file(const char *path)
{
	struct blob blob = {};
	size_t room = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail(path);
	do {
		if (room == blob.size) {
			room = room ? 2 * room : 1 << 20;
			blob.data = realloc(blob.data, room);
			if (!blob.data)
				fail(path);
		}
		got = read(fd, blob.data + blob.size, room - blob.size);
		if (got < 0)
			fail(path);
		blob.size += got;
	} while (got);
	close(fd);
	return blob;
}

/* Room at the end of the area. */
static inline uint64_t take(struct image *image, size_t size, uint64_t align)
{
	uint64_t at = (image->area.end - size) & -align;

	if (image->area.end < size || at < image->area.start) {
		fprintf(stderr, "the scratch area is too small\n");
		exit(1);
	}
	image->area.end = at;
	return at;
}

static inline size_t pages(size_t size)
{
	return (size + getpagesize() - 1) & -getpagesize();
}

static inline void segment(struct image *image, const void *data, size_t size, uint64_t at,
			   size_t room)
{
	image->segment[image->nr++] = (struct kexec_segment){
		.buf = data, .bufsz = size, .mem = (void *)at,
		.memsz = pages(room),
	};
}

/* Data that has no place yet. */
static inline uint64_t add(struct image *image, const void *data, size_t size)
{
	uint64_t at = take(image, size, getpagesize());

	segment(image, data, size, at, size);
	return at;
}

#endif /* _KHO_POOL_LOAD_H */
