/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a session of the Live Update Orchestrator keeps of the file descriptor of
 * an exposed extent.
 */
#ifndef _LINUX_KHO_ABI_KHO_POOL_LUO_H
#define _LINUX_KHO_ABI_KHO_POOL_LUO_H

#include <linux/types.h>

/**
 * DOC: kho_pool Live Update ABI
 *
 * LUO's handle of the file (its ``data``) is the physical address of one &struct
 * kho_pool_luo_record, at the beginning of a separate page that KHO preserves.
 * The record says which extent the file was open on.  The extent itself, its memory
 * and how it is exposed are recorded in the pool's index, with or without a session,
 * so the record has the same size for an extent of any size.
 *
 * All numbers are little-endian.  A reader refuses a record with another magic
 * or a wrong check, a version that it does not know, or anything but zero where
 * nothing is defined.  A change of the layout requires a new version and a new
 * %KHO_POOL_LUO_COMPATIBLE.
 */

/* LUO finds the file handler by this. */
#define KHO_POOL_LUO_COMPATIBLE	"kho-pool-dax-v1"

/* "KPLU" */
#define KHO_POOL_LUO_MAGIC	0x554c504b
#define KHO_POOL_LUO_VERSION	1

/* What the file was open for */
#define KHO_POOL_LUO_READ	(1 << 0)
#define KHO_POOL_LUO_WRITE	(1 << 1)

/**
 * struct kho_pool_luo_record - the file of an exposed extent
 * @magic: %KHO_POOL_LUO_MAGIC
 * @version: %KHO_POOL_LUO_VERSION
 * @access: %KHO_POOL_LUO_READ, %KHO_POOL_LUO_WRITE; at least one
 * @phys: the extent's first byte
 * @size: its size in bytes
 * @pool: the pool's name, padded with zeros, at least one
 * @name: the extent's name, padded in the same way
 * @reserved: zero
 * @check: CRC-32C of all bytes before, with an initial value of ~0 and without
 *	inversion at the end
 */
struct kho_pool_luo_record {
	__le32 magic;
	__le16 version;
	__le16 access;
	__le64 phys;
	__le64 size;
	char pool[32];
	char name[56];
	__le32 reserved;
	__le32 check;
};

#endif /* _LINUX_KHO_ABI_KHO_POOL_LUO_H */
