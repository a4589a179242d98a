// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Pool locking and contexts
 *
 * kho_pool.name_lock is taken outside of the index's locks, by look-ups, walks and
 * claims.  Names are unique in a pool, and an index knows only those of its own region.
 * Therefore an allocation with a name reserves it under name_lock first, in a list, and
 * searches without that lock.
 *
 * All locks are raw spinlocks and are taken with interrupts disabled, for some 20 us at
 * most: what takes longer is done in steps, with interrupts enabled in between.  Freeing
 * works in any context but NMI and never sleeps.  So does allocating with
 * KHO_POOL_ATOMIC; without it, an allocation may sleep.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kho_pool_expose.h>
#include <linux/irqflags.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/topology.h>
#include <trace/events/kho_pool.h>

#include "pool.h"

/* How often to search for memory while others free some; interrupts are on in between. */
#define ALLOC_TRIES	16

struct kp_state kp_state;

struct kp_pcpu *kp_this_pcpu(struct kp_region *r)
{
	return &r->idx.pcpu[smp_processor_id()];
}

const char *kp_region_reason(u32 state)
{
	switch (state) {
	case KHO_POOL_REGION_OK:
		return "ok";
	case KHO_POOL_REGION_BAD_HEADER:
		return "index header is damaged";
	case KHO_POOL_REGION_BAD_SUM:
		return "index is not what was sealed";
	case KHO_POOL_REGION_UNREAD:
		return "there was no memory for its free lists";
	default:
		return "index contradicts itself";
	}
}

/**
 * kho_pool_find - look up a pool
 * @name: its name, or NULL for the first one
 *
 * Context: any.  Pools exist from early boot on and never go away.
 *
 * Return: the pool, or NULL.
 */
struct kho_pool *kho_pool_find(const char *name)
{
	struct kho_pool *pool;

	for_each_pool(pool)
		if (!name || !strcmp(pool->name, name))
			return pool;
	return NULL;
}
EXPORT_SYMBOL_GPL(kho_pool_find);

/**
 * kho_pool_next - iterate over all pools
 * @pool: the previous one, or NULL to begin
 *
 * Context: any.
 *
 * Return: the next one, or NULL.
 */
struct kho_pool *kho_pool_next(struct kho_pool *pool)
{
	pool = pool ? pool + 1 : kp_state.pool;
	return pool < kp_state.pool + kp_state.nr_pools ? pool : NULL;
}
EXPORT_SYMBOL_GPL(kho_pool_next);

/**
 * kho_pool_name - the name of a pool
 * @pool: the pool
 *
 * Context: any.
 *
 * Return: the name, which stays valid until the kernel ends.
 */
const char *kho_pool_name(const struct kho_pool *pool)
{
	return pool->name;
}
EXPORT_SYMBOL_GPL(kho_pool_name);

/*
 * Is there a region that this kernel could not read, but that a later kernel may use
 * again?  Its names and owners are unknown.
 */
static bool kp_has_unread(const struct kho_pool *pool)
{
	for (u32 i = 0; i < pool->nr_regions; i++)
		if (pool->region[i]->state == KHO_POOL_REGION_UNREAD)
			return true;
	return false;
}

/*
 * Owners have the same slot in each region.  The pool knows them all: to read the tables
 * of 60 regions whenever one is registered would take long, with interrupts off.
 */

/* The region may have an owner in this slot. */
static void kp_know_owner(struct kho_pool_owner *owner, const struct kp_region *r, int id)
{
	if (r->idx.owners[id].name[0])
		owner->name = r->idx.owners[id].name;
}

static bool kp_owner_used(const struct kho_pool_owner *owner)
{
	return owner->name && owner->name[0];
}

/* Read the tables of regions that are not known yet, one in a step. */
static void kp_know_owners(struct kho_pool *pool)
{
	bool more;

	do {
		struct kp_region *r;

		guard(raw_spinlock_irqsave)(&pool->name_lock);
		r = kp_next_region(pool, &pool->owners_known);
		more = r;
		for (int id = 1; r && id < KHO_POOL_OWNERS; id++)
			kp_know_owner(&pool->owner[id], r, id);
		pool->owners_known += more;
	} while (more);
}

/* The slot that @name has, or else a slot that nobody has. */
static int kp_owner_slot(struct kho_pool *pool, const char *name)
{
	int unused = -ENOSPC;

	for (int id = KHO_POOL_OWNERS - 1; id > 0; id--) {
		if (!kp_owner_used(&pool->owner[id]))
			unused = id;
		else if (!strncmp(pool->owner[id].name, name, KHO_POOL_OWNER_MAX))
			return id;
	}
	return kp_has_unread(pool) ? -EUCLEAN : unused;
}

/* How far a walk over all extents has come; all zero at first */
struct kp_walk {
	u32 region;
	u64 frame;
	struct kp_extent ext;	/* the one that was found */
};

/*
 * The next extent in this region or a later one, in steps: NULL if there is none, or
 * ERR_PTR(-EAGAIN) to call it again, with interrupts enabled in between.
 */
static struct kp_region *kp_next_extent(struct kho_pool *pool, struct kp_walk *walk)
{
	while (walk->region < pool->nr_regions) {
		struct kp_region *r = pool->region[walk->region];
		int err = -ENOENT;

		if (kp_region_ok(r))
			err = kp_index_next(&r->idx, &walk->frame, &walk->ext);
		if (!err)
			return r;
		if (err != -EAGAIN) {
			walk->region++;
			walk->frame = 0;
		}
		return ERR_PTR(-EAGAIN);
	}
	return NULL;
}

