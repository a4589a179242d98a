# SPDX-License-Identifier: GPL-2.0-only
# What the image says about the next kernel: its command line, and memory that it will
# not have.  The image is accepted and the pools are handed over, or just kept; or it is
# refused.

# refused WHY: an image was refused for this, and the pools are unchanged
refused() {
	check "refused: $1" logged "$1"
	check "the pool works on" is "$(stat state)" active
	dmesg -c >/dev/null
}

# largest: first byte of the largest scratch area
largest() {
	largest_scratch | sed 's/-.*//'
}

tab=$(printf '\t')

#: image_line
image_line_0() {
	fill
	ours=$(cat $KHO/cmdline)
	LOADER=kexec_load
	# Words that the next kernel does not see
	dmesg -c >/dev/null
	for text in "-- 3 $ours" "dyndbg=\"file x.c +p $ours" "$ours kho-handover=0x1000" \
		    "$ours \"kho_handover=0x1000\"" "x$ours" "${ours}x" "\"$ours -- x" ; do
		CMDLINE=$text load_next 2>/dev/null && die "it was loaded: $text"
		refused "is not on the image's command line"
	done
	# Beyond what a kernel keeps of its line
	pad=$(head -c 2040 /dev/zero | tr '\0' x)
	at=$(sed -n '1s/-.*//p' $KHO/scratch)
	/tests/kho_pool_load --line "$at" 0x8000 "pad=$pad $ours" && die "it was loaded: long line"
	refused "is not on the image's command line"
	/tests/kho_pool_load --line "$at" 0x8000 "$ours pad=$pad" || die "the word first, then much"
	# It is not known which of two lines the kernel gets.
	/tests/kho_pool_load --line "$at" 0x10000 "$ours" "other" && die "it was loaded: two lines"
	refused "it has two command lines"
	/tests/kho_pool_load --line "$at" 0x10000 "$ours" "$ours" || die "the same line twice"
	go=$(khopool kexec-args --command-line="stage=1 held=$held vm=$vm \
		from=$(version),kexec_load $(cat /proc/cmdline) dyndbg=\"file x.c +p -- 5") ||
		die "kexec-args"
	cat /dev/vda >/tmp/kernel
	cat /dev/vdb >/tmp/initrd
	echo "$go" | xargs -r kexec -c -l /tmp/kernel --initrd=/tmp/initrd || die "load"
	start_next
}

image_line_1() {
	verify
	held=$(arg held) vm=$(arg vm)
	line=$(cat /proc/cmdline)
	# Of two words the last one counts, with a tab before and after it; arguments for init
	# follow.
	LOADER=kexec_load CMDLINE="kho_handover=0x1000$tab$(cat $KHO/cmdline)${tab}quiet -- 5" \
		load_next -dyndbg -x.c -+p --- -5 stage=2 held=$held vm=$vm || die "load"
	start_next
}

image_line_2() {
	verify
}

# Memory that the command line hides.  Root, index or extent: what is kept is not used,
# and comes back.  Scratch areas: the image is refused.
#: image_memory_root stages=image_memory arch=x86_64 mem=6G -- kho_pool=1G loader=kexec_load
#: image_memory_index stages=image_memory long arch=x86_64 mem=6G -- kho_pool=1G
#: image_memory_extent stages=image_memory long arch=x86_64 mem=6G -- kho_pool=1G
#: image_memory_mem stages=image_memory both mem=6G -- kho_pool=1G
#: image_memory_exact stages=image_memory long arch=x86_64 mem=6G -- kho_pool=1G loader=kexec_load
image_memory_0() {
	fill
	at=$vm
	case $scenario in
	*_root)		at=$(root_at) ;;
	*_index)	at=$(index_at) ;;
	esac
	case $scenario in
	*_mem)		at=$(($(root_at) & ~0xfffff))
			# On arm64 it is a size, and memory does not begin at 0.
			[ "$(uname -m)" != aarch64 ] || at=$((at - 0x40000000))
			hide=mem=$(printf '%#x' $at) ;;
	*_exact)	hide=memmap=exactmap,640K@0,2044M@1M
			hide=$hide,$(printf '%#x' $(($(root_at) - 0x100000000)))@4G ;;
	*)		hide="memmap=8K\$$(printf '%#x' $((at + 0x1000 * (at == vm))))" ;;
	esac
	dmesg -c >/dev/null
	for LOADER in kexec_load kexec_file_load; do
		load_next mem=64M 2>/dev/null && die "it was loaded"
		refused "hides memory that it has to start in"
		[ "$(uname -m)" != aarch64 ] || continue
		load_next "memmap=4K\$$(largest)" 2>/dev/null && die "it was loaded"
		refused "hides memory that it has to start in"
	done
	LOADER=$(arg loader)
	go "$hide" held=$held vm=$vm
}

