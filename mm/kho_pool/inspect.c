// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is handed on and what was received, as it is in memory:
 *
 *	out/root	root and keep list that the next kernel is going to get
 *	out/index<N>	index of the root's region N as of now
 *	in/root		root and keep list as the previous kernel has left them
 *
 * An index is changed in place, so there is none in in/.  The root is changed in place
 * too; what KHO shows as received in its own folder is by now what goes out.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "debug.h"
#include "early.h"

static struct debugfs_blob_wrapper in_root __ro_after_init;
static struct debugfs_blob_wrapper out_root __ro_after_init;
static struct debugfs_blob_wrapper out_index[KHO_POOL_MAX_REGIONS] __ro_after_init;

/**
 * kp_inspect_init - make the files
 * @dir: /sys/kernel/debug/kho_pool
 */
void __init kp_inspect_init(struct dentry *dir)
{
	struct dentry *out = debugfs_create_dir("out", dir);
	struct dentry *in = debugfs_create_dir("in", dir);
	struct kp_region *r;

	if (kp_state.blob_there && !kp_state.no_handover) {
		out_root.data = phys_to_virt(kp_state.blob);
		out_root.size = KHO_POOL_BLOB_SIZE;
		debugfs_create_blob("root", 0400, out, &out_root);
	}
	for_each_region(r) {
		u32 i = r - kp_state.region;
		char name[16];

		out_index[i].data = phys_to_virt(r->index);
		out_index[i].size = r->index_size;
		snprintf(name, sizeof(name), "index%u", i);
		debugfs_create_blob(name, 0400, out, &out_index[i]);
	}
	if (!kp_received_root)
		return;
	/* The root was written again since, in the same place. */
	in_root.data = kmemdup(kp_received, sizeof(kp_received), GFP_KERNEL);
	in_root.size = sizeof(kp_received);
	if (in_root.data)
		debugfs_create_blob("root", 0400, in, &in_root);
}
