#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One kernel of a host with two guests, with pages of 2 MiB and of the largest size
# that there is; kernels= says after how many kexecs it ends.
. /guest/lib.sh

[ -d $POOL ] || die "there is no pool: $(cat $HANDOVER)"
[ -c /dev/kvm ] || die "there is no KVM"
gen=$(stat generation)

# arm64 counts exits, not faults; but it traces these.
TRACING=/sys/kernel/tracing
FAULT=$TRACING/events/kvm/kvm_guest_fault
mount -t tracefs trace $TRACING
[ ! -d $FAULT ] || echo 1 >$FAULT/enable

# monitor ARGS: what it saw goes out, with the number of this kernel
monitor() {
	echo >$TRACING/trace
	said=$(/tests/kho_pool_kvm "$@" 2>&1) || die "kernel $gen: kho_pool_kvm $*: $said"
	traced=
	[ ! -d $FAULT ] ||
		traced="\"traced_faults\": $(grep -c ": kvm_guest_fault: " $TRACING/trace), "
	echo "@json {\"kernel\": $gen, $traced${said#\{}"
}

# refused WHY ARGS: the monitor must not go on
refused() {
	why=$1
	shift
	said=$(/tests/kho_pool_kvm "$@" 2>&1) && die "kho_pool_kvm $* has not noticed: $why"
	case $said in
	*"$why"*) echo "@say refused: $said" ;;
	*) die "kho_pool_kvm $*: $said" ;;
	esac
}

if [ "$gen" = 0 ]; then
	monitor start small $((64 << 20)) $((2 << 20))
	monitor start large $((1 << 30)) $(($(arg huge) << 20))
else
	monitor go small
	monitor go large
fi
[ "$gen" = "$(arg kernels)" ] || next_kernel

# What has been damaged is noticed.
/tests/kho_pool_kvm spoil small || die "spoil"
refused "words are not as the guest wrote them" go small
/tests/kho_pool_kvm spoil-cpu large || die "spoil-cpu"
refused "not as it was" go large
