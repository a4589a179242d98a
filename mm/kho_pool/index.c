// SPDX-License-Identifier: GPL-2.0-only
/*
 * Alloc, free, claim and seal on the index of one region.
 *
 * Where things go, so that large extents stay possible:
 *	long runs of blocks	where they cost the fewest whole areas, see
 *				kp_blocks_find()
 *	blocks			in an area that is in use, else in the free area
 *				that is missed least
 *	frames			in a consulted block of the same owner, else in
 *				a new block
 * A CPU stays in the area it used last; when another one holds that area's
 * lock, it goes to the next rather than wait.
 */
#include "internal.h"

#define NO_BLOCK	(~0U)

/* Runs of blocks that are worth a search over all areas; no less than 64. */
#define LONG_RUN	64

/*
 * Partial blocks that a search for small frames looks at before it takes a new
 * block.  A search for one frame never fails on the first.
 */
#define PARTIAL_TRIES	32

/*
 * Blocks given back to the area that a CPU used last before the CPU looks for
 * a fuller one: else it would begin to fill what has just become free.
 */
#define HINT_SLACK	16

/*
 * Allocations for which a CPU that has met another one in its area keeps to an
 * area of its own.  CPUs that do not meet share areas, so that few are broken up.
 * To meet and part again costs as much as some thousand allocations: with 4096
 * here, two CPUs that both do nothing else got 1.4 times as much done as one.
 */
#define ALONE		60000

/* The lane's account of an extent that came (1) or went (-1). */
static void account(struct kp_lane *lane, s64 extents, s64 frames)
{
	lane->extents += extents;
	lane->used_frames += extents * frames;
	if (extents > 0)
		lane->allocs++;
	else
		lane->frees++;
}

/* Write the word of @block, which is free; its area is locked. */
static void set_block_word(struct kp_index *idx, struct kp_lane *lane, u32 block, u64 word)
{
	u32 a = kp_area_of(idx, block);
	struct kp_area *area = &idx->area[a];

	if (!area->nr_words++) {
		if (!area->words_clear) {
			u32 first, end;

			kp_area_span(idx, a, &first, &end);
			memset(&idx->blocks[kp_block_at(idx, a, first)], 0, 8 * (end - first));
			area->words_clear = true;
		}
		kp_store(idx, lane, &idx->areas[a], kp_word(KHO_POOL_CONSULT, 0, 0));
	}
	kp_store(idx, lane, &idx->blocks[block], word);
}

static void clear_block_word(struct kp_index *idx, struct kp_lane *lane, u32 block)
{
	u32 a = kp_area_of(idx, block);

	kp_store(idx, lane, &idx->blocks[block], 0);
	if (!--idx->area[a].nr_words)
		kp_store(idx, lane, &idx->areas[a], 0);
}

/*
 * Frames
 */

/* The word of a block whose bitmaps serve requests like @req. */
static u64 frames_word(const struct kp_request *req)
{
	return kp_word(KHO_POOL_CONSULT, req->owner, 0) | (req->name ? KHO_POOL_NAMED : 0);
}

/* Take frames at @bit of a consulted block; its area is locked. */
static u64 take_frames(struct kp_index *idx, struct kp_lane *lane, const struct kp_request *req,
		       u32 block, u32 bit)
{
	u64 frame = ((u64)block << KHO_POOL_BLOCK_SHIFT) + bit;
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	u32 in_area = kp_bit_of(idx, block);
	u32 shift = le32_to_cpu(idx->header->frame_shift);

	/* Cleared before anyone, the next kernel too, can know of it. */
	if (req->clear && idx->mem)
		memset((u8 *)idx->mem + (frame << shift), 0, req->frames << shift);
	if (req->name)
		kp_name_write(idx, lane, kp_name_unused(idx), frame, req->name);
	kp_bitmaps_take(idx, lane, block, bit, req->frames);
	if (kp_bitmaps_full(&idx->bitmaps[block]))
		kp_clear_partial(area, in_area);
	lane->hint_block[req->owner % KP_HINTS] = block;
	account(lane, 1, req->frames);
	return frame;
}

