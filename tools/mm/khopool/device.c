// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map an extent into this process through its device.
 *
 * An extent that is not exposed is exposed for the moment.  Several processes may have
 * it mapped then; the last one hides it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine.h"

const char *device_path(const struct extent *extent, char *buf)
{
	sprintf(buf, "/dev/dax%u.%u", extent->dax_region, extent->dax_id);
	return buf;
}

/* Someone may have hidden it, and exposed another one as this device. */
static bool is_device_of(int fd, const struct extent *extent)
{
	static const char format[] = "/sys/dev/char/%u:%u/../%s";
	char pool[KHO_POOL_UAPI_POOL_MAX + 1], name[KHO_POOL_UAPI_NAME_MAX + 1];
	struct stat node;

	if (fstat(fd, &node) || !S_ISCHR(node.st_mode))
		return false;
	return sysfs_text(pool, sizeof(pool), format, major(node.st_rdev), minor(node.st_rdev),
			  "kho_pool") &&
	       sysfs_text(name, sizeof(name), format, major(node.st_rdev), minor(node.st_rdev),
			  "kho_extent") &&
	       !strcmp(pool, extent->pool) && !strcmp(name, extent->name);
}

static const char *map(struct device *device, bool write)
{
	char path[40];
	int fd, err;

	fd = open(device_path(device->extent, path), (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return wrong_about(path, errno);
	/* What is open cannot become the device of another one. */
	if (!is_device_of(fd, device->extent)) {
		close(fd);
		return "its device has become that of another extent";
	}
	device->mem = mmap(NULL, device->extent->bytes, PROT_READ | (write ? PROT_WRITE : 0),
			   MAP_SHARED, fd, 0);
	err = errno;
	close(fd);
	if (device->mem != MAP_FAILED)
		return NULL;
	device->mem = NULL;
	return wrong_about(path, err);
}

/* With the extent locked */
static void leave(struct device *device)
{
	int err;

	if (!device->for_now || !unlock_read(device->extent))
		return;
	err = control_hide(device->extent);
	/* It may have been hidden or removed meanwhile. */
	if (err && err != ENXIO && err != ENOENT)
		warn("%s stays exposed: %s", full_name(device->extent),
		     err == EBUSY ? "another process has mapped it meanwhile" : control_error(err));
	else
		device->extent->flags &= ~KHO_POOL_EXTENT_EXPOSED;
}

const char *device_map(struct device *device, struct extent *extent, bool write)
{
	const char *wrong = NULL;
	int err;

	*device = (struct device){ .extent = extent };
	lock_extent(extent);
	err = control_expose(extent, 0);
	if (err && err != EALREADY) {
		wrong = control_expose_error(extent, 0, err);
	} else {
		device->for_now = !err || lock_reader(extent);
		if (device->for_now)
			lock_read(extent);
		wrong = map(device, write);
		if (wrong)
			leave(device);
	}
	unlock_extent(extent);
	return wrong;
}

void device_unmap(struct device *device)
{
	if (!device->mem)
		return;
	lock_extent(device->extent);
	munmap(device->mem, device->extent->bytes);
	device->mem = NULL;
	leave(device);
	unlock_extent(device->extent);
}
