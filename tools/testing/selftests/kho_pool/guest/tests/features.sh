# SPDX-License-Identifier: GPL-2.0-only
# Formats of a later time: features that are not known, of each kind

#: newer_format -- kho_pool=512M kho_pool_inject
newer_format_0() {
	fill
	save
	damage root "root has incompatible features: 0x80" incompat=0x80 check
	go held=$held vm=$vm
}

newer_format_1() {
	quarantined "root has incompatible features"
	go
}

newer_format_2() {
	quarantined "root has incompatible features"
	save
	damage root "" incompat=1 check
	go
}

newer_format_3() {
	verify
}

#: page_size -- kho_pool=512M kho_pool_inject
page_size_0() {
	fill
	save
	damage root "root has no valid page size: 20480" frame-size=20480 check
	go held=$held vm=$vm
}

page_size_1() {
	quarantined "root has another page size"
}

#: read_only_format long -- kho_pool=512M kho_pool_inject
read_only_format_0() {
	fill
	khopool create guest 4M --expose >/dev/null || die "create"
	echo "words to keep" >/tmp/words
	khopool put notes /tmp/words >/dev/null || die "put"
	held=$(stat extents)
	save
	damage root "" ro-compat=3 check
	go held=$held vm=$vm
}

read_only_format_1() {
	check "the state says so" is "$(stat state)" "read-only: unknown features 0x2"
	check "all is there" is "$(stat extents)" "$(arg held)"
	untouched
	insmod /lib/test_kho_pool.ko
	cmd owner
	check "nothing can be allocated" fails "Read-only" take 4K
	check "nothing is changed" is "$(stat extents)" "$(arg held)"
	check "what was exposed is again" exposed guest
	for call in "create more 2M" "rm notes" "hide guest"; do
		# shellcheck disable=SC2086
		check "refused: $call" [ "$(khopool $call 2>&1 | grep -c 'can only be read')" = 1 ]
	done
	check "what was kept can be had" is "$(khopool get notes -)" "words to keep"
	check "for which it was exposed meanwhile" not exposed notes
	khopool expose notes >/dev/null || die "expose"
	check "it can be exposed" exposed notes
	go
}

read_only_format_2() {
	check "it is handed on" is "$(stat state)" "read-only: unknown features 0x2"
	untouched
	check "with what it said in the beginning" exposed guest
	check "and no more" not exposed notes
}

# What a later kernel has added and earlier ones may ignore
#: compatible_format long -- kho_pool=512M kho_pool_inject
compatible_format_0() {
	fill
	save
	damage root "" compat=0x100 check
	go held=$held vm=$vm
}

compatible_format_1() {
	check "it came with the feature" [ "$(khopool dump --in --json |
		grep -c '"compat": "0x100"')" = 1 ]
	check "the state says nothing of it" is "$(stat state)" active
	verify
	cmd alloc 2M more
	check "it goes on without it" [ "$(khopool dump --json | grep -c '"compat": "0x0"')" = 1 ]
	go held="$(stat extents)"
}

compatible_format_2() {
	check "it came without it" [ "$(khopool dump --in --json |
		grep -c '"compat": "0x0"')" = 1 ]
	verify
	untouched
}
