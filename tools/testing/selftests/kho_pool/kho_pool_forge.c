// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forge a handover page: one that no kernel has filled, with a KHO tree that preserves
 * nothing.  A kernel that believes such a page loses all memory that was preserved.
 *
 *	kho_pool_forge DEVICE PHYS	at the beginning of an exposed extent
 *	kho_pool_forge			in memory of a process that stays; prints where
 *
 * Standard input has the scratch areas for the page, one per line: first and last byte.
 */
#include <endian.h>
#include <stdbool.h>
#include <sys/mman.h>

/* As the kernel's headers have them */
#define le64_to_cpu(x)	le64toh(x)
#define cpu_to_le64(x)	htole64(x)
#include <linux/kho/abi/kho_load.h>

#include "load.h"

#define POOL_OF_PAGES	(64 << 20)	/* among so many some are adjacent */

/* The page, the tree, and a page of zeroes */
static void forge(uint8_t *page, uint64_t phys)
{
	size_t size = getpagesize();
	struct blob fdt = made_up_tree(phys + 2 * size);
	struct kho_handover *h = (void *)page;
	unsigned long long first, last;
	int n = 0;

	memset(page, 0, 3 * size);
	memcpy(page + size, fdt.data, fdt.size);
	h->self = cpu_to_le64(phys);
	h->fdt = cpu_to_le64(phys + size);
	h->fdt_size = cpu_to_le64(2 * size);
	while (n < KHO_HANDOVER_MAX_SCRATCH && scanf("%llx-%llx", &first, &last) == 2) {
		h->scratch[n].addr = cpu_to_le64(first);
		h->scratch[n++].size = cpu_to_le64(last + 1 - first);
	}
	h->nr_scratch = cpu_to_le64(n);
	h->magic = cpu_to_le64(KHO_HANDOVER_MAGIC);
	h->check = cpu_to_le64(kho_handover_sum(h));
	if (!kho_handover_valid(h, phys)) {
		fprintf(stderr, "that is no page that a kernel could believe\n");
		exit(1);
	}
}

static uint64_t phys_of(const uint8_t *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)page / getpagesize() * 8) != 8)
		fail("/proc/self/pagemap");
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * getpagesize();
}

/* Three pages of memory in a row */
static uint8_t *three_pages(void)
{
	size_t size = getpagesize();
	uint8_t *p = mmap(NULL, POOL_OF_PAGES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	memset(p, 1, POOL_OF_PAGES);
	for (uint8_t *at = p; at + 2 * size < p + POOL_OF_PAGES; at += size) {
		uint64_t phys = phys_of(at);

		if (phys_of(at + size) == phys + size && phys_of(at + 2 * size) == phys + 2 * size)
			return at;
	}
	fprintf(stderr, "no three pages in a row\n");
	exit(1);
}

int main(int argc, char **argv)
{
	uint8_t *page;

	if (argc == 3) {
		int fd = open(argv[1], O_RDWR);

		page = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (page == MAP_FAILED)
			fail(argv[1]);
		forge(page, strtoull(argv[2], NULL, 0));
		return 0;
	}
	page = three_pages();
	forge(page, phys_of(page));
	printf("%#llx\n", (unsigned long long)phys_of(page));
	fflush(stdout);
	/* The page is there as long as a process has it. */
	if (fork())
		_exit(0);
	close(0);
	close(1);
	pause();
}
