/* SPDX-License-Identifier: GPL-2.0-only */
/* khopool: SHA-256, as sha256sum(1) has it; one digest at a time. */
#ifndef _KHOPOOL_SHA256_H
#define _KHOPOOL_SHA256_H

#include "command.h"

#define SHA256_BYTES 32

void sha256_begin(void);
void sha256_add(const void *data, u64 bytes);
void sha256_end(u8 *digest);

#endif /* _KHOPOOL_SHA256_H */
