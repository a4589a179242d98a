// SPDX-License-Identifier: GPL-2.0-only
/*
 * Early boot: carve the pools out of memory, or take over those that the
 * kernel before has left.
 *
 * Runs in mm_core_init_early(), when memblock and the direct map are there and
 * zones are not.  Pool memory is removed from memblock, so that it gets no
 * struct pages and costs nothing to initialise; the indexes and the root stay
 * in memblock and are reserved.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/cpumask.h>
#include <linux/crash_dump.h>
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timex.h>

#include <asm/sections.h>
#include <asm/setup.h>

#include "debug.h"
#include "pool.h"

/* What is left to the kernel, at the least: in all, and on each node. */
#define KERNEL_MIN	SZ_512M
#define NODE_MIN	SZ_128M

/* The smallest piece that can do without struct pages. */
#define SECTION		BIT_ULL(SECTION_SIZE_BITS)
/* An area: the largest huge page. */
#define AREA		((u64)PAGE_SIZE << (KHO_POOL_BLOCK_SHIFT + KHO_POOL_AREA_SHIFT))

static char args[COMMAND_LINE_SIZE] __initdata;

static int __init parse_kho_pool(char *arg)
{
	if (!arg || !*arg)
		arg = "?";
	if (args[0])
		strlcat(args, ",", sizeof(args));
	strlcat(args, arg, sizeof(args));
	return 0;
}
early_param("kho_pool", parse_kho_pool);

/* One element of kho_pool=, after it was split off. */
struct want {
	const char *arg;
	char name[KHO_POOL_POOL_NAME_MAX];
	u64 size;
	int nid;
};

static const char *__init parse_want(char *arg, struct want *want)
{
	char *colon = strchr(arg, ':'), *end;

	strscpy(want->name, "default");
	want->nid = NUMA_NO_NODE;
	if (colon) {
		if (colon == arg)
			return "the name is empty";
		if (colon - arg >= sizeof(want->name))
			return "the name is longer than 31 bytes";
		memcpy(want->name, arg, colon - arg);
		want->name[colon - arg] = 0;
		for (const char *c = want->name; *c; c++)
			if (!isalnum(*c) && *c != '-' && *c != '_' && *c != '.')
				return "a name is made of letters, digits, '-', '_' and '.'";
		if (want->name[0] == '.')
			return "a name does not begin with a dot";
		/* Files beside the pools: in sysfs, and in /dev/kho_pool. */
		if (!strcmp(want->name, "handover") || !strcmp(want->name, "control"))
			return "that name is taken";
		arg = colon + 1;
	}
	if (!isdigit(*arg))
		return "a size is missing";
	want->size = memparse(arg, &end);
	if (*end == '@') {
		unsigned int nid;

		if (kstrtouint(end + 1, 10, &nid))
			return "the node is not a number";
		if (nid >= MAX_NUMNODES || !node_online(nid))
			return "there is no such node";
		want->nid = nid;
	} else if (*end) {
		return "the size is malformed";
	}
	if (!want->size)
		return "the size is zero";
	if (want->size > memblock_end_of_DRAM())
		return "the size is larger than memory";
	want->size = round_up(want->size, SECTION);
	return NULL;
}

/* The largest piece for a pool in a free range of memory, or 0. */
static u64 __init fit(u64 start, u64 end, u64 want, u64 grain, u64 *base)
{
	u64 size;

	start = round_up(start, grain);
	end = round_down(end, grain);
	if (start >= end)
		return 0;
	size = min(end - start, round_down(want, grain));
	*base = end - size;
	return size;
}

/*
 * What the kernel will have reserved when KHO looks: what it has by now, and the
 * variables of each CPU.  The rest of what comes is small, or depends on how much
 * memory is left to the kernel.
 */
static u64 __init reserved(int nid)
{
	u64 cpus = (u64)num_possible_cpus() *
		   (__per_cpu_end - __per_cpu_start + PERCPU_MODULE_RESERVE +
		    PERCPU_DYNAMIC_RESERVE);

	if (nid != NUMA_NO_NODE)
		cpus /= num_online_nodes();
	return cpus + memblock_reserved_kern_size(MEMBLOCK_ALLOC_ANYWHERE, nid);
}

