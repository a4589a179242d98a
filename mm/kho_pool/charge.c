// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may use how much: what user space makes is charged to its group of the dmem
 * cgroup controller, in which each pool is a region, kho_pool/<pool>.
 *
 * Extents come back after a kexec before there are groups.  So their paths are handed
 * on, see include/linux/kho/abi/kho_pool_groups.h, and each extent is charged to its
 * group before anything more is.  As long as the group is not there, the nearest
 * ancestor that is has the charge: its limit holds, too.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/cgroup.h>
#include <linux/cgroup_dmem.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho_pool_expose.h>
#include <linux/list.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "charge.h"
#include "groups.h"
#include "pool.h"

/* A page of a group: what the next kernel gets, and what is known of it in this one */
struct kp_group {
	struct list_head list;
	struct kho_pool_group_page *page;
	DECLARE_BITMAP(taken, KHO_POOL_GROUPS_EXTENTS);
	struct kho_pool *pool;	/* NULL: in none that is known */
	u64 inherited;		/* bytes of extents that have come over */
	u64 charged;		/* how many of these are, */
	struct dmem_cgroup_pool_state *state;	/* and here */
	bool there;		/* that is the group itself, and no ancestor */
};

/* An extent of a group */
struct kp_charge {
	struct kho_pool *pool;
	u64 bytes;
	/* NULL: it has come over, and is charged with others of its group. */
	struct dmem_cgroup_pool_state *state;
	struct kp_group *group;	/* NULL: the root, or no limits after a kexec */
	u32 slot;
	bool inherited;		/* it counts as such */
};

static DEFINE_MUTEX(charge_lock);
/* By frame number, all extents that belong to a group */
static DEFINE_XARRAY(charges);
static LIST_HEAD(groups);
/* The first page, or NULL if nothing is handed on */
static struct kho_pool_group_page *first;
static struct dmem_cgroup_region *regions[KHO_POOL_MAX_POOLS];

static struct dmem_cgroup_region *kp_dmem_region(const struct kho_pool *pool)
{
	return regions[pool - kp_state.pool];
}

/* A page of its own for a group. */
static struct kp_group *kp_group_new(const char *path, struct kho_pool *pool)
{
	struct kp_group *g = kzalloc_obj(*g);

	if (!g)
		return ERR_PTR(-ENOMEM);
	g->page = kho_alloc_preserve(sizeof(*g->page));
	if (IS_ERR(g->page)) {
		void *err = g->page;

		kfree(g);
		return err;
	}
	g->pool = pool;
	kp_group_page_init(g->page, path);
	g->page->next = first->next;
	/* Another kernel follows the list: this one may stop at any time. */
	smp_store_release(&first->next, cpu_to_le64(virt_to_phys(g->page)));
	list_add(&g->list, &groups);
	return g;
}

static void kp_group_free(struct kp_group *g)
{
	struct kho_pool_group_page *before = first;

	/* Both lists have the same order. */
	if (!list_is_first(&g->list, &groups))
		before = list_prev_entry(g, list)->page;
	WRITE_ONCE(before->next, g->page->next);
	list_del(&g->list);
	kho_unpreserve_free(g->page);
	kfree(g);
}

/* Take a free entry of a group. */
static int kp_group_take(struct kp_charge *c, const char *path)
{
	struct kp_group *g;

	list_for_each_entry(g, &groups, list)
		if (g->pool == c->pool && !strcmp(g->page->path, path) &&
		    !bitmap_full(g->taken, KHO_POOL_GROUPS_EXTENTS))
			goto take;
	g = kp_group_new(path, c->pool);
	if (IS_ERR(g))
		return PTR_ERR(g);
take:
	c->slot = find_first_zero_bit(g->taken, KHO_POOL_GROUPS_EXTENTS);
	__set_bit(c->slot, g->taken);
	c->group = g;
	return 0;
}

static void kp_group_give(struct kp_charge *c)
{
	if (!c->group)
		return;
	kp_group_page_set(c->group->page, c->slot, 0, 0);
	__clear_bit(c->slot, c->group->taken);
	if (bitmap_empty(c->group->taken, KHO_POOL_GROUPS_EXTENTS))
		kp_group_free(c->group);
}

