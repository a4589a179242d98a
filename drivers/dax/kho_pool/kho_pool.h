/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exposed extents, for code that keeps files of them over a kexec.
 */
#ifndef _DAX_KHO_POOL_H
#define _DAX_KHO_POOL_H

#include <linux/types.h>

struct dev_dax;
struct file;
struct kho_pool;
struct kho_pool_extent;

struct dev_dax *kho_pool_dax_of_file(const struct file *file);
int kho_pool_dax_hold(const struct dev_dax *dev_dax, struct kho_pool **pool,
		      struct kho_pool_extent *ext);
struct dev_dax *kho_pool_dax_hold_name(struct kho_pool *pool, const char *name,
				       phys_addr_t phys, u64 size);
void kho_pool_dax_drop(const struct dev_dax *dev_dax);

#endif
