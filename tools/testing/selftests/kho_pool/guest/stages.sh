#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests that take several kernels.  scenario= names the test, stage= counts its
# kernels.  What a stage knows of the one before is in stage arguments, which
# the kernel's command line carries past kho_pool.
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

# exposed NAME: is there a device of this extent?
exposed() {
	khopool show "$1" --json | grep -q '"device": "/dev/dax'
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
	check "none is claimed" is "$(stat unclaimed)" "$(arg held)"
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
	save_coverage
	kexec -e
	die "kexec did not start the next kernel"
}

# kernel_at: where KASLR has put this kernel
kernel_at() {
	sed -n 's/^ *\([0-9a-f]*\)-.*Kernel code.*/\1/p' /proc/iomem
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

# meta FIELD: addresses out of what debugfs shows
root_at() {
	awk '$1 == "root" { print $2 }' $DEBUG/regions
}

index_at() {
	awk '$2 == "base" { print $7; exit }' $DEBUG/regions
}

# probe ADDRESS: what memory hotplug says to the memory block there
probe() {
	local size

	size=$((0x$(cat /sys/devices/system/memory/block_size_bytes))) || return
	if printf '%#x' $(($1 / size * size)) 2>/dev/null >/sys/devices/system/memory/probe; then
		echo added
	else
		echo refused
	fi
}

# range BASE SIZE: as the log has it, for grep
range() {
	printf '\\[%#x-%#x\\]' $(($1)) $(($1 + $2 - 1))
}

# whole_pages SIZE: what it takes of memory
whole_pages() {
	echo $((($1 + page - 1) / page * page))
}

# largest_scratch: first and last byte, where kexec-tools put an image
largest_scratch() {
	sed 's/--mem-min=//; s/ --mem-max=/-/' $KHO/args
}

# refusal WHAT RANGE POOL: the log has one refusal since it was cleared, this one
refusal() {
	dmesg -c | grep -o 'kexec .*: image refused' >/tmp/refused
	is "$(wc -l </tmp/refused)" 1 &&
		grep -qx "kexec $1 $2 overlaps pool memory $3: image refused" /tmp/refused && return
	cat /tmp/refused
	return 1
}

# save: what is handed on, into /tmp/root, /tmp/index0, ...  The root is sealed,
# as it will be if nothing changes any more.
save() {
	echo 1 >$DEBUG/sealed
	cat $DEBUG/out/root >/tmp/root || die "no root"
	echo 0 >$DEBUG/sealed
	rm -f /tmp/index*
	for index in $DEBUG/out/index*; do
		[ ! -e "$index" ] || cat "$index" >/tmp/"${index##*/}"
	done
}

# damage FILE LINE CHANGE...: change what was saved, see that khopool says what
# is wrong with it, and let the next kernel have it
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

# node_of NAME: node of the region that the extent is in
node_of() {
	at=$(awk -v name="$1" '$5 == name { print $1 }' $DEBUG/extents)
	while read -r _ key base _ size _ _ _ _ _ node; do
		[ "$key" = base ] && [ $((at)) -ge $((base)) ] &&
			[ $((at)) -lt $((base + size)) ] && echo "$node"
	done <$DEBUG/regions
}

# record STAGE NUMBER: text of a length of its own, for a log
record() {
	printf 'stage %d record %d ' "$1" "$2"
	head -c $((($1 * 613 + $2 * 397) % 2900)) /dev/zero | tr '\0' x
}

# How many records each stage appends
counts="3 7 1 12 5"

# expected_log STAGES: what a log has to be when so many have appended to it
expected_log() {
	hash=$(printf '%064d' 0)
	nr=0
	left=$1
	for count in $counts; do
		[ "$left" -gt 0 ] || break
		for i in $(seq "$count"); do
			data=$(record $(($1 - left)) "$i" | xxd -p | tr -d '\n')
			length=$((${#data} / 2))
			hash=$(printf '%02x%02x0000%s' $((length % 256)) $((length / 256)) "$data" |
				sed "s/^/$hash/" | xxd -r -p | sha256sum | cut -c1-64)
			echo "$nr $hash $data"
			nr=$((nr + 1))
		done
		left=$((left - 1))
	done
}

# on_node N FILE: what the pool has there
on_node() {
	cat $POOL/node$1/$2
}

# node_stats: what a kexec does not change, as one word
node_stats() {
	for node in $POOL/node*; do
		for file in size_bytes free_bytes largest_free_bytes extents index_bytes regions; do
			printf '%s,' "$(cat $node/$file)"
		done
	done
}

# node_memory N: KiB of it that are the kernel's
node_memory() {
	awk '$3 == "MemTotal:" { print $4 }' /sys/devices/system/node/node$1/meminfo
}

# adds_up: what is counted by node gives what is counted for the pool
adds_up() {
	for file in $POOL/node0/*; do
		file=${file##*/}
		sum=0 most=0
		for node in $POOL/node*; do
			value=$(cat $node/$file)
			sum=$((sum + value))
			[ "$value" -le $most ] || most=$value
		done
		[ $file != largest_free_bytes ] || sum=$most
		is "$file $(stat $file)" "$file $sum" || return 1
	done
}

# fill_node N: all that the pool has there, with names, as less than a block goes
# to where others with names are
fill_node() {
	cmd node $1
	while [ "$(on_node $1 free_bytes)" -gt 0 ]; do
		size=$(on_node $1 largest_free_bytes)
		cmd alloc $size fill-$1-$(on_node $1 extents)-$size
	done
}

# full_node N OTHER: what becomes of requests to a node that is full
full_node() {
	failures=$(stat alloc_failures)
	check "node $1 is full" is "$(on_node $1 free_bytes)" 0
	cmd node $1
	check "who wants node $1 gets nothing" fails "No space" alloc 4K
	check "nor any large extent" fails "No space" alloc 2M
	check "both are counted" is "$(stat alloc_failures)" $((failures + 2))
	cmd prefer $1
	cmd alloc 6M not-on-$1-$stage
	check "who prefers it is served by node $2" is "$(node_of not-on-$1-$stage)" $2
	cmd node -1
	check "what no node has is another error" fails "allocate memory" alloc 1000G
	cmd verify
}

# other_version CHANGES...: kexec the kernel that is not this one
other_version() {
	if [ $((stage % 2)) = 0 ]; then
		NEXT=/dev/vdc INITRD=/dev/vdd go "$@"
	else
		go "$@"
	fi
}

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

case $scenario.$stage in
khopool*)
	# shellcheck source=khopool.sh
	. /guest/khopool.sh
	;;

bad_arguments.0)
	check "empty name" logged "kho_pool=:1G: the name is empty"
	check "no size" logged "kho_pool=vm:: a size is missing"
	check "zero" logged "kho_pool=0: the size is zero"
	check "too large" logged "kho_pool=9999T: the size is larger than memory"
	check "no such node" logged "kho_pool=128M@7: there is no such node"
	check "malformed node" logged "kho_pool=128M@x: the node is not a number"
	check "malformed size" logged "kho_pool=12Q: the size is malformed"
	check "bad name" logged "kho_pool=a/b:1G: a name is made of"
	check "a name that is a file" logged "kho_pool=handover:1G: that name is taken"
	check "another one" logged "kho_pool=control:1G: that name is taken"
	check "a hidden name" logged "kho_pool=.x:1G: a name does not begin with a dot"
	check "a long name" logged "in-all:1G: the name is longer than 31 bytes"
	check "no value" logged "kho_pool=?: a size is missing"
	check "the good one is there" is "$(cat /sys/kernel/mm/kho_pool/good/size_bytes)" 268435456
	check "and no other" is "$(ls -d /sys/kernel/mm/kho_pool/*/ | wc -l)" 1
	;;

too_large.0)
	check "the log names what is missing" logged "are not to be had, going on with"
	check "there is a pool" [ "$(stat size_bytes)" -gt 1073741824 ]
	left=$(awk '/MemTotal/ { print $2 }' /proc/meminfo)
	check "the kernel keeps 512 MiB" [ "$left" -gt 300000 ]
	;;