/* Owners who have extents, or have had one a moment ago, of all that there are */
static u64 kp_owners_in_use(struct kho_pool *pool)
{
	struct kp_walk walk = {};
	struct kp_region *r;
	u64 used = 0;

	do {
		scoped_guard(raw_spinlock_irqsave, &pool->name_lock)
			r = kp_next_extent(pool, &walk);
		if (!IS_ERR_OR_NULL(r))
			used |= BIT_ULL(walk.ext.owner);
	} while (r);
	return used;
}

/* Write the owner into every region, with name_lock held. */
static struct kho_pool_owner *kp_write_owner(struct kho_pool *pool, int id, const char *name)
{
	struct kho_pool_owner *owner = &pool->owner[id];
	struct kp_region *r;
	int err = -EUCLEAN;
	u32 i;

	for_each_pool_region(pool, r, i) {
		if (!strncmp(r->idx.owners[id].name, name, KHO_POOL_OWNER_MAX))
			err = 0;
		else if (pool->read_only)
			err = -EROFS;
		else
			err = kp_owner_set(&r->idx, kp_this_pcpu(r), id, name);
		if (err)
			return ERR_PTR(err);
		kp_know_owner(owner, r, id);
	}
	if (err)
		return ERR_PTR(err);
	owner->pool = pool;
	owner->id = id;
	return owner;
}

static struct kho_pool_owner *kp_register(struct kho_pool *pool, const char *name,
					  const struct module *module)
{
	struct kho_pool_owner *owner;
	int id;

	guard(raw_spinlock_irqsave)(&pool->name_lock);
	id = kp_owner_slot(pool, name);
	if (id < 0)
		return ERR_PTR(id);
	if (pool->owner[id].users && pool->owner[id].module != module)
		return ERR_PTR(-EBUSY);
	owner = kp_write_owner(pool, id, name);
	if (IS_ERR(owner))
		return owner;
	owner->module = module;
	owner->users++;
	pool->registrations++;
	return owner;
}

/* Nobody uses the slot; name_lock is held. */
static void kp_clear_owner(struct kho_pool *pool, int id)
{
	struct kho_pool_owner *owner = &pool->owner[id];
	struct kp_region *r;
	u32 i;

	for_each_pool_region(pool, r, i) {
		kp_owner_clear(&r->idx, kp_this_pcpu(r), id);
		/* After the seal it stays. */
		kp_know_owner(owner, r, id);
	}
}

/*
 * Make the slots free that are neither in use, in @used, nor registered, one in a step.
 * False if someone has registered since, or left: whoever came may have got an extent
 * behind the walk, and gone.
 */
static bool kp_clear_owners(struct kho_pool *pool, u64 used, u32 registrations)
{
	for (int id = 1; id < KHO_POOL_OWNERS; id++) {
		guard(raw_spinlock_irqsave)(&pool->name_lock);
		if (pool->registrations != registrations)
			return false;
		if (!(used >> id & 1) && !pool->owner[id].users &&
		    kp_owner_used(&pool->owner[id]))
			kp_clear_owner(pool, id);
	}
	return true;
}

/* Make room for owners, unless some come and go all the time. */
static void kp_collect_owners(struct kho_pool *pool)
{
	u32 before;

	for (int tries = 0; tries < ALLOC_TRIES; tries++) {
		scoped_guard(raw_spinlock_irqsave, &pool->name_lock)
			before = pool->registrations;
		if (kp_clear_owners(pool, kp_owners_in_use(pool), before))
			return;
	}
}

/**
 * __kho_pool_register_owner - get a name under which to own extents
 * @pool: the pool
 * @name: 1 to 31 ASCII letters, digits, '-', '_' and '.', no dot first; the same one in
 *	every kernel
 * @module: THIS_MODULE, which the macro kho_pool_register_owner() passes
 *
 * Registering the same name in a later kernel returns the owner of the same extents.  In
 * this kernel the name belongs to @module until it has called kho_pool_unregister_owner()
 * as often as this, which it does when it is unloaded.
 *
 * A pool has room for 63 owners.  If there is none left, owners that have no extent and are
 * not registered make room; finding them takes as long as a walk over all extents.
 *
 * Context: any but NMI.  Takes the pool's name_lock.
 *
 * Return: the owner, or ERR_PTR: -EINVAL for a bad name, -EBUSY if the name belongs to
 * another module, -ENOSPC, -ESHUTDOWN after the seal, -EROFS for a read-only pool, -EUCLEAN
 * if all of it is quarantined, or for a new owner if a region could not be read for lack of
 * memory, so that its owners are unknown.
 */
struct kho_pool_owner *__kho_pool_register_owner(struct kho_pool *pool, const char *name,
						 const struct module *module)
{
	struct kho_pool_owner *owner;

	if (!pool || !kp_name_valid(name, KHO_POOL_OWNER_MAX))
		return ERR_PTR(-EINVAL);
	kp_know_owners(pool);
	owner = kp_register(pool, name, module);
	if (owner != ERR_PTR(-ENOSPC) || pool->read_only)
		return owner;
	kp_collect_owners(pool);
	return kp_register(pool, name, module);
}
EXPORT_SYMBOL_GPL(__kho_pool_register_owner);

