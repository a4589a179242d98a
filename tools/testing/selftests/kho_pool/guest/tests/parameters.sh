# SPDX-License-Identifier: GPL-2.0-only
# A row of kexecs, by each loader in turn, each with another parameter: whatever the next
# kernel is told, it has every byte, or the load is refused.

# parameter N: what the Nth kernel has on its command line besides the usual
parameter() {
	case $1 in
	1)	echo nokaslr ;;
	2)	echo no5lvl ;;
	3)	echo nr_cpus=1 ;;
	4)	echo maxcpus=1 ;;
	5)	echo init_on_alloc=1 init_on_free=1 ;;
	6)	echo debug_pagealloc=on ;;
	7)	echo kfence.sample_interval=1 ;;
	8)	echo page_owner=on page_poison=1 ;;
	9)	echo slab_debug=FZPU ;;
	10)	echo kernelcore=1G ;;
	11)	echo movablecore=512M ;;
	12)	echo movable_node ;;
	13)	echo numa=fake=3 ;;
	14)	echo numa=off ;;
	15)	echo cma=96M ;;
	16)	echo hugepages=64 ;;
	17)	echo nopat ;;
	18)	echo nogbpages ;;
	19)	echo mitigations=off ;;
	20)	echo pti=on ;;
	21)	echo transparent_hugepage=never ;;
	22)	echo memory_hotplug.memmap_on_memory=1 ;;
	23)	echo rodata=off ;;
	24)	echo iommu=off noapic ;;
	25)	echo swiotlb=65536 ;;
	26)	echo memblock=debug ;;
	27)	echo threadirqs preempt=full ;;
	28)	echo nohlt nosmap nosmep ;;
	esac
}
parameters=28

# The rules for /dev/mem that distributions have would hide pools from the tests.
#: parameters long mem=6G -- kho_pool=1G iomem=relaxed
parameters_0() {
	fill
	khopool create mapped $((8192 * page)) --align $((512 * page)) --expose >/dev/null ||
		die "create"
	go "$(parameter 1)" held="$(stat extents)" vm=$vm
}

# known WORD: does the kernel know it, or is it another architecture's, or read before its log?
known() {
	case $(uname -m)-$1 in
	x86_64-nokaslr|x86_64-no5lvl|x86_64-nosm[ae]p|x86_64-pti=*|x86_64-nohlt) return ;;
	aarch64-no5lvl|aarch64-nopat|aarch64-nogbpages|aarch64-pti=*|aarch64-nosm[ae]p) return ;;
	aarch64-iommu=*|aarch64-noapic|aarch64-movable_node) return ;;
	esac
	not logged_word "$1"
}

# logged_word WORD: among those that the kernel does not know
logged_word() {
	dmesg | sed -n 's/.*Unknown kernel command line parameters "\(.*\)", .*/ \1 /p' |
		grep -qF " $1 "
}

# The small kernels have fewer options than a distribution's.
is_small() { [ ! -d /sys/kernel/slab ]; }

with_parameter() {
	for word in $(parameter $stage); do
		is_small || check "the kernel knows $word" known "$word"
	done
	verify
	check "the device is back" exposed mapped
	check "no pool memory is System RAM" [ -z "$(ram_in "$(arg vm)" 0x10000000)" ]
	case $(parameter $stage) in
	maxcpus=1)
		check "a CPU is offline" [ "$(cat /sys/devices/system/cpu/online)" = 0 ] ;;
	kernelcore=*)
		check "there is movable memory" grep -q "zone *Movable" /proc/zoneinfo ;;
	esac
	[ $stage -gt $parameters ] && return
	# kexec-tools reads the device tree of arm64, in which nokaslr leaves the seed.
	[ $((stage % 2)) = 0 ] || [ "$(uname -m)-$(parameter $stage)" = aarch64-nokaslr ] ||
		LOADER=kexec_load
	without=
	for word in $(parameter $stage); do
		without="$without -${word%%=*}"
	done
	# shellcheck disable=SC2046,SC2086
	go $without $(parameter $((stage + 1))) held="$(arg held)" vm="$(arg vm)"
}

for number in $(seq $((parameters + 1))); do
	eval "parameters_$number() { with_parameter; }"
done