/* Turn a taken block into one with bitmaps; its area is locked. */
static void consult_block(struct kp_index *idx, struct kp_lane *lane, const struct kp_request *req,
			  u32 block)
{
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];

	memset(&idx->bitmaps[block], 0, sizeof(idx->bitmaps[block]));
	set_block_word(idx, lane, block, frames_word(req));
	kp_set_partial(area, kp_bit_of(idx, block));
}

/* Try a block that may be partial; its area is locked. */
static bool try_block(struct kp_index *idx, struct kp_lane *lane, const struct kp_request *req,
		      u32 block, u64 *frame)
{
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	u32 in_area = kp_bit_of(idx, block);
	u32 bit;

	if (!kp_test(area->partial, in_area) || kp_test(area->unclaimed, in_area) ||
	    kp_load(&idx->blocks[block]) != frames_word(req))
		return false;
	bit = kp_bitmaps_find(&idx->bitmaps[block], req->frames, req->align);
	if (bit == KHO_POOL_BLOCK_FRAMES)
		return false;
	*frame = take_frames(idx, lane, req, block, bit);
	return true;
}

/*
 * Blocks
 */

/* Take @nr free blocks of an area that is locked. */
static u32 take_in_area(struct kp_index *idx, u32 a, u32 nr, u32 align)
{
	struct kp_area *area = &idx->area[a];
	u32 bit, cost = ~0U;

	if (area->nr_used + nr > KHO_POOL_AREA_BLOCKS)
		return NO_BLOCK;
	bit = kp_area_hole(idx, a, nr, align, &cost);
	if (bit == KHO_POOL_AREA_BLOCKS)
		return NO_BLOCK;
	kp_area_take(idx, a, bit, nr);
	return kp_block_at(idx, a, bit);
}

/* What to look for in an area, and what to do there with its lock held. */
struct visit {
	struct kp_index *idx;
	struct kp_lane *lane;
	const struct kp_request *req;
	u32 nr;			/* blocks */
	u32 tries;
	u32 block;		/* where a hole was seen */
	bool big;		/* is held: it is the last attempt */
	u64 *frame;
};

/* Make taken blocks what was asked for; the area of the first is locked. */
static void commit_blocks(struct visit *v, u32 block)
{
	const struct kp_request *req = v->req;
	struct kp_index *idx = v->idx;
	u64 word;

	if (req->frames < KHO_POOL_BLOCK_FRAMES) {
		consult_block(idx, v->lane, req, block);
		*v->frame = take_frames(idx, v->lane, req, block, 0);
		return;
	}
	*v->frame = (u64)block << KHO_POOL_BLOCK_SHIFT;
	word = kp_word(KHO_POOL_EXTENT, req->owner, req->frames);
	if (req->clear)
		word |= KHO_POOL_PENDING;
	if (req->name) {
		kp_name_write(idx, v->lane, kp_name_unused(idx), *v->frame, req->name);
		word |= KHO_POOL_NAMED;
	}
	if (!kp_bit_of(idx, block) && v->nr >= KHO_POOL_AREA_BLOCKS)
		kp_store(idx, v->lane, &idx->areas[kp_area_of(idx, block)], word);
	else
		set_block_word(idx, v->lane, block, word);
	account(v->lane, 1, (u64)v->nr << KHO_POOL_BLOCK_SHIFT);
}

static bool visit_partial(struct visit *v, u32 a)
{
	struct kp_area *area = &v->idx->area[a];
	u32 bit = 0;

	while (v->tries) {
		bit = kp_next_set(area->partial, bit, KHO_POOL_AREA_BLOCKS);
		if (bit == KHO_POOL_AREA_BLOCKS)
			return false;
		if (try_block(v->idx, v->lane, v->req, kp_block_at(v->idx, a, bit), v->frame))
			return true;
		v->tries--;
		bit++;
	}
	return false;
}

static u16 home_of(const struct visit *v)
{
	return v->lane - v->idx->lane + 1;
}

/* Is it an area that another CPU keeps to? */
static bool foreign(const struct visit *v, u32 a)
{
	u16 home = READ_ONCE(v->idx->area[a].home);

	return home && home != home_of(v);
}

