// SPDX-License-Identifier: GPL-2.0-only
/* A large machine: 512 CPUs, 64 TiB in eight regions, one for each node. */
#include "../random.h"
#include "bench.h"
#include "../region.h"

#define CPUS		512
#define REGIONS		8
#define REGION		(8 * 1024 * GIB)

static struct region regions[REGIONS];
static u64 csums[REGIONS];

/* Guests of 2 to 512 GiB with names, and small extents of drivers on every CPU */
static void make(struct region *r, u64 seed)
{
	char name[KHO_POOL_NAME_MAX];
	u64 frame, used = 0;

	for (u32 nr = 0; used < REGION / 10 * 9; nr++) {
		u64 frames = GIB * (2 + random_below(&seed, 511));

		snprintf(name, sizeof(name), "guest-%u", nr);
		if (get(r, frames, GIB, 1, name, &frame))
			break;
		used += frames;
	}
	for (u32 i = 0; i < 100 * CPUS; i++) {
		struct kp_request req = {
			.frames = 1 + random_below(&seed, 64), .align = 1, .owner = 2,
		};

		if (whole_alloc(&r->idx, &r->idx.pcpu[i % CPUS], &req, &frame))
			exit(2);
	}
}

static double seal_all(void)
{
	u64 begin = now_ns();

	for (u32 i = 0; i < REGIONS; i++)
		if (!kp_index_seal(&regions[i].idx, &csums[i], -1UL))
			exit(2);
	return now_ns() - begin - clock_cost();
}

static double restore_all(void)
{
	u64 begin;

	forget_caches();
	begin = now_ns();
	for (u32 i = 0; i < REGIONS; i++) {
		struct region *r = &regions[i];

		memset(r->vol, 0, r->vol_size);
		memset(&r->idx, 0, sizeof(r->idx));
		if (kp_index_attach(&r->idx, r->index, r->index_size, r->base, r->frames, SHIFT,
				    r->vol, r->cpus) || kp_index_restore(&r->idx, &csums[i]))
			exit(2);
	}
	return now_ns() - begin - clock_cost();
}

/* What reading sysfs costs: numbers, and what has to be counted */
static double sums(void)
{
	u64 begin = now_ns(), extents = 0;

	for (u32 i = 0; i < REGIONS; i++)
		extents += kp_index_extents(&regions[i].idx) + kp_index_used(&regions[i].idx);
	return extents ? now_ns() - begin - clock_cost() : 0;
}

static double count(void)
{
	u64 begin = now_ns();
	struct kp_stat stat = {};

	for (u32 i = 0; i < REGIONS; i++)
		count_free(&regions[i].idx, &stat);
	return stat.free_frames ? now_ns() - begin - clock_cost() : 0;
}

void bench_machine(void)
{
	struct figure sealed = {}, rebuilt = {}, summed = {}, counted = {};
	u64 index = 0, vol = 0, per_cpu = 0;

	bench_progress("512 CPUs, 64 TiB in 8 regions");
	for (u32 i = 0; i < REGIONS; i++) {
		region_init_table(&regions[i], i * REGION, REGION, CPUS);
		make(&regions[i], i + 1);
		index += regions[i].index_size;
		vol += regions[i].vol_size;
		per_cpu += kp_index_volatile_size(i * REGION, REGION, CPUS) -
			   kp_index_volatile_size(i * REGION, REGION, 1);
	}
	for (u32 round = 0; round < (bench_quick ? 3 : 9); round++) {
		figure_add(&summed, sums());
		figure_add(&counted, count());
		figure_add(&sealed, seal_all());
		figure_add(&rebuilt, restore_all());
	}
	json_begin("large");
	json_number("cpus", CPUS);
	json_number("regions", REGIONS);
	json_number("bytes", (double)REGIONS * (REGION << SHIFT));
	json_figure("rebuild_ns", &rebuilt);
	json_figure("seal_ns", &sealed);
	json_figure("sums_ns", &summed);
	json_figure("count_ns", &counted);
	json_number("index_bytes", index);
	json_number("volatile_bytes", vol);
	json_number("bytes_per_cpu", (double)per_cpu / (CPUS - 1));
	json_end();
	for (u32 i = 0; i < REGIONS; i++)
		region_exit(&regions[i]);
}
