# SPDX-License-Identifier: GPL-2.0-only
# A host with two guests, with pages of 2 MiB and of the largest size that there is
# (huge=, in MiB), over three kexecs.  The monitor is our own, kho_pool_kvm.

# arm64 counts exits, not faults; but it traces these.
TRACING=/sys/kernel/tracing
FAULT=$TRACING/events/kvm/kvm_guest_fault

set_up() {
	[ -d $POOL ] || die "there is no pool: $(cat $HANDOVER)"
	[ -c /dev/kvm ] || die "there is no KVM"
	mount -t tracefs trace $TRACING
	[ ! -d $FAULT ] || echo 1 >$FAULT/enable
}

# monitor ARGS: what it saw goes out, with the number of this kernel
monitor() {
	echo >$TRACING/trace
	said=$(/tests/kho_pool_kvm "$@" 2>&1) || die "kernel $stage: kho_pool_kvm $*: $said"
	traced=
	[ ! -d $FAULT ] ||
		traced="\"traced_faults\": $(grep -c ": kvm_guest_fault: " $TRACING/trace), "
	echo "@json {\"kernel\": $(stat generation), $traced${said#\{}"
}

# refused WHY ARGS: the monitor must not continue
refused() {
	why=$1
	shift
	said=$(/tests/kho_pool_kvm "$@" 2>&1) && die "kho_pool_kvm $* has not noticed: $why"
	case $said in
	*"$why"*) echo "@say refused: $said" ;;
	*) die "kho_pool_kvm $*: $said" ;;
	esac
}

guests_go_on() {
	set_up
	monitor go small
	monitor go large
}

#: guests_x86 stages=guests arch=x86_64 mem=6G records=guests_went_on -- kho_pool=2560M
#:	huge=1024
# Device-dax has no pages of 1 GiB there.
#: guests_arm64 stages=guests arch=arm64 mem=6G el2 records=guests_went_on -- kho_pool=2560M
#:	huge=2
guests_0() {
	set_up
	monitor start small $((64 << 20)) $((2 << 20))
	monitor start large $((1 << 30)) $(($(arg huge) << 20))
	go
}

guests_1() {
	guests_go_on
	go
}

guests_2() {
	guests_1
}

guests_3() {
	guests_go_on
	# Damage is noticed.
	/tests/kho_pool_kvm spoil small || die "spoil"
	refused "words are not as the guest wrote them" go small
	/tests/kho_pool_kvm spoil-cpu large || die "spoil-cpu"
	refused "not as it was" go large
}
