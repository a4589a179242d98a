# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the tests of a host have in common.  Sourced, never run.

# There is one, or none.
POOL=$(dirname "$(ls /sys/kernel/mm/kho_pool/*/generation 2>/dev/null)")
GUESTS=/srv/guest

say() { echo "@say $*"; }

# die WHY: the test has failed; what the journal and the guests say is on the console
die() {
	echo "@fail $*"
	journalctl -b -o cat -n 80 -u 'khopool*' | sed 's/^/journal: /'
	tail -qn 40 /var/log/libvirt/qemu/*.log 2>/dev/null | sed 's/^/libvirt: /'
	tail -n 20 $GUESTS/*.console | sed 's/^/guest: /'
	finish 1
}

# finish STATUS: the end of the test
finish() {
	echo "@end $1"
	sleep 1
	systemctl --no-block --force poweroff
	sleep 60
}

# tell EVENT [JSON]
tell() { echo "@json {\"generation\": $gen, \"event\": \"$1\"${2:+, $2}}"; }

# check WHAT COMMAND...
check() {
	what=$1
	shift
	"$@" || die "not so: $what"
	echo "@json {\"check\": \"$what\"}"
}

not() { ! "$@"; }

# emulator_failed: the host's CPU is emulated, with all of SVM, and has made a mistake there
emulator_failed() {
	{ journalctl -b -o cat -u 'khopool*'; cat /var/log/libvirt/qemu/*.log 2>/dev/null; } |
		grep -q "KVM internal error"
}

# until_done SECONDS WHAT COMMAND...: that it succeeds; a guest that hangs shows by its time
until_done() {
	left=$1 what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		if [ $((left % 30)) = 0 ]; then
			tail -n 1 $GUESTS/*.console
			not emulator_failed || die "$what: KVM internal error"
		fi
		[ $left -gt 0 ] || die "$what"
		case $what in
		vm[12]\ *)
			systemctl -q is-active "khopool-guest@${what%% *}" ||
				die "$what: QEMU has ended" ;;
		esac
		sleep 1
	done
}

# status NAME: the last that a guest has said, as JSON
status() { sed -n 's/^@status \(.*}\).*/\1/p' $GUESTS/$1.console | tail -n 1; }

# value KEY: of a status
value() { sed -n "s/.*\"$1\": \"\{0,1\}\([^,\"}]*\).*/\1/p"; }

# field NAME KEY
field() { status $1 | value $2; }

# cut_out WORD: the block of the guide that has it, without its indentation
cut_out() {
	n=0
	while block=$(/usr/local/lib/kho_pool/page.py /usr/local/lib/kho_pool/kho_pool.rst $n); do
		case $block in
		*"$1"*)	echo "$block"; return ;;
		esac
		n=$((n + 1))
	done
	die "the guide has no $1"
}

# further NAME DISK NET: have both counts gone further than these?
further() { [ "$(field $1 disk)" -gt $2 ] && [ "$(field $1 net)" -gt $3 ]; }

# make_guest: kernel, initramfs and disks of the guests
make_guest() {
	root=$GUESTS/initramfs
	mkdir -p $root/bin $root/dev $root/proc $root/sys $root/tmp
	cp /usr/bin/busybox $root/bin/
	cp /usr/local/lib/kho_pool/guest-init $root/init
	chmod +x $root/init
	(cd $root && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >$GUESTS/initrd
	rm -r $root
	cp /usr/local/lib/kho_pool/guest-kernel $GUESTS/vmlinuz
	for name in vm1 vm2; do
		truncate -s 16M $GUESTS/$name.img
	done
	chown -R khopool-guest: $GUESTS
}

# load_next: the kernel that runs, once more
load_next() {
	kexec -s -l /boot/vmlinuz-$(uname -r) --initrd=/boot/initrd.img-$(uname -r) --reuse-cmdline
}
