# SPDX-License-Identifier: GPL-2.0-only
# Extents that nobody claims, and how they are given up

#: release both
release_0() {
	fill
	go held=$held vm=$vm
}

release_1() {
	check "unclaimed" is "$(stat unclaimed)" "$(arg held)"
	check "initcalls can allocate" logged "allocation by the first initcall: 0"
	go
}

release_2() {
	check "still there, and unclaimed" is "$(stat unclaimed)" "$(arg held)"
	echo vm >$POOL/release || die "release"
	check "one is gone" is "$(stat extents)" $(($(arg held) - 1))
	echo owner:test >$POOL/release || die "release"
	check "all are gone" is "$(stat extents)" 0
	check "all is free" is "$(stat free_bytes)" "$(stat size_bytes)"
	go
}

release_3() {
	check "gone for good" is "$(stat extents)" 0
}
