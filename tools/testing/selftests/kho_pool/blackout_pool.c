// SPDX-License-Identifier: GPL-2.0-only
/* Two extents of a pool, the guest's in pages of 1 GiB or of 2 MiB. */
#include "blackout.h"

static void make(uint64_t size, uint64_t page)
{
	memory = extent_create("guest", size, page);
	saved = extent_create("guest-cpu", SAVED_BYTES, SAVED_BYTES);
}

static void make_1g(uint64_t size)
{
	make(size, 1 << 30);
}

static void make_2m(uint64_t size)
{
	make(size, 1 << 21);
}

static void nothing(void)
{
}

static void find(void)
{
	uint64_t bytes, align;

	saved = extent_find("guest-cpu", &bytes, &align);
	memory = extent_find("guest", &memory_size, &align);
}

const struct way pool_way = {
	.name = "pool",
	.make = make_1g,
	.prepare = nothing,
	.put = nothing,
	.find = find,
	.get = nothing,
	.finish = nothing,
};

const struct way pool_2m_way = {
	.name = "pool-2m",
	.make = make_2m,
	.prepare = nothing,
	.put = nothing,
	.find = find,
	.get = nothing,
	.finish = nothing,
};
