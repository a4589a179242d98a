// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of extents in sessions of /dev/liveupdate, over kexec:
 *
 *	kho_pool_luo fill DEVICE SIZE SEED
 *	kho_pool_luo check DEVICE SIZE SEED [OFFSET]
 *	kho_pool_luo keep SESSION DEVICE[:ro] ...	tokens 1, 2, ...
 *	kho_pool_luo retrieve SESSION TOKEN[:SIZE:SEED] ...
 *	kho_pool_luo finish SESSION TOKEN[:SIZE:SEED] ...
 *	kho_pool_luo spoil NAME		a bit of the record of the extent, by /dev/mem
 *	kho_pool_luo size		bytes of a record
 *
 * "keep" and "retrieve" print "ready", and keep the session, and the files that were
 * retrieved, until they are killed.  What each call took is printed in nanoseconds.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "luo.h"
#include "../../../../include/linux/kho/abi/kho_pool_luo.h"

static void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static uint64_t word_at(uint64_t i, uint64_t seed)
{
	return (i + seed * 0x9e3779b97f4a7c15ULL) * 0xd6e8feb86659fd93ULL;
}

/* In a large extent, one word per 256 MiB: untouched memory costs nothing. */
static uint64_t step(uint64_t size)
{
	return size >= 1ULL << 30 ? 1 << 25 : 1;
}

static uint64_t *map_file(int fd, uint64_t size, uint64_t offset, int prot)
{
	uint64_t *p = mmap(NULL, size, prot, MAP_SHARED, fd, offset);

	if (p == MAP_FAILED)
		die("mmap", -errno);
	return p;
}

static void fill(int fd, uint64_t size, uint64_t seed)
{
	uint64_t *p = map_file(fd, size, 0, PROT_READ | PROT_WRITE);

	for (uint64_t i = 0; i < size / 8; i += step(size))
		p[i] = word_at(i, seed);
}

static int check(int fd, uint64_t size, uint64_t seed, uint64_t offset)
{
	uint64_t *p = map_file(fd, size, offset, PROT_READ), bad = 0;

	for (uint64_t i = 0; i < size / 8; i += step(size))
		bad += p[i] != word_at(i, seed);
	munmap(p, size);
	printf("%llu words are not as they were\n", (unsigned long long)bad);
	return !!bad;
}

static void stay(void)
{
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static void keep(int session, int nr, char **devices)
{
	for (int i = 0; i < nr; i++) {
		char *ro = strstr(devices[i], ":ro");
		uint64_t before, after;
		int fd, err;

		if (ro)
			*ro = 0;
		fd = open(devices[i], ro ? O_RDONLY : O_RDWR);
		if (fd < 0)
			die(devices[i], -errno);
		before = now();
		err = luo_preserve(session, fd, i + 1);
		after = now();
		if (err)
			die(devices[i], err);
		printf("preserve %d %llu\n", i + 1, (unsigned long long)(after - before));
		close(fd);
	}
	stay();
}

/* A device that was not open for writing must not be writable. */
static const char *mode_of(int fd)
{
	int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED && errno == EACCES)
		return mode == O_RDONLY ? "ro" : "?";
	return mode == O_RDWR ? "rw" : "?";
}

/* It can be opened once more, as programs do that get a file from others. */
static const char *opened_again(int fd, const char *path)
{
	int again = open(path, fcntl(fd, F_GETFL) & O_ACCMODE);
	struct stat one, two;
	const char *mode;

	if (again < 0)
		return strerror(errno);
	if (fstat(fd, &one) || fstat(again, &two) || one.st_rdev != two.st_rdev)
		return "another device";
	if ((two.st_mode & 0777) != (strcmp(mode_of(fd), "ro") ? 0600 : 0400))
		return "another mode";
	mode = mode_of(again);
	close(again);
	return mode;
}

