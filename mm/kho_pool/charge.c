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

#include <linux/bitmap.h>
#include <linux/cgroup.h>
#include <linux/cgroup_dmem.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "charge.h"
#include "groups.h"
#include "pool.h"

/* A page of a group: what the next kernel gets, and what is known of it in this one */
struct kp_group {
	struct list_head list;
	struct kho_pool_group_page *page;
	DECLARE_BITMAP(taken, KHO_POOL_GROUPS_EXTENTS);
	bool there;	/* the charges are the group's own, and no ancestor's */
};

/* What an extent costs somebody */
struct kp_charge {
	struct hlist_node node;
	struct kho_pool *pool;
	phys_addr_t phys;
	u64 bytes;
	struct dmem_cgroup_pool_state *state;	/* NULL: nobody could be charged yet */
	struct kp_group *group;			/* NULL: the root, or nothing is handed on */
	u32 slot;
	bool found;				/* the extent is there, at boot */
};

static DEFINE_MUTEX(charge_lock);
/* By address, of all extents that are charged; a new one must not fail for lack of memory. */
static DEFINE_HASHTABLE(charges, 10);
static LIST_HEAD(groups);
/* The first page, or NULL if nothing is handed on */
static struct kho_pool_group_page *first;
static struct dmem_cgroup_region *regions[KHO_POOL_MAX_POOLS];

static struct dmem_cgroup_region *kp_dmem_region(const struct kho_pool *pool)
{
	return regions[pool - kp_state.pool];
}

/* A page of its own for a group. */
static struct kp_group *kp_group_new(const char *path)
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
	kp_group_page_init(g->page, path);
	g->page->next = first->next;
	first->next = cpu_to_le64(virt_to_phys(g->page));
	list_add(&g->list, &groups);
	return g;
}

static void kp_group_free(struct kp_group *g)
{
	/* The page before it in both lists */
	if (list_is_first(&g->list, &groups))
		first->next = g->page->next;
	else
		list_prev_entry(g, list)->page->next = g->page->next;
	list_del(&g->list);
	kho_unpreserve_free(g->page);
	kfree(g);
}

/* Take a free entry of a group. */
static int kp_group_take(struct kp_charge *c, const char *path, bool there)
{
	struct kp_group *g;

	list_for_each_entry(g, &groups, list) {
		if (strcmp(g->page->path, path) || bitmap_full(g->taken, KHO_POOL_GROUPS_EXTENTS))
			continue;
		goto take;
	}
	g = kp_group_new(path);
	if (IS_ERR(g))
		return PTR_ERR(g);
	g->there = there;
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
	__clear_bit(c->slot, c->group->taken);
	if (bitmap_empty(c->group->taken, KHO_POOL_GROUPS_EXTENTS))
		kp_group_free(c->group);
}

/* Write the entry; without @phys, that it is free. */
static void kp_group_write(const struct kp_charge *c, phys_addr_t phys)
{
	if (c->group)
		kp_group_page_set(c->group->page, c->slot, phys, phys ? c->bytes : 0);
}