/* The CPU goes on in area @a, which is locked, and may make it its own. */
static void settle_in(struct visit *v, u32 a)
{
	struct kp_lane *lane = v->lane;
	struct kp_index *idx = v->idx;
	u16 home = lane->alone ? home_of(v) : 0;

	if (a != lane->hint_area && READ_ONCE(idx->area[lane->hint_area].home) == home_of(v))
		WRITE_ONCE(idx->area[lane->hint_area].home, 0);
	if (READ_ONCE(idx->area[a].home) != home && !foreign(v, a))
		WRITE_ONCE(idx->area[a].home, home);
	lane->hint_area = a;
	lane->hint_used = idx->area[a].nr_used;
}

static bool visit_blocks(struct visit *v, u32 a)
{
	const struct kp_request *req = v->req;
	u32 align = max_t(u64, req->align >> KHO_POOL_BLOCK_SHIFT, 1);
	u32 block = take_in_area(v->idx, a, v->nr, align);

	if (block == NO_BLOCK)
		return false;
	settle_in(v, a);
	commit_blocks(v, block);
	return true;
}

/* Areas to visit: in use and with a free block, with a free frame, with a free block. */
enum visited { OPEN, PARTIAL, ANY };

static unsigned long areas_to_visit(const struct kp_index *idx, enum visited kind, u32 word)
{
	unsigned long busy = READ_ONCE(idx->busy[word]);
	unsigned long todo = busy;

	if (kind == ANY)
		todo = ~READ_ONCE(idx->full[word]);
	else if (kind == OPEN)
		todo &= ~READ_ONCE(idx->full[word]);
	if (word == idx->nr_areas / BITS_PER_LONG)
		todo &= (1UL << idx->nr_areas % BITS_PER_LONG) - 1;
	return todo;
}

/* Visit areas from above until one serves the request. */
static bool visit_areas(struct visit *v, enum visited kind, bool wait)
{
	struct kp_index *idx = v->idx;

	for (u32 word = BITS_TO_LONGS(idx->nr_areas); word-- > 0;) {
		unsigned long todo = areas_to_visit(idx, kind, word);

		while (todo) {
			u32 bit = __fls(todo);
			u32 a = word * BITS_PER_LONG + bit;
			struct kp_area *area = &idx->area[a];
			bool done;

			todo &= ~(1UL << bit);
			if (!wait && kind != ANY && foreign(v, a))
				continue;
			if (kind == PARTIAL ? !READ_ONCE(area->nr_partial) :
			    READ_ONCE(area->nr_used) + v->nr > KHO_POOL_AREA_BLOCKS)
				continue;
			if (wait)
				raw_spin_lock(&area->lock);
			else if (!raw_spin_trylock(&area->lock))
				continue;
			done = kind == PARTIAL ? visit_partial(v, a) : visit_blocks(v, a);
			raw_spin_unlock(&area->lock);
			if (done)
				return true;
		}
	}
	return false;
}

/* In the free area that is missed least. */
static bool visit_fresh(struct visit *v)
{
	u32 a = kp_area_fresh(v->idx);
	struct kp_area *area = &v->idx->area[a];
	bool done;

	if (a == v->idx->nr_areas || !raw_spin_trylock(&area->lock))
		return false;
	done = visit_blocks(v, a);
	raw_spin_unlock(&area->lock);
	return done;
}

/* In the area that the CPU keeps to. */
static bool visit_own(struct visit *v)
{
	u32 a = v->lane->hint_area;
	struct kp_area *area = &v->idx->area[a];
	bool done;

	if (!v->lane->alone || READ_ONCE(area->home) != home_of(v) ||
	    !raw_spin_trylock(&area->lock))
		return false;
	done = visit_blocks(v, a);
	raw_spin_unlock(&area->lock);
	return done;
}

/*
 * Waiting for another CPU comes last: it costs more than a fresh area.  The last
 * pass does not tell free areas from others: one that goes from free to in use
 * between two passes would be in neither.
 */
