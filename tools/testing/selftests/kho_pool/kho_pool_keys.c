// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel tells the next one to preserve: the keys of KHO's outgoing
 * tree, read out of memory.
 *
 *	kho_pool_keys			a line for each: start and size in bytes
 *	kho_pool_keys --max SIZE	is none larger?
 *	kho_pool_keys --covers START SIZE
 *					is each byte there covered, and once?
 *
 * Options can be given together, and --covers several times.  Sizes may end in
 * K, M or G.  Exits with 0 if all that was asked holds, with 1 if not, with 2
 * if the tree cannot be read, and with KSFT_SKIP if there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"

#define TREE	"/sys/kernel/debug/kho/out/fdt"

/* As in include/linux/kho/abi/kexec_handover.h, for this kernel's page size. */
static struct {
	unsigned int page_shift;
	unsigned int table_shift;	/* addresses in a table */
	unsigned int bitmap_shift;	/* bits in a leaf */
	unsigned int depth;		/* tables from the root to a leaf, and the leaf */
} format;

struct range {
	uint64_t start, size;
};

static struct range *ranges;
static size_t nr_ranges, room;
static int mem;

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "kho_pool_keys: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void __attribute__((noreturn)) malformed(const char *what, uint64_t value)
{
	fprintf(stderr, "kho_pool_keys: %s: %#llx\n", what, (unsigned long long)value);
	exit(2);
}

static void learn_format(void)
{
	unsigned int width;

	format.page_shift = __builtin_ctzl(getpagesize());
	format.table_shift = format.page_shift - 3;
	format.bitmap_shift = format.page_shift + 3;
	/* The number of a page, and a bit for the order */
	width = 64 - format.page_shift + 1;
	format.depth = (width - format.bitmap_shift + format.table_shift - 1) /
		       format.table_shift + 1;
}

static void add_key(uint64_t key)
{
	unsigned int bit, shift;

	if (key < 2)
		malformed("a key that is none", key);
	bit = 63 - __builtin_clzll(key);
	shift = 64 - bit;
	if (shift < format.page_shift)
		malformed("a key of less than a page", key);
	if (nr_ranges == room) {
		room = room ? 2 * room : 64;
		ranges = realloc(ranges, room * sizeof(*ranges));
		if (!ranges)
			fail("keys");
	}
	/* The shift drops the highest bit. */
	ranges[nr_ranges++] = (struct range){ .start = key << shift, .size = 1ULL << shift };
}

/* read() would not do on arm64 */
static const uint64_t *map_node(uint64_t phys)
{
	const uint64_t *node;

	if (phys & (getpagesize() - 1))
		malformed("a node begins in the middle of a page", phys);
	node = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, mem, phys);
	if (node == MAP_FAILED)
		fail("/dev/mem");
	return node;
}

/* @key has the bits that led here. */
static void walk(uint64_t phys, unsigned int level, uint64_t key)
{
	const uint64_t *node = map_node(phys);

	if (level) {
		unsigned int shift = format.bitmap_shift + (level - 1) * format.table_shift;

		for (uint64_t i = 0; i < 1ULL << format.table_shift; i++)
			if (node[i])
				walk(node[i], level - 1, key | i << shift);
	} else {
		for (uint64_t i = 0; i < 1ULL << format.bitmap_shift; i++)
			if (node[i / 64] & 1ULL << i % 64)
				add_key(key | i);
	}
	munmap((void *)node, getpagesize());
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void read_tree(void)
{
	static char tree[1 << 16];
	const void *prop;
	uint64_t root;
	ssize_t got, size = 0;
	int fd, len;

	fd = open(TREE, O_RDONLY);
	if (fd < 0 && errno == ENOENT) {
		printf("# SKIP there is no %s\n", TREE);
		exit(KSFT_SKIP);
	}
	if (fd < 0)
		fail(TREE);
	while ((got = read(fd, tree + size, sizeof(tree) - size)) > 0)
		size += got;
	if (got < 0)
		fail(TREE);
	close(fd);
	if (fdt_check_header(tree) || fdt_totalsize(tree) > size)
		malformed(TREE " is no device tree, bytes", size);
	prop = fdt_getprop(tree, 0, "preserved-memory-map", &len);
	if (!prop || len != sizeof(root))
		malformed(TREE " names no map of preserved memory, length", len);
	/* In the machine's own byte order, not that of device trees. */
	memcpy(&root, prop, sizeof(root));
	mem = open("/dev/mem", O_RDONLY);
	if (mem < 0)
		fail("/dev/mem");
	walk(root, format.depth - 1, 0);
	close(mem);
	qsort(ranges, nr_ranges, sizeof(*ranges), by_start);
}

static int check_max(uint64_t max)
{
	int bad = 0;

	for (size_t i = 0; i < nr_ranges; i++) {
		if (ranges[i].size <= max)
			continue;
		printf("not ok: the key at %#llx has %#llx bytes, more than %#llx\n",
		       (unsigned long long)ranges[i].start, (unsigned long long)ranges[i].size,
		       (unsigned long long)max);
		bad = 1;
	}
	return bad;
}

static int check_covers(uint64_t start, uint64_t size)
{
	uint64_t at = start, end = start + size;
	int bad = 0;

	for (size_t i = 0; i <= nr_ranges; i++) {
		/* The end of the range is treated like one more key. */
		uint64_t from = i < nr_ranges ? ranges[i].start : end;
		uint64_t to = i < nr_ranges ? from + ranges[i].size : end;

		if (i < nr_ranges && (from >= end || to <= start))
			continue;
		if (from < start)
			from = start;
		if (from > at) {
			printf("not ok: no key covers [%#llx-%#llx] of [%#llx-%#llx]\n",
			       (unsigned long long)at, (unsigned long long)from - 1,
			       (unsigned long long)start, (unsigned long long)end - 1);
			bad = 1;
		} else if (from < at && i < nr_ranges) {
			printf("not ok: more than one key covers %#llx, in [%#llx-%#llx]\n",
			       (unsigned long long)from,
			       (unsigned long long)start, (unsigned long long)end - 1);
			bad = 1;
		}
		if (to > at)
			at = to;
	}
	return bad;
}

static uint64_t parse(const char *text)
{
	static const char units[] = "KMG";
	const char *unit;
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit && end != text) {
		value <<= 10 * (unit - units + 1);
		end++;
	}
	if (errno || end == text || *end) {
		fprintf(stderr, "kho_pool_keys: %s is not a number\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	int bad = 0, i = 1;

	learn_format();
	read_tree();
	for (size_t j = 0; j < nr_ranges; j++)
		printf("%#llx %#llx\n", (unsigned long long)ranges[j].start,
		       (unsigned long long)ranges[j].size);
	while (i < argc) {
		if (!strcmp(argv[i], "--max") && i + 1 < argc) {
			bad |= check_max(parse(argv[i + 1]));
			i += 2;
		} else if (!strcmp(argv[i], "--covers") && i + 2 < argc) {
			bad |= check_covers(parse(argv[i + 1]), parse(argv[i + 2]));
			i += 3;
		} else {
			fputs("usage: kho_pool_keys [--max SIZE] [--covers START SIZE]...\n",
			      stderr);
			return 2;
		}
	}
	if (argc > 1 && !bad)
		printf("ok: %zu keys\n", nr_ranges);
	return bad ? KSFT_FAIL : KSFT_PASS;
}
