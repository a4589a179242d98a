/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For CONFIG_KHO_POOL_DEBUG.
 *
 *	debugfs.c ---> inspect.c, inject.c ---> kexec.c, takeover.c ---> pool.h
 */
#ifndef _KHO_POOL_DEBUG_H
#define _KHO_POOL_DEBUG_H

#include <linux/kexec.h>
#include <linux/types.h>

struct dentry;

#ifdef CONFIG_KHO_POOL_DEBUG
/* Conditions that tests simulate in kexec.c.  Set by debugfs, zero at boot. */
struct kp_faults {
	/* Used by checks of a kexec image as the address of its first one; 0: the real one */
	u64 segment, control;
	bool late;		/* only in the check before the seal; else only in earlier ones */
	bool inject;		/* root may hand on something other than the pools */
	void (*between_looks)(void);	/* of kho_pool_prepare_kexec(), or NULL */
};

extern struct kp_faults kp_faults;

static inline u64 kp_fault_place(unsigned long nr, u64 base, u64 there)
{
	return nr || !there || kp_faults.late != kexec_in_progress ? base : there;
}

static inline u64 kp_fault_segment(unsigned long nr, u64 base)
{
	return kp_fault_place(nr, base, kp_faults.segment);
}

static inline u64 kp_fault_control(unsigned long nr, u64 base)
{
	return kp_fault_place(nr, base, kp_faults.control);
}

static inline bool kp_fault_inject(void)
{
	return kp_faults.inject;
}

static inline void kp_fault_between_looks(void)
{
	if (kp_faults.between_looks)
		kp_faults.between_looks();
}
#else
static inline u64 kp_fault_segment(unsigned long nr, u64 base)
{
	return base;
}

static inline u64 kp_fault_control(unsigned long nr, u64 base)
{
	return base;
}

static inline bool kp_fault_inject(void)
{
	return false;
}

static inline void kp_fault_between_looks(void) { }
#endif

void kp_inspect_init(struct dentry *dir);
void kp_inject_init(struct dentry *dir);

#endif /* _KHO_POOL_DEBUG_H */
