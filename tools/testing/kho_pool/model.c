// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of a pool, each done twice: by mm/kho_pool/pool.c and by an
 * oracle so simple that it is right.  After every one the validator looks at
 * every region.
 */
#include "region.h"

#include "../../../mm/kho_pool/pool.h"
#include "model.h"

#define CPUS	3
#define MAX	2048
#define NAMES	24
#define OWNERS	5
/* Larger ones are not cleared, that takes too long. */
#define CLEAR	(4 * MIB2)

struct held {
	u64 frame, frames;	/* physical frame */
	u32 region, owner;	/* numbers */
	bool claimed;
	char name[8];
};

struct area {			/* a region */
	u64 base, frames;
	int nid;
	u64 index_size, vol_size;
	void *index, *vol;
	u8 *taken;		/* one byte a frame */
	u8 *bad;		/* the same */
	u64 nr_bad;		/* frames */
	bool worn;		/* nothing more is allocated */
	void *frozen;		/* the index as it was when it was quarantined */
};

static const struct { u64 base, frames; int nid; } layouts[2][4] = {
	{ { GIB - 4 * MIB2, 10 * MIB2, 0 }, { 2 * GIB, GIB + 6 * MIB2, 1 } },
	{ { 4 * GIB - 3 * MIB2, 3 * GIB + 5 * MIB2, 0 }, { 9 * GIB, 24 * MIB2, 0 },
	  { 12 * GIB, 2 * GIB, 1 }, { 15 * GIB + 100 * MIB2, 64 * MIB2, 1 } },
};

__thread u32 this_cpu;

static struct area areas[4];
static u32 nr_areas;
static bool is_large, is_sealed;
static struct held held[MAX];
static u32 nr_held;
static struct kho_pool *pool;
static struct kho_pool_owner *owners[OWNERS];
static void *memory;
static struct model_stat *count;

void *phys_to_virt(phys_addr_t phys)
{
	return (u8 *)memory + phys - (layouts[is_large][0].base << SHIFT);
}

#define FAIL_IF(cond)	do { if (cond) return __FILE__ ": " #cond; } while (0)

/*
 * The oracle
 */

static u64 whole(u64 frames)
{
	return frames < MIB2 ? frames : (frames + MIB2 - 1) / MIB2 * MIB2;
}

static void mark(const struct held *h, int value)
{
	struct area *a = &areas[h->region];

	memset(a->taken + h->frame - a->base, value, whole(h->frames));
}

/* Is there a bad frame in one of the blocks? */
static bool any_bad(const struct area *a, u64 frame, u64 frames)
{
	u64 first = frame / MIB2 * MIB2, end = ALIGN(frame + frames, MIB2);

	return a->worn || (a->nr_bad && memchr(a->bad + first, 1, end - first));
}

static bool all_free(const struct area *a, u64 frame, u64 frames)
{
	return frame + frames <= a->frames && !memchr(a->taken + frame, 1, frames) &&
	       !any_bad(a, frame, frames);
}

/* The extent that a small one could share the block with. */
static const struct held *in_block(const struct area *a, u64 frame)
{
	for (u32 i = 0; i < nr_held; i++)
		if (&areas[held[i].region] == a && held[i].frames < MIB2 &&
		    (held[i].frame - a->base) / MIB2 == frame / MIB2)
			return &held[i];
	return NULL;
}

static bool all_claimed(const struct area *a, u64 frame)
{
	for (u32 i = 0; i < nr_held; i++)
		if (&areas[held[i].region] == a && !held[i].claimed &&
		    (held[i].frame - a->base) / MIB2 == frame / MIB2)
			return false;
	return true;
}

/* Is there a place for it in the region?  Looks at each. */
static bool has_place(const struct area *a, u64 frames, u64 align, u32 owner, bool named)
{
	bool small = frames < MIB2;
	u64 unit = max(align, MIB2);

	if (frames > a->frames)
		return false;
	/* Any free block serves a small one. */
	for (u64 f = ALIGN(a->base, unit) - a->base; f < a->frames; f += unit)
		if (all_free(a, f, small ? MIB2 : ALIGN(frames, MIB2)))
			return true;
	for (u64 block = 0; small && block < a->frames; block += MIB2) {
		const struct held *h = in_block(a, block);

		if (!h || h->owner != owner || !all_claimed(a, block) || !h->name[0] == named)
			continue;
		for (u64 f = block; f + frames <= block + MIB2; f++)
			if (!((a->base + f) % align) && all_free(a, f, frames))
				return true;
	}
	return false;
}

