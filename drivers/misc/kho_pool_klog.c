// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel log in memory that survives kexec: what this kernel says to its
 * consoles goes into a ring there as well, and /dev/kho_pool_klog has what is in
 * it, of this kernel and of those before.  Each line begins with the number of the
 * kernel that has said it.
 *
 * The ring stays when the driver goes away, unless it is told to give it up:
 *
 *	echo 1 >/sys/module/kho_pool_klog/parameters/release; rmmod kho_pool_klog
 *
 * The format is in include/linux/kho/abi/kho_pool_klog.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
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
#include <linux/xxhash.h>

#define SIZE_LEAST	SZ_64K
#define SIZE_MOST	SZ_64M

static char *pool_name;
module_param_named(pool, pool_name, charp, 0444);
MODULE_PARM_DESC(pool, "pool to use (the first one)");

static unsigned long size = SZ_1M;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "bytes, of a log that is begun anew (1 MiB)");

static bool release;
module_param(release, bool, 0644);
MODULE_PARM_DESC(release, "give the log up when the driver goes away");

static struct {
	struct kho_pool_owner *owner;
	struct kho_pool_extent ext;
	char *ring;
	u64 ring_size;
	u64 end;		/* position of the next record */
	u32 kernel;		/* our number */
	bool torn;		/* the kernel before was stopped in a line */
} klog;

static u64 step(u32 len)
{
	return ALIGN(sizeof(struct kho_pool_klog_record) + len, KHO_POOL_KLOG_ALIGN);
}

static u64 check_of(const struct kho_pool_klog_record *rec, u32 len, u64 pos)
{
	return xxh64(&rec->kernel, offsetof(struct kho_pool_klog_record, text) -
		     offsetof(struct kho_pool_klog_record, kernel) + len, pos);
}

static struct kho_pool_klog_record *place(u64 pos)
{
	return (struct kho_pool_klog_record *)(klog.ring + pos % klog.ring_size);
}

/* Can one be there, before the ring's end? */
static bool room(u64 pos, u32 len)
{
	return pos % klog.ring_size + step(len) <= klog.ring_size;
}

/*
 * Copy the record of this position, if there is one.  It may be written over
 * meanwhile, which its check tells.
 */
static bool get_record(u64 pos, struct kho_pool_klog_record *to)
{
	const struct kho_pool_klog_record *rec = place(pos);
	u32 len;

	if (!room(pos, 0) || le64_to_cpu(READ_ONCE(rec->pos)) != pos)
		return false;
	len = le32_to_cpu(READ_ONCE(rec->len));
	if (len > KHO_POOL_KLOG_LINE_MAX || !room(pos, len))
		return false;
	memcpy(to, rec, sizeof(*rec) + len);
	return le32_to_cpu(to->len) == len && le64_to_cpu(to->check) == check_of(to, len, pos);
}

/* Any context, but only one at a time: who has the console. */
static void put_record(const char *text, u32 len)
{
	struct kho_pool_klog_record *rec;
	u64 pos = klog.end;

	len = min(len, KHO_POOL_KLOG_LINE_MAX);
	if (!room(pos, len))
		pos += klog.ring_size - pos % klog.ring_size;
	rec = place(pos);
	WRITE_ONCE(rec->pos, cpu_to_le64(pos));
	/* From here on it is this line, and torn. */
	smp_wmb();
	rec->kernel = cpu_to_le32(klog.kernel);
	rec->len = cpu_to_le32(len);
	memcpy(rec->text, text, len);
	/* No check before what it is of. */
	smp_wmb();
	WRITE_ONCE(rec->check, cpu_to_le64(check_of(rec, len, pos)));
	/* Pairs with klog_open(). */
	smp_store_release(&klog.end, pos + step(len));
}

static void klog_write(struct console *con, struct nbcon_write_context *wctxt)
{
	const char *at = wctxt->outbuf, *end = at + wctxt->len;

	while (at < end) {
		const char *eol;

		/* Whoever takes over does so between lines; the text is its own then. */
		if (!nbcon_enter_unsafe(wctxt))
			return;
		eol = memchr(at, '\n', end - at) ?: end;
		put_record(at, eol - at);
		at = eol + 1;
		if (!nbcon_exit_unsafe(wctxt))
			return;
	}
}

/* Nothing but the console writes to the ring. */
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

/* What is in the ring as text, taken when the file is opened. */
struct text {
	size_t len;
	char text[];
};

static int klog_open(struct inode *inode, struct file *file)
{
	struct kho_pool_klog_record *rec __free(kfree) = NULL;
	/* Pairs with put_record(). */
	u64 end = smp_load_acquire(&klog.end), pos;
	struct text *t;

	if (!capable(CAP_SYSLOG))
		return -EPERM;
	rec = kmalloc(sizeof(*rec) + KHO_POOL_KLOG_LINE_MAX, GFP_KERNEL);
	/* A line's number and end are shorter than its record's header. */
	t = kvmalloc(sizeof(*t) + klog.ring_size, GFP_KERNEL);
	if (!rec || !t) {
		kvfree(t);
		return -ENOMEM;
	}
	t->len = 0;
	pos = end > klog.ring_size ? end - klog.ring_size : 0;
	while (pos < end) {
		u32 len;

		cond_resched();
		if (!get_record(pos, rec)) {
			pos += KHO_POOL_KLOG_ALIGN;
			continue;
		}
		len = le32_to_cpu(rec->len);
		t->len += scnprintf(t->text + t->len, klog.ring_size - t->len, "%u ",
				    le32_to_cpu(rec->kernel));
		memcpy(t->text + t->len, rec->text, len);
		t->len += len;
		t->text[t->len++] = '\n';
		pos += step(len);
	}
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
	return sysfs_emit(buf, "%u\n", klog.kernel);
}
static DEVICE_ATTR_RO(kernel);

