// SPDX-License-Identifier: GPL-2.0-only
/* Two memfds in a session of /dev/liveupdate. */
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "blackout.h"

#define SESSION		"guest"

enum { MEMORY = 1, SAVED };

static int memory_fd, saved_fd, session;

static void *map(int fd, uint64_t bytes)
{
	/* At the same place in huge pages as in the guest. */
	char *room = mmap(NULL, bytes + (1 << 21), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *p = (void *)(((uintptr_t)room + (1 << 21)) & -(1ULL << 21));

	if (room == MAP_FAILED ||
	    mmap(p, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != p)
		fail("mmap of a memfd: %m");
	return p;
}

static int new(const char *name, uint64_t bytes)
{
	int fd = syscall(SYS_memfd_create, name, 0);

	if (fd < 0 || ftruncate(fd, bytes))
		fail("memfd %s: %m", name);
	return fd;
}

static void make(uint64_t size)
{
	memory_fd = new("memory", size);
	saved_fd = new("cpu", SAVED_BYTES);
	memory = map(memory_fd, size);
	saved = map(saved_fd, SAVED_BYTES);
}

static int open_session(unsigned long cmd)
{
	/* One structure for the two. */
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg), .name = SESSION };
	int fd = open("/dev/liveupdate", O_RDWR);

	if (fd < 0 || ioctl(fd, cmd, &arg))
		fail("a session of /dev/liveupdate: %m");
	return arg.fd;
}

static void preserve(int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd arg = {
		.size = sizeof(arg), .fd = fd, .token = token,
	};

	if (ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg))
		fail("LIVEUPDATE_SESSION_PRESERVE_FD: %m");
}

static int retrieve(uint64_t token)
{
	struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg), .token = token };

	if (ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg))
		fail("LIVEUPDATE_SESSION_RETRIEVE_FD: %m");
	return arg.fd;
}

/* The pages are preserved, so later writes are handed over, too. */
static void prepare(void)
{
	session = open_session(LIVEUPDATE_IOCTL_CREATE_SESSION);
	preserve(memory_fd, MEMORY);
	preserve(saved_fd, SAVED);
}

static void nothing(void)
{
}

static void find(void)
{
	session = open_session(LIVEUPDATE_IOCTL_RETRIEVE_SESSION);
	saved_fd = retrieve(SAVED);
	memory_fd = retrieve(MEMORY);
	saved = map(saved_fd, SAVED_BYTES);
	memory_size = lseek(memory_fd, 0, SEEK_END);
	memory = map(memory_fd, memory_size);
}

static void finish(void)
{
	struct liveupdate_session_finish arg = { .size = sizeof(arg) };

	if (ioctl(session, LIVEUPDATE_SESSION_FINISH, &arg))
		fail("LIVEUPDATE_SESSION_FINISH: %m");
}

const struct way memfd_way = {
	.name = "memfd",
	.make = make,
	.prepare = prepare,
	.put = nothing,
	.find = find,
	.get = nothing,
	.finish = finish,
};
