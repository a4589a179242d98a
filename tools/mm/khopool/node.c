// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may open the device of an extent, until it is hidden or the kernel ends.  A rule for
 * udev does it for good, see 60-kho-pool.rules.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

/*
 * Users and groups of the files in /etc, whose lines begin alike, "NAME:PASSWORD:NUMBER:", or
 * numbers.  A static program cannot ask others than these files, and devices belong to users
 * of the system.
 */
static u32 id_of(const char *option, const char *kind, const char *path, const char *text)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, *number;
	bool found = false;
	size_t size = 0;
	u32 id = 0;

	while (f && !found && getline(&line, &size, f) > 0) {
		size_t len = strcspn(line, ":");

		if (strlen(text) != len || strncmp(line, text, len) || !line[len])
			continue;
		number = strchr(line + len + 1, ':');
		found = number;
		if (found)
			id = strtoul(number + 1, NULL, 10);
	}
	free(line);
	if (f)
		fclose(f);
	if (found)
		return id;
	if (strspn(text, "0123456789") != strlen(text))
		die("%s: there is no %s \"%s\" in %s", option, kind, text, path);
	return parse_number(option, text, UINT32_MAX - 1);
}

static u32 mode_of(const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (end == text || *end || *text == '-' || mode > 0777)
		die("--mode: \"%s\" is not a mode such as 0660", text);
	return mode;
}

bool node_option(struct node *node, int opt, const char *value)
{
	switch (opt) {
	case NODE_OWNER:
		node->owner = id_of("--owner", "user", "/etc/passwd", value);
		node->has_owner = true;
		return true;
	case NODE_GROUP:
		node->group = id_of("--group", "group", "/etc/group", value);
		node->has_group = true;
		return true;
	case NODE_MODE:
		node->mode = mode_of(value);
		node->has_mode = true;
		return true;
	default:
		return false;
	}
}

bool node_is_set(const struct node *node)
{
	return node->has_owner || node->has_group || node->has_mode;
}

const char *node_apply(const struct node *node, const struct extent *extent)
{
	char path[40];

	device_path(extent, path);
	/* The mode last, as a new owner may be one that must not have the old one. */
	if (((node->has_owner || node->has_group) &&
	     chown(path, node->has_owner ? node->owner : (uid_t)-1,
		   node->has_group ? node->group : (gid_t)-1)) ||
	    (node->has_mode && chmod(path, node->mode)))
		return wrong_about(path, errno);
	return NULL;
}
