/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kho_pool

#if !defined(_TRACE_KHO_POOL_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KHO_POOL_H

#include <linux/kho_pool.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/types.h>

/*
 * Sizes and addresses are in bytes.  An error of 0 means success; fields that are
 * unknown because of an error are 0 or empty.
 */

#define show_kho_pool_flags(flags)				\
	__print_flags(flags, "|",				\
		{ KHO_POOL_NOZERO,	"NOZERO" },		\
		{ KHO_POOL_THISNODE,	"THISNODE" })

TRACE_EVENT(kho_pool_alloc,

	TP_PROTO(const char *pool, const char *owner, const struct kho_pool_request *req,
		 phys_addr_t phys, int err),

	TP_ARGS(pool, owner, req, phys, err),

	TP_STRUCT__entry(
		__string(pool, pool)
		__string(owner, owner)
		/* The request has not been checked yet. */
		__string_len(name, req->name ?: "", strnlen(req->name ?: "", 55))
		__field(u64, size)
		__field(u64, align)
		__field(u64, phys)
		__field(int, nid)
		__field(unsigned int, flags)
		__field(int, err)
	),

	TP_fast_assign(
		__assign_str(pool);
		__assign_str(owner);
		__assign_str(name);
		__entry->size = req->size;
		__entry->align = req->align;
		__entry->phys = phys;
		__entry->nid = req->nid;
		__entry->flags = req->flags;
		__entry->err = err;
	),

	TP_printk("pool=%s owner=%s name=%s size=%llu align=%llu nid=%d flags=%s phys=0x%llx err=%d",
		  __get_str(pool), __get_str(owner), __get_str(name), __entry->size,
		  __entry->align, __entry->nid, show_kho_pool_flags(__entry->flags),
		  __entry->phys, __entry->err)
);

TRACE_EVENT(kho_pool_free,

	TP_PROTO(const char *pool, const char *owner, phys_addr_t phys, u64 size, int err),

	TP_ARGS(pool, owner, phys, size, err),

	TP_STRUCT__entry(
		__string(pool, pool)
		__string(owner, owner)
		__field(u64, phys)
		__field(u64, size)
		__field(int, err)
	),

	TP_fast_assign(
		__assign_str(pool);
		__assign_str(owner);
		__entry->phys = phys;
		__entry->size = size;
		__entry->err = err;
	),

	TP_printk("pool=%s owner=%s phys=0x%llx size=%llu err=%d",
		  __get_str(pool), __get_str(owner), __entry->phys, __entry->size, __entry->err)
);

/* An extent from before the last kexec: its owner claims it, or it is given up. */
DECLARE_EVENT_CLASS(kho_pool_unclaimed,

	TP_PROTO(const char *pool, const char *owner, const char *name, phys_addr_t phys,
		 u64 size, int err),

	TP_ARGS(pool, owner, name, phys, size, err),

	TP_STRUCT__entry(
		__string(pool, pool)
		__string(owner, owner)
		__string(name, name)
		__field(u64, phys)
		__field(u64, size)
		__field(int, err)
	),

	TP_fast_assign(
		__assign_str(pool);
		__assign_str(owner);
		__assign_str(name);
		__entry->phys = phys;
		__entry->size = size;
		__entry->err = err;
	),

	TP_printk("pool=%s owner=%s name=%s phys=0x%llx size=%llu err=%d",
		  __get_str(pool), __get_str(owner), __get_str(name), __entry->phys,
		  __entry->size, __entry->err)
);

DEFINE_EVENT(kho_pool_unclaimed, kho_pool_claim,
	TP_PROTO(const char *pool, const char *owner, const char *name, phys_addr_t phys,
		 u64 size, int err),
	TP_ARGS(pool, owner, name, phys, size, err)
);

DEFINE_EVENT(kho_pool_unclaimed, kho_pool_release,
	TP_PROTO(const char *pool, const char *owner, const char *name, phys_addr_t phys,
		 u64 size, int err),
	TP_ARGS(pool, owner, name, phys, size, err)
);

TRACE_EVENT(kho_pool_assign,

	TP_PROTO(const char *pool, const char *from, const char *to, phys_addr_t phys, u64 size,
		 int err),

	TP_ARGS(pool, from, to, phys, size, err),

	TP_STRUCT__entry(
		__string(pool, pool)
		__string(from, from)
		__string(to, to)
		__field(u64, phys)
		__field(u64, size)
		__field(int, err)
	),

	TP_fast_assign(
		__assign_str(pool);
		__assign_str(from);
		__assign_str(to);
		__entry->phys = phys;
		__entry->size = size;
		__entry->err = err;
	),

	TP_printk("pool=%s from=%s to=%s phys=0x%llx size=%llu err=%d",
		  __get_str(pool), __get_str(from), __get_str(to), __entry->phys,
		  __entry->size, __entry->err)
);

