// SPDX-License-Identifier: GPL-2.0-only
/*
 * Alloc, free, claim and seal on the index of one region.
 *
 * Where extents are placed, so that large ones remain possible:
 *	long runs of blocks	where they use up the fewest whole areas, see
 *				kp_blocks_find()
 *	blocks			in an area that is in use, otherwise in the free area
 *				whose loss matters least
 *	frames			in a split block of the same kind, otherwise in
 *				a new block
 * A CPU stays in the area that it used last.  If another CPU holds that area's
 * lock, it moves to the next area instead of waiting.
 */
#include "internal.h"

#define NO_BLOCK	(~0U)

/* Runs of at least this many blocks are worth a search over all areas; at least 64. */
#define LONG_RUN	64

/*
 * What a search for frames looks at before it takes a new block: partial blocks of the
 * request's kind, of which the first has room for a single frame, and partial blocks.
 */
#define PARTIAL_TRIES	32
#define PARTIAL_LOOKS	2048

/*
 * After so many blocks of the area that a CPU used last were freed, the CPU looks
 * for a fuller area: otherwise it would begin to fill what has just become free.
 */
#define HINT_SLACK	16

/*
 * A CPU that has met another one in its area keeps to an area of its own for so many
 * allocations.  CPUs that do not meet share areas, so that few areas are broken up.
 * Meeting and separating costs as much as a few thousand allocations: with 4096
 * here, two CPUs that do nothing else got 1.4 times as much done as one.
 */
#define ALONE		60000

/* The CPU's account of an extent that came or went. */
static void kp_account_alloc(struct kp_pcpu *pcpu, u64 frames)
{
	WRITE_ONCE(pcpu->allocs, pcpu->allocs + 1);
	WRITE_ONCE(pcpu->taken, pcpu->taken + frames);
}

static void kp_account_free(struct kp_pcpu *pcpu, u64 frames)
{
	if (frames >= KHO_POOL_BLOCK_FRAMES)
		frames = (u64)kp_blocks(frames) << KHO_POOL_BLOCK_SHIFT;
	WRITE_ONCE(pcpu->given, pcpu->given + frames);
	/* After the memory can be found by others, see kp_index_frees(). */
	smp_store_release(&pcpu->frees, pcpu->frees + 1);
}

/* Write the word of @block, which is free; its area is locked. */
static void kp_set_block_word(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block, u64 word)
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
		kp_store(idx, pcpu, &idx->areas[a], kp_word(KHO_POOL_SPLIT, 0, 0));
	}
	kp_store(idx, pcpu, &idx->blocks[block], word);
}

static void kp_clear_block_word(struct kp_index *idx, struct kp_pcpu *pcpu, u32 block)
{
	u32 a = kp_area_of(idx, block);

	kp_store(idx, pcpu, &idx->blocks[block], 0);
	if (!--idx->area[a].nr_words)
		kp_store(idx, pcpu, &idx->areas[a], 0);
}

/*
 * Frames
 */

/* The word of a block whose bitmaps serve requests like @req. */
static u64 kp_frames_word(const struct kp_request *req)
{
	return kp_word(KHO_POOL_SPLIT, req->owner, 0) | (req->name ? KHO_POOL_NAMED : 0);
}

/* Take frames at @bit of a split block; its area is locked. */
static u64 kp_take_frames(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_request *req,
			  u32 block, u32 bit)
{
	u64 frame = ((u64)block << KHO_POOL_BLOCK_SHIFT) + bit;
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	u32 in_area = kp_bit_of(idx, block);
	u32 shift = le32_to_cpu(idx->header->frame_shift);

	/* Cleared before anyone, including the next kernel, can see it. */
	if (req->clear && idx->mem)
		memset((u8 *)idx->mem + (frame << shift), 0, req->frames << shift);
	if (req->name)
		kp_name_write(idx, pcpu, kp_name_unused(idx), frame, req->name);
	kp_bitmaps_take(idx, pcpu, block, bit, req->frames);
	if (kp_bitmaps_full(&idx->bitmaps[block]))
		kp_clear_partial(area, in_area);
	pcpu->hint_block[kp_kind(kp_frames_word(req)) % KP_HINTS] = block;
	kp_account_alloc(pcpu, req->frames);
	return frame;
}

