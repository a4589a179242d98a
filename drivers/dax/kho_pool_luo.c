// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of exposed extents in sessions of the Live Update Orchestrator.
 *
 * The extent comes over by itself.  A session has a record of one size that says
 * which one it is, see include/linux/kho/abi/kho_pool_luo.h; from retrieve on it
 * is a file of the device that the next kernel has made of the same extent.
 *
 * While a session has the file, the extent can be neither hidden nor released.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho_pool.h>
#include <linux/liveupdate.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "dax-private.h"
#include "kho_pool.h"
#include "kho_pool_luo_record.h"

/* Retrieved files have their inodes here: there may be no node in /dev. */
static struct vfsmount *mnt;

static bool can_preserve(struct liveupdate_file_handler *handler, struct file *file)
{
	return kho_pool_dax_of_file(file);
}

static int preserve(struct liveupdate_file_op_args *args)
{
	struct dev_dax *dev_dax = args->file->private_data;
	struct kho_pool_luo_record *rec;
	struct kho_pool_extent ext;
	struct kho_pool *pool;
	u16 access = 0;
	int err;

	if (args->file->f_mode & FMODE_READ)
		access |= KHO_POOL_LUO_READ;
	if (args->file->f_mode & FMODE_WRITE)
		access |= KHO_POOL_LUO_WRITE;
	if (!access)
		return -EBADF;
	err = kho_pool_dax_hold(dev_dax, &pool, &ext);
	if (err)
		return err;
	rec = kho_alloc_preserve(sizeof(*rec));
	if (IS_ERR(rec)) {
		kho_pool_dax_drop(dev_dax);
		return PTR_ERR(rec);
	}
	kho_pool_luo_record_set(rec, access, kho_pool_name(pool), &ext);
	args->serialized_data = virt_to_phys(rec);
	return 0;
}

static void unpreserve(struct liveupdate_file_op_args *args)
{
	kho_unpreserve_free(phys_to_virt(args->serialized_data));
	kho_pool_dax_drop(args->file->private_data);
}

/* Open as a node of it in /dev would be; nobody else can reach this one. */
static struct file *open_device(struct dev_dax *dev_dax, u16 access)
{
	int flags = access == KHO_POOL_LUO_READ ? O_RDONLY :
		    access == KHO_POOL_LUO_WRITE ? O_WRONLY : O_RDWR;
	struct path path = { .mnt = mnt };
	struct inode *inode;
	struct file *file;

	path.dentry = d_alloc_name(mnt->mnt_root, dev_name(&dev_dax->dev));
	if (!path.dentry)
		return ERR_PTR(-ENOMEM);
	inode = alloc_anon_inode(mnt->mnt_sb);
	if (IS_ERR(inode)) {
		dput(path.dentry);
		return ERR_CAST(inode);
	}
	init_special_inode(inode, S_IFCHR | 0600, dev_dax->dev.devt);
	d_instantiate(path.dentry, inode);
	file = dentry_open(&path, flags | O_LARGEFILE, current_cred());
	dput(path.dentry);
	return file;
}

static struct file *open_record(const struct kho_pool_luo_record *rec)
{
	struct kho_pool *pool = kho_pool_find(rec->pool);
	struct dev_dax *dev_dax;
	struct file *file;

	if (!pool)
		return ERR_PTR(-ENODEV);
	dev_dax = kho_pool_dax_hold_name(pool, rec->name, le64_to_cpu(rec->phys),
					 le64_to_cpu(rec->size));
	if (IS_ERR(dev_dax))
		return ERR_CAST(dev_dax);
	file = open_device(dev_dax, le16_to_cpu(rec->access));
	if (IS_ERR(file))
		kho_pool_dax_drop(dev_dax);
	return file;
}

static const char *reason(int err)
{
	switch (err) {
	case -ENODEV:
		return "there is no such pool";
	case -ENOENT:
		return "there is no such extent";
	case -ENXIO:
		return "the extent is not exposed";
	case -ESTALE:
		return "the extent is not the one that was preserved";
	default:
		return "the device cannot be opened";
	}
}

/* The record goes whatever comes of it: LUO asks once. */
static int retrieve(struct liveupdate_file_op_args *args)
{
	struct kho_pool_luo_record *rec;
	int err;

	if (!args->serialized_data)
		return -EINVAL;
	rec = phys_to_virt(args->serialized_data);
	err = kho_pool_luo_record_check(rec);
	if (err) {
		pr_err("a preserved file's record is %s\n",
		       err == -EOPNOTSUPP ? "of a version not known here" : "damaged");
	} else {
		args->file = open_record(rec);
		err = PTR_ERR_OR_ZERO(args->file);
		if (err)
			pr_err("%s/%s: preserved, but cannot be retrieved: %s (%d)\n", rec->pool,
			       rec->name, reason(err), err);
	}
	kho_restore_free(rec);
	return err;
}

static void finish(struct liveupdate_file_op_args *args)
{
	if (args->retrieve_status > 0)
		kho_pool_dax_drop(args->file->private_data);
	else if (!args->retrieve_status && args->serialized_data)
		kho_restore_free(phys_to_virt(args->serialized_data));
}

static const struct liveupdate_file_ops ops = {
	.can_preserve = can_preserve,
	.preserve = preserve,
	.unpreserve = unpreserve,
	.retrieve = retrieve,
	.finish = finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler handler = {
	.ops = &ops,
	.compatible = KHO_POOL_LUO_COMPATIBLE,
};

static int init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, KHO_POOL_LUO_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type fs_type = {
	.name = "kho_pool_luo",
	.init_fs_context = init_fs_context,
	.kill_sb = kill_anon_super,
};

static int __init kho_pool_luo_init(void)
{
	int err;

	if (!liveupdate_enabled())
		return 0;
	mnt = kern_mount(&fs_type);
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	err = liveupdate_register_file_handler(&handler);
	if (err) {
		pr_err("no files of extents in live update sessions: %d\n", err);
		kern_unmount(mnt);
	}
	return err;
}

/* After the extents of the last kernel have their devices again. */
late_initcall(kho_pool_luo_init);