/**
 * kho_pool_unregister_owner - the caller does not use the owner any more
 * @owner: the owner
 *
 * Its extents stay: whoever registers the same name next has them.
 *
 * Context: any but NMI.  Takes the pool's name_lock.
 */
void kho_pool_unregister_owner(struct kho_pool_owner *owner)
{
	struct kho_pool *pool = owner->pool;

	guard(raw_spinlock_irqsave)(&pool->name_lock);
	owner->users--;
	pool->registrations++;
}
EXPORT_SYMBOL_GPL(kho_pool_unregister_owner);

/**
 * kho_pool_user_owner - the owner of what user space creates
 * @pool: the pool
 *
 * It belongs to the kernel itself.
 *
 * Context: any but NMI.  Takes the pool's name_lock.
 *
 * Return: as __kho_pool_register_owner().
 */
struct kho_pool_owner *kho_pool_user_owner(struct kho_pool *pool)
{
	return __kho_pool_register_owner(pool, KHO_POOL_USER, NULL);
}
EXPORT_SYMBOL_GPL(kho_pool_user_owner);

/* Where the name is in use, with name_lock held. */
static struct kp_region *kp_find_name(struct kho_pool *pool, const char *name, u64 *frame)
{
	struct kp_region *r;
	u32 i;

	for_each_pool_region(pool, r, i)
		if (!kp_name_find(&r->idx, name, frame))
			return r;
	return NULL;
}

/* The extent called @name.  It may be freed and its memory reused at any time. */
static struct kp_region *kp_find_extent(struct kho_pool *pool, const char *name,
					struct kp_extent *ext)
{
	struct kp_region *r;
	u64 frame;

	r = kp_find_name(pool, name, &frame);
	if (!r || kp_index_find(&r->idx, frame, ext) || strcmp(ext->name, name))
		return NULL;
	return r;
}

/* The distance from @nid to the region: 0 if it is on @nid. */
static int kp_distance(int nid, const struct kp_region *r)
{
	if (r->nid == nid)
		return 0;
	return r->nid == NUMA_NO_NODE ? INT_MAX : node_distance(nid, r->nid);
}

/* All steps of a search in one region */
static int kp_alloc_in(struct kp_region *r, const struct kp_request *req, struct kp_alloc *alloc)
{
	unsigned long irqs;
	int err;

	kp_begin_alloc(alloc, req);
	do {
		local_irq_save(irqs);
		err = kp_index_alloc(&r->idx, kp_this_pcpu(r), alloc);
		local_irq_restore(irqs);
	} while (err == -EAGAIN);
	return err;
}

/* What is left of a freed extent */
void kp_give_rest(struct kp_region *r, struct kp_rest *rest)
{
	unsigned long irqs;

	while (rest->nr) {
		local_irq_save(irqs);
		kp_index_give(&r->idx, kp_this_pcpu(r), rest);
		local_irq_restore(irqs);
	}
}

/* Try the regions at distance @far from @nid; *@next is the next distance, or -1. */
static struct kp_region *kp_alloc_from(struct kho_pool *pool, const struct kp_request *req, int nid,
				       int far, struct kp_alloc *alloc, int *err, int *next)
{
	struct kp_region *r;
	u32 i;

	*next = -1;
	for_each_pool_region(pool, r, i) {
		int d = kp_distance(nid, r);

		if (d > far && (*next < 0 || d < *next))
			*next = d;
		if (d != far)
			continue;
		*err = kp_alloc_in(r, req, alloc);
		if (!*err)
			return r;
		if (*err == -ESHUTDOWN) {
			*next = -1;
			break;
		}
	}
	return NULL;
}

/* Try the regions of @nid, and unless @strict those of other nodes, nearest first. */
static struct kp_region *kp_alloc_anywhere(struct kho_pool *pool, const struct kp_request *req,
					   int nid, bool strict, struct kp_alloc *alloc,
					   int *err)
{
	struct kp_region *r;
	int far = 0, next;

	*err = -ENOMEM;
	do {
		r = kp_alloc_from(pool, req, nid, far, alloc, err, &next);
		far = next;
	} while (!r && !strict && far >= 0);
	/* Memory may be free on another node. */
	if (!r && strict && *err == -ENOMEM)
		*err = -ENOSPC;
	return r;
}

/* The name of an extent that is being allocated; on the stack of who does that. */
struct kp_named {
	struct kp_named *next;
	const char *name;
};

/* With name_lock held. */
static bool kp_has_name(struct kho_pool *pool, const char *name)
{
	u64 frame;

	for (struct kp_named *other = pool->named; other; other = other->next)
		if (!strcmp(other->name, name))
			return true;
	return kp_find_name(pool, name, &frame);
}

/**
 * kp_name_in_use - is there an extent of that name, or is it being allocated?
 * @pool: the pool
 * @name: the name
 *
 * Context: any but NMI.  Takes the pool's name_lock.
 *
 * Return: true if so.
 */
bool kp_name_in_use(struct kho_pool *pool, const char *name)
{
	guard(raw_spinlock_irqsave)(&pool->name_lock);
	return kp_has_name(pool, name);
}

