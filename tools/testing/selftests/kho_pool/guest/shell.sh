#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A shell to look around in.
. /guest/lib.sh

echo "pools are in /sys/kernel/mm/kho_pool; next_kernel kexecs; exit ends"
insmod /lib/test_kho_pool.ko
ENV=/guest/lib.sh setsid sh -i </dev/console >/dev/console 2>&1
