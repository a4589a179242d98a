// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may open the device of an extent, until it is hidden or the kernel ends.  A rule for
 * udev does it for good, see 60-kho-pool.rules.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

/*
 * Users and groups of the files in /etc, or numbers.  A static program cannot ask others
 * than these files, and devices belong to users of the system.
 */
static u32 user_of(const char *text)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *entry;

	while (f && (entry = fgetpwent(f)))
		if (!strcmp(entry->pw_name, text)) {
			fclose(f);
			return entry->pw_uid;
		}
	if (f)
		fclose(f);
	if (strspn(text, "0123456789") != strlen(text))
		die("--owner: there is no user \"%s\" in /etc/passwd", text);
	return parse_number("--owner", text, UINT32_MAX - 1);
}

static u32 group_of(const char *text)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *entry;

	while (f && (entry = fgetgrent(f)))
		if (!strcmp(entry->gr_name, text)) {
			fclose(f);
			return entry->gr_gid;
		}
	if (f)
		fclose(f);
	if (strspn(text, "0123456789") != strlen(text))
		die("--group: there is no group \"%s\" in /etc/group", text);
	return parse_number("--group", text, UINT32_MAX - 1);
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
		node->owner = user_of(value);
		node->has_owner = true;
		return true;
	case NODE_GROUP:
		node->group = group_of(value);
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
