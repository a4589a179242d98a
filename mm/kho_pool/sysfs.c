// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/mm/kho_pool: a folder for each pool, with a folder for each node and
 * each region, and one value per file.
 * Documentation/ABI/testing/sysfs-kernel-mm-kho-pool says what they mean.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>

#include "charge.h"
#include "pool.h"

struct pool_attr {
	struct attribute attr;
	/* One of these, or else the sum is shown */
	u64 (*count)(const struct kp_stat *free);
	ssize_t (*show)(struct kho_pool *pool, char *buf);
	enum kp_sum sum;
	ssize_t (*store)(struct kho_pool *pool, const char *buf, size_t count);
};

static struct kho_pool *kp_sysfs_to_pool(struct kobject *kobj)
{
	return container_of(kobj, struct kho_pool, kobj);
}

static ssize_t kp_sysfs_show_stat(struct kho_pool *pool, int nid,
				  const struct pool_attr *attr, char *buf)
{
	struct kp_stat free;

	if (!attr->count)
		return sysfs_emit(buf, "%llu\n", kp_node_sum(pool, nid, attr->sum));
	kp_node_count(pool, nid, &free);
	return sysfs_emit(buf, "%llu\n", attr->count(&free));
}

static ssize_t kp_sysfs_pool_attr_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	const struct pool_attr *pool_attr = container_of(attr, struct pool_attr, attr);

	if (pool_attr->show)
		return pool_attr->show(kp_sysfs_to_pool(kobj), buf);
	return kp_sysfs_show_stat(kp_sysfs_to_pool(kobj), NUMA_NO_NODE, pool_attr, buf);
}

static ssize_t kp_sysfs_pool_attr_store(struct kobject *kobj, struct attribute *attr,
					const char *buf, size_t count)
{
	const struct pool_attr *pool_attr = container_of(attr, struct pool_attr, attr);

	return pool_attr->store(kp_sysfs_to_pool(kobj), buf, count);
}

#define POOL_RO(_name)							\
static const struct pool_attr _name##_attr = {				\
	.attr = { .name = #_name, .mode = 0444 },			\
	.show = kp_sysfs_##_name##_show,				\
}

/* A value that is summed up, of a pool or of a node in it */
#define POOL_SUM(_name, _sum)						\
static const struct pool_attr _name##_attr = {				\
	.attr = { .name = #_name, .mode = 0444 },			\
	.sum = _sum,							\
}

/* A value that has to be counted */
#define POOL_COUNT(_name, _value)					\
static u64 kp_sysfs_##_name##_count(const struct kp_stat *free)		\
{									\
	return _value;							\
}									\
									\
static const struct pool_attr _name##_attr = {				\
	.attr = { .name = #_name, .mode = 0444 },			\
	.count = kp_sysfs_##_name##_count,				\
}

/* A value that all pools share */
#define POOL_VALUE(_name, _value)					\
static ssize_t kp_sysfs_##_name##_show(struct kho_pool *pool, char *buf) \
{									\
	return sysfs_emit(buf, "%llu\n", (u64)(_value));		\
}									\
POOL_RO(_name)

POOL_SUM(size_bytes, KP_SUM_SIZE);
POOL_COUNT(free_bytes, free->free_frames << PAGE_SHIFT);
POOL_SUM(quarantined_bytes, KP_SUM_QUARANTINED);
POOL_COUNT(largest_free_bytes, free->largest << PAGE_SHIFT);
POOL_COUNT(free_areas, free->free_areas);
POOL_COUNT(free_blocks, free->free_blocks);
POOL_COUNT(free_frames, free->free_frames);
POOL_SUM(extents, KP_SUM_EXTENTS);
POOL_SUM(unclaimed, KP_SUM_UNCLAIMED);
POOL_SUM(index_bytes, KP_SUM_INDEX_BYTES);
POOL_SUM(allocs, KP_SUM_ALLOCS);
POOL_SUM(frees, KP_SUM_FREES);
POOL_SUM(regions, KP_SUM_REGIONS);
POOL_SUM(bad_frames, KP_SUM_BAD_FRAMES);
POOL_VALUE(alloc_failures, atomic64_read(&pool->failures));
POOL_VALUE(bad_frees, atomic64_read(&pool->bad_frees));
POOL_VALUE(generation, kp_state.generation);
POOL_VALUE(seal_ns, kp_state.seal_ns);
POOL_VALUE(root_bytes, kp_state.root_size);

/* Cycles and nanoseconds at one moment, to compute the length of a cycle. */
static cycles_t then_cycles;
static u64 then_ns;

static ssize_t kp_sysfs_restore_ns_show(struct kho_pool *pool, char *buf)
{
	u64 cycles = get_cycles() - then_cycles, ns = ktime_get_ns() - then_ns;

	if (cycles)
		ns = mul_u64_u64_div_u64(kp_state.restore_cycles, ns, cycles);
	return sysfs_emit(buf, "%llu\n", cycles ? ns : 0);
}

