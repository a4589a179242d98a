# SPDX-License-Identifier: GPL-2.0-only
# Images and how they are loaded: what is refused, and what comes over

# kernel_at: where KASLR has put this kernel
kernel_at() {
	sed -n 's/^ *\([0-9a-f]*\)-.*Kernel code.*/\1/p' /proc/iomem
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

# range BASE SIZE: in the form of the log, for grep
range() {
	printf '\\[%#x-%#x\\]' $(($1)) $(($1 + $2 - 1))
}

# refusal WHAT RANGE POOL: the log has one refusal since it was cleared, this one
refusal() {
	dmesg -c | grep -o 'kexec .*: image refused' >/tmp/refused
	is "$(wc -l </tmp/refused)" 1 &&
		grep -qx "kexec $1 $2 overlaps pool memory $3: image refused" /tmp/refused && return
	cat /tmp/refused
	return 1
}

#: image_overlaps long
image_overlaps_0() {
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
	/tests/kho_pool_load --line "$(sed -n '1s/-.*//p' $KHO/scratch)" 0x4000 \
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
}

image_overlaps_1() {
	verify
	# Too late to call it off: the machine stops.  It says why, but the console
	# would have a trace, which is a failure to the host.
	load_next stage=2 || die "load"
	echo "$(arg vm)" >$DEBUG/target
	echo 1 >$DEBUG/late
	save_coverage
	echo "@end 0"
	drain
	echo 0 >/proc/sys/kernel/printk
	kexec -e
	die "kexec came back"
}

image_overlaps_2() {
	die "it was started"
}

#: loaders long
loaders_0() {
	fill
	LOADER=kexec_load go held=$held vm=$vm "at=$(kernel_at)"
}

loaders_1() {
	verify
	check "the argument is used up" logged "found kexec handover data"
	LOADER=kexec_load go held=$(arg held) vm=$(arg vm) "at=$(arg at),$(kernel_at)"
}

loaders_2() {
	loaders_1
}

loaders_3() {
	verify
	# The argument of the last kexec_load() stays on the command line.
	go held=$(arg held) vm=$(arg vm) "at=$(arg at),$(kernel_at)"
}

loaders_4() {
	verify
	check "what is left of the argument is ignored" logged \
		"ignored, the previous kernel has handed over by itself"
	LOADER=kexec_load go held=$(arg held) vm=$(arg vm) "at=$(arg at),$(kernel_at)"
}

loaders_5() {
	verify
	echo "@say kernels were at $(arg at),$(kernel_at)"
	[ "$(uname -m)" = aarch64 ] ||
		check "KASLR moves them" [ "$(echo "$(arg at),$(kernel_at)" | tr , '\n' | sort -u |
			wc -l)" -gt 1 ]
	untouched
}

#: load_refused
load_refused_0() {
	# Without extents there is nothing to lose, and none is made on the way.
	echo 1 >$DEBUG/late_alloc
	LOADER=kexec_load CMDLINE='' go
}

load_refused_1() {
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
	# A text that no kernel takes for its command line
	at=$(sed -n '1s/-.*//p' $KHO/scratch)
	/tests/kho_pool_load --at "$at" 0x4000 "console=x $(cat $KHO/cmdline)" &&
		die "it was loaded"
	check "each is refused" [ "$(dmesg | grep -c "is not on the image's command line")" = 6 ]
	check "nobody is warned" [ -z "$(dmesg | grep "does not seem to know")" ]
	/tests/kho_pool_load --line "$at" 0x4000 "console=x $(cat $KHO/cmdline)" || die "load"
	check "there is no kernel in it" logged "does not seem to know kho_handover="
	# On x86 kexec-tools begins at the top of memory, where the index is.  On
	# arm64 it believes /proc/iomem.
	LOADER=kexec_load ARGS= load_next 2>/dev/null && die "it was loaded"
	if [ "$(uname -m)" = aarch64 ]; then
		check "the log says why" logged "is not in a scratch area"
		check "kexec-tools keeps off the pool" [ -z "$(dmesg | grep overlaps)" ]
	else
		check "the log names both" logged "overlaps pool memory"
	fi
	# One end in a scratch area, the other outside.
	end=$(sed -n '1s/.*-//p' $KHO/scratch)
	/tests/kho_pool_load --line $((end - 0x1fff)) 0x4000 "$(cat $KHO/cmdline)" &&
		die "it was loaded"
	range=$(printf '%#x-%#x' $((end - 0x1fff)) $((end + 0x2000)))
	check "the log names both" logged "kexec segment 0 [$range] is not in a scratch area, \
such as [$(largest_scratch)]: image refused"
	dmesg -c >/dev/null
	LOADER=kexec_load load_next stage=2 held=$held vm=$vm || die "load"
	check "its kernel knows the argument" [ -z "$(dmesg | grep "does not seem to know")" ]
	start_next
}

load_refused_2() {
	verify
	go kho=off
}

load_refused_3() {
	check "with KHO off it is not supported" /tests/kho_pool_load --unsupported
	check "the log says so" logged "there is nothing to hand over with this kernel"
}

# A loader of our own says where the kernel is to put the handover page; the one
# after that puts a tree there that it has made up.
#: own_loader both tools
own_loader_0() {
	fill
	check "bad segments are refused" /tests/kho_pool_load --bad
	check "one is too small" \
		logged "the segment for the handover page has 4096 bytes, less than"
	check "one has no tree" logged "the segment for the handover page has 1 bytes of data"
	check "one is not named" logged "of the image's command line is not"
	# After the area, where the pool may be
	check "one is elsewhere" [ "$(dmesg |
		grep -cE "segment 1 .*(is not in a scratch area|overlaps pool memory)")" = 1 ]
	cat /sys/kernel/debug/kho/out/fdt >/tmp/tree
	place_own "--tree /tmp/tree" 2>/dev/null && die "it was loaded"
	check "another tree takes kho_pool_inject" logged \
		"kexec refused, it would lose $held extents: the image has a tree of its own"
	own_loader --handover held=$held vm=$vm kho_pool_inject \
		tree="$(khopool dump /tmp/tree | cksum | tr ' ' -)"
}

own_loader_1() {
	verify
	check "the page was elsewhere" [ "$(arg kho_handover)" != "$(arg kernels)" ]
	cat /sys/kernel/debug/kho/in/fdt >/tmp/tree
	khopool dump /tmp/tree >/tmp/received
	check "the tree that was received names the root" grep -q kho_pool /tmp/received
	check "it is the one that went out" is "$(cksum </tmp/received | tr ' ' -)" "$(arg tree)"
	# Nobody looks for the name kho_pool any more.
	xxd -p /sys/kernel/debug/kho/out/fdt | tr -d '\n' |
		sed 's/6b686f5f706f6f6c/6b686f5f666f6f6c/' | xxd -r -p >/tmp/tree
	check "there is a tree to change" [ "$(cmp -l /tmp/tree /sys/kernel/debug/kho/out/fdt |
		wc -l)" -ge 1 ]
	own_loader "--tree /tmp/tree" held=$(arg held) vm=$(arg vm) $(cat $KHO/cmdline)
}

own_loader_2() {
	check "KHO took the tree" logged "found kexec handover data"
	check "a pool is made anew" is "$(stat generation) $(stat extents)" "0 0"
	# What the tree preserves is not memory for a pool.
	vm=$(arg vm)
	while read -r base size; do
		[ $((base)) -ge $((vm + 0x10000000)) ] || [ $((base + size)) -le $((vm)) ] ||
			die "the new pool at $base is where the old one was"
	done <<-END
	$(awk '$2 == "base" { print $3, $5 }' $DEBUG/regions)
	END
	fill_memory 90
	untouched
	own_loader "--tree /dev/null" kho_pool_inject
}

own_loader_3() {
	check "a page with no tree is told" logged "KHO: disabling KHO revival"
	check "and what it means" logged "cannot read what the previous one has handed over"
	check "the machine starts anew" is "$(stat generation)" 0
	fill
	cmd verify
	own_loader --made-up vm=$vm
}

own_loader_4() {
	check "KHO took the tree" logged "found kexec handover data"
	cat /sys/kernel/debug/kho/in/fdt >/tmp/tree
	check "its subtree is empty" [ "$(khopool dump /tmp/tree | grep -c kho_pool)" = 1 ]
	check "handover says so" is "$(cat $HANDOVER)" "quarantined: root cannot be found"
	check "no pool is made" [ ! -e $POOL ]
	load_next 2>/dev/null && die "it was loaded"
	check "what may be there is not lost" logged \
		"kexec refused, it would lose 1 extents: root cannot be found"
}

#: failed_kexec
failed_kexec_0() {
	fill
	echo 1 >$DEBUG/sealed
	check "sealed" is "$(stat state)" sealed
	check "nothing can be allocated" fails "transport endpoint shutdown" alloc 4K
	echo 0 >$DEBUG/sealed
	check "unsealed" is "$(stat state)" active
	cmd alloc 4K after
	go held=$(stat extents) vm=$vm
}

failed_kexec_1() {
	verify
	go memtest=1
}

# Memory that the kernel does not have yet must not be tested.
failed_kexec_2() {
	check "memtest= does nothing" logged "memtest: not done, memory was handed over"
	verify
	untouched
}

# A kernel that KHO has started crashes, and the one that dumps it, which has the same
# kho_pool= on its command line, takes nothing over.
#: kdump both crash -- kho_pool=512M crashkernel=256M
kdump_0() {
	fill
	go held=$held vm=$vm
}

kdump_1() {
	verify
	check "there is memory for it" [ "$(cat /sys/kernel/kexec_crash_size)" -gt 0 ]
	# On arm64 kexec-tools give it the device tree of this kernel, which names KHO's.
	[ "$(uname -m)" != aarch64 ] || LOADER=kexec_load
	LOAD=-p ARGS='' CMDLINE='' load_next stage=2 -crashkernel nr_cpus=1 || die "kexec -p"
	save_coverage
	echo c >/proc/sysrq-trigger
	die "it did not crash"
}

kdump_2() {
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
}
