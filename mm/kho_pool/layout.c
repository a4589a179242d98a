// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the tables of an index are, how a new one is made, and how the volatile
 * state is laid out beside an existing one.
 */
#include <linux/align.h>

#include "internal.h"

struct layout {
	u64 owners, areas, blocks, names, bitmaps, size;
	u32 nr_blocks, nr_areas, nr_names, lead;
};

/*
 * 136 bytes a block and 64 bytes a name.  One name to 32 blocks makes 138 bytes
 * in 2 MiB, 0.0066 % of the pool.
 */
static struct layout layout(u64 base, u64 frames)
{
	struct layout l = {};

	l.nr_blocks = frames >> KHO_POOL_BLOCK_SHIFT;
	l.lead = (base >> KHO_POOL_BLOCK_SHIFT) & (KHO_POOL_AREA_BLOCKS - 1);
	l.nr_areas = ((u64)l.lead + l.nr_blocks + KHO_POOL_AREA_BLOCKS - 1) >> KHO_POOL_AREA_SHIFT;
	l.nr_names = max(l.nr_blocks / 32, 256U);

	l.owners = sizeof(struct kho_pool_index_header);
	l.areas = l.owners + KHO_POOL_OWNERS * sizeof(struct kho_pool_owner_record);
	l.blocks = ALIGN(l.areas + 8ULL * l.nr_areas, 64);
	l.names = ALIGN(l.blocks + 8ULL * l.nr_blocks, 64);
	l.bitmaps = l.names + (u64)l.nr_names * sizeof(struct kho_pool_name_record);
	l.size = ALIGN(l.bitmaps + (u64)l.nr_blocks * sizeof(struct kho_pool_bitmaps), 4096);
	return l;
}

/* Whole blocks, and few enough of them for 32 bits with the lead. */
static bool valid(u64 base, u64 frames)
{
	u64 block = KHO_POOL_BLOCK_FRAMES - 1;

	return frames && !(base & block) && !(frames & block) &&
	       base + frames > base && frames >> KHO_POOL_BLOCK_SHIFT < 1ULL << 31;
}

/* Bytes of the persistent index of a region, or 0 if there can be none. */
u64 kp_index_size(u64 base, u64 frames)
{
	return valid(base, frames) ? layout(base, frames).size : 0;
}

static void *place(u64 *offset, void *mem, u64 size)
{
	void *p = mem ? (u8 *)mem + *offset : NULL;

	*offset = ALIGN(*offset + size, SMP_CACHE_BYTES);
	return p;
}

/* Lay the volatile state out in @mem, or only say how much memory it takes. */
static u64 volatile_layout(struct kp_index *idx, void *mem, u32 nr_lanes)
{
	u64 map = BITS_TO_LONGS(idx->nr_areas) * sizeof(long);
	u64 size = 0;

	idx->nr_lanes = nr_lanes;
	idx->lane = place(&size, mem, nr_lanes * sizeof(*idx->lane));
	idx->area = place(&size, mem, idx->nr_areas * sizeof(*idx->area));
	idx->busy = place(&size, mem, map);
	idx->full = place(&size, mem, map);
	idx->link = place(&size, mem, idx->nr_names * sizeof(*idx->link));
	idx->nr_buckets = 1U << __fls(idx->nr_names);
	idx->by_name = place(&size, mem, idx->nr_buckets * sizeof(*idx->by_name));
	idx->by_frame = place(&size, mem, idx->nr_buckets * sizeof(*idx->by_frame));
	return size;
}

u64 kp_index_volatile_size(u64 base, u64 frames, u32 nr_lanes)
{
	struct layout l = layout(base, frames);
	struct kp_index idx = { .nr_areas = l.nr_areas, .nr_names = l.nr_names };

	return volatile_layout(&idx, NULL, nr_lanes);
}

static u64 header_check(const struct kho_pool_index_header *h)
{
	return kp_sum_words((const __le64 *)h, 0,
			    offsetof(struct kho_pool_index_header, check) / 8);
}

