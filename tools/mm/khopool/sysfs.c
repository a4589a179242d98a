// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says about its pools in sysfs. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

bool sysfs_text(char *buf, u32 size, const char *fmt, ...)
{
	char path[256];
	va_list args;
	size_t len;
	FILE *f;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	f = fopen(path, "r");
	if (!f)
		return false;
	len = fread(buf, 1, size - 1, f);
	while (len && buf[len - 1] == '\n')
		len--;
	buf[len] = 0;
	len = ferror(f);
	fclose(f);
	return !len;
}

u64 sysfs_number(const char *pool, const char *file)
{
	char buf[32];

	if (!sysfs_text(buf, sizeof(buf), SYSFS_POOLS "/%s/%s", pool, file))
		return 0;
	return strtoull(buf, NULL, 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

void sysfs_pools(struct pools *pools)
{
	DIR *dir = opendir(SYSFS_POOLS);
	struct dirent *entry;

	pools->nr = 0;
	while (dir && (entry = readdir(dir))) {
		char path[sizeof(SYSFS_POOLS) + 280];

		/* Files and hidden folders are not pools. */
		if (entry->d_name[0] == '.' || pools->nr == MAX_POOLS ||
		    strlen(entry->d_name) >= KHO_POOL_UAPI_POOL_MAX)
			continue;
		snprintf(path, sizeof(path), SYSFS_POOLS "/%s/size_bytes", entry->d_name);
		if (!access(path, F_OK))
			COPY(pools->name[pools->nr++], entry->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(pools->name, pools->nr, sizeof(pools->name[0]), by_name);
}

void need_pools(struct pools *pools)
{
	char state[160];

	sysfs_pools(pools);
	if (pools->nr)
		return;
	if (!sysfs_text(state, sizeof(state), SYSFS_POOLS "/handover"))
		fail("this kernel has no kho_pool: there is no " SYSFS_POOLS
		     " (it takes CONFIG_KHO_POOL)");
	if (!strcmp(state, "none"))
		fail("there are no pools: boot with kho=on kho_pool=SIZE on the command line");
	fail("there are no pools that can be used: %s (see the kernel's log)", state);
}

const char *pool_trouble(const char *pool)
{
	static char trouble[220];
	char state[160];

	if (!sysfs_text(state, sizeof(state), SYSFS_POOLS "/%s/state", pool) ||
	    !strncmp(state, "active", strlen("active")))
		return "";
	snprintf(trouble, sizeof(trouble), ", but the pool is %s", state);
	return trouble;
}

const char *pool_names(const struct pools *pools)
{
	static char buf[MAX_POOLS * (KHO_POOL_UAPI_POOL_MAX + 5)];
	char *to = buf;

	for (u32 i = 0; i < pools->nr; i++)
		to += sprintf(to, "%s%s", i == 0 ? "" : i + 1 < pools->nr ? ", " : " and ",
			      pools->name[i]);
	return buf;
}

static int by_base(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	return (x->base > y->base) - (x->base < y->base);
}

u32 sysfs_regions(const char *pool, struct region *regions, u32 max)
{
	char buf[64];
	u32 nr = 0;

	for (; nr < max; nr++) {
		struct region *r = &regions[nr];

		if (!sysfs_text(buf, sizeof(buf), SYSFS_POOLS "/%s/region%u/size_bytes", pool, nr))
			break;
		r->size = strtoull(buf, NULL, 0);
		if (!sysfs_text(buf, sizeof(buf), SYSFS_POOLS "/%s/region%u/base", pool, nr))
			fail("pool %s: its regions' addresses cannot be read: %s (are you root?)",
			     pool, strerror(errno));
		r->base = strtoull(buf, NULL, 0);
		sysfs_text(r->state, sizeof(r->state), SYSFS_POOLS "/%s/region%u/state", pool, nr);
		r->nid = -1;
		if (sysfs_text(buf, sizeof(buf), SYSFS_POOLS "/%s/region%u/node", pool, nr))
			r->nid = atoi(buf);
	}
	qsort(regions, nr, sizeof(*regions), by_base);
	return nr;
}
