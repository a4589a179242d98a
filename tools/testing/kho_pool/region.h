/* SPDX-License-Identifier: GPL-2.0-only */
/* One region with its index in user-space memory, and what tests do with it. */
#ifndef _KHO_POOL_TEST_REGION_H
#define _KHO_POOL_TEST_REGION_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../../../mm/kho_pool/index/internal.h"
#include "../../../mm/kho_pool/tests/whole.h"

#ifndef SHIFT
#define SHIFT	12
#endif
#define KIB4	1ULL
#define MIB2	512ULL
#define GIB	(512 * 512ULL)

struct region {
	struct kp_index idx;
	u64 base, frames;
	u32 cpus;
	void *index, *vol;
	u64 index_size, vol_size;
};

static inline void *pages(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

/* What the next kernel does: forget the volatile side and rebuild it. */
static inline int region_restore(struct region *r, const u64 *csum)
{
	int ret;

	if (r->vol)
		munmap(r->vol, r->vol_size);
	r->vol = pages(r->vol_size);
	memset(&r->idx, 0, sizeof(r->idx));
	ret = kp_index_attach(&r->idx, r->index, r->index_size, r->base, r->frames, SHIFT,
			      r->vol, r->cpus);
	return ret ?: kp_index_restore(&r->idx, csum);
}

static inline void region_init_size(struct region *r, u64 base, u64 frames, u32 cpus,
				    u64 index_size)
{
	memset(r, 0, sizeof(*r));
	r->base = base;
	r->frames = frames;
	r->cpus = cpus;
	r->index_size = index_size;
	r->vol_size = kp_index_volatile_size(base, frames, cpus);
	r->index = pages(r->index_size);
	if (frames <= 16 * GIB)
		memset(r->index, 0xa5, r->index_size);
	if (kp_index_format(r->index, index_size, base, frames, SHIFT, "test") ||
	    region_restore(r, NULL)) {
		fprintf(stderr, "cannot make a region\n");
		exit(2);
	}
	kp_owner_set(&r->idx, &r->idx.pcpu[0], 1, "one");
	kp_owner_set(&r->idx, &r->idx.pcpu[0], 2, "two");
}

static inline void region_init(struct region *r, u64 base, u64 frames, u32 cpus)
{
	region_init_size(r, base, frames, cpus, kp_index_size(base, frames));
}

/* With a table of bad frames, as new regions have it */
static inline void region_init_table(struct region *r, u64 base, u64 frames, u32 cpus)
{
	region_init_size(r, base, frames, cpus, kp_index_size_table(base, frames));
}

static inline void region_exit(struct region *r)
{
	munmap(r->index, r->index_size);
	munmap(r->vol, r->vol_size);
}

static inline int get(struct region *r, u64 frames, u64 align, u8 owner, const char *name,
		      u64 *frame)
{
	struct kp_request req = {
		.frames = frames, .align = align, .owner = owner, .name = name,
	};

	return whole_alloc(&r->idx, &r->idx.pcpu[0], &req, frame);
}

static inline int put(struct region *r, u64 frame, u64 frames, u8 owner)
{
	return whole_free(&r->idx, &r->idx.pcpu[0], frame, frames, owner);
}

/* All that is free is added to @stat. */
static inline void count_free(const struct kp_index *idx, struct kp_stat *stat)
{
	struct kp_stat_at at = {};

	while (kp_index_stat(idx, stat, &at))
		;
}

#endif /* _KHO_POOL_TEST_REGION_H */
