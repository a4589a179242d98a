/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's calls, where there is no kernel tree: by nettle, which has most of them */
#ifndef _KHO_POOL_SHIM_SHA2_H
#define _KHO_POOL_SHIM_SHA2_H

#include <nettle/sha2.h>
#include <nettle/version.h>

#undef sha256_update

static inline void sha256_update(struct sha256_ctx *ctx, const uint8_t *data, size_t len)
{
	nettle_sha256_update(ctx, len, data);
}

static inline void sha256_final(struct sha256_ctx *ctx, uint8_t *out)
{
#if NETTLE_VERSION_MAJOR < 4
	nettle_sha256_digest(ctx, SHA256_DIGEST_SIZE, out);
#else
	nettle_sha256_digest(ctx, out);
#endif
}

#endif /* _KHO_POOL_SHIM_SHA2_H */
