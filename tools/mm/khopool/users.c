// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes that have the device of an extent mapped or open.  This does not show
 * pages that are pinned for a process that has closed and unmapped the device.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

static bool has_mapped(const char *pid, const char *device)
{
	size_t len, size = 0, name = strlen(device);
	char path[64], *line = NULL;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	f = fopen(path, "r");
	while (f && !found && getline(&line, &size, f) > 0) {
		len = strcspn(line, "\n");
		found = len > name && !strncmp(line + len - name, device, name) &&
			line[len - name - 1] == ' ';
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static bool has_open(const char *pid, const char *device)
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
		found = !strcmp(target, device);
	}
	if (dir)
		closedir(dir);
	return found;
}

const char *device_users(const struct extent *extent)
{
	static char users[256];
	struct dirent *entry;
	char device[40];
	DIR *dir = opendir("/proc");

	users[0] = 0;
	device_path(extent, device);
	while (dir && (entry = readdir(dir))) {
		char name[32] = "?", one[64];

		if (!isdigit(entry->d_name[0]) ||
		    (!has_mapped(entry->d_name, device) && !has_open(entry->d_name, device)))
			continue;
		sysfs_text(name, sizeof(name), "/proc/%.20s/comm", entry->d_name);
		snprintf(one, sizeof(one), "%s%s (%.20s)", users[0] ? ", " : "", shown(name),
			 entry->d_name);
		if (strlen(users) + strlen(one) < sizeof(users))
			strcat(users, one);
	}
	if (dir)
		closedir(dir);
	return users;
}
