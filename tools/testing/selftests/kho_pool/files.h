/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of sysfs and debugfs, for the tests. */
#ifndef KHO_POOL_TEST_FILES_H
#define KHO_POOL_TEST_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Returns 0 or the negative error. */
static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

#endif
