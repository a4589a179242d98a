// SPDX-License-Identifier: GPL-2.0-only
/*
 * A log that continues over kexec, in the style of IMA's measurement list: records
 * of any length, in order, each with a hash over everything before it.  IMA hands
 * its list over differently on each architecture, by setup_data or by the device
 * tree; here a few extents with names do it on all of them.
 *
 *	/sys/kernel/debug/kho_pool_log/append	write: one record per write
 *	/sys/kernel/debug/kho_pool_log/records	read: number, hash, data, in hex
 *	/sys/kernel/debug/kho_pool_log/head	read: records, parts, last hash
 *
 * The log consists of parts, the extents "log-0", "log-1" and so on.  When a record
 * does not fit any more, a part is added; nothing is ever moved.
 *
 *	| part 0: header, record, record, ... | part 1: header, record, ... |
 *
 * If the kernel stops at any point, the log holds either the records before the
 * last one or the last one too: a new record lies beyond the part's count of bytes
 * until one store updates that count.  A part without a complete header is started
 * again.  A log whose hashes do not match is not continued.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <crypto/sha2.h>
#include <linux/debugfs.h>
#include <linux/hex.h>
#include <linux/kho_pool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static char *pool_name;
module_param_named(pool, pool_name, charp, 0444);
MODULE_PARM_DESC(pool, "pool to use (the first one)");

static unsigned int part_size = SZ_64K;
module_param(part_size, uint, 0444);
MODULE_PARM_DESC(part_size, "bytes that the log grows by");

#define PART_MAGIC	0x474f4c4b	/* "KLOG" */
#define PART_VERSION	1
#define MAX_PARTS	256
/* A record of this size fits into a part of one page. */
#define RECORD_MAX	3072

/* Another kernel reads this: use fixed widths, a version, no pointers. */
struct part {
	__le32 magic;		/* written last */
	__le32 version;
	__le64 first;		/* records in the parts before */
	u8 hash[SHA256_DIGEST_SIZE];	/* of the last of them */
	__le64 used;		/* bytes of records; what makes a record part of the log */
	u8 records[];
};

struct record {
	__le32 length;
	/* SHA-256 over the previous hash, this length and the data */
	u8 hash[SHA256_DIGEST_SIZE];
	u8 data[];
};

static struct kho_pool_owner *owner;
static DEFINE_MUTEX(lock);
static struct part *parts[MAX_PARTS];
static u64 room[MAX_PARTS];		/* bytes for records */
static unsigned int nr_parts;
static u64 nr_records;
static u8 head[SHA256_DIGEST_SIZE];	/* hash of the last record */

static u64 record_size(u64 length)
{
	return round_up(sizeof(struct record) + length, 8);
}

static void hash_record(const u8 *before, const struct record *r, u8 *hash)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, before, SHA256_DIGEST_SIZE);
	sha256_update(&ctx, (const u8 *)&r->length, sizeof(r->length));
	sha256_update(&ctx, r->data, le32_to_cpu(r->length));
	sha256_final(&ctx, hash);
}

/* Parts */

static void begin_part(struct part *part)
{
	part->version = cpu_to_le32(PART_VERSION);
	part->first = cpu_to_le64(nr_records);
	memcpy(part->hash, head, sizeof(head));
	part->used = 0;
	/* If we stop before this, the next kernel starts the part again. */
	smp_store_release(&part->magic, cpu_to_le32(PART_MAGIC));
}

static void name_part(char *name, size_t size, unsigned int nr)
{
	snprintf(name, size, "log-%u", nr);
}

static int add_part(void)
{
	char name[16];
	struct kho_pool_request req = {
		.size = PAGE_ALIGN(part_size),
		.nid = NUMA_NO_NODE,
		.name = name,
	};
	phys_addr_t phys;
	int err;

	if (nr_parts == MAX_PARTS)
		return -ENOSPC;
	name_part(name, sizeof(name), nr_parts);
	err = kho_pool_alloc(owner, &req, &phys);
	if (err)
		return err;
	parts[nr_parts] = kho_pool_virt(phys);
	room[nr_parts] = req.size - sizeof(struct part);
	begin_part(parts[nr_parts++]);
	return 0;
}

static bool read_record(const struct part *part, u64 used, u64 at)
{
	const struct record *r = (const void *)&part->records[at];
	u8 hash[SHA256_DIGEST_SIZE];

	if (used - at < sizeof(*r) || le32_to_cpu(r->length) > RECORD_MAX ||
	    used - at < record_size(le32_to_cpu(r->length)))
		return false;
	hash_record(head, r, hash);
	if (memcmp(hash, r->hash, sizeof(hash)))
		return false;
	memcpy(head, hash, sizeof(head));
	nr_records++;
	return true;
}

/* Adds a part from an earlier kernel, if it continues where the last one ended. */
static int read_part(struct kho_pool *pool, const struct kho_pool_extent *ext)
{
	struct part *part = kho_pool_virt(ext->phys);
	u64 used;

	/* Reading it could stop the machine. */
	if (kho_pool_has_bad(pool, ext)) {
		pr_err("%s: has memory errors\n", ext->name);
		return -EIO;
	}

	parts[nr_parts] = part;
	room[nr_parts] = ext->size - sizeof(*part);
	if (!part->magic) {
		begin_part(part);
		nr_parts++;
		return 0;
	}
	used = le64_to_cpu(part->used);
	if (part->magic != cpu_to_le32(PART_MAGIC) || part->version != cpu_to_le32(PART_VERSION) ||
	    le64_to_cpu(part->first) != nr_records || memcmp(part->hash, head, sizeof(head)) ||
	    used > room[nr_parts]) {
		pr_err("%s: does not continue the log after record %llu\n", ext->name, nr_records);
		return -EUCLEAN;
	}
	for (u64 at = 0; at < used;) {
		const struct record *r = (const void *)&part->records[at];

		if (!read_record(part, used, at)) {
			pr_err("%s: record %llu is not what was written\n", ext->name, nr_records);
			return -EUCLEAN;
		}
		at += record_size(le32_to_cpu(r->length));
	}
	nr_parts++;
	return 0;
}

