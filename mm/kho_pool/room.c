// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory pools may take: enough is left for the kernel, its devices and KHO.
 */
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/math64.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/swiotlb.h>

#include <asm/sections.h>

#include "early.h"

/* The minimum that is left to the kernel on each node. */
#define NODE_MIN	SZ_128M

/* This much more is left to it if memory is in pieces: see kp_carve_all(). */
u64 kp_margin __initdata;

/*
 * What the kernel will have reserved when KHO checks: what is reserved already,
 * per-CPU variables, and what the command line asks for.  Later reservations are
 * small, or depend on how much memory is left to the kernel.
 */
static u64 __init kp_reserved(int nid)
{
	u64 later = (u64)num_possible_cpus() *
		    (__per_cpu_end - __per_cpu_start + PERCPU_MODULE_RESERVE +
		     PERCPU_DYNAMIC_RESERVE);

	if (nid != NUMA_NO_NODE)
		later /= num_online_nodes();
	later += kp_hugetlb_cma_on(nid);
	/* In low memory, which is usually on the first node */
	if (IS_ENABLED(CONFIG_SWIOTLB) && (nid == NUMA_NO_NODE || nid == first_online_node))
		later += swiotlb_size_or_default();
	return later + memblock_reserved_kern_size(MEMBLOCK_ALLOC_ANYWHERE, nid);
}

static u64 __init kp_reserved_low(void)
{
	u64 swiotlb = IS_ENABLED(CONFIG_SWIOTLB) ? swiotlb_size_or_default() : 0;

	return swiotlb + memblock_reserved_kern_size(ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE);
}

/* Scratch areas that the previous kernel has left, or those that will be made. */
static u64 __init kp_scratch_for_all(u64 taken)
{
	return is_kho_boot() ? kho_scratch_total() :
			       kho_scratch_expected(taken, KHO_SCRATCH_ALL);
}

static u64 __init kp_scratch_for_node(u64 taken)
{
	return is_kho_boot() ? 0 : kho_scratch_expected(taken, KHO_SCRATCH_NODE);
}

/*
 * How much the pools may still take.  Besides what the kernel needs, KHO reserves
 * scratch areas for all nodes and one on each; without them it turns itself off.
 */
u64 __init kp_left_for_pools(void)
{
	u64 memory = memblock_phys_mem_size(), nodes = num_online_nodes();
	u64 taken = kp_reserved(NUMA_NO_NODE);
	u64 kernel = KHO_POOL_KERNEL_MIN + kp_margin + taken + kp_scratch_for_all(taken) +
		     nodes * kp_scratch_for_node(taken / nodes);

	return memory > kernel ? memory - kernel : 0;
}

/* The same for one node.  The scratch areas for all nodes may lie on any node. */
u64 __init kp_left_on_node(int nid)
{
	u64 memory = kp_memory_on(nid), taken = kp_reserved(nid);
	u64 kernel = NODE_MIN + kp_margin + taken + kp_scratch_for_node(taken) +
		     kp_scratch_for_all(kp_reserved(NUMA_NO_NODE));

	return memory > kernel ? memory - kernel : 0;
}

/*
 * The same for low memory, which devices need for their buffers.  One scratch area has
 * to be there, in one piece, in what the kernel leaves free.
 */
u64 __init kp_left_in_low_memory(void)
{
	u64 taken = kp_reserved_low();
	phys_addr_t start, end;
	u64 memory = 0, kernel, i;

	kernel = KHO_POOL_KERNEL_MIN + kp_margin + taken;
	if (!is_kho_boot())
		kernel += kho_scratch_expected(taken, KHO_SCRATCH_LOW);
	for_each_mem_range(i, &start, &end)
		if (start < KP_LOW_END)
			memory += min(end, KP_LOW_END) - start;
	return memory > kernel ? memory - kernel : 0;
}

/**
 * kp_reserve_uncounted - reserve memory that KHO does not count as the kernel's own
 * @size: bytes
 * @align: of the memory, bytes
 * @start: it begins there or above
 * @end: it ends below
 * @nid: the node, or NUMA_NO_NODE
 * @exact: take it from no other node
 *
 * Return: where it is, or 0.
 */
phys_addr_t __init kp_reserve_uncounted(u64 size, u64 align, phys_addr_t start,
					phys_addr_t end, int nid, bool exact)
{
	phys_addr_t phys = memblock_alloc_range_nid(size, align, start, end, nid, exact);

	if (phys) {
		memblock_phys_free(phys, size);
		memblock_reserve(phys, size);
	}
	return phys;
}

/* Gigantic pages for CMA beyond this number are not looked at. */
#define MAX_HELD_FOR_CMA	1024

/* Places that others will take, reserved until they do */
static struct {
	phys_addr_t base;
	u64 size;
} held[MAX_HELD_FOR_CMA + MAX_NUMNODES + 4] __initdata;
static u32 nr_held __initdata;

static bool __init kp_note_held(phys_addr_t base, u64 size)
{
	if (!base)
		return false;
	held[nr_held].base = base;
	held[nr_held++].size = size;
	return true;
}

