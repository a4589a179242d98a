/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rule for names of pools and extents.  User space includes this with its own types.
 */
#ifndef _KHO_POOL_NAMES_H
#define _KHO_POOL_NAMES_H

#include <linux/types.h>

bool kp_name_valid(const char *name, u32 size);

#endif /* _KHO_POOL_NAMES_H */
