/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of include/linux/kho/abi/kho_pool_luo.h. */
#ifndef _DAX_KHO_POOL_LUO_RECORD_H
#define _DAX_KHO_POOL_LUO_RECORD_H

#include <linux/kho/abi/kho_pool_luo.h>
#include <linux/types.h>

struct kho_pool_extent;

void kho_pool_luo_record_set(struct kho_pool_luo_record *rec, u16 access, const char *pool,
			     const struct kho_pool_extent *ext);
int kho_pool_luo_record_check(const struct kho_pool_luo_record *rec);

#endif /* _DAX_KHO_POOL_LUO_RECORD_H */
