// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kho_pool/control: extents for user space, see include/uapi/linux/kho_pool.h.
 *
 * Extents made here belong to the owner "user".  While an extent is exposed, it
 * belongs to the exposer, so that the next kernel knows what to expose.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kho_pool_expose.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/kho_pool.h>

#include "charge.h"
#include "pool.h"

/* Names have the same room for drivers and for user space as in the format. */
static_assert(sizeof_field(struct kho_pool_extent, owner) == KHO_POOL_OWNER_MAX);
static_assert(sizeof_field(struct kho_pool_extent, name) == KHO_POOL_NAME_MAX);
static_assert(KHO_POOL_UAPI_POOL_MAX == KHO_POOL_POOL_NAME_MAX);
static_assert(KHO_POOL_UAPI_NAME_MAX == KHO_POOL_NAME_MAX);
static_assert(sizeof_field(struct kho_pool_extent_info, owner) == KHO_POOL_OWNER_MAX);

/* Held from looking up an extent until the operation on it is done, and for the exposer. */
static DEFINE_MUTEX(control_lock);
static const struct kho_pool_exposer *exposer;

union command {
	u32 size;
	struct kho_pool_ioctl_create create;
	struct kho_pool_ioctl_name name;
	struct kho_pool_ioctl_expose expose;
	struct kho_pool_ioctl_query query;
	struct kho_pool_ioctl_list list;
};

static struct kho_pool *kp_ctl_find_pool(const char *name)
{
	struct kho_pool *pool;

	if (name[0] && !kp_name_valid(name, KHO_POOL_UAPI_POOL_MAX))
		return ERR_PTR(-EINVAL);
	pool = kho_pool_find(name[0] ? name : NULL);
	return pool ?: ERR_PTR(-ENODEV);
}

/* The extent of that name, and the pool it is in. */
static struct kho_pool *kp_ctl_find_extent(const char *pool_name, const char *name,
					   struct kho_pool_extent *ext)
{
	struct kho_pool *pool = kp_ctl_find_pool(pool_name);
	int err;

	if (IS_ERR(pool))
		return pool;
	if (!kp_name_valid(name, KHO_POOL_UAPI_NAME_MAX))
		return ERR_PTR(-EINVAL);
	err = kho_pool_lookup(pool, name, ext);
	return err ? ERR_PTR(err) : pool;
}

/* With control_lock held. */
static bool kp_ctl_is_exposed(const struct kho_pool_extent *ext)
{
	struct kho_pool_exposed as;

	return exposer && exposer->find(ext->phys, &as);
}

/* Was it made here?  With control_lock held. */
static bool kp_ctl_is_user(const struct kho_pool_extent *ext)
{
	return (!strcmp(ext->owner, KHO_POOL_USER) && !ext->unclaimed) ||
	       (exposer && exposer->is_ours(ext));
}

static u64 kp_ctl_largest_page(u64 bytes)
{
	if (IS_ALIGNED(bytes, PUD_SIZE))
		return PUD_SIZE;
	return IS_ALIGNED(bytes, PMD_SIZE) ? PMD_SIZE : PAGE_SIZE;
}

static int kp_ctl_create(union command *cmd)
{
	struct kho_pool_ioctl_create *c = &cmd->create;
	struct kho_pool_request req = {
		.size = c->bytes,
		.align = c->align ?: kp_ctl_largest_page(c->bytes),
		.nid = c->nid,
		.flags = c->flags & KHO_POOL_CREATE_THISNODE ? KHO_POOL_THISNODE : 0,
		.name = c->name,
	};
	struct kho_pool *pool = kp_ctl_find_pool(c->pool);
	struct kho_pool_owner *owner;
	struct kp_charge *charge;
	phys_addr_t phys;
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (!kp_name_valid(c->name, KHO_POOL_UAPI_NAME_MAX) ||
	    c->flags & ~KHO_POOL_CREATE_THISNODE || c->phys)
		return -EINVAL;
	owner = kho_pool_user_owner(pool);
	if (IS_ERR(owner))
		return PTR_ERR(owner);
	/* Programs go on with what is there, also where the group may have no more. */
	if (kp_name_in_use(pool, c->name))
		return -EEXIST;
	charge = kp_charge_begin(pool, c->bytes);
	if (IS_ERR(charge))
		return PTR_ERR(charge);
	err = kho_pool_alloc(owner, &req, &phys);
	if (err) {
		kp_charge_undo(charge);
		return err;
	}
	err = kp_charge_end(charge, c->name, phys);
	if (err)
		return kho_pool_free(owner, phys, c->bytes) ?: err;
	c->phys = phys;
	return 0;
}

