// SPDX-License-Identifier: GPL-2.0-only
/*
 * Have a device mapped, as a virtual machine has:
 *
 *	kho_pool_hold DEVICE SIZE [pin]
 *
 * Touches the memory, prints "held" and stays until it is killed.  "pin": pins the pages
 * for DMA, as VFIO does, and then has no mapping.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gup_test.h"

static int pin(volatile char *mem, unsigned long long size)
{
	int fd = pin_pages((void *)mem, size);

	if (fd < 0) {
		perror(GUP_TEST);
		return 1;
	}
	return munmap((void *)mem, size);
}

int main(int argc, char **argv)
{
	unsigned long long size;
	volatile char *mem;
	int fd;

	if (argc != 3 && (argc != 4 || strcmp(argv[3], "pin"))) {
		fprintf(stderr, "usage: kho_pool_hold DEVICE SIZE [pin]\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	size = strtoull(argv[2], NULL, 0);
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	close(fd);
	mem[0] = mem[0];
	if (argc == 4 && pin(mem, size))
		return 1;
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
