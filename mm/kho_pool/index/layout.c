// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the tables of an index are, how a new index is made, and how the volatile
 * state of an existing one is laid out.
 */
#include <linux/align.h>

#include "internal.h"

struct layout {
	u64 owners, areas, blocks, names, bitmaps, size;
	u32 nr_blocks, nr_areas, nr_names, lead;
};

/*
 * 136 bytes per block and 64 bytes per name.  One name per 32 blocks makes 138 bytes
 * per 2 MiB, 0.0066 % of the pool.
 */
static struct layout kp_layout(u64 base, u64 frames)
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

/* Words in the table of bad frames, which follows the rest: whole units of 4096 bytes */
static u32 kp_bad_table_words(const struct layout *l)
{
	return ALIGN(l->nr_blocks / KHO_POOL_BAD_TABLE_BLOCKS + 1, 4096 / 8);
}

/* Whole blocks, whose number fits into 32 bits together with the lead. */
static bool kp_layout_valid(u64 base, u64 frames)
{
	u64 block = KHO_POOL_BLOCK_FRAMES - 1;

	return frames && !(base & block) && !(frames & block) &&
	       base + frames > base && frames >> KHO_POOL_BLOCK_SHIFT < 1ULL << 31;
}

/**
 * kp_index_size - size of a region's persistent index without a table of bad frames
 * @base: of the region, frames
 * @frames: of the region
 *
 * Return: bytes, or 0 if there cannot be such a region.
 */
u64 kp_index_size(u64 base, u64 frames)
{
	return kp_layout_valid(base, frames) ? kp_layout(base, frames).size : 0;
}

/* The same with a table, which the indexes of new regions have */
u64 kp_index_size_table(u64 base, u64 frames)
{
	struct layout l;

	if (!kp_layout_valid(base, frames))
		return 0;
	l = kp_layout(base, frames);
	return l.size + 8ULL * kp_bad_table_words(&l);
}

/* Does an index of this region that has this size end with a table? */
bool kp_index_has_table(u64 size, u64 base, u64 frames)
{
	return size && size == kp_index_size_table(base, frames);
}

/* Could it be the size of an index of this region? */
bool kp_index_size_valid(u64 size, u64 base, u64 frames)
{
	return size && (size == kp_index_size(base, frames) ||
			kp_index_has_table(size, base, frames));
}

static void *kp_layout_place(u64 *offset, void *mem, u64 size)
{
	void *p = mem ? (u8 *)mem + *offset : NULL;

	*offset = ALIGN(*offset + size, SMP_CACHE_BYTES);
	return p;
}

/* Lay out the volatile state in @mem, or just compute its size. */
static u64 kp_volatile_layout(struct kp_index *idx, void *mem, u32 nr_pcpu)
{
	u64 map = BITS_TO_LONGS(idx->nr_areas) * sizeof(long);
	u64 size = 0;

	idx->nr_pcpu = nr_pcpu;
	idx->pcpu = kp_layout_place(&size, mem, nr_pcpu * sizeof(*idx->pcpu));
	idx->area = kp_layout_place(&size, mem, idx->nr_areas * sizeof(*idx->area));
	idx->busy = kp_layout_place(&size, mem, map);
	idx->full = kp_layout_place(&size, mem, map);
	idx->refused = kp_layout_place(&size, mem, kp_refused_size());
	idx->partial = kp_layout_place(&size, mem, KP_KINDS * map);
	idx->last_block = kp_layout_place(&size, mem, KP_KINDS * sizeof(*idx->last_block));
	idx->bad_blocks = kp_layout_place(&size, mem, idx->nr_areas * KP_AREA_WORDS * sizeof(u64));
	idx->bad_link = kp_layout_place(&size, mem, idx->nr_bad_words * sizeof(*idx->bad_link));
	idx->nr_bad_buckets = 1U << __fls(idx->nr_bad_words);
	idx->bad_bucket = kp_layout_place(&size, mem,
					  idx->nr_bad_buckets * sizeof(*idx->bad_bucket));
	idx->link = kp_layout_place(&size, mem, idx->nr_names * sizeof(*idx->link));
	idx->records = kp_layout_place(&size, mem, BITS_TO_LONGS(idx->nr_names) * sizeof(long));
	idx->nr_buckets = 1U << __fls(idx->nr_names);
	idx->by_name = kp_layout_place(&size, mem, idx->nr_buckets * sizeof(*idx->by_name));
	idx->by_frame = kp_layout_place(&size, mem, idx->nr_buckets * sizeof(*idx->by_frame));
	return size;
}