static bool usable(u32 region)
{
	return kp_state.region[region].state == KHO_POOL_REGION_OK;
}

static bool place_on(int nid, bool others, u64 frames, u64 align, u32 owner, bool named)
{
	for (u32 i = 0; i < nr_areas; i++) {
		bool on = areas[i].nid == nid;

		if (usable(i) && (nid < 0 || on != others) &&
		    has_place(&areas[i], frames, align, owner, named))
			return true;
	}
	return false;
}

/* Has a region that is nearer to @nid than @far a place? */
static bool place_nearer(int nid, int far, u64 frames, u64 align, u32 owner, bool named)
{
	for (u32 i = 0; i < nr_areas; i++)
		if (usable(i) && node_distance(nid, areas[i].nid) < far &&
		    has_place(&areas[i], frames, align, owner, named))
			return true;
	return false;
}

static struct held *called(const char *name)
{
	for (u32 i = 0; i < nr_held; i++)
		if (!strcmp(held[i].name, name))
			return &held[i];
	return NULL;
}

static struct held *at(u64 frame)
{
	for (u32 i = 0; i < nr_held; i++)
		if (held[i].frame == frame)
			return &held[i];
	return NULL;
}

static void drop(struct held *h)
{
	mark(h, 0);
	*h = held[--nr_held];
}

/* Small extents without a name are claimed with all others in their block. */
static void claim(struct held *h)
{
	h->claimed = true;
	for (u32 i = 0; h->frames < MIB2 && !h->name[0] && i < nr_held; i++)
		if (held[i].region == h->region && held[i].frames < MIB2 &&
		    held[i].frame / MIB2 == h->frame / MIB2)
			held[i].claimed = true;
}

static bool same(const struct held *h, const struct kho_pool_extent *ext)
{
	char owner[8];

	snprintf(owner, sizeof(owner), "o%u", h->owner);
	return ext->phys >> SHIFT == h->frame && ext->size >> SHIFT == h->frames &&
	       ext->unclaimed == !h->claimed && !strcmp(ext->owner, owner) &&
	       !strcmp(ext->name, h->name);
}

static int see(const struct kho_pool_extent *ext, void *data)
{
	struct held *h = at(ext->phys >> SHIFT);
	u32 *seen = data;

	++*seen;
	return h && same(h, ext) ? 0 : 1;
}

static const char *compare(void)
{
	struct kp_stat counted;
	u64 unclaimed = 0, used = 0, free_blocks = 0, free = 0, bad = 0;
	u32 seen = 0;

	FAIL_IF(kho_pool_walk(pool, see, &seen));
	FAIL_IF(seen != nr_held);
	for (u32 i = 0; i < nr_held; i++) {
		unclaimed += !held[i].claimed;
		used += whole(held[i].frames);
	}
	for (u32 i = 0; i < nr_areas; i++) {
		if (!usable(i)) {
			FAIL_IF(memcmp(areas[i].index, areas[i].frozen, areas[i].index_size));
			continue;
		}
		for (u64 f = 0; f < areas[i].frames; f += MIB2) {
			bool whole = all_free(&areas[i], f, MIB2);

			free_blocks += whole;
			free += whole ? MIB2 : 0;
			for (u64 j = f; !whole && !any_bad(&areas[i], f, 1) && j < f + MIB2; j++)
				free += !areas[i].taken[j];
		}
		used -= kp_index_used(&kp_state.region[i].idx);
		/* It need not know of more than it has room for. */
		bad += areas[i].nr_bad;
		FAIL_IF(!areas[i].worn && kp_bad_frames(&kp_state.region[i]) != areas[i].nr_bad);
	}
	FAIL_IF(kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_BAD_FRAMES) > bad);
	FAIL_IF(kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_EXTENTS) != nr_held);
	FAIL_IF(kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_UNCLAIMED) != unclaimed);
	kp_node_count(pool, NUMA_NO_NODE, &counted);
	FAIL_IF(used || counted.free_blocks != free_blocks);
	FAIL_IF(counted.free_frames != free);
	return NULL;
}

/*
 * Kernels
 */

