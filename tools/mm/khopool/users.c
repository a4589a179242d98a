// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has the device of an extent: processes that have it mapped or open, another driver,
 * a live update session.  The kernel does not tell who has pinned pages, so for a process
 * that has closed and unmapped the device one can only say who could have.
 */
#include <ctype.h>
#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

/*
 * Is this the device?  Its folder is another one in a container, in a chroot, and in a file that
 * came out of a live update session.  No other device has its name.
 */
static bool names(const char *path, const char *device)
{
	const char *last = strrchr(path, '/'), *name = strrchr(device, '/');
	size_t len = strlen(name);

	return last && !strncmp(last, name, len) &&
	       (!last[len] || !strcmp(last + len, " (deleted)"));
}

static bool has_mapped(const char *pid, const char *device)
{
	size_t size = 0;
	char path[64], *line = NULL;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	f = fopen(path, "r");
	while (f && !found && getline(&line, &size, f) > 0) {
		const char *at = strchr(line, '/');

		line[strcspn(line, "\n")] = 0;
		found = at && names(at, device);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Through these, devices get at memory that no process needs to have mapped. */
static bool lets_devices_in(const char *path, const char *device)
{
	return !strncmp(path, "/dev/vfio/", 10) || !strcmp(path, "/dev/iommu") ||
	       !strncmp(path, "/dev/infiniband/", 16);
}

static bool has_open(const char *pid, bool (*is)(const char *path, const char *device),
		     const char *device)
{
	char path[64], target[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", pid, entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = 0;
		found = is(target, device);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool uses(const char *pid, const char *device)
{
	return has_mapped(pid, device) || has_open(pid, names, device);
}

static bool may_pin(const char *pid, const char *device)
{
	return has_open(pid, lets_devices_in, device);
}

/* "NAME (PID), NAME (PID)" */
static void processes(char *list, u32 size, bool (*are)(const char *pid, const char *device),
		      const char *device)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	list[0] = 0;
	while (dir && (entry = readdir(dir))) {
		char name[32] = "?", one[64];

		if (!isdigit(entry->d_name[0]) || !are(entry->d_name, device))
			continue;
		sysfs_text(name, sizeof(name), "/proc/%.20s/comm", entry->d_name);
		snprintf(one, sizeof(one), "%s%s (%.20s)", list[0] ? ", " : "", shown(name),
			 entry->d_name);
		if (strlen(list) + strlen(one) < size)
			strcat(list, one);
	}
	if (dir)
		closedir(dir);
}

const char *device_users(const struct extent *extent)
{
	static char users[256];
	char device[40];

	processes(users, sizeof(users), uses, device_path(extent, device));
	return users;
}

const char *device_pinners(void)
{
	static char pinners[256];

	processes(pinners, sizeof(pinners), may_pin, NULL);
	return pinners;
}

const char *device_holder(const struct extent *extent)
{
	static char holder[128];
	char link[80], driver[80] = "";
	ssize_t len;

	if (extent->flags & KHO_POOL_EXTENT_HELD)
		return "a live update session has its file";
	if (extent->flags & KHO_POOL_EXTENT_PINNED)
		return "its pages have been pinned since before device_dax left it";
	snprintf(link, sizeof(link), "/sys/bus/dax/devices/dax%u.%u/driver", extent->dax_region,
		 extent->dax_id);
	len = readlink(link, driver, sizeof(driver) - 1);
	driver[len < 0 ? 0 : len] = 0;
	if (len <= 0 || !strcmp(basename(driver), "device_dax"))
		return NULL;
	snprintf(holder, sizeof(holder), "the driver %s has it", basename(driver));
	return holder;
}