/*
 * How much the pools may still take.  Besides what the kernel needs, KHO reserves
 * scratch areas for all nodes and one on each; without them it turns itself off.
 */
static u64 __init left_for_pools(void)
{
	u64 memory = memblock_phys_mem_size(), nodes = num_online_nodes();
	u64 taken = reserved(NUMA_NO_NODE);
	u64 kernel = KERNEL_MIN + taken + kho_scratch_expected(taken, false) +
		     nodes * kho_scratch_expected(taken / nodes, true);

	return memory > kernel ? memory - kernel : 0;
}

/* How much of it on one node.  The scratch areas for all nodes may come to lie on any. */
static u64 __init left_on_node(int nid)
{
	u64 memory = 0, taken = reserved(nid);
	unsigned long start, end;
	u64 kernel = NODE_MIN + taken + kho_scratch_expected(taken, true) +
		     kho_scratch_expected(reserved(NUMA_NO_NODE), false);
	int i;

	for_each_mem_pfn_range(i, nid, &start, &end, NULL)
		memory += PFN_PHYS(end - start);
	return memory > kernel ? memory - kernel : 0;
}

/*
 * May the memory at @base be taken away while the kernel runs?  Of a module that
 * is all pool nothing would hinder that: what has no struct pages is not offlined.
 */
static bool __init removable(u64 base)
{
	struct memblock_region *m;

	for_each_mem_region(m)
		if (base >= m->base && base - m->base < m->size)
			return memblock_is_hotpluggable(m);
	return false;
}

/* The largest free piece of memory in whole grains, up to @want. */
static u64 __init find_piece(u64 want, u64 grain, int want_nid, u64 above, u64 *base, int *nid)
{
	phys_addr_t start, end;
	u64 best = 0, i;
	int range_nid;

	want = min(want, left_for_pools());
	for_each_free_mem_range(i, want_nid, MEMBLOCK_NONE, &start, &end, &range_nid) {
		u64 piece, size;

		/* It is of one region of memblock, which is of one kind. */
		if (end <= above || removable(start))
			continue;
		size = fit(max_t(u64, start, above), end, min(want, left_on_node(range_nid)),
			   grain, &piece);
		/* Of equals the highest: low memory is scarce. */
		if (size && size >= best) {
			best = size;
			*base = piece;
			*nid = range_nid;
		}
	}
	return best;
}

/* Memory that is reserved, but not counted as the kernel's own by KHO. */
static phys_addr_t __init reserve_meta(u64 size, int nid)
{
	phys_addr_t phys = memblock_alloc_range_nid(size, SZ_4K > PAGE_SIZE ? SZ_4K : PAGE_SIZE,
						    0, MEMBLOCK_ALLOC_ACCESSIBLE, nid, false);

	if (phys) {
		memblock_phys_free(phys, size);
		memblock_reserve(phys, size);
	}
	return phys;
}

static void __init keep(u64 base, u64 size, u64 flags)
{
	struct kp_keep *k = &kp_state.keep;

	k->range[k->nr].base = base;
	k->range[k->nr].size = size;
	k->range[k->nr].flags = flags;
	k->nr++;
}

static struct kho_pool *__init get_pool(const char *name)
{
	struct kho_pool *pool = kho_pool_find(name);

	if (pool || kp_state.nr_pools == KHO_POOL_MAX_POOLS)
		return pool;
	pool = &kp_state.pool[kp_state.nr_pools++];
	strscpy(pool->name, name);
	raw_spin_lock_init(&pool->name_lock);
	return pool;
}

static struct kp_region *__init add_region(struct kho_pool *pool, u64 base, u64 size, int nid,
					    phys_addr_t index, u64 index_size)
{
	struct kp_region *r = &kp_state.region[kp_state.nr_regions++];

	r->pool = pool;
	r->base = base;
	r->size = size;
	r->nid = nid;
	r->index = index;
	r->index_size = index_size;
	pool->region[pool->nr_regions++] = r;
	keep(base, size, KHO_POOL_KEEP_POOL);
	keep(index, round_up(index_size, PAGE_SIZE), 0);
	return r;
}