static bool visit_for_blocks(struct visit *v)
{
	return visit_own(v) || visit_areas(v, OPEN, false) || visit_fresh(v) ||
	       visit_areas(v, ANY, false) || visit_areas(v, ANY, true);
}

/*
 * The first attempt, in the area that is most promising.  Sees whether the index
 * is sealed, so every allocation that does not take big comes through here.
 * Sets *@ret to 0 or to an error when that settles it.
 */
static bool visit_hint(struct visit *v, u32 a, bool (*visit)(struct visit *v, u32 a), int *ret)
{
	struct kp_index *idx = v->idx;
	struct kp_area *area = &idx->area[a];
	bool done = false;

	*ret = 0;
	if (raw_spin_trylock(&area->lock)) {
		smp_mb__after_spinlock();
		if (unlikely(READ_ONCE(idx->sealed)))
			*ret = -ESHUTDOWN;
		else
			done = visit(v, a);
		raw_spin_unlock(&area->lock);
	} else {
		v->lane->alone = ALONE;
		/* Pairs with kp_index_seal(), like kp_lock_unless_sealed(). */
		smp_mb();
		if (READ_ONCE(idx->sealed))
			*ret = -ESHUTDOWN;
	}
	return done || *ret;
}

static bool visit_hint_block(struct visit *v, u32 a)
{
	return try_block(v->idx, v->lane, v->req,
			 v->lane->hint_block[v->req->owner % KP_HINTS], v->frame);
}

static bool visit_hint_area(struct visit *v, u32 a)
{
	u32 nr_used = v->idx->area[a].nr_used;

	if (foreign(v, a))
		return false;
	if (!v->lane->alone && (!nr_used || nr_used + HINT_SLACK < v->lane->hint_used))
		return false;
	return visit_blocks(v, a);
}

static bool visit_hole(struct visit *v, u32 a)
{
	struct kp_area *area = &v->idx->area[a];
	u32 bit;

	if (v->block == v->idx->nr_blocks)
		return false;
	/* Another CPU may have been faster. */
	bit = kp_bit_of(v->idx, v->block);
	if (area->whole || kp_next_set(area->used, bit, bit + v->nr) != bit + v->nr)
		return false;
	kp_area_take(v->idx, a, bit, v->nr);
	commit_blocks(v, v->block);
	return true;
}

static int alloc_frames(struct visit *v)
{
	u32 *hint = &v->lane->hint_block[v->req->owner % KP_HINTS];
	int ret;

	if (visit_hint(v, kp_area_of(v->idx, *hint), visit_hint_block, &ret))
		return ret;
	v->tries = PARTIAL_TRIES;
	if (visit_areas(v, PARTIAL, false) || visit_for_blocks(v))
		return 0;
	if (!v->big)
		return -ENOMEM;
	/* No block is left: now every partial one counts. */
	v->tries = ~0U;
	return visit_areas(v, PARTIAL, true) ? 0 : -ENOMEM;
}

/* Blocks that fit one area.  For a single one its CPU's area will do. */
static int alloc_in_area(struct visit *v)
{
	u32 align = max_t(u64, v->req->align >> KHO_POOL_BLOCK_SHIFT, 1);
	struct kp_index *idx = v->idx;
	u32 a = v->lane->hint_area;
	int ret;

	v->block = idx->nr_blocks;
	if (v->nr > 1)
		v->block = kp_blocks_hole(idx, v->nr, align);
	if (v->block < idx->nr_blocks)
		a = kp_area_of(idx, v->block);
	if (visit_hint(v, a, v->nr > 1 ? visit_hole : visit_hint_area, &ret))
		return ret;
	return visit_for_blocks(v) ? 0 : -ENOMEM;
}

