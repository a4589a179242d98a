# SPDX-License-Identifier: GPL-2.0-only
# A kernel whose format is one feature ahead (scripts/ahead.patch), this one, and the
# first one again.  kho_pool_ahead= says of which kind the feature is.

# bits KIND: of the feature, if it is of that kind
bits() {
	[ "$(arg kho_pool_ahead)" = "$1" ] && echo 0x4000000000000000 || echo 0x0
}

# leave_ahead: the first kernel
leave_ahead() {
	check "the kernel is ahead" [ "$(strings $DEBUG/out/root |
		grep -c "of a later kernel")" = 1 ]
	fill
	other_version held=$held vm=$vm
}

# back_ahead WITH-OR-WITHOUT: what the kernel that is ahead finds in the end
back_ahead() {
	check "the root came $1 what only it knows" logged "ahead: incompat $(bits incompat),\
 ro-compat $(bits ro-compat), compat 0x0, $1 the property"
	verify
	cmd alloc 2M more
}

#: ahead_incompat arch=x86_64 ahead -- kho_pool=512M kho_pool_ahead=incompat
ahead_incompat_0() {
	leave_ahead
}

ahead_incompat_1() {
	quarantined "root has incompatible features"
	other_version
}

ahead_incompat_2() {
	back_ahead with
}

#: ahead_ro_compat long arch=x86_64 ahead -- kho_pool=512M kho_pool_ahead=ro-compat
ahead_ro_compat_0() {
	leave_ahead
}

ahead_ro_compat_1() {
	check "the state says so" is "$(stat state)" \
		"read-only: unknown features 0x4000000000000000"
	untouched
	verify
	check "nothing can be allocated" fails "Read-only" alloc 4K
	check "nothing can be freed" fails "Read-only" free middle
	check "nothing is changed" is "$(stat extents)" "$(arg held)"
	other_version
}

ahead_ro_compat_2() {
	back_ahead without
}

#: ahead_compat long arch=x86_64 ahead -- kho_pool=512M kho_pool_ahead=compat
ahead_compat_0() {
	leave_ahead
}

ahead_compat_1() {
	check "the state says nothing of it" is "$(stat state)" active
	verify
	cmd free middle
	cmd alloc 6M middle
	other_version held="$(stat extents)"
}

ahead_compat_2() {
	back_ahead without
}
