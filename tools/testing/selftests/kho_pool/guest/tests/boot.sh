# SPDX-License-Identifier: GPL-2.0-only
# What the command line asks for, and what a boot makes of it

# clear_of_scratch: nothing of the pools is where images are loaded
clear_of_scratch() {
	{
		echo "$(root_at) 8192"
		awk '$2 == "base" { print $3, $5; print $7, $9 }' $DEBUG/regions
	} >/tmp/kept
	while read -r base size; do
		while IFS=- read -r from to; do
			[ $((from)) -ge $((base + size)) ] || [ $((to)) -lt $((base)) ] ||
				{ echo "$base in $from-$to"; return 1; }
		done <$KHO/scratch
	done </tmp/kept
}

#: bad_arguments -- kho_pool kho_pool=:1G,vm:,0,9999T,128M@7,128M@x,12Q,a/b:1G
#:	kho_pool=handover:1G,control:1G,.x:1G,a-name-of-thirty-two-bytes-in-all:1G
#:	kho_pool=b\xe9d:1G,good:256M
bad_arguments_0() {
	check "empty name" logged "kho_pool=:1G: the name is empty"
	check "no size" logged "kho_pool=vm:: a size is missing"
	check "zero" logged "kho_pool=0: the size is zero"
	check "too large" logged "kho_pool=9999T: the size is larger than memory"
	check "no such node" logged "kho_pool=128M@7: there is no such node"
	check "malformed node" logged "kho_pool=128M@x: the node is not a number"
	check "malformed size" logged "kho_pool=12Q: the size is malformed"
	check "bad name" logged "kho_pool=a/b:1G: a name is made of"
	check "a letter of Latin-1" logged "d:1G: a name is made of ASCII"
	check "a name that is a file" logged "kho_pool=handover:1G: that name is taken"
	check "another one" logged "kho_pool=control:1G: that name is taken"
	check "a hidden name" logged "kho_pool=.x:1G: a name does not begin with a dot"
	check "a long name" logged "in-all:1G: the name is longer than 31 bytes"
	check "no value" logged "kho_pool=?: a size is missing"
	check "the good one is there" is "$(cat /sys/kernel/mm/kho_pool/good/size_bytes)" 268435456
	check "and no other" is "$(ls -d /sys/kernel/mm/kho_pool/*/ | wc -l)" 1
}

#: too_large mem=3G -- kho_pool=4G
too_large_0() {
	check "the log names what is missing" logged "are not available, continuing with"
	check "there is a pool" [ "$(stat size_bytes)" -gt 1073741824 ]
	left=$(awk '/MemTotal/ { print $2 }' /proc/meminfo)
	check "the kernel keeps 512 MiB" [ "$left" -gt 300000 ]
}

# More of it for KHO than it would take by itself
#: scratch_areas long mem=3G -- kho_pool=4G kho_scratch=256M,640M,128M
scratch_areas_0() {
	check "the log names what is missing" logged "are not available, continuing with"
	check "the pool has something" [ "$(stat size_bytes)" -gt 536870912 ]
	check "KHO has all that it was to have" is "$(cat $HANDOVER)" active
	go
}

scratch_areas_1() {
	check "the pool was handed on" is "$(stat generation)" 1
}

#: no_root --
no_root_0() {
	check "no pool at first" is "$(cat $HANDOVER)" none
	go kho_pool=512M
}

# The previous kernel has handed over, but no pools: they are made as at a cold boot, clear
# of everything that it has.
no_root_1() {
	check "KHO has started this kernel" logged "found kexec handover data"
	check "the first pool is made" is "$(stat generation) $(stat size_bytes)" "0 536870912"
	check "it is handed on" is "$(cat $HANDOVER)" active
	# shellcheck disable=SC2046
	check "it is not in a scratch area, nor are index and root" clear_of_scratch
	fill
	go held=$held vm=$vm
}

no_root_2() {
	verify
	LOADER=kexec_load go
}

no_root_3() {
	verify
	untouched
}

#: kho_off -- kho_pool=1G kho=off
kho_off_0() {
	check "no pool" is "$(cat $HANDOVER)" none
	check "the log says why" logged "Kexec HandOver is off"
}

#: kho_off_later
kho_off_later_0() {
	fill
	go kho=off held=$held vm=$vm
}

kho_off_later_1() {
	check "the state says so" is "$(stat state)" "active, not handed on: Kexec HandOver is off"
	verify
	load_next kho=on 2>/dev/null && die "it was loaded"
	check "the image is refused" logged "kexec refused, it would lose $held extents"
	cmd verify
}