static void attach(u32 i, bool restored, const u64 *csum)
{
	struct kp_region *r = &kp_state.region[i];
	struct area *a = &areas[i];
	int err;

	r->pool = pool;
	r->base = a->base << SHIFT;
	r->size = a->frames << SHIFT;
	r->nid = a->nid;
	r->index_size = a->index_size;
	pool->region[pool->nr_regions++] = r;
	if (restored && r->state != KHO_POOL_REGION_OK)
		return;
	memset(a->vol, 0, a->vol_size);
	r->idx.mem = phys_to_virt(r->base);
	r->idx.read_only = pool->read_only;
	err = kp_index_attach(&r->idx, a->index, a->index_size, a->base, a->frames, SHIFT, a->vol,
			      CPUS);
	if (err)
		r->state = KHO_POOL_REGION_BAD_HEADER;
	else
		err = kp_index_restore(&r->idx, csum);
	if (err == -EBADMSG)
		r->state = KHO_POOL_REGION_BAD_SUM;
	else if (err)
		r->state = err == -EINVAL ? r->state : KHO_POOL_REGION_BAD_INDEX;
}

static void new_kernel(bool read_only)
{
	u32 states[4];

	for (u32 i = 0; i < nr_areas; i++)
		states[i] = kp_state.region[i].state;
	memset(&kp_state, 0, sizeof(kp_state));
	memset(owners, 0, sizeof(owners));
	for (u32 i = 0; i < nr_areas; i++)
		kp_state.region[i].state = states[i];
	kp_state.nr_pools = 1;
	kp_state.nr_regions = nr_areas;
	pool = &kp_state.pool[0];
	strscpy(pool->name, "model", sizeof(pool->name));
	pool->read_only = read_only;
	is_sealed = false;
}

/* All memory is made once: a fuzzer runs this ten thousand times a second. */
static void first_kernel(bool large)
{
	static u64 mapped[2][4];

	is_large = large;
	nr_areas = large ? 4 : 2;
	nr_held = 0;
	if (!memory)
		memory = pages(13 * GIB << SHIFT);
	memset(&kp_state, 0, sizeof(kp_state));
	new_kernel(false);
	for (u32 i = 0; i < nr_areas; i++) {
		static struct area made[2][4];
		struct area *a = &made[large][i];

		if (!mapped[large][i]) {
			a->base = layouts[large][i].base;
			a->frames = layouts[large][i].frames;
			a->nid = layouts[large][i].nid;
			/* Every second one as a kernel has made it that knew of no tables */
			a->index_size = i & 1 ? kp_index_size(a->base, a->frames) :
						kp_index_size_table(a->base, a->frames);
			a->vol_size = kp_index_volatile_size(a->base, a->frames, CPUS);
			a->index = pages(a->index_size);
			a->vol = pages(a->vol_size);
			a->frozen = pages(a->index_size);
			a->taken = pages(a->frames);
			a->bad = pages(a->frames);
			memset(a->index, 0xa5, a->index_size);
			mapped[large][i] = 1;
		}
		areas[i] = *a;
		memset(a->taken, 0, a->frames);
		memset(a->bad, 0, a->frames);
		kp_index_format(a->index, a->index_size, a->base, a->frames, SHIFT, "model");
		attach(i, false, NULL);
	}
}

/* Extents in a quarantined region cannot be reached. */
static void lose(u32 region)
{
	struct area *a = &areas[region];

	memcpy(a->frozen, a->index, a->index_size);
	for (u32 i = nr_held; i-- > 0;)
		if (held[i].region == region)
			drop(&held[i]);
	count->quarantined++;
}