/* Free one that was made here, with control_lock held. */
static int kp_ctl_free(struct kho_pool *pool, const struct kho_pool_extent *ext)
{
	struct kho_pool_owner *user;
	int err;

	if (kp_ctl_is_exposed(ext))
		return -EBUSY;
	/* It was exposed before the last kexec, but no device could be made of it. */
	if (strcmp(ext->owner, KHO_POOL_USER)) {
		err = exposer->hide(pool, ext);
		if (err)
			return err;
	}
	user = kho_pool_user_owner(pool);
	if (IS_ERR(user))
		return PTR_ERR(user);
	guard(kp_charge)();
	err = kho_pool_free(user, ext->phys, ext->size);
	if (!err)
		kp_charge_drop(ext->phys);
	return err;
}

static int kp_ctl_release(union command *cmd)
{
	struct kho_pool_extent ext;
	struct kho_pool *pool;
	int err;

	if (cmd->name.reserved)
		return -EINVAL;
	guard(mutex)(&control_lock);
	pool = kp_ctl_find_extent(cmd->name.pool, cmd->name.name, &ext);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (kp_ctl_is_user(&ext))
		return kp_ctl_free(pool, &ext);
	guard(kp_charge)();
	err = kho_pool_release(pool, cmd->name.name);
	if (!err)
		kp_charge_drop(ext.phys);
	return err;
}

static int kp_ctl_expose(union command *cmd)
{
	struct kho_pool_ioctl_expose *e = &cmd->expose;
	struct kho_pool_exposed as = { .align = e->align };
	struct kho_pool_extent ext;
	struct kho_pool *pool;
	int err;

	if (e->reserved || e->dax_region || e->dax_id)
		return -EINVAL;
	guard(mutex)(&control_lock);
	pool = kp_ctl_find_extent(e->pool, e->name, &ext);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (!exposer)
		return -EOPNOTSUPP;
	err = exposer->find(ext.phys, &as) ? -EALREADY :
	      kp_ctl_is_user(&ext) ? exposer->expose(pool, &ext, &as) : -EBUSY;
	e->dax_region = as.region;
	e->dax_id = as.id;
	e->align = as.align;
	return err;
}

static int kp_ctl_hide(union command *cmd)
{
	struct kho_pool_extent ext;
	struct kho_pool *pool;

	if (cmd->name.reserved)
		return -EINVAL;
	guard(mutex)(&control_lock);
	pool = kp_ctl_find_extent(cmd->name.pool, cmd->name.name, &ext);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	return exposer ? exposer->hide(pool, &ext) : -ENXIO;
}

/* With control_lock held. */
static void kp_ctl_describe(const struct kho_pool_extent *ext, struct kho_pool_extent_info *info)
{
	struct kho_pool_exposed as = {};

	*info = (struct kho_pool_extent_info){
		.phys = capable(CAP_SYS_ADMIN) ? ext->phys : 0,
		.bytes = ext->size,
		.flags = ext->unclaimed ? KHO_POOL_EXTENT_UNCLAIMED : 0,
		.nid = ext->nid,
	};
	if (kp_ctl_is_user(ext))
		info->flags |= KHO_POOL_EXTENT_USER;
	if (exposer && exposer->find(ext->phys, &as))
		info->flags |= KHO_POOL_EXTENT_USER | KHO_POOL_EXTENT_EXPOSED |
			       (as.held ? KHO_POOL_EXTENT_HELD : 0) |
			       (as.pinned ? KHO_POOL_EXTENT_PINNED : 0);
	info->align = as.align;
	info->dax_region = as.region;
	info->dax_id = as.id;
	strscpy(info->owner, ext->owner, sizeof(info->owner));
	strscpy(info->name, ext->name, sizeof(info->name));
}

static int kp_ctl_query(union command *cmd)
{
	struct kho_pool_extent ext;
	struct kho_pool *pool;

	if (cmd->query.reserved)
		return -EINVAL;
	guard(mutex)(&control_lock);
	pool = kp_ctl_find_extent(cmd->query.pool, cmd->query.name, &ext);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	kp_ctl_describe(&ext, &cmd->query.info);
	return 0;
}

struct listing {
	const struct kho_pool_ioctl_list *list;
	u64 seen, filled;
};

static int kp_ctl_list_one(const struct kho_pool_extent *ext, void *data)
{
	struct kho_pool_extent_info info;
	struct listing *l = data;
	void __user *to;
	int err;

	if (l->seen++ < l->list->skip || l->filled == l->list->nr)
		return fatal_signal_pending(current) ? -EINTR : 0;
	scoped_guard(mutex, &control_lock)
		kp_ctl_describe(ext, &info);
	to = u64_to_user_ptr(l->list->infos + l->filled * l->list->info_size);
	err = copy_struct_to_user(to, l->list->info_size, &info, sizeof(info), NULL);
	l->filled += !err;
	cond_resched();
	return err;
}

