/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SipHash-1-3, cut to 32 bits, as in 64-bit kernels.  After "SipHash: a fast short-input
 * PRF", Aumasson and Bernstein, 2012.
 */
#ifndef _KHO_POOL_SHIM_SIPHASH_H
#define _KHO_POOL_SHIM_SIPHASH_H

#include <shim.h>

typedef struct { u64 key[2]; } hsiphash_key_t;

static inline u64 sip_rotate(u64 x, int by)
{
	return x << by | x >> (64 - by);
}

static inline void sip_rounds(u64 v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[1] = sip_rotate(v[1], 13) ^ v[0];
		v[0] = sip_rotate(v[0], 32);
		v[2] += v[3];
		v[3] = sip_rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = sip_rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = sip_rotate(v[1], 17) ^ v[2];
		v[2] = sip_rotate(v[2], 32);
	}
}

static inline u32 hsiphash(const void *data, size_t size, const hsiphash_key_t *key)
{
	u64 v[4] = { key->key[0] ^ 0x736f6d6570736575ULL, key->key[1] ^ 0x646f72616e646f6dULL,
		     key->key[0] ^ 0x6c7967656e657261ULL, key->key[1] ^ 0x7465646279746573ULL };

	for (size_t at = 0; at <= size; at += 8) {
		u64 word = 0;

		memcpy(&word, (const u8 *)data + at, min(size - at, (size_t)8));
		word = le64toh(word);
		if (size - at < 8)
			word |= (u64)size << 56;
		v[3] ^= word;
		sip_rounds(v, 1);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	sip_rounds(v, 3);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif /* _KHO_POOL_SHIM_SIPHASH_H */
