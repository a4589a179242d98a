# SPDX-License-Identifier: GPL-2.0-only
# Handover pages that no kernel has filled for this kexec.

# area: memory for scratch areas, if this kernel has no KHO to name some
area() {
	sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) : System RAM$/\1 \2/p' /proc/iomem |
	while read -r from to; do
		echo $((0x$to - 0x$from)) $((0x$to))
	done | sort -n | tail -n 1 | {
		read -r _ to
		printf '%#x-%#x\n' $((to + 1 - 0x20000000)) $((to - 0x2000000))
	}
}

# forged: forge a page, and print where it is
forged() {
	if [ -e $KHO/scratch ]; then
		/tests/kho_pool_forge <$KHO/scratch
	else
		area | KHO_VERSION=$(arg kho_version) /tests/kho_pool_forge
	fi
}

found() {
	dmesg | grep -c "found kexec handover data"
}

#: trust arch=x86_64 plain -- kho_pool=512M plain=yes
#: trust_arm64 stages=trust arch=arm64
trust_0() {
	fill
	khopool create open 2M --align 2M --expose >/dev/null || die "create"
	held=$(stat extents)
	at=$(awk '$5 == "open" { print $1 }' $DEBUG/extents)
	/tests/kho_pool_forge "$(readlink -f /dev/kho_pool/default/open)" "$at" <$KHO/scratch ||
		die "forge"
	for LOADER in kexec_file_load kexec_load; do
		dmesg -c >/dev/null
		CMDLINE="kho_handover=$at" load_next kho_handover=$at 2>/dev/null &&
			die "it was loaded"
		check "$LOADER: a page in an extent is refused" \
			logged "kho_handover=$at on the image's command line is in memory of a pool"
	done
	LOADER=kexec_file_load
	khopool rm open >/dev/null || die "rm"
	held=$(stat extents)
	page=$(forged) || die "forge"
	go held=$held vm=$vm kho_handover=$page kho_version="$(tr '\0' '\n' \
		</sys/kernel/debug/kho/out/fdt | grep -o 'kho-v[0-9]*')"
}

trust_1() {
	check "what KHO has handed over counts" is "$(found)" 1
	check "the page does not" logged "ignored, the previous kernel has handed over by itself"
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	untouched
	echo owner:test >$POOL/release || die "release"
	check "there is nothing to lose" is "$(stat extents)" 0
	# On arm64, kexecs without KHO stop in the interrupt controller's driver.
	[ "$(arg plain)" = yes ] || exit 0
	go kho=off -kho_handover
}

# This kernel hands nothing over, and makes sure that nothing is believed.
trust_2() {
	page=$(forged) || die "forge"
	go kho=on kho_handover=$page
}

trust_3() {
	check "the page was made invalid" logged "nothing was handed over there"
	check "KHO found nothing" is "$(found)" 0
	check "a pool is made anew" is "$(stat generation) $(stat extents)" "0 0"
	# The same by kexec_load(), with a line that names a page other than this kernel's
	page=$(forged) || die "forge"
	LOADER=kexec_load CMDLINE="kho_handover=$page" go
}

trust_4() {
	check "the page was made invalid" logged "nothing was handed over there"
	check "KHO found nothing" is "$(found)" 0
	NEXT=/dev/vdc go kho=off -kho_handover
}

# A kernel without kho_pool knows nothing of such pages.
trust_5() {
	page=$(forged) || die "forge"
	go kho=on kho_handover=$page lockdown=integrity
}

trust_6() {
	check "it is ignored, because the kernel is locked down" \
		logged "ignored, because the kernel is locked down"
	check "KHO found nothing" is "$(found)" 0
	check "a pool is made anew" is "$(stat generation) $(stat extents)" "0 0"
	check "it is locked down" logged "Kernel is locked down from command line"
}

# Lockdown, as with Secure Boot: images have to be signed.  What the test driver would do is
# not allowed there, so the last kernel has none.
#: lockdown arch=x86_64 needs=KEXEC_BZIMAGE_VERIFY_SIG signed -- kho_pool=512M
lockdown_0() {
	fill
	head -c 16777216 /dev/urandom >/tmp/bytes || die "head"
	khopool create guest 16M --expose >/dev/null || die "create"
	khopool put state /tmp/bytes >/dev/null || die "put"
	go held="$(stat extents)" lockdown=integrity
}

# locked_down: what came over, and what is refused
locked_down() {
	check "it is locked down" logged "Kernel is locked down from command line"
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	check "the device is back" exposed guest
	check "the kept bytes are the same" khopool get state --check
	LOADER=kexec_load load_next 2>/dev/null && die "kexec_load() works"
	load_next 2>/dev/null && die "an image that is not signed was loaded"
	check "nothing is loaded" is "$(cat /sys/kernel/kexec/loaded)" 0
	check "the kept bytes are still the same" khopool get state --check
	NEXT=/dev/vdc load_next stage=$((stage + 1)) "$@" || die "the signed image is refused"
	check "khopool says that nothing would be lost" khopool check
	start_next
}

lockdown_1() {
	locked_down lockdown=confidentiality held="$(arg held)"
}

lockdown_2() {
	locked_down -lockdown held="$(arg held)"
}

lockdown_3() {
	check "the device is back" exposed guest
	check "the kept bytes are the same" khopool get state --check
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	insmod /lib/test_kho_pool.ko || die "no test driver"
	# It was not loaded in between.
	cmd generation 0
	verify_all
	check "every invariant holds" is "$(cat $DEBUG/validate)" ok
}

# The same without lockdown: as far as anybody can tell, that page is right.
#: believed arch=x86_64 plain --
believed_0() {
	NEXT=/dev/vdc go kho=off kho_version="$(tr '\0' '\n' </sys/kernel/debug/kho/out/fdt |
		grep -o 'kho-v[0-9]*')"
}

believed_1() {
	page=$(forged) || die "forge"
	go kho=on kho_pool=512M kho_handover=$page
}

believed_2() {
	check "it is believed" is "$(found)" 1
	check "it names no pools" is "$(cat $HANDOVER)" "quarantined: root cannot be found"
}

# A page that was filled two kernels ago; the kernel in between has handed over, too.
#: stale arch=x86_64 plain tools
stale_0() {
	fill
	LOADER=kexec_load NEXT=/dev/vdc go held=$held vm=$vm
}

stale_1() {
	check "this kernel has no kho_pool" [ ! -e /sys/kernel/mm/kho_pool ]
	check "nothing was handed to it" is "$(found)" 0
	fill_memory 40
	line=$(cat /proc/cmdline)
	case $line in
	*kho_handover=*)	;;
	*)			die "the word is gone" ;;
	esac
	go
}

stale_2() {
	check "what the last kernel has handed over counts" is "$(found)" 1
	check "the page of the kernel before does not" \
		logged "ignored, the previous kernel has handed over by itself"
	check "there is no pool of two kernels ago" is "$(stat generation) $(stat extents)" "0 0"
}