/* Anything: long runs, runs over several areas, alignments of more than an area. */
static int alloc_range(struct visit *v)
{
	u64 align = max_t(u64, v->req->align >> KHO_POOL_BLOCK_SHIFT, 1);
	bool area = v->nr == KHO_POOL_AREA_BLOCKS && align == KHO_POOL_AREA_BLOCKS;
	struct kp_index *idx = v->idx;
	u32 block, a;

	do {
		if (area) {
			a = kp_area_find(idx);
			block = a < idx->nr_areas ? kp_block_at(idx, a, 0) : idx->nr_blocks;
		} else {
			block = kp_blocks_find(idx, v->nr, align);
		}
		if (block == idx->nr_blocks)
			return -ENOMEM;
		/* Another CPU may be faster; it has got what we have not. */
	} while (!kp_blocks_take(idx, block, v->nr));

	a = kp_area_of(idx, block);
	raw_spin_lock(&idx->area[a].lock);
	commit_blocks(v, block);
	raw_spin_unlock(&idx->area[a].lock);
	return 0;
}

static int alloc(struct visit *v)
{
	const struct kp_request *req = v->req;

	if (v->nr >= LONG_RUN || req->align > KP_AREA_FRAMES)
		return -ENOMEM;
	if (req->frames < KHO_POOL_BLOCK_FRAMES && req->align <= KHO_POOL_BLOCK_FRAMES)
		return alloc_frames(v);
	return alloc_in_area(v);
}

static int alloc_with_big(struct visit *v)
{
	int ret;

	if (v->req->name && kp_name_unused(v->idx) == v->idx->nr_names)
		return -ENOSPC;
	v->big = true;
	ret = alloc(v);
	if (ret == -ENOMEM && (v->nr > 1 || v->req->align > KHO_POOL_BLOCK_FRAMES))
		ret = alloc_range(v);
	return ret;
}

/**
 * kp_index_alloc - allocate an extent
 * @idx: the index
 * @lane: the current CPU's; interrupts are disabled
 * @req: what is wanted
 * @frame: the extent's first frame, from the region's base
 *
 * Never sleeps and never allocates.  An extent of at least a block that is to
 * be cleared is left PENDING: the caller clears it, with interrupts enabled,
 * and calls kp_index_confirm().
 *
 * Return: 0; -EINVAL for a request that no region could meet, -ENOMEM, -ENOSPC
 * if there is no room for a name, -ESHUTDOWN if the index is sealed.
 */
int kp_index_alloc(struct kp_index *idx, struct kp_lane *lane, const struct kp_request *req,
		   u64 *frame)
{
	struct visit v = { .idx = idx, .lane = lane, .req = req, .frame = frame };
	int ret;

	if (!req->frames || !req->align || req->align & (req->align - 1) ||
	    req->owner == KP_OWNER_NONE || req->owner >= KHO_POOL_OWNERS)
		return -EINVAL;
	if (req->frames > idx->nr_frames)
		return -ENOMEM;
	v.nr = kp_blocks(req->frames);
	lane->alone -= !!lane->alone;

	kp_begin(lane);
	ret = req->name ? -ENOMEM : alloc(&v);
	if (ret == -ENOMEM) {
		/*
		 * With big: for a name, for what one area cannot give, and to
		 * be sure that nothing is only taken for a moment by a claim of
		 * several areas that is about to be undone.
		 */
		if (kp_lock_unless_sealed(idx, &idx->big)) {
			ret = alloc_with_big(&v);
			raw_spin_unlock(&idx->big);
		} else {
			ret = -ESHUTDOWN;
		}
	}
	kp_end(lane);
	return ret;
}

/* The word that describes the extent at @block; its area is locked. */
static __le64 *extent_word(struct kp_index *idx, u32 block)
{
	u32 a = kp_area_of(idx, block);

	switch (kp_word_kind(kp_load(&idx->areas[a]))) {
	case KHO_POOL_EXTENT:
		return kp_bit_of(idx, block) ? NULL : &idx->areas[a];
	case KHO_POOL_CONSULT:
		return &idx->blocks[block];
	default:
		return NULL;
	}
}

/**
 * kp_index_confirm - make an extent that was to be cleared known
 * @idx: the index
 * @lane: the current CPU's; interrupts are disabled
 * @frame: its first frame
 *
 * Return: 0, or -ESHUTDOWN if the index was sealed in between.  The extent
 * will then not be there for the next kernel, and is given back if this one
 * goes on.
 */