static int kp_ctl_list(union command *cmd)
{
	struct kho_pool_ioctl_list *c = &cmd->list;
	struct listing l = { .list = c };
	struct kho_pool *pool;
	u64 end;
	int err;

	if (c->info_size < KHO_POOL_EXTENT_INFO_SIZE_VER0 || c->total ||
	    check_mul_overflow(c->nr, (u64)c->info_size, &end) ||
	    check_add_overflow(end, c->infos, &end))
		return -EINVAL;
	pool = kp_ctl_find_pool(c->pool);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	err = kho_pool_walk(pool, kp_ctl_list_one, &l);
	c->nr = l.filled;
	c->total = l.seen;
	return err;
}

static const struct {
	unsigned int cmd;
	u32 size, min_size;
	bool change;
	int (*run)(union command *cmd);
} commands[] = {
/* The smallest accepted size of a structure is the one that it had first. */
#define COMMAND(_cmd, _type, _ver0, _change, _run) \
	[_IOC_NR(_cmd)] = { .cmd = _cmd, .size = sizeof(struct _type), \
			    .min_size = (_ver0) + \
					BUILD_BUG_ON_ZERO(sizeof(struct _type) < (_ver0)), \
			    .change = _change, .run = _run }
	COMMAND(KHO_POOL_CREATE, kho_pool_ioctl_create, KHO_POOL_CREATE_SIZE_VER0, true,
		kp_ctl_create),
	COMMAND(KHO_POOL_RELEASE, kho_pool_ioctl_name, KHO_POOL_NAME_SIZE_VER0, true,
		kp_ctl_release),
	COMMAND(KHO_POOL_EXPOSE, kho_pool_ioctl_expose, KHO_POOL_EXPOSE_SIZE_VER0, true,
		kp_ctl_expose),
	COMMAND(KHO_POOL_HIDE, kho_pool_ioctl_name, KHO_POOL_NAME_SIZE_VER0, true, kp_ctl_hide),
	COMMAND(KHO_POOL_QUERY, kho_pool_ioctl_query, KHO_POOL_QUERY_SIZE_VER0, false,
		kp_ctl_query),
	COMMAND(KHO_POOL_LIST, kho_pool_ioctl_list, KHO_POOL_LIST_SIZE_VER0, false, kp_ctl_list),
};

static long kho_pool_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	unsigned int i = _IOC_NR(nr);
	union command cmd = {};
	u32 size;
	int err;

	if (i >= ARRAY_SIZE(commands) || commands[i].cmd != nr)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < commands[i].min_size)
		return -EINVAL;
	if (size > SZ_4K)
		return -E2BIG;
	err = copy_struct_from_user(&cmd, commands[i].size, user, size);
	if (err)
		return err;
	if (commands[i].change && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = commands[i].run(&cmd);
	/* If it is exposed already, describe the device too. */
	if ((!err || err == -EALREADY) && copy_to_user(user, &cmd, min(size, commands[i].size)))
		return -EFAULT;
	return err;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = kho_pool_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kho_pool",
	/* Next to it are links to the devices of extents: /dev/kho_pool/<pool>/<name>. */
	.nodename = "kho_pool/control",
	.mode = 0600,
	.fops = &control_fops,
};

/**
 * kho_pool_set_exposer - set the driver that makes devices of extents
 * @ops: the functions, or NULL when they go away
 *
 * Context: process; waits for calls that are under way.
 *
 * Return: 0, or -EBUSY if there is another one.
 */
int kho_pool_set_exposer(const struct kho_pool_exposer *ops)
{
	guard(mutex)(&control_lock);
	if (ops && exposer)
		return -EBUSY;
	exposer = ops;
	return 0;
}
EXPORT_SYMBOL_GPL(kho_pool_set_exposer);

static int __init kp_ctl_init(void)
{
	struct kho_pool *pool;
	int err;

	for_each_pool(pool) {
		struct kho_pool_owner *owner = kho_pool_user_owner(pool);

		/* The pool is quarantined, or read-only without this owner in it. */
		if (!IS_ERR(owner) && kho_pool_claim_all(owner, NULL, NULL))
			pr_err("%s: not all extents are claimed\n", kho_pool_name(pool));
	}
	err = kp_charge_init();
	if (err)
		pr_err("cgroup limits do not hold for what is in the pools, or after a kexec: %d\n",
		       err);
	return misc_register(&control);
}

/* After kho_init(), and before the exposer, which is a device driver. */
fs_initcall_sync(kp_ctl_init);