POOL_RO(restore_ns);

static ssize_t kp_sysfs_state_show(struct kho_pool *pool, char *buf)
{
	u32 bad = 0, worn = 0, state = 0;

	for (u32 i = 0; i < pool->nr_regions; i++) {
		if (kp_region_ok(pool->region[i])) {
			worn += pool->region[i]->idx.all_bad;
			continue;
		}
		bad++;
		state = pool->region[i]->state;
	}
	if (bad == pool->nr_regions)
		return sysfs_emit(buf, "quarantined: %s\n", kp_region_reason(state));
	if (bad)
		return sysfs_emit(buf, "degraded: %u of %u regions quarantined: %s\n", bad,
				  pool->nr_regions, kp_region_reason(state));
	if (pool->read_only)
		return sysfs_emit(buf, "read-only: unknown features %#llx\n",
				  kp_state.ro_compat & ~KHO_POOL_RO_COMPAT_KNOWN);
	if (kp_state.sealed)
		return sysfs_emit(buf, "sealed\n");
	if (kp_state.no_handover)
		return sysfs_emit(buf, "active, not handed on: %s\n", kp_state.no_handover);
	if (worn)
		return sysfs_emit(buf, "degraded: too many memory errors in %u of %u regions\n",
				  worn, pool->nr_regions);
	return sysfs_emit(buf, "active\n");
}

POOL_RO(state);

/* "NAME" gives up one unclaimed extent, "owner:NAME" all of an owner. */
static ssize_t kp_sysfs_release_store(struct kho_pool *pool, const char *buf, size_t count)
{
	char *text __free(kfree) = kstrndup(buf, count, GFP_KERNEL);
	char *name;
	int ret;

	if (!text)
		return -ENOMEM;
	name = strim(text);
	guard(kp_charge)();
	if (str_has_prefix(name, "owner:"))
		ret = kho_pool_release_owner(pool, name + strlen("owner:"));
	else
		ret = kho_pool_release(pool, name);
	if (ret >= 0)
		kp_charge_sweep();
	return ret < 0 ? ret : count;
}

static const struct pool_attr release_attr = {
	.attr = { .name = "release", .mode = 0200 }, .store = kp_sysfs_release_store,
};

/* Those that are counted or summed up */
static const struct attribute *const stat_attrs[] = {
	&size_bytes_attr.attr,
	&free_bytes_attr.attr,
	&quarantined_bytes_attr.attr,
	&largest_free_bytes_attr.attr,
	&free_areas_attr.attr,
	&free_blocks_attr.attr,
	&free_frames_attr.attr,
	&extents_attr.attr,
	&unclaimed_attr.attr,
	&index_bytes_attr.attr,
	&allocs_attr.attr,
	&frees_attr.attr,
	&regions_attr.attr,
	&bad_frames_attr.attr,
	NULL
};

static const struct attribute *const pool_attrs[] = {
	&alloc_failures_attr.attr,
	&bad_frees_attr.attr,
	&generation_attr.attr,
	&seal_ns_attr.attr,
	&restore_ns_attr.attr,
	&root_bytes_attr.attr,
	&state_attr.attr,
	&release_attr.attr,
	NULL
};

static const struct sysfs_ops pool_sysfs_ops = {
	.show = kp_sysfs_pool_attr_show,
	.store = kp_sysfs_pool_attr_store,
};

/* Pools are static and never go away. */
static void kp_sysfs_pool_kobj_release(struct kobject *kobj)
{
}

static const struct kobj_type pool_ktype = {
	.sysfs_ops = &pool_sysfs_ops,
	.release = kp_sysfs_pool_kobj_release,
};

/* The part of a pool on one node, as this kernel numbers nodes */
struct pool_node {
	struct kobject kobj;
	struct kho_pool *pool;
	int nid;
};

static ssize_t kp_sysfs_node_attr_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	const struct pool_node *node = container_of(kobj, struct pool_node, kobj);

	return kp_sysfs_show_stat(node->pool, node->nid,
				  container_of(attr, struct pool_attr, attr), buf);
}

static const struct sysfs_ops node_sysfs_ops = {
	.show = kp_sysfs_node_attr_show,
};

static void kp_sysfs_node_kobj_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct pool_node, kobj));
}

static const struct kobj_type node_ktype = {
	.sysfs_ops = &node_sysfs_ops,
	.release = kp_sysfs_node_kobj_release,
};

static int __init kp_sysfs_add_node(struct kho_pool *pool, int nid)
{
	struct pool_node *node = kzalloc_obj(*node);
	int err;

	if (!node)
		return -ENOMEM;
	node->pool = pool;
	node->nid = nid;
	err = kobject_init_and_add(&node->kobj, &node_ktype, &pool->kobj, "node%d", nid);
	err = err ?: sysfs_create_files(&node->kobj, stat_attrs);
	if (err)
		kobject_put(&node->kobj);
	return err;
}

