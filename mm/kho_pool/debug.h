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

/* What the checks of a kexec image look at, see debugfs.c */
enum kp_debug_place { KP_DEBUG_SEGMENT, KP_DEBUG_CONTROL, KP_DEBUG_PLACES };

#ifdef CONFIG_KHO_POOL_DEBUG
void kp_note_received(const void *blob);
u64 kp_debug_place(enum kp_debug_place what, unsigned long nr, u64 base);
bool kp_inject_allowed(void);
#else
static inline void kp_note_received(const void *blob) { }

static inline u64 kp_debug_place(enum kp_debug_place what, unsigned long nr, u64 base)
{
	return base;
}

static inline bool kp_inject_allowed(void)
{
	return false;
}
#endif

void kp_inspect_init(struct dentry *dir);
void kp_inject_init(struct dentry *dir);

#endif /* _KHO_POOL_DEBUG_H */
