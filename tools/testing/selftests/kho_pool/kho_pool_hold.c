// SPDX-License-Identifier: GPL-2.0-only
/*
 * Have a device mapped, as a virtual machine has:
 *
 *	kho_pool_hold DEVICE SIZE
 *
 * Touches the memory, prints "held" and stays until it is killed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	volatile char *mem;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: kho_pool_hold DEVICE SIZE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	mem = mmap(NULL, strtoull(argv[2], NULL, 0), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	close(fd);
	mem[0] = mem[0];
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
