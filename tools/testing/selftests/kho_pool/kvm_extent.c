// SPDX-License-Identifier: GPL-2.0-only
/* Named extents of the first pool, by /dev/kho_pool/control and device-dax. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kho_pool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm.h"

static int command(unsigned long cmd, void *arg)
{
	int fd = open("/dev/kho_pool/control", O_RDWR), err;

	if (fd < 0)
		fail("/dev/kho_pool/control: %m");
	err = ioctl(fd, cmd, arg) ? errno : 0;
	close(fd);
	return err;
}

static void *map(unsigned int region, unsigned int id, uint64_t bytes)
{
	char path[40];
	void *p;
	int fd;

	snprintf(path, sizeof(path), "/dev/dax%u.%u", region, id);
	fd = open(path, O_RDWR);
	if (fd < 0)
		fail("%s: %m", path);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fail("mmap of %s: %m", path);
	close(fd);
	return p;
}

/* A new one, exposed with pages of that size. */
void *extent_create(const char *name, uint64_t bytes, uint64_t align)
{
	struct kho_pool_ioctl_create create = {
		.size = sizeof(create), .nid = -1, .bytes = bytes, .align = align,
	};
	struct kho_pool_ioctl_expose expose = { .size = sizeof(expose), .align = align };
	int err;

	snprintf(create.name, sizeof(create.name), "%s", name);
	snprintf(expose.name, sizeof(expose.name), "%s", name);
	err = command(KHO_POOL_CREATE, &create);
	if (err)
		fail("creating %s: %s", name, strerror(err));
	err = command(KHO_POOL_EXPOSE, &expose);
	if (err)
		fail("exposing %s: %s", name, strerror(err));
	return map(expose.dax_region, expose.dax_id, bytes);
}

/* One from before the kexec.  That there is a device for it is the kernel's own doing. */
void *extent_find(const char *name, uint64_t *bytes, uint64_t *align)
{
	struct kho_pool_ioctl_query query = { .size = sizeof(query) };
	int err;

	snprintf(query.name, sizeof(query.name), "%s", name);
	err = command(KHO_POOL_QUERY, &query);
	if (err)
		fail("%s: %s", name, strerror(err));
	if (!(query.info.flags & KHO_POOL_EXTENT_EXPOSED))
		fail("%s has no device", name);
	*bytes = query.info.bytes;
	*align = query.info.align;
	return map(query.info.dax_region, query.info.dax_id, query.info.bytes);
}
