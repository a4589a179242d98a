// SPDX-License-Identifier: GPL-2.0-only
/* The record of an exposed extent's file in a session, see luo_record.h. */
#include <linux/build_bug.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/kho/abi/kho_pool.h>
#include <linux/kho_pool.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "luo_record.h"

static_assert(sizeof(struct kho_pool_luo_record) == 120);
static_assert(sizeof_field(struct kho_pool_luo_record, pool) == KHO_POOL_POOL_NAME_MAX);
static_assert(sizeof_field(struct kho_pool_luo_record, name) ==
	      sizeof_field(struct kho_pool_extent, name));

static u32 kp_dax_luo_check_of(const struct kho_pool_luo_record *rec)
{
	return crc32c(~0, rec, offsetof(struct kho_pool_luo_record, check));
}

/**
 * kho_pool_luo_record_set - write a record
 * @rec: the record; every byte is written
 * @access: %KHO_POOL_LUO_READ and %KHO_POOL_LUO_WRITE, at least one
 * @pool: the pool's name
 * @ext: the extent, with its name
 */
void kho_pool_luo_record_set(struct kho_pool_luo_record *rec, u16 access, const char *pool,
			     const struct kho_pool_extent *ext)
{
	rec->magic = cpu_to_le32(KHO_POOL_LUO_MAGIC);
	rec->version = cpu_to_le16(KHO_POOL_LUO_VERSION);
	rec->access = cpu_to_le16(access);
	rec->phys = cpu_to_le64(ext->phys);
	rec->size = cpu_to_le64(ext->size);
	strscpy_pad(rec->pool, pool, sizeof(rec->pool));
	strscpy_pad(rec->name, ext->name, sizeof(rec->name));
	rec->reserved = 0;
	rec->check = cpu_to_le32(kp_dax_luo_check_of(rec));
}

/**
 * kho_pool_luo_record_check - check whether a record can be used
 * @rec: the record that the previous kernel has left
 *
 * Return: 0, -EBADMSG if it is damaged, or -EOPNOTSUPP if its version is unknown.
 */
int kho_pool_luo_record_check(const struct kho_pool_luo_record *rec)
{
	const u16 known = KHO_POOL_LUO_READ | KHO_POOL_LUO_WRITE;
	u16 access = le16_to_cpu(rec->access);

	if (le32_to_cpu(rec->magic) != KHO_POOL_LUO_MAGIC ||
	    le32_to_cpu(rec->check) != kp_dax_luo_check_of(rec))
		return -EBADMSG;
	if (le16_to_cpu(rec->version) != KHO_POOL_LUO_VERSION)
		return -EOPNOTSUPP;
	if (!access || access & ~known || rec->reserved ||
	    strnlen(rec->pool, sizeof(rec->pool)) == sizeof(rec->pool) ||
	    strnlen(rec->name, sizeof(rec->name)) == sizeof(rec->name))
		return -EBADMSG;
	return 0;
}
