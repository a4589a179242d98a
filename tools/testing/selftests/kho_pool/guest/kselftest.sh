#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kselftests that need one kernel.
. /guest/lib.sh

insmod /lib/test_kho_pool.ko || die "no test driver"
/tests/kho_pool_test