int kp_index_confirm(struct kp_index *idx, struct kp_lane *lane, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	int ret = 0;

	kp_begin(lane);
	raw_spin_lock(&area->lock);
	/* Orders kp_begin() before the load, see kp_lock_unless_sealed(). */
	smp_mb__after_spinlock();
	if (likely(!READ_ONCE(idx->sealed))) {
		__le64 *p = extent_word(idx, block);

		kp_store(idx, lane, p, kp_load(p) & ~KHO_POOL_PENDING);
	} else {
		/* The mark that kp_index_unseal() looks for. */
		kp_set_bits(area->unclaimed, kp_bit_of(idx, block), 1);
		ret = -ESHUTDOWN;
	}
	raw_spin_unlock(&area->lock);
	kp_end(lane);
	return ret;
}

/* Look @frame up; its area is locked. */
static int find(struct kp_index *idx, u64 frame, struct kp_extent *ext, u64 *word)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	u32 bit = frame & (KHO_POOL_BLOCK_FRAMES - 1);
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	__le64 *p = extent_word(idx, block);

	*word = p ? kp_load(p) : 0;
	ext->frame = frame;
	ext->owner = kp_word_owner(*word);
	ext->unclaimed = kp_test(area->unclaimed, kp_bit_of(idx, block));
	ext->name = NULL;
	if (kp_word_live(*word) && !bit)
		ext->frames = kp_word_frames(*word);
	else if (kp_word_kind(*word) == KHO_POOL_CONSULT)
		ext->frames = kp_bitmaps_length(&idx->bitmaps[block], bit);
	else
		ext->frames = 0;
	return ext->frames ? 0 : -ENOENT;
}

/* Give the extent back; its area is locked, and big if it has a name. */
static void give(struct kp_index *idx, struct kp_lane *lane, const struct kp_extent *ext, u64 word,
		 u32 *later)
{
	u32 block = ext->frame >> KHO_POOL_BLOCK_SHIFT;
	u32 a = kp_area_of(idx, block), bit = kp_bit_of(idx, block);
	struct kp_area *area = &idx->area[a];
	u32 nr = kp_blocks(ext->frames);

	*later = 0;
	if (kp_word_kind(word) == KHO_POOL_CONSULT) {
		struct kho_pool_bitmaps *maps = &idx->bitmaps[block];

		kp_bitmaps_give(idx, lane, block, ext->frame & (KHO_POOL_BLOCK_FRAMES - 1),
				ext->frames);
		if (!kp_test(area->partial, bit))
			kp_set_partial(area, bit);
		account(lane, -1, ext->frames);
		lane->unclaimed -= ext->unclaimed;
		if (!kp_bitmaps_empty(maps)) {
			if (unlikely(READ_ONCE(idx->nr_bad)))
				kp_bad_hold(idx, a, bit, bit + 1);
			return;
		}
		kp_clear_partial(area, bit);
		clear_block_word(idx, lane, block);
		kp_clear_bits(area->unclaimed, bit, 1);
		kp_area_give(idx, a, bit, 1);
		return;
	}

	if (kp_word_kind(kp_load(&idx->areas[a])) == KHO_POOL_EXTENT)
		kp_store(idx, lane, &idx->areas[a], 0);
	else
		clear_block_word(idx, lane, block);
	kp_clear_bits(area->unclaimed, bit, 1);
	account(lane, -1, (u64)nr << KHO_POOL_BLOCK_SHIFT);
	lane->unclaimed -= ext->unclaimed;
	if (bit + nr > KHO_POOL_AREA_BLOCKS)
		*later = nr;
	else
		kp_area_give(idx, a, bit, nr);
}

static int free_extent(struct kp_index *idx, struct kp_lane *lane, u64 frame, u64 frames,
		       u8 owner, bool unclaimed_only)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT, later = 0;
	struct kp_extent ext;
	struct kp_area *area;
	bool big = false;
	u64 word;
	int ret;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, block)];

	kp_begin(lane);
