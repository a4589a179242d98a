/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of /dev/kho_pool/control, for the tests. */
#ifndef KHO_POOL_TEST_CONTROL_H
#define KHO_POOL_TEST_CONTROL_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kho_pool.h>

#define CONTROL	"/dev/kho_pool/control"
#define POOL	"/sys/kernel/mm/kho_pool/default/"

static int control = -1;

/* Returns 0 or the negative error. */
static inline int call(unsigned int cmd, void *arg)
{
	return ioctl(control, cmd, arg) ? -errno : 0;
}

static inline int create(const char *name, __u64 bytes, __u64 align)
{
	struct kho_pool_ioctl_create c = {
		.size = sizeof(c), .nid = -1, .bytes = bytes, .align = align,
	};

	snprintf(c.name, sizeof(c.name), "%s", name);
	return call(KHO_POOL_CREATE, &c);
}

static inline int name_call(unsigned int cmd, const char *name)
{
	struct kho_pool_ioctl_name n = { .size = sizeof(n) };

	snprintf(n.name, sizeof(n.name), "%s", name);
	return call(cmd, &n);
}

static inline int release(const char *name)
{
	return name_call(KHO_POOL_RELEASE, name);
}

static inline int hide(const char *name)
{
	return name_call(KHO_POOL_HIDE, name);
}

/* The device's name goes to @path if there is one. */
static inline int expose(const char *name, __u64 align, char *path)
{
	struct kho_pool_ioctl_expose e = { .size = sizeof(e), .align = align };
	int err;

	snprintf(e.name, sizeof(e.name), "%s", name);
	err = call(KHO_POOL_EXPOSE, &e);
	if (path && (!err || err == -EALREADY))
		sprintf(path, "/dev/dax%u.%u", e.dax_region, e.dax_id);
	return err;
}

static inline int query(const char *name, struct kho_pool_extent_info *info)
{
	struct kho_pool_ioctl_query q = { .size = sizeof(q) };
	int err;

	snprintf(q.name, sizeof(q.name), "%s", name);
	err = call(KHO_POOL_QUERY, &q);
	*info = q.info;
	return err;
}

static inline unsigned long long number_in(const char *path)
{
	unsigned long long value = 0;
	FILE *f = fopen(path, "r");

	if (f) {
		if (fscanf(f, "%llu", &value) != 1)
			value = 0;
		fclose(f);
	}
	return value;
}

#endif
