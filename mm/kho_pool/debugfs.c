// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/kho_pool: for tests and for debugging.
 *
 *	validate	read: "ok", or the invariant that does not hold
 *	extents		read: all extents of all pools
 *	sealed		write 1 or 0: seal, unseal
 *	regions		read: base, size, index and root of what is handed on
 *	stuck		write 1: make a CPU seem stuck at the next seal
 *	target		write PHYS: checks of kexec images take this for the place
 *			of an image's first segment; 0: they look at the image
 *	control		the same for its first control page
 *	late		write 1: only when devices were shut down; 0: only before
 *	late_alloc	write 1: allocate when devices are shut down, and warn if
 *			that works
 *	between_alloc	write 1: allocate between the two checks of a kexec that
 *			hands nothing on
 *	bad		write PHYS: as if memory_failure() reported an error there
 *	in/, out/	see inspect.c
 *	inject/		see inject.c
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/seq_file.h>

#include "debug.h"
#include "handover.h"

static int validate_show(struct seq_file *m, void *v)
{
	struct kp_region *r;

	for_each_region(r) {
		bool settled = kp_region_ok(r) && !r->pool->read_only;
		int line = settled ? kp_index_validate(&r->idx) : 0;

		if (line) {
			seq_printf(m, "%s: region at %pa: validate.c:%d does not hold\n",
				   r->pool->name, &r->base, line);
			return 0;
		}
	}
	seq_puts(m, "ok\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(validate);

static int kp_debugfs_show_extent(const struct kho_pool_extent *ext, void *data)
{
	seq_printf(data, "%#llx %llu %s %s %s\n", (u64)ext->phys, ext->size, ext->owner,
		   ext->unclaimed ? "unclaimed" : "claimed", ext->name[0] ? ext->name : "-");
	return 0;
}

static int extents_show(struct seq_file *m, void *v)
{
	struct kho_pool *pool;

	for_each_pool(pool)
		kho_pool_walk(pool, kp_debugfs_show_extent, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(extents);

static int regions_show(struct seq_file *m, void *v)
{
	struct kp_region *r;

	seq_printf(m, "root %#llx\n", (u64)kp_state.blob);
	for_each_region(r)
		seq_printf(m, "%s base %#llx size %#llx index %#llx index_size %#llx node %d\n",
			   r->pool->name, (u64)r->base, r->size, (u64)r->index, r->index_size,
			   r->nid);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(regions);

static int kp_debugfs_sealed_set(void *data, u64 value)
{
	if (value)
		return kp_seal();
	kp_unseal();
	return 0;
}

static int kp_debugfs_sealed_get(void *data, u64 *value)
{
	*value = kp_state.sealed;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sealed_fops, kp_debugfs_sealed_get, kp_debugfs_sealed_set, "%llu\n");

static int kp_debugfs_stuck_set(void *data, u64 value)
{
	struct kp_region *r;

	for_each_region(r)
		if (kp_region_ok(r))
			r->idx.pcpu[r->idx.nr_pcpu - 1].active = value;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(stuck_fops, NULL, kp_debugfs_stuck_set, "%llu\n");

static int kp_debugfs_alloc_page_of(struct kho_pool *pool, phys_addr_t *phys)
{
	struct kho_pool_request req = { .size = PAGE_SIZE, .nid = NUMA_NO_NODE };
	struct kho_pool_owner *owner = kho_pool_register_owner(pool, "kho_pool-debug");

	return PTR_ERR_OR_ZERO(owner) ?: kho_pool_alloc(owner, &req, phys);
}

/* Simulates another CPU, which could not be made to do this at the right moment. */
static void kp_debugfs_alloc_between(void)
{
	phys_addr_t phys;

	pr_info("allocation between the looks: %d\n",
		kp_debugfs_alloc_page_of(kho_pool_find(NULL), &phys));
}

static int kp_debugfs_between_set(void *data, u64 value)
{
	kp_faults.between_looks = value ? kp_debugfs_alloc_between : NULL;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(between_fops, NULL, kp_debugfs_between_set, "%llu\n");

static bool late_alloc;

/* Drivers may allocate when their devices are shut down. */
static int kp_debugfs_alloc_late(struct notifier_block *nb, unsigned long action, void *data)
{
	phys_addr_t phys;
	int err;

	if (!late_alloc)
		return NOTIFY_DONE;
	err = kp_debugfs_alloc_page_of(kho_pool_find(NULL), &phys);
	WARN(!err, "an extent at %pa is going to be lost\n", &phys);
	pr_info("allocation at shutdown: %d\n", err);
	return NOTIFY_DONE;
}

static struct notifier_block alloc_late_nb = {
	.notifier_call = kp_debugfs_alloc_late,
};

static int kp_debugfs_bad_set(void *data, u64 phys)
{
	return kho_pool_memory_failure(PHYS_PFN(phys)) ? 0 : -EINVAL;
}
DEFINE_DEBUGFS_ATTRIBUTE(bad_fops, NULL, kp_debugfs_bad_set, "%llx\n");

/* Initcalls can use pools, even the first one. */
static int __init kho_pool_first_initcall(void)
{
	struct kho_pool_request req = { .size = PAGE_SIZE, .nid = NUMA_NO_NODE };
	struct kho_pool_owner *owner;
	struct kho_pool *pool = kho_pool_find(NULL);
	phys_addr_t phys;
	int err;

	if (!pool)
		return 0;
	owner = kho_pool_register_owner(pool, "kho_pool-debug");
	err = PTR_ERR_OR_ZERO(owner);
	err = err ?: kho_pool_alloc(owner, &req, &phys);
	err = err ?: kho_pool_free(owner, phys, req.size);
	pr_info("%s: allocation by the first initcall: %d\n", kho_pool_name(pool), err);
	return 0;
}
early_initcall(kho_pool_first_initcall);

static int __init kho_pool_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("kho_pool", NULL);

	debugfs_create_file("validate", 0400, dir, NULL, &validate_fops);
	debugfs_create_file("extents", 0400, dir, NULL, &extents_fops);
	debugfs_create_file("regions", 0400, dir, NULL, &regions_fops);
	debugfs_create_file("sealed", 0600, dir, NULL, &sealed_fops);
	debugfs_create_file("stuck", 0200, dir, NULL, &stuck_fops);
	debugfs_create_x64("target", 0600, dir, &kp_faults.segment);
	debugfs_create_x64("control", 0600, dir, &kp_faults.control);
	debugfs_create_bool("late", 0600, dir, &kp_faults.late);
	debugfs_create_bool("late_alloc", 0600, dir, &late_alloc);
	debugfs_create_file("between_alloc", 0200, dir, NULL, &between_fops);
	register_reboot_notifier(&alloc_late_nb);
	debugfs_create_file("bad", 0200, dir, NULL, &bad_fops);
	kp_inspect_init(dir);
	kp_inject_init(dir);
	return 0;
}
late_initcall(kho_pool_debugfs_init);
