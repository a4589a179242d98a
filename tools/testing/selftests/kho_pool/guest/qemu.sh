# SPDX-License-Identifier: GPL-2.0-only
# Debian's QEMU, as it is, from a disk, /dev/vdc, with a guest in it.

HOME_OF_QEMU=/tmp/qemu
RUN=$HOME_OF_QEMU/tmp

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

# initramfs INIT FILE: the guest's
initramfs() {
	mkdir -p /tmp/guest/bin /tmp/guest/dev /tmp/guest/proc /tmp/guest/sys /tmp/guest/tmp
	cp /bin/busybox /tmp/guest/bin/
	cp "$1" /tmp/guest/init
	chmod +x /tmp/guest/init
	(cd /tmp/guest && find . | cpio -o -H newc 2>/dev/null) >"$2" || die "cpio"
	rm -r /tmp/guest
}

# go_home INIT: a place where QEMU finds everything as it would in its own Debian, and the
# kernel and the initramfs of the guest
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
	initramfs "$1" $RUN/initrd
}

# qemu ARGUMENT...: with the guest.  Where the host's CPU is emulated, what KVM makes of its
# XSAVE is nothing that the guest's kernel can use.
qemu() {
	chroot $HOME_OF_QEMU qemu-system-x86_64 -accel kvm -cpu host,-xsave \
		-nodefaults -display none -no-reboot \
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

# memory SIZE PAGE: arguments for the guest's memory, in the extent "vm"
memory() {
	echo "-m $1 -object memory-backend-file,id=mem,share=on,size=$1,align=$2,\
mem-path=/dev/kho_pool/default/vm"
}

# The mode of QEMU for this, and memory that stays where it is
cpr_reboot() {
	monitor "migrate_set_parameter mode cpr-reboot"
	monitor "migrate_set_capability x-ignore-shared on"
}

# save: the guest's state, without its memory, into the file "state"
save_guest() {
	cpr_reboot
	monitor "migrate file:/tmp/state"
	until_says monitor "VM status: paused (postmigrate)" "info status"
}

# resume STATUS: the guest out of that file; QEMU was started with -incoming defer
resume_guest() {
	cpr_reboot
	monitor "migrate_incoming file:/tmp/state"
	until_says monitor "VM status: $1" "info status"
}

end_qemu() {
	monitor quit
	wait $qemu
}

# leave_home: so that another guest can be started
leave_home() {
	# Readers of the pipes have ended with QEMU, or do so now.
	until umount $RUN; do
		sleep 0.1
	done
	for folder in dev proc sys; do
		umount $HOME_OF_QEMU/$folder
	done
	umount $HOME_OF_QEMU
}

# ask_disk QUESTION: a guest that runs disk-init; its answer is $answer.  A question can be
# asked once per boot.
ask_disk() {
	echo "$1" >$RUN/console.in
	word=$(echo "$1" | tr -d ' ')
	until_says console "^@answer $word [0-9a-z]* \."
	answer=$(sed -n "s/^@answer $word \([0-9a-z]*\) .*/\1/p" $RUN/console | tail -n 1)
}
