/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of early boot.
 *
 *	early.c ---> carve.c ------> cmdline.c, room.c, regions.c
 *	early.c ---> takeover.c ---> regions.c
 *
 * One CPU runs, memblock is the only allocator, and nothing may sleep.
 */
#ifndef _KHO_POOL_EARLY_H
#define _KHO_POOL_EARLY_H

#include <linux/kho_pool_place.h>
#include <linux/memblock.h>
#include <linux/mmzone.h>
#include <linux/pfn.h>
#include <linux/sizes.h>

#include <asm/setup.h>

#include "pool.h"

/* The end of low memory, which devices and KHO need some of */
#define KP_LOW_END	((phys_addr_t)ARCH_LOW_ADDRESS_LIMIT + 1)

/* One element of kho_pool= */
struct kp_want {
	const char *arg;
	char name[KHO_POOL_POOL_NAME_MAX];
	u64 size;
	u64 left;		/* the part that could not be taken */
	int nid;
};

/* Bytes of memory on a node */
static inline u64 kp_memory_on(int nid)
{
	unsigned long start, end;
	u64 memory = 0;
	int i;

	for_each_mem_pfn_range(i, nid, &start, &end, NULL)
		memory += PFN_PHYS(end - start);
	return memory;
}

/* cmdline.c */
extern char kp_args[COMMAND_LINE_SIZE];
extern struct kp_want kp_wants[KHO_POOL_MAX_REGIONS];
extern u32 kp_nr_wants;
void kp_parse_wants(void);
u64 kp_hugetlb_cma_page(void);
u64 kp_hugetlb_cma_on(int nid);

/* room.c */
extern u64 kp_margin;
u64 kp_left_for_pools(void);
u64 kp_left_on_node(int nid);
u64 kp_left_in_low_memory(void);
phys_addr_t kp_reserve_uncounted(u64 size, u64 align, phys_addr_t start, phys_addr_t end, int nid,
				 bool exact);
void kp_measure_cma(void);
bool kp_hold_scratch(void);

/* regions.c */
void kp_keep_range(u64 base, u64 size, u64 flags);
struct kho_pool *kp_get_pool(const char *name);
struct kp_region *kp_add_region(struct kho_pool *pool, u64 base, u64 size, int nid,
				phys_addr_t index, u64 index_size);
void kp_restore_region(struct kp_region *r, const u64 *csum);

/* carve.c */
void kp_carve_all(void);

/* takeover.c */
extern u8 kp_received[KHO_POOL_BLOB_SIZE];
extern bool kp_received_root;
bool kp_read_blob(void);
void kp_take_over(void);

#endif /* _KHO_POOL_EARLY_H */
