# SPDX-License-Identifier: GPL-2.0-only
# A root, an index or a keep list that is damaged, or not sealed

# over_scratch: a place where a region of 512 MiB would be in memory, and overlap a scratch
# area
over_scratch() {
	sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) : System RAM$/0x\1 0x\2/p' /proc/iomem |
	while read -r from to; do
		base=$(((from + 0x7ffffff) & ~0x7ffffff))
		while [ $((base + 0x1fffffff)) -le $((to)) ]; do
			while IFS=- read -r first last; do
				[ $((first)) -gt $((base + 0x1fffffff)) ] ||
					[ $((last)) -lt $base ] || printf '%#x\n' $base
			done <$KHO/scratch
			base=$((base + 0x8000000))
		done
	done | head -n 1
}

# offset: where this test damages the root
offset() {
	case $scenario in
	sealed_root_damaged)	echo 200 ;;
	root_magic_damaged)	echo 0 ;;
	root_check_damaged)	echo 4090 ;;
	esac
}

#: sealed_root_damaged stages=root_damaged long -- kho_pool=512M kho_pool_inject
#: root_magic_damaged stages=root_damaged long -- kho_pool=512M kho_pool_inject
#: root_check_damaged stages=root_damaged -- kho_pool=512M kho_pool_inject
root_damaged_0() {
	fill
	save
	check "khopool sees nothing" khopool verify /tmp/root /tmp/index*
	damage root "root is damaged" "$(offset)^0x40"
	go held=$held vm=$vm
}

root_damaged_1() {
	quarantined "root is damaged"
	khopool verify --in >/tmp/verify && die "khopool sees nothing"
	check "khopool says so" grep -q "root is damaged" /tmp/verify
	go
}

root_damaged_2() {
	quarantined "root is damaged"
	# As if someone had mended it.
	save
	damage root "" "$(offset)^0x40"
	go
}

root_damaged_3() {
	verify
}

#: keep_list_damaged -- kho_pool=512M kho_pool_inject
keep_list_damaged_0() {
	fill
	save
	damage root "keep list is damaged" 5000^0x40
	go held=$held vm=$vm
}

keep_list_damaged_1() {
	verify
	check "it came damaged" [ "$(khopool verify --in | grep -c "keep list is damaged")" = 1 ]
	check "it goes on mended" khopool verify
	go
}

keep_list_damaged_2() {
	verify
}

# A root that nobody has ever written.
#: made_up_root -- kho_pool=512M kho_pool_inject
made_up_root_0() {
	fill
	save
	base=$(awk '$2 == "base" { print $3; exit }' $DEBUG/regions)
	damage root "root and keep list differ" region0.base=0x100000000000 seal-ns=99 check
	go held=$held vm=$vm base=$base
}

made_up_root_1() {
	quarantined "root names memory that is not there"
	save
	damage root "" region0.base="$(arg base)" check
	LOADER=kexec_load go
}

made_up_root_2() {
	check "this much was made up" is "$(stat seal_ns)" 99
	verify
	save
	# It ends in the root, which is at the top of memory.
	index=$(index_at)
	size=$(awk '$2 == "base" { print $9; exit }' $DEBUG/regions)
	damage root "root and keep list differ" region0.index="$(printf '%#x' \
		$(($(root_at) + page - ($(whole_pages $size)))))" check
	go index="$index"
}

made_up_root_3() {
	quarantined "root names its own page"
	save
	base=$(over_scratch)
	# The quarantined kernel's memory may be in too small pieces.
	[ -n "$base" ] || exit 0
	khopool edit /tmp/root region0.index="$(arg index)" \
		region0.base="$base" check || die "khopool edit"
	cat /tmp/root >$DEBUG/inject/root || die "inject"
	go
}

made_up_root_4() {
	quarantined "root names memory that is in use"
}

#: not_allowed
not_allowed_0() {
	fill
	check "without kho_pool_inject nothing can be injected" [ ! -e $DEBUG/inject ]
}

# index_quarantined WHY: the state, and nothing to allocate from
index_quarantined() {
	check "the state says so" is "$(stat state)" "quarantined: $1"
	check "the log says so" logged "quarantined: $1"
	check "nothing is free" is "$(stat free_bytes)" 0
	untouched
	insmod /lib/test_kho_pool.ko
	check "nothing can be allocated" fails "needs cleaning" owner
}

# The first area's word
#: index_damaged -- kho_pool=512M kho_pool_inject
index_damaged_0() {
	fill
	save
	damage index0 "index is not what was sealed" 2305^0x40
	go held=$held vm=$vm
}

index_damaged_1() {
	index_quarantined "index is not what was sealed"
	go
}

index_damaged_2() {
	index_quarantined "index is not what was sealed"
}

# The header's base
#: index_header_damaged long -- kho_pool=512M kho_pool_inject
index_header_damaged_0() {
	fill
	save
	damage index0 "header: base is" 9^0x40
	go held=$held vm=$vm
}

index_header_damaged_1() {
	index_quarantined "index header is damaged"
	go
}

index_header_damaged_2() {
	index_quarantined "index header is damaged"
}

#: one_region_damaged -- kho_pool=512M,512M kho_pool_inject
one_region_damaged_0() {
	check "two regions" is "$(stat regions)" 2
	fill
	# The second region's: the extents are in the first.
	save
	damage index1 "index is not what was sealed" 2305^0x40
	go held=$held vm=$vm
}

one_region_damaged_1() {
	check "the state says so" is "$(stat state)" \
		"degraded: 1 of 2 regions quarantined: index is not what was sealed"
	verify
	cmd alloc 1M more
}

#: unsealed long
unsealed_0() {
	fill
	echo 1 >$DEBUG/stuck
	go held=$held vm=$vm
}

unsealed_1() {
	check "the log says so" logged "not sealed; their indexes were verified in full"
	verify
	go
}

unsealed_2() {
	check "it was sealed this time" [ "$(stat seal_ns)" -gt 0 ]
	verify
}
