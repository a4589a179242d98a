/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What CONFIG_KHO_POOL_DEBUG adds.
 *
 *	debugfs.c ---> inspect.c, inject.c ---> pool.h
 */
#ifndef _KHO_POOL_DEBUG_H
#define _KHO_POOL_DEBUG_H

#include <linux/types.h>

struct dentry;

#ifdef CONFIG_KHO_POOL_DEBUG
void kp_note_received(const void *blob);
#else
static inline void kp_note_received(const void *blob) { }
#endif

void kp_inspect_init(struct dentry *dir);
void kp_inject_init(struct dentry *dir);

#endif /* _KHO_POOL_DEBUG_H */
