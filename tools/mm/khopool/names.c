// SPDX-License-Identifier: GPL-2.0-only
/* How people name an extent: NAME if that is unique, or POOL/NAME. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "../../../mm/kho_pool/index/names.h"

static void check_name(const char *what, const char *name, u32 max)
{
	if (!*name)
		die("the name of %s is empty", what);
	if (strlen(name) >= max)
		die("\"%s\": the name of %s has up to %u characters", shown(name), what, max - 1);
	if (*name == '.')
		die("\"%s\": the name of %s does not begin with a dot", shown(name), what);
	if (!kp_name_valid(name, max))
		die("\"%s\": the name of %s is made of letters, digits, '-', '_' and '.'",
		    shown(name), what);
}

static void known_pool(const struct pools *pools, const char *pool)
{
	for (u32 i = 0; i < pools->nr; i++)
		if (!strcmp(pools->name[i], pool))
			return;
	fail("there is no pool \"%s\"; there %s %s", pool, pools->nr == 1 ? "is" : "are",
	     pool_names(pools));
}

/* Set the names in @extent; the pool is empty if none was given. */
static void split(struct extent *extent, const char *name, const char *pool)
{
	const char *slash = strchr(name, '/');
	char before[256];

	*extent = (struct extent){ .nid = -1 };
	if (slash) {
		snprintf(before, sizeof(before), "%.*s", (int)(slash - name), name);
		if (pool && strcmp(pool, before))
			die("%s is not in pool %s", name, pool);
		pool = before;
		name = slash + 1;
	}
	if (pool) {
		check_name("a pool", pool, sizeof(extent->pool));
		COPY(extent->pool, pool);
	}
	check_name("an extent", name, sizeof(extent->name));
	COPY(extent->name, name);
}

void select_pools(struct pools *pools, const char *pool)
{
	need_pools(pools);
	if (!pool)
		return;
	check_name("a pool", pool, KHO_POOL_UAPI_POOL_MAX);
	known_pool(pools, pool);
	pools->nr = 1;
	COPY(pools->name[0], pool);
}

void name_extent(struct extent *extent, const char *name, const char *pool)
{
	struct pools pools;

	split(extent, name, pool);
	need_pools(&pools);
	if (extent->pool[0])
		known_pool(&pools, extent->pool);
	else if (pools.nr > 1)
		fail("there are several pools, %s: name one, --pool %s", pool_names(&pools),
		     pools.name[0]);
	else
		COPY(extent->pool, pools.name[0]);
}

void find_extent(struct extent *extent, const char *name, const char *pool)
{
	struct extent in_last;
	struct pools pools;
	u32 found = 0;
	int err;

	split(extent, name, pool);
	need_pools(&pools);
	if (extent->pool[0]) {
		known_pool(&pools, extent->pool);
		err = control_query(extent);
		if (err == ENOENT)
			refused(err, "pool %s has no extent \"%s\" (khopool ls --pool %s)%s",
				extent->pool, extent->name, extent->pool,
				pool_trouble(extent->pool));
		if (err)
			refused(err, "%s: %s", full_name(extent), control_error(err));
		return;
	}
	for (u32 i = 0; i < pools.nr; i++) {
		struct extent try = *extent;

		COPY(try.pool, pools.name[i]);
		err = control_query(&try);
		if (err && err != ENOENT)
			refused(err, "%s: %s", full_name(&try), control_error(err));
		if (err)
			continue;
		if (found++)
			fail("both %s and %s exist: say which one", full_name(&in_last),
			     full_name(&try));
		in_last = try;
	}
	if (!found)
		refused(ENOENT, "there is no extent \"%s\" in %s %s (khopool ls)%s", name,
			pools.nr > 1 ? "the pools" : "pool", pool_names(&pools),
			pools.nr > 1 ? "" : pool_trouble(pools.name[0]));
	*extent = in_last;
}

void query_extent(struct extent *extent)
{
	int err = control_query(extent);

	if (err)
		refused(err, "%s: %s", full_name(extent), control_error(err));
}

const char *full_name(const struct extent *extent)
{
	static char buf[2][KHO_POOL_UAPI_POOL_MAX + KHO_POOL_UAPI_NAME_MAX];
	static u32 turn;
	char *to = buf[turn++ % 2];

	snprintf(to, sizeof(buf[0]), "%s/%s", extent->pool,
		 extent->name[0] ? shown(extent->name) : "-");
	return to;
}