static int retrieve_all(int session, int nr, char **tokens)
{
	int failed = 0;

	for (int i = 0; i < nr; i++) {
		uint64_t token, size = 0, seed = 0, before, after;
		char link[64], path[32];
		ssize_t len;
		char *end;
		int fd;

		token = strtoull(tokens[i], &end, 0);
		if (*end == ':')
			size = strtoull(end + 1, &end, 0);
		if (*end == ':')
			seed = strtoull(end + 1, &end, 0);
		before = now();
		fd = luo_retrieve(session, token);
		after = now();
		if (fd < 0) {
			printf("retrieve %llu: %s\n", (unsigned long long)token, strerror(-fd));
			failed = 1;
			continue;
		}
		sprintf(path, "/proc/self/fd/%d", fd);
		len = readlink(path, link, sizeof(link) - 1);
		link[len < 0 ? 0 : len] = 0;
		printf("retrieve %llu %llu %s %s\n", (unsigned long long)token,
		       (unsigned long long)(after - before), mode_of(fd), link);
		printf("again %llu %s\n", (unsigned long long)token, opened_again(fd, path));
		if (size)
			failed |= check(fd, size, seed, 0);
		/* Asked again, LUO gives the same file. */
		close(luo_retrieve(session, token));
	}
	return failed;
}

/* Every record of that extent in this kernel's memory. */
static int spoil(const char *name)
{
	FILE *f = fopen("/proc/iomem", "r");
	int mem = open("/dev/mem", O_RDWR), spoilt = 0;
	unsigned long long start, end;
	char line[128];

	if (!f || mem < 0)
		die("/dev/mem", -errno);
	while (fgets(line, sizeof(line), f)) {
		char *p;

		if (sscanf(line, "%llx-%llx", &start, &end) != 2 || !strstr(line, "System RAM"))
			continue;
		start = (start + 4095) & ~4095ULL;
		end = (end + 1) & ~4095ULL;
		p = mmap(NULL, end - start, PROT_READ | PROT_WRITE, MAP_SHARED, mem, start);
		if (p == MAP_FAILED)
			continue;
		for (char *q = p; q < p + (end - start); q += 4096) {
			struct kho_pool_luo_record *rec = (void *)q;

			if (rec->magic == KHO_POOL_LUO_MAGIC && !strcmp(rec->name, name)) {
				rec->phys ^= 1 << 21;
				spoilt++;
			}
		}
		munmap(p, end - start);
	}
	fclose(f);
	printf("%d records of %s\n", spoilt, name);
	return !spoilt;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc == 2 && !strcmp(argv[1], "size")) {
		printf("%zu\n", sizeof(struct kho_pool_luo_record));
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "spoil"))
		return spoil(argv[2]);
	if ((argc == 5 && !strcmp(argv[1], "fill")) ||
	    ((argc == 5 || argc == 6) && !strcmp(argv[1], "check"))) {
		uint64_t size = strtoull(argv[3], NULL, 0), seed = strtoull(argv[4], NULL, 0);

		fd = open(argv[2], O_RDWR);
		if (fd < 0)
			die(argv[2], -errno);
		if (argv[1][0] == 'c')
			return check(fd, size, seed, argc == 6 ? strtoull(argv[5], NULL, 0) : 0);
		fill(fd, size, seed);
		return 0;
	}
	if (argc >= 4 && !strcmp(argv[1], "keep")) {
		fd = luo_create(argv[2]);
		if (fd < 0)
			die(argv[2], fd);
		keep(fd, argc - 3, argv + 3);
	}
	if (argc >= 3 && (!strcmp(argv[1], "retrieve") || !strcmp(argv[1], "finish"))) {
		int failed, err;

		fd = luo_find(argv[2]);
		if (fd < 0)
			die(argv[2], fd);
		failed = retrieve_all(fd, argc - 3, argv + 3);
		if (argv[1][0] == 'r')
			stay();
		err = luo_finish(fd);
		if (err)
			die("finish", err);
		return failed;
	}
	fprintf(stderr, "usage: see the beginning of kho_pool_luo.c\n");
	return 2;
}
