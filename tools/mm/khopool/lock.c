// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks between instances of khopool: record locks on bytes of the control device.  They
 * end with the process, and the kernel knows who has them.
 *
 *	0	the links in /dev/kho_pool
 *	2n	an extent whose name has the hash n, while a command changes it
 *	2n + 1	shared by those that read it for the moment, see device.c
 *
 * They are held for moments only, never while a pipe is read or written.  Without them
 * instances could interfere, but do no harm: the kernel checks each call.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "machine.h"

#define LINKS	0
#define WAIT_US	10000
#define TELL	100	/* times WAIT_US, until it says who is waited for */

/* FNV-1a; two names with the same hash wait for each other without need. */
static u64 byte_of(const struct extent *extent)
{
	u64 hash = 0xcbf29ce484222325;

	for (const char *c = full_name(extent); *c; c++)
		hash = (hash ^ (u8)*c) * 0x100000001b3;
	return 2 * (1 + (hash >> 4));
}

static int set(u64 byte, short type)
{
	struct flock lock = { .l_type = type, .l_start = byte, .l_len = 1 };

	return fcntl(control_fd(), F_SETLK, &lock) ? errno : 0;
}

/* The process that has this lock, or 0 */
static int holder_of(u64 byte)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = byte, .l_len = 1 };

	if (fcntl(control_fd(), F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

static void wait_for(u64 byte, const char *what)
{
	for (u32 turn = 1; ; turn++) {
		int err = set(byte, F_WRLCK);

		if (err != EAGAIN && err != EACCES)
			return;
		if (turn == TELL)
			warn("waiting for process %d, which is changing %s", holder_of(byte), what);
		if (turn > TELL && signals_caught())
			return;
		usleep(WAIT_US);
	}
}

void lock_extent(const struct extent *extent)
{
	wait_for(byte_of(extent), full_name(extent));
}

void unlock_extent(const struct extent *extent)
{
	set(byte_of(extent), F_UNLCK);
}

void lock_links(void)
{
	wait_for(LINKS, "/dev/kho_pool");
}

void unlock_links(void)
{
	set(LINKS, F_UNLCK);
}

int lock_reader(const struct extent *extent)
{
	return holder_of(byte_of(extent) + 1);
}

void lock_read(const struct extent *extent)
{
	set(byte_of(extent) + 1, F_RDLCK);
}

bool unlock_read(const struct extent *extent)
{
	u64 byte = byte_of(extent) + 1;
	bool last = !set(byte, F_WRLCK);

	set(byte, F_UNLCK);
	return last;
}