scratch_areas.0)
	check "the log names what is missing" logged "are not to be had, going on with"
	check "the pool has something" [ "$(stat size_bytes)" -gt 536870912 ]
	check "KHO has all that it was to have" is "$(cat $HANDOVER)" active
	go
	;;
scratch_areas.1)
	check "the pool was handed on" is "$(stat generation)" 1
	;;

no_root.0)
	check "no pool at first" is "$(cat $HANDOVER)" none
	go kho_pool=1G
	;;
no_root.1)
	check "none is invented" is "$(cat $HANDOVER)" none
	check "the log says so" logged "the kernel before has left no root"
	;;

kho_off.0)
	check "no pool" is "$(cat $HANDOVER)" none
	check "the log says why" logged "Kexec HandOver is off"
	;;

kho_off_later.0)
	fill
	go kho=off held=$held vm=$vm
	;;
kho_off_later.1)
	check "the state says so" is "$(stat state)" "active, not handed on: Kexec HandOver is off"
	verify
	load_next kho=on 2>/dev/null && die "it was loaded"
	check "the image is refused" logged "kexec refused, it would lose $held extents"
	cmd verify
	;;

sealed_root_damaged.*|root_magic_damaged.*|root_check_damaged.*)
	case $scenario in
	sealed*)	offset=200 ;;
	root_magic*)	offset=0 ;;
	root_check*)	offset=4090 ;;
	esac
	case $stage in
	0)	fill
		save
		check "khopool sees nothing" khopool verify /tmp/root /tmp/index*
		damage root "root is damaged" $offset^0x40
		go held=$held vm=$vm
		;;
	1)	quarantined "root is damaged"
		khopool verify --in >/tmp/verify && die "khopool sees nothing"
		check "khopool says so" grep -q "root is damaged" /tmp/verify
		go
		;;
	2)	quarantined "root is damaged"
		# As if someone had mended it.
		save
		damage root "" $offset^0x40
		go
		;;
	3)	verify
		;;
	esac
	;;

keep_list_damaged.0)
	fill
	save
	damage root "keep list is damaged" 5000^0x40
	go held=$held vm=$vm
	;;
keep_list_damaged.1)
	verify
	check "it came damaged" [ "$(khopool verify --in | grep -c "keep list is damaged")" = 1 ]
	check "it goes on mended" khopool verify
	go
	;;
keep_list_damaged.2)
	verify
	;;