/* Turn a taken block into one with bitmaps; its area is locked. */
static void kp_split_block(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_request *req,
			   u32 block)
{
	memset(&idx->bitmaps[block], 0, sizeof(idx->bitmaps[block]));
	kp_set_block_word(idx, pcpu, block, kp_frames_word(req));
	kp_set_partial(idx, kp_area_of(idx, block), kp_bit_of(idx, block), kp_frames_word(req));
}

/* Try a block that may be partial; its area is locked. */
static bool kp_try_block(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_request *req,
			 u32 block, u64 *frame)
{
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	u32 in_area = kp_bit_of(idx, block);
	u32 bit;

	if (!kp_test(area->partial, in_area) || kp_test(area->unclaimed, in_area) ||
	    kp_load(&idx->blocks[block]) != kp_frames_word(req))
		return false;
	bit = kp_bitmaps_find(&idx->bitmaps[block], req->frames, req->align);
	if (bit == KHO_POOL_BLOCK_FRAMES)
		return false;
	*frame = kp_take_frames(idx, pcpu, req, block, bit);
	return true;
}

/*
 * Blocks
 */

/* Take @nr free blocks of a locked area. */
static u32 kp_take_in_area(struct kp_index *idx, u32 a, u32 nr, u32 align)
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
	struct kp_pcpu *pcpu;
	const struct kp_request *req;
	u32 nr;			/* blocks */
	u32 tries, looks;	/* how often to look at partial blocks, see PARTIAL_TRIES */
	u32 block;		/* where a hole was seen */
	bool index_locked;	/* is held: it is the last attempt */
	u64 *frame;
};

/* Turn taken blocks into the requested extent; the area of the first is locked. */
static void kp_commit_blocks(struct visit *v, u32 block)
{
	const struct kp_request *req = v->req;
	struct kp_index *idx = v->idx;
	u64 word;

	if (req->frames < KHO_POOL_BLOCK_FRAMES) {
		kp_split_block(idx, v->pcpu, req, block);
		*v->frame = kp_take_frames(idx, v->pcpu, req, block, 0);
		return;
	}
	*v->frame = (u64)block << KHO_POOL_BLOCK_SHIFT;
	word = kp_word(KHO_POOL_EXTENT, req->owner, req->frames);
	if (req->clear)
		word |= KHO_POOL_PENDING;
	if (req->name) {
		kp_name_write(idx, v->pcpu, kp_name_unused(idx), *v->frame, req->name);
		word |= KHO_POOL_NAMED;
	}
	if (!kp_bit_of(idx, block) && v->nr >= KHO_POOL_AREA_BLOCKS)
		kp_store(idx, v->pcpu, &idx->areas[kp_area_of(idx, block)], word);
	else
		kp_set_block_word(idx, v->pcpu, block, word);
	kp_account_alloc(v->pcpu, (u64)v->nr << KHO_POOL_BLOCK_SHIFT);
}

static bool kp_visit_partial(struct visit *v, u32 a)
{
	struct kp_index *idx = v->idx;
	struct kp_area *area = &idx->area[a];
	u64 word = kp_frames_word(v->req);
	bool any = false;

	for (u32 bit = 0; v->tries && v->looks; bit++, v->looks--) {
		u32 block;

		bit = kp_next_set(area->partial, bit, KHO_POOL_AREA_BLOCKS);
		if (bit == KHO_POOL_AREA_BLOCKS) {
			if (!any)
				clear_bit(a, kp_partial_areas(idx, kp_kind(word)));
			return false;
		}
		block = kp_block_at(idx, a, bit);
		if (kp_load(&idx->blocks[block]) != word)
			continue;
		any = true;
		if (kp_try_block(idx, v->pcpu, v->req, block, v->frame))
			return true;
		v->tries--;
	}
	return false;
}

static u16 kp_home_of(const struct visit *v)
{
	return v->pcpu - v->idx->pcpu + 1;
}