retry:
	ret = -ESHUTDOWN;
	if (!kp_lock_unless_sealed(idx, &area->lock))
		goto out;
	ret = find(idx, frame, &ext, &word);
	if (!ret && (ext.frames != frames || ext.owner != owner))
		ret = -EINVAL;
	if (!ret && unclaimed_only && !ext.unclaimed)
		ret = -EBUSY;
	if (!ret && word & KHO_POOL_NAMED && !big) {
		/* Names come before areas. */
		raw_spin_unlock(&area->lock);
		raw_spin_lock(&idx->big);
		big = true;
		goto retry;
	}
	if (!ret) {
		give(idx, lane, &ext, word, &later);
		if (word & KHO_POOL_NAMED)
			kp_name_erase(idx, lane, frame);
	}
	raw_spin_unlock(&area->lock);
	/* No one can find it any more: its blocks can go one area at a time. */
	if (later)
		kp_blocks_give(idx, block, later);
out:
	if (big)
		raw_spin_unlock(&idx->big);
	kp_end(lane);
	return ret;
}

/**
 * kp_index_free - give an extent back
 * @idx: the index
 * @lane: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length
 * @owner: whose it is
 *
 * Never sleeps.  Changes nothing unless it succeeds.
 *
 * Return: 0; -ENOENT if no extent begins at @frame, -EINVAL if it has another
 * length or owner or @frame is not in the region, -ESHUTDOWN if sealed.
 */
int kp_index_free(struct kp_index *idx, struct kp_lane *lane, u64 frame, u64 frames, u8 owner)
{
	return free_extent(idx, lane, frame, frames, owner, false);
}

/**
 * kp_index_release - give an extent back if no one has claimed it
 * @idx: the index
 * @lane: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length
 * @owner: whose it is
 *
 * Return: as kp_index_free(), and -EBUSY if it is claimed or new.
 */
int kp_index_release(struct kp_index *idx, struct kp_lane *lane, u64 frame, u64 frames, u8 owner)
{
	return free_extent(idx, lane, frame, frames, owner, true);
}

/**
 * kp_index_find - describe the extent that begins at a frame
 * @idx: the index
 * @frame: from the region's base
 * @ext: what was found
 *
 * The caller has interrupts disabled.
 *
 * Return: 0, -ENOENT, or -EINVAL if @frame is not in the region.
 */
int kp_index_find(struct kp_index *idx, u64 frame, struct kp_extent *ext)
{
	struct kp_area *area;
	u64 word;
	int ret;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, frame >> KHO_POOL_BLOCK_SHIFT)];
	raw_spin_lock(&area->lock);
	ret = find(idx, frame, ext, &word);
	raw_spin_unlock(&area->lock);
	if (!ret && word & KHO_POOL_NAMED) {
		raw_spin_lock(&idx->big);
		ext->name = kp_name_of(idx, frame);
		raw_spin_unlock(&idx->big);
	}
	return ret;
}

/**
 * kp_index_claim - say that an extent's owner is back
 * @idx: the index
 * @lane: the current CPU's; interrupts are disabled
 * @frame: the extent's first frame
 *
 * Extents shorter than a block are claimed with all others in their block;
 * they have the same owner.
 *
 * Return: 0, -ENOENT, -EINVAL, or -EALREADY if it is claimed.
 */
int kp_index_claim(struct kp_index *idx, struct kp_lane *lane, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_extent ext;
	struct kp_area *area;
	u64 word;
	int ret;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, block)];
	raw_spin_lock(&area->lock);
	ret = find(idx, frame, &ext, &word);
	if (!ret && !ext.unclaimed)
		ret = -EALREADY;
	if (!ret) {
		bool consult = kp_word_kind(word) == KHO_POOL_CONSULT;

		kp_clear_bits(area->unclaimed, kp_bit_of(idx, block), 1);
		lane->unclaimed -= consult ? kp_bitmaps_extents(&idx->bitmaps[block]) : 1;
	}
	raw_spin_unlock(&area->lock);
	return ret;
}

/**
 * kp_index_assign - make an extent another owner's
 * @idx: the index
 * @lane: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length, at least a block
 * @from: whose it is
 * @to: whose it is to be
 *
 * One store: whoever stops sees either owner.  Its name and what it holds stay.
 *
 * Return: 0; -ENOENT if no extent begins at @frame, -EINVAL if it has another
 * length or owner, shares its block with others, or @frame is not in the
 * region, -ESHUTDOWN if sealed.
 */