newer_format.*)
	case $stage in
	0)	fill
		save
		damage root "root has incompatible features: 0x80" incompat=0x80 check
		go held=$held vm=$vm
		;;
	1)	quarantined "root has incompatible features"
		go
		;;
	2)	quarantined "root has incompatible features"
		save
		damage root "" incompat=0 check
		go
		;;
	3)	verify
		;;
	esac
	;;

page_size.0)
	fill
	save
	damage root "root is of no page size: 20480" frame-size=20480 check
	go held=$held vm=$vm
	;;
page_size.1)
	quarantined "root is of another page size"
	;;

# A root that nobody has ever written.
made_up_root.0)
	fill
	save
	base=$(awk '$2 == "base" { print $3; exit }' $DEBUG/regions)
	damage root "root and keep list differ" region0.base=0x100000000000 seal-ns=99 check
	go held=$held vm=$vm base=$base
	;;
made_up_root.1)
	quarantined "root names memory that is not there"
	save
	damage root "" region0.base="$(arg base)" check
	LOADER=kexec_load go
	;;
made_up_root.2)
	check "this much was made up" is "$(stat seal_ns)" 99
	verify
	save
	damage root "root and keep list differ" \
		region0.index="$(printf '%#x' $(($(root_at) + 4096)))" check
	go
	;;
made_up_root.3)
	quarantined "root names its own page"
	;;

not_allowed.0)
	fill
	check "without kho_pool_inject nothing can be injected" [ ! -e $DEBUG/inject ]
	;;

# What khopool shows of a running kernel is what the kernel says of itself.
dump.*)
	if [ $stage = 0 ]; then
		fill
		go held=$held vm=$vm
	fi
	verify
	cmd alloc 30M "stage-$stage"
	# Address, bytes, owner and name, of each extent.
	awk '{ print $1, $2, $3, $5 == "-" ? "" : $5 }' $DEBUG/extents >/tmp/extents
	khopool dump | awk '
		BEGIN { unit["KiB"] = 1024; unit["MiB"] = 1048576; unit["GiB"] = 1073741824 }
		$1 ~ /^0x/ && $2 + 0 && $3 in unit && !/,/ {
			printf "%s %.0f %s %s\n", $1, $2 * unit[$3], $4, $5
		}' >/tmp/dump
	check "all extents are there" is "$(stat extents)" "$(awk 'END { print NR }' /tmp/dump)"
	check "and what is said of them" cmp /tmp/extents /tmp/dump
	check "by way of memory it is the same" is \
		"$(khopool dump --mem /dev/mem | grep '^ ')" "$(khopool dump | grep '^ ')"
	check "all rules are kept" khopool verify
	check "so they were when it was handed over" khopool verify --in
	check "one generation before" [ "$(khopool dump --in |
		grep -c "generation $((stage - 1)), pages of .*, sealed in")" = 1 ]
	check "KHO's tree names the root" [ "$(cat /sys/kernel/debug/kho/out/fdt >/tmp/fdt &&
		khopool dump /tmp/fdt | grep -c kho_pool)" = 1 ]
	report "\"dump\": $(khopool dump --json)"
	[ $stage = 2 ] || go held="$(stat extents)"
	;;

read_only_format.0)
	fill
	khopool create guest 4M --expose >/dev/null || die "create"
	echo "words to keep" >/tmp/words
	khopool put notes /tmp/words >/dev/null || die "put"
	held=$(stat extents)
	save
	damage root "" ro-compat=3 check
	go held=$held vm=$vm
	;;
read_only_format.1)
	check "the state says so" is "$(stat state)" "read-only: unknown features 0x2"
	check "all is there" is "$(stat extents)" "$(arg held)"
	untouched
	insmod /lib/test_kho_pool.ko
	cmd owner
	check "nothing can be allocated" fails "Read-only" take 4K
	check "nothing is changed" is "$(stat extents)" "$(arg held)"
	check "what was exposed is again" exposed guest
	for call in "create more 2M" "rm notes" "hide guest"; do
		# shellcheck disable=SC2086
		check "refused: $call" [ "$(khopool $call 2>&1 | grep -c 'can only be read')" = 1 ]
	done
	check "what was kept can be had" is "$(khopool get notes -)" "words to keep"
	check "for which it was exposed meanwhile" not exposed notes
	khopool expose notes >/dev/null || die "expose"
	check "it can be exposed" exposed notes
	go
	;;
read_only_format.2)
	check "it is handed on" is "$(stat state)" "read-only: unknown features 0x2"
	untouched
	check "with what it said in the beginning" exposed guest
	check "and no more" not exposed notes
	;;

# What a later kernel has added and earlier ones may ignore
compatible_format.0)
	fill
	save
	damage root "" compat=0x100 check
	go held=$held vm=$vm
	;;
compatible_format.1)
	check "it came with the feature" [ "$(khopool dump --in --json |
		grep -c '"compat": "0x100"')" = 1 ]
	check "the state says nothing of it" is "$(stat state)" active
	verify
	cmd alloc 2M more
	check "it goes on without it" [ "$(khopool dump --json | grep -c '"compat": "0x0"')" = 1 ]
	go held="$(stat extents)"
	;;
compatible_format.2)
	check "it came without it" [ "$(khopool dump --in --json |
		grep -c '"compat": "0x0"')" = 1 ]
	verify
	untouched
	;;

