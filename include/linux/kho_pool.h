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
#include <linux/sizes.h>
#include <linux/types.h>

struct kho_pool;
struct kho_pool_owner;

/* The memory is not cleared: it may hold data of any earlier owner. */
#define KHO_POOL_NOZERO		BIT(0)
/* Use only @nid.  Without this flag other nodes are used if @nid is full, nearest first. */
#define KHO_POOL_THISNODE	BIT(1)
/* The caller must not sleep. */
#define KHO_POOL_ATOMIC		BIT(2)
/* Without sleeping, at most so many bytes are cleared. */
#define KHO_POOL_ATOMIC_CLEAR	SZ_2M

/**
 * struct kho_pool_request - what kho_pool_alloc() is asked for
 * @size: bytes, any multiple of the page size up to a whole region.  Extents of
 *	less than a block (512 pages) are packed with others of the same owner;
 *	larger ones occupy whole blocks.
 * @align: bytes, a power of two of at least the page size; 0 means the page size
 * @nid: preferred NUMA node, or with KHO_POOL_THISNODE the only one; or
 *	NUMA_NO_NODE, which prefers the node of the CPU.  Memory outside of the pool is
 *	never used: ``kho_pool=`` determines which nodes have some.
 * @flags: KHO_POOL_NOZERO, KHO_POOL_THISNODE, KHO_POOL_ATOMIC
 * @name: unique in the pool, 1 to 55 ASCII letters, digits, '-', '_' and '.', no dot
 *	first; or NULL
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
 * @unclaimed: it is from before the last kexec, and its owner has not claimed it
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

struct kho_pool *kho_pool_find(const char *name);
struct kho_pool *kho_pool_next(struct kho_pool *pool);
const char *kho_pool_name(const struct kho_pool *pool);

struct module;

struct kho_pool_owner *__must_check
__kho_pool_register_owner(struct kho_pool *pool, const char *name, const struct module *module);
void kho_pool_unregister_owner(struct kho_pool_owner *owner);

/* See __kho_pool_register_owner() */
#define kho_pool_register_owner(pool, name) \
	__kho_pool_register_owner(pool, name, THIS_MODULE)

int __must_check
kho_pool_alloc(struct kho_pool_owner *owner, const struct kho_pool_request *req,
	       phys_addr_t *phys);
int __must_check
kho_pool_free(struct kho_pool_owner *owner, phys_addr_t phys, u64 size);
int __must_check
kho_pool_assign(struct kho_pool_owner *from, struct kho_pool_owner *to, phys_addr_t phys,
		u64 size);

int __must_check
kho_pool_lookup(struct kho_pool *pool, const char *name, struct kho_pool_extent *ext);
int kho_pool_walk(struct kho_pool *pool,
		  int (*fn)(const struct kho_pool_extent *ext, void *data), void *data);

int __must_check
kho_pool_claim(struct kho_pool_owner *owner, const char *name, struct kho_pool_extent *ext);
int __must_check
kho_pool_claim_all(struct kho_pool_owner *owner,
		   int (*fn)(const struct kho_pool_extent *ext, void *data), void *data);
int __must_check
kho_pool_release(struct kho_pool *pool, const char *name);

void *kho_pool_virt(phys_addr_t phys);
bool kho_pool_next_bad(struct kho_pool *pool, phys_addr_t *phys);

/**
 * kho_pool_has_bad - does an extent have memory errors?
 * @pool: the pool
 * @ext: the extent
 *
 * From the error on, in every later kernel as well, such pages may not be in the direct
 * map.  Look before you read an extent that you have claimed.
 *
 * Context: any.
 *
 * Return: true if kho_pool_next_bad() finds one in it.
 */
static inline bool kho_pool_has_bad(struct kho_pool *pool, const struct kho_pool_extent *ext)
{
	phys_addr_t bad = ext->phys;

	return kho_pool_next_bad(pool, &bad) && bad - ext->phys < ext->size;
}

#endif /* _LINUX_KHO_POOL_H */