static int read_log(struct kho_pool *pool)
{
	for (;;) {
		struct kho_pool_extent ext;
		char name[16];
		int err;

		name_part(name, sizeof(name), nr_parts);
		err = kho_pool_claim(owner, name, &ext);
		if (err == -ENOENT)
			return 0;
		/* -EALREADY: an earlier load of this module has claimed it. */
		if (err && err != -EALREADY)
			return err;
		if (nr_parts == MAX_PARTS)
			return -EUCLEAN;
		err = read_part(pool, &ext);
		if (err)
			return err;
	}
}

/* Records */

static int add_record(const u8 *data, size_t length)
{
	unsigned int last = nr_parts - 1;
	struct record *r;
	u64 used;
	int err;

	used = nr_parts ? le64_to_cpu(parts[last]->used) : 0;
	if (!nr_parts || room[last] - used < record_size(length)) {
		err = add_part();
		if (err)
			return err;
		last = nr_parts - 1;
		used = 0;
	}
	r = (void *)&parts[last]->records[used];
	r->length = cpu_to_le32(length);
	memcpy(r->data, data, length);
	hash_record(head, r, r->hash);
	/* Readers do not see the record before this. */
	smp_store_release(&parts[last]->used, cpu_to_le64(used + record_size(length)));
	memcpy(head, r->hash, sizeof(head));
	nr_records++;
	return 0;
}

static ssize_t append_write(struct file *file, const char __user *ubuf, size_t count, loff_t *pos)
{
	u8 *data;
	int err;

	if (!count || count > RECORD_MAX)
		return count ? -EFBIG : 0;
	data = memdup_user(ubuf, count);
	if (IS_ERR(data))
		return PTR_ERR(data);
	scoped_guard(mutex, &lock)
		err = add_record(data, count);
	kfree(data);
	return err ?: count;
}

static const struct file_operations append_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = append_write,
};

static int head_show(struct seq_file *m, void *v)
{
	guard(mutex)(&lock);
	seq_printf(m, "%llu %u %*phN\n", nr_records, nr_parts, SHA256_DIGEST_SIZE, head);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(head);

/* A reader's position */
struct cursor {
	unsigned int part;
	u64 at, number;
};

/* The record at this position, possibly in a later part; NULL at the end. */
static struct record *record_at(struct cursor *c)
{
	for (; c->part < nr_parts; c->part++, c->at = 0)
		if (c->at < le64_to_cpu(parts[c->part]->used))
			return (void *)&parts[c->part]->records[c->at];
	return NULL;
}

static void *records_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct cursor *c = m->private;
	struct record *r = v;

	c->at += record_size(le32_to_cpu(r->length));
	c->number++;
	++*pos;
	return record_at(c);
}

static void *records_start(struct seq_file *m, loff_t *pos)
{
	struct cursor *c = m->private;
	struct record *r;

	mutex_lock(&lock);
	/* Continue from the last position, because nothing ever moves. */
	if (*pos < c->number)
		*c = (struct cursor){};
	for (r = record_at(c); r && c->number < *pos; r = record_at(c)) {
		c->at += record_size(le32_to_cpu(r->length));
		c->number++;
	}
	return r;
}

static void records_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&lock);
}

static int records_show(struct seq_file *m, void *v)
{
	const struct cursor *c = m->private;
	const struct record *r = v;
	u32 length = le32_to_cpu(r->length);
	char hex[2 * 32 + 1] = {};

	seq_printf(m, "%llu %*phN ", c->number, SHA256_DIGEST_SIZE, r->hash);
	for (u32 i = 0; i < length; i += 32) {
		u32 nr = min(length - i, 32U);

		bin2hex(hex, r->data + i, nr);
		hex[2 * nr] = 0;
		seq_puts(m, hex);
	}
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations records_ops = {
	.start = records_start,
	.next = records_next,
	.stop = records_stop,
	.show = records_show,
};

static int records_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &records_ops, sizeof(struct cursor));
}

static const struct file_operations records_fops = {
	.owner = THIS_MODULE,
	.open = records_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static struct dentry *dir;

static int __init log_init(void)
{
	struct kho_pool *pool = kho_pool_find(pool_name);
	int err;

	if (!pool)
		return -ENODEV;
	owner = kho_pool_register_owner(pool, "log");
	if (IS_ERR(owner))
		return PTR_ERR(owner);
	err = read_log(pool);
	if (err) {
		kho_pool_unregister_owner(owner);
		return err;
	}
	pr_info("%llu records in %u parts\n", nr_records, nr_parts);
	dir = debugfs_create_dir("kho_pool_log", NULL);
	debugfs_create_file("append", 0200, dir, NULL, &append_fops);
	debugfs_create_file("records", 0400, dir, NULL, &records_fops);
	debugfs_create_file("head", 0400, dir, NULL, &head_fops);
	return 0;
}
module_init(log_init);

/* The log stays, for the next load or the next kernel. */
static void __exit log_exit(void)
{
	debugfs_remove(dir);
	kho_pool_unregister_owner(owner);
}
module_exit(log_exit);

MODULE_DESCRIPTION("Sample log that goes on over kexec");
MODULE_LICENSE("GPL");
