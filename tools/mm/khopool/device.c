// SPDX-License-Identifier: GPL-2.0-only
/* Map an extent into this process through its device. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"

const char *device_path(const struct extent *extent, char *buf)
{
	sprintf(buf, "/dev/dax%u.%u", extent->dax_region, extent->dax_id);
	return buf;
}

const char *device_map(struct device *device, struct extent *extent, bool write)
{
	static char wrong[200];
	char path[40];
	int fd, err;

	*device = (struct device){ .extent = extent };
	err = control_expose(extent, 0);
	if (err && err != EALREADY)
		return control_expose_error(extent, 0, err);
	device->was_hidden = !err;
	fd = open(device_path(extent, path), (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0) {
		snprintf(wrong, sizeof(wrong), "%s: %s", path, strerror(errno));
		device_unmap(device);
		return wrong;
	}
	device->mem = mmap(NULL, extent->bytes, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED,
			   fd, 0);
	err = errno;
	close(fd);
	if (device->mem != MAP_FAILED)
		return NULL;
	device->mem = NULL;
	snprintf(wrong, sizeof(wrong), "%s cannot be mapped: %s", path, strerror(err));
	device_unmap(device);
	return wrong;
}

void device_unmap(struct device *device)
{
	int err;

	if (device->mem)
		munmap(device->mem, device->extent->bytes);
	device->mem = NULL;
	if (!device->was_hidden)
		return;
	device->was_hidden = false;
	err = control_hide(device->extent);
	if (err)
		warn("%s stays exposed: %s", full_name(device->extent),
		     err == EBUSY ? "another process has mapped it meanwhile" : control_error(err));
	else
		device->extent->flags &= ~KHO_POOL_EXTENT_EXPOSED;
}