static int kp_reserve_name(struct kho_pool *pool, struct kp_named *named)
{
	guard(raw_spinlock_irqsave)(&pool->name_lock);
	if (kp_has_name(pool, named->name))
		return -EEXIST;
	if (kp_has_unread(pool))
		return -EUCLEAN;
	named->next = pool->named;
	pool->named = named;
	return 0;
}

static void kp_unreserve_name(struct kho_pool *pool, struct kp_named *named)
{
	struct kp_named **p = &pool->named;

	guard(raw_spinlock_irqsave)(&pool->name_lock);
	while (*p != named)
		p = &(*p)->next;
	*p = named->next;
}

/* How often something came free in this kernel, see kp_index_gains() */
static u64 kp_pool_gains(struct kho_pool *pool, bool *moving)
{
	struct kp_region *r;
	u64 gains = 0;
	u32 i;

	*moving = false;
	for_each_pool_region(pool, r, i) {
		bool here;

		gains += kp_index_gains(&r->idx, &here);
		*moving |= here;
	}
	return gains;
}

/* Clearing a few GiB takes a second, and perhaps nobody wants them any more. */
static bool kp_clear(void *mem, u64 size, bool may_sleep)
{
	while (size) {
		u64 now = min_t(u64, size, SZ_2M);

		memset(mem, 0, now);
		mem += now;
		size -= now;
		if (!may_sleep)
			continue;
		if (size && fatal_signal_pending(current))
			return false;
		cond_resched();
	}
	return true;
}

/* Clear the extent, and make it known. */
static int kp_finish(struct kp_region *r, struct kp_alloc *alloc, u64 size, bool may_sleep)
{
	bool done = kp_clear(kho_pool_virt(r->base + (alloc->frame << PAGE_SHIFT)), size,
			     may_sleep);
	struct kp_rest rest;
	unsigned long irqs;
	int err = -EINTR;

	local_irq_save(irqs);
	if (done)
		err = kp_index_confirm(&r->idx, kp_this_pcpu(r), alloc);
	else
		kp_index_drop(&r->idx, kp_this_pcpu(r), alloc, &rest);
	local_irq_restore(irqs);
	if (!done)
		kp_give_rest(r, &rest);
	return err;
}

static void kp_failed(struct kho_pool *pool)
{
	atomic64_inc(&pool->failures);
	kp_notify(pool, KP_CHANGED_FAILURES);
}

/* Search until nothing comes free behind the search; clear what was found. */
static int kp_search(struct kho_pool *pool, const struct kp_request *req, int nid,
		     unsigned int flags, phys_addr_t *phys)
{
	struct kp_alloc alloc;
	u64 gains = 0, last;
	struct kp_region *r;
	int tries = 0, err;
	bool moving;

	do {
		last = gains;
		r = kp_alloc_anywhere(pool, req, nid, flags & KHO_POOL_THISNODE, &alloc, &err);
		if (r || (err != -ENOMEM && err != -ENOSPC))
			break;
		gains = kp_pool_gains(pool, &moving);
	} while ((gains != last || moving) && tries++ < ALLOC_TRIES);
	if (!r) {
		kp_failed(pool);
		return err;
	}
	*phys = r->base + (alloc.frame << PAGE_SHIFT);
	if (!alloc.unconfirmed)
		return 0;
	return kp_finish(r, &alloc, req->frames << PAGE_SHIFT, !(flags & KHO_POOL_ATOMIC));
}

static int kp_alloc(struct kho_pool_owner *owner, const struct kho_pool_request *req,
		    phys_addr_t *phys)
{
	u64 align = req->align ?: PAGE_SIZE;
	int nid = req->nid == NUMA_NO_NODE ? numa_mem_id() : req->nid;
	struct kho_pool *pool = owner->pool;
	struct kp_named named = { .name = req->name };
	struct kp_request r_req = {
		.frames = req->size >> PAGE_SHIFT,
		.align = align >> PAGE_SHIFT,
		.owner = owner->id,
		.clear = !(req->flags & KHO_POOL_NOZERO),
		.name = req->name,
	};
	int err;

	might_sleep_if(!(req->flags & KHO_POOL_ATOMIC));
	if (!req->size || req->size & ~PAGE_MASK || align & ~PAGE_MASK || !is_power_of_2(align) ||
	    req->flags & ~(KHO_POOL_NOZERO | KHO_POOL_THISNODE | KHO_POOL_ATOMIC) ||
	    (req->flags & KHO_POOL_ATOMIC && r_req.clear && req->size > KHO_POOL_ATOMIC_CLEAR) ||
	    (req->nid != NUMA_NO_NODE && (req->nid < 0 || req->nid >= MAX_NUMNODES)) ||
	    (req->nid == NUMA_NO_NODE && req->flags & KHO_POOL_THISNODE) ||
	    (req->name && !kp_name_valid(req->name, KHO_POOL_NAME_MAX)))
		return -EINVAL;
	if (pool->read_only)
		return -EROFS;

	if (!req->name)
		return kp_search(pool, &r_req, nid, req->flags, phys);
	err = kp_reserve_name(pool, &named);
	if (err) {
		kp_failed(pool);
		return err;
	}
	err = kp_search(pool, &r_req, nid, req->flags, phys);
	kp_unreserve_name(pool, &named);
	return err;
}

