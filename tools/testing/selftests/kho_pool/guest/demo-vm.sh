#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One kernel of a host whose guest lives through the host's kexec.  Debian's QEMU runs
# it, as it is, from a disk, /dev/vdc.  The guest's memory is an extent of the pool of
# vm_size= bytes, and what QEMU saves of the rest is another.  kernels= says after how
# many kexecs it ends.  If /dev/vdd and /dev/vde have another kernel and its initramfs,
# the two take turns.
. /guest/lib.sh

SIZE=$(arg vm_size)
HOME_OF_QEMU=/tmp/qemu
RUN=$HOME_OF_QEMU/tmp

[ -d $POOL ] || die "there is no pool: $(cat $HANDOVER)"
[ -c /dev/kvm ] || die "there is no KVM"
gen=$(stat generation)

# tell EVENT [JSON]
tell() {
	echo "@json {\"generation\": $gen, \"event\": \"$1\"${2:+, $2}}"
}

# alive: QEMU should be
alive() {
	kill -0 $qemu 2>/dev/null && return
	wait $qemu
	status=$?
	sed "s/^/guest: /" $RUN/console
	die "QEMU has ended with $status: $(cat $RUN/log)"
}

# until_says FILE PATTERN [QUESTION]: ask the question until the pattern is in the file.  If
# that takes ten minutes, the guest hangs.
until_says() {
	left=12000
	until grep -q "$2" $RUN/$1; do
		alive
		[ -z "$3" ] || monitor "$3"
		[ $left -gt 0 ] || die "$1: no \"$2\": $(tail -n 5 $RUN/$1)"
		left=$((left - 1))
		usleep 50000
	done
}

monitor() {
	echo "$*" >$RUN/monitor.in
}

# initramfs FILE: the guest's
initramfs() {
	mkdir -p /tmp/guest/bin /tmp/guest/dev /tmp/guest/proc /tmp/guest/tmp
	cp /bin/busybox /tmp/guest/bin/
	cp /guest/vm-init /tmp/guest/init
	chmod +x /tmp/guest/init
	(cd /tmp/guest && find . | cpio -o -H newc 2>/dev/null) >"$1" || die "cpio"
	rm -r /tmp/guest
}

# go_home: a place where QEMU finds everything as it would in its own Debian
go_home() {
	mkdir -p $HOME_OF_QEMU
	mount -t ext2 -o ro /dev/vdc $HOME_OF_QEMU || die "there is no disk with QEMU"
	for folder in dev proc sys; do
		mount --bind /$folder $HOME_OF_QEMU/$folder
	done
	mount -t tmpfs tmp $RUN
	mkfifo $RUN/monitor.in $RUN/monitor.out $RUN/console.in $RUN/console.out
	# The guest's own kernel is not updated: it is always that of the first host.
	cat /dev/vda >$RUN/kernel
	initramfs $RUN/initrd
}

# start ARGUMENT...: QEMU with the guest.  Where the host's CPU is emulated, what KVM
# makes of its XSAVE is nothing that the guest's kernel can use.
start() {
	go_home
	memory=size=$SIZE,mem-path=/dev/kho_pool/default/vm,share=on,align=2M
	chroot $HOME_OF_QEMU qemu-system-x86_64 -accel kvm -cpu host,-xsave -m $SIZE \
		-object memory-backend-file,id=mem,$memory \
		-machine q35,memory-backend=mem -nodefaults -display none -no-reboot \
		-chardev pipe,id=monitor,path=/tmp/monitor -mon chardev=monitor \
		-chardev pipe,id=console,path=/tmp/console -serial chardev:console \
		-kernel /tmp/kernel -initrd /tmp/initrd \
		-append "console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check kho=off \
			panic=-1" \
		"$@" >$RUN/log 2>&1 &
	qemu=$!
	cat $RUN/console.out >$RUN/console &
	cat $RUN/monitor.out >$RUN/monitor &
	monitor "info kvm"
	until_says monitor "kvm support: enabled"
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

# The mode of QEMU for this, and memory that stays where it is
cpr_reboot() {
	monitor "migrate_set_parameter mode cpr-reboot"
	monitor "migrate_set_capability x-ignore-shared on"
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
	cpr_reboot
	monitor "migrate_incoming file:/tmp/state"
	until_says monitor "VM status: running" "info status"
	tell running
fi
version=$(chroot $HOME_OF_QEMU qemu-system-x86_64 --version | head -n 1)
[ "$gen" = 0 ] || ask arrived
ask leaving
if [ "$gen" = "$(arg kernels)" ]; then
	monitor quit
	wait $qemu
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
cpr_reboot
echo "@say host $gen, $(uname -r): saving the guest's state, and kexec"
tell pause
monitor "migrate file:/tmp/state"
until_says monitor "VM status: paused (postmigrate)" "info status"
tell saved "\"state_bytes\": $(wc -c <$RUN/state)"
monitor quit
wait $qemu
[ "$gen" = 0 ] || khopool rm vm-state || die "khopool rm"
khopool put vm-state $RUN/state >/dev/null || die "khopool put"
tell kexec
start_next
