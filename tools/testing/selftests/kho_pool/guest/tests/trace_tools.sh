# SPDX-License-Identifier: GPL-2.0-only
# Debian's trace-cmd and bpftrace, as they are, from /dev/vdc, with the lines
# of Documentation/mm/kho_pool.rst.

TOOLS=/tmp/tools

# set_up: Debian's programs, with this kernel's files
set_up() {
	mkdir -p $TOOLS
	mount -t ext2 -o ro /dev/vdc $TOOLS || die "there is no disk with trace-cmd and bpftrace"
	mount -t tracefs trace /sys/kernel/tracing
	for folder in dev proc sys; do
		mount -o rbind /$folder $TOOLS/$folder
	done
	mount -t tmpfs tmp $TOOLS/tmp
	cp /bin/busybox $TOOLS/tmp/
	# This kernel has no BTF, which would tell bpftrace of the types of the events' fields.
	echo "typedef unsigned long long u64;" >$TOOLS/tmp/types.h
}

# bpf_says NAME TEXT: wait for what it prints while it runs
bpf_says() {
	until grep -q "$2" /tmp/"$1"; do
		kill -0 $bpf 2>/dev/null || { cat /tmp/"$1"; die "bpftrace does not run"; }
		sleep 0.5
	done
}

# bpf NAME PROGRAM: run it until it is stopped; it reports when it is attached
bpf() {
	: >/tmp/"$1"
	chroot $TOOLS bpftrace --include /tmp/types.h \
		-e "BEGIN { printf(\"attached\\n\"); } $2" >/tmp/"$1" 2>&1 &
	bpf=$!
	bpf_says "$1" attached
}

# bpf_end NAME: what it has counted is printed when it ends
bpf_end() {
	kill -INT $bpf
	wait $bpf
	cat /tmp/$1
}

#: trace_tools long arch=x86_64 disk mem=4G
trace_tools_0() {
	set_up
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	chroot $TOOLS trace-cmd record -o /tmp/trace.dat -e kho_pool -- \
		/tmp/busybox sh -ec "echo alloc 6M traced >$TEST/cmd; echo free traced >$TEST/cmd" \
		>/tmp/record 2>&1 || { cat /tmp/record; die "trace-cmd record"; }
	chroot $TOOLS trace-cmd report -i /tmp/trace.dat >/tmp/report 2>&1 ||
		{ cat /tmp/report; die "trace-cmd report"; }
	check "trace-cmd decodes an allocation" [ "$(grep -c "kho_pool_alloc: *pool=default \
owner=test name=traced size=6291456 align=0 nid=-1 flags=NOZERO phys=0x[0-9a-f]* err=0" \
		/tmp/report)" = 1 ]
	check "and a free" [ "$(grep -c "kho_pool_free: *pool=default owner=test \
phys=0x[0-9a-f]* size=6291456 err=0" /tmp/report)" = 1 ]

	# Version 0.23 looks for strings of events at a wrong place if there is no BTF (it takes
	# their offset four times), so not by pool and owner.
	bpf bytes 'tracepoint:kho_pool:kho_pool_alloc /args->err == 0/ {
		@bytes[args->nid] = sum(args->size); }'
	cmd alloc 6M one
	cmd alloc 2M two
	fails "allocate memory" alloc 1000G three || die "alloc"
	bpf_end bytes
	check "bpftrace adds up how much is allocated" \
		grep -qF "@bytes[-1]: $((8 << 20))" /tmp/bytes

	bpf callers 'tracepoint:kho_pool:kho_pool_alloc { @[kstack] = count(); }'
	cmd alloc 2M three
	bpf_end callers
	check "and where from" grep -q "cmd_write\|vfs_write" /tmp/callers

	bpf stacks 'tracepoint:kho_pool:kho_pool_free /args->err != 0/ { print(kstack); }'
	at=$(awk '$5 == "three" { print $1 }' $DEBUG/extents)
	fails "Invalid argument" free_raw "$at" $page || die "free_raw"
	bpf_says stacks kho_pool_free+
	bpf_end stacks
	echo "@say $scenario, stage $stage: and who frees what is not allocated"
}
