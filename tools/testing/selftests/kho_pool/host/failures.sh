# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A guest that cannot be saved stops the update; one that cannot be resumed stays as it is.

[ "$gen" != none ] || die "there is no pool: $(cat /sys/kernel/mm/kho_pool/handover)"

says() { journalctl -b -o cat -u "$1" | grep -q -- "$2"; }
extents() { khopool ls --names | sort | tr '\n' ' '; }

# goes_on NAME: from where it is now
goes_on() {
	until_done 300 "$1 stands still" further $1 $(($(field $1 disk) + 5)) \
		$(($(field $1 net) + 5))
}

# written NAME DISK: more than that
written() { [ "$(field $1 disk)" -gt $2 ]; }

# writes NAME: to its disk, from now on
writes() { until_done 300 "$1 stands still" written $1 $(($(field $1 disk) + 5)); }

# booted NAME BOOT_ID: anew
booted() { [ -n "$(field $1 boot_id)" ] && [ "$(field $1 boot_id)" != "$2" ]; }

# no_update WHY EXTENTS [COMMAND]: it is refused, and both go on, as COMMAND NAME sees
no_update() {
	check "there is no update" not systemctl start khopool-update
	check "it says why: $1" says khopool-update "$1"
	check "there is no state" [ "$(extents)" = "$2" ]
	for name in vm1 vm2; do
		${3:-goes_on} $name
	done
}

case $gen in
0)	make_guest
	sed -i '/^memory/a timeout = 10' /etc/khopool/guests/vm2.conf
	for name in vm1 vm2; do
		systemctl enable --now khopool-guest@$name || die "$name does not start"
	done
	for name in vm1 vm2; do
		until_done 600 "$name says nothing" further $name 0 0
	done
	no_update "no image is loaded" "vm1 vm2 "
	load_next || die "the next kernel cannot be loaded"

	# No room for what is saved
	khopool create all "$(cat $POOL/largest_free_bytes)" >/dev/null || die "khopool create"
	until ! khopool create "more$((n = n + 1))" 2M >/dev/null 2>&1; do :; done
	no_update "has no room for" "$(extents)"
	khopool ls --names | grep -v vm | xargs khopool rm

	# A QEMU that hangs
	qemu=$(systemctl show -P MainPID khopool-guest@vm2)
	kill -STOP $qemu
	check "there is no update" not systemctl start khopool-update
	kill -CONT $qemu
	check "it says why" says khopool-update "vm2: QEMU .*answer"
	check "there is no state" [ "$(extents)" = "vm1 vm2 " ]
	for name in vm1 vm2; do
		goes_on $name
	done

	# Another machine than the one that was saved
	sed -i 's/-nodefaults/& -device virtio-rng-pci/' /etc/khopool/guests/vm2.conf
	load_next || die "the next kernel cannot be loaded"
	systemctl start khopool-update || die "there is no update"
	sleep 600 ;;
1)	check "the target is reached" systemctl -q is-active khopool-guests.target
	check "vm1 is back" systemctl -q is-active khopool-guest@vm1
	check "vm2 is not" systemctl -q is-failed khopool-guest@vm2
	check "all of it is there" [ "$(extents)" = "vm1 vm2 vm2.state " ]
	check "it says so" says khopool-guest@vm2 "Nothing is lost"
	# A try that fails again changes nothing.
	check "it fails again" not systemctl restart khopool-guest@vm2
	check "and is still there" [ "$(extents)" = "vm1 vm2 vm2.state " ]
	sed -i 's/ -device virtio-rng-pci//' /etc/khopool/guests/vm2.conf
	again=$(journalctl -b -o cat -u khopool-guest@vm2 |
		sed -n 's/^To try again: \(.*\)\.$/\1/p' | tail -n 1)
	check "it says what to type: $again" $again
	for name in vm1 vm2; do
		until_done 600 "$name says nothing" further $name 0 0
		goes_on $name
		check "no number was lost on the way to $name" [ "$(field $name gaps)" = 0 ]
	done
	check "its state is used up" [ "$(extents)" = "vm1 vm2 " ]

	# A device that QEMU cannot save; and vm2 does not heed its power button
	sed -i 's/-nodefaults/& -device nvme,serial=1/' /etc/khopool/guests/vm2.conf
	mkdir -p /etc/systemd/system/khopool-guest@vm2.service.d
	printf '[Service]\nTimeoutStopSec=20\n' \
		>/etc/systemd/system/khopool-guest@vm2.service.d/short.conf
	systemctl daemon-reload
	was=$(field vm2 boot_id)
	check "vm2 is restarted" systemctl restart khopool-guest@vm2
	until_done 600 "vm2 does not boot" booted vm2 "$was"
	load_next || die "the next kernel cannot be loaded"
	no_update "vm2: .*nvme" "vm1 vm2 " writes
	# systemctl kexec does not go back: vm1 is saved, vm2 is shut down.
	echo "$(field vm1 boot_id) $(field vm2 boot_id)" >/var/lib/kho_pool-boots
	systemctl kexec
	sleep 600 ;;
2)	read -r one two </var/lib/kho_pool-boots
	until_done 600 "vm2 does not boot" booted vm2 "$two"
	writes vm1
	check "vm1 has not booted" [ "$(field vm1 boot_id)" = "$one" ]
	check "its memory is the same" eval 'status vm1 | grep -q "\"same\": true"'
	check "vm2 has its memory, and no state" [ "$(extents)" = "vm1 vm2 " ]
	finish 0 ;;
esac
