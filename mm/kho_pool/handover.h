/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handing the pools to the next kernel.
 *
 *	handover.c ---> kexec.c ---> seal.c ---> pool.h
 *	kexec_sysfs.c -> kexec.c
 */
#ifndef _KHO_POOL_HANDOVER_H
#define _KHO_POOL_HANDOVER_H

#include "pool.h"

/* seal.c */
u64 kp_incompat(void);
u64 kp_ro_compat(void);
void kp_root_write(bool sealed);
int kp_seal(void);
void kp_unseal(void);

/* kexec.c */
extern bool kp_strict;

struct kp_verdict {
	const char *why;	/* it would be refused, as it would lose extents; or NULL */
	bool unsaid;		/* it does not say what its kernel can take over */
};

int kp_kexec_verdict(struct kp_verdict *verdict);

#endif /* _KHO_POOL_HANDOVER_H */
