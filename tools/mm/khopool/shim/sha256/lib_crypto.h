/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lib/crypto/sha256.c needs besides the shim; the headers under linux/ lead here.
 */
#ifndef _KHO_POOL_SHIM_LIB_CRYPTO_H
#define _KHO_POOL_SHIM_LIB_CRYPTO_H

#include <shim.h>

typedef uint32_t __u32;
typedef uint32_t __be32;
typedef uint64_t __be64;

#define cpu_to_be32		htobe32
#define cpu_to_be64		htobe64

#define __maybe_unused		__attribute__((unused))
#define noinline_for_stack	noinline
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)
#define __initconst
#define at_least		static
#define REPEAT_BYTE(x)		(~0UL / 0xff * (x))
#define memzero_explicit	explicit_bzero

static inline u32 ror32(u32 x, u32 by)
{
	return x >> by | x << (32 - by);
}

static inline u32 get_unaligned_be32(const void *from)
{
	u32 x;

	memcpy(&x, from, sizeof(x));
	return be32toh(x);
}

static inline void put_unaligned_be32(u32 x, void *to)
{
	x = htobe32(x);
	memcpy(to, &x, sizeof(x));
}

#endif /* _KHO_POOL_SHIM_LIB_CRYPTO_H */
