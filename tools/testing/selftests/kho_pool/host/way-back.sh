# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The next kernel does not see all memory, by a mistake on its command line, and quarantines
# the pools.  The guide says how guests come back from that.

LEFT=/var/lib/kho_pool-way-back

case $gen-$(cat /sys/kernel/mm/kho_pool/handover) in
0-active)
	make_guest
	systemctl enable --now khopool-guest@vm1 || die "vm1 does not start"
	until_done 600 "vm1 says nothing" eval '[ -n "$(status vm1)" ]'
	status vm1 >$LEFT
	kexec -s -l /boot/vmlinuz-$(uname -r) --initrd=/boot/initrd.img-$(uname -r) \
		--command-line="$(cat /proc/cmdline) memmap=16M\$$(printf '%#x' $((
			$(cat $POOL/region0/base) + (512 << 20))))" || die "kexec"
	check "the load warns" eval 'dmesg | grep -q "mem= or memmap= .* hides"'
	systemctl start khopool-update || die "there is no update"
	sleep 600 ;;
none-*)
	check "the pools are quarantined" [ "$(cat /sys/kernel/mm/kho_pool/handover)" = \
		"quarantined: root names memory that is not there" ]
	check "the guest does not start" not systemctl -q is-active khopool-guest@vm1
	check "it says why" eval 'journalctl -b -o cat -u khopool-guest@vm1 |
		grep -q "root names memory that is not there"'
	block=$(cut_out "sed 's/ mem")
	echo "$block" | sed 's/^/@say $ /'
	echo "$block" | sh -e || die "the way back"
	sleep 600 ;;
*)	check "the pools are back" [ "$(cat /sys/kernel/mm/kho_pool/handover)" = active ]
	check "the guest is back" systemctl -q is-active khopool-guest@vm1
	until_done 600 "vm1 says nothing" eval '[ -n "$(status vm1)" ]'
	check "it has not booted" [ "$(field vm1 boot_id)" = "$(value boot_id <$LEFT)" ]
	check "its memory is the same" eval 'status vm1 | grep -q "\"same\": true"'
	finish 0 ;;
esac