int kp_index_assign(struct kp_index *idx, struct kp_lane *lane, u64 frame, u64 frames,
		    u8 from, u8 to)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_extent ext;
	struct kp_area *area;
	int ret = -ESHUTDOWN;
	u64 word;

	if (frame >= idx->nr_frames || to == KP_OWNER_NONE || to >= KHO_POOL_OWNERS)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, block)];
	kp_begin(lane);
	if (kp_lock_unless_sealed(idx, &area->lock)) {
		ret = find(idx, frame, &ext, &word);
		if (!ret && (ext.frames != frames || ext.owner != from || !kp_word_live(word)))
			ret = -EINVAL;
		if (!ret)
			kp_store(idx, lane, extent_word(idx, block),
				 word ^ kp_word(0, from, 0) ^ kp_word(0, to, 0));
		raw_spin_unlock(&area->lock);
	}
	kp_end(lane);
	return ret;
}

/**
 * kp_index_seal - stop all changes and take the sum
 * @idx: the index
 * @sum: over the persistent index
 * @spins: how often to look at CPUs that are in an operation, in all
 *
 * Takes the same time whatever the size of the region.
 *
 * Return: false if a CPU did not come out of an operation; @sum is then not to
 * be used, and the index stays sealed.
 */
bool kp_index_seal(struct kp_index *idx, u64 *sum, unsigned long spins)
{
	WRITE_ONCE(idx->sealed, true);
	/* Pairs with kp_lock_unless_sealed(): no operation is missed. */
	smp_mb();
	*sum = 0;
	for (u32 i = 0; i < idx->nr_lanes; i++) {
		struct kp_lane *lane = &idx->lane[i];

		/* Pairs with kp_end(): what the operation added is seen. */
		while (smp_load_acquire(&lane->active)) {
			if (!spins--)
				return false;
			cpu_relax();
		}
		*sum += lane->sum;
	}
	return true;
}

/* Give extents back whose kp_index_confirm() came too late. */
static void sweep_area(struct kp_index *idx, struct kp_lane *lane, u32 a)
{
	struct kp_area *area = &idx->area[a];
	u32 bit = 0;

	for (;; bit++) {
		struct kp_extent ext = {};
		u32 block, later = 0;
		__le64 *p = NULL;
		u64 word;

		raw_spin_lock(&area->lock);
		bit = kp_next_set(area->unclaimed, bit, KHO_POOL_AREA_BLOCKS);
		block = kp_block_at(idx, a, bit);
		if (bit < KHO_POOL_AREA_BLOCKS)
			p = extent_word(idx, block);
		word = p ? kp_load(p) : 0;
		if (word & KHO_POOL_PENDING) {
			ext.frame = (u64)block << KHO_POOL_BLOCK_SHIFT;
			ext.frames = kp_word_frames(word);
			give(idx, lane, &ext, word, &later);
			if (word & KHO_POOL_NAMED)
				kp_name_erase(idx, lane, ext.frame);
		}
		raw_spin_unlock(&area->lock);
		if (later)
			kp_blocks_give(idx, block, later);
		if (bit == KHO_POOL_AREA_BLOCKS)
			return;
	}
}

/**
 * kp_index_unseal - allow changes again
 * @idx: the index
 * @lane: the current CPU's; interrupts are disabled
 *
 * The sum that the seal took is void before the first change.
 */
void kp_index_unseal(struct kp_index *idx, struct kp_lane *lane)
{
	/* After the root was written, which vouched for the index. */
	smp_store_release(&idx->sealed, false);
	/*
	 * Always: a kp_index_confirm() that came too late holds its area's lock, so
	 * the sweep sees what it has left, or it sees that this is not sealed.
	 */
	kp_begin(lane);
	raw_spin_lock(&idx->big);
	for (u32 a = 0; a < idx->nr_areas; a++)
		sweep_area(idx, lane, a);
	raw_spin_unlock(&idx->big);
	kp_end(lane);
}