static ssize_t torn_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", klog.torn);
}
static DEVICE_ATTR_RO(torn);

static struct attribute *klog_attrs[] = {
	&dev_attr_kernel.attr,
	&dev_attr_torn.attr,
	NULL
};
ATTRIBUTE_GROUPS(klog);

static u64 header_check(const struct kho_pool_klog_header *h)
{
	return xxh64(h, offsetof(struct kho_pool_klog_header, check), 0);
}

static void format(void)
{
	struct kho_pool_klog_header *h = kho_pool_virt(klog.ext.phys);

	h->version = cpu_to_le32(KHO_POOL_KLOG_VERSION);
	h->ring_size = cpu_to_le64(klog.ext.size - sizeof(*h));
	h->magic = cpu_to_le64(KHO_POOL_KLOG_MAGIC);
	h->check = cpu_to_le64(header_check(h));
}

/* Is it a log, or the beginning of one? */
static bool is_ours(const struct kho_pool_extent *ext)
{
	const struct kho_pool_klog_header *h = kho_pool_virt(ext->phys);

	if (strcmp(ext->owner, KHO_POOL_KLOG_NAME) || ext->size < SIZE_LEAST)
		return false;
	return h->magic == cpu_to_le64(KHO_POOL_KLOG_MAGIC) &&
	       h->version == cpu_to_le32(KHO_POOL_KLOG_VERSION) &&
	       le64_to_cpu(h->check) == header_check(h) &&
	       le64_to_cpu(h->ring_size) == ext->size - sizeof(*h);
}

/* Memory is cleared when it is allocated: the kernel was stopped before format(). */
static bool is_empty(const struct kho_pool_extent *ext)
{
	return !strcmp(ext->owner, KHO_POOL_KLOG_NAME) && ext->size >= SIZE_LEAST &&
	       !memchr_inv(kho_pool_virt(ext->phys), 0, sizeof(struct kho_pool_klog_header));
}

/* Find the end of the log.  How many lines there are, or an error. */
static int read_ring(void)
{
	struct kho_pool_klog_record *rec;
	u64 at = 0, wrap;
	int lines = 0;

	rec = kmalloc(sizeof(*rec) + KHO_POOL_KLOG_LINE_MAX, GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	klog.end = 0;
	klog.kernel = 0;
	/* A record begins where the ring does. */
	while (at + sizeof(*rec) <= klog.ring_size) {
		u64 pos = le64_to_cpu(place(at)->pos);

		cond_resched();
		if (pos % klog.ring_size != at || !get_record(pos, rec)) {
			at += KHO_POOL_KLOG_ALIGN;
			continue;
		}
		lines++;
		klog.end = max(klog.end, pos + step(le32_to_cpu(rec->len)));
		klog.kernel = max(klog.kernel, le32_to_cpu(rec->kernel));
		at += step(le32_to_cpu(rec->len));
	}
	kfree(rec);
	wrap = roundup(klog.end, klog.ring_size);
	/* Was one begun, where the next one is to be or, for want of room, at the beginning? */
	klog.torn = klog.end && (le64_to_cpu(place(wrap)->pos) == wrap ||
		    (room(klog.end, 0) && le64_to_cpu(place(klog.end)->pos) == klog.end));
	return lines;
}

static int begin_anew(struct kho_pool *pool)
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
		format();
	return err;
}

/* What is not a log of ours is neither claimed nor changed. */
static int take_over(struct kho_pool *pool)
{
	bool empty = is_empty(&klog.ext);
	int err;

	if (!empty && !is_ours(&klog.ext)) {
		pr_err("%s/%s is not in a format that is known: left alone\n",
		       kho_pool_name(pool), KHO_POOL_KLOG_NAME);
		return -EUCLEAN;
	}
	klog.owner = kho_pool_register_owner(pool, KHO_POOL_KLOG_NAME);
	if (IS_ERR(klog.owner))
		return PTR_ERR(klog.owner);
	err = kho_pool_claim(klog.owner, KHO_POOL_KLOG_NAME, &klog.ext);
	if (empty && (!err || err == -EALREADY))
		format();
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
	err = err ? begin_anew(pool) : take_over(pool);
	/* Claimed before: this kernel's log so far is in it. */
	again = err == -EALREADY;
	if (err && !again)
		return err;
	klog.ring = kho_pool_virt(klog.ext.phys) + sizeof(struct kho_pool_klog_header);
	klog.ring_size = klog.ext.size - sizeof(struct kho_pool_klog_header);
	err = read_ring();
	if (err < 0)
		return err;
	pr_info("%d lines of kernels up to %u%s\n", err, klog.kernel,
		klog.torn ? ", the last one torn" : "");
	if (!again || !klog.kernel)
		klog.kernel++;

	err = misc_register(&klog_misc);
	if (err)
		return err;
	klog_console.flags = CON_NBCON | CON_ENABLED | CON_ANYTIME | (again ? 0 : CON_PRINTBUFFER);
	register_console(&klog_console);
	return 0;
}

static void klog_remove(struct faux_device *faux)
{
	unregister_console(&klog_console);
	misc_deregister(&klog_misc);
	if (release)
		kho_pool_free(klog.owner, klog.ext.phys, klog.ext.size);
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
