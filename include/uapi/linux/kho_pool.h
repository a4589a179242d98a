/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/kho_pool/control: memory that survives kexec, for user space.
 *
 * See Documentation/admin-guide/mm/kho_pool.rst.
 */
#ifndef _UAPI_LINUX_KHO_POOL_H
#define _UAPI_LINUX_KHO_POOL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: ioctls of /dev/kho_pool/control
 *
 * All take a structure whose first member is its size.  A kernel that knows a
 * longer structure treats what is missing as zero.  One that knows a shorter
 * structure fails with E2BIG unless the rest is zero.  Members named reserved are
 * zero.
 *
 * Errors that have the same meaning everywhere:
 *
 * - ENOTTY: no such ioctl
 * - E2BIG: the structure is longer than the kernel's, and the excess is not zero;
 *   or it is longer than 4 KiB
 * - EINVAL: the structure is too short, or the value of a member is not valid: an
 *   unknown flag, a malformed name, a size or alignment that is not a multiple of
 *   what it has to be
 * - EPERM: calls that change something need CAP_SYS_ADMIN
 * - ENODEV: no such pool
 * - ENOENT: the pool has no such extent
 * - ESHUTDOWN: a kexec is under way
 * - EROFS: the pool can only be read, because it has features of a later kernel
 * - EUCLEAN: the pool is quarantined; or nothing new can be named in it, because a
 *   part of it could not be read for lack of memory (a later kernel may read it)
 *
 * Names of pools have up to 31 bytes, those of extents up to 55.  They consist of
 * letters, digits, '-', '_' and '.', and do not begin with a '.'.  An empty pool
 * name stands for the first pool.
 */

#define KHO_POOL_IOCTL_TYPE	0xBB

#define KHO_POOL_UAPI_POOL_MAX	32	/* bytes with the NUL */
#define KHO_POOL_UAPI_NAME_MAX	56

/* Sizes of the structures in the first version; kernels refuse shorter ones. */
#define KHO_POOL_CREATE_SIZE_VER0	128
#define KHO_POOL_NAME_SIZE_VER0		96
#define KHO_POOL_EXPOSE_SIZE_VER0	112
#define KHO_POOL_EXTENT_INFO_SIZE_VER0	128
#define KHO_POOL_QUERY_SIZE_VER0	224
#define KHO_POOL_LIST_SIZE_VER0		72

/* The memory must be on the node; without this flag, other nodes are used if it is full. */
#define KHO_POOL_CREATE_THISNODE	(1ULL << 0)

/**
 * struct kho_pool_ioctl_create - ioctl(KHO_POOL_CREATE)
 * @size: sizeof(struct kho_pool_ioctl_create)
 * @nid: NUMA node, or -1
 * @pool: where
 * @name: of the new extent, unique in the pool
 * @bytes: how much, a multiple of the page size
 * @align: power of two of at least the page size, or 0: the largest page size
 *	that divides @bytes
 * @flags: KHO_POOL_CREATE_*
 * @phys: output: where it is
 *
 * The memory is cleared.  It stays until KHO_POOL_RELEASE, over any number of
 * kexecs, also after the process has exited.
 *
 * EEXIST: the name is taken.  EDQUOT: the caller's cgroup, or one that it is in, may
 * not have that much of the pool (dmem.max); ENAMETOOLONG: its path is longer than 2015
 * bytes.  ENOMEM: there is not enough contiguous free memory.  ENOSPC: the pool has no
 * room for another name, or there is not enough contiguous free memory on the node that
 * the extent must be on.
 */
struct kho_pool_ioctl_create {
	__u32 size;
	__s32 nid;
	char pool[KHO_POOL_UAPI_POOL_MAX];
	char name[KHO_POOL_UAPI_NAME_MAX];
	__aligned_u64 bytes;
	__aligned_u64 align;
	__aligned_u64 flags;
	__aligned_u64 phys;
};

/**
 * struct kho_pool_ioctl_name - ioctl(KHO_POOL_RELEASE), ioctl(KHO_POOL_HIDE)
 * @size: sizeof(struct kho_pool_ioctl_name)
 * @reserved: zero
 * @pool: where
 * @name: of the extent
 *
 * KHO_POOL_RELEASE gives an extent up, with its contents: an extent that was made
 * by KHO_POOL_CREATE and is not exposed, or one that nobody has claimed since the
 * last kexec.  EBUSY: it is exposed (a live update session keeps it exposed), or a
 * driver owns it.
 *
 * KHO_POOL_HIDE takes the device of an exposed extent away.  The extent stays.
 * EBUSY: a process has it mapped (even if untouched) or pinned, a live update
 * session holds it, or the device is bound to a driver other than device_dax.
 * ENXIO: it is not exposed.
 */
struct kho_pool_ioctl_name {
	__u32 size;
	__u32 reserved;
	char pool[KHO_POOL_UAPI_POOL_MAX];
	char name[KHO_POOL_UAPI_NAME_MAX];
};

