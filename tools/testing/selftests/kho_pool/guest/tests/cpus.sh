# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Many CPUs that allocate at once, over kexecs; and kselftests with as many.  The small kernel for
# x86-64 is one for two CPUs.

# cpus_churn GENERATION: what came over is there; then a thread on each CPU allocates and frees
cpus_churn() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	check "there are 32 CPUs" is "$(grep -c ^processor /proc/cpuinfo)" 32
	cmd generation "$1"
	[ "$1" = 0 ] || check "every extent came over" is "$(stat extents)" "$(arg held)"
	[ "$1" = 0 ] || verify_all
	cmd churn 10
	check "some were freed" [ "$(stat frees)" -gt 1000 ]
	check "every invariant holds" is "$(cat $DEBUG/validate)" ok
}

#: cpus long arch=arm64 smp=32 mem=8G silence=900 -- kho_pool=2G
cpus_0() {
	cpus_churn 0
	for program in kho_pool_test kho_pool_control_test; do
		check "$program" /tests/$program
	done
	check "every invariant holds after them" is "$(cat $DEBUG/validate)" ok
	go held="$(stat extents)"
}

cpus_1() {
	cpus_churn 1
	go held="$(stat extents)"
}

cpus_2() {
	cpus_churn 2
	cmd free_all
	# But for the driver's ledger, which has a block
	check "all is free" is "$(stat extents)" 1
	check "every byte of it" is "$(stat free_bytes)" $(($(stat size_bytes) - 2097152))
}