index_damaged.*|index_header_damaged.*)
	case $scenario in
	# the first area's word; the header's base
	index_damaged)	offset=2305; why="index is not what was sealed"; line=$why ;;
	*)		offset=9; why="index header is damaged"; line="header: base is" ;;
	esac
	case $stage in
	0)	fill
		save
		damage index0 "$line" $offset^0x40
		go held=$held vm=$vm
		;;
	1|2)	check "the state says so" is "$(stat state)" "quarantined: $why"
		check "the log says so" logged "quarantined: $why"
		check "nothing is free" is "$(stat free_bytes)" 0
		untouched
		insmod /lib/test_kho_pool.ko
		check "nothing can be allocated" fails "needs cleaning" owner
		[ $stage = 2 ] || go
		;;
	esac
	;;

one_region_damaged.0)
	check "two regions" is "$(stat regions)" 2
	fill
	# The second region's: the extents are in the first.
	save
	damage index1 "index is not what was sealed" 2305^0x40
	go held=$held vm=$vm
	;;
one_region_damaged.1)
	check "the state says so" is "$(stat state)" \
		"degraded: 1 of 2 regions quarantined: index is not what was sealed"
	verify
	cmd alloc 1M more
	;;

unsealed.0)
	fill
	echo 1 >$DEBUG/stuck
	go held=$held vm=$vm
	;;
unsealed.1)
	check "the log says so" logged "not sealed; their indexes were verified in full"
	verify
	go
	;;
unsealed.2)
	check "it was sealed this time" [ "$(stat seal_ns)" -gt 0 ]
	verify
	;;

image_overlaps.0)
	fill
	region=$(awk '$2 == "base" { print $3, $5; exit }' $DEBUG/regions)
	region=$(range $region)
	index=$(awk '$2 == "base" { print $7, $9; exit }' $DEBUG/regions)
	dmesg -c >/dev/null
	# Each by an image of one segment of 4 KiB.
	check "at load, in the pool" /tests/kho_pool_mem overlap "$vm"
	check "the log names both" refusal "segment 0" "$(range $vm 4096)" "$region"
	check "at load, on the index" /tests/kho_pool_mem overlap "$(index_at)"
	check "the log names both" refusal "segment 0" "$(range "$(index_at)" 4096)" \
		"$(range ${index% *} "$(whole_pages ${index#* })")"
	check "at load, on the root" /tests/kho_pool_mem overlap "$(root_at)"
	check "the log names both" refusal "segment 0" "$(range "$(root_at)" 4096)" \
		"$(range "$(root_at)" "$(whole_pages 8192)")"
	# arm64 has no way to ask it.
	[ "$(uname -m)" = aarch64 ] ||
		check "memory hotplug stays away" [ "$(probe "$vm")" = refused ]
	# A segment, or what the kernel itself has set up for the kexec, seems to be in
	# the pool: when the image is loaded, and when it is to be started.
	for LOADER in kexec_load kexec_file_load; do
		for place in target control; do
			case $place in
			target)	found="segment 0" ;;
			*)	found="control page 0" ;;
			esac
			dmesg -c >/dev/null
			echo "$vm" >$DEBUG/$place
			load_next 2>/dev/null && die "it was loaded"
			check "$LOADER, $place: the image is refused" refusal "$found" \
				"\\[$vm-0x[0-9a-f]*\\]" "$region"
			echo 0 >$DEBUG/$place
			load_next || die "load"
			echo "$vm" >$DEBUG/$place
			kexec -e 2>/dev/null && die "it was started"
			check "$LOADER, $place: the kexec is refused" refusal "$found" \
				"\\[$vm-0x[0-9a-f]*\\]" "$region"
			echo 0 >$DEBUG/$place
			check "the pool works on" is "$(stat state)" active
		done
	done
	# And with an image whose size is known.
	/tests/kho_pool_load --at "$(sed -n '1s/-.*//p' $KHO/scratch)" 0x4000 \
		"$(cat $KHO/cmdline)" ||
		die "load"
	echo "$vm" >$DEBUG/target
	dmesg -c >/dev/null
	kexec -e 2>/dev/null && die "it was started"
	check "the log names both" refusal "segment 0" "$(range $vm 0x4000)" "$region"
	echo 0 >$DEBUG/target
	cmd alloc 2M after
	cmd verify
	LOADER=kexec_file_load go held=$(stat extents) vm=$vm
	;;
image_overlaps.1)
	verify
	# Too late to call it off: the machine stops.  It says why, but the console
	# would have a trace, which is a failure to the host.
	load_next stage=2 || die "load"
	echo "$(arg vm)" >$DEBUG/target
	echo 1 >$DEBUG/late
	save_coverage
	echo "@end 0"
	echo 0 >/proc/sys/kernel/printk
	kexec -e
	die "kexec came back"
	;;
image_overlaps.2)
	die "it was started"
	;;

loaders.0)
	fill
	LOADER=kexec_load go held=$held vm=$vm "at=$(kernel_at)"
	;;
loaders.[12])
	verify
	check "the argument is used up" logged "found kexec handover data"
	LOADER=kexec_load go held=$(arg held) vm=$(arg vm) "at=$(arg at),$(kernel_at)"
	;;
