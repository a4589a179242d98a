#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kselftests that need one kernel: those of programs=, of these what only= selects
. /guest/lib.sh

insmod /lib/test_kho_pool.ko || die "no test driver"
for program in $(arg programs | tr , ' '); do
	{ /tests/$program $(arg only); echo "ended $program $?"; } 2>&1 |
		tee /tmp/said | sed 's/^/# /'
	# Once more: the kernel may have said something in the middle of a line.
	cat /tmp/said
done
