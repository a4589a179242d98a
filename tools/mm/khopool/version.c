// SPDX-License-Identifier: GPL-2.0-only
/* khopool --version */
#include "khopool.h"

void print_version(void)
{
	printf("khopool %s\nformat %s, features incompat %#llx, ro-compat %#llx, compat %#llx\n",
	       KHOPOOL_VERSION, KHO_POOL_COMPATIBLE, KHO_POOL_INCOMPAT_KNOWN,
	       KHO_POOL_RO_COMPAT_KNOWN, KHO_POOL_COMPAT_KNOWN);
}