u64 kp_index_volatile_size(u64 base, u64 frames, u32 nr_pcpu)
{
	struct layout l = kp_layout(base, frames);
	/* If there is no table, less is in use. */
	struct kp_index idx = {
		.nr_areas = l.nr_areas, .nr_names = l.nr_names,
		.nr_bad_words = kp_bad_table_words(&l),
	};

	return kp_volatile_layout(&idx, NULL, nr_pcpu);
}

static u64 kp_header_csum(const struct kho_pool_index_header *h)
{
	return kp_csum_words((const __le64 *)h, 0,
			     offsetof(struct kho_pool_index_header, csum) / 8);
}

/**
 * kp_index_format - make the index of a new region
 * @mem: with any contents
 * @mem_size: bytes of @mem: kp_index_size_table(), or kp_index_size() for one without a table
 * @base: of the region, frames
 * @frames: of the region
 * @frame_shift: log2 of the bytes in a frame
 * @pool: name of the pool it belongs to
 *
 * Return: 0, or -EINVAL if the region does not consist of whole blocks, or its index
 * has another size.
 */
int kp_index_format(void *mem, u64 mem_size, u64 base, u64 frames, u32 frame_shift,
		    const char *pool)
{
	struct kho_pool_index_header *h = mem;
	struct layout l;

	if (!kp_index_size_valid(mem_size, base, frames))
		return -EINVAL;
	l = kp_layout(base, frames);
	/* The other tables are written when they get a meaning. */
	memset(mem, 0, l.blocks);
	memset((u8 *)mem + l.size, 0, mem_size - l.size);

	h->magic = cpu_to_le64(KHO_POOL_INDEX_MAGIC);
	h->base = cpu_to_le64(base << frame_shift);
	h->size = cpu_to_le64(frames << frame_shift);
	h->index_size = cpu_to_le64(mem_size);
	h->owners = cpu_to_le64(l.owners);
	h->areas = cpu_to_le64(l.areas);
	h->blocks = cpu_to_le64(l.blocks);
	h->names = cpu_to_le64(l.names);
	h->bitmaps = cpu_to_le64(l.bitmaps);
	h->frame_shift = cpu_to_le32(frame_shift);
	h->nr_names = cpu_to_le32(l.nr_names);
	strscpy(h->pool, pool, sizeof(h->pool));
	h->csum = cpu_to_le64(kp_header_csum(h));
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
 * @nr_pcpu: CPUs
 *
 * Must be followed by kp_index_restore().
 *
 * Return: 0, or -EINVAL if the header is damaged or that of another region.
 */
int kp_index_attach(struct kp_index *idx, void *mem, u64 mem_size, u64 base, u64 frames,
		    u32 frame_shift, void *volatile_mem, u32 nr_pcpu)
{
	struct kho_pool_index_header *h = mem;
	struct layout l;

	if (!kp_index_size_valid(mem_size, base, frames))
		return -EINVAL;
	l = kp_layout(base, frames);
	if (le64_to_cpu(h->magic) != KHO_POOL_INDEX_MAGIC ||
	    le64_to_cpu(h->csum) != kp_header_csum(h) ||
	    le64_to_cpu(h->base) != base << frame_shift ||
	    le64_to_cpu(h->size) != frames << frame_shift ||
	    le64_to_cpu(h->index_size) != mem_size || le64_to_cpu(h->owners) != l.owners ||
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
	idx->bad = mem_size > l.size ? mem + l.size : h->bad;
	idx->nr_bad_words = mem_size > l.size ? kp_bad_table_words(&l) : KHO_POOL_BAD_WORDS;
	idx->base = base;
	idx->nr_frames = frames;
	idx->nr_blocks = l.nr_blocks;
	idx->lead = l.lead;
	idx->nr_areas = l.nr_areas;
	idx->nr_names = l.nr_names;
	idx->sealed = false;
	idx->all_bad = false;
	idx->refusals = 0;
	idx->nr_bad_frames = 0;
	idx->nr_bad = 0;
	idx->bad_end = 0;
	idx->bad_unused = 0;
	idx->first_name = 0;
	idx->short_run = 0;
	idx->short_from = 0;
	raw_spin_lock_init(&idx->index_lock);
	kp_volatile_layout(idx, volatile_mem, nr_pcpu);
	return 0;
}
