#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One generation of `make run`.
. /guest/lib.sh

generations=$(arg generations)
[ -d $POOL ] || die "there is no pool: $(cat $HANDOVER)"
gen=$(stat generation)
at_start=$(stat extents)
insmod /lib/test_kho_pool.ko || die "no test driver"
echo "@say generation $gen: $at_start extents came over, verifying every byte"
cmd generation $gen
[ $gen = 0 ] || verify_all
verified="\"came\": $at_start, \"verified_extents\": $(result extents),
	  \"bytes_verified\": $(result bytes), \"bytes_bad\": $(result bad_bytes),
	  \"extents_lost\": $(result lost), \"extents_foreign\": $(result foreign)"

if [ $gen = 0 ]; then
	echo "@say generation 0: allocating and filling 4 KiB, 2 MiB, 1 GiB and 1.5 GiB extents"
	cmd alloc 1G vm-a 1G
	cmd alloc 1536M vm-b 2M
	for i in 0 1 2 3 4 5 6 7 8 9; do
		cmd alloc 2M - 2M
		cmd alloc 4K
		cmd alloc 4K small-$i
	done
	cmd alloc 3M ring 2M
else
	echo "@say generation $gen: freeing a third, taking all free memory and giving it back"
	! is_there small-$gen || cmd free small-$gen
	cmd free_some 15
	cmd reuse
	echo "@say generation $gen: allocating more"
	for i in 1 2 3 4 5 6 7 8; do
		cmd alloc 2M - 2M
		cmd alloc 4K
		cmd alloc $((i * 12))K
	done
	cmd alloc 4K gen-$gen
	cmd alloc 6M block-$gen 2M
	# Freed memory can be allocated again, the large extents too.
	is_there vm-a || cmd alloc 1G vm-a 1G
	is_there vm-b || cmd alloc 1536M vm-b 2M
fi
[ "$(cat $DEBUG/validate)" = ok ] || die "invariants: $(cat $DEBUG/validate)"
report "$verified, \"reused_bytes\": $(result reused)"
[ $gen -lt $generations ] || exit 0
echo "@say generation $gen: kexec into the next kernel"
next_kernel