/* One region of a pool, so that a picture of the pool can be drawn */
struct pool_region {
	struct kobject kobj;
	const struct kp_region *region;
};

struct region_attr {
	struct attribute attr;
	ssize_t (*show)(const struct kp_region *region, char *buf);
};

static ssize_t kp_sysfs_region_attr_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	const struct pool_region *r = container_of(kobj, struct pool_region, kobj);

	return container_of(attr, struct region_attr, attr)->show(r->region, buf);
}

#define REGION_VALUE(_name, _mode, _fmt, _value)					\
static ssize_t kp_sysfs_region_##_name##_show(const struct kp_region *region, char *buf)\
{											\
	return sysfs_emit(buf, _fmt "\n", _value);					\
}											\
											\
static const struct region_attr region_##_name##_attr = {				\
	.attr = { .name = #_name, .mode = _mode },					\
	.show = kp_sysfs_region_##_name##_show,						\
}

/* Only root may see addresses. */
REGION_VALUE(base, 0400, "%#llx", (u64)region->base);
REGION_VALUE(size_bytes, 0444, "%llu", region->size);
REGION_VALUE(node, 0444, "%d", region->nid);
REGION_VALUE(state, 0444, "%s", kp_region_reason(region->state));
REGION_VALUE(bad_frames, 0444, "%llu", kp_bad_frames(region));

static const struct attribute *const region_attrs[] = {
	&region_base_attr.attr,
	&region_size_bytes_attr.attr,
	&region_node_attr.attr,
	&region_state_attr.attr,
	&region_bad_frames_attr.attr,
	NULL
};

static const struct sysfs_ops region_sysfs_ops = {
	.show = kp_sysfs_region_attr_show,
};

static void kp_sysfs_region_kobj_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct pool_region, kobj));
}

static const struct kobj_type region_ktype = {
	.sysfs_ops = &region_sysfs_ops,
	.release = kp_sysfs_region_kobj_release,
};

static int __init kp_sysfs_add_region(struct kho_pool *pool, u32 i)
{
	struct pool_region *r = kzalloc_obj(*r);
	int err;

	if (!r)
		return -ENOMEM;
	r->region = pool->region[i];
	err = kobject_init_and_add(&r->kobj, &region_ktype, &pool->kobj, "region%u", i);
	err = err ?: sysfs_create_files(&r->kobj, region_attrs);
	if (err)
		kobject_put(&r->kobj);
	return err;
}

static int __init kp_sysfs_add_pool(struct kho_pool *pool, struct kset *top)
{
	nodemask_t nodes = NODE_MASK_NONE;
	int nid, err;

	/* In a set, so that udev hears of it */
	pool->kobj.kset = top;
	err = kobject_init_and_add(&pool->kobj, &pool_ktype, NULL, "%s", pool->name);
	err = err ?: sysfs_create_files(&pool->kobj, stat_attrs);
	err = err ?: sysfs_create_files(&pool->kobj, pool_attrs);
	for (u32 i = 0; i < pool->nr_regions; i++)
		if (pool->region[i]->nid != NUMA_NO_NODE)
			node_set(pool->region[i]->nid, nodes);
	for_each_node_mask(nid, nodes)
		err = err ?: kp_sysfs_add_node(pool, nid);
	for (u32 i = 0; i < pool->nr_regions; i++)
		err = err ?: kp_sysfs_add_region(pool, i);
	return err ?: kp_notify_init(pool);
}

/* The overall state of the handover, which exists without pools too. */
static ssize_t handover_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	if (kp_state.quarantine)
		return sysfs_emit(buf, "quarantined: %s\n", kp_state.quarantine);
	if (!kp_state.blob)
		return sysfs_emit(buf, "none\n");
	if (kp_state.no_handover)
		return sysfs_emit(buf, "disabled: %s\n", kp_state.no_handover);
	return sysfs_emit(buf, kp_state.sealed ? "sealed\n" : "active\n");
}

static struct kobj_attribute handover_attr = __ATTR_RO(handover);

static int __init kho_pool_sysfs_init(void)
{
	struct kset *top = kset_create_and_add("kho_pool", NULL, mm_kobj);
	struct kho_pool *pool;
	int err;

	then_cycles = get_cycles();
	then_ns = ktime_get_ns();
	if (!top)
		return -ENOMEM;
	kp_state.kobj = &top->kobj;
	err = sysfs_create_file(kp_state.kobj, &handover_attr.attr);
	if (err)
		return err;
	for_each_pool(pool) {
		err = kp_sysfs_add_pool(pool, top);
		if (err)
			pr_warn("%s: not in sysfs: %d\n", pool->name, err);
	}
	return 0;
}
subsys_initcall(kho_pool_sysfs_init);
