// SPDX-License-Identifier: GPL-2.0-only
/*
 * Have a device read and write an extent, as a guest's device would:
 *
 *	kho_pool_vfio container|iommufd|file BDF DEVICE SIZE
 *	kho_pool_vfio check DEVICE SIZE
 *
 * QEMU's "edu" device copies pages at several places to the page behind each, by DMA
 * through an IOMMU.  Then the program unmaps the extent, so that only the device has it,
 * prints "held", and stays until it is killed.  "file" has iommufd map the file.  "check",
 * in this kernel or the next, looks at what the device has written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio.h"

/* Below the addresses of interrupts */
#define IOVA		0x40000000ULL
#define PLACES		16
#define PAGE		4096
/* The device has twice as much, but refuses what ends at its end. */
#define BUFFER_BYTES	(PAGE / 2)

/* Registers of the device, and its own memory; see docs/specs/edu.rst of QEMU. */
#define EDU_ID		0x00
#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_RUN		1
#define EDU_TO_MEMORY	2
#define EDU_BUFFER	0x40000

static volatile uint8_t *bar;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void edu_set(uint32_t reg, uint64_t value)
{
	*(volatile uint64_t *)(bar + reg) = value;
}

static void edu_copy(uint64_t from, uint64_t to, uint64_t command)
{
	edu_set(EDU_SOURCE, from);
	edu_set(EDU_TARGET, to);
	edu_set(EDU_COUNT, BUFFER_BYTES);
	edu_set(EDU_COMMAND, EDU_RUN | command);
	while (*(volatile uint64_t *)(bar + EDU_COMMAND) & EDU_RUN)
		usleep(1000);
}

/* Pairs of pages: at the beginning, at the end, and between them */
static uint64_t place(int i, uint64_t size)
{
	uint64_t pairs = size / (2 * PAGE);

	return i * (pairs - 1) / (PLACES - 1) * 2 * PAGE;
}

static uint64_t word(int place, uint64_t i)
{
	return (place + 1) * 0x9e3779b97f4a7c15ULL ^ i * 0xbf58476d1ce4e5b9ULL;
}

static void fill(uint8_t *mem, uint64_t size)
{
	for (int i = 0; i < PLACES; i++) {
		uint64_t *page = (uint64_t *)(mem + place(i, size));

		for (uint64_t w = 0; w < PAGE / 8; w++)
			page[w] = word(i, w);
		memset((uint8_t *)page + PAGE, 0, PAGE);
	}
}

static int check(const uint8_t *mem, uint64_t size)
{
	for (int i = 0; i < PLACES; i++) {
		const uint64_t *page = (const uint64_t *)(mem + place(i, size) + PAGE);

		for (uint64_t w = 0; w < PAGE / 8; w++)
			if (page[w] != word(i, w)) {
				fprintf(stderr, "place %d, word %lu: %#lx\n", i, (long)w,
					(long)page[w]);
				return 1;
			}
	}
	return 0;
}

static void copy_by_device(uint64_t size)
{
	for (int i = 0; i < PLACES; i++) {
		uint64_t page = IOVA + place(i, size);

		for (uint64_t at = page; at < page + PAGE; at += BUFFER_BYTES) {
			edu_copy(at, EDU_BUFFER, 0);
			edu_copy(EDU_BUFFER, at + PAGE, EDU_TO_MEMORY);
		}
	}
}

static uint8_t *map(const char *path, uint64_t size, int *fd)
{
	void *mem;

	*fd = open(path, O_RDWR);
	if (*fd < 0)
		die(path);
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

static void start_device(struct vfio *vfio, const char *mode, const char *bdf)
{
	if (strcmp(mode, "container") ? vfio_open_iommufd(vfio, bdf) : vfio_open(vfio, bdf))
		die("VFIO");
	bar = vfio_bar0(vfio);
	if (!bar || vfio_master(vfio))
		die("the device's registers");
	if ((*(volatile uint32_t *)(bar + EDU_ID) & 0xff) != 0xed) {
		fprintf(stderr, "%s is not the \"edu\" device\n", bdf);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct vfio vfio;
	uint64_t size;
	uint8_t *mem;
	int fd, err;

	if (argc == 4 && !strcmp(argv[1], "check")) {
		size = strtoull(argv[3], NULL, 0);
		return check(map(argv[2], size, &fd), size);
	}
	if (argc != 5) {
		fprintf(stderr, "usage: kho_pool_vfio container|iommufd|file BDF DEVICE SIZE\n");
		return 2;
	}
	size = strtoull(argv[4], NULL, 0);
	mem = map(argv[3], size, &fd);
	start_device(&vfio, argv[1], argv[2]);
	if (strcmp(argv[1], "file"))
		err = vfio_map(&vfio, mem, size, IOVA);
	else
		err = vfio_map_file(&vfio, fd, size, IOVA);
	if (err)
		die("to map it for the device");
	fill(mem, size);
	copy_by_device(size);
	if (check(mem, size))
		return 1;
	close(fd);
	munmap(mem, size);
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
