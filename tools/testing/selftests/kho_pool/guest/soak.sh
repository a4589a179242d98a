#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One generation of `make soak`: stress-ng and the churner together, then kexec.
. /guest/lib.sh

generations=$(arg generations)
seconds=$(arg seconds)
[ -d $POOL ] || die "there is no pool: $(cat $HANDOVER)"
gen=$(stat generation)
at_start=$(stat extents)
insmod /lib/test_kho_pool.ko || die "no test driver"
cmd generation $gen
[ $gen = 0 ] || verify_all
verified="\"came\": $at_start, \"verified_extents\": $(result extents),
	  \"bytes_verified\": $(result bytes), \"bytes_bad\": $(result bad_bytes),
	  \"extents_lost\": $(result lost), \"extents_foreign\": $(result foreign)"
[ $gen -lt $generations ] || {
	# Everything given back: is everything free?
	cmd free_all
	report "$verified, \"leaked_bytes\": $(($(stat size_bytes) - $(stat free_bytes) - 2097152))"
	exit 0
}

[ $gen = 0 ] || cmd free_some 40
is_there guest || cmd alloc 1G guest 1G
cmd reuse
reused=$(result reused)
echo "@say generation $gen: $seconds s of stress-ng and churn"
stress-ng --quiet --timeout $seconds --temp-path /tmp \
	--vm 2 --vm-bytes 20% --vm-keep --mmap 1 --mmap-bytes 64M \
	--memfd 1 --memfd-bytes 64M --fork 1 --hdd 1 --hdd-bytes 64M >/tmp/stress.log 2>&1 &
stress=$!
cmd churn $seconds
wait $stress || die "stress-ng: $(tail -n 1 /tmp/stress.log)"
[ "$(cat $DEBUG/validate)" = ok ] || die "invariants: $(cat $DEBUG/validate)"
report "$verified, \"reused_bytes\": $reused, \"churned_bytes\": $(result churned),
	\"allocs\": $(stat allocs)"
next_kernel
