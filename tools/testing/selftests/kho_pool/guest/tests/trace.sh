# SPDX-License-Identifier: GPL-2.0-only
# Trace events, and whether they match what has happened

TRACING=/sys/kernel/tracing
EVENTS=$TRACING/events/kho_pool

# begin: nothing is traced so far
begin() {
	echo >$TRACING/trace
}

# traced EVENT FIELDS: is there exactly one such event?  Reports it if not.
traced() {
	got=$(grep -c ": kho_pool_$1: $2\$" $TRACING/trace)
	[ "$got" = "${3:-1}" ] || { grep "kho_pool_$1:" $TRACING/trace; echo "$got: $2"; return 1; }
}

# field NAME N: column N of what debugfs says of the extent
field() {
	awk -v name="$1" -v n="$2" '$5 == name { print $n }' $DEBUG/extents
}

# region N FIELD: what debugfs says of the Nth region
region() {
	awk -v n="$1" -v f="$2" '$2 == "base" && n-- == 0 {
		for (i = 2; i < NF; i += 2) if ($i == f) print $(i + 1) }' $DEBUG/regions
}

#: trace long -- kho_pool=512M,256M kho_pool_inject trace_event=kho_pool:*
trace_0() {
	mount -t tracefs trace $TRACING || die "no tracefs"
	check "all events are there" is "$(ls $EVENTS | grep kho_pool | tr '\n' ' ')" \
		"$(for e in alloc assign bad claim free quarantine release restore root seal; do
			printf 'kho_pool_%s ' $e; done)"
	check "nothing was restored" is "$(grep -c kho_pool_restore $TRACING/trace)" 0
	fill
	check "an allocation with a name" traced alloc "pool=default owner=test name=vm\
 size=268435456 align=134217728 nid=-1 flags=NOZERO phys=$(field vm 1) err=0"
	check "a small one" traced alloc "pool=default owner=test name=small size=$page align=0\
 nid=-1 flags=NOZERO phys=$(field small 1) err=0"
	check "one without a name" traced alloc "pool=default owner=test name= size=$((3 * page))\
 align=0 nid=-1 flags=NOZERO phys=0x[0-9a-f]* err=0"
	check "a cleared one" traced alloc "pool=default owner=test name=test-ledger size=2097152\
 align=0 nid=-1 flags= phys=$(field test-ledger 1) err=0"
	begin
	check "there is not so much" fails "allocate memory" alloc 1000G big
	check "it is traced" traced alloc "pool=default owner=test name=big size=1073741824000\
 align=0 nid=-1 flags=NOZERO phys=0x0 err=-12"
	cmd node 0
	check "the name is taken" fails "exists" alloc 2M vm 2M
	check "it is traced, with the node" traced alloc "pool=default owner=test name=vm\
 size=2097152 align=2097152 nid=0 flags=NOZERO|THISNODE phys=0x0 err=-17"
	cmd node -1
	at=$(field middle 1)
	check "a size that is not the extent's" fails "Invalid argument" free_raw $at $page
	check "it is traced" traced free "pool=default owner=test phys=$at size=$page err=-22"
	cmd free middle
	check "and so is what is freed" traced free \
		"pool=default owner=test phys=$at size=6291456 err=0"
	check "not allocated any more" fails "No such file" free_raw $at 6291456
	check "and that" traced free "pool=default owner=test phys=$at size=6291456 err=-2"

	begin
	save
	for i in 0 1; do
		sum=$(khopool dump --json /tmp/root | grep '"sum"' |
			sed -n "$((i + 1))s/.*\"\(0x[0-9a-f]*\)\".*/\1/p")
		check "region $i is sealed with the root's sum" traced seal \
			"pool=default base=$(region $i base) size=$(($(region $i size)))\
 sum=$(printf '0x%016x' "$sum") err=0"
	done
	bytes=$(stat root_bytes)
	check "the root is written" traced root \
		"generation=0 sealed=1 pools=1 regions=2 bytes=$bytes"
	check "and again" traced root "generation=0 sealed=0 pools=1 regions=2 bytes=$bytes"
	begin
	echo 'err == 0' >$EVENTS/kho_pool_alloc/filter
	fails "exists" alloc 2M vm || die "alloc"
	cmd alloc 2M filtered
	check "events can be filtered" is "$(grep -c kho_pool_alloc $TRACING/trace)" 1
	echo 0 >$EVENTS/enable
	cmd free filtered
	check "and turned off" is "$(grep -c kho_pool_free $TRACING/trace)" 0
	begin
	echo 1 >$EVENTS/enable
	/tests/kho_pool_control_test >/dev/null
	/tests/kho_pool_dax_test >/dev/null
	echo 0 >$EVENTS/enable
	check "extents go to the bridge" [ "$(grep -c \
		'pool=default from=user to=dax[0-9]* phys=0x[0-9a-f]* size=[0-9]* err=0' \
		$TRACING/trace)" -gt 0 ]
	go held="$(stat extents)" vm="$vm"
}

trace_1() {
	mount -t tracefs trace $TRACING || die "no tracefs"
	held=$(arg held)
	came=$(sed -n 's/.*kho_pool_restore: .* generation=1 extents=\([0-9]*\) .*/\1/p' \
		$TRACING/trace | paste -sd + -)
	check "both regions are restored" traced restore "pool=default base=0x[0-9a-f]*\
 size=[0-9]* nid=0 generation=1 extents=[0-9]* cycles=[1-9][0-9]*" 2
	check "with all their extents" is $((came)) "$held"
	begin
	at=$(field small 1)
	echo small >$POOL/release || die "release"
	check "an extent is given up" traced release \
		"pool=default owner=test name=small phys=$at size=$page err=0"
	begin
	insmod /lib/test_kho_pool.ko
	cmd generation 1
	check "a claim" traced claim \
		"pool=default owner=test name=vm phys=$(field vm 1) size=268435456 err=0"
	check "all are claimed" is "$(grep -c kho_pool_claim: $TRACING/trace)" $((held - 1))
	save
	damage index1 "index is not what was sealed" 2305^0x40
	go
}

trace_2() {
	mount -t tracefs trace $TRACING || die "no tracefs"
	check "one region is restored" traced restore "pool=default base=$(region 0 base)\
 size=$(($(region 0 size))) nid=0 generation=2 extents=[0-9]* cycles=[1-9][0-9]*"
	check "the other is not" traced quarantine "pool=default base=$(region 1 base)\
 size=$(($(region 1 size))) reason=\"index is not what was sealed\""
	save
	damage root "root is damaged" 200^0x40
	go
}

trace_3() {
	mount -t tracefs trace $TRACING || die "no tracefs"
	check "nothing is known but the ranges" traced quarantine \
		"pool= base=0x[0-9a-f]* size=[0-9]* reason=\"root is damaged\"" 2
	check "nothing is restored" is "$(grep -c kho_pool_restore $TRACING/trace)" 0
}