image_memory_1() {
	echo "@say $(cat $HANDOVER); $(arg mem)$(arg memmap)"
	case $(cat $HANDOVER) in
	"quarantined: root is in memory that is not there"|\
	"quarantined: root names memory that is not there") ;;
	*)	die "not quarantined: $(cat $HANDOVER)" ;;
	esac
	check "there is no pool to allocate from" [ ! -d $POOL ]
	untouched
	check "no guest's memory is System RAM" [ -z "$(ram_in "$(arg vm)" 0x10000000)" ]
	check "all of /proc/iomem has a place" not logged "no place in /proc/iomem"
	LOADER=$(arg loader) go -memmap -mem
}

image_memory_2() {
	verify
}

# A kernel with another page size cannot read KHO's tree, and crashes.
#: image_pages arch=arm64
image_pages_0() {
	fill
	cat /dev/vda >/tmp/kernel
	cat /dev/vdb >/tmp/initrd
	flags=$(od -A n -t u1 -j 24 -N 1 /tmp/kernel)
	for size in 1 2 3; do
		# shellcheck disable=SC2059
		printf "\\$(printf '%o' $((flags & ~6 | size << 1)))" |
			dd of=/tmp/kernel bs=1 seek=24 conv=notrunc 2>/dev/null
		dmesg -c >/dev/null
		if [ $size = $(((flags >> 1) & 3)) ]; then
			kexec -s -l /tmp/kernel --initrd=/tmp/initrd || die "load"
			continue
		fi
		kexec -s -l /tmp/kernel --initrd=/tmp/initrd 2>/dev/null && die "it was loaded"
		refused "its kernel has another page size"
		# shellcheck disable=SC2046
		kexec -c -l /tmp/kernel --initrd=/tmp/initrd $(cat $KHO/args) \
			--command-line="$(cat $KHO/cmdline)" 2>/dev/null && die "it was loaded"
		refused "its kernel has another page size"
	done
	go held=$held vm=$vm
}

image_pages_1() {
	verify
}

# From five levels of page tables to four, and back
#: image_levels long arch=x86_64
image_levels_0() {
	check "this kernel has five levels" grep -qw la57 /proc/cpuinfo
	fill
	load_next mem_encrypt=on 2>/dev/null && die "it was loaded"
	refused "with encryption it cannot read this memory"
	go no5lvl held=$held vm=$vm
}

image_levels_1() {
	verify
	check "this kernel has four" not grep -qw la57 /proc/cpuinfo
	LOADER=kexec_load go -no5lvl
}

image_levels_2() {
	verify
	check "this kernel has five levels" grep -qw la57 /proc/cpuinfo
	LOADER=kexec_load go no5lvl
}

image_levels_3() {
	verify
	go -no5lvl
}

image_levels_4() {
	verify
	untouched
}

# Four levels of page tables cannot reach a pool, or where there is memory left besides
# the pool, a scratch area.
#: image_reach arch=x86_64 machine=far cpu=max,phys-bits=48 --
#:	kho_pool=1G memmap=1026M@0x400000000000
#: image_reach_start stages=image_reach long arch=x86_64 machine=far cpu=max,phys-bits=48 --
#:	kho_pool=1G memmap=2G@0x400000000000
image_reach_0() {
	why="they are beyond its kernel's four levels of page tables"
	[ $scenario = image_reach ] || why="that it has to start in is beyond its page tables"
	fill
	check "it is above 64 TiB" [ $((vm)) -ge $((0x400000000000)) ]
	dmesg -c >/dev/null
	for LOADER in kexec_load kexec_file_load; do
		load_next no5lvl 2>/dev/null && die "it was loaded"
		refused "$why"
		load_next -memmap 2>/dev/null && die "it was loaded"
		refused "memory map"
	done
	go held=$held vm=$vm
}

image_reach_1() {
	verify
	LOADER=kexec_load go
}

image_reach_2() {
	verify
}

# A memory map with more entries than kexec_file_load() passes on
#: image_map arch=x86_64 mem=6G -- kho_pool_inject
image_map_0() {
	check "there is no pool" [ ! -d $POOL ]
	KHO_POOL_LOAD_HOLES=0x4000000,140 own_loader --cold kho_pool=1G
}

image_map_1() {
	check "the memory map has many entries" [ "$(ls /sys/firmware/memmap | wc -l)" -gt 128 ]
	load_next || die "without extents it is loaded"
	fill
	load_next 2>/dev/null && die "it was loaded"
	check "it is said why" [ "$(dmesg | grep -c 'would lose .* memory map')" = 1 ]
	LOADER=kexec_load go held=$held vm=$vm
}

image_map_2() {
	check "the memory map has many entries" [ "$(ls /sys/firmware/memmap | wc -l)" -gt 128 ]
	verify
}

# A loader that leaves a page out of the memory map
#: image_map_hole arch=x86_64 mem=6G
image_map_hole_0() {
	fill
	dmesg -c >/dev/null
	for place in $vm $(index_at) $(root_at); do
		KHO_POOL_LOAD_HOLES=$place,1 place_own --handover && die "it was loaded: $place"
		refused "the memory map that its kernel gets does not have the pools"
	done
	KHO_POOL_LOAD_HOLES=$(sed -n '1s/-.*//p' $KHO/scratch),1 \
		place_own --handover && die "it was loaded"
	refused "its memory map does not have the memory that it has to start in"
	own_loader --handover held=$held vm=$vm
}

