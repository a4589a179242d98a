// SPDX-License-Identifier: GPL-2.0-only
/* Two extents of a pool, in pages as large as there are. */
#include "blackout.h"

#define ALIGN	0x40000000ULL

static void make(uint64_t size)
{
	memory = extent_create("guest", size, ALIGN);
	saved = extent_create("guest-cpu", SAVED_BYTES, SAVED_BYTES);
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
	.make = make,
	.prepare = nothing,
	.put = nothing,
	.find = find,
	.get = nothing,
	.finish = nothing,
};
