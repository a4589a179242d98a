// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a pool promises on a running kernel, by way of the test driver.  Needs
 * kho_pool= with at least 1 GiB, debugfs and test_kho_pool.ko loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "harness.h"

#define POOL	"/sys/kernel/mm/kho_pool/default/"
#define DEBUG	"/sys/kernel/debug/kho_pool/"
#define DRIVER	"/sys/kernel/debug/kho_pool_test/"

/* 56 bytes: one too many */
#define LONG_NAME "a-name-that-is-one-byte-longer-than-the-fifty-five-there"

static char *read_file(const char *path)
{
	static char buf[1 << 16];
	int fd = open(path, O_RDONLY);
	ssize_t n, len = 0;

	buf[0] = 0;
	if (fd < 0)
		return buf;
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = 0;
	return buf;
}

static int cmd(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return write_file(DRIVER "cmd", line);
}

static unsigned long long value(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), POOL "%s", name);
	return strtoull(read_file(path), NULL, 0);
}

/* Where the extent called @name is, out of the list of extents. */
static unsigned long long where(const char *name)
{
	char *list = read_file(DEBUG "extents"), *line, *save = NULL;

	for (line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long phys, size;
		char owner[64], state[64], extent[64];

		if (sscanf(line, "%llx %llu %63s %63s %63s", &phys, &size, owner, state,
			   extent) == 5 && !strcmp(extent, name))
			return phys;
	}
	return 0;
}

FIXTURE(pool)
{
	unsigned long long free_bytes, extents;
};

FIXTURE_SETUP(pool)
{
	if (access(DRIVER "cmd", W_OK))
		SKIP(return, "test_kho_pool.ko is not loaded");
	if (access(POOL, R_OK))
		SKIP(return, "there is no pool called default");
	/* Once a boot; where it was done before, this changes nothing. */
	cmd("generation %llu", value("generation"));
	ASSERT_EQ(0, cmd("free_all"));
	self->free_bytes = value("free_bytes");
	self->extents = value("extents");
}

/* Each test ends as it began, with every invariant in place. */
FIXTURE_TEARDOWN(pool)
{
	EXPECT_EQ(0, cmd("free_all"));
	EXPECT_EQ(self->free_bytes, value("free_bytes"));
	EXPECT_EQ(self->extents, value("extents"));
	EXPECT_STREQ("ok\n", read_file(DEBUG "validate"));
}

TEST_F(pool, sysfs_files_are_there)
{
	static const char * const files[] = {
		"size_bytes", "free_bytes", "quarantined_bytes", "largest_free_bytes",
		"free_areas", "free_blocks", "free_frames", "extents", "unclaimed",
		"index_bytes", "allocs", "frees", "alloc_failures", "bad_frees", "regions",
		"generation", "seal_ns", "restore_ns", "root_bytes",
	};
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *end;

		snprintf(path, sizeof(path), POOL "%s", files[i]);
		strtoull(read_file(path), &end, 10);
		EXPECT_STREQ("\n", end) TH_LOG("%s", path);
	}
	EXPECT_STREQ("active\n", read_file(POOL "state"));
	EXPECT_STREQ("active\n", read_file("/sys/kernel/mm/kho_pool/handover"));
	EXPECT_GE(4096, value("root_bytes"));
	EXPECT_GE(value("size_bytes") / 5000, value("index_bytes"));
}

TEST_F(pool, sizes_and_alignments)
{
	static const char * const sizes[] = {
		"4K", "8K", "12K", "1M", "2M", "2052K", "64M", "100M", "500M",
	};
	static const char * const aligns[] = { "4K", "64K", "2M", "4M", "128M" };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(aligns); j++) {
			ASSERT_EQ(0, cmd("alloc %s x %s", sizes[i], aligns[j]))
				TH_LOG("%s %s", sizes[i], aligns[j]);
			EXPECT_NE(0, where("x"));
			EXPECT_EQ(0, cmd("verify"));
			ASSERT_EQ(0, cmd("free x"));
		}
	}
}

TEST_F(pool, bad_requests)
{
	unsigned long long failures = value("alloc_failures");

	EXPECT_EQ(-EINVAL, cmd("alloc 0"));
	EXPECT_EQ(-EINVAL, cmd("alloc 100"));
	EXPECT_EQ(-EINVAL, cmd("alloc 4K - 3000"));
	EXPECT_EQ(-EINVAL, cmd("alloc 4K - 12K"));
	EXPECT_EQ(-EINVAL, cmd("alloc 4K %s", LONG_NAME));
	EXPECT_EQ(-ENOMEM, cmd("alloc 1000T"));
	EXPECT_EQ(failures + 1, value("alloc_failures"));
}

