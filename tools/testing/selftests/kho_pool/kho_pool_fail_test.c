// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation that an ioctl of /dev/kho_pool/control makes fails, one after the other:
 * the call says so, nothing has changed, and the next try works.  Needs kho_pool= with at
 * least 1 GiB and CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC, CONFIG_FAULT_INJECTION_DEBUG_FS.
 */
#include <stdbool.h>
#include <sys/mman.h>

#include "control.h"
#include "files.h"
#include "harness.h"

#define MIB	(1ULL << 20)
#define DEBUGFS	"/sys/kernel/debug/"
#define NAME	"fails"

FIXTURE(fail)
{
	unsigned long long free_bytes, extents;
	/* Which allocation fails, and the file that says so */
	int nth, fd;
};

/* The page size of the device */
FIXTURE_VARIANT(fail)
{
	unsigned long long align;
};

FIXTURE_VARIANT_ADD(fail, page)
{
	.align = 0,
};

FIXTURE_VARIANT_ADD(fail, huge)
{
	.align = 2 * MIB,
};

FIXTURE_SETUP(fail)
{
	self->fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (self->fd < 0)
		SKIP(return, "no CONFIG_FAULT_INJECTION");
	/* Those that may sleep fail as well, of one page or more, and the log stays readable. */
	ASSERT_EQ(0, write_file(DEBUGFS "failslab/ignore-gfp-wait", "N"));
	ASSERT_EQ(0, write_file(DEBUGFS "failslab/verbose", "0"));
	ASSERT_EQ(0, write_file(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N"));
	ASSERT_EQ(0, write_file(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N"));
	ASSERT_EQ(0, write_file(DEBUGFS "fail_page_alloc/min-order", "0"));
	ASSERT_EQ(0, write_file(DEBUGFS "fail_page_alloc/verbose", "0"));
	control = open(CONTROL, O_RDWR);
	ASSERT_LE(0, control);
	self->free_bytes = number_in(POOL "free_bytes");
	self->extents = number_in(POOL "extents");
	self->nth = 0;
}

FIXTURE_TEARDOWN(fail)
{
	EXPECT_EQ(self->free_bytes, number_in(POOL "free_bytes"));
	EXPECT_EQ(self->extents, number_in(POOL "extents"));
	close(control);
	close(self->fd);
}

/* The next call has its nth allocation fail. */
static void next_fails(int fd, int nth)
{
	char text[16];

	sprintf(text, "%d", nth);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		perror("fail-nth");
}

/* Has it? */
static bool has_failed(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0 || pwrite(fd, "0", 1, 0) < 0)
		perror("fail-nth");
	return !atoi(text);
}

/* Can its first and last page be written to? */
static bool can_be_mapped(const char *path, size_t bytes)
{
	int fd = open(path, O_RDWR);
	char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	if (fd < 0 || mem == MAP_FAILED)
		return false;
	mem[0] = 1;
	mem[bytes - 1] = 2;
	return !munmap(mem, bytes);
}

TEST_F(fail, create)
{
	struct kho_pool_extent_info info;
	int err;

	for (;;) {
		next_fails(self->fd, ++self->nth);
		err = create(NAME, 8 * MIB, 0);
		if (!has_failed(self->fd))
			break;
		if (!err) {
			ASSERT_EQ(0, release(NAME));
			continue;
		}
		ASSERT_EQ(-ENOMEM, err);
		ASSERT_EQ(-ENOENT, query(NAME, &info));
		ASSERT_EQ(self->free_bytes, number_in(POOL "free_bytes"));
	}
	TH_LOG("%d allocations", self->nth - 1);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, release(NAME));
}

TEST_F(fail, expose)
{
	struct kho_pool_extent_info info;
	char path[64];
	int err;

	/* Struct pages for more than a section's */
	ASSERT_EQ(0, create(NAME, 256 * MIB, 2 * MIB));
	for (;;) {
		next_fails(self->fd, ++self->nth);
		err = expose(NAME, variant->align, path);
		if (!has_failed(self->fd))
			break;
		if (!err) {
			ASSERT_TRUE(can_be_mapped(path, 256 * MIB));
			ASSERT_EQ(0, hide(NAME));
			continue;
		}
		ASSERT_EQ(-ENOMEM, err);
		ASSERT_EQ(0, query(NAME, &info));
		ASSERT_FALSE(info.flags & KHO_POOL_EXTENT_EXPOSED);
		ASSERT_STREQ("user", info.owner);
	}
	TH_LOG("%d allocations", self->nth - 1);
	EXPECT_LT(10, self->nth);
	ASSERT_EQ(0, err);
	EXPECT_TRUE(can_be_mapped(path, 256 * MIB));
	EXPECT_EQ(0, hide(NAME));
	EXPECT_EQ(0, release(NAME));
}

TEST_F(fail, hide)
{
	char path[64];
	int err;

	ASSERT_EQ(0, create(NAME, 64 * MIB, 2 * MIB));
	for (;;) {
		err = expose(NAME, variant->align, path);
		ASSERT_TRUE(!err || err == -EALREADY);
		next_fails(self->fd, ++self->nth);
		err = hide(NAME);
		if (!has_failed(self->fd))
			break;
		if (err) {
			ASSERT_EQ(-ENOMEM, err);
			ASSERT_TRUE(can_be_mapped(path, 64 * MIB));
		}
	}
	TH_LOG("%d allocations", self->nth - 1);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, release(NAME));
}

TEST_HARNESS_MAIN