/**
 * kho_pool_alloc - allocate an extent that survives kexec
 * @owner: its owner
 * @req: the request, see &struct kho_pool_request
 * @phys: the address of its first byte
 *
 * When this returns, the extent is in the persistent index: no further step is
 * needed to preserve it.  The memory is cleared unless KHO_POOL_NOZERO is set.
 * Clearing gigabytes takes long; a fatal signal ends it, and nothing is allocated then.
 * The memory has no struct pages; use kho_pool_virt().
 *
 * Without KHO_POOL_THISNODE the node is a preference: if it has no such extent free,
 * other nodes are tried, nearest first.
 *
 * If others free memory during a search that finds none, it is repeated, up to 16
 * times, because they may have freed it where the search had been already.
 *
 * Context: process context, may sleep.  With KHO_POOL_ATOMIC any but NMI, and never
 * sleeps; then at most KHO_POOL_ATOMIC_CLEAR bytes can be cleared.
 *
 * Return: 0; -EINVAL for an invalid request, -ENOMEM if no such extent is free,
 * -ENOSPC if none is free on the required node or if there is no room for another
 * name, -EEXIST if the name is taken or is just being taken, -EINTR after a fatal
 * signal, -ESHUTDOWN after the seal, -EROFS if the pool
 * is read-only, -EUCLEAN if a name is requested while a region could not be read for
 * lack of memory: a later kernel may read it, and find the same name there.
 */
int kho_pool_alloc(struct kho_pool_owner *owner, const struct kho_pool_request *req,
		   phys_addr_t *phys)
{
	int err = kp_alloc(owner, req, phys);

	trace_kho_pool_alloc(owner->pool->name, owner->name, req, err ? 0 : *phys, err);
	return err;
}
EXPORT_SYMBOL_GPL(kho_pool_alloc);

/**
 * kp_region_at - the region that an address is in
 * @phys: the address
 *
 * Context: any.
 *
 * Return: the region, in any pool and any state, or NULL.
 */
struct kp_region *kp_region_at(phys_addr_t phys)
{
	struct kp_region *r;

	for_each_region(r)
		if (phys >= r->base && phys - r->base < r->size)
			return r;
	return NULL;
}

/* The same in that pool, and in use. */
static struct kp_region *kp_region_of(struct kho_pool *pool, phys_addr_t phys)
{
	struct kp_region *r;
	u32 i;

	for_each_pool_region(pool, r, i)
		if (phys >= r->base && phys - r->base < r->size)
			return r;
	return NULL;
}

/**
 * kho_pool_free - free an extent
 * @owner: its owner
 * @phys: as returned by kho_pool_alloc()
 * @size: bytes, as requested
 *
 * Context: any but NMI.  Never sleeps.
 *
 * Return: 0, or an error with nothing changed: -ENOENT if no extent begins at @phys,
 * -EINVAL if it has another size or owner or @phys is not in the pool (both are
 * counted, and the first ones are logged), -ESHUTDOWN after the seal, -EROFS if the
 * pool is read-only.
 */
int kho_pool_free(struct kho_pool_owner *owner, phys_addr_t phys, u64 size)
{
	struct kho_pool *pool = owner->pool;
	struct kp_rest rest = {};
	struct kp_region *r;
	unsigned long irqs;
	int err = -EINVAL;

	r = kp_region_of(pool, phys);
	if (pool->read_only) {
		err = -EROFS;
	} else if (r && !((phys | size) & ~PAGE_MASK)) {
		local_irq_save(irqs);
		err = kp_index_free(&r->idx, kp_this_pcpu(r), (phys - r->base) >> PAGE_SHIFT,
				    size >> PAGE_SHIFT, owner->id, &rest);
		local_irq_restore(irqs);
		kp_give_rest(r, &rest);
	}
	trace_kho_pool_free(pool->name, owner->name, phys, size, err);
	if (err && err != -ESHUTDOWN && err != -EROFS) {
		atomic64_inc(&pool->bad_frees);
		pr_warn_ratelimited("%s: %pa, %llu bytes: freed but %s\n", pool->name, &phys, size,
				    err == -ENOENT ? "not allocated" :
				    "not of this size and owner");
	}
	return err;
}
EXPORT_SYMBOL_GPL(kho_pool_free);

static void kp_describe(struct kp_region *r, const struct kp_extent *from,
			struct kho_pool_extent *to)
{
	to->phys = r->base + (from->frame << PAGE_SHIFT);
	to->nid = r->nid;
	to->size = from->frames << PAGE_SHIFT;
	to->unclaimed = from->unclaimed;
	strscpy_pad(to->owner, r->idx.owners[from->owner].name);
	strscpy_pad(to->name, from->name);
}

/**
 * kho_pool_lookup - find an extent by its name
 * @pool: the pool
 * @name: the extent's
 * @ext: the extent
 *
 * Context: any but NMI.  Takes the pool's name_lock.
 *
 * Return: 0 or -ENOENT.
 */
int kho_pool_lookup(struct kho_pool *pool, const char *name, struct kho_pool_extent *ext)
{
	struct kp_extent found;
	struct kp_region *r;

	guard(raw_spinlock_irqsave)(&pool->name_lock);
	r = kp_find_extent(pool, name, &found);
	if (!r)
		return -ENOENT;
	kp_describe(r, &found, ext);
	return 0;
}
EXPORT_SYMBOL_GPL(kho_pool_lookup);

