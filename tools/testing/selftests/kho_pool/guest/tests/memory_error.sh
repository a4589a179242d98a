# SPDX-License-Identifier: GPL-2.0-only
# Pages with memory errors, over kexecs

block=$((512 * page))
OFFLINE=/sys/devices/system/memory/hard_offline_page

# error PHYS: the page there gets a memory error
error() {
	if [ -e $OFFLINE ]; then
		echo "$1" >$OFFLINE || die "memory error at $1"
	else
		echo "$1" >$DEBUG/bad || die "memory error at $1"
	fi
}

# start NAME: where the extent is
start() {
	awk -v name="$1" '$5 == name { print $1 }' $DEBUG/extents
}

# plus ADDRESS BYTES
plus() {
	printf '%#x' $(($1 + $2))
}

# create NAME PAGE: an extent that is exposed with pages of this size
create() {
	khopool create "$1" $((16 * block)) --align $((16 * block)) --expose="$2" ||
		die "khopool create $1"
}

# touch_at NAME OFFSET [poison]: what happens on a read there
touch_at() {
	name=$1
	shift
	/tests/kho_pool_bad "$(device "$name")" "${mapped:-$((16 * block))}" "$@"
}

# nobody_gets PHYS: all free memory is taken and written to, and it is as it was
nobody_gets() {
	cmd reuse
	check "something was free" [ "$(result reused)" -gt 0 ]
	check "nobody got the bad page" /tests/kho_pool_mem "$1" "$page" 0
	cmd verify
}

# unmapped PHYS: who reads it through the direct map gets an error, not its contents; arm64
# leaves it there, as it does at the error
unmapped() {
	[ "$(uname -m)" = x86_64 ] || return 0
	fails "Bad address" mapped "$1"
}

known() {
	check "so many pages are bad" is "$(stat bad_frames)" "$1"
	check "the region says the same" is "$(cat $POOL/region0/bad_frames)" "$1"
	check "khopool shows them" [ "$(khopool dump | grep -c ' bad$')" -ge 1 ]
	check "the pool can be used" is "$(stat state)" active
	check "every invariant holds" is "$(cat $DEBUG/validate)" ok
	check "khopool finds nothing wrong" khopool verify
}

# Errors come from memory_failure() where the kernel has it.
#: memory_error both
memory_error_0() {
	fill
	check "no page is bad" is "$(stat bad_frames)" 0
	# One that is free: it holds what its last owner left.
	cmd alloc $block gone $block
	free=$(plus "$(start gone)" "$page")
	cmd free gone
	bytes=$(stat free_bytes)
	error "$free"
	check "the log says so" logged \
		"memory error at $(printf '0x%016x' $((free))), not in an extent"
	check "a block is free no more" is "$(stat free_bytes)" $((bytes - block))
	error "$free"
	check "no page is bad twice" is "$(stat bad_frames)" 1
	# One in an extent of the kernel, and one in a block of small ones.
	bytes=$(stat free_bytes)
	error "$(plus "$vm" $((3 * page)))"
	check "the log says whose it is" logged "in extent vm of test"
	check "nothing else is free no more" is "$(stat free_bytes)" "$bytes"
	error "$(start small)"
	check "no more small ones beside it" [ "$(stat free_bytes)" -lt "$bytes" ]
	bad=3
	create u4k "$page"
	create u2m $((page / 8 * page))
	if [ -e $OFFLINE ]; then
		check "who touches it gets SIGBUS" is "$(touch_at u4k $((5 * page)) poison)" SIGBUS
		check "so does the next one" is "$(touch_at u4k $((5 * page)))" SIGBUS
		check "beside it is memory" is "$(touch_at u4k $((6 * page)))" read
		error "$(plus "$(start u4k)" $((9 * page)))"
		check "not mapped is known as well" is "$(touch_at u4k $((9 * page)))" SIGBUS
		# The first that anyone has of it is a part.
		check "in a part of a huge page it is the same" is \
			"$(mapped=$((9 * page)) touch_at u2m $((7 * page)) poison)" SIGBUS
		check "in huge pages it is the same at once" is \
			"$(touch_at u2m $((5 * page)) poison)" SIGBUS
		check "beside it is memory, whether part or all of it is mapped" is \
			"$(mapped=$((9 * page)) touch_at u2m 0)$(touch_at u2m 0)" readread
		bad=7
	fi
	known $bad
	nobody_gets "$free"
	go held="$(stat extents)" vm="$vm" free="$free" bad=$bad
}

