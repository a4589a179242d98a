# SPDX-License-Identifier: GPL-2.0-only
# Kernels of another version, or without kho_pool, in between

# What a kernel without kho_pool does is mainline's KHO, in no part of an
# architecture; it takes another kernel.
#: without_kho_pool arch=x86_64 plain tools mem=3G
without_kho_pool_0() {
	fill
	NEXT=/dev/vdc go held=$held vm=$vm
}

without_kho_pool_1() {
	check "this kernel has no kho_pool" [ ! -e /sys/kernel/mm/kho_pool ]
	# All the memory that it takes for its own.
	fill_memory 90
	untouched
	# It does not hand the memory on: the contents are lost, and it says so.
	go
}

without_kho_pool_2() {
	check "a pool is made anew" is "$(stat generation) $(stat extents)" "0 0"
	fill_memory 90
	# An extent is cleared for its new owner.
	khopool create all "$(stat largest_free_bytes)" || die "create"
	/tests/kho_pool_mem "$(arg vm)" 0x10000000 0 >/tmp/mem && die "nobody took the memory"
	check "the memory is System RAM again" [ "$(cut -d " " -f 1 /tmp/mem)" -gt 0 ]
}

# Two versions of the kernel by turns, and two loaders
#: versions arch=x86_64 other
versions_0() {
	fill
	other_version held=$held vm=$vm kernels="$(uname -r)"
}

versions_1() {
	check "it is another version" [ "$(uname -r)" != "$(arg kernels | sed 's/.*,//')" ]
	verify
	cmd free middle
	cmd alloc 6M middle
	# Each way by each loader.
	[ "$stage" -lt 2 ] || LOADER=kexec_load
	other_version held=$(stat extents) vm=$(arg vm) kernels="$(arg kernels),$(uname -r)"
}

versions_2() {
	versions_1
}

versions_3() {
	versions_1
}

versions_4() {
	verify
	untouched
	echo "@say kernels: $(arg kernels),$(uname -r)"
}