/**
 * kho_pool_walk - call a function for every extent of a pool
 * @pool: the pool
 * @fn: called in the caller's context with no lock held; any value but 0 ends the
 *	walk.  It may free the extent.
 * @data: for @fn
 *
 * Extents that are allocated or freed meanwhile may or may not be seen.
 *
 * Context: any but NMI.
 *
 * Return: 0, or what @fn returned.
 */
int kho_pool_walk(struct kho_pool *pool,
		  int (*fn)(const struct kho_pool_extent *ext, void *data), void *data)
{
	struct kp_walk walk = {};

	for (;;) {
		struct kho_pool_extent ext;
		struct kp_region *r;
		int err;

		scoped_guard(raw_spinlock_irqsave, &pool->name_lock) {
			r = kp_next_extent(pool, &walk);
			if (!IS_ERR_OR_NULL(r))
				kp_describe(r, &walk.ext, &ext);
		}
		if (!r)
			return 0;
		if (IS_ERR(r))
			continue;
		err = fn(&ext, data);
		if (err)
			return err;
	}
}
EXPORT_SYMBOL_GPL(kho_pool_walk);

static int kp_claim(struct kho_pool_owner *owner, const char *name, struct kho_pool_extent *ext)
{
	struct kho_pool *pool = owner->pool;
	struct kp_extent found;
	struct kp_region *r;
	int err;

	guard(raw_spinlock_irqsave)(&pool->name_lock);
	r = kp_find_extent(pool, name, &found);
	if (!r)
		return -ENOENT;
	if (found.owner != owner->id)
		return -EACCES;
	kp_describe(r, &found, ext);
	err = kp_index_claim(&r->idx, kp_this_pcpu(r), found.frame, found.frames, owner->id);
	if (!err)
		ext->unclaimed = false;
	/* Freed since, and perhaps allocated again by someone else. */
	return err == -EINVAL ? -ENOENT : err;
}

/**
 * kho_pool_claim - claim an extent that the owner had before the kexec
 * @owner: its owner
 * @name: the extent's
 * @ext: the extent
 *
 * Context: any but NMI.
 *
 * Return: 0; -ENOENT if there is no such extent, -EACCES if another owner has
 * it, -EALREADY if it was claimed before (@ext is filled in nevertheless).
 */
int kho_pool_claim(struct kho_pool_owner *owner, const char *name, struct kho_pool_extent *ext)
{
	int err = kp_claim(owner, name, ext);
	bool found = !err || err == -EALREADY;

	trace_kho_pool_claim(owner->pool->name, owner->name, name, found ? ext->phys : 0,
			     found ? ext->size : 0, err);
	return err;
}
EXPORT_SYMBOL_GPL(kho_pool_claim);

/* The block that was claimed last as a whole */
struct kp_claimed {
	const struct kp_region *r;
	u64 block;
};

/* Claim what a walk has found, with name_lock held.  True if it is claimed since just now. */
static bool kp_claim_found(struct kp_region *r, const struct kp_extent *found,
			   struct kp_claimed *last)
{
	u64 block = found->frame >> KHO_POOL_BLOCK_SHIFT;
	int err = kp_index_claim(&r->idx, kp_this_pcpu(r), found->frame, found->frames,
				 found->owner);

	/* One with a name is claimed by itself. */
	if (found->name[0])
		return !err;
	if (!err) {
		last->r = r;
		last->block = block;
	}
	return last->r == r && last->block == block;
}

/**
 * kho_pool_claim_all - claim all extents that the owner had before the kexec
 * @owner: the owner
 * @fn: called for each extent that the owner has, with no lock held; may be NULL.
 *	->unclaimed says whether the extent was claimed just now.  If @fn allocates
 *	extents of less than a block without a name, that may be said of those, too.
 * @data: for @fn
 *
 * Context: any but NMI, and what @fn needs.
 *
 * Return: 0, or what @fn returned; the extents before that are claimed.
 */
int kho_pool_claim_all(struct kho_pool_owner *owner,
		       int (*fn)(const struct kho_pool_extent *ext, void *data), void *data)
{
	struct kho_pool *pool = owner->pool;
	struct kp_claimed last = {};
	struct kp_walk walk = {};

	for (;;) {
		const struct kp_extent *found = &walk.ext;
		struct kho_pool_extent ext;
		struct kp_region *r;
		int err = 0;

		scoped_guard(raw_spinlock_irqsave, &pool->name_lock) {
			r = kp_next_extent(pool, &walk);
			if (!IS_ERR_OR_NULL(r) && found->owner == owner->id) {
				kp_describe(r, found, &ext);
				ext.unclaimed = kp_claim_found(r, found, &last);
			}
		}
		if (!r)
			return 0;
		if (IS_ERR(r) || found->owner != owner->id)
			continue;
		if (ext.unclaimed)
			trace_kho_pool_claim(pool->name, owner->name, ext.name, ext.phys,
					     ext.size, 0);
		if (fn)
			err = fn(&ext, data);
		if (err)
			return err;
	}
}
EXPORT_SYMBOL_GPL(kho_pool_claim_all);

static int kp_assign(struct kho_pool_owner *from, struct kho_pool_owner *to, phys_addr_t phys,
		     u64 size)
{
	struct kho_pool *pool = from->pool;
	struct kp_region *r;
	unsigned long irqs;
	int err;

	if (pool->read_only)
		return -EROFS;
	r = kp_region_of(pool, phys);
	if (to->pool != pool || !r || (phys | size) & ~PAGE_MASK)
		return -EINVAL;
	local_irq_save(irqs);
	err = kp_index_assign(&r->idx, kp_this_pcpu(r), (phys - r->base) >> PAGE_SHIFT,
			      size >> PAGE_SHIFT, from->id, to->id);
	local_irq_restore(irqs);
	return err;
}

