#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a kexec costs with a pool full of 1 GiB extents; run under -icount.
. /guest/lib.sh

[ -d $POOL ] || die "there is no pool: $(cat $HANDOVER)"
if [ "$(stat generation)" = 0 ]; then
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd owner
	cmd take $(arg extent)
	report
	next_kernel
fi
report
