# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Two guests with a disk and a network, over two kexecs: by the unit for an update, and by
# systemctl kexec alone.

# ask EVENT: how the guests and the host are
ask() {
	for name in vm1 vm2; do
		tell "$1" "\"host\": {\"kernel\": \"$(uname -r)\",
			\"boot_id\": \"$(cat /proc/sys/kernel/random/boot_id)\"},
			\"guest\": $(status $name)" | tr '\n\t' '  '
		echo
	done
}

[ "$gen" != none ] || die "there is no pool: $(cat /sys/kernel/mm/kho_pool/handover)"
tell up
case $gen in
0)	say "host 0, $(uname -r): starting two guests"
	dpkg -s khopool khopool-guests >/dev/null || die "the packages are not installed"
	make_guest
	for name in vm1 vm2; do
		systemctl enable --now khopool-guest@$name || die "$name does not start"
	done ;;
*)	for name in vm1 vm2; do
		systemctl -q is-active khopool-guest@$name || die "$name has not come back"
	done ;;
esac
systemctl -q is-active khopool-guests.target || die "khopool-guests.target is not reached"
for name in vm1 vm2; do
	until_done 600 "$name says nothing" further $name 0 0
done
[ $gen = 0 ] || ask arrived
for name in vm1 vm2; do
	until_done 300 "$name stands still" further $name \
		$(($(field $name disk) + 5)) $(($(field $name net) + 5))
done
ask leaving
if [ $gen = 2 ]; then
	# They have no power button.
	for name in vm1 vm2; do
		systemctl kill khopool-guest@$name
		until_done 60 "QEMU does not end" not systemctl -q is-active khopool-guest@$name
	done
	tell done "\"extents\": $(cat $POOL/extents)"
	finish 0
fi
load_next || die "the next kernel cannot be loaded"
case $gen in
0)	say "host 0: systemctl start khopool-update"
	systemctl start khopool-update || die "there is no update" ;;
1)	say "host 1: systemctl kexec"
	systemctl kexec || die "there is no kexec" ;;
esac
sleep 600
