// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of exposed extents in sessions of /dev/liveupdate: what needs no kexec.
 * Needs kho_pool= with at least 256 MiB, and liveupdate=on.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/stat.h>

#include "control.h"
#include "harness.h"
#include "luo.h"

#define SIZE	(64ULL << 20)

FIXTURE(luo)
{
	unsigned long long free_bytes, extents;
	char path[64];
	int fd, session;
};

FIXTURE_SETUP(luo)
{
	struct stat st;

	if (stat(LUO, &st))
		SKIP(return, "there is no " LUO);
	control = open(CONTROL, O_RDWR);
	ASSERT_LE(0, control);
	self->free_bytes = number_in(POOL "free_bytes");
	self->extents = number_in(POOL "extents");
	ASSERT_EQ(0, create("kept", SIZE, 0));
	ASSERT_EQ(0, expose("kept", 0, self->path));
	self->fd = open(self->path, O_RDWR);
	ASSERT_LE(0, self->fd) TH_LOG("%s: %m", self->path);
	self->session = luo_create("kho_pool_luo_test");
	ASSERT_LE(0, self->session);
}

/* Without a session, an extent can be removed as usual. */
FIXTURE_TEARDOWN(luo)
{
	struct kho_pool_extent_info info;

	if (self->session >= 0)
		close(self->session);
	if (self->fd >= 0)
		close(self->fd);
	if (!query("kept", &info)) {
		EXPECT_EQ(0, hide("kept"));
		EXPECT_EQ(0, release("kept"));
	}
	EXPECT_EQ(self->free_bytes, number_in(POOL "free_bytes"));
	EXPECT_EQ(self->extents, number_in(POOL "extents"));
	close(control);
}

TEST_F(luo, preserved_stays)
{
	ASSERT_EQ(0, luo_preserve(self->session, self->fd, 7));
	EXPECT_EQ(-EBUSY, hide("kept"));
	EXPECT_EQ(-EBUSY, release("kept"));
	/* LUO holds the file, whether or not anyone else does. */
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-EBUSY, hide("kept"));
	EXPECT_EQ(-EBUSY, release("kept"));
	close(self->session);
	self->session = -1;
	EXPECT_EQ(0, hide("kept"));
	EXPECT_EQ(0, release("kept"));
}

TEST_F(luo, as_often_as_one_likes)
{
	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(0, luo_preserve(self->session, self->fd, i));
		close(self->session);
		self->session = luo_create("kho_pool_luo_test");
		ASSERT_LE(0, self->session);
	}
}

TEST_F(luo, a_device_once)
{
	int again = open(self->path, O_RDONLY);
	int other = luo_create("other");

	ASSERT_LE(0, again);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, luo_preserve(self->session, self->fd, 1));
	EXPECT_EQ(-EEXIST, luo_preserve(self->session, self->fd, 1));
	EXPECT_EQ(-EBUSY, luo_preserve(self->session, self->fd, 2));
	EXPECT_EQ(-EBUSY, luo_preserve(self->session, again, 2));
	EXPECT_EQ(-EBUSY, luo_preserve(other, again, 1));
	/* The failed call has not released it. */
	EXPECT_EQ(-EBUSY, hide("kept"));
	close(other);
	EXPECT_EQ(-EBUSY, hide("kept"));
	close(self->session);
	self->session = luo_create("kho_pool_luo_test");
	ASSERT_LE(0, self->session);
	EXPECT_EQ(0, luo_preserve(self->session, again, 1));
	close(again);
}

TEST_F(luo, several_devices)
{
	char path[64];
	int fd;

	ASSERT_EQ(0, create("second", SIZE, 0));
	ASSERT_EQ(0, expose("second", sysconf(_SC_PAGESIZE), path));
	fd = open(path, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, luo_preserve(self->session, self->fd, 1));
	EXPECT_EQ(0, luo_preserve(self->session, fd, 2));
	close(fd);
	EXPECT_EQ(-EBUSY, hide("second"));
	close(self->session);
	self->session = -1;
	EXPECT_EQ(0, hide("second"));
	EXPECT_EQ(0, release("second"));
}

TEST_F(luo, other_files)
{
	int file = open("/proc/self/exe", O_RDONLY);
	int null = open("/dev/null", O_RDWR), path = open(self->path, O_PATH);

	ASSERT_LE(0, file);
	ASSERT_LE(0, null);
	ASSERT_LE(0, path);
	EXPECT_EQ(-ENOENT, luo_preserve(self->session, file, 1));
	EXPECT_EQ(-ENOENT, luo_preserve(self->session, null, 1));
	EXPECT_EQ(-ENOENT, luo_preserve(self->session, control, 1));
	EXPECT_EQ(-ENOENT, luo_preserve(self->session, self->session, 1));
	EXPECT_EQ(-EBADF, luo_preserve(self->session, path, 1));
	EXPECT_EQ(-EBADF, luo_preserve(self->session, -1, 1));
	close(file);
	close(null);
	close(path);
}

/* The device of an extent that is hidden, though there is a new one by its name */
TEST_F(luo, device_that_is_gone)
{
	int fd;

	ASSERT_EQ(0, hide("kept"));
	EXPECT_EQ(-ENOENT, luo_preserve(self->session, self->fd, 1));
	ASSERT_EQ(0, expose("kept", 0, self->path));
	EXPECT_EQ(-ENOENT, luo_preserve(self->session, self->fd, 1));
	fd = open(self->path, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, luo_preserve(self->session, fd, 1));
	close(fd);
}

/* A mapping stays usable before, while and after the file is preserved. */
TEST_F(luo, mapped)
{
	unsigned int *map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	map[0] = 1;
	ASSERT_EQ(0, luo_preserve(self->session, self->fd, 1));
	map[1] = map[0] + 1;
	map[SIZE / sizeof(*map) - 1] = 3;
	close(self->session);
	self->session = -1;
	EXPECT_EQ(2, map[1]);
	EXPECT_EQ(-EBUSY, hide("kept"));
	munmap(map, SIZE);
}

/* These are for the next kernel. */
TEST_F(luo, not_before_kexec)
{
	ASSERT_EQ(0, luo_preserve(self->session, self->fd, 1));
	EXPECT_GT(0, luo_retrieve(self->session, 1));
	EXPECT_GT(0, luo_finish(self->session));
	EXPECT_EQ(-ENOENT, luo_find("kho_pool_luo_test"));
	EXPECT_EQ(-EBUSY, hide("kept"));
}

TEST_HARNESS_MAIN
