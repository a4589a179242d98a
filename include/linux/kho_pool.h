/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kho_pool: physically contiguous memory that survives kexec.
 *
 * See Documentation/mm/kho_pool.rst for the whole picture and
 * samples/kho_pool/ for a driver to copy from.
 */
#ifndef _LINUX_KHO_POOL_H
#define _LINUX_KHO_POOL_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/numa.h>
#include <linux/types.h>

struct kho_pool;
struct kho_pool_owner;
struct kimage;

/* The memory is not cleared: it may hold what any earlier owner left there. */
#define KHO_POOL_NOZERO		BIT(0)
/* Only @nid will do; without it other nodes serve when @nid cannot, the nearest first. */
#define KHO_POOL_THISNODE	BIT(1)

/**
 * struct kho_pool_request - what kho_pool_alloc() is asked for
 * @size: bytes, any multiple of the page size up to a whole region.  Less than
 *	a block (512 pages) is packed with others of the same owner; more
 *	occupies whole blocks.
 * @align: bytes, a power of two of at least the page size; 0 is the page size
 * @nid: NUMA node to be preferred, or with KHO_POOL_THISNODE the only one; or
 *	NUMA_NO_NODE.  Memory that is not of the pool is never taken: which nodes
 *	have some is up to ``kho_pool=``.
 * @flags: KHO_POOL_NOZERO, KHO_POOL_THISNODE
 * @name: unique in the pool, 1 to 55 bytes, or NULL
 */
struct kho_pool_request {
	u64 size;
	u64 align;
	int nid;
	unsigned int flags;
	const char *name;
};

/**
 * struct kho_pool_extent - one allocated extent
 * @phys: its first byte
 * @size: bytes
 * @nid: NUMA node, or NUMA_NO_NODE
 * @unclaimed: from before the last kexec, and its owner has not claimed it
 * @owner: name of its owner
 * @name: its name, or empty
 */
struct kho_pool_extent {
	phys_addr_t phys;
	u64 size;
	int nid;
	bool unclaimed;
	char owner[32];
	char name[56];
};

#ifdef CONFIG_KHO_POOL

struct kho_pool *kho_pool_find(const char *name);
struct kho_pool *kho_pool_next(struct kho_pool *pool);
const char *kho_pool_name(const struct kho_pool *pool);

struct kho_pool_owner *kho_pool_register_owner(struct kho_pool *pool, const char *name);

int kho_pool_alloc(struct kho_pool_owner *owner, const struct kho_pool_request *req,
		   phys_addr_t *phys);
int kho_pool_free(struct kho_pool_owner *owner, phys_addr_t phys, u64 size);

int kho_pool_assign(struct kho_pool_owner *from, struct kho_pool_owner *to, phys_addr_t phys,
		    u64 size);

int kho_pool_lookup(struct kho_pool *pool, const char *name, struct kho_pool_extent *ext);
int kho_pool_walk(struct kho_pool *pool,
		  int (*fn)(const struct kho_pool_extent *ext, void *data), void *data);

int kho_pool_claim(struct kho_pool_owner *owner, const char *name, struct kho_pool_extent *ext);
int kho_pool_claim_all(struct kho_pool_owner *owner,
		       int (*fn)(const struct kho_pool_extent *ext, void *data), void *data);
int kho_pool_release(struct kho_pool *pool, const char *name);
int kho_pool_release_owner(struct kho_pool *pool, const char *owner);

void *kho_pool_virt(phys_addr_t phys);
bool kho_pool_next_bad(struct kho_pool *pool, phys_addr_t *phys);

/* The owner of what user space makes through /dev/kho_pool. */
#define KHO_POOL_USER		"user"

/**
 * struct kho_pool_exposed - how an extent is seen by user space
 * @align: page size that it is mapped with, bytes
 * @region: X of /dev/daxX.Y
 * @id: Y of /dev/daxX.Y
 */
struct kho_pool_exposed {
	u64 align;
	u32 region, id;
};

/**
 * struct kho_pool_exposer - makes devices of extents for /dev/kho_pool
 * @expose: make one of an extent whose owner is KHO_POOL_USER; @as->align may be
 *	0: the largest that fits
 * @hide: take it away, and make KHO_POOL_USER the owner again
 * @find: is there one?
 *
 * Calls are made one at a time, and may sleep.
 */
struct kho_pool_exposer {
	int (*expose)(struct kho_pool *pool, const struct kho_pool_extent *ext,
		      struct kho_pool_exposed *as);
	int (*hide)(phys_addr_t phys);
	bool (*find)(phys_addr_t phys, struct kho_pool_exposed *as);
};

int kho_pool_set_exposer(const struct kho_pool_exposer *ops);
int kho_pool_iomem_open(phys_addr_t phys, u64 size);
void kho_pool_iomem_taken(phys_addr_t phys);
void kho_pool_iomem_close(phys_addr_t phys);

/* Hooks in mainline files; nothing else calls them. */
void kho_pool_init_early(void);
bool kho_pool_owns(phys_addr_t phys, u64 size);
int kho_pool_check_segments(struct kimage *image);
int kho_pool_check_kexec(struct kimage *image);
int kho_pool_prepare_kexec(struct kimage *image);
void kho_pool_cancel_kexec(void);
bool kho_pool_memory_failure(unsigned long pfn);

#else

static inline void kho_pool_init_early(void) { }
static inline bool kho_pool_owns(phys_addr_t phys, u64 size)
{
	return false;
}

static inline int kho_pool_check_segments(struct kimage *image)
{
	return 0;
}

static inline int kho_pool_check_kexec(struct kimage *image)
{
	return 0;
}

static inline int kho_pool_prepare_kexec(struct kimage *image)
{
	return 0;
}

static inline void kho_pool_cancel_kexec(void) { }

static inline bool kho_pool_memory_failure(unsigned long pfn)
{
	return false;
}

#endif /* CONFIG_KHO_POOL */
#endif /* _LINUX_KHO_POOL_H */
