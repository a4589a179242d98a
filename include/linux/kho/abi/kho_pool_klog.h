/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: kho_pool_klog format
 *
 * A ring of kernel log lines, in an extent called "klog" whose owner is "klog". It
 * is a contract between kernels: a kernel leaves a log alone if it does not know its
 * version. This is version 1. All of it is little-endian.
 *
 * The extent begins with struct kho_pool_klog_header, which is written once, with its
 * magic last: while the magic is zero, there is no log yet. The rest of the extent is
 * the ring, one record after the other, each on a multiple of eight bytes. A record
 * has a position, counted in bytes from the beginning of the log. It is in the ring
 * at that position modulo the ring's size. The next record begins where this one
 * ends, or, if it does not fit there, at the ring's beginning.
 *
 * The beginning and the end of the log are not stored. A record is valid if it has the
 * position of its place and its check is right; the check is written last. The last
 * record is the one with the highest position. If the place after it has the next
 * position and a wrong check, it holds a line that was being written when the kernel
 * stopped.
 */
#ifndef _LINUX_KHO_ABI_KHO_POOL_KLOG_H
#define _LINUX_KHO_ABI_KHO_POOL_KLOG_H

#include <linux/types.h>

#define KHO_POOL_KLOG_NAME	"klog"

#define KHO_POOL_KLOG_MAGIC	0x31474f4c4b504b48ULL	/* "HKPKLOG1" */
#define KHO_POOL_KLOG_VERSION	1

struct kho_pool_klog_header {
	__le64 magic;
	__le32 version;
	__le32 reserved;	/* zero */
	__le64 ring_size;	/* bytes, a multiple of 8 */
	__le64 spare[4];	/* zero */
	__le64 check;		/* xxh64() of everything before it, seed 0 */
};

#define KHO_POOL_KLOG_ALIGN	8
#define KHO_POOL_KLOG_LINE_MAX	2048

struct kho_pool_klog_record {
	__le64 pos;
	__le64 check;		/* xxh64() of everything after it, seed pos */
	__le32 kernel;		/* number of the kernel that wrote it, from 1 */
	__le32 len;		/* bytes of text */
	char text[];		/* one line, without the newline */
};

#endif /* _LINUX_KHO_ABI_KHO_POOL_KLOG_H */
