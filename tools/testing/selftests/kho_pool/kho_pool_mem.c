// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look at pool memory from outside, by /dev/mem: for kernels that know nothing
 * of the pool, or have it in quarantine.
 *
 *	kho_pool_mem PHYS SIZE GENERATION	is it as test_kho_pool filled it?
 *	kho_pool_mem fill PHYS SIZE GENERATION	fill it as test_kho_pool does
 *	kho_pool_mem dump PHYS SIZE		to stdout; read() would not do on arm64
 *	kho_pool_mem overlap PHYS		try to load an image there
 *	kho_pool_mem page			this kernel's page size
 *
 * Exits with 0 if every byte is as it was, or if the image was refused as it
 * should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define __aligned(n)	__attribute__((aligned(n)))

static uint64_t word_at(uint64_t phys, uint64_t generation)
{
	return (phys + generation * 0x9e3779b97f4a7c15ULL) * 0xd6e8feb86659fd93ULL;
}

static void *map_for(uint64_t phys, uint64_t size, int mode, int prot)
{
	int fd = open("/dev/mem", mode);
	void *p;

	if (fd < 0) {
		perror("/dev/mem");
		exit(2);
	}
	p = mmap(NULL, size, prot, MAP_SHARED, fd, phys);
	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

static void *map(uint64_t phys, uint64_t size)
{
	return map_for(phys, size, O_RDONLY, PROT_READ);
}

static int fill(uint64_t phys, uint64_t size, uint64_t generation)
{
	uint64_t *p = map_for(phys, size, O_RDWR, PROT_READ | PROT_WRITE);

	for (uint64_t i = 0; i < size / 8; i++)
		p[i] = word_at(phys + 8 * i, generation);
	return 0;
}

static int dump(uint64_t phys, uint64_t size)
{
	return fwrite(map(phys, size), 1, size, stdout) != size || fflush(stdout);
}

static int verify(uint64_t phys, uint64_t size, uint64_t generation)
{
	uint64_t *p = map(phys, size);
	uint64_t bad = 0;

	for (uint64_t i = 0; i < size / 8; i++)
		bad += p[i] != word_at(phys + 8 * i, generation);
	printf("%llu of %llu bytes at %#llx are not as they were\n", 8ULL * bad,
	       (unsigned long long)size, (unsigned long long)phys);
	return !!bad;
}

static int overlap(uint64_t phys)
{
	static char page[4096] __aligned(4096);
	struct kexec_segment segment = {
		.buf = page, .bufsz = sizeof(page), .mem = (void *)phys, .memsz = sizeof(page),
	};

	errno = 0;
	syscall(SYS_kexec_load, phys, 1, &segment, KEXEC_ARCH_DEFAULT);
	printf("kexec_load at %#llx: %s\n", (unsigned long long)phys, strerror(errno));
	return errno != EADDRNOTAVAIL;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "fill"))
		return fill(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0),
			    strtoull(argv[4], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "dump"))
		return dump(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
	if (argc == 4)
		return verify(strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0),
			      strtoull(argv[3], NULL, 0));
	if (argc == 3 && !strcmp(argv[1], "overlap"))
		return overlap(strtoull(argv[2], NULL, 0));
	if (argc == 2 && !strcmp(argv[1], "page")) {
		printf("%d\n", getpagesize());
		return 0;
	}
	fprintf(stderr, "usage: kho_pool_mem PHYS SIZE GENERATION | fill PHYS SIZE GENERATION |\n"
		"                    dump PHYS SIZE | overlap PHYS | page\n");
	return 2;
}