/*
 * Charge what has come over to the group, or its nearest ancestor that is there by now.
 * Limits do not matter, so that it can be taken from where it was before.
 */
static int kp_group_settle(struct kp_group *g)
{
	int ret;

	dmem_cgroup_uncharge(g->state, g->charged);
	g->state = NULL;
	g->charged = 0;
	g->there = false;
	if (!g->inherited)
		return 0;
	ret = dmem_cgroup_charge_path(kp_dmem_region(g->pool), g->inherited, g->page->path,
				      &g->state);
	if (ret < 0)
		return ret;
	g->charged = g->inherited;
	g->there = ret;
	return 0;
}

static int kp_settle(void)
{
	struct kp_group *g;
	int err;

	list_for_each_entry(g, &groups, list) {
		if (g->there || !g->inherited)
			continue;
		err = kp_group_settle(g);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static void kp_charge_free(struct kp_charge *c)
{
	dmem_cgroup_uncharge(c->state, c->bytes);
	if (c->inherited) {
		c->group->inherited -= c->bytes;
		/* If there is no memory, the next that is charged tries again. */
		kp_group_settle(c->group);
	}
	kp_group_give(c);
	kfree(c);
}

/* That of extents that are there */
#define KP_SEEN XA_MARK_0

static int kp_charge_seen(const struct kho_pool_extent *ext, void *data)
{
	struct kp_charge *c = xa_load(&charges, PHYS_PFN(ext->phys));

	/* Owners' names are the same in all versions: "dax21" has devices. */
	if (c && c->bytes == ext->size &&
	    (!strcmp(ext->owner, KHO_POOL_USER) || str_has_prefix(ext->owner, "dax")))
		xa_set_mark(&charges, PHYS_PFN(ext->phys), KP_SEEN);
	cond_resched();
	return 0;
}

/* May the extent at @phys be there, only that this kernel cannot read it? */
static bool kp_unread(phys_addr_t phys)
{
	struct kp_region *r = kp_region_at(phys);

	/* None: there is no pool, or this kernel does not know of it. */
	return !r || !kp_region_ok(r);
}

/**
 * kp_charge_sweep - extents may have been freed by others than user space
 *
 * Context: may sleep.  Called with kp_charge_lock() held.
 */
void kp_charge_sweep(void)
{
	struct kho_pool *pool;
	struct kp_charge *c;
	unsigned long pfn;

	xa_for_each(&charges, pfn, c)
		xa_clear_mark(&charges, pfn, KP_SEEN);
	for_each_pool(pool)
		kho_pool_walk(pool, kp_charge_seen, NULL);
	xa_for_each(&charges, pfn, c) {
		if (xa_get_mark(&charges, pfn, KP_SEEN) || kp_unread(PFN_PHYS(pfn)))
			continue;
		xa_erase(&charges, pfn);
		kp_charge_free(c);
	}
}

/**
 * kp_charge_lock - extents are going to be freed
 *
 * It is held until the charge is gone, too: as soon as an extent is free, another one
 * can be there.
 *
 * Context: may sleep.
 */
void kp_charge_lock(void)
{
	mutex_lock(&charge_lock);
}

/**
 * kp_charge_unlock - they are
 */
void kp_charge_unlock(void)
{
	mutex_unlock(&charge_lock);
}

/**
 * kp_charge_drop - an extent is free
 * @phys: where it was
 *
 * Context: may sleep.  Called with kp_charge_lock() held.
 */
void kp_charge_drop(phys_addr_t phys)
{
	struct kp_charge *c = xa_erase(&charges, PHYS_PFN(phys));

	if (c)
		kp_charge_free(c);
}

/* The path of the caller's group, to be freed; NULL for the root. */
static char *kp_current_path(void)
{
	char *path __free(kfree) = kmalloc(KHO_POOL_GROUPS_PATH, GFP_KERNEL);
	int len;

	if (!path)
		return ERR_PTR(-ENOMEM);
	scoped_guard(rcu)
		len = cgroup_path(task_dfl_cgroup(current), path, KHO_POOL_GROUPS_PATH);
	if (len < 0 || len >= KHO_POOL_GROUPS_PATH)
		return ERR_PTR(-ENAMETOOLONG);
	return strcmp(path, "/") ? no_free_ptr(path) : NULL;
}

static int kp_try_charge(struct kp_charge *c)
{
	int err = dmem_cgroup_try_charge(kp_dmem_region(c->pool), c->bytes, &c->state, NULL);

	if (err != -EAGAIN)
		return err;
	/* Not because of what is not there any more */
	kp_charge_sweep();
	err = dmem_cgroup_try_charge(kp_dmem_region(c->pool), c->bytes, &c->state, NULL);
	return err == -EAGAIN ? -EDQUOT : err;
}

static int kp_charge_current(struct kp_charge *c)
{
	char *path __free(kfree) = NULL;
	int err;

	/* In a hierarchy of version 1 the path would be another one. */
	if (first && cgroup_subsys_on_dfl(dmem_cgrp_subsys)) {
		char *of_current = kp_current_path();

		if (IS_ERR(of_current))
			return PTR_ERR(of_current);
		path = of_current;
	}
	guard(mutex)(&charge_lock);
	err = kp_settle();
	err = err ?: kp_try_charge(c);
	if (err)
		return err;
	err = path ? kp_group_take(c, path) : 0;
	if (err)
		dmem_cgroup_uncharge(c->state, c->bytes);
	return err;
}

/**
 * kp_charge_begin - charge the caller's group for an extent that is to be allocated
 * @pool: where
 * @bytes: its size
 *
 * Context: may sleep.  Takes charge_lock.
 *
 * Return: what kp_charge_end() or kp_charge_undo() is to be called with; NULL if
 * nobody is charged; -EDQUOT: the limit of the group, or of one that it is in, does
 * not allow it; -ENAMETOOLONG: the group's path is; -ENOMEM.
 */
struct kp_charge *kp_charge_begin(struct kho_pool *pool, u64 bytes)
{
	struct kp_charge *c;
	int err;

	/* Counters do not take any number, and it will not be met. */
	if (!kp_dmem_region(pool) || !bytes ||
	    bytes > kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_SIZE))
		return NULL;
	c = kzalloc_obj(*c);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->pool = pool;
	c->bytes = bytes;
	err = kp_charge_current(c);
	if (err) {
		kfree(c);
		return ERR_PTR(err);
	}
	return c;
}

/**
 * kp_charge_undo - the extent was not allocated
 * @c: the charge, or NULL; it is gone then
 *
 * Context: may sleep.  Takes charge_lock.
 */
void kp_charge_undo(struct kp_charge *c)
{
	if (!c)
		return;
	guard(mutex)(&charge_lock);
	kp_charge_free(c);
}

/* From now on the extent at @phys has this charge. */
static int kp_charge_store(struct kp_charge *c, phys_addr_t phys)
{
	struct kp_charge *old = xa_store(&charges, PHYS_PFN(phys), c, GFP_KERNEL);

	if (xa_is_err(old))
		return xa_err(old);
	/* What was there was freed by others than user space. */
	if (old)
		kp_charge_free(old);
	if (c->group)
		kp_group_page_set(c->group->page, c->slot, phys, c->bytes);
	return 0;
}

/**
 * kp_charge_end - the extent is allocated
 * @c: the charge, or NULL
 * @name: its name
 * @phys: where it is
 *
 * Somebody else may have freed it by now.
 *
 * Context: may sleep.  Takes charge_lock.
 *
 * Return: 0, or -ENOMEM: the charge is undone, and the extent must be freed.
 */
int kp_charge_end(struct kp_charge *c, const char *name, phys_addr_t phys)
{
	struct kho_pool_extent ext;
	int err;

	if (!c)
		return 0;
	guard(mutex)(&charge_lock);
	if (kho_pool_lookup(c->pool, name, &ext) || ext.phys != phys) {
		kp_charge_free(c);
		return 0;
	}
	err = kp_charge_store(c, phys);
	if (err)
		kp_charge_free(c);
	return err;
}

/* An entry of the previous kernel's */
static int __init kp_take_entry(const char *path, u64 phys, u64 bytes)
{
	struct kp_region *r = kp_region_at(phys);
	struct kp_charge *c;
	int err;

	if (!bytes || xa_load(&charges, PHYS_PFN(phys)))
		return 0;
	c = kzalloc_obj(*c);
	if (!c)
		return -ENOMEM;
	c->pool = r ? r->pool : NULL;
	c->bytes = bytes;
	err = kp_group_take(c, path);
	if (err) {
		kfree(c);
		return err;
	}
	err = kp_charge_store(c, phys);
	if (err)
		kp_charge_free(c);
	return err;
}

static int __init kp_take_page(const struct kho_pool_group_page *page)
{
	int err = 0;

	for (u32 i = 0; i < KHO_POOL_GROUPS_EXTENTS && !err; i++)
		err = kp_take_entry(page->path, le64_to_cpu(page->extent[i].phys),
				    le64_to_cpu(page->extent[i].bytes));
	return err;
}

/* Take over and free what the previous kernel has left. */
static int __init kp_take_pages(void)
{
	phys_addr_t phys;
	int err;

	err = kho_retrieve_subtree(KHO_POOL_GROUPS_SUBTREE, &phys, NULL);
	if (err)
		return err == -ENOENT ? 0 : err;
	do {
		struct kho_pool_group_page *page = phys_to_virt(phys);
		struct folio *folio;

		/* Before it is taken from whoever else may have it */
		if (!PAGE_ALIGNED(phys) || !pfn_to_online_page(PHYS_PFN(phys)) ||
		    !kp_group_page_valid(page))
			return -EINVAL;
		folio = kho_restore_folio(phys);
		if (!folio)
			return -EINVAL;
		err = kp_take_page(page);
		phys = le64_to_cpu(page->next);
		/* A list that comes back to it ends there. */
		page->magic = 0;
		folio_put(folio);
	} while (phys && !err);
	return err;
}

/* Of those that have come over, charge what can be read in this kernel. */
static void __init kp_inherit(void)
{
	struct kp_charge *c;
	unsigned long pfn;

	mutex_lock(&charge_lock);
	kp_charge_sweep();
	xa_for_each_marked(&charges, pfn, c, KP_SEEN) {
		if (!kp_dmem_region(c->pool))
			continue;
		c->inherited = true;
		c->group->inherited += c->bytes;
	}
	mutex_unlock(&charge_lock);
}

static int __init kp_hand_on(void)
{
	struct kho_pool_group_page *page;
	int err;

	page = kho_alloc_preserve(sizeof(*page));
	if (IS_ERR(page))
		return PTR_ERR(page);
	kp_group_page_init(page, "");
	err = kho_add_subtree(KHO_POOL_GROUPS_SUBTREE, page, sizeof(*page));
	if (err)
		kho_unpreserve_free(page);
	else
		first = page;
	return err;
}

static int __init kp_add_regions(void)
{
	struct kho_pool *pool;

	for_each_pool(pool) {
		struct dmem_cgroup_init init = {
			.size = kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_SIZE),
		};
		struct dmem_cgroup_region *region;

		region = dmem_cgroup_register_region(&init, "kho_pool/%s", pool->name);
		if (IS_ERR(region))
			return PTR_ERR(region);
		regions[pool - kp_state.pool] = region;
	}
	return 0;
}

/**
 * kp_charge_init - from now on extents are charged, and those that are there
 *
 * Context: boot, after kho_init().
 *
 * Return: 0, or an error: no limit holds for what is there, or after a kexec.
 */
int __init kp_charge_init(void)
{
	int err;

	/* There may be no pool, but the memory of some, for a kernel that can read it. */
	if (!kp_state.blob)
		return 0;
	err = kp_add_regions();
	if (err)
		return err;
	if (!kho_is_enabled())
		return kp_pool_extents() ? -EOPNOTSUPP : 0;
	err = kp_hand_on();
	if (err)
		return err;
	err = kp_take_pages();
	kp_inherit();
	return err;
}