/* Set the volatile side of a region up and read its index. */
static void __init restore_region(struct kp_region *r, const u64 *sum)
{
	u64 base = PHYS_PFN(r->base), frames = r->size >> PAGE_SHIFT;
	u32 lanes = cpumask_last(cpu_possible_mask) + 1;
	u64 size = kp_index_volatile_size(base, frames, lanes);
	void *mem = memblock_alloc(size, SMP_CACHE_BYTES);
	cycles_t start = get_cycles();
	int err;

	if (!mem) {
		pr_err("no memory for %llu bytes of free lists\n", size);
		r->state = KHO_POOL_REGION_UNREAD;
		return;
	}
	r->idx.mem = phys_to_virt(r->base);
	r->idx.read_only = r->pool->read_only;
	err = kp_index_attach(&r->idx, phys_to_virt(r->index), r->index_size, base, frames,
			      PAGE_SHIFT, mem, lanes);
	if (err)
		r->state = KHO_POOL_REGION_BAD_HEADER;
	else
		err = kp_index_restore(&r->idx, sum);
	if (err == -EBADMSG)
		r->state = KHO_POOL_REGION_BAD_SUM;
	else if (err == -EUCLEAN)
		r->state = KHO_POOL_REGION_BAD_INDEX;
	if (err) {
		memblock_free(mem, size);
		return;
	}
	r->restored = r->idx.lane[0].extents;
	r->restore_cycles = get_cycles() - start;
}

/* Carve one region.  False if there is no room for it or its index. */
static bool __init carve_region(struct kho_pool *pool, u64 base, u64 size, int nid)
{
	u64 index_size = kp_index_size(PHYS_PFN(base), size >> PAGE_SHIFT);
	phys_addr_t index;
	struct kp_region *r;

	if (kp_state.nr_regions == KHO_POOL_MAX_REGIONS || memblock_remove(base, size))
		return false;
	index = reserve_meta(round_up(index_size, PAGE_SIZE), nid);
	if (!index) {
		memblock_add_node(base, size, nid, MEMBLOCK_NONE);
		return false;
	}
	accept_memory(base, size);
	kp_index_format(phys_to_virt(index), PHYS_PFN(base), size >> PAGE_SHIFT, PAGE_SHIFT,
			pool->name);
	r = add_region(pool, base, size, nid, index, index_size);
	restore_region(r, NULL);
	return true;
}

static void __init carve(const struct want *want)
{
	u64 above = memblock_start_of_DRAM() + KERNEL_MIN;
	u64 left = want->size, grain = AREA, base, size;
	struct kho_pool *pool = get_pool(want->name);
	int nid;

	if (!pool) {
		pr_err("kho_pool=%s: more than %d pools\n", want->arg, KHO_POOL_MAX_POOLS);
		return;
	}
	while (left) {
		size = find_piece(left, grain, want->nid, above, &base, &nid);
		if (size && carve_region(pool, base, size, nid))
			left -= size;
		else if (!size && grain > SECTION)
			grain = SECTION;
		else
			break;
	}
	if (left)
		pr_err("kho_pool=%s: %llu MiB of %llu MiB are not to be had, going on with %llu MiB\n",
		       want->arg, left >> 20, want->size >> 20, (want->size - left) >> 20);
	if (!pool->nr_regions)
		kp_state.nr_pools--;
}

static void __init carve_all(void)
{
	char *rest = args, *arg;

	while ((arg = strsep(&rest, ","))) {
		struct want want = { .arg = arg };
		const char *wrong = parse_want(arg, &want);

		if (wrong)
			pr_err("kho_pool=%s: %s\n", arg, wrong);
		else
			carve(&want);
	}
	if (!kp_state.nr_regions)
		return;
	kp_state.blob = reserve_meta(KHO_POOL_BLOB_SIZE, NUMA_NO_NODE);
	if (!kp_state.blob)
		panic("kho_pool: no memory for the root\n");
	keep(kp_state.blob, round_up(KHO_POOL_BLOB_SIZE, PAGE_SIZE), 0);
	kp_keep_encode(&kp_state.keep, phys_to_virt(kp_state.blob + KHO_POOL_ROOT_SIZE));
}

