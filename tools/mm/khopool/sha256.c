// SPDX-License-Identifier: GPL-2.0-only
/* By the kernel's own code, or where there is no kernel tree by nettle: see Makefile */
#include <crypto/sha2.h>

#include "sha256.h"

static struct sha256_ctx ctx;

_Static_assert(SHA256_BYTES == SHA256_DIGEST_SIZE, "SHA256_BYTES");

void sha256_begin(void)
{
	sha256_init(&ctx);
}

void sha256_add(const void *data, u64 bytes)
{
	sha256_update(&ctx, data, bytes);
}

void sha256_end(u8 *digest)
{
	sha256_final(&ctx, digest);
}
