#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests that take several kernels.  scenario= names the test, stage= counts its
# kernels: what numa_distance does in its first kernel is the function
# numa_distance_0() of tests/numa.sh, see ../README.  What a stage knows of the one
# before is on the kernel's command line, see go().
. /guest/lib.sh

scenario=$(arg scenario)
stage=$(arg stage)
: "${stage:=0}"

# check WHAT TEST...: one statement that must hold
check() {
	what=$1
	shift
	if "$@"; then
		echo "@say $scenario, stage $stage: $what"
	else
		die "$scenario, stage $stage: not so: $what"
	fi
}

logged() {
	dmesg | grep -qF -- "$1"
}

is() {
	[ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }
}

not() {
	! "$@"
}

# load_dax: the modules that a kernel has device-dax in
load_dax() {
	insmod /lib/device_dax.ko || die "insmod device_dax"
	insmod /lib/kho_pool.ko || die "insmod kho_pool"
}

# device NAME: the device of this extent, if there is one
device() {
	khopool show "$1" --json | sed -n 's/.*"device": "\(.*\)".*/\1/p'
}

# exposed NAME: is there one?
exposed() {
	[ -n "$(device "$1")" ]
}

# hold DEVICE SIZE [pin]: someone, $holder, has it mapped, or its pages pinned
hold() {
	rm -f /tmp/hold
	/tests/kho_pool_hold "$@" >/tmp/hold &
	holder=$!
	until grep -qs held /tmp/hold; do
		kill -0 $holder || die "kho_pool_hold $*"
		sleep 0.1
	done
}

end_hold() {
	kill $holder
	wait $holder 2>/dev/null
}

# says STATUS TEXT ARGUMENT...: khopool ends with the status, and says the text on stderr
says() {
	status=$1
	text=$2
	shift 2
	khopool "$@" >/tmp/out 2>/tmp/err
	got=$?
	if [ $got != "$status" ] || ! grep -qF -- "$text" /tmp/err; then
		die "khopool $*: status $got, $(cat /tmp/err)"
	fi
	echo "@say khopool $*: $(head -n 1 /tmp/err)"
}

# fails ERROR COMMAND: writing the command gives this error
fails() {
	err=$1
	shift
	said=$( { echo "$*" >$TEST/cmd; } 2>&1 ) && return 1
	case $said in *"$err"*) ;; *) echo "$said"; return 1 ;; esac
}

page=$(/tests/kho_pool_mem page)

# fill: the usual extents, where they are goes into $vm and $list
fill() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	cmd alloc 256M vm 128M
	cmd alloc 6M middle
	cmd alloc $page small
	cmd alloc $((3 * page))
	vm=$(awk '$5 == "vm" { print $1 }' $DEBUG/extents)
	held=$(stat extents)
}

# verify: all is there, byte by byte
verify() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	# But for those that have a device by now
	check "none is claimed" is $(($(stat unclaimed) +
		$(find /sys/bus/dax/devices/ -name 'dax*' | wc -l))) "$(arg held)"
	cmd generation "$(stat generation)"
	verify_all
	check "all are claimed" is "$(stat unclaimed)" 0
	check "every invariant holds" is "$(cat $DEBUG/validate)" ok
}

# place_own HOW CHANGES...: load an image by kho_pool_load
place_own() {
	how=$1
	shift
	line=$(cat /proc/cmdline)
	cat /dev/vda >/tmp/kernel
	cat /dev/vdb >/tmp/initrd
	# shellcheck disable=SC2086
	/tests/kho_pool_load $how /tmp/kernel /tmp/initrd \
		"${line%% stage=*} stage=$((stage + 1)) from=$(version),kho_pool_load \
		kernels=$(sed 's/.*=//' $KHO/cmdline) $*"
}

# own_loader HOW CHANGES...: kexec with the image placed by kho_pool_load
own_loader() {
	place_own "$@" || die "kho_pool_load"
	start_next
}

# untouched: the same without any help of kho_pool
untouched() {
	said=$(/tests/kho_pool_mem "$(arg vm)" 0x10000000 0)
	err=$?
	echo "$said"
	# shellcheck disable=SC2086
	set -- $said
	# What verify has seen is not counted again.
	[ -d /sys/module/test_kho_pool ] || account "$3" "$1"
	check "the memory is as it was" [ $err = 0 ]
}