/*
 * Does another CPU keep to this area?  Not if it has not allocated there since this one
 * broke up a free area: an idle CPU, or one that is offline, keeps no memory.
 */
static bool kp_is_foreign(const struct visit *v, u32 a)
{
	const struct kp_area *area = &v->idx->area[a];
	u16 home = READ_ONCE(area->home);

	return home && home != kp_home_of(v) &&
	       (s32)(READ_ONCE(area->home_epoch) - v->pcpu->epoch) >= 0;
}

/* The CPU continues in area @a, which is locked, and may make it its own. */
static void kp_adopt_area(struct visit *v, u32 a)
{
	struct kp_pcpu *pcpu = v->pcpu;
	struct kp_index *idx = v->idx;
	struct kp_area *area = &idx->area[a];
	u16 home = pcpu->alone ? kp_home_of(v) : 0;

	if (a != pcpu->hint_area && READ_ONCE(idx->area[pcpu->hint_area].home) == kp_home_of(v))
		WRITE_ONCE(idx->area[pcpu->hint_area].home, 0);
	if (READ_ONCE(area->home) != home && !kp_is_foreign(v, a))
		WRITE_ONCE(area->home, home);
	if (home && READ_ONCE(area->home) == home && area->home_epoch != READ_ONCE(idx->epoch))
		WRITE_ONCE(area->home_epoch, READ_ONCE(idx->epoch));
	pcpu->hint_area = a;
	pcpu->hint_used = area->nr_used;
}

static bool kp_visit_blocks(struct visit *v, u32 a)
{
	const struct kp_request *req = v->req;
	u32 align = max_t(u64, req->align >> KHO_POOL_BLOCK_SHIFT, 1);
	u32 block = kp_take_in_area(v->idx, a, v->nr, align);

	if (block == NO_BLOCK)
		return false;
	kp_adopt_area(v, a);
	kp_commit_blocks(v, block);
	return true;
}

/* Areas to visit: in use and with a free block, with a free frame, with a free block. */
enum visited { OPEN, PARTIAL, ANY };

static unsigned long kp_areas_to_visit(const struct visit *v, enum visited kind, u32 word)
{
	const struct kp_index *idx = v->idx;
	unsigned long todo;

	if (kind == PARTIAL) {
		todo = READ_ONCE(kp_partial_areas(idx, kp_kind(kp_frames_word(v->req)))[word]);
	} else {
		todo = ~READ_ONCE(idx->full[word]);
		if (kind == OPEN)
			todo &= READ_ONCE(idx->busy[word]);
	}
	if (word == idx->nr_areas / BITS_PER_LONG)
		todo &= (1UL << idx->nr_areas % BITS_PER_LONG) - 1;
	return todo;
}

static bool kp_gives_up(const struct visit *v, enum visited kind)
{
	return kind == PARTIAL && !(v->tries && v->looks);
}

/* Visit areas from above until one serves the request. */
static bool kp_visit_areas(struct visit *v, enum visited kind, bool wait)
{
	struct kp_index *idx = v->idx;

	for (u32 word = BITS_TO_LONGS(idx->nr_areas); word-- > 0;) {
		unsigned long todo = kp_areas_to_visit(v, kind, word);

		while (todo && !kp_gives_up(v, kind)) {
			u32 bit = __fls(todo);
			u32 a = word * BITS_PER_LONG + bit;
			struct kp_area *area = &idx->area[a];
			bool done;

			todo &= ~(1UL << bit);
			if (!wait && kind != ANY && kp_is_foreign(v, a))
				continue;
			if (kind != PARTIAL &&
			    READ_ONCE(area->nr_used) + v->nr > KHO_POOL_AREA_BLOCKS)
				continue;
			if (wait)
				raw_spin_lock(&area->lock);
			else if (!raw_spin_trylock(&area->lock))
				continue;
			done = kind == PARTIAL ? kp_visit_partial(v, a) : kp_visit_blocks(v, a);
			raw_spin_unlock(&area->lock);
			if (done)
				return true;
		}
	}
	return false;
}