memory_error_1() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	cmd generation "$stage"
	cmd verify
	check "kernels that know nothing of it are told" [ "$(khopool dump --in --json |
		grep -c '"ro_compat": "0x1"')" = 1 ]
	known "$(arg bad)"
	for bad in "$(arg free)" "$(plus "$(arg vm)" $((3 * page)))" "$(start small)"; do
		check "$bad is not in the direct map" unmapped "$bad"
		cmd mapped "$(plus "$bad" "$page")"
	done
	nobody_gets "$(arg free)"
	if [ -e $OFFLINE ]; then
		check "it is bad for this kernel's users" is "$(touch_at u4k $((5 * page)))" SIGBUS
		check "the other one too" is "$(touch_at u4k $((9 * page)))" SIGBUS
		check "beside it is memory" is "$(touch_at u4k $((6 * page)))" read
		check "most of a huge page is good" is "$(touch_at u2m $((6 * page)))" read
		khopool hide u4k || die "khopool hide"
		khopool expose u4k --align $page || die "khopool expose"
		check "a new device knows" is "$(touch_at u4k $((5 * page)))" SIGBUS
	fi
	if [ $stage = 2 ]; then
		bytes=$(stat free_bytes)
		cmd free vm
		check "all of it is free but a block" is "$(stat free_bytes)" \
			$((bytes + 0x10000000 - block))
		nobody_gets "$(arg free)"
		check "the next owner did not get the page" /tests/kho_pool_mem \
			"$(plus "$(arg vm)" $((3 * page)))" "$page" 0
		known "$(arg bad)"
		# Far more than the header of an index has room for
		for i in $(seq 40); do
			error "$(plus "$(arg vm)" $((i * block + i * page)))"
		done
		known $(($(arg bad) + 40))
		check "the root says that there is a table" is \
			"$(cat /sys/kernel/mm/kho_pool/incompat)" 0x1
		cmd alloc $page
	fi
	go held="$(stat extents)" vm="$(arg vm)" free="$(arg free)" bad="$(arg bad)"
}

memory_error_2() {
	memory_error_1
}

memory_error_3() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	cmd generation 3
	cmd verify
	known $(($(arg bad) + 40))
	for i in $(seq 40); do
		check "$i is not in the direct map" unmapped \
			"$(plus "$(arg vm)" $((i * block + i * page)))"
	done
	# More than there is room for: every second page
	for i in $(seq 470); do
		error "$(plus "$(arg vm)" $((60 * block + 2 * i * page)))"
	done
	check "nothing is given out any more" fails "allocate memory" alloc $page
	go held="$(stat extents)"
}

memory_error_4() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	cmd generation 4
	cmd verify
	check "the state says so" is "$(stat state)" \
		"degraded: too many memory errors in 1 of 1 regions"
	check "nothing is free" is "$(stat free_bytes) $(stat largest_free_bytes)" "0 0"
	check "nothing is given out" fails "allocate memory" alloc $page
	check "extents can be freed" khopool rm u4k
	check "and are not given out again" fails "allocate memory" alloc $page
	check "every invariant holds" is "$(cat $DEBUG/validate)" ok
}

# An error in a mapping of 1 GiB: its owner learns which page it is, and keeps the others.
#: memory_error_1g arch=x86_64 mem=6G -- kho_pool=3G
memory_error_1g_0() {
	mapped=0x80000000
	khopool create large 2G --align 1G --expose=1G || die "khopool create"
	bad=$((0x40000000 + 300 * page))
	check "SIGBUS is about that page" is "$(touch_at large $bad poison)" SIGBUS
	check "what is beside it is there" is "$(touch_at large $((bad + page)))" read
	check "the first page is there" is "$(touch_at large 0x40000000)" read
	known 1
	go bad=$bad
}

memory_error_1g_1() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	mapped=0x80000000
	known 1
	check "it is not in the direct map" unmapped "$(plus "$(start large)" "$(arg bad)")"
	check "what is beside it is there" is "$(touch_at large $(($(arg bad) + page)))" read
	check "another one, too" is "$(touch_at large $(($(arg bad) + 9 * page)) poison)" SIGBUS
	known 2
}
