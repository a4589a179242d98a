// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation from the index of one region.
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
 *
 * Most allocations are done after one or two looks.  A search over all areas goes
 * through stages, in steps: see kp_index_alloc().
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
 * A CPU that has met another one so often, each time soon after the last one, keeps to an
 * area of its own for so many allocations.  CPUs that do not meet, or seldom, share areas,
 * so that few areas are broken up: an extent of one block can keep a GiB in use for a year.
 * Meeting and separating costs as much as a few thousand allocations: with 4096
 * here, two CPUs that do nothing else got 1.4 times as much done as one.
 */
#define MEETINGS	4
#define SOON		16	/* allocations */
#define ALONE		60000

/*
 * What one step may cost, in looks at a split block; a look into an area is worth some
 * of them.  A step takes some 20 us at most, see bench/longest.c.
 */
#define STEP_COST	160
#define AREA_COST	8
enum stage {
	FIRST,			/* where it is most promising */
	FEW_PARTIAL,		/* split blocks of the same kind, but not all of them */
	OWN,			/* the area that the CPU keeps to */
	OPEN,			/* areas in use that no other CPU keeps to */
	SHARED,			/* and those that one does, unless this CPU has one as well */
	FRESH,			/* a free area */
	ANY,			/* all areas but those that are locked */
	WAIT,			/* all areas */
	ALL_PARTIAL,		/* all split blocks of the same kind */
	FIND,			/* runs over several areas */
	TAKE,
	UNDO,
	END,
};

