# SPDX-License-Identifier: GPL-2.0-only
# khopool dump and khopool verify, on a running kernel

# dump_agrees: with the kernel itself, after the stage's own allocation
dump_agrees() {
	verify
	cmd alloc 30M "stage-$stage"
	# Address, bytes, owner and name, of each extent.
	awk '{ print $1, $2, $3, $5 == "-" ? "" : $5 }' $DEBUG/extents >/tmp/extents
	khopool dump | awk '
		BEGIN { unit["KiB"] = 1024; unit["MiB"] = 1048576; unit["GiB"] = 1073741824 }
		$1 ~ /^0x/ && $2 + 0 && $3 in unit && !/,/ {
			printf "%s %.0f %s %s\n", $1, $2 * unit[$3], $4, $5
		}' >/tmp/dump
	check "all extents are there" is "$(stat extents)" "$(awk 'END { print NR }' /tmp/dump)"
	check "and what is said of them" cmp /tmp/extents /tmp/dump
	check "by way of memory it is the same" is \
		"$(khopool dump --mem /dev/mem | grep '^ ')" "$(khopool dump | grep '^ ')"
	check "all rules are kept" khopool verify
	check "so they were when it was handed over" khopool verify --in
	check "one generation before" [ "$(khopool dump --in |
		grep -c "generation $((stage - 1)), pages of .*, sealed in")" = 1 ]
	check "KHO's tree names the root" [ "$(cat /sys/kernel/debug/kho/out/fdt >/tmp/fdt &&
		khopool dump /tmp/fdt | grep -c " kho_pool/$")" = 1 ]
	report "\"dump\": $(khopool dump --json)"
}

# What khopool shows of a running kernel is what the kernel says of itself.
#: dump long records=dumps_agree
dump_0() {
	fill
	go held=$held vm=$vm
}

dump_1() {
	dump_agrees
	go held="$(stat extents)"
}

dump_2() {
	dump_agrees
}