/* In the free area whose loss matters least. */
static bool kp_visit_fresh(struct visit *v)
{
	u32 a = kp_area_fresh(v->idx);
	struct kp_area *area = &v->idx->area[a];
	bool done;

	if (a == v->idx->nr_areas || !raw_spin_trylock(&area->lock))
		return false;
	if (!area->nr_used) {
		v->pcpu->epoch = READ_ONCE(v->idx->epoch) + 1;
		WRITE_ONCE(v->idx->epoch, v->pcpu->epoch);
	}
	done = kp_visit_blocks(v, a);
	raw_spin_unlock(&area->lock);
	return done;
}

/* In the area that the CPU keeps to. */
static bool kp_visit_own(struct visit *v)
{
	u32 a = v->pcpu->hint_area;
	struct kp_area *area = &v->idx->area[a];
	bool done;

	if (!v->pcpu->alone || READ_ONCE(area->home) != kp_home_of(v) ||
	    !raw_spin_trylock(&area->lock))
		return false;
	done = kp_visit_blocks(v, a);
	raw_spin_unlock(&area->lock);
	return done;
}

/*
 * Waiting for another CPU comes last: it costs more than a fresh area.  The last
 * pass does not distinguish free areas from others: an area that goes from free to
 * in use between two passes would be in neither.
 */
static bool kp_visit_for_blocks(struct visit *v)
{
	return kp_visit_own(v) || kp_visit_areas(v, OPEN, false) || kp_visit_fresh(v) ||
	       kp_visit_areas(v, ANY, false) || kp_visit_areas(v, ANY, true);
}

/*
 * The first attempt, in the area that is most promising.  Sees whether the index
 * is sealed, so every allocation that does not take index_lock comes through here.
 * Sets *@ret to 0 or to an error when that settles it.
 */
static bool kp_visit_hint(struct visit *v, u32 a, bool (*visit)(struct visit *v, u32 a), int *ret)
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
		v->pcpu->alone = ALONE;
		/* Pairs with kp_index_seal(), like kp_lock_unless_sealed(). */
		smp_mb();
		if (READ_ONCE(idx->sealed))
			*ret = -ESHUTDOWN;
	}
	return done || *ret;
}

static bool kp_visit_block(struct visit *v, u32 a)
{
	return kp_try_block(v->idx, v->pcpu, v->req, v->block, v->frame);
}

/* The block that another CPU has used last, unless CPUs meet: then each has its own. */
static bool kp_visit_last_block(struct visit *v)
{
	u32 block = READ_ONCE(v->idx->last_block[kp_kind(kp_frames_word(v->req))]);
	struct kp_area *area = &v->idx->area[kp_area_of(v->idx, block)];
	bool done;

	if (v->pcpu->alone || block == v->block || !raw_spin_trylock(&area->lock))
		return false;
	v->block = block;
	done = kp_visit_block(v, kp_area_of(v->idx, block));
	raw_spin_unlock(&area->lock);
	return done;
}

static bool kp_visit_hint_area(struct visit *v, u32 a)
{
	u32 nr_used = v->idx->area[a].nr_used;

	if (kp_is_foreign(v, a))
		return false;
	if (!v->pcpu->alone && (!nr_used || nr_used + HINT_SLACK < v->pcpu->hint_used))
		return false;
	return kp_visit_blocks(v, a);
}

static bool kp_visit_hole(struct visit *v, u32 a)
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
	kp_commit_blocks(v, v->block);
	return true;
}

static int kp_alloc_frames(struct visit *v)
{
	u32 kind = kp_kind(kp_frames_word(v->req)), block;
	struct kp_index *idx = v->idx;
	int ret;

	v->block = v->pcpu->hint_block[kind % KP_HINTS];
	if (kp_visit_hint(v, kp_area_of(idx, v->block), kp_visit_block, &ret))
		return ret;
	if (kp_visit_last_block(v))
		return 0;
	v->tries = PARTIAL_TRIES;
	v->looks = PARTIAL_LOOKS;
	if (!kp_visit_areas(v, PARTIAL, false) && !kp_visit_for_blocks(v)) {
		if (!v->index_locked)
			return -ENOMEM;
		/* No block is left, so now look at every partial one. */
		v->tries = ~0U;
		v->looks = ~0U;
		if (!kp_visit_areas(v, PARTIAL, true))
			return -ENOMEM;
	}
	block = *v->frame >> KHO_POOL_BLOCK_SHIFT;
	if (READ_ONCE(idx->last_block[kind]) != block)
		WRITE_ONCE(idx->last_block[kind], block);
	return 0;
}