loaders.3)
	verify
	# The argument of the last kexec_load() stays on the command line.
	go held=$(arg held) vm=$(arg vm) "at=$(arg at),$(kernel_at)"
	;;
loaders.4)
	verify
	check "what is left of the argument is ignored" logged "nothing was handed over there"
	LOADER=kexec_load go held=$(arg held) vm=$(arg vm) "at=$(arg at),$(kernel_at)"
	;;
loaders.5)
	verify
	echo "@say kernels were at $(arg at),$(kernel_at)"
	[ "$(uname -m)" = aarch64 ] ||
		check "KASLR moves them" [ "$(echo "$(arg at),$(kernel_at)" | tr , '\n' | sort -u |
			wc -l)" -gt 1 ]
	untouched
	;;

load_refused.0)
	# Without extents there is nothing to lose, and none is made on the way.
	echo 1 >$DEBUG/late_alloc
	LOADER=kexec_load CMDLINE='' go
	;;
load_refused.1)
	check "it starts anew" is "$(stat generation)" 0
	LOADER=kexec_load CMDLINE='' load_next || die "load"
	fill
	kexec -e 2>/dev/null && die "it was started"
	check "the kexec is refused" logged "is not on the image's command line"
	check "the pool works on" is "$(stat state)" active
	LOADER=kexec_load CMDLINE= load_next 2>/dev/null && die "it was loaded"
	LOADER=kexec_load CMDLINE=kho_handover=0x1000 load_next 2>/dev/null && die "it was loaded"
	LOADER=kexec_load CMDLINE=x$(cat $KHO/cmdline) load_next 2>/dev/null && die "it was loaded"
	LOADER=kexec_load CMDLINE="$(cat $KHO/cmdline) kho_handover=0x1000" load_next 2>/dev/null &&
		die "it was loaded"
	# As in a file of an initrd that is not compressed.
	at=$(sed -n '1s/-.*//p' $KHO/scratch)
	/tests/kho_pool_load --at "$at" 0x4000 "console=x $(cat $KHO/cmdline)
" && die "it was loaded"
	check "each is refused" [ "$(dmesg | grep -c "is not on the image's command line")" = 6 ]
	check "nobody is warned" [ -z "$(dmesg | grep "seems not to know")" ]
	/tests/kho_pool_load --at "$at" 0x4000 "console=x $(cat $KHO/cmdline)" || die "load"
	check "there is no kernel in it" logged "seems not to know kho_handover="
	# On x86 kexec-tools begins at the top of memory, where the index is.  On
	# arm64 it believes /proc/iomem.
	LOADER=kexec_load ARGS= load_next 2>/dev/null && die "it was loaded"
	if [ "$(uname -m)" = aarch64 ]; then
		check "the log says why" logged "is in no scratch area"
		check "kexec-tools keeps off the pool" [ -z "$(dmesg | grep overlaps)" ]
	else
		check "the log names both" logged "overlaps pool memory"
	fi
	# One end in a scratch area, the other beside it.
	end=$(sed -n '1s/.*-//p' $KHO/scratch)
	/tests/kho_pool_load --at $((end - 0x1fff)) 0x4000 "$(cat $KHO/cmdline)" &&
		die "it was loaded"
	check "the log names both" logged "kexec segment 0 [$(printf '%#x-%#x' $((end - 0x1fff)) \
		$((end + 0x2000)))] is in no scratch area, as [$(largest_scratch)]: image refused"
	dmesg -c >/dev/null
	LOADER=kexec_load load_next stage=2 held=$held vm=$vm || die "load"
	check "its kernel knows the argument" [ -z "$(dmesg | grep "seems not to know")" ]
	save_coverage
	kexec -e
	die "kexec did not start the next kernel"
	;;
load_refused.2)
	verify
	go kho=off
	;;
load_refused.3)
	check "with KHO off it is not supported" /tests/kho_pool_load --unsupported
	check "the log says so" logged "there is nothing to hand over with this kernel"
	;;

# A loader of our own says where the kernel is to put the handover page; the one
# after that puts a tree there that it has made up.
own_loader.0)
	fill
	check "bad segments are refused" /tests/kho_pool_load --bad
	check "one is too small" \
		logged "the segment for the handover page has 4096 bytes, less than"
	check "one has no tree" logged "the segment for the handover page has 1 bytes of data"
	check "one is not named" logged "of the image's command line is not"
	# Behind the area, where the pool may be
	check "one is elsewhere" [ "$(dmesg |
		grep -cE "segment 1 .*(is in no scratch area|overlaps pool memory)")" = 1 ]
	cat /sys/kernel/debug/kho/out/fdt >/tmp/tree
	place_own "--tree /tmp/tree" 2>/dev/null && die "it was loaded"
	check "another tree takes kho_pool_inject" logged \
		"kexec refused, it would lose $held extents: the image has a tree of its own"
	own_loader --handover held=$held vm=$vm kho_pool_inject \
		tree="$(khopool dump /tmp/tree | cksum | tr ' ' -)"
	;;
