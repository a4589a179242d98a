// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was handed over may be where this kernel has no memory: mem= or memmap= is on
 * its command line, its page tables have fewer levels, or its memory map differs from
 * the previous kernel's.  Such memory is not in the direct map, and accessing it by
 * phys_to_virt() faults before there is a console.
 *
 * What KHO itself needs is copied to memory that this kernel has.  Preserved memory that
 * is out of reach stays unchanged: the kernel does not write to memory it does not have.
 */
#define pr_fmt(fmt) "KHO: " fmt

#include <linux/bitops.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kho_radix_tree.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kexec_handover_internal.h"

/**
 * kho_reachable - is a range in this kernel's memory, and so in the direct map?
 * @phys: first byte
 * @size: bytes
 *
 * Context: early boot, while memblock is there.
 *
 * Return: true if all of it is.
 */
bool __init kho_reachable(phys_addr_t phys, u64 size)
{
	phys_addr_t start, end;
	u64 found = 0, i;

	/* On x86, memblock still has scratch areas that mem= has cut off. */
	if (phys + size < phys || phys + size > PFN_PHYS(max_pfn))
		return false;
	for_each_mem_range(i, &start, &end)
		if (start < phys + size && end > phys)
			found += min(end, phys + size) - max(start, phys);
	return found == size;
}

/**
 * kho_there - like kho_reachable(), at any time
 * @phys: first byte
 * @size: bytes
 *
 * Context: any.
 *
 * Return: true if all of it is in this kernel's memory.
 */
bool __ref kho_there(phys_addr_t phys, u64 size)
{
	if (!slab_is_available())
		return kho_reachable(phys, size);
	return region_intersects(phys, size, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) ==
	       REGION_INTERSECTS;
}

/**
 * kho_bring_home - make data accessible, by copying it if necessary
 * @phys: where it is
 * @size: bytes, not more than early_memremap() can map
 *
 * Context: early boot, when the direct map is there.
 *
 * Return: physical address of the data or of a copy, or 0.
 */
phys_addr_t __init kho_bring_home(phys_addr_t phys, size_t size)
{
	void *from, *copy;

	if (kho_reachable(phys, size))
		return phys;
	copy = memblock_alloc(size, PAGE_SIZE);
	from = copy ? early_memremap(phys, size) : NULL;
	if (!from) {
		pr_err("%zu bytes at %pa were handed over, but cannot be read\n", size, &phys);
		return 0;
	}
	memcpy(copy, from, size);
	early_memunmap(from, size);
	return virt_to_phys(copy);
}

/**
 * kho_bring_tree_home - the same for the nodes of a radix tree
 * @phys: of a node
 * @level: of it, 0 for a leaf
 *
 * Context: early boot, when the direct map is there.
 *
 * Return: physical address of the node or of a copy, or 0.
 */
phys_addr_t __init kho_bring_tree_home(phys_addr_t phys, unsigned int level)
{
	phys_addr_t home = kho_bring_home(phys, PAGE_SIZE);
	struct kho_radix_node *node;

	if (!home || !level)
		return home;
	node = phys_to_virt(home);
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(phys_addr_t); i++) {
		phys_addr_t below = node->table[i];
		phys_addr_t there = below ? kho_bring_tree_home(below, level - 1) : 0;

		if (below && !there)
			return 0;
		if (there != below)
			node->table[i] = there;
	}
	return home;
}

/**
 * kho_scratch_in - find any one scratch area in a range
 * @start: first byte
 * @end: after the last one
 * @from: where its part in the range begins
 * @to: where that ends
 *
 * Context: early boot, after kho_memory_init_early().
 *
 * Return: true if there is one.
 */
bool __init kho_scratch_in(u64 start, u64 end, u64 *from, u64 *to)
{
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		*from = max_t(u64, start, kho_scratch[i].addr);
		*to = min_t(u64, end, kho_scratch[i].addr + kho_scratch[i].size);
		if (*from < *to)
			return true;
	}
	return false;
}

/**
 * kho_scratch_total - size of all scratch areas that the previous kernel has left
 *
 * Context: early boot, after kho_memory_init_early().
 *
 * Return: the size in bytes.
 */
