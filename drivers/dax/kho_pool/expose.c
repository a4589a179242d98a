// SPDX-License-Identifier: GPL-2.0-only
/*
 * Create and remove devices of extents, for /dev/kho_pool/control.
 *
 * The owner of an extent says whether and how it is exposed: "dax12" has those with
 * pages of 4 KiB, "dax21" those of 2 MiB, "dax30" those of 1 GiB.  So the next kernel
 * finds it in the pool's index.
 *
 * If no device can be made of an extent that was exposed, its owner stays as it is: a
 * later kernel may be able to.  In this one, it can be exposed or hidden by request.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "exposed.h"

static const u64 aligns[] = { PUD_SIZE, PMD_SIZE, PAGE_SIZE };

static void kp_dax_owner_name(char name[16], u64 align)
{
	snprintf(name, 16, "dax%d", ilog2(align));
}

static struct kho_pool_owner *kp_dax_owner_for(struct kho_pool *pool, u64 align)
{
	char name[16];

	kp_dax_owner_name(name, align);
	return kho_pool_register_owner(pool, name);
}

/* The page size that it is to be exposed with, by its owner; or 0 */
static u64 kp_dax_align_of(const struct kho_pool_extent *ext)
{
	for (u32 i = 0; i < ARRAY_SIZE(aligns); i++) {
		char name[16];

		kp_dax_owner_name(name, aligns[i]);
		if (!strcmp(ext->owner, name))
			return aligns[i];
	}
	return 0;
}

static bool kp_dax_is_ours(const struct kho_pool_extent *ext)
{
	return kp_dax_align_of(ext) && !ext->unclaimed;
}

static struct exposed *kp_dax_expose_as(struct kho_pool *pool, struct kho_pool_owner *owner,
					const struct kho_pool_extent *ext, u64 align,
					bool may_wait)
{
	struct exposed *e;
	int err;

	/* The module stays while anyone may use its pages. */
	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-EOPNOTSUPP);
	e = kzalloc_obj(*e);
	err = -ENOMEM;
	if (!e)
		goto no_memory;
	e->pool = pool;
	e->owner = owner;
	e->ext = *ext;
	e->as.align = align;
	/* If not in time for this kernel's init, then it only waited. */
	e->came_back = kp_dax_align_of(ext);
	err = kp_dax_make_device(e, may_wait);
	if (err)
		goto no_device;
	scoped_guard(mutex, &kp_dax_devices_lock)
		list_add(&e->list, &kp_dax_exposed);
	return e;

no_device:
	kfree(e);
no_memory:
	module_put(THIS_MODULE);
	return ERR_PTR(err);
}

/* As before, or the largest page size that is possible */
static u64 kp_dax_best_align(const struct kho_pool_extent *ext)
{
	u64 was = kp_dax_align_of(ext);

	if (was && kp_dax_can_map(was))
		return was;
	for (u32 i = 0; i < ARRAY_SIZE(aligns); i++)
		if (kp_dax_can_map(aligns[i]) && kp_dax_fits(ext, aligns[i]))
			return aligns[i];
	return 0;
}

static struct kho_pool_owner *kp_dax_owner_of(struct kho_pool *pool,
					      const struct kho_pool_extent *ext)
{
	u64 align = kp_dax_align_of(ext);

	return align ? kp_dax_owner_for(pool, align) : kho_pool_user_owner(pool);
}

/*
 * From here on the next kernel exposes it with these pages.  NULL if the pool is read-only,
 * so that the next kernel cannot be told.
 */
static struct kho_pool_owner *kp_dax_assign(struct kho_pool *pool, struct kho_pool_owner *from,
					    const struct kho_pool_extent *ext, u64 align)
{
	struct kho_pool_owner *owner = kp_dax_owner_for(pool, align);
	int err;

	if (owner == from)
		return owner;
	err = PTR_ERR_OR_ZERO(owner) ?: kho_pool_assign(from, owner, ext->phys, ext->size);
	if (err && !IS_ERR(owner))
		kho_pool_unregister_owner(owner);
	if (err)
		return err == -EROFS ? NULL : ERR_PTR(err);
	return owner;
}

/* There is no device after all. */
static void kp_dax_assign_back(struct kho_pool_owner *owner, struct kho_pool_owner *from,
			       const struct kho_pool_extent *ext)
{
	int err = owner == from ? 0 : kho_pool_assign(owner, from, ext->phys, ext->size);

	if (err)
		pr_err("%s is not given back: %d; it can be exposed again, or hidden\n",
		       ext->name, err);
	kho_pool_unregister_owner(owner);
}

static int kp_dax_expose(struct kho_pool *pool, const struct kho_pool_extent *ext,
			 struct kho_pool_exposed *as)
{
	u64 align = as->align ?: kp_dax_best_align(ext);
	struct kho_pool_owner *from, *owner;
	struct exposed *e;