own_loader.1)
	verify
	check "the page was elsewhere" [ "$(arg kho_handover)" != "$(arg kernels)" ]
	cat /sys/kernel/debug/kho/in/fdt >/tmp/tree
	khopool dump /tmp/tree >/tmp/received
	check "the tree that was received names the root" grep -q kho_pool /tmp/received
	check "it is the one that went out" is "$(cksum </tmp/received | tr ' ' -)" "$(arg tree)"
	# kho_pool is no name that anybody looks for any more.
	xxd -p /sys/kernel/debug/kho/out/fdt | tr -d '\n' |
		sed 's/6b686f5f706f6f6c/6b686f5f666f6f6c/' | xxd -r -p >/tmp/tree
	check "there is a tree to change" [ "$(cmp -l /tmp/tree /sys/kernel/debug/kho/out/fdt |
		wc -l)" -ge 1 ]
	own_loader "--tree /tmp/tree" held=$(arg held) vm=$(arg vm) $(cat $KHO/cmdline)
	;;
own_loader.2)
	check "KHO took the tree" logged "found kexec handover data"
	check "it is said" logged "the kernel before has left no root: no pool is made"
	check "no pool is made" [ ! -e $POOL ]
	stress-ng --quiet --timeout 5 --vm 2 --vm-bytes 90% --vm-populate || die "stress-ng"
	untouched
	own_loader "--tree /dev/null" kho_pool_inject
	;;
own_loader.3)
	check "a page with no tree is told" logged "KHO: disabling KHO revival"
	check "the machine starts anew" is "$(stat generation)" 0
	fill
	cmd verify
	own_loader --made-up vm=$vm
	;;
own_loader.4)
	check "KHO took the tree" logged "found kexec handover data"
	cat /sys/kernel/debug/kho/in/fdt >/tmp/tree
	check "its subtree is empty" [ "$(khopool dump /tmp/tree | grep -c kho_pool)" = 1 ]
	check "handover says so" is "$(cat $HANDOVER)" "quarantined: root is not to be found"
	check "no pool is made" [ ! -e $POOL ]
	load_next 2>/dev/null && die "it was loaded"
	check "what may be there is not lost" logged \
		"kexec refused, it would lose 1 extents: root is not to be found"
	;;

failed_kexec.0)
	fill
	echo 1 >$DEBUG/sealed
	check "sealed" is "$(stat state)" sealed
	check "nothing can be allocated" fails "transport endpoint shutdown" alloc 4K
	echo 0 >$DEBUG/sealed
	check "unsealed" is "$(stat state)" active
	cmd alloc 4K after
	go held=$(stat extents) vm=$vm
	;;
failed_kexec.1)
	verify
	go memtest=1
	;;
# Memory is not to be tested that is not the kernel's yet.
failed_kexec.2)
	check "memtest= does nothing" logged "memtest: not done, memory was handed over"
	verify
	untouched
	;;

# A kernel that KHO has started crashes, and the one that dumps it, which has the same
# kho_pool= on its command line, takes nothing over.
kdump.0)
	fill
	go held=$held vm=$vm
	;;
kdump.1)
	verify
	check "there is memory for it" [ "$(cat /sys/kernel/kexec_crash_size)" -gt 0 ]
	# On arm64 kexec-tools give it the device tree of this kernel, which names KHO's.
	[ "$(uname -m)" != aarch64 ] || LOADER=kexec_load
	LOAD=-p ARGS='' CMDLINE='' load_next stage=2 -crashkernel nr_cpus=1 || die "kexec -p"
	save_coverage
	echo c >/proc/sysrq-trigger
	die "it did not crash"
	;;
kdump.2)
	check "it is a kdump kernel" [ -s /proc/vmcore ]
	check "KHO takes nothing over" not logged "found kexec handover data"
	check "no pool is made" [ ! -e $POOL ]
	memory=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
	check "this kernel has only what was kept for it" [ "$memory" -lt $((256 << 10)) ]
	vm=$(arg vm)
	# ELF program headers: type and flags, then offset, virtual, physical, size
	headers=$(dd if=/proc/vmcore bs=8 skip=7 count=1 2>/dev/null | od -A n -t u2 |
		awk '{ print $1 }')
	dd if=/proc/vmcore bs=8 skip=8 count=$((headers * 7)) 2>/dev/null |
		od -A n -v -w56 -t x8 >/tmp/headers
	loads=0
	while read -r type _ _ at _ size _; do
		[ $((0x$type & 0xffffffff)) = 1 ] || continue
		loads=$((loads + 1))
		[ $((0x$at)) -ge $((vm + 0x10000000)) ] || [ $((0x$at + 0x$size)) -le $((vm)) ] ||
			die "the dump has memory at 0x$at, and $vm is in it"
	done </tmp/headers
	check "the dump has memory" [ $loads -gt 1 ]
	echo "@say the dump has $loads pieces of memory, and no guest's"
	check "which is as it was" /tests/kho_pool_mem "$vm" 0x10000000 0
	;;

without_kho_pool.0)
	fill
	NEXT=/dev/vdc go held=$held vm=$vm
	;;
without_kho_pool.1)
	check "this kernel has no kho_pool" [ ! -e /sys/kernel/mm/kho_pool ]
	# All the memory that it takes for its own.
	stress-ng --quiet --timeout 5 --vm 2 --vm-bytes 90% --vm-populate || die "stress-ng"
	untouched
	# It does not hand the memory on: what was there is gone, and it is said.
	go
	;;
