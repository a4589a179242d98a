# SPDX-License-Identifier: GPL-2.0-only
# Machines of all kinds: whatever the firmware, the nodes and the command line are like,
# two kexecs by each loader bring every byte over, and the devices come back.

# keep: besides what fill makes, two devices: a file in one, and a large one that is mapped
# in huge pages
keep() {
	fill
	seq 100000 >/tmp/file
	khopool put kept /tmp/file >/dev/null || die "put"
	khopool create mapped $((1024 * page * 8)) --align $((512 * page)) --expose >/dev/null ||
		die "create"
	held=$(stat extents)
}

# kept: all of it is there again, byte by byte
kept() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	cmd generation "$(stat generation)"
	verify_all
	check "every invariant holds" is "$(cat $DEBUG/validate)" ok
	seq 100000 >/tmp/file
	khopool get kept /tmp/got >/dev/null || die "get"
	check "the file is the same" cmp /tmp/file /tmp/got
	check "the device is back" exposed mapped
	check "no pool memory is System RAM" [ -z "$(ram_in "$(arg vm)" 0x10000000)" ]
}

# over CHANGES...: it is all there; on to the next kernel, by each loader in turn
over() {
	kept
	case $stage in
	1|2)	LOADER=kexec_load ;;
	*)	LOADER=kexec_file_load ;;
	esac
	[ "$stage" = 4 ] || go held="$(arg held)" vm="$(arg vm)" "$@"
}

#: uefi stages=machine arch=x86_64 uefi mem=4G -- kho_pool=1G
# The kernel prefers a device tree to ACPI if it has both.
#: uefi_arm64 stages=machine arch=arm64 uefi mem=4G -- kho_pool=1G acpi=force
# A node that only has a CPU, and one that ends inside of a section
#: odd_nodes stages=machine long nodes=2G,0M,1121M -- kho_pool=1G@0,512M@2
#: small_node stages=machine long arch=x86_64 nodes=2G,97M,1G -- kho_pool=1G
# Large scratch areas fit only where KASLR does not put the kernel between them.
#: hugetlb_cma stages=machine arch=x86_64 mem=16G -- kho_pool=8G hugetlb_cma=2G nokaslr
#: hugetlb_cma_nodes stages=machine long arch=x86_64 nodes=4G,4G --
#:	kho_pool=6G hugetlb_cma=0:1G,1:1G kho_scratch=64M,512M,256M nokaslr
#: hugetlb_pages stages=machine long mem=10G --
#:	kho_pool=4G hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=100
# Gigantic pages take what they can of what the pool leaves, but not KHO's place.
#: hugetlb_greedy stages=machine long arch=x86_64 mem=8G --
#:	kho_pool=2G kho_scratch=64M,3G,256M hugepagesz=1G hugepages=8 nokaslr
machine_0() {
	echo "@say pool $(($(stat size_bytes) >> 20)) MiB"
	check "the pool is handed on" is "$(cat $HANDOVER)" active
	case $scenario in
	uefi*)
		check "there is EFI" [ -d /sys/firmware/efi ] ;;
	odd_nodes)
		nodes=$(cat /sys/devices/system/node/has_memory)
		check "node 1 has no memory" is "$nodes" 0,2 ;;
	hugetlb_cma*)
		cma=$(awk '/CmaTotal/ { print $2 }' /proc/meminfo)
		check "there is CMA" [ "$cma" -gt 2000000 ] ;;
	hugetlb_pages)
		pages=/sys/kernel/mm/hugepages/hugepages
		check "there are gigantic pages" is "$(cat $pages-1048576kB/nr_hugepages)" 2
		check "there are huge pages" is "$(cat $pages-2048kB/nr_hugepages)" 100 ;;
	esac
	[ $scenario != uefi_arm64 ] ||
		check "there is ACPI" [ -d /sys/firmware/acpi/tables ]
	keep
	go held=$held vm=$vm
}

machine_1() {
	over
}

machine_2() {
	over
}

machine_3() {
	over
}

machine_4() {
	over
}

# pool_at: address and size of the last region
pool_at() {
	awk '$2 == "base" { last = $3 " " $5 } END { print last }' $DEBUG/regions
}

# over_edge BASE SIZE: over that of the second node, which has the last 1536 MiB
over_edge() {
	case $(uname -m) in
	x86_64)		edge=0x160000000 ;;
	aarch64)	edge=0x120000000 ;;
	esac
	[ $(($1)) -lt $((edge)) ] && [ $(($1 + $2)) -gt $((edge)) ]
}

# One region over the edge between two nodes, most of which is exposed.  Large kernels get
# more memory, and a region in one node.
#: numa_off both nodes=3584M,1536M -- kho_pool=2G numa=off
numa_off_0() {
	keep
	size=$(($(stat largest_free_bytes) & -0x200000))
	khopool create large $size --align 2M --expose >/dev/null || die "create"
	go held="$(stat extents)" vm=$vm -numa
}

# both_nodes: what is in them is a pool, and not memory of the kernel's
both_nodes() {
	kept
	check "the large one is back" exposed large
	# shellcheck disable=SC2046
	set -- $(pool_at)
	check "none of the region is System RAM" [ -z "$(ram_in $1 $2)" ]
	[ "$(cat /sys/devices/system/node/has_memory)" = 0-1 ] || return
	[ "$(awk '/MemTotal/ { print $2 }' /proc/meminfo)" -lt 4000000 ] || return
	check "the region is over the edge of a node" over_edge $1 $2
	base=$(awk '$5 == "large" { print $1 }' $DEBUG/extents)
	size=$(khopool show large --json | sed -n 's/.*"size": \([0-9]*\).*/\1/p')
	check "so is the large one" over_edge "$base" "$size"
}

numa_off_1() {
	both_nodes
	check "there are two nodes" is "$(cat /sys/devices/system/node/has_memory)" 0-1
	LOADER=kexec_load go held="$(arg held)" vm="$(arg vm)"
}

numa_off_2() {
	both_nodes
	go held=$(arg held) vm=$(arg vm) numa=off
}

numa_off_3() {
	both_nodes
	check "there is one node" is "$(cat /sys/devices/system/node/has_memory)" 0
}

# Memory that the firmware does not tell of, but ACPI later
#: dimm stages=dimm arch=x86_64 machine=dimm -- kho_pool=512M memhp_default_state=online
dimm_0() {
	check "the DIMM is there" [ "$(awk '/MemTotal/ { print $2 }' /proc/meminfo)" -gt 4500000 ]
	keep
	go held=$held vm=$vm
}

dimm_1() {
	check "the DIMM is there" [ "$(awk '/MemTotal/ { print $2 }' /proc/meminfo)" -gt 4500000 ]
	over
}

dimm_2() {
	over
}

dimm_3() {
	over
}

dimm_4() {
	over
}
