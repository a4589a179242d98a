// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Preservation of exposed extents via LUO
 *
 * Overview
 * ========
 *
 * An exposed extent of a memory pool is a device-dax device. A file descriptor
 * of such a device can be preserved over a kexec with the Live Update
 * Orchestrator (LUO), like a memfd.
 *
 * The extent survives on its own, with its contents, its name and the page
 * size that it is exposed with, whether or not a session has a file of it. The
 * session only records which extent the file was open on. Therefore preserving a
 * file costs the same for an extent of any size. In the next kernel, retrieving
 * it opens the device that this kernel has made of the same extent.
 *
 * While a session holds the file, the extent can be neither hidden nor released:
 * from preserve until unpreserve or the kexec, and from retrieve until finish. A
 * device can be in one session at a time. Before it is retrieved the extent may
 * be hidden or released; retrieve then fails. It also fails while the device has
 * no driver, and can be tried only once: device_dax has to be loaded before.
 *
 * Preserved Properties
 * ====================
 *
 * The following properties of the file are preserved across kexec:
 *
 * The extent
 *   The retrieved file belongs to the extent with the same pool, name, address
 *   and size. Retrieve fails with ``-ESTALE`` if another extent has this name, or
 *   if the extent was hidden since the kexec.
 *
 * Access Mode
 *   The retrieved file is open for reading, writing or both, like the original.
 *
 * ``O_LARGEFILE``
 *   The retrieved file always has this flag.
 *
 * Non-Preserved Properties
 * ========================
 *
 * All properties which are not preserved must be assumed to be reset to
 * default. This section describes some of them.
 *
 * Mappings
 *   They end with the process. After the kexec the file has to be mapped again.
 *
 * Device Number and Path
 *   The device may have another number than before. The retrieved file has an
 *   inode in a file system that is not mounted, so it needs no node in ``/dev``,
 *   and the owner and mode of such a node do not matter. The inode belongs to
 *   whoever retrieves the file, with a mode that allows what the file does; it can
 *   be opened once more through ``/proc/self/fd``. Security modules do not judge it: who may use it
 *   was decided when the file was handed over.
 *
 * ``FD_CLOEXEC`` and File Status Flags
 *   All but those above are not preserved and must be set again with ``fcntl()``.
 *
 * Locking
 * =======
 *
 * The list of devices, and how many sessions hold each of them, are protected by
 * ``kp_dax_devices_lock``. This mutex is taken inside of the control device's lock and of
 * LUO's locks. Neither of them is taken inside of it.
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

#include "../dax-private.h"
#include "kho_pool.h"
#include "luo_record.h"

/* Retrieved files have their inodes here: there may be no node in /dev. */
static struct vfsmount *mnt;

static bool kp_dax_luo_can_preserve(struct liveupdate_file_handler *handler, struct file *file)
{
	return kho_pool_dax_of_file(file);
}

static int kp_dax_luo_preserve(struct liveupdate_file_op_args *args)
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

static void kp_dax_luo_unpreserve(struct liveupdate_file_op_args *args)
{
	kho_unpreserve_free(phys_to_virt(args->serialized_data));
	kho_pool_dax_drop(args->file->private_data);
}

/* Opens the device as its node in /dev would; nobody else can reach this inode. */
static struct file *kp_dax_luo_open_device(struct dev_dax *dev_dax, u16 access)
{
	int flags = access == KHO_POOL_LUO_READ ? O_RDONLY :
		    access == KHO_POOL_LUO_WRITE ? O_WRONLY : O_RDWR;
	/* Opened again, it is good for no more than the file is. */
	umode_t mode = (access & KHO_POOL_LUO_READ ? 0400 : 0) |
		       (access & KHO_POOL_LUO_WRITE ? 0200 : 0);
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
	init_special_inode(inode, S_IFCHR | mode, dev_dax->dev.devt);
	d_instantiate(path.dentry, inode);
	file = dentry_open(&path, flags | O_LARGEFILE, current_cred());
	dput(path.dentry);
	return file;
}

static struct file *kp_dax_luo_open_record(const struct kho_pool_luo_record *rec)
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
	file = kp_dax_luo_open_device(dev_dax, le16_to_cpu(rec->access));
	if (IS_ERR(file))
		kho_pool_dax_drop(dev_dax);
	return file;
}

static const char *kp_dax_luo_reason(int err)
{
	switch (err) {
	case -ENODEV:
		return "there is no such pool";
	case -ENOENT:
		return "there is no such extent";
	case -ENXIO:
		return "the extent is not exposed, or no driver is bound to its device";
	case -ESTALE:
		return "the extent is not the one that was preserved";
	default:
		return "the device cannot be opened";
	}
}

/* Frees the record even if this fails: LUO asks only once. */
static int kp_dax_luo_retrieve(struct liveupdate_file_op_args *args)
{
	struct kho_pool_luo_record *rec;
	int err;

	if (!args->serialized_data)
		return -EINVAL;
	rec = phys_to_virt(args->serialized_data);
	err = kho_pool_luo_record_check(rec);
	if (err) {
		pr_err("a preserved file's record is %s\n",
		       err == -EOPNOTSUPP ? "of an unknown version" : "damaged");
	} else {
		args->file = kp_dax_luo_open_record(rec);
		err = PTR_ERR_OR_ZERO(args->file);
		if (err)
			pr_err("%s/%s: preserved, but cannot be retrieved: %s (%d)\n", rec->pool,
			       rec->name, kp_dax_luo_reason(err), err);
	}
	kho_restore_free(rec);
	return err;
}

static void kp_dax_luo_finish(struct liveupdate_file_op_args *args)
{
	if (args->retrieve_status > 0)
		kho_pool_dax_drop(args->file->private_data);
	else if (!args->retrieve_status && args->serialized_data)
		kho_restore_free(phys_to_virt(args->serialized_data));
}

static const struct liveupdate_file_ops ops = {
	.can_preserve = kp_dax_luo_can_preserve,
	.preserve = kp_dax_luo_preserve,
	.unpreserve = kp_dax_luo_unpreserve,
	.retrieve = kp_dax_luo_retrieve,
	.finish = kp_dax_luo_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler handler = {
	.ops = &ops,
	.compatible = KHO_POOL_LUO_COMPATIBLE,
};

static int kp_dax_luo_init_fs_context(struct fs_context *fc)
{
	if (!init_pseudo(fc, KHO_POOL_LUO_MAGIC))
		return -ENOMEM;
	/* Its inodes are devices, and can be opened through /proc/self/fd. */
	fc->s_iflags &= ~SB_I_NODEV;
	return 0;
}

static struct file_system_type fs_type = {
	.name = "kho_pool_luo",
	.init_fs_context = kp_dax_luo_init_fs_context,
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
		pr_err("cannot put files of extents into live update sessions: %d\n", err);
		kern_unmount(mnt);
	}
	return err;
}

/* After the devices of the previous kernel's extents were made again. */
late_initcall(kho_pool_luo_init);