without_kho_pool.2)
	check "it is said" logged "the kernel before has left no root: no pool is made"
	check "no pool is made" [ ! -e $POOL ]
	stress-ng --quiet --timeout 5 --vm 2 --vm-bytes 90% --vm-populate || die "stress-ng"
	/tests/kho_pool_mem "$(arg vm)" 0x10000000 0 >/tmp/mem && die "nobody took the memory"
	check "the memory is System RAM again" [ "$(cut -d " " -f 1 /tmp/mem)" -gt 0 ]
	;;

# Two versions of the kernel by turns, and two loaders
versions.0)
	fill
	other_version held=$held vm=$vm kernels="$(uname -r)"
	;;
versions.[1-3])
	check "it is another version" [ "$(uname -r)" != "$(arg kernels | sed 's/.*,//')" ]
	verify
	cmd free middle
	cmd alloc 6M middle
	# Each way by each loader.
	[ "$stage" -lt 2 ] || LOADER=kexec_load
	other_version held=$(stat extents) vm=$(arg vm) kernels="$(arg kernels),$(uname -r)"
	;;
versions.4)
	verify
	untouched
	echo "@say kernels: $(arg kernels),$(uname -r)"
	;;

numa.0)
	check "a region on each node" is "$(on_node 0 regions) $(on_node 1 regions)" "1 1"
	check "of the size asked for" is "$(on_node 0 size_bytes) $(on_node 1 size_bytes)" \
		"536870912 536870912"
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	for n in 0 1; do
		cmd node $n
		cmd alloc 64M on-$n
		cmd alloc 4K small-on-$n
		check "$n as asked" is "$(node_of on-$n) $(node_of small-on-$n)" "$n $n"
	done
	check "the nodes add up" adds_up
	fill_node 1
	full_node 1 0
	go held=$(stat extents) nodes=$(node_stats)
	;;
numa.1)
	check "each node has what it had" is "$(node_stats)" "$(arg nodes)"
	check "the nodes are the same" is \
		"$(node_of on-0)$(node_of small-on-0)$(node_of on-1)$(node_of small-on-1)" 0011
	verify
	check "the nodes add up" adds_up
	full_node 1 0
	cmd free small-on-1
	cmd node 1
	cmd alloc 4K again-on-1
	check "what was freed is there again" is "$(node_of again-on-1)" 1
	go held=$(stat extents) nodes=$(node_stats)
	;;
numa.2)
	check "each node has what it had" is "$(node_stats)" "$(arg nodes)"
	verify
	;;

numa_whole_node.0)
	check "the log says that not all is to be had" logged "kho_pool=2G@1: "
	size=$(on_node 1 size_bytes)
	check "the pool has more than 1600 MiB of 2 GiB" [ "$size" -gt 1677721600 ]
	left=$(node_memory 1)
	check "the kernel has something of the node" [ "$left" -gt 65536 ]
	check "but no more than it needs" [ "$left" -lt 393216 ]
	check "the pool is handed on" is "$(cat $HANDOVER)" active
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	fill_node 1
	full_node 1 0
	check "the nodes add up" adds_up
	go held=$(stat extents) nodes=$(node_stats)
	;;
numa_whole_node.[12])
	check "each node has what it had" is "$(node_stats)" "$(arg nodes)"
	check "the kernel has something of the node" [ "$(node_memory 1)" -gt 65536 ]
	check "the pool is handed on" is "$(cat $HANDOVER)" active
	stress-ng --quiet --timeout 3 --vm 2 --vm-bytes 80% --vm-populate || die "stress-ng"
	verify
	full_node 1 0
	[ "$stage" = 2 ] || go held=$(stat extents) nodes=$(node_stats)
	;;

# Node 0 is nearer to node 2 than to node 1.
numa_distance.0)
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	fill_node 0
	full_node 0 2
	cmd prefer 0
	cmd alloc 200M most-of-2
	check "the nearest has room" is "$(node_of most-of-2)" 2
	cmd alloc 200M most-of-1
	check "the next has" is "$(node_of most-of-1)" 1
	check "no node has" fails "allocate memory" alloc 200M
	check "the nodes add up" adds_up
	;;

# A kernel that counts the nodes otherwise
numa_changes.0)
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	fill_node 1
	go numa=off held=$(stat extents) nodes=$(node_stats)
	;;
numa_changes.1)
	check "there is one node" is "$(ls -d $POOL/node*)" $POOL/node0
	check "it has it all" is "$(on_node 0 size_bytes) $(on_node 0 regions)" \
		"$(stat size_bytes) 2"
	verify
	cmd node 1
	check "no other has any" fails "No space" alloc 4K
	go -numa
	;;
numa_changes.2)
	check "each node has what it had" is "$(node_stats)" "$(arg nodes)"
	verify
	full_node 1 0
	;;

# Blocks follow the page size, and so do huge pages: with pages of 4, 16 and 64
# KiB one of them is 1, 4 and 16 blocks.
pages.0)
	fill
	block=$((512 * page)) huge=$((page / 8 * page))
	cmd alloc $((3 * block)) blocks $block
	cmd alloc $huge huge $huge
	at=$(awk '$5 == "huge" { print $1 }' $DEBUG/extents)
	check "it can be mapped as one" is $((at % huge)) 0
	check "bytes are no pages" fails "Invalid argument" alloc $((page + page / 2))
	go held=$(stat extents) vm=$vm
	;;