/* Charge what has come from the previous kernel to groups that are there by now. */
static void kp_settle(void)
{
	struct dmem_cgroup_pool_state *state;
	struct kp_charge *c;
	struct kp_group *g;
	int bucket, ret;

	list_for_each_entry(g, &groups, list) {
		if (g->there)
			continue;
		g->there = true;
		hash_for_each(charges, bucket, c, node) {
			if (c->group != g)
				continue;
			ret = dmem_cgroup_charge_path(kp_dmem_region(c->pool), c->bytes,
						      g->page->path, &state);
			if (ret <= 0)
				g->there = false;
			if (ret < 0)
				continue;
			dmem_cgroup_uncharge(c->state, c->bytes);
			c->state = state;
		}
	}
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

static int kp_charge_current(struct kp_charge *c)
{
	char *path __free(kfree) = NULL;
	int err;

	if (first) {
		char *of_current = kp_current_path();

		if (IS_ERR(of_current))
			return PTR_ERR(of_current);
		path = of_current;
	}
	guard(mutex)(&charge_lock);
	kp_settle();
	err = dmem_cgroup_try_charge(kp_dmem_region(c->pool), c->bytes, &c->state, NULL);
	if (err)
		return err == -EAGAIN ? -EDQUOT : err;
	err = path ? kp_group_take(c, path, true) : 0;
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
 * Return: what kp_charge_end() or kp_charge_undo() are to be called with; NULL if
 * nobody is charged; -EDQUOT: the limit of the group, or of one that it is in, does
 * not allow it; -ENAMETOOLONG: the group's path is; -ENOMEM.
 */
struct kp_charge *kp_charge_begin(struct kho_pool *pool, u64 bytes)
{
	struct kp_pool_stat stat = {};
	struct kp_charge *c;
	int err;

	kp_node_stat(pool, NUMA_NO_NODE, &stat);
	/* Counters do not take any number, and it will not be met. */
	if (!kp_dmem_region(pool) || !bytes || bytes > stat.size)
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
 * kp_charge_end - the extent is allocated, or it stays after kp_charge_detach()
 * @c: the charge, or NULL
 * @phys: where it is
 *
 * Context: may sleep.  Takes charge_lock.
 */
void kp_charge_end(struct kp_charge *c, phys_addr_t phys)
{
	if (!c)
		return;
	guard(mutex)(&charge_lock);
	c->phys = phys;
	hash_add(charges, &c->node, phys);
	kp_group_write(c, phys);
}

static void kp_charge_free(struct kp_charge *c)
{
	dmem_cgroup_uncharge(c->state, c->bytes);
	kp_group_give(c);
	kfree(c);
}

/**
 * kp_charge_undo - the extent is not allocated, or freed by now
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

/* Nothing is known of what is at @phys from now on. */
static void kp_charge_forget(struct kp_charge *c)
{
	hash_del(&c->node);
	kp_group_write(c, 0);
}

static struct kp_charge *kp_charge_find(phys_addr_t phys)
{
	struct kp_charge *c;

	hash_for_each_possible(charges, c, node, phys)
		if (c->phys == phys)
			return c;
	return NULL;
}

/**
 * kp_charge_detach - the extent is going to be freed
 * @phys: where it is
 *
 * As soon as it is free, another one can be there.
 *
 * Context: may sleep.  Takes charge_lock.
 *
 * Return: what kp_charge_undo() is to be called with when it is free, or
 * kp_charge_end() if it stays; NULL if nobody is charged.
 */
struct kp_charge *kp_charge_detach(phys_addr_t phys)
{
	struct kp_charge *c;

	guard(mutex)(&charge_lock);
	c = kp_charge_find(phys);
	if (c)
		kp_charge_forget(c);
	return c;
}

/* An entry of the previous kernel's.  Whether there is such an extent is not known yet. */
static int __init kp_take_entry(const char *path, const struct kho_pool_group_extent *e)
{
	struct kp_charge *c;
	int err;

	if (!e->bytes)
		return 0;
	c = kzalloc_obj(*c);
	if (!c)
		return -ENOMEM;
	c->bytes = le64_to_cpu(e->bytes);
	err = kp_group_take(c, path, false);
	if (err) {
		kfree(c);
		return err;
	}
	kp_charge_end(c, le64_to_cpu(e->phys));
	return 0;
}

static int __init kp_take_page(const struct kho_pool_group_page *page)
{
	int err = 0;

	if (!kp_group_page_valid(page))
		return -EINVAL;
	for (u32 i = 0; i < KHO_POOL_GROUPS_EXTENTS && !err; i++)
		err = kp_take_entry(page->path, &page->extent[i]);
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
		struct folio *folio = kho_restore_folio(phys);
		const struct kho_pool_group_page *page;

		if (!folio)
			return -EINVAL;
		page = folio_address(folio);
		err = kp_take_page(page);
		phys = le64_to_cpu(page->next);
		if (err == -EINVAL)
			phys = 0;
		folio_put(folio);
	} while (phys && !err);
	return err;
}

static int __init kp_found(const struct kho_pool_extent *ext, void *data)
{
	struct kp_charge *c = kp_charge_find(ext->phys);

	if (c && c->bytes == ext->size) {
		c->found = true;
		c->pool = data;
	}
	return 0;
}

/* An entry whose extent is not there means nothing. */
static void __init kp_forget_strays(void)
{
	struct hlist_node *tmp;
	struct kho_pool *pool;
	struct kp_charge *c;
	int bucket;

	for_each_pool(pool)
		if (kho_pool_walk(pool, kp_found, pool))
			pr_err("%s: not all extents are charged\n", pool->name);
	hash_for_each_safe(charges, bucket, tmp, c, node) {
		if (c->found && kp_dmem_region(c->pool))
			continue;
		kp_charge_forget(c);
		kp_charge_free(c);
	}
}

static int __init kp_hand_on(void)
{
	struct kho_pool_group_page *page;
	int err;

	if (!kho_is_enabled())
		return 0;
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

/**
 * kp_charge_init - from now on extents are charged, and those that are there
 *
 * Context: boot, after kho_init().
 *
 * Return: 0, or an error: no limit holds for what is there, or after a kexec.
 */
int __init kp_charge_init(void)
{
	struct kho_pool *pool;
	int err;

	for_each_pool(pool) {
		struct kp_pool_stat stat = {};
		struct dmem_cgroup_init init;
		struct dmem_cgroup_region *region;

		kp_node_stat(pool, NUMA_NO_NODE, &stat);
		init = (struct dmem_cgroup_init){ .size = stat.size };
		region = dmem_cgroup_register_region(&init, "kho_pool/%s", pool->name);
		if (IS_ERR(region))
			return PTR_ERR(region);
		regions[pool - kp_state.pool] = region;
	}
	if (!kp_state.nr_pools)
		return 0;
	err = kp_hand_on();
	if (err || !first)
		return err;
	err = kp_take_pages();
	kp_forget_strays();
	return err;
}