static bool __init kp_hold_place(u64 size, phys_addr_t end, int nid)
{
	u64 align = PAGE_SIZE * MAX_ORDER_NR_PAGES;

	size = round_up(size, align);
	return !size || kp_note_held(kp_reserve_uncounted(size, align, 0, end, nid,
							  nid != NUMA_NO_NODE), size);
}

/* Those from @from to @end - 1 */
static void __init kp_release_places(u32 from, u32 end)
{
	for (u32 i = from; i < end; i++)
		memblock_phys_free(held[i].base, held[i].size);
}

/* Struct pages, hash tables and the like for so much memory */
static u64 __init kp_later(u64 memory)
{
	return memory / PAGE_SIZE * sizeof(struct page) + memory / 256 + SZ_32M;
}

/*
 * Like cma_alloc_mem(): from the lower end of a node, but not from low memory if possible.
 * CMA may consist of several pieces, so this goes page by page.  Returns how many were found.
 */
static u32 __init kp_hold_for_cma(int nid)
{
	u64 size = kp_hugetlb_cma_on(nid), page = kp_hugetlb_cma_page();
	bool bottom_up = memblock_bottom_up();
	phys_addr_t base;
	u32 nr = 0;

	for (; size >= page && page && nr_held < MAX_HELD_FOR_CMA; size -= page) {
		memblock_set_bottom_up(true);
		base = kp_reserve_uncounted(page, page, SZ_4G, MEMBLOCK_ALLOC_ACCESSIBLE, nid,
					    true);
		memblock_set_bottom_up(bottom_up);
		base = base ?: kp_reserve_uncounted(page, page, 0, MEMBLOCK_ALLOC_ACCESSIBLE,
						    nid, true);
		if (!kp_note_held(base, page))
			break;
		nr++;
	}
	return nr;
}

static u32 __init kp_hold_all_cma(void)
{
	u32 nr = 0;
	int nid;

	for_each_online_node(nid)
		nr += kp_hold_for_cma(nid);
	return nr;
}

/* How many there would be without pools */
static u32 cma_pages __initdata;

/* What does not fit anyway is not missed: see how much does, before there are pools. */
void __init kp_measure_cma(void)
{
	cma_pages = kp_hold_all_cma();
	kp_release_places(0, nr_held);
	nr_held = 0;
}

/* What is reserved before KHO's areas are */
static bool __init kp_hold_for_others(void)
{
	u64 swiotlb = IS_ENABLED(CONFIG_SWIOTLB) ? swiotlb_size_or_default() : 0;
	u64 page = kp_hugetlb_cma_page(), later = kp_later(memblock_phys_mem_size());
	/* A percentage is one of the memory that the pools leave. */
	u64 wanted = page ? div64_u64(kp_hugetlb_cma_on(NUMA_NO_NODE), page) : 0;

	if (kp_hold_all_cma() < min_t(u64, cma_pages, wanted))
		return false;
	return kp_hold_place(later, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE) &&
	       kp_hold_place(swiotlb, KP_LOW_END, NUMA_NO_NODE);
}

/* In the order in which KHO takes them, from the top down */
static bool __init kp_hold_for_scratch(void)
{
	u64 low = kho_scratch_expected(kp_reserved_low(), KHO_SCRATCH_LOW);
	u64 all = kho_scratch_expected(kp_reserved(NUMA_NO_NODE) +
				       kp_later(memblock_phys_mem_size()),
				       KHO_SCRATCH_ALL);
	int nid;

	if (!kp_hold_place(low, KP_LOW_END, NUMA_NO_NODE) ||
	    !kp_hold_place(all - min(low, all), MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE))
		return false;
	for_each_online_node(nid) {
		u64 memory = kp_memory_on(nid);
		u64 size = kho_scratch_expected(kp_reserved(nid) + kp_later(memory),
						KHO_SCRATCH_NODE);

		if (memory && !kp_hold_place(size, MEMBLOCK_ALLOC_ACCESSIBLE, nid))
			return false;
	}
	return true;
}

/**
 * kp_hold_scratch - make sure that KHO gets its scratch areas
 *
 * It needs each in one piece, and turns itself off if it does not get one.  Small pieces
 * that the pools leave may add up to enough, but are useless.  And whatever is reserved
 * before KHO's turn, such as gigantic pages, may take the place of one.  So their places
 * are reserved until then.
 *
 * Return: false if they do not fit beside what else will be reserved.
 */
bool __init kp_hold_scratch(void)
{
	bool fits = kp_hold_for_others();
	u32 others = nr_held;

	fits = fits && kp_hold_for_scratch();
	kp_release_places(0, fits ? others : nr_held);
	/* What is left is released by kho_pool_yield_scratch(). */
	for (u32 i = others; fits && i < nr_held; i++)
		held[i - others] = held[i];
	nr_held = fits ? nr_held - others : 0;
	return fits;
}

/**
 * kho_pool_yield_scratch - KHO is going to take its scratch areas
 *
 * Context: early boot, right before kho_memory_init().
 */
void __init kho_pool_yield_scratch(void)
{
	kp_release_places(0, nr_held);
	nr_held = 0;
}