u64 __init kho_scratch_total(void)
{
	u64 size = 0;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++)
		size += kho_scratch[i].size;
	return size;
}

/* Calls @each for what is preserved, and for the tree's own nodes. */
static int __init kho_each_used(const struct kho_radix_node *node, unsigned int level,
				unsigned long start,
				int (*each)(phys_addr_t phys, u64 size, void *data), void *data)
{
	const struct kho_radix_leaf *leaf = (const void *)node;
	unsigned long i;
	int err = each(virt_to_phys((void *)node), PAGE_SIZE, data);

	if (err)
		return err;
	if (!level) {
		for_each_set_bit(i, leaf->bitmap, PAGE_SIZE * BITS_PER_BYTE) {
			unsigned long key = start | i;
			/* The highest bit says how far the address was shifted. */
			unsigned int shift = 64 - (fls64(key) - 1);

			err = each((phys_addr_t)key << shift, 1ULL << shift, data);
			if (err)
				return err;
		}
		return 0;
	}
	for (i = 0; i < PAGE_SIZE / sizeof(phys_addr_t) && !err; i++)
		if (node->table[i])
			err = kho_each_used(phys_to_virt(node->table[i]), level - 1,
					    start | i << ((level - 1) * KHO_TABLE_SIZE_LOG2 +
							  KHO_BITMAP_SIZE_LOG2),
					    each, data);
	return err;
}

struct used {
	phys_addr_t start, end;
	phys_addr_t lowest;	/* lowest used address in the range */
};

static int __init kho_note_used(phys_addr_t phys, u64 size, void *data)
{
	struct used *used = data;

	if (phys < used->end && phys + size > used->start)
		used->lowest = min(used->lowest, phys);
	return 0;
}

/**
 * kho_find_unused - find memory where nothing was handed over
 * @size: bytes
 * @align: of the first byte, a power of two
 * @start: the lowest address
 * @end: after the highest
 *
 * Memblock allocates only in scratch areas, which are for kernel images.  This is for
 * large reservations that the previous kernel had outside of them.
 *
 * Context: early boot, when the direct map is there.
 *
 * Return: the highest free place that is neither preserved nor in a scratch area; 0 if
 * there is none, or if nothing was handed over.
 */
phys_addr_t __init kho_find_unused(phys_addr_t size, phys_addr_t align,
				   phys_addr_t start, phys_addr_t end)
{
	struct kho_radix_node *root = is_kho_boot() ? kho_get_mem_map() : NULL;
	phys_addr_t from, to;
	u64 i;

	if (!root)
		return 0;
	for_each_free_mem_range_reverse(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL) {
		from = max3(from, start, (phys_addr_t)PAGE_SIZE);
		to = min(to, end);
		while (to > from && to - from >= size) {
			phys_addr_t at = ALIGN_DOWN(to - size, align);
			struct used used = { at, at + size, PHYS_ADDR_MAX };

			if (at < from)
				break;
			kho_each_used(root, KHO_TREE_MAX_DEPTH - 1, 0, kho_note_used, &used);
			for (unsigned int n = 0; n < kho_scratch_cnt; n++)
				kho_note_used(kho_scratch[n].addr, kho_scratch[n].size, &used);
			if (used.lowest == PHYS_ADDR_MAX)
				return at;
			to = used.lowest;
		}
	}
	return 0;
}

static int __init kho_reserve_used(phys_addr_t phys, u64 size, void *data)
{
	return memblock_reserve(phys, size);
}

/**
 * kho_reserve_early - reserve what was handed over, before it is restored
 *
 * For callers that take memory outside of the scratch areas before kho_memory_init().
 *
 * Context: early boot, after kho_memory_init_early().
 *
 * Return: 0, or a negative error.
 */
int __init kho_reserve_early(void)
{
	struct kho_radix_node *root = kho_get_mem_map();

	if (!root)
		return -ENOMEM;
	return kho_each_used(root, KHO_TREE_MAX_DEPTH - 1, 0, kho_reserve_used, NULL);
}