TEST_F(pool, names_are_unique)
{
	EXPECT_EQ(0, cmd("alloc 4K once"));
	EXPECT_EQ(-EEXIST, cmd("alloc 2M once"));
	EXPECT_EQ(0, cmd("free once"));
	EXPECT_EQ(-ENOENT, cmd("free once"));
	EXPECT_EQ(0, cmd("alloc 2M once"));
}

/* Double free, wrong size, memory of another owner, and of nobody. */
TEST_F(pool, bad_frees_change_nothing)
{
	unsigned long long phys, bad = value("bad_frees");

	ASSERT_EQ(0, cmd("alloc 3M x 2M"));
	phys = where("x");
	EXPECT_EQ(-EINVAL, cmd("free_raw %llu %u", phys, 2 << 20));
	EXPECT_EQ(-EINVAL, cmd("free_raw %llu %u", phys, 4 << 20));
	EXPECT_EQ(-ENOENT, cmd("free_raw %llu %u", phys + (2 << 20), 1 << 20));
	EXPECT_EQ(-EINVAL, cmd("free_raw %llu %u", phys + 1, 3 << 20));
	EXPECT_EQ(-EINVAL, cmd("free_raw 0 4096"));
	EXPECT_EQ(-EINVAL, cmd("free_raw %llu 4096", ~0ULL - 4095));
	EXPECT_EQ(phys, where("x"));
	EXPECT_EQ(0, cmd("verify"));
	EXPECT_EQ(bad + 6, value("bad_frees"));
	EXPECT_EQ(0, cmd("free x"));
	EXPECT_EQ(-ENOENT, cmd("free_raw %llu %u", phys, 3 << 20));
}

TEST_F(pool, exhaustion)
{
	EXPECT_EQ(0, cmd("alloc 1M kept"));
	EXPECT_EQ(0, cmd("reuse"));
	EXPECT_EQ(0, cmd("verify"));
	EXPECT_NE(0, where("kept"));
}

/* The next owner does not see the previous owner's data. */
TEST_F(pool, memory_is_cleared)
{
	EXPECT_EQ(0, cmd("cleared 4K"));
	EXPECT_EQ(0, cmd("cleared 1M"));
	EXPECT_EQ(0, cmd("cleared 6M"));
}

TEST_F(pool, from_all_cpus_in_atomic_context)
{
	EXPECT_EQ(0, cmd("churn 2"));
	EXPECT_EQ(0, cmd("verify"));
}

TEST_F(pool, sealed_then_unsealed)
{
	ASSERT_EQ(0, cmd("alloc 2M before"));
	ASSERT_EQ(0, write_file(DEBUG "sealed", "1"));
	EXPECT_STREQ("sealed\n", read_file(POOL "state"));
	EXPECT_EQ(-ESHUTDOWN, cmd("alloc 4K"));
	EXPECT_EQ(-ESHUTDOWN, cmd("alloc 2M"));
	EXPECT_EQ(-ESHUTDOWN, cmd("alloc 4K name"));
	EXPECT_EQ(-ESHUTDOWN, cmd("free before"));
	ASSERT_EQ(0, write_file(DEBUG "sealed", "0"));
	EXPECT_STREQ("active\n", read_file(POOL "state"));
	EXPECT_EQ(0, cmd("alloc 4K after"));
	EXPECT_EQ(0, cmd("verify"));
}

TEST_F(pool, release_takes_the_unclaimed_only)
{
	ASSERT_EQ(0, cmd("alloc 4K mine"));
	EXPECT_EQ(-EBUSY, write_file(POOL "release", "mine"));
	EXPECT_EQ(-ENOENT, write_file(POOL "release", "no-such-name"));
	EXPECT_EQ(-ENOENT, write_file(POOL "release", "owner:no-such-owner"));
	EXPECT_NE(0, where("mine"));
}

TEST_F(pool, iomem)
{
	char *iomem = read_file("/proc/iomem"), *line, *save = NULL;
	unsigned long long start, end, total = 0;
	int depth = 0;

	for (line = strtok_r(iomem, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, "KHO pool") || sscanf(line, "%llx-%llx", &start, &end) != 2)
			continue;
		/* Not within System RAM. */
		depth += line[0] == ' ';
		total += end - start + 1;
	}
	EXPECT_EQ(0, depth);
	EXPECT_LT(value("size_bytes"), total);
}

TEST_HARNESS_MAIN