static const char *kexec(const struct op *op)
{
	static struct kp_root root, decoded;
	static u8 page[KHO_POOL_ROOT_SIZE] __aligned(8);
	bool sealed = op->b & 1, read_only = !(op->b & 0x70), damage = !(op->b & 0x780);
	u32 victim = op->a % nr_areas;

	memset(&root, 0, sizeof(root));
	root.frame_size = 1 << SHIFT;
	root.sealed = sealed;
	root.nr_pools = 1;
	root.nr_regions = nr_areas;
	root.incompat = KHO_POOL_INCOMPAT_BAD_TABLE;
	root.ro_compat = read_only ? 2 : 0;
	strscpy(root.pool_name[0], pool->name, sizeof(root.pool_name[0]));
	for (u32 i = 0; i < nr_areas; i++) {
		struct kp_root_region *to = &root.region[i];

		to->base = areas[i].base << SHIFT;
		to->size = areas[i].frames << SHIFT;
		to->index = (u64)(i + 1) << 24;
		to->index_size = areas[i].index_size;
		to->nid = areas[i].nid;
		to->state = kp_state.region[i].state;
		if (usable(i))
			FAIL_IF(!kp_index_seal(&kp_state.region[i].idx, &to->csum, 1));
	}
	FAIL_IF(kp_root_encode(&root, page) < 0);
	FAIL_IF(kp_root_decode(page, 1 << SHIFT, &decoded));
	FAIL_IF(memcmp(&root, &decoded, sizeof(root)));

	if (damage && usable(victim)) {
		struct kho_pool_index_header *h = areas[victim].index;

		/* A reserved bit of an area's word, or of the header. */
		if (op->c & 1)
			h->magic ^= cpu_to_le64(1ULL << op->c % 61);
		else
			*(__le64 *)((u8 *)areas[victim].index + le64_to_cpu(h->areas)) ^=
				cpu_to_le64(0x80);
		lose(victim);
	} else {
		damage = false;
	}
	new_kernel(read_only);
	for (u32 i = 0; i < nr_areas; i++) {
		u32 before = kp_state.region[i].state;
		bool hit = damage && i == victim;

		attach(i, true, decoded.sealed ? &decoded.region[i].csum : NULL);
		FAIL_IF(!hit && kp_state.region[i].state != before);
		FAIL_IF(hit && kp_state.region[i].state == KHO_POOL_REGION_OK);
	}
	for (u32 i = 0; i < nr_held; i++)
		held[i].claimed = false;
	count->restores++;
	return compare();
}

/*
 * Operations
 */

static struct kho_pool_owner *owner(u32 i)
{
	struct kho_pool_owner *owner;
	char name[8];

	if (owners[i])
		return owners[i];
	snprintf(name, sizeof(name), "o%u", i);
	owner = kho_pool_register_owner(pool, name);
	if (!IS_ERR(owner))
		owners[i] = owner;
	return owner;
}

static bool any_usable(void)
{
	for (u32 i = 0; i < nr_areas; i++)
		if (usable(i))
			return true;
	return false;
}

static u64 frames_of(u32 c)
{
	u64 x = c >> 4;

	switch (c % 16) {
	case 0 ... 5:	return 1 + x % 3;
	case 6 ... 9:	return 1 + x % 511;
	case 10 ... 11:	return MIB2;
	case 12:	return MIB2 + x % (3 * MIB2);
	case 13:	return MIB2 * (1 + x % 12);
	case 14:	return MIB2 * (1 + x % 600);
	default:	return x % 4 ? GIB : GIB + x % (2 * GIB);
	}
}

/* Cleared, and then not any more. */
static const char *use(const struct held *h, bool cleared)
{
	for (u64 i = 0; i < min(h->frames, 8 * MIB2); i++) {
		u64 *page = phys_to_virt((h->frame + i) << SHIFT);

		FAIL_IF(cleared && (page[0] || page[511]));
		if (h->frames <= CLEAR)
			page[i % 2 * 511] = h->frame + 1;
	}
	return NULL;
}

