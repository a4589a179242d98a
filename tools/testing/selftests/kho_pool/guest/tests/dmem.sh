# SPDX-License-Identifier: GPL-2.0-only
# Limits of groups on pools, by the dmem cgroup controller, over kexecs by both loaders

GROUPS_AT=/tmp/cgroup
REGION=kho_pool/default
M=$((1024 * 1024))

# groups PATH...: with the controller in all of them
groups() {
	mkdir -p $GROUPS_AT
	[ -e $GROUPS_AT/cgroup.controllers ] || mount -t cgroup2 none $GROUPS_AT ||
		die "there are no cgroups"
	echo +dmem >$GROUPS_AT/cgroup.subtree_control || die "there is no dmem controller"
	for path; do
		mkdir $GROUPS_AT/"$path" || die "mkdir $path"
	done
	echo +dmem >$GROUPS_AT/host/cgroup.subtree_control || die "subtree_control"
}

# in_group PATH COMMAND...: a command of that group
in_group() {
	path=$1
	shift
	sh -c "echo \$\$ >$GROUPS_AT/$path/cgroup.procs; exec $*"
}

limit() { echo "$REGION $2" >$GROUPS_AT/"$1"/dmem.max || die "dmem.max"; }

# charged PATH: how many bytes the group is charged for, with those below it
charged() { sed -n "s,^$REGION ,,p" $GROUPS_AT/"$1"/dmem.current; }

# has PATH MIB: is it that?
has() { is "$(charged "$1")" $(($2 * M)); }

# refused PATH ARGUMENTS...: the group may have no more, and nothing is left of the try
refused() {
	before=$(stat extents)
	! in_group "$1" "khopool create $2 $3" 2>/tmp/said || die "$2 was made"
	grep -q "beyond the cgroup's limit" /tmp/said || { cat /tmp/said; return 1; }
	is "$(stat extents)" "$before"
}

create() {
	in_group "$1" "khopool create $2 $3 ${4:-} >/dev/null" || die "$2 was not made"
}

#: dmem long mem=4G -- kho_pool=1G
dmem_0() {
	groups host host/a host/b other
	check "the pool is a region" grep -qx "$REGION $(stat size_bytes)" $GROUPS_AT/dmem.capacity
	limit host 64M
	create host/a a1 32M
	create host/b b1 24M
	check "they are charged" eval "has host/a 32 && has host/b 24 && has host 56"
	check "a group may have no more than its ancestor" refused host/b b2 16M
	check "nobody is charged for what is refused" eval "has host/b 24 && has host 56"
	! in_group host/b "khopool create b1 24M" 2>/tmp/said || die "b1 was made twice"
	check "of a name that is taken that is said" grep -q "exists already" /tmp/said
	create host/b b2 8M
	check "what a group may have, it gets" has host 64
	khopool rm b2 || die "rm"
	check "what is freed is charged no more" eval "has host/b 24 && has host 56"
	create other o1 128M --expose=2M
	check "others are not limited" has other 128
	for size in 1000M 2G 8388607T; do
		! in_group other "khopool create large $size" 2>/tmp/said || die "$size"
		grep -q "has no room for" /tmp/said || { cat /tmp/said; die "$size"; }
		check "what cannot be met costs nothing: $size" has other 128
	done
	limit host 16M
	check "a lower limit takes nothing away" eval 'has host 56 && is "$(stat extents)" 3'
	check "but there is no more" refused host/a a2 2M
	khopool create root 32M >/dev/null || die "the root is not limited"
	# More than has room in one page of the list that the next kernel gets
	mkdir $GROUPS_AT/many
	for i in $(seq 130); do
		create many m$i 4K
	done
	rmdir $GROUPS_AT/many || die "rmdir"
	go
}

dmem_1() {
	check "all of it came over" is "$(stat extents)" 134
	groups host host/b
	limit host 64M
	# host/a is not there: host has its charge.
	check "a group may have no more after a kexec than before" refused host/b b2 16M
	check "a group that is not there is charged to its ancestor" eval \
		"has host 56 && has host/b 24"
	mkdir $GROUPS_AT/host/a $GROUPS_AT/many
	limit many 500K
	check "many extents are charged too" refused many m131 4K
	check "and as soon as it is there, to itself" eval "has host/a 32 && has host 56"
	check "all of them" is "$(charged many)" $((130 * 4096))
	limit many max
	for i in $(seq 2 129); do
		khopool rm m$i || die "rm m$i"
	done
	check "what is freed is charged no more" is "$(charged many)" 8192
	khopool rm a1 || die "rm"
	check "so is what came over" eval "has host/a 0 && has host 24"
	create host/a a2 16M
	check "the device is back" exposed o1
	LOADER=kexec_load go
}

dmem_2() {
	check "all of it came over" is "$(stat extents)" 6
	groups host host/a host/b other many
	limit host 40M
	check "once more" refused host/a a3 2M
	check "to each its own" eval "has host/a 16 && has host/b 24 && has other 128"
	check "those that are left of many" is "$(charged many)" 8192
	khopool hide o1 || die "hide"
	khopool rm o1 || die "rm"
	check "a device's extent can be given back" has other 0
	check "every invariant holds" is "$(cat $DEBUG/validate)" ok
}

#: dmem_one_region_damaged -- kho_pool=512M,512M kho_pool_inject
dmem_one_region_damaged_0() {
	groups host host/a other
	create host/a a1 384M
	create other o1 384M
	limit host 400M
	check "the limit holds" refused host/a a2 32M
	save
	damage index1 "index is not what was sealed" 2305^0x40
	go
}

dmem_one_region_damaged_1() {
	check "the state says so" is "$(stat state)" \
		"degraded: 1 of 2 regions quarantined: index is not what was sealed"
	groups host host/a other
	create other o2 32M
	check "one of two is there" is "$(stat extents)" 2
	check "what is there is charged, and no more" is \
		$(($(charged host) + $(charged other))) $((384 * M + 32 * M))
}

# Nobody has claimed what had a device, so it can be given up without the control device.
#: dmem_modules arch=x86_64 strict -- kho_pool=1G
dmem_modules_0() {
	load_dax
	groups host host/a
	create host/a a1 32M --expose=2M
	create host/a a2 16M --expose=2M
	create host/a a3 8M --expose=2M
	go
}

dmem_modules_1() {
	groups host host/a
	create host/a a4 2M
	check "all that came over is charged" has host/a 58
	echo a1 >$POOL/release || die "release"
	check "what is given up by its name is charged no more" has host/a 26
	echo owner:dax21 >$POOL/release || die "release owner"
	check "nor what is by its owner's" has host/a 2
}