/* No System RAM any more; if that cannot be said, then at least in use. */
static void __init take_from_memory(u64 base, u64 size)
{
	if (memblock_remove(base, size))
		memblock_reserve(base, size);
}

/* Nothing is known but the ranges: keep everyone off them. */
static void __init quarantine_all(const char *why)
{
	kp_state.quarantine = why;
	if (!kp_keep_decode(phys_to_virt(kp_state.blob + KHO_POOL_ROOT_SIZE), &kp_state.keep)) {
		kp_state.quarantine = "root and keep list are damaged";
		kp_state.no_handover = "nobody knows which memory is the pools'";
		/* KHO reserves what it was told to, so the memory is safe for now. */
		memblock_reserve(kp_state.blob, KHO_POOL_BLOB_SIZE);
		kp_state.keep.nr = 0;
		keep(kp_state.blob, round_up(KHO_POOL_BLOB_SIZE, PAGE_SIZE), 0);
	}
	for (u32 i = 0; i < kp_state.keep.nr; i++) {
		u64 base = kp_state.keep.range[i].base, size = kp_state.keep.range[i].size;

		if (kp_state.keep.range[i].flags & KHO_POOL_KEEP_POOL)
			take_from_memory(base, size);
		else
			memblock_reserve(base, size);
	}
	pr_err("quarantined: %s; the memory stays as it is%s\n", kp_state.quarantine,
	       kp_state.no_handover ? "" : " and is handed on");
}

/* Too large for the stack. */
static struct kp_root root __initdata;
static struct kp_keep kept __initdata;

/* Is all of it memory?  Memblock may have it in several pieces, by node and kind. */
static bool __init is_memory(u64 base, u64 size)
{
	phys_addr_t start, end;
	u64 found = 0, i;

	for_each_mem_range(i, &start, &end)
		if (start < base + size && end > base)
			found += min(end, base + size) - max(start, base);
	return found == size;
}

/* The node that it is on in this kernel, which may count them otherwise. */
static int __init node_of(u64 base)
{
	unsigned long start, end;
	int i, nid;

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start, &end, &nid)
		if (PHYS_PFN(base) >= start && PHYS_PFN(base) < end)
			return nid;
	return NUMA_NO_NODE;
}

/* Does the blob lie in there, if only in part? */
static bool __init holds_blob(u64 base, u64 size)
{
	return base < kp_state.blob + KHO_POOL_BLOB_SIZE && base + size > kp_state.blob;
}

/* Does the root fit what else is known?  NULL, or what is wrong with it. */
static const char *__init check_root(void)
{
	for (u32 i = 0; i < root.nr_regions; i++) {
		const struct kp_root_region *r = &root.region[i];

		if (!is_memory(r->base, r->size) || !is_memory(r->index, r->index_size))
			return "root names memory that is not there";
		if (holds_blob(r->base, r->size) || holds_blob(r->index, r->index_size))
			return "root names its own page";
	}
	if (!kp_keep_decode(phys_to_virt(kp_state.blob + KHO_POOL_ROOT_SIZE), &kept))
		return NULL;
	/* Nothing may fall out of what is kept. */
	for (u32 i = 0; i < kept.nr; i++) {
		u32 j = 0;

		if (!(kept.range[i].flags & KHO_POOL_KEEP_POOL))
			continue;
		while (j < root.nr_regions && root.region[j].base != kept.range[i].base)
			j++;
		if (j == root.nr_regions || root.region[j].size != kept.range[i].size)
			return "root and keep list differ";
	}
	return NULL;
}