/* The CPU's account of an extent that came. */
static void kp_account_alloc(struct kp_pcpu *pcpu, u64 frames)
{
	WRITE_ONCE(pcpu->allocs, pcpu->allocs + 1);
	WRITE_ONCE(pcpu->taken, pcpu->taken + frames);
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

/* One step of an allocation */
struct visit {
	struct kp_index *idx;
	struct kp_pcpu *pcpu;
	struct kp_alloc *alloc;
	const struct kp_request *req;
	u32 nr;			/* blocks */
	u32 block;		/* where a hole was seen */
	int budget;		/* of STEP_COST */
};

/*
 * Frames
 */

/* Make frames at @bit of a split block the extent; its area is locked. */
static __always_inline void kp_write_frames(struct kp_index *idx, struct kp_pcpu *pcpu,
					    const struct kp_request *req, u32 block, u32 bit)
{
	u64 frame = ((u64)block << KHO_POOL_BLOCK_SHIFT) + bit;

	if (req->name)
		kp_name_write(idx, pcpu, kp_name_unused(idx), frame, req->name);
	kp_bitmaps_take(idx, pcpu, block, bit, req->frames);
	if (kp_bitmaps_full(&idx->bitmaps[block]))
		kp_clear_partial(&idx->area[kp_area_of(idx, block)], kp_bit_of(idx, block));
	kp_account_alloc(pcpu, req->frames);
}

/* The same for kp_index_confirm() */
void kp_commit_frames(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_request *req,
		      u32 block, u32 bit)
{
	kp_write_frames(idx, pcpu, req, block, bit);
}

/*
 * Take frames at @bit of a split block; its area is locked.  If they are to be cleared,
 * nobody must see them before, so they are only reserved.
 */
static __always_inline void kp_take_frames(struct visit *v, u32 block, u32 bit)
{
	const struct kp_request *req = v->req;
	struct kp_alloc *alloc = v->alloc;

	alloc->frame = ((u64)block << KHO_POOL_BLOCK_SHIFT) + bit;
	v->pcpu->hint_block[kp_kind(kp_frames_word(req)) % KP_HINTS] = block;
	if (!req->clear) {
		kp_write_frames(v->idx, v->pcpu, req, block, bit);
		return;
	}
	alloc->reserved.block = block;
	alloc->reserved.bit = bit;
	alloc->reserved.nr = req->frames;
	kp_reserve(&v->idx->area[kp_area_of(v->idx, block)], &alloc->reserved);
	alloc->unconfirmed = true;
}

/* Turn a taken block into one with bitmaps; its area is locked. */
static void kp_split_block(struct kp_index *idx, struct kp_pcpu *pcpu, const struct kp_request *req,
			   u32 block)
{
	memset(&idx->bitmaps[block], 0, sizeof(idx->bitmaps[block]));
	kp_set_block_word(idx, pcpu, block, kp_frames_word(req));
	kp_set_partial(idx, kp_area_of(idx, block), kp_bit_of(idx, block), kp_frames_word(req));
}

/* Does the block begin at a multiple of the request's alignment, as far as that is more? */
static bool kp_block_aligned(const struct visit *v, u32 block)
{
	return !((v->idx->base + ((u64)block << KHO_POOL_BLOCK_SHIFT)) &
		 (v->req->align - 1) & ~(KHO_POOL_BLOCK_FRAMES - 1ULL));
}

/* Try a block that may be partial; its area is locked. */
static bool kp_try_block(struct visit *v, u32 block)
{
	const struct kp_request *req = v->req;
	struct kp_index *idx = v->idx;
	struct kp_area *area = &idx->area[kp_area_of(idx, block)];
	u32 in_area = kp_bit_of(idx, block);
	u32 align = min_t(u64, req->align, KHO_POOL_BLOCK_FRAMES);
	u32 bit;

	if (!kp_test(area->partial, in_area) || kp_test(area->unclaimed, in_area) ||
	    kp_load(&idx->blocks[block]) != kp_frames_word(req))
		return false;
	if (likely(!area->reserved))
		bit = kp_bitmaps_find(&idx->bitmaps[block], NULL, req->frames, align);
	else
		bit = kp_unreserved_find(idx, area, block, req->frames, align);
	if (bit == KHO_POOL_BLOCK_FRAMES)
		return false;
	kp_take_frames(v, block, bit);
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

	if (kp_area_too_full(area, nr))
		return NO_BLOCK;
	bit = kp_area_hole(idx, a, nr, align, &cost);
	if (bit == KHO_POOL_AREA_BLOCKS) {
		if (align == 1)
			WRITE_ONCE(area->no_run, nr);
		return NO_BLOCK;
	}
	kp_area_take(idx, a, bit, nr);
	return kp_block_at(idx, a, bit);
}

/* Turn taken blocks into the requested extent; the area of the first is locked. */
static void kp_commit_blocks(struct visit *v, u32 block)
{
	const struct kp_request *req = v->req;
	struct kp_alloc *alloc = v->alloc;
	struct kp_index *idx = v->idx;
	u64 word;

	if (req->frames < KHO_POOL_BLOCK_FRAMES) {
		kp_split_block(idx, v->pcpu, req, block);
		kp_take_frames(v, block, 0);
		return;
	}
	alloc->frame = (u64)block << KHO_POOL_BLOCK_SHIFT;
	word = kp_word(KHO_POOL_EXTENT, req->owner, req->frames);
	if (req->clear) {
		word |= KHO_POOL_PENDING;
		alloc->unconfirmed = true;
	}
	if (req->name) {
		kp_name_write(idx, v->pcpu, kp_name_unused(idx), alloc->frame, req->name);
		word |= KHO_POOL_NAMED;
	}
	if (!kp_bit_of(idx, block) && v->nr >= KHO_POOL_AREA_BLOCKS)
		kp_store(idx, v->pcpu, &idx->areas[kp_area_of(idx, block)], word);
	else
		kp_set_block_word(idx, v->pcpu, block, word);
	kp_account_alloc(v->pcpu, (u64)v->nr << KHO_POOL_BLOCK_SHIFT);
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

/*
 * Looks at one area, with its lock held.  Each returns 0, -ENOMEM, or -EAGAIN if the
 * rest has to wait for the next step.
 */

static int kp_visit_blocks(struct visit *v, u32 a)
{
	u32 align = max_t(u64, v->req->align >> KHO_POOL_BLOCK_SHIFT, 1);
	u32 block = kp_take_in_area(v->idx, a, v->nr, align);

	if (block == NO_BLOCK)
		return -ENOMEM;
	kp_adopt_area(v, a);
	kp_commit_blocks(v, block);
	return 0;
}

static int kp_visit_block(struct visit *v, u32 a)
{
	return kp_try_block(v, v->block) ? 0 : -ENOMEM;
}

static int kp_visit_partial(struct visit *v, u32 a)
{
	struct kp_alloc *alloc = v->alloc;
	struct kp_index *idx = v->idx;
	struct kp_area *area = &idx->area[a];
	u64 word = kp_frames_word(v->req);
	u32 bit = alloc->bit;
	/* A block that was seen in the step before counts. */
	bool any = bit;

	for (alloc->bit = 0; alloc->tries && alloc->looks; bit++, alloc->looks--) {
		u32 block;

		bit = kp_next_set(area->partial, bit, KHO_POOL_AREA_BLOCKS);
		if (bit == KHO_POOL_AREA_BLOCKS) {
			if (!any)
				clear_bit(a, kp_partial_areas(idx, kp_kind(word)));
			break;
		}
		if (v->budget <= 0 && bit) {
			alloc->bit = bit;
			return -EAGAIN;
		}
		block = kp_block_at(idx, a, bit);
		if (kp_load(&idx->blocks[block]) != word)
			continue;
		any = true;
		if (!kp_block_aligned(v, block))
			continue;
		if (kp_try_block(v, block))
			return 0;
		v->budget--;
		alloc->tries--;
	}
	return -ENOMEM;
}

static int kp_visit_hint_area(struct visit *v, u32 a)
{
	u32 nr_used = v->idx->area[a].nr_used;

	if (kp_is_foreign(v, a))
		return -ENOMEM;
	if (!v->pcpu->alone && (!nr_used || nr_used + HINT_SLACK < v->pcpu->hint_used))
		return -ENOMEM;
	return kp_visit_blocks(v, a);
}

static int kp_visit_hole(struct visit *v, u32 a)
{
	struct kp_area *area = &v->idx->area[a];
	u32 bit;

	if (v->block == v->idx->nr_blocks)
		return -ENOMEM;
	/* Another CPU may have been faster. */
	bit = kp_bit_of(v->idx, v->block);
	if (area->whole || kp_next_set(area->used, bit, bit + v->nr) != bit + v->nr)
		return -ENOMEM;
	kp_area_take(v->idx, a, bit, v->nr);
	kp_commit_blocks(v, v->block);
	return 0;
}

/* Another CPU has the lock of the area that this one wants to use. */
noinline void kp_met_another(struct kp_pcpu *pcpu)
{
	if ((u32)pcpu->allocs - pcpu->met > SOON)
		pcpu->meetings = 0;
	if (pcpu->meetings < MEETINGS)
		pcpu->meetings++;
	if (pcpu->meetings == MEETINGS)
		pcpu->alone = ALONE;
	pcpu->met = pcpu->allocs;
}

/*
 * The first attempt, in the area that is most promising.  Sees whether the index
 * is sealed; what comes later does so in kp_go_on().
 */
static int kp_visit_hint(struct visit *v, u32 a, int (*visit)(struct visit *v, u32 a))
{
	struct kp_index *idx = v->idx;
	struct kp_area *area = &idx->area[a];
	int ret = -ENOMEM;

	if (raw_spin_trylock(&area->lock)) {
		smp_mb__after_spinlock();
		ret = unlikely(READ_ONCE(idx->sealed)) ? -ESHUTDOWN : visit(v, a);
		raw_spin_unlock(&area->lock);
	} else {
		kp_met_another(v->pcpu);
	}
	return ret;
}

static int kp_first_for_frames(struct visit *v)
{
	v->block = v->pcpu->hint_block[kp_kind(kp_frames_word(v->req)) % KP_HINTS];
	return kp_visit_hint(v, kp_area_of(v->idx, v->block), kp_visit_block);
}

/* Blocks that fit into one area.  A single one can come from the CPU's area. */
static int kp_first_for_blocks(struct visit *v)
{
	u32 align = max_t(u64, v->req->align >> KHO_POOL_BLOCK_SHIFT, 1);
	u32 a = v->pcpu->hint_area;

	if (v->nr == 1)
		return kp_visit_hint(v, a, kp_visit_hint_area);
	v->block = kp_blocks_hole(v->idx, v->nr, align);
	if (v->block < v->idx->nr_blocks)
		a = kp_area_of(v->idx, v->block);
	return kp_visit_hint(v, a, kp_visit_hole);
}

/* Do its frames share a block with others, wherever the alignment allows that? */
static bool kp_for_frames(const struct kp_request *req)
{
	return req->frames < KHO_POOL_BLOCK_FRAMES && req->align <= KHO_POOL_BLOCK_FRAMES;
}

/* Can one area hold it? */
static bool kp_for_area(const struct visit *v)
{
	return v->nr < LONG_RUN && v->req->align <= KP_AREA_FRAMES;
}

/*
 * Later stages.  Each returns 0, -ENOMEM if it is over, or -EAGAIN if it has not seen
 * everything yet.
 */

/* Look at one area, unless somebody else has its lock. */
static int kp_look(struct visit *v, u32 a, int (*visit)(struct visit *v, u32 a))
{
	struct kp_area *area = &v->idx->area[a];
	int ret;

	if (!raw_spin_trylock(&area->lock))
		return -ENOMEM;
	ret = visit(v, a);
	raw_spin_unlock(&area->lock);
	return ret;
}

/* The block that another CPU has used last, unless CPUs meet: then each has its own. */
static int kp_last_block(struct visit *v)
{
	u32 block = READ_ONCE(v->idx->last_block[kp_kind(kp_frames_word(v->req))]);

	if (v->pcpu->alone || block == v->block)
		return -ENOMEM;
	v->block = block;
	return kp_look(v, kp_area_of(v->idx, block), kp_visit_block);
}

/* In the area that the CPU keeps to. */
static int kp_own_area(struct visit *v)
{
	u32 a = v->pcpu->hint_area;

	if (!v->pcpu->alone || READ_ONCE(v->idx->area[a].home) != kp_home_of(v))
		return -ENOMEM;
	return kp_look(v, a, kp_visit_blocks);
}

/* In the free area whose loss matters least. */
static int kp_fresh_area(struct visit *v)
{
	u32 a = kp_area_fresh(v->idx);

	if (a == v->idx->nr_areas)
		return -ENOMEM;
	if (!READ_ONCE(v->idx->area[a].nr_used)) {
		v->pcpu->epoch = READ_ONCE(v->idx->epoch) + 1;
		WRITE_ONCE(v->idx->epoch, v->pcpu->epoch);
	}
	return kp_look(v, a, kp_visit_blocks);
}

static bool kp_is_partial(enum stage stage)
{
	return stage == FEW_PARTIAL || stage == ALL_PARTIAL;
}

/* Areas of this word of the maps that the stage is about, below @end only. */
static unsigned long kp_areas_to_visit(const struct visit *v, u32 word, u32 end)
{
	const struct kp_index *idx = v->idx;
	enum stage stage = v->alloc->stage;
	unsigned long todo;

	if (kp_is_partial(stage)) {
		todo = READ_ONCE(kp_partial_areas(idx, kp_kind(kp_frames_word(v->req)))[word]);
	} else {
		todo = ~READ_ONCE(idx->full[word]);
		if (stage == OPEN || stage == SHARED)
			todo &= READ_ONCE(idx->busy[word]);
	}
	if (word == end / BITS_PER_LONG)
		todo &= (1UL << end % BITS_PER_LONG) - 1;
	return todo;
}

/* Would a look at this area be in vain?  Its lock is not held. */
static bool kp_passes_by(const struct visit *v, u32 a)
{
	enum stage stage = v->alloc->stage;

	if ((stage == OPEN || stage == FEW_PARTIAL) && kp_is_foreign(v, a))
		return true;
	return !kp_is_partial(stage) && kp_area_too_full(&v->idx->area[a], v->nr);
}

/* Visit areas from above until one serves the request. */
static int kp_visit_areas(struct visit *v)
{
	struct kp_alloc *alloc = v->alloc;
	enum stage stage = alloc->stage;
	struct kp_index *idx = v->idx;
	bool wait = stage == WAIT || stage == ALL_PARTIAL;
	u32 end = alloc->areas;

	for (u32 word = BITS_TO_LONGS(end); word-- > 0;) {
		unsigned long todo = kp_areas_to_visit(v, word, end);

		while (todo && !(kp_is_partial(stage) && !(alloc->tries && alloc->looks))) {
			u32 a = word * BITS_PER_LONG + __fls(todo);
			struct kp_area *area = &idx->area[a];
			int ret;

			alloc->areas = a + 1;
			if (v->budget <= 0)
				return -EAGAIN;
			v->budget--;
			todo &= ~(1UL << a % BITS_PER_LONG);
			if (kp_passes_by(v, a))
				continue;
			if (wait)
				raw_spin_lock(&area->lock);
			else if (!raw_spin_trylock(&area->lock))
				continue;
			v->budget -= AREA_COST - 1;
			ret = kp_is_partial(stage) ? kp_visit_partial(v, a) : kp_visit_blocks(v, a);
			raw_spin_unlock(&area->lock);
			if (ret != -ENOMEM)
				return ret;
		}
	}
	return -ENOMEM;
}

/* The best place for a run that one area cannot hold, or with a larger alignment. */
static int kp_find_run(struct visit *v)
{
	u64 align = max_t(u64, v->req->align >> KHO_POOL_BLOCK_SHIFT, 1);
	struct kp_alloc *alloc = v->alloc;
	struct kp_index *idx = v->idx;
	bool done;

	if (v->nr == KHO_POOL_AREA_BLOCKS && align == KHO_POOL_AREA_BLOCKS)
		done = kp_area_find(idx, &alloc->find);
	else
		done = kp_blocks_find(idx, v->nr, align, &alloc->find);
	if (!done)
		return -EAGAIN;
	if (alloc->find.block == idx->nr_blocks)
		return -ENOMEM;
	WRITE_ONCE(v->pcpu->moving, v->pcpu->moving + 1);
	alloc->taken = 0;
	alloc->stage = TAKE;
	return -EAGAIN;
}

/*
 * Two CPUs that want the same blocks cannot keep each other from them for ever: both
 * take from below, so the one that has come further does not meet the other.
 */
static int kp_take_run(struct visit *v)
{
	struct kp_alloc *alloc = v->alloc;
	struct kp_index *idx = v->idx;
	u32 block = alloc->find.block, a = kp_area_of(idx, block);

	if (!kp_blocks_take(idx, block, v->nr, &alloc->taken)) {
		alloc->stage = UNDO;
		return -EAGAIN;
	}
	if (alloc->taken < v->nr)
		return -EAGAIN;
	raw_spin_lock(&idx->area[a].lock);
	kp_commit_blocks(v, block);
	raw_spin_unlock(&idx->area[a].lock);
	WRITE_ONCE(v->pcpu->moving, v->pcpu->moving - 1);
	return 0;
}

/*
 * Another CPU was faster, and has made progress: look again.  A search in between may have
 * missed the blocks, but what was refused before they were taken is refused after it.
 */
static int kp_undo_run(struct visit *v)
{
	struct kp_alloc *alloc = v->alloc;
	u32 from = alloc->find.block;

	alloc->taken = kp_blocks_give(v->idx, from, alloc->taken);
	if (alloc->taken)
		return -EAGAIN;
	WRITE_ONCE(v->pcpu->moving, v->pcpu->moving - 1);
	kp_account_gain(v->pcpu);
	memset(&alloc->find, 0, sizeof(alloc->find));
	alloc->stage = FIND;
	return -EAGAIN;
}

static int kp_stage(struct visit *v)
{
	switch (v->alloc->stage) {
	case FEW_PARTIAL:
	case OPEN:
	case SHARED:
	case ANY:
	case WAIT:
	case ALL_PARTIAL:
		return kp_visit_areas(v);
	case OWN:
		return kp_own_area(v);
	case FRESH:
		return kp_fresh_area(v);
	case FIND:
		return kp_find_run(v);
	case TAKE:
		return kp_take_run(v);
	case UNDO:
		return kp_undo_run(v);
	default:
		return -ENOMEM;
	}
}

/* Is the stage one for this request? */
static bool kp_has_stage(const struct visit *v, enum stage stage)
{
	switch (stage) {
	case FEW_PARTIAL:
		return kp_for_frames(v->req);
	case ALL_PARTIAL:
		return v->req->frames < KHO_POOL_BLOCK_FRAMES;
	case SHARED:
		return kp_for_area(v) && !v->pcpu->alone;
	case OWN:
	case OPEN:
	case FRESH:
	case ANY:
	case WAIT:
		return kp_for_area(v);
	case FIND:
		return v->nr > 1 || v->req->align > KHO_POOL_BLOCK_FRAMES;
	case END:
		return true;
	default:
		return false;
	}
}

static enum stage kp_second_stage(const struct visit *v)
{
	if (kp_for_frames(v->req))
		return FEW_PARTIAL;
	if (kp_for_area(v))
		return OWN;
	return v->req->frames < KHO_POOL_BLOCK_FRAMES ? ALL_PARTIAL : FIND;
}

static void kp_begin_stage(struct visit *v, enum stage stage)
{
	struct kp_alloc *alloc = v->alloc;

	alloc->stage = stage;
	if (stage == FIND) {
		memset(&alloc->find, 0, sizeof(alloc->find));
		return;
	}
	alloc->areas = v->idx->nr_areas;
	alloc->bit = 0;
	alloc->tries = stage == FEW_PARTIAL ? PARTIAL_TRIES : ~0U;
	alloc->looks = stage == FEW_PARTIAL ? PARTIAL_LOOKS : ~0U;
}

static void kp_next_stage(struct visit *v)
{
	enum stage stage = v->alloc->stage;

	do
		stage++;
	while (!kp_has_stage(v, stage));
	kp_begin_stage(v, stage);
}

/* The first attempts, where it is most promising */
static int kp_hints(struct visit *v)
{
	int ret;

	if (!kp_for_area(v))
		return -ENOMEM;
	if (!kp_for_frames(v->req))
		return kp_first_for_blocks(v);
	ret = kp_first_for_frames(v);
	if (ret != -ENOMEM)
		return ret;
	/* Pairs with kp_index_seal(), as in kp_go_on(). */
	smp_mb();
	return READ_ONCE(v->idx->sealed) ? -ESHUTDOWN : kp_last_block(v);
}

static int kp_stages(struct visit *v)
{
	struct kp_alloc *alloc = v->alloc;
	int ret;

	if (v->req->name && kp_name_unused(v->idx) == v->idx->nr_names) {
		if (alloc->stage < TAKE)
			return -ENOSPC;
		alloc->stage = UNDO;
	}
	if (alloc->stage == FIRST) {
		ret = v->req->name ? kp_hints(v) : -ENOMEM;
		if (ret != -ENOMEM)
			return ret;
		kp_begin_stage(v, kp_second_stage(v));
	}
	do {
		ret = kp_stage(v);
		if (ret == -ENOMEM)
			kp_next_stage(v);
		/* A new stage looks at all words of the maps. */
		if (alloc->stage < FIND)
			v->budget -= BITS_TO_LONGS(v->idx->nr_areas) / 16;
		else
			v->budget -= STEP_COST / 2;
	} while ((ret == -ENOMEM || ret == -EAGAIN) && alloc->stage < END && v->budget > 0);
	return alloc->stage < END && ret == -ENOMEM ? -EAGAIN : ret;
}

/* All stages but the first; names are written with index_lock held. */
static noinline int kp_go_on(struct visit *v)
{
	struct kp_alloc *alloc = v->alloc;
	struct kp_index *idx = v->idx;
	bool sealed, named = v->req->name;
	int ret;

	if (named)
		raw_spin_lock(&idx->index_lock);
	/* Pairs with kp_index_seal(), like kp_lock_unless_sealed(). */
	smp_mb();
	sealed = READ_ONCE(idx->sealed);
	if (sealed && (alloc->stage == TAKE || alloc->stage == UNDO)) {
		/* Nothing of this is in the persistent index. */
		alloc->stage = UNDO;
		ret = kp_undo_run(v);
	} else {
		ret = sealed ? -ESHUTDOWN : kp_stages(v);
	}
	if (named)
		raw_spin_unlock(&idx->index_lock);
	return ret;
}

/* The block that a search for frames has ended with, for other CPUs */
static void kp_note_block(struct visit *v)
{
	u32 kind = kp_kind(kp_frames_word(v->req)), block = v->alloc->frame >> KHO_POOL_BLOCK_SHIFT;

	if (kp_for_frames(v->req) && READ_ONCE(v->idx->last_block[kind]) != block)
		WRITE_ONCE(v->idx->last_block[kind], block);
}

static int kp_search(struct visit *v)
{
	int ret = -ENOMEM;

	/* Without index_lock */
	if (v->alloc->stage == FIRST && !v->req->name)
		ret = kp_hints(v);
	if (ret != -ENOMEM)
		return ret;
	ret = kp_go_on(v);
	if (!ret)
		kp_note_block(v);
	return ret;
}

/**
 * kp_index_alloc - allocate an extent, in steps
 * @idx: the index
 * @pcpu: the current CPU's; interrupts are disabled
 * @alloc: the request, and how far it has come
 *
 * Never sleeps and never allocates.  A step takes some 20 us at most.  Most requests
 * need one; as long as the result is -EAGAIN, call it again, on whichever CPU, with
 * interrupts enabled in between.
 *
 * If @alloc->unconfirmed is set, the caller clears the memory, with interrupts enabled,
 * and calls kp_index_confirm() or kp_index_drop(); until then nobody knows the extent.
 *
 * Return: 0; -EINVAL for a request that no region can ever meet, -ENOMEM, -ENOSPC
 * if there is no room for a name, -ESHUTDOWN if the index is sealed, -EAGAIN.
 */
int kp_index_alloc(struct kp_index *idx, struct kp_pcpu *pcpu, struct kp_alloc *alloc)
{
	const struct kp_request *req = alloc->req;
	struct visit v = {
		.idx = idx, .pcpu = pcpu, .alloc = alloc, .req = req, .budget = STEP_COST,
	};
	int ret;

	if (!req->frames || !req->align || req->align & (req->align - 1) ||
	    req->owner == KP_OWNER_NONE || req->owner >= KHO_POOL_OWNERS)
		return -EINVAL;
	if (req->frames > idx->nr_frames)
		return -ENOMEM;
	v.nr = kp_blocks(req->frames);
	if (alloc->stage == FIRST) {
		if (unlikely(kp_is_refused(idx, req)))
			return READ_ONCE(idx->sealed) ? -ESHUTDOWN : -ENOMEM;
		pcpu->alone -= !!pcpu->alone;
	}

	kp_begin(pcpu);
	ret = kp_search(&v);
	kp_end(pcpu);
	if (ret == -ENOMEM)
		ret = kp_refuse(idx, alloc);
	return ret;
}
