// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel log in memory that survives kexec.  Everything that this kernel prints
 * to its consoles also goes into a ring there, and /dev/kho_pool_klog shows the lines
 * in it, of this kernel and of earlier ones.  Each line begins with the number of the
 * kernel that printed it.
 *
 * The ring stays when the driver is removed, unless it is told to free it:
 *
 *	echo 1 >/sys/module/kho_pool_klog/parameters/release; rmmod kho_pool_klog
 *
 * The format is in include/linux/kho/abi/kho_pool_klog.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/console.h>
#include <linux/device/faux.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kho/abi/kho_pool_klog.h>
#include <linux/kho_pool.h>
#include <linux/minmax.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "ring.h"

#define SIZE_LEAST	SZ_64K
#define SIZE_MOST	SZ_64M

static char *pool_name;
module_param_named(pool, pool_name, charp, 0444);
MODULE_PARM_DESC(pool, "pool to use (the first one)");

static unsigned long size = SZ_1M;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "size of a new log, in bytes (1 MiB)");

static bool release;
module_param(release, bool, 0644);
MODULE_PARM_DESC(release, "free the log when the driver is removed");

static struct {
	struct kho_pool_owner *owner;
	struct kho_pool_extent ext;
	struct klog_ring ring;
} klog;

static void klog_write(struct console *con, struct nbcon_write_context *wctxt)
{
	const char *at = wctxt->outbuf, *end = at + wctxt->len;

	while (at < end) {
		const char *eol;

		/* Another context takes over only between lines, and then owns the text. */
		if (!nbcon_enter_unsafe(wctxt))
			return;
		eol = memchr(at, '\n', end - at) ?: end;
		klog_ring_put(&klog.ring, at, eol - at);
		at = eol + 1;
		if (!nbcon_exit_unsafe(wctxt))
			return;
	}
}

/* Only the console writes to the ring. */
static DEFINE_SPINLOCK(klog_lock);

static void klog_device_lock(struct console *con, unsigned long *flags)
{
	spin_lock_irqsave(&klog_lock, *flags);
}

static void klog_device_unlock(struct console *con, unsigned long flags)
{
	spin_unlock_irqrestore(&klog_lock, flags);
}

static struct console klog_console = {
	.name = "klog",
	.index = 0,
	.write_atomic = klog_write,
	.write_thread = klog_write,
	.device_lock = klog_device_lock,
	.device_unlock = klog_device_unlock,
};

/* The contents of the ring as text, copied when the file is opened. */
struct text {
	size_t len;
	char text[];
};

static int klog_open(struct inode *inode, struct file *file)
{
	struct text *t;
	ssize_t len;

	if (!capable(CAP_SYSLOG))
		return -EPERM;
	t = kvmalloc(sizeof(*t) + klog.ring.size, GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	len = klog_ring_text(&klog.ring, t->text);
	if (len < 0) {
		kvfree(t);
		return len;
	}
	t->len = len;
	file->private_data = t;
	return 0;
}

static ssize_t klog_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	const struct text *t = file->private_data;

	return simple_read_from_buffer(to, count, pos, t->text, t->len);
}

static int klog_release(struct inode *inode, struct file *file)
{
	kvfree(file->private_data);
	return 0;
}

static const struct file_operations klog_fops = {
	.owner = THIS_MODULE,
	.open = klog_open,
	.read = klog_read,
	.llseek = default_llseek,
	.release = klog_release,
};

static struct miscdevice klog_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.mode = 0400,
	.fops = &klog_fops,
};

static ssize_t kernel_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", klog.ring.kernel);
}
static DEVICE_ATTR_RO(kernel);

static ssize_t torn_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", klog.ring.torn);
}
static DEVICE_ATTR_RO(torn);

static struct attribute *klog_attrs[] = {
	&dev_attr_kernel.attr,
	&dev_attr_torn.attr,
	NULL
};
ATTRIBUTE_GROUPS(klog);

/* Does it have an owner of this name, and is it large enough to be a log? */
static bool klog_is_ours(const struct kho_pool_extent *ext)
{
	return !strcmp(ext->owner, KHO_POOL_KLOG_NAME) && ext->size >= SIZE_LEAST;
}