image_map_hole_1() {
	verify
}

# Page tables of base pages do not fit the scratch areas.
#: image_tables mem=40G -- kho_pool=36G kho_scratch=48M,24M,8M rodata=noalias
image_tables_0() {
	fill
	case $(uname -m) in
	x86_64)		more=debug_pagealloc=on ;;
	aarch64)	more=rodata=on ;;
	esac
	dmesg -c >/dev/null
	for LOADER in kexec_file_load kexec_load; do
		load_next -rodata $more 2>/dev/null && die "it was loaded"
		refused "page tables would not fit the scratch areas"
	done
	LOADER=kexec_file_load go held=$held vm=$vm
}

image_tables_1() {
	verify
}

# mib_of: how much is in the ranges that it reads, 0xFIRST-0xLAST
mib_of() {
	total=0
	while IFS=- read -r first last; do
		total=$((total + last + 1 - first))
	done
	echo $((total >> 20))
}

# low_mib: of memory that devices with addresses of 32 bits can use
low_mib() {
	ram_in 0 0x100000000 | sed 's/\(.*\)-/0x\1-0x/' | mib_of
}

# low_scratch_mib: of this, scratch areas
low_scratch_mib() {
	while IFS=- read -r first last; do
		[ $((first)) -ge $((0x100000000)) ] || echo "$first-$last"
	done <$KHO/scratch | mib_of
}

# Room for what the command line reserves after the pools
#: room_swiotlb stages=room arch=x86_64 mem=6G -- kho_pool=7G swiotlb=131072
# Where the kernel is in the middle of low memory, no scratch area of this size fits, with
# or without a pool.
#: room_swiotlb_force stages=room long arch=x86_64 mem=10G --
#:	kho_pool=10G swiotlb=262144,force nokaslr
# Most of the memory is low, and devices keep some of that.
#: room_low stages=room arch=x86_64 mem=3584M -- kho_pool=4G nokaslr
# Each scratch area is one piece, and there is one on each node.
#: room_nodes stages=room both nodes=2G,2G -- kho_pool=4G kho_scratch=32M,32M,512M
room_0() {
	check "not all of it can be had, and it is said" logged "not available, continuing with"
	check "the pool is handed on" is "$(cat $HANDOVER)" active
	echo "@say pool $(($(stat size_bytes) >> 20)) MiB, low $(low_mib)," \
		"scratch $(low_scratch_mib)"
	# 512 MiB besides a scratch area and what the kernel took, which is a section at most
	[ $scenario != room_low ] ||
		check "devices have low memory" \
			[ "$(low_mib)" -ge $((512 + $(low_scratch_mib) + 128)) ]
	fill
	go held=$held vm=$vm
}

room_1() {
	verify
	LOADER=kexec_load go
}

room_2() {
	verify
}

# crashkernel= in a kernel that KHO has started
#: crash_memory_at stages=crash_memory mem=4G -- kho_pool=1G crashkernel=128M@1536M
# There is no memory for a crash above 4 GiB on arm64, even at a cold boot.
#: crash_memory_high stages=crash_memory long arch=x86_64 mem=8G -- kho_pool=3G
#:	crashkernel=512M,high crashkernel=128M,low
crash_memory_0() {
	check "there is memory for a crash" [ "$(cat /sys/kernel/kexec_crash_size)" -gt 0 ]
	fill
	go held=$held vm=$vm size="$(cat /sys/kernel/kexec_crash_size)"
}

crash_memory_1() {
	verify
	check "there is as much for a crash" is "$(cat /sys/kernel/kexec_crash_size)" "$(arg size)"
	while read -r where; do
		from=$((0x${where%-*})) to=$((0x${where#*-}))
		while IFS=- read -r first last; do
			[ $((first)) -gt $to ] || [ $((last)) -lt $from ] ||
				die "$where is in scratch area $first-$last"
		done <$KHO/scratch
	done <<-END
	$(sed -n 's/^ *\([0-9a-f-]*\) : Crash kernel$/\1/p' /proc/iomem)
	END
	LOADER=kexec_file_load LOAD=-p load_next stage=9 -crashkernel nr_cpus=1 || die "kexec -p"
	[ $stage = 2 ] || LOADER=kexec_load go
}

crash_memory_2() {
	crash_memory_1
}

# What is in a pool is not in a hibernation image.
#: hibernate arch=x86_64
hibernate_0() {
	check "this kernel can hibernate" not grep -q disabled /sys/power/disk
	khopool create guest 4M || die "create"
	check "not while there are extents" grep -qF '[disabled]' /sys/power/disk
	echo disk 2>/dev/null >/sys/power/state && die "it hibernates"
	khopool rm guest || die "rm"
	check "all is free" is "$(stat extents)" 0
	check "it can again" not grep -q disabled /sys/power/disk
}
