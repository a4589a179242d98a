// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Handing the pools on
 *
 * To hand the pools to the next kernel, their memory and the root go into KHO's
 * tree at boot, and the indexes are sealed and the root is written when devices
 * are shut down.  Before that, kexec images that would land on pool memory are
 * refused.
 *
 * Everything that is handed on has had its place since the pools were made.  At
 * the seal one page is written, whatever the size of the pools.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/panic.h>
#include <linux/syscore_ops.h>

#include "handover.h"

static void kp_syscore_shutdown(void *data)
{
	/*
	 * Neither the image nor the pools' places can change after the kexec was
	 * allowed.  If they have, it is too late to go back, and overwriting part of
	 * a guest's memory and continuing the guest is worse than losing it.
	 */
	if (kexec_in_progress && kho_pool_check_segments(kexec_image))
		panic("kho_pool: the kexec would overwrite pool memory\n");
	kp_seal();
}

static void kp_syscore_resume(void *data)
{
	kp_unseal();
}

static const struct syscore_ops kp_syscore_ops = {
	.shutdown = kp_syscore_shutdown,
	.resume = kp_syscore_resume,
};

static struct syscore kp_syscore = {
	.ops = &kp_syscore_ops,
};

static int __init kp_preserve_all(void)
{
	int err;

	for (u32 i = 0; i < kp_state.keep.nr; i++) {
		err = kho_preserve_phys(kp_state.keep.range[i].base, kp_state.keep.range[i].size);
		if (err)
			return err;
	}
	return kho_add_subtree_phys(KHO_POOL_SUBTREE, kp_state.blob,
				    kp_state.blob_there ? phys_to_virt(kp_state.blob) : NULL,
				    KHO_POOL_BLOB_SIZE);
}

/* After kho_init(), which makes the tree that goes to the next kernel. */
static int __init kho_pool_handover_init(void)
{
	int err;

	if (!kp_state.blob)
		return 0;
	if (!kp_state.quarantine)
		kp_root_write(false);
	if (!kho_is_enabled()) {
		kp_state.no_handover = "Kexec HandOver is off";
	} else {
		err = kp_preserve_all();
		if (err) {
			kp_state.no_handover = "KHO did not take the pools";
			pr_err("KHO did not take the pools: %d\n", err);
		}
	}
	if (kp_state.no_handover)
		pr_warn("the pools will not be handed on: %s\n", kp_state.no_handover);
	register_syscore(&kp_syscore);
	return 0;
}
fs_initcall_sync(kho_pool_handover_init);