static int klog_begin_anew(struct kho_pool *pool)
{
	struct kho_pool_request req = {
		.size = PAGE_ALIGN(clamp(size, SIZE_LEAST, SIZE_MOST)),
		.nid = NUMA_NO_NODE,
		.name = KHO_POOL_KLOG_NAME,
	};
	int err;

	klog.owner = kho_pool_register_owner(pool, KHO_POOL_KLOG_NAME);
	if (IS_ERR(klog.owner))
		return PTR_ERR(klog.owner);
	err = kho_pool_alloc(klog.owner, &req, &klog.ext.phys);
	klog.ext.size = req.size;
	if (!err)
		klog_ring_format(kho_pool_virt(klog.ext.phys), klog.ext.size);
	return err;
}

/* An extent that is not our log is neither claimed nor changed. */
static int klog_take_over(struct kho_pool *pool)
{
	void *mem = kho_pool_virt(klog.ext.phys);
	bool empty;
	int err;

	if (kho_pool_has_bad(pool, &klog.ext)) {
		pr_err("%s/%s has memory errors: left alone\n", kho_pool_name(pool),
		       KHO_POOL_KLOG_NAME);
		return -EIO;
	}
	empty = klog_is_ours(&klog.ext) && klog_ring_empty(mem);
	if (!empty && !(klog_is_ours(&klog.ext) && klog_ring_known(mem, klog.ext.size))) {
		pr_err("%s/%s has an unknown format: left alone\n",
		       kho_pool_name(pool), KHO_POOL_KLOG_NAME);
		return -EUCLEAN;
	}
	klog.owner = kho_pool_register_owner(pool, KHO_POOL_KLOG_NAME);
	if (IS_ERR(klog.owner))
		return PTR_ERR(klog.owner);
	err = kho_pool_claim(klog.owner, KHO_POOL_KLOG_NAME, &klog.ext);
	if (empty && (!err || err == -EALREADY))
		klog_ring_format(mem, klog.ext.size);
	return err;
}

static int klog_probe(struct faux_device *faux)
{
	struct kho_pool *pool = kho_pool_find(pool_name);
	bool again;
	int err;

	if (!pool)
		return -ENODEV;
	err = kho_pool_lookup(pool, KHO_POOL_KLOG_NAME, &klog.ext);
	err = err ? klog_begin_anew(pool) : klog_take_over(pool);
	/* Claimed before, so this kernel's log so far is in it. */
	again = err == -EALREADY;
	if (err && !again)
		goto no_log;
	err = klog_ring_read(&klog.ring, kho_pool_virt(klog.ext.phys), klog.ext.size);
	if (err < 0)
		goto no_log;
	pr_info("%d lines of kernels up to %u%s\n", err, klog.ring.kernel,
		klog.ring.torn ? ", the last one torn" : "");
	if (!again || !klog.ring.kernel)
		klog.ring.kernel++;

	err = misc_register(&klog_misc);
	if (err)
		goto no_log;
	klog_console.flags = CON_NBCON | CON_ENABLED | CON_ANYTIME | (again ? 0 : CON_PRINTBUFFER);
	register_console(&klog_console);
	return 0;

no_log:
	if (!IS_ERR_OR_NULL(klog.owner))
		kho_pool_unregister_owner(klog.owner);
	return err;
}

static void klog_remove(struct faux_device *faux)
{
	unregister_console(&klog_console);
	misc_deregister(&klog_misc);
	if (release && kho_pool_free(klog.owner, klog.ext.phys, klog.ext.size))
		pr_err("the log is not freed\n");
	kho_pool_unregister_owner(klog.owner);
}

static const struct faux_device_ops klog_ops = {
	.probe = klog_probe,
	.remove = klog_remove,
};

static struct faux_device *klog_device;

static int __init klog_init(void)
{
	klog_device = faux_device_create_with_groups(KBUILD_MODNAME, NULL, &klog_ops, klog_groups);
	return klog_device ? 0 : -ENODEV;
}
module_init(klog_init);

static void __exit klog_exit(void)
{
	faux_device_destroy(klog_device);
}
module_exit(klog_exit);

MODULE_DESCRIPTION("Kernel log in memory that survives kexec");
MODULE_LICENSE("GPL");
