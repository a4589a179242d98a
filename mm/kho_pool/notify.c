// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells user space that something about a pool has changed that somebody may wait for:
 * poll() of its file in sysfs returns, and udev gets a "change" of the pool, with the names
 * of these files in KHO_POOL_CHANGED.
 */
#include <linux/bitops.h>
#include <linux/kobject.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "pool.h"

static const char *const files[] = {
	[KP_CHANGED_STATE] = "state",
	[KP_CHANGED_BAD_FRAMES] = "bad_frames",
	[KP_CHANGED_FAILURES] = "alloc_failures",
};

struct kp_notifier {
	struct kho_pool *pool;
	unsigned long changed;	/* bits, enum kp_changed */
	struct delayed_work work;
};

static void kp_notify_work(struct work_struct *work)
{
	struct kp_notifier *n = container_of(to_delayed_work(work), struct kp_notifier, work);
	unsigned long changed = xchg(&n->changed, 0);
	char text[80];
	char *env[2] = { text };
	struct seq_buf s;
	u32 i;

	seq_buf_init(&s, text, sizeof(text));
	seq_buf_puts(&s, "KHO_POOL_CHANGED=");
	for_each_set_bit(i, &changed, ARRAY_SIZE(files)) {
		sysfs_notify(&n->pool->kobj, NULL, files[i]);
		seq_buf_printf(&s, "%s%s", s.buffer[s.len - 1] == '=' ? "" : " ", files[i]);
	}
	seq_buf_str(&s);
	kobject_uevent_env(&n->pool->kobj, KOBJ_CHANGE, env);
}

/**
 * kp_notify_init - from now on user space is told
 * @pool: a pool that is in sysfs
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init kp_notify_init(struct kho_pool *pool)
{
	struct kp_notifier *n = kzalloc_obj(*n);

	if (!n)
		return -ENOMEM;
	n->pool = pool;
	INIT_DELAYED_WORK(&n->work, kp_notify_work);
	/* Pairs with kp_notify(). */
	smp_store_release(&pool->notifier, n);
	return 0;
}

/**
 * kp_notify - something of a pool has changed
 * @pool: the pool
 * @what: what it is
 *
 * What changes within a tenth of a second is told at once.
 *
 * Context: any but NMI.
 */
void kp_notify(struct kho_pool *pool, enum kp_changed what)
{
	/* Pairs with kp_notify_init(). */
	struct kp_notifier *n = smp_load_acquire(&pool->notifier);

	if (!n)
		return;
	/* Where all allocations fail, most find it set. */
	if (!test_bit(what, &n->changed))
		set_bit(what, &n->changed);
	schedule_delayed_work(&n->work, HZ / 10);
}