/**
 * struct kho_pool_ioctl_expose - ioctl(KHO_POOL_EXPOSE)
 * @size: sizeof(struct kho_pool_ioctl_expose)
 * @dax_region: output: X of /dev/daxX.Y
 * @dax_id: output: Y of /dev/daxX.Y
 * @reserved: zero
 * @pool: where
 * @name: of the extent
 * @align: page size to map it with (that of pages, PMDs or PUDs), or 0: the largest
 *	that size and address of the extent allow
 *
 * Makes a device-dax device of an extent made by KHO_POOL_CREATE.  Later kernels
 * make it again by themselves.  In a read-only pool the device is for this kernel
 * only, and an extent that an earlier kernel exposed cannot be hidden (EROFS).
 *
 * EALREADY: it is exposed; the output is filled in.  EOPNOTSUPP: the kernel has
 * no device-dax, or the kernel or the CPU cannot map pages of this size.  EBUSY: a
 * driver owns it.  ENOMEM: no memory for its struct pages.
 */
struct kho_pool_ioctl_expose {
	__u32 size;
	__u32 dax_region;
	__u32 dax_id;
	__u32 reserved;
	char pool[KHO_POOL_UAPI_POOL_MAX];
	char name[KHO_POOL_UAPI_NAME_MAX];
	__aligned_u64 align;
};

/* Nobody has claimed it since the last kexec. */
#define KHO_POOL_EXTENT_UNCLAIMED	(1U << 0)
/* It is /dev/dax<dax_region>.<dax_id>. */
#define KHO_POOL_EXTENT_EXPOSED		(1U << 1)
/* It was made by KHO_POOL_CREATE. */
#define KHO_POOL_EXTENT_USER		(1U << 2)
/* A live update session has a file of it, so it can be neither hidden nor released. */
#define KHO_POOL_EXTENT_HELD		(1U << 3)
/*
 * Its pages were pinned when the driver of its device was unbound.  While they are, it can
 * be neither hidden nor released, and no driver can bind.
 */
#define KHO_POOL_EXTENT_PINNED		(1U << 4)

/**
 * struct kho_pool_extent_info - one extent
 * @phys: where it is; 0 without CAP_SYS_ADMIN
 * @bytes: how long it is
 * @align: page size that it is exposed with, or 0
 * @flags: KHO_POOL_EXTENT_*
 * @nid: NUMA node, or -1
 * @dax_region: X of /dev/daxX.Y, if it is exposed
 * @dax_id: Y of /dev/daxX.Y
 * @owner: name of its owner
 * @name: its name, or empty
 */
struct kho_pool_extent_info {
	__aligned_u64 phys;
	__aligned_u64 bytes;
	__aligned_u64 align;
	__u32 flags;
	__s32 nid;
	__u32 dax_region;
	__u32 dax_id;
	char owner[32];
	char name[KHO_POOL_UAPI_NAME_MAX];
};

/**
 * struct kho_pool_ioctl_query - ioctl(KHO_POOL_QUERY)
 * @size: sizeof(struct kho_pool_ioctl_query)
 * @reserved: zero
 * @pool: where
 * @name: of the extent
 * @info: output; it stays last, because it may grow
 */
struct kho_pool_ioctl_query {
	__u32 size;
	__u32 reserved;
	char pool[KHO_POOL_UAPI_POOL_MAX];
	char name[KHO_POOL_UAPI_NAME_MAX];
	struct kho_pool_extent_info info;
};

/**
 * struct kho_pool_ioctl_list - ioctl(KHO_POOL_LIST)
 * @size: sizeof(struct kho_pool_ioctl_list)
 * @info_size: sizeof(struct kho_pool_extent_info), which may grow
 * @pool: where
 * @skip: how many extents to skip, in the order of their addresses
 * @infos: array of struct kho_pool_extent_info, to be filled
 * @nr: input: how many @infos has room for; output: how many were filled in
 * @total: output: how many extents there are
 */
struct kho_pool_ioctl_list {
	__u32 size;
	__u32 info_size;
	char pool[KHO_POOL_UAPI_POOL_MAX];
	__aligned_u64 skip;
	__aligned_u64 infos;
	__aligned_u64 nr;
	__aligned_u64 total;
};

#define KHO_POOL_CREATE		_IO(KHO_POOL_IOCTL_TYPE, 0x00)
#define KHO_POOL_RELEASE	_IO(KHO_POOL_IOCTL_TYPE, 0x01)
#define KHO_POOL_EXPOSE		_IO(KHO_POOL_IOCTL_TYPE, 0x02)
#define KHO_POOL_HIDE		_IO(KHO_POOL_IOCTL_TYPE, 0x03)
#define KHO_POOL_QUERY		_IO(KHO_POOL_IOCTL_TYPE, 0x04)
#define KHO_POOL_LIST		_IO(KHO_POOL_IOCTL_TYPE, 0x05)

#endif /* _UAPI_LINUX_KHO_POOL_H */