static const char *do_alloc(const struct op *op)
{
	struct held h = { .owner = op->b % OWNERS, .claimed = true, .frames = frames_of(op->c) };
	struct kho_pool_owner *who = owner(h.owner);
	struct kho_pool_request req = {
		.size = h.frames << SHIFT,
		.align = op->b & 0x80 ? 1ULL << (SHIFT + (op->b >> 8) % 20) : 0,
		.nid = op->a % 4 == 3 ? NUMA_NO_NODE : op->a % 3,
	};
	bool full_check = !is_large || (op->a + (op->c >> 4)) % 16 == 0, named, strict, there;
	u64 align = req.align ? req.align >> SHIFT : 1;
	phys_addr_t phys = 0;
	const char *wrong;
	int err, first;

	if (IS_ERR(who)) {
		first = PTR_ERR(who);
		if (any_usable())
			FAIL_IF(!(is_sealed && first == -ESHUTDOWN) &&
				!(pool->read_only && first == -EROFS));
		else
			FAIL_IF(first != -EUCLEAN);
		return NULL;
	}
	if (nr_held == MAX)
		return NULL;
	if (h.frames > CLEAR || op->a & 0x10)
		req.flags |= KHO_POOL_NOZERO;
	if (req.nid >= 0 && op->a & 0x20)
		req.flags |= KHO_POOL_THISNODE;
	if (!(op->a & 0xc0)) {
		snprintf(h.name, sizeof(h.name), "n%u", op->c % NAMES);
		req.name = h.name;
	}
	if (op->kind & 0x80) {
		req.size = op->a % 5 == 0 ? 0 : op->a % 5 == 1 ? req.size + 1 : req.size;
		req.align = op->a % 5 == 2 ? 3 << SHIFT : req.align;
		req.flags |= op->a % 5 == 3 ? 0x100 : 0;
		req.nid = op->a % 5 == 4 ? MAX_NUMNODES : req.nid;
		FAIL_IF(kho_pool_alloc(who, &req, &phys) != -EINVAL);
		return NULL;
	}
	named = h.name[0];
	strict = req.flags & KHO_POOL_THISNODE;

	err = kho_pool_alloc(who, &req, &phys);
	if (pool->read_only) {
		FAIL_IF(err != -EROFS);
		return NULL;
	}
	if (named && called(h.name)) {
		FAIL_IF(err != -EEXIST);
		return NULL;
	}
	if (is_sealed && any_usable()) {
		FAIL_IF(err != -ESHUTDOWN && err != (strict ? -ENOSPC : -ENOMEM));
		return NULL;
	}
	there = full_check && place_on(req.nid, false, h.frames, align, h.owner, named);
	if (err) {
		FAIL_IF(err != (strict ? -ENOSPC : -ENOMEM));
		FAIL_IF(there);
		FAIL_IF(full_check && req.nid >= 0 && !strict &&
			place_on(req.nid, true, h.frames, align, h.owner, named));
		count->refused++;
		return NULL;
	}
	h.frame = phys >> SHIFT;
	for (h.region = 0; h.region < nr_areas; h.region++)
		if (h.frame >= areas[h.region].base &&
		    h.frame < areas[h.region].base + areas[h.region].frames)
			break;
	FAIL_IF(h.region == nr_areas || phys & ~PAGE_MASK || h.frame & (align - 1));
	FAIL_IF(!usable(h.region));
	FAIL_IF(!all_free(&areas[h.region], h.frame - areas[h.region].base, whole(h.frames)));
	FAIL_IF(req.nid >= 0 && areas[h.region].nid != req.nid && (strict || there));
	FAIL_IF(req.nid >= 0 && full_check &&
		place_nearer(req.nid, node_distance(req.nid, areas[h.region].nid), h.frames, align,
			     h.owner, named));
	mark(&h, 1);
	held[nr_held++] = h;
	wrong = use(&h, !(req.flags & KHO_POOL_NOZERO));
	count->allocs++;
	return wrong;
}

static int refusal(void)
{
	return pool->read_only ? -EROFS : is_sealed ? -ESHUTDOWN : 0;
}

static const char *do_free(const struct op *op)
{
	struct held *h = &held[nr_held ? op->b % nr_held : 0];
	int err;

	if (!nr_held || IS_ERR(owner(h->owner)))
		return NULL;
	err = kho_pool_free(owner(h->owner), h->frame << SHIFT, h->frames << SHIFT);
	FAIL_IF(err != refusal());
	if (!err) {
		drop(h);
		count->frees++;
	}
	return NULL;
}

static const char *do_bad_free(const struct op *op)
{
	struct held *h = &held[nr_held ? op->b % nr_held : 0];
	struct kho_pool_owner *who = owner(op->a % OWNERS);
	u64 frame = areas[0].base + op->c % areas[0].frames;
	int err = refusal();

	if (IS_ERR(who))
		return NULL;
	if (nr_held) {
		int got = kho_pool_free(who, h->frame << SHIFT, (h->frames + 1) << SHIFT);

		FAIL_IF(got != (err ?: -EINVAL));
		if (h->owner != op->a % OWNERS) {
			got = kho_pool_free(who, h->frame << SHIFT, h->frames << SHIFT);
			FAIL_IF(got != (err ?: -EINVAL));
		}
	}
	if (!at(frame) && usable(0))
		FAIL_IF(kho_pool_free(who, frame << SHIFT, PAGE_SIZE) != (err ?: -ENOENT));
	if (!pool->read_only)
		FAIL_IF(kho_pool_free(who, 1, PAGE_SIZE) != -EINVAL);
	return NULL;
}