/* Blocks that fit into one area.  A single one can come from the CPU's area. */
static int kp_alloc_in_area(struct visit *v)
{
	u32 align = max_t(u64, v->req->align >> KHO_POOL_BLOCK_SHIFT, 1);
	struct kp_index *idx = v->idx;
	u32 a = v->pcpu->hint_area;
	int ret;

	v->block = idx->nr_blocks;
	if (v->nr > 1)
		v->block = kp_blocks_hole(idx, v->nr, align);
	if (v->block < idx->nr_blocks)
		a = kp_area_of(idx, v->block);
	if (kp_visit_hint(v, a, v->nr > 1 ? kp_visit_hole : kp_visit_hint_area, &ret))
		return ret;
	return kp_visit_for_blocks(v) ? 0 : -ENOMEM;
}

/* Anything: long runs, runs over several areas, alignments of more than an area. */
static int kp_alloc_range(struct visit *v)
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
		/* Another CPU may have been faster; then it has made progress. */
	} while (!kp_blocks_take(idx, block, v->nr));

	a = kp_area_of(idx, block);
	raw_spin_lock(&idx->area[a].lock);
	kp_commit_blocks(v, block);
	raw_spin_unlock(&idx->area[a].lock);
	return 0;
}

static int kp_alloc(struct visit *v)
{
	const struct kp_request *req = v->req;

	if (v->nr >= LONG_RUN || req->align > KP_AREA_FRAMES)
		return -ENOMEM;
	if (req->frames < KHO_POOL_BLOCK_FRAMES && req->align <= KHO_POOL_BLOCK_FRAMES)
		return kp_alloc_frames(v);
	return kp_alloc_in_area(v);
}

static int kp_alloc_locked(struct visit *v)
{
	int ret;

	if (v->req->name && kp_name_unused(v->idx) == v->idx->nr_names)
		return -ENOSPC;
	v->index_locked = true;
	ret = kp_alloc(v);
	if (ret == -ENOMEM && (v->nr > 1 || v->req->align > KHO_POOL_BLOCK_FRAMES))
		ret = kp_alloc_range(v);
	return ret;
}

/**
 * kp_index_alloc - allocate an extent
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @req: the request
 * @frame: the extent's first frame, from the region's base
 *
 * Never sleeps and never allocates.  An extent of at least a block that has to be
 * cleared is left PENDING: the caller clears it, with interrupts enabled, and calls
 * kp_index_confirm().
 *
 * Return: 0; -EINVAL for a request that no region can ever meet, -ENOMEM, -ENOSPC
 * if there is no room for a name, -ESHUTDOWN if the index is sealed.
 */
int kp_index_alloc(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_request *req,
		   u64 *frame)
{
	struct visit v = { .idx = idx, .pcpu = pcpu, .req = req, .frame = frame };
	int ret;

	if (!req->frames || !req->align || req->align & (req->align - 1) ||
	    req->owner == KP_OWNER_NONE || req->owner >= KHO_POOL_OWNERS)
		return -EINVAL;
	if (req->frames > idx->nr_frames)
		return -ENOMEM;
	v.nr = kp_blocks(req->frames);
	pcpu->alone -= !!pcpu->alone;

	kp_begin(pcpu);
	ret = req->name ? -ENOMEM : kp_alloc(&v);
	if (ret == -ENOMEM) {
		/*
		 * With index_lock: for a name, for extents that one area cannot hold, and
		 * to be sure that no memory is only temporarily taken by a claim of
		 * several areas that is about to be undone.
		 */
		if (kp_lock_unless_sealed(idx, &idx->index_lock)) {
			ret = kp_alloc_locked(&v);
			raw_spin_unlock(&idx->index_lock);
		} else {
			ret = -ESHUTDOWN;
		}
	}
	kp_end(pcpu);
	return ret;
}

