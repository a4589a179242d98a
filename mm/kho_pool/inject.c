// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hand something other than the pools to the next kernel, to see how it reacts.
 * Needs kho_pool_inject on the command line.
 *
 *	inject/root	root and keep list: 8 KiB
 *	inject/index<N>	index of region N, of the size of out/index<N>
 *
 * A file that was written in full replaces the root or the index when this kernel
 * shuts down, after the seal, unchecked.  A file that is not complete is not used.
 * Opening a file for writing empties it.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/syscore_ops.h>

#include "debug.h"
#include "pool.h"

static bool allowed __ro_after_init;
core_param(kho_pool_inject, allowed, bool, 0);

struct injection {
	void *to;
	u64 size;
	void *data;
	u64 have;		/* it is used if this is the size */
};

/* The root and its regions' indexes. */
static struct injection injections[1 + KHO_POOL_MAX_REGIONS];
static DEFINE_MUTEX(lock);

static int kp_inject_open(struct inode *inode, struct file *file)
{
	struct injection *i = inode->i_private;

	guard(mutex)(&lock);
	if (!i->data)
		i->data = kvzalloc(i->size, GFP_KERNEL);
	if (!i->data)
		return -ENOMEM;
	i->have = 0;
	file->private_data = i;
	return 0;
}

static ssize_t kp_inject_write(struct file *file, const char __user *ubuf, size_t count,
			       loff_t *pos)
{
	struct injection *i = file->private_data;
	ssize_t ret;

	guard(mutex)(&lock);
	if (*pos != i->have)
		return -EINVAL;
	ret = simple_write_to_buffer(i->data, i->size, pos, ubuf, count);
	if (!ret && count)
		return -EFBIG;
	i->have = *pos;
	return ret;
}

static int kp_inject_release(struct inode *inode, struct file *file)
{
	struct injection *i = file->private_data;

	guard(mutex)(&lock);
	if (i->have != i->size) {
		pr_warn("%pd: %llu bytes written, not %llu: not injected\n",
			file->f_path.dentry, i->have, i->size);
		return 0;
	}
	pr_warn("%pd: the next kernel will get what was written\n", file->f_path.dentry);
	add_taint(TAINT_USER, LOCKDEP_STILL_OK);
	return 0;
}

static const struct file_operations inject_fops = {
	.open = kp_inject_open,
	.write = kp_inject_write,
	.release = kp_inject_release,
};

static void kp_inject_all(void *data)
{
	for (u32 n = 0; n < ARRAY_SIZE(injections); n++) {
		struct injection *i = &injections[n];

		if (!i->size || i->have != i->size)
			continue;
		pr_warn("injecting %llu bytes at %#llx\n", i->size, (u64)virt_to_phys(i->to));
		memcpy(i->to, i->data, i->size);
	}
}

static const struct syscore_ops inject_ops = {
	.shutdown = kp_inject_all,
};

static struct syscore inject_syscore = {
	.ops = &inject_ops,
};

/* Shutdown runs in the reverse order of registration: this one before the seal's. */
static int __init kho_pool_inject_init(void)
{
	if (allowed)
		register_syscore(&inject_syscore);
	kp_faults.inject = allowed;
	return 0;
}
fs_initcall(kho_pool_inject_init);

/**
 * kp_inject_init - make the files, if the command line allows them
 * @dir: /sys/kernel/debug/kho_pool
 */
void __init kp_inject_init(struct dentry *dir)
{
	struct injection *i = injections;
	struct kp_region *r;

	if (!allowed || !kp_state.blob_there || kp_state.no_handover)
		return;
	pr_warn("root can change what is handed on: kho_pool_inject\n");
	dir = debugfs_create_dir("inject", dir);
	i->to = phys_to_virt(kp_state.blob);
	i->size = KHO_POOL_BLOB_SIZE;
	debugfs_create_file("root", 0200, dir, i++, &inject_fops);
	for_each_region(r) {
		char name[16];

		i->to = phys_to_virt(r->index);
		i->size = r->index_size;
		snprintf(name, sizeof(name), "index%u", (u32)(r - kp_state.region));
		debugfs_create_file(name, 0200, dir, i++, &inject_fops);
	}
}
