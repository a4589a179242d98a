// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking over the pools that the previous kernel has left.
 *
 * Pools that are damaged, or unknown to this kernel, are quarantined: the memory stays
 * unchanged and is handed on.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "early.h"

/* Does this kernel use memory there?  What KHO will restore is not reserved yet. */
static bool __init kp_in_use(u64 base, u64 size)
{
	u64 from, to;

	return memblock_is_region_reserved(base, size) ||
	       kho_scratch_in(base, base + size, &from, &to);
}

/*
 * Remove the range from System RAM, or, if that fails, at least reserve it.  Where
 * something is reserved already, struct pages are needed.
 */
static void __init kp_take_from_memory(u64 base, u64 size)
{
	if (kp_in_use(base, size) || memblock_remove(base, size))
		memblock_reserve(base, size);
}

/*
 * Root and keep list as they were handed over.  This is a copy, because there may be
 * no memory where they are: due to mem= or memmap=, for example.
 */
u8 kp_received[KHO_POOL_BLOB_SIZE] __initdata __aligned(8);
bool kp_received_root __initdata;

/* Copy root and keep list; false if they cannot be read. */
bool __init kp_read_blob(void)
{
	void *from = early_memremap(kp_state.blob, KHO_POOL_BLOB_SIZE);

	if (!from)
		return false;
	memcpy(kp_received, from, sizeof(kp_received));
	early_memunmap(from, KHO_POOL_BLOB_SIZE);
	kp_state.blob_there = kho_reachable(kp_state.blob, KHO_POOL_BLOB_SIZE);
	kp_received_root = true;
	return true;
}

/* Nothing is known except the ranges: let nothing use them. */
static void __init kp_quarantine_all(const char *why)
{
	kp_state.quarantine = why;
	if (!kp_keep_decode(kp_received + KHO_POOL_ROOT_SIZE, &kp_state.keep)) {
		kp_state.quarantine = "root and keep list are damaged";
		kp_state.no_handover = "it is unknown where the pools are";
		/* KHO reserves the preserved memory, so it is safe for now. */
		memblock_reserve(kp_state.blob, KHO_POOL_BLOB_SIZE);
		kp_state.keep.nr = 0;
		kp_keep_range(kp_state.blob, round_up(KHO_POOL_BLOB_SIZE, PAGE_SIZE), 0);
	}
	for (u32 i = 0; i < kp_state.keep.nr; i++) {
		u64 base = kp_state.keep.range[i].base, size = kp_state.keep.range[i].size;

		if (kp_state.keep.range[i].flags & KHO_POOL_KEEP_POOL)
			kp_take_from_memory(base, size);
		else
			memblock_reserve(base, size);
	}
	pr_err("quarantined: %s; the memory stays as it is%s\n", kp_state.quarantine,
	       kp_state.no_handover ? "" : " and is handed on");
}

/* Too large for the stack. */
static struct kp_root root __initdata;
static struct kp_keep kept __initdata;

/* The node that it is on in this kernel, which may number nodes differently. */
static int __init kp_node_of(u64 base)
{
	unsigned long start, end;
	int i, nid;

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start, &end, &nid)
		if (PHYS_PFN(base) >= start && PHYS_PFN(base) < end)
			return nid;
	return NUMA_NO_NODE;
}

/* Does the blob overlap this range? */
static bool __init kp_holds_blob(u64 base, u64 size)
{
	return base < kp_state.blob + KHO_POOL_BLOB_SIZE && base + size > kp_state.blob;
}

/* Is the root consistent with what else is known?  NULL, or what is wrong with it. */
static const char *__init kp_check_root(void)
{
	if (!kp_state.blob_there)
		return "root is in memory that is not there";
	for (u32 i = 0; i < root.nr_regions; i++) {
		const struct kp_root_region *r = &root.region[i];

		if (!kho_reachable(r->base, r->size) || !kho_reachable(r->index, r->index_size))
			return "root names memory that is not there";
		if (kp_holds_blob(r->base, r->size) || kp_holds_blob(r->index, r->index_size))
			return "root names its own page";
		if (kp_in_use(r->base, r->size) || kp_in_use(r->index, r->index_size))
			return "root names memory that is in use";
	}
	if (!kp_keep_decode(kp_received + KHO_POOL_ROOT_SIZE, &kept))
		return NULL;
	/* No range may get lost from what is kept. */
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

void __init kp_take_over(void)
{
	const char *wrong = kp_root_decode(kp_received, PAGE_SIZE, &root);
	struct kho_pool *pool;

	wrong = wrong ?: kp_check_root();

	if (wrong) {
		kp_quarantine_all(wrong);
		return;
	}
	kp_state.generation = root.generation + 1;
	kp_state.seal_ns = root.seal_ns;
	kp_state.ro_compat = root.ro_compat;
	kp_state.compat = root.compat;
	for (u32 i = 0; i < root.nr_pools; i++)
		kp_get_pool(root.pool_name[i])->read_only =
			root.ro_compat & ~KHO_POOL_RO_COMPAT_KNOWN;
	/* Reserve all of it before the first allocation. */
	for (u32 i = 0; i < root.nr_regions; i++) {
		const struct kp_root_region *from = &root.region[i];
		struct kp_region *r = kp_add_region(&kp_state.pool[from->pool], from->base,
						 from->size, kp_node_of(from->base),
						 from->index, from->index_size);

		r->state = from->state;
		kp_take_from_memory(r->base, r->size);
		memblock_reserve(r->index, round_up(r->index_size, PAGE_SIZE));
	}
	memblock_reserve(kp_state.blob, KHO_POOL_BLOB_SIZE);
	kp_keep_range(kp_state.blob, round_up(KHO_POOL_BLOB_SIZE, PAGE_SIZE), 0);
	kp_keep_encode(&kp_state.keep, phys_to_virt(kp_state.blob + KHO_POOL_ROOT_SIZE));

	for (u32 i = 0; i < root.nr_regions; i++) {
		struct kp_region *r = &kp_state.region[i];
		bool unread = r->state == KHO_POOL_REGION_UNREAD;

		if (unread)
			r->state = KHO_POOL_REGION_OK;
		if (kp_region_ok(r))
			kp_restore_region(r, root.sealed && !unread ? &root.region[i].csum : NULL);
		if (!kp_region_ok(r))
			pr_err("%s: region at %pa, %llu MiB quarantined: %s\n", r->pool->name,
			       &r->base, r->size >> 20, kp_region_reason(r->state));
	}
	if (!root.sealed)
		pr_warn("the pools were not sealed; their indexes were verified in full\n");
	if (kp_args[0])
		pr_info("kho_pool=%s: ignored, the pools come from the previous kernel\n", kp_args);
	for_each_pool(pool)
		if (pool->read_only)
			pr_warn("%s: read-only: features %#llx are unknown\n",
				pool->name, root.ro_compat & ~KHO_POOL_RO_COMPAT_KNOWN);
}