/**
 * kp_index_format - make the index of a new region
 * @mem: kp_index_size() bytes, whatever they hold
 * @base: of the region, frames
 * @frames: of the region
 * @frame_shift: log2 of the bytes in a frame
 * @pool: name of the pool it belongs to
 *
 * Return: 0, or -EINVAL if the region is not one of whole blocks.
 */
int kp_index_format(void *mem, u64 base, u64 frames, u32 frame_shift, const char *pool)
{
	struct kho_pool_index_header *h = mem;
	struct layout l;

	if (!valid(base, frames))
		return -EINVAL;
	l = layout(base, frames);
	/* All but the tables that are written when they get a meaning. */
	memset(mem, 0, l.blocks);

	h->magic = cpu_to_le64(KHO_POOL_INDEX_MAGIC);
	h->base = cpu_to_le64(base << frame_shift);
	h->size = cpu_to_le64(frames << frame_shift);
	h->index_size = cpu_to_le64(l.size);
	h->owners = cpu_to_le64(l.owners);
	h->areas = cpu_to_le64(l.areas);
	h->blocks = cpu_to_le64(l.blocks);
	h->names = cpu_to_le64(l.names);
	h->bitmaps = cpu_to_le64(l.bitmaps);
	h->frame_shift = cpu_to_le32(frame_shift);
	h->nr_names = cpu_to_le32(l.nr_names);
	strscpy(h->pool, pool, sizeof(h->pool));
	h->check = cpu_to_le64(header_check(h));
	return 0;
}

/**
 * kp_index_attach - set up the volatile side of a formatted index
 * @idx: to be filled in; idx->mem and idx->read_only stay as they are
 * @mem: the index
 * @mem_size: bytes of @mem
 * @base: of the region, frames, as said elsewhere
 * @frames: of the region, likewise
 * @frame_shift: log2 of the bytes in a frame, likewise
 * @volatile_mem: kp_index_volatile_size() bytes of zeroes
 * @nr_lanes: CPUs
 *
 * Has to be followed by kp_index_restore().
 *
 * Return: 0, or -EINVAL if the header is damaged or that of another region.
 */
int kp_index_attach(struct kp_index *idx, void *mem, u64 mem_size, u64 base, u64 frames,
		    u32 frame_shift, void *volatile_mem, u32 nr_lanes)
{
	struct kho_pool_index_header *h = mem;
	struct layout l;

	if (!valid(base, frames))
		return -EINVAL;
	l = layout(base, frames);
	if (mem_size != l.size || le64_to_cpu(h->magic) != KHO_POOL_INDEX_MAGIC ||
	    le64_to_cpu(h->check) != header_check(h) ||
	    le64_to_cpu(h->base) != base << frame_shift ||
	    le64_to_cpu(h->size) != frames << frame_shift ||
	    le64_to_cpu(h->index_size) != l.size || le64_to_cpu(h->owners) != l.owners ||
	    le64_to_cpu(h->areas) != l.areas || le64_to_cpu(h->blocks) != l.blocks ||
	    le64_to_cpu(h->names) != l.names || le64_to_cpu(h->bitmaps) != l.bitmaps ||
	    le32_to_cpu(h->frame_shift) != frame_shift || le32_to_cpu(h->nr_names) != l.nr_names)
		return -EINVAL;

	idx->header = h;
	idx->owners = mem + l.owners;
	idx->areas = mem + l.areas;
	idx->blocks = mem + l.blocks;
	idx->names = mem + l.names;
	idx->bitmaps = mem + l.bitmaps;
	idx->base = base;
	idx->nr_frames = frames;
	idx->nr_blocks = l.nr_blocks;
	idx->lead = l.lead;
	idx->nr_areas = l.nr_areas;
	idx->nr_names = l.nr_names;
	idx->sealed = false;
	idx->all_bad = false;
	idx->nr_bad = 0;
	idx->first_name = 0;
	idx->short_run = 0;
	idx->short_from = 0;
	raw_spin_lock_init(&idx->big);
	volatile_layout(idx, volatile_mem, nr_lanes);
	return 0;
}
