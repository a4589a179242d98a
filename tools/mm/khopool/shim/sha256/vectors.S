/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/crypto's, for CPUs that have only large registers; see sha256.h */
#include <assembly.S>
#if defined(__x86_64__)
#include "x86/sha256-avx2-asm.S"
#endif