static const char *do_claim(const struct op *op)
{
	struct kho_pool_owner *who = owner(op->a % OWNERS);
	struct kho_pool_extent ext;
	struct held *h;
	char name[8];
	int err;

	snprintf(name, sizeof(name), "n%u", op->c % NAMES);
	h = called(name);
	err = kho_pool_lookup(pool, name, &ext);
	FAIL_IF(err != (h ? 0 : -ENOENT));
	FAIL_IF(h && !same(h, &ext));
	if (IS_ERR(who))
		return NULL;
	err = kho_pool_claim(who, name, &ext);
	FAIL_IF(!h && err != -ENOENT);
	if (!h)
		return NULL;
	if (h->owner != op->a % OWNERS) {
		FAIL_IF(err != -EACCES);
		return NULL;
	}
	FAIL_IF(err != (h->claimed ? -EALREADY : 0));
	claim(h);
	return NULL;
}

static const char *do_claim_all(const struct op *op)
{
	u32 who = op->a % OWNERS, seen = 0, nr = 0;

	if (IS_ERR(owner(who)))
		return NULL;
	for (u32 i = 0; i < nr_held; i++)
		nr += held[i].owner == who;
	/* Each is shown as it was before. */
	FAIL_IF(kho_pool_claim_all(owner(who), see, &seen));
	FAIL_IF(seen != nr);
	for (u32 i = 0; i < nr_held; i++)
		if (held[i].owner == who)
			held[i].claimed = true;
	return compare();
}

static const char *do_release(const struct op *op)
{
	struct held *h;
	char name[8];
	int err;

	snprintf(name, sizeof(name), "n%u", op->c % NAMES);
	h = called(name);
	err = kho_pool_release(pool, name);
	if (pool->read_only)
		FAIL_IF(err != -EROFS);
	else if (!h)
		FAIL_IF(err != -ENOENT);
	else
		FAIL_IF(err != (refusal() ?: h->claimed ? -EBUSY : 0));
	if (!err)
		drop(h);
	return NULL;
}

static const char *do_release_owner(const struct op *op)
{
	u32 who = op->a % OWNERS;
	char name[8];
	int err, nr = 0;

	for (u32 i = 0; i < nr_held; i++)
		nr += held[i].owner == who && !held[i].claimed;
	snprintf(name, sizeof(name), "o%u", who);
	err = kho_pool_release_owner(pool, name);
	if (pool->read_only)
		FAIL_IF(err != -EROFS);
	else if (!nr)
		FAIL_IF(err != -ENOENT);
	else
		FAIL_IF(err != (refusal() ?: nr));
	for (u32 i = nr_held; err > 0 && i-- > 0;)
		if (held[i].owner == who && !held[i].claimed)
			drop(&held[i]);
	return compare();
}

/* What kp_seal() and kp_unseal() do with the indexes. */
static const char *do_seal(const struct op *op)
{
	for (u32 i = 0; i < nr_areas; i++) {
		struct kp_index *idx = &kp_state.region[i].idx;
		u64 csum;

		if (!usable(i))
			continue;
		if (is_sealed) {
			whole_unseal(idx, &idx->pcpu[this_cpu]);
		} else {
			FAIL_IF(!kp_index_seal(idx, &csum, 1));
			FAIL_IF(csum != kp_index_csum(idx));
		}
	}
	is_sealed = !is_sealed;
	return NULL;
}

/* The reported largest size can be allocated, and nothing larger. */
static const char *do_largest(const struct op *op)
{
	struct kho_pool_request req = { .nid = NUMA_NO_NODE, .flags = KHO_POOL_NOZERO };
	struct kho_pool_owner *who = owner(0);
	struct kp_stat stat;
	phys_addr_t phys;

	if (IS_ERR(who) || refusal())
		return NULL;
	kp_node_count(pool, NUMA_NO_NODE, &stat);
	if (stat.largest < MIB2)
		return NULL;
	req.size = (stat.largest + 1) << SHIFT;
	FAIL_IF(kho_pool_alloc(who, &req, &phys) != -ENOMEM);
	req.size = stat.largest << SHIFT;
	FAIL_IF(kho_pool_alloc(who, &req, &phys));
	FAIL_IF(kho_pool_free(who, phys, req.size));
	return NULL;
}

