/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/crypto's, with the CPU's instructions for SHA-256; see sha256.h */
#include <assembly.S>
#if defined(__x86_64__)
#include "x86/sha256-ni-asm.S"
#elif defined(__aarch64__)
#include "arm64/sha256-ce.S"
#endif
