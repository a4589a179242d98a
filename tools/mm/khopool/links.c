// SPDX-License-Identifier: GPL-2.0-only
/*
 * khopool links: /dev/kho_pool/<pool>/<name>, as udev makes them by
 * 60-kho-pool.rules, on machines without it or without the rules.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

#define LINKS	"/dev/kho_pool"
#define TARGET	"../../dax"

/* What to print about each change, if anything */
typedef void (*tell_fn)(const char *verb, const char *link, const char *target);

const char *link_path(const struct extent *extent, char *buf)
{
	sprintf(buf, LINKS "/%s/%s", extent->pool, extent->name);
	return buf;
}

/* It makes and removes links, too, a moment later; unless it does not have our rules. */
static void wait_for_udev(void)
{
	if (access("/run/udev/control", F_OK))
		return;
	for (u32 turn = 0; turn < 300 && !access("/run/udev/queue", F_OK); turn++)
		usleep(10000);
}

/* Where a link of ours leads to; false: there is none, or it is not ours. */
static bool target_of(const char *link, char *target, u32 size)
{
	ssize_t len = readlink(link, target, size - 1);

	target[len < 0 ? 0 : len] = 0;
	return !strncmp(target, TARGET, strlen(TARGET));
}

static void make_link(const struct extent *extent, tell_fn tell)
{
	char link[160], new[180], target[40], old[64];

	link_path(extent, link);
	snprintf(target, sizeof(target), TARGET "%u.%u", extent->dax_region, extent->dax_id);
	if (target_of(link, old, sizeof(old)) && !strcmp(old, target))
		return;
	/* Programs that open it find the old link or the new one. */
	snprintf(new, sizeof(new), LINKS "/%s/.%s", extent->pool, extent->name);
	unlink(new);
	if (symlink(target, new) || rename(new, link)) {
		int err = errno;

		unlink(new);
		die("%s: %s", link, strerror(err));
	}
	tell("made", link, target);
}

static void remove_stale(const char *folder, const struct extent *extents, u32 nr, tell_fn tell)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char link[384], target[64];
		bool wanted = false;

		for (u32 i = 0; i < nr; i++)
			wanted |= extents[i].flags & KHO_POOL_EXTENT_EXPOSED &&
				  !strcmp(extents[i].name, entry->d_name);
		snprintf(link, sizeof(link), "%s/%s", folder, entry->d_name);
		if (wanted || !target_of(link, target, sizeof(target)))
			continue;
		if (unlink(link))
			die("%s: %s", link, strerror(errno));
		tell("removed", link, target);
	}
	if (dir)
		closedir(dir);
	/* Unless it is in use */
	rmdir(folder);
}

static void update(const char *pool, tell_fn tell)
{
	struct extent *extents;
	char folder[80];
	u32 nr;

	lock_links();
	extents = control_list(pool, &nr);
	snprintf(folder, sizeof(folder), LINKS "/%s", pool);
	for (u32 i = 0; i < nr; i++) {
		/* What is exposed for khopool put or get is hidden again soon. */
		if (!(extents[i].flags & KHO_POOL_EXTENT_EXPOSED) || lock_reader(&extents[i]))
			continue;
		if (mkdir(folder, 0755) && errno != EEXIST)
			die("%s: %s", folder, strerror(errno));
		make_link(&extents[i], tell);
	}
	remove_stale(folder, extents, nr, tell);
	unlock_links();
	free(extents);
}

static void tell_no_one(const char *verb, const char *link, const char *target)
{
}

static void tell_text(const char *verb, const char *link, const char *target)
{
	printf("%s %s -> %s\n", verb, link, target);
}

static void tell_json(const char *verb, const char *link, const char *target)
{
	json_begin(NULL, '{');
	json_string("change", verb);
	json_string("link", link);
	json_string("target", target);
	json_end('}');
}

void links_follow(const char *pool)
{
	wait_for_udev();
	update(pool, tell_no_one);
}

static int links(int argc, char **argv)
{
	const char *pool = pool_option(&cmd_links, argc, argv);
	struct pools pools;

	operands(&cmd_links, argc, &argv, 0, 0);
	select_pools(&pools, pool);
	wait_for_udev();
	if (as_json)
		json_open_list("links");
	for (u32 i = 0; i < pools.nr; i++)
		update(pools.name[i], as_json ? tell_json : tell_text);
	if (as_json)
		json_close_list();
	return EXIT_OK;
}

const struct command cmd_links = {
	.name = "links",
	.args = "[--pool POOL] [--json]",
	.what = "make /dev/kho_pool/POOL/NAME where no udev runs",
	.help =	"Makes a link to the device of each exposed extent, as udev does with\n"
		"60-kho-pool.rules, and removes links of extents that are no longer exposed.\n"
		"Prints what it has changed.  In an initramfs, run it once after boot; other\n"
		"commands update the links of extents that they change.\n\n"
		"  --pool POOL  only those of this pool\n"
		"  --json       for programs\n",
	.run = links,
};
