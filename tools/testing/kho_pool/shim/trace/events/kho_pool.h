/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing is traced in user space. */
#ifndef _KHO_POOL_SHIM_TRACE_H
#define _KHO_POOL_SHIM_TRACE_H

#include <linux/kho_pool.h>

static inline void trace_kho_pool_alloc(const char *pool, const char *owner,
					const struct kho_pool_request *req, phys_addr_t phys,
					int err) { }
static inline void trace_kho_pool_free(const char *pool, const char *owner, phys_addr_t phys,
				       u64 size, int err) { }
static inline void trace_kho_pool_claim(const char *pool, const char *owner, const char *name,
					phys_addr_t phys, u64 size, int err) { }
static inline void trace_kho_pool_release(const char *pool, const char *owner, const char *name,
					  phys_addr_t phys, u64 size, int err) { }
static inline void trace_kho_pool_assign(const char *pool, const char *from, const char *to,
					 phys_addr_t phys, u64 size, int err) { }
static inline void trace_kho_pool_bad(const char *pool, const char *owner, const char *name,
				      phys_addr_t phys, int err) { }

#endif