/**
 * kho_pool_assign - give an extent to another owner
 * @from: its owner
 * @to: its new owner, in the same pool
 * @phys: as returned by kho_pool_alloc()
 * @size: bytes, as requested; at least a block
 *
 * The next kernel finds the extent with one owner or the other, never without one.
 *
 * Context: any but NMI.  Never sleeps.
 *
 * Return: 0, or as kho_pool_free(); -EINVAL for less than a block, too.
 */
int kho_pool_assign(struct kho_pool_owner *from, struct kho_pool_owner *to, phys_addr_t phys,
		    u64 size)
{
	int err = kp_assign(from, to, phys, size);

	trace_kho_pool_assign(from->pool->name, from->name, to->name, phys, size, err);
	return err;
}
EXPORT_SYMBOL_GPL(kho_pool_assign);

/* Release an unclaimed extent, with name_lock held; kp_give_rest() has to follow. */
static int kp_give_up(struct kp_region *r, const struct kp_extent *found, struct kp_rest *rest)
{
	struct kho_pool_extent ext;
	int err;

	/* Its name goes with it. */
	kp_describe(r, found, &ext);
	err = kp_index_release(&r->idx, kp_this_pcpu(r), found->frame, found->frames,
			       found->owner, rest);
	trace_kho_pool_release(r->pool->name, ext.owner, ext.name, ext.phys, ext.size, err);
	return err;
}

/**
 * kho_pool_release - free an extent that nobody has claimed
 * @pool: the pool
 * @name: the extent's
 *
 * Context: any but NMI.
 *
 * Return: 0, -ENOENT, -EBUSY if its owner has claimed it, -ESHUTDOWN, -EROFS.
 */
int kho_pool_release(struct kho_pool *pool, const char *name)
{
	struct kp_rest rest = {};
	struct kp_extent found;
	struct kp_region *r;
	int err = -ENOENT;

	if (pool->read_only)
		return -EROFS;
	scoped_guard(raw_spinlock_irqsave, &pool->name_lock) {
		r = kp_find_extent(pool, name, &found);
		if (r)
			err = kp_give_up(r, &found, &rest);
	}
	if (r)
		kp_give_rest(r, &rest);
	return err;
}
EXPORT_SYMBOL_GPL(kho_pool_release);

/**
 * kho_pool_release_owner - give up all unclaimed extents of one owner
 * @pool: the pool
 * @owner: the owner's name
 *
 * Context: any but NMI.
 *
 * Return: how many extents there were, or -ENOENT, -ESHUTDOWN, -EROFS.
 */
int kho_pool_release_owner(struct kho_pool *pool, const char *owner)
{
	struct kp_walk walk = {};
	struct kp_region *r;
	int released = 0;

	if (pool->read_only)
		return -EROFS;
	for (;;) {
		const struct kp_extent *found = &walk.ext;
		struct kp_rest rest = {};
		int err = 0;

		scoped_guard(raw_spinlock_irqsave, &pool->name_lock) {
			r = kp_next_extent(pool, &walk);
			if (!IS_ERR_OR_NULL(r) && found->unclaimed &&
			    !strcmp(r->idx.owners[found->owner].name, owner)) {
				err = kp_give_up(r, found, &rest);
				released += !err;
			}
		}
		if (!r)
			return released ?: -ENOENT;
		if (!IS_ERR(r))
			kp_give_rest(r, &rest);
		/* Other errors mean that its owner was faster. */
		if (err == -ESHUTDOWN)
			return err;
	}
}

/**
 * kho_pool_virt - the kernel's address of pool memory
 * @phys: in an extent
 *
 * The address is in the direct map, cached, and valid until the extent is freed.
 * Do not derive a struct page from it: there is none.
 *
 * Context: any.
 *
 * Return: the address.  Whether there is pool memory at @phys is not checked.
 */
void *kho_pool_virt(phys_addr_t phys)
{
	return phys_to_virt(phys);
}
EXPORT_SYMBOL_GPL(kho_pool_virt);

/**
 * kho_pool_next_bad - find memory with errors
 * @pool: the pool
 * @phys: where to begin; set to the first byte of the page that was found
 *
 * Owners have to look for it in their extents before they read them: extents keep such
 * memory over any number of kexecs, until they are freed, and it may not be in the
 * direct map.
 *
 * Context: any.
 *
 * Return: false if there is none from @phys on in the region that it is in.
 */
bool kho_pool_next_bad(struct kho_pool *pool, phys_addr_t *phys)
{
	struct kp_region *r = kp_region_of(pool, *phys);
	u64 frame;

	if (!r)
		return false;
	frame = (*phys - r->base) >> PAGE_SHIFT;
	if (!kp_bad_next(&r->idx, &frame))
		return false;
	*phys = r->base + (frame << PAGE_SHIFT);
	return true;
}
EXPORT_SYMBOL_GPL(kho_pool_next_bad);

