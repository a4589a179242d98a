/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In place of lib/crypto/ARCHITECTURE/sha256.h: the same assembly, chosen by what the
 * CPU has.  A process may use its vector registers at any time.
 */
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

typedef void sha256_blocks_fn(struct sha256_block_state *state, const u8 *data, size_t nblocks);

sha256_blocks_fn sha256_ni_transform, sha256_transform_rorx, sha256_ce_transform;

static sha256_blocks_fn *sha256_fastest(void)
{
#if defined(__x86_64__)
	u32 eax, ebx, ecx, edx;

	if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && ebx & bit_SHA)
		return sha256_ni_transform;
	/* This asks whether the kernel saves these registers, too. */
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		return sha256_transform_rorx;
#elif defined(__aarch64__)
	if (getauxval(AT_HWCAP) & HWCAP_SHA2)
		return sha256_ce_transform;
#endif
	return sha256_blocks_generic;
}

static void sha256_blocks(struct sha256_block_state *state, const u8 *data, size_t nblocks)
{
	static sha256_blocks_fn *fastest;

	if (!fastest)
		fastest = sha256_fastest();
	fastest(state, data, nblocks);
}
