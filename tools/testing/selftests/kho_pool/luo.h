/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of /dev/liveupdate, for the tests.  All return a negative error. */
#ifndef KHO_POOL_TEST_LUO_H
#define KHO_POOL_TEST_LUO_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/liveupdate.h>

#define LUO	"/dev/liveupdate"

/* Only one can have it open at a time; sessions stay without it. */
static inline int luo_session(unsigned int cmd, const char *name)
{
	struct liveupdate_ioctl_create_session s = { .size = sizeof(s) };
	int luo = open(LUO, O_RDWR), err;

	if (luo < 0)
		return -errno;
	snprintf((char *)s.name, sizeof(s.name), "%s", name);
	err = ioctl(luo, cmd, &s) ? -errno : s.fd;
	close(luo);
	return err;
}

static inline int luo_create(const char *name)
{
	return luo_session(LIVEUPDATE_IOCTL_CREATE_SESSION, name);
}

static inline int luo_find(const char *name)
{
	return luo_session(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, name);
}

static inline int luo_preserve(int session, int fd, __u64 token)
{
	struct liveupdate_session_preserve_fd p = {
		.size = sizeof(p), .fd = fd, .token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &p) ? -errno : 0;
}

static inline int luo_retrieve(int session, __u64 token)
{
	struct liveupdate_session_retrieve_fd r = { .size = sizeof(r), .token = token };

	return ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &r) ? -errno : r.fd;
}

static inline int luo_finish(int session)
{
	struct liveupdate_session_finish f = { .size = sizeof(f) };

	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &f) ? -errno : 0;
}

#endif