/* The word that describes the extent at @block; its area is locked. */
static __le64 *kp_extent_word(struct kp_index *idx, u32 block)
{
	u32 a = kp_area_of(idx, block);

	switch (kp_word_kind(kp_load(&idx->areas[a]))) {
	case KHO_POOL_EXTENT:
		return kp_bit_of(idx, block) ? NULL : &idx->areas[a];
	case KHO_POOL_SPLIT:
		return &idx->blocks[block];
	default:
		return NULL;
	}
}

/**
 * kp_index_confirm - confirm an extent once it is cleared
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: its first frame
 *
 * Return: 0, or -ESHUTDOWN if the index was sealed in between.  The next kernel
 * then does not see the extent, and if this kernel continues, it is freed.
 */
int kp_index_confirm(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	int ret = 0;

	kp_begin(pcpu);
	raw_spin_lock(&area->lock);
	/* Orders kp_begin() before the load, see kp_lock_unless_sealed(). */
	smp_mb__after_spinlock();
	if (likely(!READ_ONCE(idx->sealed))) {
		__le64 *p = kp_extent_word(idx, block);

		kp_store(idx, pcpu, p, kp_load(p) & ~KHO_POOL_PENDING);
	} else {
		/* The mark that kp_index_unseal() looks for. */
		kp_set_bits(area->unclaimed, kp_bit_of(idx, block), 1);
		ret = -ESHUTDOWN;
	}
	raw_spin_unlock(&area->lock);
	kp_end(pcpu);
	return ret;
}

/* Look @frame up; its area is locked. */
static int kp_find(struct kp_index *idx, u64 frame, struct kp_extent *ext, u64 *word)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT;
	u32 bit = frame & (KHO_POOL_BLOCK_FRAMES - 1);
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	__le64 *p = kp_extent_word(idx, block);

	*word = p ? kp_load(p) : 0;
	ext->frame = frame;
	ext->owner = kp_word_owner(*word);
	ext->unclaimed = kp_test(area->unclaimed, kp_bit_of(idx, block));
	ext->name[0] = 0;
	if (kp_word_live(*word) && !bit)
		ext->frames = kp_word_frames(*word);
	else if (kp_word_kind(*word) == KHO_POOL_SPLIT)
		ext->frames = kp_bitmaps_length(&idx->bitmaps[block], bit);
	else
		ext->frames = 0;
	return ext->frames ? 0 : -ENOENT;
}

/* Give the extent back; its area is locked, and index_lock if it has a name. */
static void kp_give(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_extent *ext,
		    u64 word, u32 *later)
{
	u32 block = ext->frame >> KHO_POOL_BLOCK_SHIFT;
	u32 a = kp_area_of(idx, block), bit = kp_bit_of(idx, block);
	struct kp_area *area = &idx->area[a];
	u32 nr = kp_blocks(ext->frames);

	*later = 0;
	if (kp_word_kind(word) == KHO_POOL_SPLIT) {
		struct kho_pool_bitmaps *maps = &idx->bitmaps[block];

		kp_bitmaps_give(idx, pcpu, block, ext->frame & (KHO_POOL_BLOCK_FRAMES - 1),
				ext->frames);
		if (!kp_test(area->partial, bit))
			kp_set_partial(idx, a, bit, word);
		pcpu->unclaimed -= ext->unclaimed;
		if (!kp_bitmaps_empty(maps)) {
			if (unlikely(READ_ONCE(idx->nr_bad)))
				kp_bad_retire(idx, a, bit, bit + 1);
			return;
		}
		kp_clear_partial(area, bit);
		kp_clear_block_word(idx, pcpu, block);
		kp_clear_bits(area->unclaimed, bit, 1);
		kp_area_give(idx, a, bit, 1);
		return;
	}

	if (kp_word_kind(kp_load(&idx->areas[a])) == KHO_POOL_EXTENT)
		kp_store(idx, pcpu, &idx->areas[a], 0);
	else
		kp_clear_block_word(idx, pcpu, block);
	kp_clear_bits(area->unclaimed, bit, 1);
	pcpu->unclaimed -= ext->unclaimed;
	if (bit + nr > KHO_POOL_AREA_BLOCKS)
		*later = nr;
	else
		kp_area_give(idx, a, bit, nr);
}

