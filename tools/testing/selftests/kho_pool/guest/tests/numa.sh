# SPDX-License-Identifier: GPL-2.0-only
# Pools on several nodes

# node_of NAME: node of the region that the extent is in
node_of() {
	at=$(awk -v name="$1" '$5 == name { print $1 }' $DEBUG/extents)
	while read -r _ key base _ size _ _ _ _ _ node; do
		[ "$key" = base ] && [ $((at)) -ge $((base)) ] &&
			[ $((at)) -lt $((base + size)) ] && echo "$node"
	done <$DEBUG/regions
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

# adds_up: the counts of all nodes add up to those of the pool
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

#: numa nodes=2G,2G -- kho_pool=512M@0,512M@1
numa_0() {
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
}

numa_1() {
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
}

numa_2() {
	check "each node has what it had" is "$(node_stats)" "$(arg nodes)"
	verify
}

#: numa_whole_node long tools nodes=2G,2G -- kho_pool=256M@0,2G@1
numa_whole_node_0() {
	check "the log says that not all is to be had" logged "kho_pool=2G@1: "
	# The kernel for arm64 is one for many CPUs, which need more.
	case $(uname -m) in
	x86_64)		least=1600 most=384 ;;
	aarch64)	least=1400 most=640 ;;
	esac
	check "the pool has more than $least MiB of 2 GiB" \
		[ "$(on_node 1 size_bytes)" -gt $((least << 20)) ]
	left=$(node_memory 1)
	check "the kernel has something of the node" [ "$left" -gt 65536 ]
	check "but no more than it needs" [ "$left" -lt $((most << 10)) ]
	check "the pool is handed on" is "$(cat $HANDOVER)" active
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	fill_node 1
	full_node 1 0
	check "the nodes add up" adds_up
	go held=$(stat extents) nodes=$(node_stats)
}

numa_whole_node_1() {
	check "each node has what it had" is "$(node_stats)" "$(arg nodes)"
	check "the kernel has something of the node" [ "$(node_memory 1)" -gt 65536 ]
	check "the pool is handed on" is "$(cat $HANDOVER)" active
	fill_memory 80
	verify
	full_node 1 0
	[ "$stage" = 2 ] || go held=$(stat extents) nodes=$(node_stats)
}

numa_whole_node_2() {
	numa_whole_node_1
}

# Node 0 is nearer to node 2 than to node 1.
#: numa_distance long nodes=1536M,1536M,1536M dist=0-1:40,0-2:20,1-2:30 --
#:	kho_pool=256M@0,256M@1,256M@2
numa_distance_0() {
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
}

# A kernel that counts the nodes otherwise
#: numa_changes nodes=2G,2G -- kho_pool=512M@0,512M@1
numa_changes_0() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	fill_node 1
	go numa=off held=$(stat extents) nodes=$(node_stats)
}

numa_changes_1() {
	check "there is one node" is "$(ls -d $POOL/node*)" $POOL/node0
	check "it has it all" is "$(on_node 0 size_bytes) $(on_node 0 regions)" \
		"$(stat size_bytes) 2"
	verify
	cmd node 1
	check "no other has any" fails "No space" alloc 4K
	go -numa
}

numa_changes_2() {
	check "each node has what it had" is "$(node_stats)" "$(arg nodes)"
	verify
	full_node 1 0
}