static void __init restore_all(void)
{
	const char *wrong = kp_root_decode(phys_to_virt(kp_state.blob), PAGE_SIZE, &root);
	struct kho_pool *pool;

	wrong = wrong ?: check_root();

	if (wrong) {
		quarantine_all(wrong);
		return;
	}
	kp_state.generation = root.generation + 1;
	kp_state.seal_ns = root.seal_ns;
	kp_state.ro_compat = root.ro_compat;
	kp_state.compat = root.compat;
	for (u32 i = 0; i < root.nr_pools; i++)
		get_pool(root.pool_name[i])->read_only =
			root.ro_compat & ~KHO_POOL_RO_COMPAT_KNOWN;
	/* First everyone off all of it, then allocate. */
	for (u32 i = 0; i < root.nr_regions; i++) {
		const struct kp_root_region *from = &root.region[i];
		struct kp_region *r = add_region(&kp_state.pool[from->pool], from->base,
						 from->size, node_of(from->base),
						 from->index, from->index_size);

		r->state = from->state;
		take_from_memory(r->base, r->size);
		memblock_reserve(r->index, round_up(r->index_size, PAGE_SIZE));
	}
	memblock_reserve(kp_state.blob, KHO_POOL_BLOB_SIZE);
	keep(kp_state.blob, round_up(KHO_POOL_BLOB_SIZE, PAGE_SIZE), 0);
	kp_keep_encode(&kp_state.keep, phys_to_virt(kp_state.blob + KHO_POOL_ROOT_SIZE));

	for (u32 i = 0; i < root.nr_regions; i++) {
		struct kp_region *r = &kp_state.region[i];
		bool unread = r->state == KHO_POOL_REGION_UNREAD;

		if (unread)
			r->state = KHO_POOL_REGION_OK;
		if (kp_region_ok(r))
			restore_region(r, root.sealed && !unread ? &root.region[i].sum : NULL);
		if (!kp_region_ok(r))
			pr_err("%s: region at %pa, %llu MiB quarantined: %s\n", r->pool->name,
			       &r->base, r->size >> 20, kp_region_reason(r->state));
	}
	if (!root.sealed)
		pr_warn("the pools were not sealed; their indexes were verified in full\n");
	if (args[0])
		pr_info("kho_pool=%s: ignored, the pools come from the kernel before\n", args);
	for_each_pool(pool)
		if (pool->read_only)
			pr_warn("%s: may only be read: features %#llx are not known\n",
				pool->name, root.ro_compat & ~KHO_POOL_RO_COMPAT_KNOWN);
}

/**
 * kho_pool_owns - is this memory the pools' own, without struct pages?
 * @phys: first byte
 * @size: bytes
 *
 * For KHO, which must not touch struct pages that are not there.
 *
 * Context: any.
 *
 * Return: true if all of it is.
 */
bool kho_pool_owns(phys_addr_t phys, u64 size)
{
	for (u32 i = 0; i < kp_state.keep.nr; i++) {
		u64 base = kp_state.keep.range[i].base;

		if (kp_state.keep.range[i].flags & KHO_POOL_KEEP_POOL &&
		    phys >= base && phys + size <= base + kp_state.keep.range[i].size)
			return true;
	}
	return false;
}

/**
 * kho_pool_init_early - make or take over the pools
 *
 * Context: early boot, before free_area_init() and after KHO knows its memory.
 */
void __init kho_pool_init_early(void)
{
	/* sched_clock() may not be running yet. */
	cycles_t start = get_cycles();
	struct kp_region *r;
	size_t size;
	int err;

	if (is_kdump_kernel())
		return;
	if (is_kho_boot()) {
		err = kho_retrieve_subtree(KHO_POOL_SUBTREE, &kp_state.blob, &size);
		if (err || size < KHO_POOL_BLOB_SIZE || !PAGE_ALIGNED(kp_state.blob)) {
			kp_state.blob = 0;
			/* Something is there that cannot be handed on. */
			if (err != -ENOENT) {
				kp_state.quarantine = "root is not to be found";
				kp_state.no_handover = kp_state.quarantine;
			}
			if (args[0] || err != -ENOENT)
				pr_warn("kho_pool=%s: the kernel before has left no root: no pool is made, as the memory may be in use\n",
					args);
			return;
		}
		kp_note_received(phys_to_virt(kp_state.blob));
		restore_all();
	} else if (args[0] && !kho_is_enabled()) {
		pr_err("kho_pool=%s: Kexec HandOver is off (kho=on turns it on): no pool is made\n",
		       args);
	} else if (args[0]) {
		carve_all();
	}
	kp_state.restore_cycles = get_cycles() - start;
	for_each_region(r)
		pr_info("%s: %pa, %llu MiB on node %d, index %llu KiB at %pa, generation %llu\n",
			r->pool->name, &r->base, r->size >> 20, r->nid, r->index_size >> 10,
			&r->index, kp_state.generation);
}
