/* SPDX-License-Identifier: GPL-2.0-only */
/* Pins pages as a device would, by mm/gup_test.c. */
#ifndef KHO_POOL_GUP_TEST_H
#define KHO_POOL_GUP_TEST_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/types.h>

#define GUP_TEST	"/sys/kernel/debug/gup_test"

/* As in mm/gup_test.h */
struct pin_longterm_test {
	__u64 addr, size;
	__u32 flags;
};

#define PIN_LONGTERM_TEST_START	_IOW('g', 7, struct pin_longterm_test)
#define PIN_LONGTERM_TEST_STOP	_IO('g', 8)
#define PIN_LONGTERM_TEST_READ	_IOW('g', 9, __u64)
#define PIN_WRITE		1

/* Returns a file that has the pages pinned until it is closed, or -1. */
static inline int pin_pages(void *mem, size_t size)
{
	struct pin_longterm_test pin = {
		.addr = (uintptr_t)mem, .size = size, .flags = PIN_WRITE,
	};
	int fd = open(GUP_TEST, O_RDWR);

	if (fd >= 0 && ioctl(fd, PIN_LONGTERM_TEST_START, &pin)) {
		close(fd);
		return -1;
	}
	return fd;
}

#endif
