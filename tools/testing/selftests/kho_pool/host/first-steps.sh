# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the page for beginners says, word by word, over a reboot and a kexec.

PAGE=/usr/local/lib/kho_pool/kho_pool-first-steps.rst
LEFT=/var/lib/kho_pool-first-steps	# what earlier kernels have done

mkdir -p $LEFT
[ -e $LEFT/next ] || echo 0 >$LEFT/next

# numbers FILE: the lines that are one; a terminal ends its lines with a carriage return, too
numbers() { tr -d '\r' <$1 | grep -ax '[0-9][0-9]*'; }

# counted: how far the guest had come by what a command has said
counted() { numbers $LEFT/said | tail -n 1; }

has() { grep -q "$1" $LEFT/said; }

# look: at what a block's commands have said, by what they were
look() {
	case $block in
	*"khopool stat"*)	check "the pool is active" has "^default .* active$" ;;
	*"khopool check"*)	check "the kexec loses nothing" has "a kexec loses nothing" ;;
	*"khopool rm"*)		check "nothing is left" [ "$(cat $POOL/extents)" = 0 ] ;;
	*journalctl*)
		before=$(cat $LEFT/counted)
		check "its unit says how it was resumed" has "resumed with [0-9]* bytes"
		check "the guest goes on counting" [ "$(counted)" -gt $before ]
		check "and has not begun again" [ "$(numbers $CONSOLE | head -n 1)" -ge $before ] ;;
	*"tail /run"*)
		check "the guest counts" [ "$(counted)" -gt 0 ]
		counted >$LEFT/counted ;;
	esac
}

CONSOLE=/run/khopool-guest/vm1/console
# beyond NUMBER: has the guest counted some further?
beyond() { [ "$(numbers $CONSOLE | tail -n 1)" -gt $(($1 + 3)) ]; }

cd /srv/debs || die "there are no packages"
say "$(uname -r), step $(cat $LEFT/next)"
while block=$(/usr/local/lib/kho_pool/page.py $PAGE "$(cat $LEFT/next)"); do
	# In this place a person would be patient.
	case $block in
	*"tail /run"*)
		before=$(cat $LEFT/counted 2>/dev/null || echo 0)
		until_done 900 "the guest does not count" beyond $before ;;
	esac
	# apt asks, and the CPU that KVM has here is an emulated one.
	block=$(echo "$block" | sed 's/^apt install/& -y/; s/-cpu host$/-cpu qemu64/')
	echo "$block" | sed 's/^/@say $ /'
	echo $(($(cat $LEFT/next) + 1)) >$LEFT/next
	sync
	echo "$block" | DEBIAN_FRONTEND=noninteractive sh -e >$LEFT/said 2>&1 ||
		{ tail -n 20 $LEFT/said; die "this has failed: $block"; }
	tail -n 12 $LEFT/said | sed 's/^/@say   /'
	case $block in
	*reboot|*khopool-update)
		sleep 600
		die "there is no $block" ;;
	esac
	look
done
finish 0
