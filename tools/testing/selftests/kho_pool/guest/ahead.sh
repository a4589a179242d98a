# SPDX-License-Identifier: GPL-2.0-only
# Stages of stages.sh: a kernel whose format is one feature ahead (ahead.patch), this one,
# and the first one again.  kho_pool_ahead= says of which kind the feature is.

kind=$(arg kho_pool_ahead)

# bits KIND: of the feature, if it is of that kind
bits() {
	[ "$kind" = "$1" ] && echo 0x4000000000000000 || echo 0x0
}

# came WITH-OR-WITHOUT COMPAT: what the kernel that is ahead has found
came() {
	check "the root came $1 what only it knows" logged "ahead: incompat $(bits incompat),\
 ro-compat $(bits ro-compat), compat $2, $1 the property"
}

case $stage in
0)
	check "the kernel is ahead" [ "$(strings $DEBUG/out/root |
		grep -c "of a later kernel")" = 1 ]
	fill
	other_version held=$held vm=$vm
	;;
2)
	case $kind in
	incompat)	came with 0x0 ;;
	ro-compat)	came without 0x0 ;;
	compat)		came without 0x0 ;;
	esac
	verify
	cmd alloc 2M more
	;;
esac

case $kind.$stage in
incompat.1)
	quarantined "root has incompatible features"
	other_version
	;;
ro-compat.1)
	check "the state says so" is "$(stat state)" \
		"read-only: unknown features 0x4000000000000000"
	untouched
	verify
	check "nothing can be allocated" fails "Read-only" alloc 4K
	check "nothing can be freed" fails "Read-only" free middle
	check "nothing is changed" is "$(stat extents)" "$(arg held)"
	other_version
	;;
compat.1)
	check "the state says nothing of it" is "$(stat state)" active
	verify
	cmd free middle
	cmd alloc 6M middle
	other_version held="$(stat extents)"
	;;
esac
