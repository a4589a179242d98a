// SPDX-License-Identifier: GPL-2.0-only
/* SHA-256 as in FIPS 180-4, so that sha256sum(1) gives the same. */
#include <stdio.h>
#include <string.h>

#include "machine.h"

#define ROUNDS 64

/* The first 32 bits of the fractional parts of the cube roots of the first primes */
static const u32 constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static u32 rotate(u32 x, u32 by)
{
	return x >> by | x << (32 - by);
}

/* One round; the caller renames the variables instead of moving them. */
static inline void add_word(u32 a, u32 b, u32 c, u32 *d, u32 e, u32 f, u32 g, u32 *h, u32 word)
{
	u32 choice = g ^ (e & (f ^ g));
	u32 majority = (a & b) | (c & (a | b));
	u32 first = *h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + word;

	*d += first;
	*h = first + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
}

static void add_block(struct sha256 *sha, const u8 *block)
{
	u32 *s = sha->state;
	u32 a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
	u32 w[ROUNDS];

	for (u32 i = 0; i < 16; i++, block += 4)
		w[i] = (u32)block[0] << 24 | block[1] << 16 | block[2] << 8 | block[3];
	for (u32 i = 16; i < ROUNDS; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
	for (u32 i = 0; i < ROUNDS; i += 8) {
		add_word(a, b, c, &d, e, f, g, &h, constants[i] + w[i]);
		add_word(h, a, b, &c, d, e, f, &g, constants[i + 1] + w[i + 1]);
		add_word(g, h, a, &b, c, d, e, &f, constants[i + 2] + w[i + 2]);
		add_word(f, g, h, &a, b, c, d, &e, constants[i + 3] + w[i + 3]);
		add_word(e, f, g, &h, a, b, c, &d, constants[i + 4] + w[i + 4]);
		add_word(d, e, f, &g, h, a, b, &c, constants[i + 5] + w[i + 5]);
		add_word(c, d, e, &f, g, h, a, &b, constants[i + 6] + w[i + 6]);
		add_word(b, c, d, &e, f, g, h, &a, constants[i + 7] + w[i + 7]);
	}
	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
	s[5] += f;
	s[6] += g;
	s[7] += h;
}

void sha256_begin(struct sha256 *sha)
{
	static const u32 state[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(sha->state, state, sizeof(state));
	sha->bytes = 0;
}

void sha256_add(struct sha256 *sha, const void *data, u64 bytes)
{
	const u8 *from = data;

	while (bytes) {
		u32 at = sha->bytes % sizeof(sha->block);
		u64 now = sizeof(sha->block) - at;

		if (now > bytes)
			now = bytes;
		if (now == sizeof(sha->block)) {
			add_block(sha, from);
		} else {
			memcpy(sha->block + at, from, now);
			if (at + now == sizeof(sha->block))
				add_block(sha, sha->block);
		}
		sha->bytes += now;
		from += now;
		bytes -= now;
	}
}

void sha256_end(struct sha256 *sha, u8 *digest)
{
	static const u8 pad[64] = { 0x80 };
	u64 bits = 8 * sha->bytes;
	u8 length[8];

	for (u32 i = 0; i < 8; i++)
		length[i] = bits >> (56 - 8 * i);
	/* Up to 56 bytes into a block, at least one */
	sha256_add(sha, pad, 1 + (119 - sha->bytes % 64) % 64);
	sha256_add(sha, length, sizeof(length));
	for (u32 i = 0; i < SHA256_BYTES; i++)
		digest[i] = sha->state[i / 4] >> (24 - 8 * (i % 4));
}

const char *sha256_text(const u8 *digest, char *buf)
{
	for (u32 i = 0; i < SHA256_BYTES; i++)
		sprintf(buf + 2 * i, "%02x", digest[i]);
	return buf;
}