/* Which extent is it in? */
static int kp_holds(const struct kho_pool_extent *ext, void *data)
{
	struct kho_pool_extent *found = data;

	if (found->phys < ext->phys || found->phys - ext->phys >= ext->size)
		return 0;
	*found = *ext;
	return 1;
}

/**
 * kho_pool_memory_failure - a page has a memory error
 * @pfn: its frame
 *
 * If the page is in a pool, it is not allocated again, in this kernel and in every
 * later one.  An extent that contains it keeps it until it is freed.
 *
 * Context: process.
 *
 * Return: true if that is recorded.
 */
bool kho_pool_memory_failure(unsigned long pfn)
{
	struct kho_pool_extent ext = { .phys = PFN_PHYS(pfn) };
	phys_addr_t phys = PFN_PHYS(pfn);
	struct kp_region *r;
	unsigned long irqs;
	int err = -EUCLEAN;

	r = kp_region_at(phys);
	if (!r)
		return false;
	if (kp_region_ok(r)) {
		local_irq_save(irqs);
		err = kp_index_bad(&r->idx, (phys - r->base) >> PAGE_SHIFT);
		local_irq_restore(irqs);
	}
	kho_pool_walk(r->pool, kp_holds, &ext);
	trace_kho_pool_bad(r->pool->name, ext.owner, ext.name, phys, err);
	if (ext.size)
		pr_err("%s: memory error at %pa, in extent %s of %s\n", r->pool->name, &phys,
		       ext.name[0] ? ext.name : "without a name", ext.owner);
	else
		pr_err("%s: memory error at %pa, not in an extent\n", r->pool->name, &phys);
	if (err == -ENOSPC)
		pr_err("%s: too many memory errors: nothing more is allocated from the region at %pa, %llu MiB\n",
		       r->pool->name, &r->base, r->size >> 20);
	else if (err)
		pr_err("%s: it could not be recorded: %d\n", r->pool->name, err);
	kp_notify(r->pool, err == -ENOSPC ? KP_CHANGED_STATE : KP_CHANGED_BAD_FRAMES);
	return !err || err == -ENOSPC;
}

/* Pages of the region with memory errors */
u64 kp_bad_frames(const struct kp_region *r)
{
	return kp_region_ok(r) ? READ_ONCE(r->idx.nr_bad_frames) : 0;
}

/* What some counter of each CPU adds up to */
#define kp_sum_of_cpus(r, counter) ({					\
	const struct kp_index *_idx = &(r)->idx;			\
	u64 _sum = 0;							\
									\
	for (u32 _cpu = 0; _cpu < _idx->nr_pcpu; _cpu++)		\
		_sum += READ_ONCE(_idx->pcpu[_cpu].counter);		\
	_sum;								\
})

static u64 kp_region_sum(const struct kp_region *r, enum kp_sum what)
{
	switch (what) {
	case KP_SUM_REGIONS:
		return 1;
	case KP_SUM_SIZE:
		return r->size;
	case KP_SUM_INDEX_BYTES:
		return r->index_size;
	case KP_SUM_QUARANTINED:
		return kp_region_ok(r) ? 0 : r->size;
	case KP_SUM_BAD_FRAMES:
		return kp_bad_frames(r);
	default:
		break;
	}
	if (!kp_region_ok(r))
		return 0;
	switch (what) {
	case KP_SUM_EXTENTS:
		return kp_index_extents(&r->idx);
	case KP_SUM_UNCLAIMED:
		return kp_sum_of_cpus(r, unclaimed);
	case KP_SUM_ALLOCS:
		return kp_sum_of_cpus(r, allocs);
	case KP_SUM_FREES:
		return kp_sum_of_cpus(r, frees);
	default:
		return 0;
	}
}

/**
 * kp_node_sum - one number of a pool
 * @pool: the pool
 * @nid: the part of it on this node, or NUMA_NO_NODE: all of it
 * @what: which number
 *
 * Costs no more than that number does: anyone may read sysfs, as often as they like.
 *
 * Context: any.
 *
 * Return: the number.
 */
u64 kp_node_sum(struct kho_pool *pool, int nid, enum kp_sum what)
{
	u64 sum = 0;

	for (u32 i = 0; i < pool->nr_regions; i++)
		if (nid == NUMA_NO_NODE || nid == pool->region[i]->nid)
			sum += kp_region_sum(pool->region[i], what);
	return sum;
}

/* What is free there.  Takes 0.1 s for each TiB if all blocks are split; may reschedule. */
void kp_node_count(struct kho_pool *pool, int nid, struct kp_stat *free)
{
	struct kp_region *r;
	u32 i;

	memset(free, 0, sizeof(*free));
	for_each_pool_region(pool, r, i) {
		struct kp_stat_at at = {};

		if (nid != NUMA_NO_NODE && nid != r->nid)
			continue;
		while (kp_index_stat(&r->idx, free, &at))
			cond_resched();
	}
}

/* Extents in all pools; anything quarantined counts as one. */
s64 kp_pool_extents(void)
{
	struct kp_region *r;
	s64 extents = !!kp_state.quarantine;

	for_each_region(r)
		extents += kp_region_ok(r) ? kp_index_extents(&r->idx) : 1;
	return extents;
}

/**
 * kho_pool_in_use - is there memory that must not be lost?
 *
 * Context: any.
 *
 * Return: true if a pool has extents, or if it is unknown whether it has any.
 */
bool kho_pool_in_use(void)
{
	return kp_pool_extents() != 0;
}