/* A page has a memory error; owner and name are those of its extent. */
TRACE_EVENT(kho_pool_bad,

	TP_PROTO(const char *pool, const char *owner, const char *name, phys_addr_t phys, int err),

	TP_ARGS(pool, owner, name, phys, err),

	TP_STRUCT__entry(
		__string(pool, pool)
		__string(owner, owner)
		__string(name, name)
		__field(u64, phys)
		__field(int, err)
	),

	TP_fast_assign(
		__assign_str(pool);
		__assign_str(owner);
		__assign_str(name);
		__entry->phys = phys;
		__entry->err = err;
	),

	TP_printk("pool=%s owner=%s name=%s phys=0x%llx err=%d",
		  __get_str(pool), __get_str(owner), __get_str(name), __entry->phys, __entry->err)
);

TRACE_EVENT(kho_pool_seal,

	TP_PROTO(const char *pool, phys_addr_t base, u64 size, u64 sum, int err),

	TP_ARGS(pool, base, size, sum, err),

	TP_STRUCT__entry(
		__string(pool, pool)
		__field(u64, base)
		__field(u64, size)
		__field(u64, sum)
		__field(int, err)
	),

	TP_fast_assign(
		__assign_str(pool);
		__entry->base = base;
		__entry->size = size;
		__entry->sum = sum;
		__entry->err = err;
	),

	TP_printk("pool=%s base=0x%llx size=%llu sum=0x%016llx err=%d",
		  __get_str(pool), __entry->base, __entry->size, __entry->sum, __entry->err)
);

TRACE_EVENT(kho_pool_root,

	TP_PROTO(u64 generation, bool sealed, u32 pools, u32 regions, u32 bytes),

	TP_ARGS(generation, sealed, pools, regions, bytes),

	TP_STRUCT__entry(
		__field(u64, generation)
		__field(u32, pools)
		__field(u32, regions)
		__field(u32, bytes)
		__field(bool, sealed)
	),

	TP_fast_assign(
		__entry->generation = generation;
		__entry->pools = pools;
		__entry->regions = regions;
		__entry->bytes = bytes;
		__entry->sealed = sealed;
	),

	TP_printk("generation=%llu sealed=%d pools=%u regions=%u bytes=%u",
		  __entry->generation, __entry->sealed, __entry->pools, __entry->regions,
		  __entry->bytes)
);

TRACE_EVENT(kho_pool_restore,

	TP_PROTO(const char *pool, phys_addr_t base, u64 size, int nid, u64 generation,
		 u64 extents, u64 cycles),

	TP_ARGS(pool, base, size, nid, generation, extents, cycles),

	TP_STRUCT__entry(
		__string(pool, pool)
		__field(u64, base)
		__field(u64, size)
		__field(u64, generation)
		__field(u64, extents)
		__field(u64, cycles)
		__field(int, nid)
	),

	TP_fast_assign(
		__assign_str(pool);
		__entry->base = base;
		__entry->size = size;
		__entry->generation = generation;
		__entry->extents = extents;
		__entry->cycles = cycles;
		__entry->nid = nid;
	),

	TP_printk("pool=%s base=0x%llx size=%llu nid=%d generation=%llu extents=%llu cycles=%llu",
		  __get_str(pool), __entry->base, __entry->size, __entry->nid,
		  __entry->generation, __entry->extents, __entry->cycles)
);

TRACE_EVENT(kho_pool_quarantine,

	TP_PROTO(const char *pool, phys_addr_t base, u64 size, const char *reason),

	TP_ARGS(pool, base, size, reason),

	TP_STRUCT__entry(
		__string(pool, pool)
		__string(reason, reason)
		__field(u64, base)
		__field(u64, size)
	),

	TP_fast_assign(
		__assign_str(pool);
		__assign_str(reason);
		__entry->base = base;
		__entry->size = size;
	),

	TP_printk("pool=%s base=0x%llx size=%llu reason=\"%s\"",
		  __get_str(pool), __entry->base, __entry->size, __get_str(reason))
);

#endif /* _TRACE_KHO_POOL_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
