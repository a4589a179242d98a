// SPDX-License-Identifier: GPL-2.0-only
/* Memory of reserve_mem=, to which the guest's is copied, and from there again. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blackout.h"

/* reserve_mem=SIZE:2M:guest; the saved state is at its end. */
#define FDT	"/sys/kernel/debug/kho/out/sub_fdts/memblock"

static void *reserved;
static uint64_t reserved_size;

/* A property that only one node in the tree has */
static uint64_t property(const char *fdt, size_t size, const char *name)
{
	const uint32_t *head = (const uint32_t *)fdt;
	const char *strings = fdt + ntohl(head[3]);
	uint64_t value;

	for (const uint32_t *p = head + ntohl(head[2]) / 4; (char *)p < fdt + size - 20; p++)
		/* FDT_PROP, its length, its name, its value */
		if (p[0] == htonl(3) && p[1] == htonl(8) &&
		    ntohl(p[2]) < ntohl(head[8]) && !strcmp(strings + ntohl(p[2]), name)) {
			memcpy(&value, p + 3, 8);
			return value;
		}
	fail("there is no %s in %s", name, FDT);
}

static void map_reserved(void)
{
	uint32_t fdt[1024];
	int fd = open(FDT, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, fdt, sizeof(fdt));
	uint64_t start;

	if (got < 40)
		fail("%s: %m", FDT);
	close(fd);
	start = property((char *)fdt, got, "start");
	reserved_size = property((char *)fdt, got, "size");
	fd = open("/dev/mem", O_RDWR);
	reserved = mmap(NULL, reserved_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, start);
	if (fd < 0 || reserved == MAP_FAILED)
		fail("/dev/mem: %m");
	saved = reserved + reserved_size - SAVED_BYTES;
}

/* 16 bytes an instruction, as string instructions are counted by the word. */
static void copy(void *to, const void *from, uint64_t bytes)
{
	const long long __attribute__((vector_size(16), may_alias)) *s = from;
	long long __attribute__((vector_size(16), may_alias)) *d = to;

	for (; bytes; bytes -= 64, s += 4, d += 4) {
		d[0] = s[0];
		d[1] = s[1];
		d[2] = s[2];
		d[3] = s[3];
		asm volatile("" : : : "memory");
	}
}

static void *anonymous(uint64_t size)
{
	char *room = mmap(NULL, size + (1 << 21), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *p = (char *)(((uintptr_t)room + (1 << 21)) & -(1ULL << 21));

	if (room == MAP_FAILED || madvise(p, size, MADV_HUGEPAGE))
		fail("memory: %m");
	return p;
}

static void make(uint64_t size)
{
	memory = anonymous(size);
	map_reserved();
	if (size > reserved_size - SAVED_BYTES)
		fail("only %llu bytes are reserved", (unsigned long long)reserved_size);
}

static void nothing(void)
{
}

static void put(void)
{
	copy(reserved, memory, memory_size);
}

static void get(void)
{
	memory_size = saved->memory_bytes;
	memory = anonymous(memory_size);
	copy(memory, reserved, memory_size);
}

const struct way reserve_way = {
	.name = "reserve_mem",
	.make = make,
	.prepare = nothing,
	.put = put,
	.find = map_reserved,
	.get = get,
	.finish = nothing,
};