static const char *do_assign(const struct op *op)
{
	struct held *h = &held[nr_held ? op->b % nr_held : 0];
	u32 to = op->a % OWNERS;
	int err;

	if (!nr_held || IS_ERR(owner(h->owner)) || IS_ERR(owner(to)))
		return NULL;
	err = kho_pool_assign(owner(h->owner), owner(to), h->frame << SHIFT, h->frames << SHIFT);
	FAIL_IF(err != (refusal() ?: h->frames < MIB2 ? -EINVAL : 0));
	if (!err)
		h->owner = to;
	if (err || h->owner == (op->c & 7))
		return compare();
	err = kho_pool_assign(owner(to), owner(to), h->frame << SHIFT, (h->frames + 1) << SHIFT);
	FAIL_IF(err != -EINVAL);
	err = kho_pool_assign(owner((to + 1) % OWNERS), owner(to), h->frame << SHIFT,
			      h->frames << SHIFT);
	FAIL_IF(err != -EINVAL);
	return compare();
}

/* Blocks of the region that have a bad frame */
static u64 bad_blocks(const struct area *a)
{
	u64 nr = 0;

	for (u64 f = 0; f < a->frames; f += MIB2)
		nr += !!memchr(a->bad + f, 1, MIB2);
	return nr;
}

/* Memory errors, in extents or not: one, some adjacent ones, or very many. */
static const char *do_bad(const struct op *op)
{
	u32 region = op->a % nr_areas, nr = op->b & 0xf ? 1 + op->b % 4 : 40;
	const struct held *h = nr_held ? &held[op->c % nr_held] : NULL;
	struct area *a = &areas[region];
	u64 first = op->c % a->frames, step = nr == 40 ? 77 : 1;
	u32 words = kp_state.region[region].idx.nr_bad_words;
	bool all_bad = false;

	if (h && op->b & 0x100 && h->region == region)
		first = h->frame - a->base + op->a % h->frames;
	for (u64 f = first; nr-- && f < a->frames; f += step) {
		bool known = kho_pool_memory_failure(a->base + f);

		FAIL_IF(known != (usable(region) && !pool->read_only));
		if (!known)
			continue;
		all_bad = kp_state.region[region].idx.all_bad;
		a->nr_bad += !a->bad[f];
		a->bad[f] = 1;
		a->worn |= all_bad;
		FAIL_IF(all_bad != a->worn);
		/* A word has at least one frame, and frames of one block. */
		FAIL_IF(all_bad && a->nr_bad < words);
		FAIL_IF(!all_bad && bad_blocks(a) >= words);
	}
	FAIL_IF(kho_pool_memory_failure(areas[0].base - 1));
	return compare();
}

static const struct {
	const char *name;
	const char *(*run)(const struct op *op);
} kinds[] = {
	{ "alloc", do_alloc }, { "free", do_free }, { "bad-free", do_bad_free },
	{ "claim", do_claim }, { "claim-all", do_claim_all }, { "release", do_release },
	{ "release-owner", do_release_owner }, { "seal", do_seal }, { "kexec", kexec },
	{ "largest", do_largest }, { "assign", do_assign }, { "bad", do_bad },
};

/* Allocs and frees are most of it; the rest has a sixteenth or less each. */
static u32 kind_of(const struct op *op)
{
	u32 k = op->kind & 0x7f;

	if (k < 10)
		return 2 + k;
	return k < 72 ? 0 : 1;
}

void model_print(const struct op *op)
{
	printf("%02x %02x %04x %08x\t# %s", op->kind, op->a, op->b, op->c,
	       kinds[kind_of(op)].name);
	if (!kind_of(op))
		printf(" of %llu frames", (unsigned long long)frames_of(op->c));
	printf("\n");
}

const char *model_run(const struct op *ops, u32 nr, bool large, u32 *at, struct model_stat *stat)
{
	static char where[64];

	count = stat;
	first_kernel(large);
	for (*at = 0; *at < nr; ++*at) {
		const struct op *op = &ops[*at];
		const char *wrong;

		this_cpu = (op->kind ^ op->a) % CPUS;
		wrong = kinds[kind_of(op)].run(op);
		if (wrong)
			return wrong;
		for (u32 i = 0; i < nr_areas; i++) {
			int line = usable(i) ? kp_index_validate(&kp_state.region[i].idx) : 0;

			if (!line)
				continue;
			snprintf(where, sizeof(where), "region %u: validate.c:%d", i, line);
			return where;
		}
	}
	return compare();
}