# ram_in START SIZE: lines of /proc/iomem that call some of it System RAM
ram_in() {
	sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) : System RAM$/\1 \2/p' /proc/iomem |
	while read -r from to; do
		[ $((0x$from)) -ge $(($1 + $2)) ] || [ $((0x$to)) -lt $(($1)) ] ||
			echo "$from-$to"
	done
}

# meta FIELD: addresses out of what debugfs shows
root_at() {
	awk '$1 == "root" { print $2 }' $DEBUG/regions
}

index_at() {
	awk '$2 == "base" { print $7; exit }' $DEBUG/regions
}

# whole_pages SIZE: what it takes of memory
whole_pages() {
	echo $((($1 + page - 1) / page * page))
}

# largest_scratch: first and last byte, where kexec-tools put an image
largest_scratch() {
	sed 's/--mem-min=//; s/ --mem-max=/-/' $KHO/args
}

# save: save what is handed on as /tmp/root, /tmp/index0, ...  The root is sealed, as it
# will be at the kexec.
save() {
	echo 1 >$DEBUG/sealed
	cat $DEBUG/out/root >/tmp/root || die "no root"
	echo 0 >$DEBUG/sealed
	rm -f /tmp/index*
	for index in $DEBUG/out/index*; do
		[ ! -e "$index" ] || cat "$index" >/tmp/"${index##*/}"
	done
}

# damage FILE LINE CHANGE...: change a saved file, check that khopool reports what is
# wrong with it, and hand it to the next kernel
damage() {
	file=$1
	line=$2
	shift 2
	khopool edit /tmp/$file "$@" || die "khopool edit $*"
	if [ -n "$line" ]; then
		khopool verify /tmp/root /tmp/index* >/tmp/verify && die "khopool sees nothing"
		check "khopool says: $line" grep -q "$line" /tmp/verify
	else
		check "khopool sees nothing" khopool verify /tmp/root
	fi
	cat /tmp/$file >$DEBUG/inject/$file || die "inject"
	check "the log says so" logged "the next kernel will get what was written"
}

# other_version CHANGES...: kexec the kernel that is not this one
other_version() {
	if [ $((stage % 2)) = 0 ]; then
		NEXT=/dev/vdc INITRD=/dev/vdd go "$@"
	else
		go "$@"
	fi
}

# go CHANGES...: kexec; the next stage gets these values by arg()
go() {
	next_kernel stage=$((stage + 1)) "$@"
}

# No allocation and no pool folder, and the reason in sysfs and the log
quarantined() {
	check "handover says: $1" is "$(cat $HANDOVER)" "quarantined: $1"
	check "the log says so" logged "quarantined: $1"
	check "there is no pool to allocate from" [ ! -d $POOL ]
	untouched
}

# fill_memory PERCENT: a process takes this share of free memory, and writes to it
fill_memory() {
	free=$(awk '$1 == "MemFree:" { print $2 }' /proc/meminfo)
	least=$free
	# Part of it is enough: the two processes are not full at the same time.
	most=$((free / 100 * (100 - $1 * 95 / 100)))
	stress-ng --quiet --vm 2 --vm-bytes "$1%" --vm-populate &
	stress=$!
	while [ "$least" -ge $most ]; do
		kill -0 $stress || die "stress-ng"
		free=$(awk '$1 == "MemFree:" { print $2 }' /proc/meminfo)
		[ "$free" -ge "$least" ] || least=$free
		sleep 0.1
	done
	kill $stress
	wait $stress
	echo "@say $scenario, stage $stage: memory was full, but for $least KiB"
}

# The test's line is in the file of its family, and may name another's stages.
family=$(grep -lE "^#: $scenario( |\$)" /guest/tests/*.sh) || die "no test is called $scenario"
stages=$(sed -n "s/^#: $scenario  *stages=\([^ ]*\).*/\1/p" "$family")
run=${stages:-$scenario}_$stage
# shellcheck disable=SC1090
. "$family"
type "$run" >/dev/null 2>&1 || die "there is no stage $stage of $scenario"
$run
