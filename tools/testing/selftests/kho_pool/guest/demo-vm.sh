#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One kernel of a host whose guest lives through the host's kexec.  Debian's QEMU runs
# it, as it is, from a disk, /dev/vdc.  The guest's memory is an extent of the pool of
# vm_size= bytes, and what QEMU saves of the rest is another.  kernels= says after how
# many kexecs it ends.  If /dev/vdd and /dev/vde have another kernel and its initramfs,
# the two take turns.
. /guest/lib.sh
. /guest/qemu.sh

SIZE=$(arg vm_size)

[ -d $POOL ] || die "there is no pool: $(cat $HANDOVER)"
[ -c /dev/kvm ] || die "there is no KVM"
gen=$(stat generation)

# tell EVENT [JSON]
tell() {
	echo "@json {\"generation\": $gen, \"event\": \"$1\"${2:+, $2}}"
}

# start ARGUMENT...: QEMU with the guest
start() {
	go_home /guest/vm-init
	# shellcheck disable=SC2046
	qemu $(memory "$SIZE" 2M) -machine q35,memory-backend=mem "$@"
}

# ask EVENT: how the guest is, and the host
ask() {
	echo "$1" >$RUN/console.in
	until_says console "^@answer $1 .*}"
	guest=$(sed -n "s/^@answer $1 \(.*}\).*/\1/p" $RUN/console)
	base=$(khopool show vm --json | sed -n 's/.*"base": \("[^"]*"\).*/\1/p')
	tell "$1" "\"host\": {\"kernel\": \"$(uname -r)\",
		\"boot_id\": \"$(cat /proc/sys/kernel/random/boot_id)\"},
		\"guest\": $guest, \"memory\": $base,
		\"pages_2m\": $(cat /sys/kernel/debug/kvm/pages_2m),
		\"pages_4k\": $(cat /sys/kernel/debug/kvm/pages_4k),
		\"qemu\": \"$version\"" | tr '\n\t' '  '
	echo
}

tell up
khopool links >/dev/null || die "khopool links"
if [ "$gen" = 0 ]; then
	khopool create vm $SIZE --align 2M --expose=2M >/dev/null || die "khopool create"
	echo "@say host $gen, $(uname -r): booting a guest in $SIZE of the pool"
	start
	until_says console "@guest is up"
else
	echo "@say host $gen, $(uname -r): starting QEMU with what the one before has saved"
	start -incoming defer
	khopool get vm-state $RUN/state || die "khopool get"
	resume_guest running
	tell running
fi
version=$(chroot $HOME_OF_QEMU qemu-system-x86_64 --version | head -n 1)
[ "$gen" = 0 ] || ask arrived
ask leaving
if [ "$gen" = "$(arg kernels)" ]; then
	end_qemu
	# Of the guest nothing is left then.
	khopool rm vm vm-state || die "khopool rm"
	tell done "\"extents\": $(stat extents)"
	exit
fi

# The next kernel is loaded while the guest runs.
if [ -b /dev/vdd ] && [ $((gen % 2)) = 0 ]; then
	NEXT=/dev/vdd INITRD=/dev/vde
fi
load_next || die "kexec could not load the next kernel"
echo "@say host $gen, $(uname -r): saving the guest's state, and kexec"
tell pause
save_guest
tell saved "\"state_bytes\": $(wc -c <$RUN/state)"
end_qemu
[ "$gen" = 0 ] || khopool rm vm-state || die "khopool rm"
khopool put vm-state $RUN/state >/dev/null || die "khopool put"
tell kexec
start_next
