#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kselftests that need one kernel.
. /guest/lib.sh

insmod /lib/test_kho_pool.ko || die "no test driver"
for program in kho_pool_test kho_pool_control_test kho_pool_dax_test \
	       kho_pool_luo_test; do
	/tests/$program
done