	if (!align || !is_power_of_2(align) || !kp_dax_fits(ext, align))
		return -EINVAL;
	if (!kp_dax_can_map(align))
		return -EOPNOTSUPP;
	from = kp_dax_owner_of(pool, ext);
	if (IS_ERR(from))
		return PTR_ERR(from);
	/* First, because once there is a device, it may have users. */
	owner = kp_dax_assign(pool, from, ext, align);
	e = IS_ERR(owner) ? ERR_CAST(owner) :
			    kp_dax_expose_as(pool, owner, ext, align, false);
	if (IS_ERR(e) && !IS_ERR_OR_NULL(owner))
		kp_dax_assign_back(owner, from, ext);
	kho_pool_unregister_owner(from);
	if (IS_ERR(e))
		return PTR_ERR(e);
	*as = e->as;
	pr_info("%s/%s is /dev/dax%u.%u, pages of %llu KiB\n", kho_pool_name(pool), ext->name,
		as->region, as->id, as->align >> 10);
	return 0;
}

static int kp_dax_withdraw_unheld(struct exposed *e, struct kho_pool_owner *user)
{
	int err;

	guard(mutex)(&kp_dax_devices_lock);
	err = e->held ? -EBUSY : kp_dax_withdraw(e, user);
	if (err)
		return err;
	kp_dax_remove_device(e);
	module_put(THIS_MODULE);
	return 0;
}

/* No device could be made of it. */
static int kp_dax_give_up(struct kho_pool *pool, const struct kho_pool_extent *ext,
			  struct kho_pool_owner *user)
{
	struct kho_pool_owner *owner;
	int err;

	if (!kp_dax_is_ours(ext))
		return -ENXIO;
	owner = kp_dax_owner_of(pool, ext);
	if (IS_ERR(owner))
		return PTR_ERR(owner);
	err = kho_pool_assign(owner, user, ext->phys, ext->size);
	kho_pool_unregister_owner(owner);
	return err;
}

static int kp_dax_hide(struct kho_pool *pool, const struct kho_pool_extent *ext)
{
	struct kho_pool_owner *user = kho_pool_user_owner(pool);
	struct exposed *e = kp_dax_exposed_at(ext->phys);
	int err;

	if (IS_ERR(user))
		return PTR_ERR(user);
	err = e ? kp_dax_withdraw_unheld(e, user) : kp_dax_give_up(pool, ext, user);
	kho_pool_unregister_owner(user);
	return err;
}

static bool kp_dax_find(phys_addr_t phys, struct kho_pool_exposed *as)
{
	struct exposed *e = kp_dax_exposed_at(phys);

	if (!e)
		return false;
	*as = e->as;
	guard(mutex)(&kp_dax_devices_lock);
	as->held = e->held;
	as->pinned = kp_dax_is_kept(e);
	return true;
}

static const struct kho_pool_exposer exposer = {
	.expose = kp_dax_expose,
	.hide = kp_dax_hide,
	.find = kp_dax_find,
	.is_ours = kp_dax_is_ours,
};

/* Extents that were exposed before the last kexec are exposed again. */
struct comeback {
	struct kho_pool *pool;
	struct kho_pool_owner *owner;
	u64 align;
};

static int kp_dax_is_mine(const struct kho_pool_extent *ext, void *data)
{
	const struct comeback *c = data;

	return kp_dax_align_of(ext) == c->align;
}

static int kp_dax_come_back(const struct kho_pool_extent *ext, void *data)
{
	struct exposed *e = ERR_PTR(-EOPNOTSUPP);
	const struct comeback *c = data;

	if (kp_dax_can_map(c->align))
		e = kp_dax_expose_as(c->pool, c->owner, ext, c->align, true);
	if (IS_ERR(e))
		pr_err("%s/%s: cannot make a device of it: %ld\n", kho_pool_name(c->pool),
		       ext->name, PTR_ERR(e));
	else
		/* The device's own reference; there is one, so this cannot fail. */
		e->owner = kp_dax_owner_for(c->pool, c->align);
	return 0;
}

static int __init kho_pool_dax_init(void)
{
	struct kho_pool *pool = NULL;

	while ((pool = kho_pool_next(pool))) {
		for (u32 i = 0; i < ARRAY_SIZE(aligns); i++) {
			struct comeback c = { .pool = pool, .align = aligns[i] };

			/* Page tables may have fewer levels. */
			if (i && aligns[i] == aligns[i - 1])
				continue;
			/* Do not make owners without need. */
			if (kho_pool_walk(pool, kp_dax_is_mine, &c) <= 0)
				continue;
			c.owner = kp_dax_owner_for(pool, aligns[i]);
			if (IS_ERR(c.owner))
				continue;
			if (kho_pool_claim_all(c.owner, kp_dax_come_back, &c))
				pr_err("%s: not all devices are back\n", kho_pool_name(pool));
			kho_pool_unregister_owner(c.owner);
		}
	}
	return kho_pool_set_exposer(&exposer);
}
module_init(kho_pool_dax_init);

static void __exit kho_pool_dax_exit(void)
{
	kho_pool_set_exposer(NULL);
}
module_exit(kho_pool_dax_exit);

MODULE_DESCRIPTION("device-dax devices of memory that survives kexec");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: device_dax");