static int kp_free_extent(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames,
			  u8 owner, bool unclaimed_only)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT, later = 0;
	struct kp_extent ext;
	struct kp_area *area;
	bool index_locked = false;
	u64 word;
	int ret;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, block)];

	kp_begin(pcpu);
retry:
	ret = -ESHUTDOWN;
	if (!kp_lock_unless_sealed(idx, &area->lock))
		goto out;
	ret = kp_find(idx, frame, &ext, &word);
	if (!ret && (ext.frames != frames || ext.owner != owner))
		ret = -EINVAL;
	if (!ret && unclaimed_only && !ext.unclaimed)
		ret = -EBUSY;
	if (!ret && word & KHO_POOL_NAMED && !index_locked) {
		/* Names come before areas. */
		raw_spin_unlock(&area->lock);
		raw_spin_lock(&idx->index_lock);
		index_locked = true;
		goto retry;
	}
	if (!ret) {
		kp_give(idx, pcpu, &ext, word, &later);
		if (word & KHO_POOL_NAMED)
			kp_name_erase(idx, pcpu, frame);
	}
	raw_spin_unlock(&area->lock);
	/* The extent can no longer be found, so its blocks can go one area at a time. */
	if (later)
		kp_blocks_give(idx, block, later);
	if (!ret)
		kp_account_free(pcpu, frames);
out:
	if (index_locked)
		raw_spin_unlock(&idx->index_lock);
	kp_end(pcpu);
	return ret;
}

/**
 * kp_index_free - free an extent
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length
 * @owner: whose it is
 *
 * Never sleeps.  Changes nothing unless it succeeds.
 *
 * Return: 0; -ENOENT if no extent begins at @frame, -EINVAL if it has another
 * length or owner or @frame is not in the region, -ESHUTDOWN if sealed.
 */
int kp_index_free(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner)
{
	return kp_free_extent(idx, pcpu, frame, frames, owner, false);
}

/**
 * kp_index_release - free an extent that nobody has claimed
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length
 * @owner: whose it is
 *
 * Return: as kp_index_free(), and -EBUSY if it is claimed or new.
 */
int kp_index_release(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner)
{
	return kp_free_extent(idx, pcpu, frame, frames, owner, true);
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
	const char *name;
	u64 word;
	int ret;

	if (frame >= idx->nr_frames)
		return -EINVAL;
	area = &idx->area[kp_area_of(idx, frame >> KHO_POOL_BLOCK_SHIFT)];
	raw_spin_lock(&area->lock);
	ret = kp_find(idx, frame, ext, &word);
	raw_spin_unlock(&area->lock);
	if (ret || !(word & KHO_POOL_NAMED))
		return ret;

	/* Names come before areas, and by now it may be another extent. */
	raw_spin_lock(&idx->index_lock);
	raw_spin_lock(&area->lock);
	ret = kp_find(idx, frame, ext, &word);
	raw_spin_unlock(&area->lock);
	name = ret ? NULL : kp_name_of(idx, frame);
	if (name)
		strscpy(ext->name, name, sizeof(ext->name));
	raw_spin_unlock(&idx->index_lock);
	return ret;
}

/**
 * kp_index_claim - mark an extent as claimed by its owner
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: the extent's first frame
 * @frames: its length
 * @owner: its owner
 *
 * Extents shorter than a block are claimed with all others in their block;
 * they have the same owner.
 *
 * Return: 0, -ENOENT, -EALREADY if it is claimed, or -EINVAL if it has another length or
 * owner, or @frame is not in the region.
 */
int kp_index_claim(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames, u8 owner)
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
	ret = kp_find(idx, frame, &ext, &word);
	if (!ret && (ext.frames != frames || ext.owner != owner))
		ret = -EINVAL;
	if (!ret && !ext.unclaimed)
		ret = -EALREADY;
	if (!ret) {
		bool split = kp_word_kind(word) == KHO_POOL_SPLIT;

		kp_clear_bits(area->unclaimed, kp_bit_of(idx, block), 1);
		pcpu->unclaimed -= split ? kp_bitmaps_extents(&idx->bitmaps[block]) : 1;
	}
	raw_spin_unlock(&area->lock);
	return ret;
}