pages.1)
	verify
	cmd free blocks
	cmd alloc $((2 * page)) two
	go held=$(stat extents) vm=$(arg vm)
	;;
pages.2)
	verify
	untouched
	;;

release.0)
	fill
	go held=$held vm=$vm
	;;
release.1)
	check "unclaimed" is "$(stat unclaimed)" "$(arg held)"
	check "initcalls can allocate" logged "allocation by the first initcall: 0"
	go
	;;
release.2)
	check "still there, and unclaimed" is "$(stat unclaimed)" "$(arg held)"
	echo vm >$POOL/release || die "release"
	check "one is gone" is "$(stat extents)" $(($(arg held) - 1))
	echo owner:test >$POOL/release || die "release"
	check "all are gone" is "$(stat extents)" 0
	check "all is free" is "$(stat free_bytes)" "$(stat size_bytes)"
	go
	;;
release.3)
	check "gone for good" is "$(stat extents)" 0
	;;

sample.0)
	insmod /lib/kho_pool_sample.ko keep=1 || die "insmod"
	check "begins anew" logged "begins with an empty book"
	rmmod kho_pool_sample
	go
	;;
sample.1)
	check "unclaimed" is "$(stat unclaimed)" 5
	insmod /lib/kho_pool_sample.ko keep=1 || die "insmod"
	check "found what it had" logged "after 1 loads"
	check "claimed" is "$(stat unclaimed)" 0
	# As of a kernel that has stopped before it could note a buffer, or its book
	rmmod kho_pool_sample
	book=$(awk '$5 == "sample-book" { print $1 }' $DEBUG/extents)
	devmem "$(printf '%#x' $((book + 24)))" 64 0
	insmod /lib/kho_pool_sample.ko keep=1 || die "insmod"
	check "what is not in the book is given back" is "$(stat extents)" 5
	rmmod kho_pool_sample
	devmem "$book" 32 0
	insmod /lib/kho_pool_sample.ko keep=1 || die "insmod"
	check "begins its book again" logged "begins with an empty book"
	check "with what it had" is "$(stat extents)" 5
	go
	;;
sample.2)
	insmod /lib/kho_pool_sample.ko || die "insmod"
	check "found what it had" logged "after 4 loads"
	rmmod kho_pool_sample
	check "gave all back" is "$(stat free_bytes)" "$(stat size_bytes)"
	;;

log.*)
	log=/sys/kernel/debug/kho_pool_log
	load_log() { insmod /lib/kho_pool_log.ko part_size=8192; }
	load_log || die "insmod"
	if [ $stage != 0 ]; then
		check "it ends where it ended" is "$(cat $log/head)" "$(arg head | tr , ' ')"
		check "nothing of it is unclaimed" is "$(stat unclaimed)" 0
		expected_log $stage >/tmp/expected
		check "every record and every hash is there" cmp $log/records /tmp/expected
	fi
	for i in $(seq "$(echo $counts | cut -d ' ' -f $((stage + 1)))"); do
		record $stage "$i" >/tmp/record
		cat /tmp/record >$log/append || die "append"
	done
	expected_log $((stage + 1)) >/tmp/expected
	check "what was appended is there" cmp $log/records /tmp/expected
	[ $stage = 4 ] || go "head=$(tr ' ' , <$log/head)"

	read -r records parts hash <$log/head
	check "records and last hash are those" is "$records $hash" \
		"$(awk 'END { print NR, $2 }' /tmp/expected)"
	check "it has outgrown its first extents" [ "$parts" -ge 4 ]
	check "each part is an extent" is "$(grep -c ' log-[0-9]*$' $DEBUG/extents)" "$parts"
	head -c 3073 /dev/zero >/tmp/record
	check "a record may be too large" [ "$(cat /tmp/record 2>&1 >$log/append |
		grep -c "File too large")" = 1 ]
	# One bit of one record, and back.
	rmmod kho_pool_log
	at=$(awk '$5 == "log-1" { print $1 }' $DEBUG/extents)
	at=$(printf '%#x' $((at + 1000)))
	was=$(devmem "$at" 8)
	devmem "$at" 8 $((was ^ 4))
	load_log 2>/dev/null && die "a damaged log was loaded"
	check "it says which record" logged "is not what was written"
	devmem "$at" 8 $((was))
	load_log || die "insmod"
	check "nothing else was touched" cmp $log/records /tmp/expected
	# Half of a record, as of a kernel that has stopped in the middle.
	rmmod kho_pool_log
	at=$(awk -v name="log-$((parts - 1))" '$5 == name { print $1 }' $DEBUG/extents)
	used=$(devmem "$(printf '%#x' $((at + 48)))" 64)
	devmem "$(printf '%#x' $((at + 56 + used)))" 32 100
	load_log || die "insmod"
	check "what was not finished is not there" cmp $log/records /tmp/expected
	echo more >$log/append
	check "and is written over" is "$(tail -n 1 $log/records | cut -d ' ' -f 3)" 6d6f72650a
	;;

# Those have a file each.
trace.*|trace_tools.*|klog.*|memory_error.*)
	. /guest/$scenario.sh
	;;
luo.*|luo_cost.*)
	. /guest/luo.sh
	;;
ahead_*)
	. /guest/ahead.sh
	;;

*)
	die "there is no stage $stage of $scenario"
	;;
esac
