/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: kho_pool_klog format
 *
 * A ring of kernel log lines, in an extent called "klog" whose owner is "klog". It
 * is a contract between kernels: what is not version 1 is left alone by those that
 * know no more. All of it is little-endian.
 *
 * The extent begins with struct kho_pool_klog_header, which is written once, its
 * magic last: as long as that is zero, there is no log yet. The rest of the extent is
 * the ring, one record after the other, each on a multiple of eight bytes. A record
 * has a position, counted in bytes from the beginning of the log: it is in the ring
 * at that position modulo the ring's size. The next record is where this one ends,
 * or, if it does not fit there, at the ring's beginning.
 *
 * Nothing says where the log begins and ends. A record is there if it has the
 * position of its place and its check is right; the check is written last. The last
 * record is the one with the highest position. A place behind it that has the
 * position which comes next, and a check that is not right, is a line that was being
 * written when the kernel stopped.
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
	__le64 check;		/* xxh64() of all before it, seed 0 */
};

#define KHO_POOL_KLOG_ALIGN	8
#define KHO_POOL_KLOG_LINE_MAX	2048

struct kho_pool_klog_record {
	__le64 pos;
	__le64 check;		/* xxh64() of all after it, seed pos */
	__le32 kernel;		/* counts those that have written to the log, from 1 */
	__le32 len;		/* bytes of text */
	char text[];		/* one line, without its end */
};

#endif /* _LINUX_KHO_ABI_KHO_POOL_KLOG_H */