/**
 * kp_index_assign - give an extent to another owner
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @frame: its first frame
 * @frames: its length, at least a block
 * @from: its owner
 * @to: its new owner
 *
 * This is one store, so if the kernel stops, the extent has one owner or the other.
 * Its name and its contents do not change.
 *
 * Return: 0; -ENOENT if no extent begins at @frame, -EINVAL if it has another
 * length or owner, shares its block with others, or @frame is not in the
 * region, -ESHUTDOWN if sealed.
 */
int kp_index_assign(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame, u64 frames,
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
	kp_begin(pcpu);
	if (kp_lock_unless_sealed(idx, &area->lock)) {
		ret = kp_find(idx, frame, &ext, &word);
		if (!ret && (ext.frames != frames || ext.owner != from || !kp_word_live(word)))
			ret = -EINVAL;
		if (!ret)
			kp_store(idx, pcpu, kp_extent_word(idx, block),
				 word ^ kp_word(0, from, 0) ^ kp_word(0, to, 0));
		raw_spin_unlock(&area->lock);
	}
	kp_end(pcpu);
	return ret;
}

/**
 * kp_index_seal - stop all changes and take the checksum
 * @idx: the index
 * @csum: over the persistent index
 * @spins: how often to look at CPUs that are in an operation, in total
 *
 * The time that this takes does not depend on the size of the region.
 *
 * Return: false if a CPU did not finish an operation; @csum is then invalid, and
 * the index stays sealed.
 */
bool kp_index_seal(struct kp_index *idx, u64 *csum, unsigned long spins)
{
	WRITE_ONCE(idx->sealed, true);
	/* Pairs with kp_lock_unless_sealed(): no operation is missed. */
	smp_mb();
	*csum = 0;
	for (u32 i = 0; i < idx->nr_pcpu; i++) {
		struct kp_pcpu *pcpu = &idx->pcpu[i];

		/* Pairs with kp_end(): what the operation added is seen. */
		while (smp_load_acquire(&pcpu->active)) {
			if (!spins--)
				return false;
			cpu_relax();
		}
		*csum += pcpu->csum;
	}
	return true;
}

/* Free the extents whose kp_index_confirm() came too late. */
static void kp_sweep_area(struct kp_index *idx, struct kp_pcpu *pcpu, u32 a)
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
			p = kp_extent_word(idx, block);
		word = p ? kp_load(p) : 0;
		if (word & KHO_POOL_PENDING) {
			ext.frame = (u64)block << KHO_POOL_BLOCK_SHIFT;
			ext.frames = kp_word_frames(word);
			kp_give(idx, pcpu, &ext, word, &later);
			if (word & KHO_POOL_NAMED)
				kp_name_erase(idx, pcpu, ext.frame);
		}
		raw_spin_unlock(&area->lock);
		if (later)
			kp_blocks_give(idx, block, later);
		if (word & KHO_POOL_PENDING)
			kp_account_free(pcpu, ext.frames);
		if (bit == KHO_POOL_AREA_BLOCKS)
			return;
	}
}

/**
 * kp_index_unseal - allow changes again
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 *
 * The checksum that the seal took is void before the first change.
 */
void kp_index_unseal(struct kp_index *idx, struct kp_pcpu *pcpu)
{
	/* The root, which vouched for the index, was written before this. */
	smp_store_release(&idx->sealed, false);
	/*
	 * Always sweep: a kp_index_confirm() that came too late holds its area's lock,
	 * so either the sweep sees what it has left, or it sees that this is not sealed.
	 */
	kp_begin(pcpu);
	raw_spin_lock(&idx->index_lock);
	for (u32 a = 0; a < idx->nr_areas; a++)
		kp_sweep_area(idx, pcpu, a);
	raw_spin_unlock(&idx->index_lock);
	kp_end(pcpu);
}
