# SPDX-License-Identifier: GPL-2.0-only
# What mainline's KHO makes of the pools' memory.  The pools have names, and regions of
# odd sizes.

POOLS=/sys/kernel/mm/kho_pool
# The test driver works with the first pool.
POOL=$POOLS/vm

# metadata: root and indexes, as start:size in whole pages
metadata() {
	echo "$(root_at):$(whole_pages "$(wc -c <$DEBUG/out/root)")"
	while read -r _ key _ _ _ _ index _ size _; do
		[ "$key" != base ] || echo "$index:$(whole_pages $((size)))"
	done <$DEBUG/regions
}

# regions: the pools' memory, in the same way
regions() {
	awk '$2 == "base" { print $3 ":" $5 }' $DEBUG/regions
}

# keys: does KHO's tree have all of it, in keys that every KHO understands?  Some keep
# the size of a key in an int.
keys() {
	set -- --max 1G
	for range in $(regions) $(metadata); do
		set -- "$@" --covers "${range%:*}" "${range#*:}"
	done
	echo "kho_pool_keys $*"
	/tests/kho_pool_keys "$@"
}

# misses TEXT OPTION...: kho_pool_keys fails with this text
misses() {
	text=$1
	shift
	/tests/kho_pool_keys "$@" >/tmp/keys
	is $? 1 && grep -qF "$text" /tmp/keys
}

# fill_pools: allocate and fill everything, with the test driver's pattern; $extents and
# $ledger say what is where
fill_pools() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	while [ "$(stat free_bytes)" -gt 0 ]; do
		cmd alloc "$(stat largest_free_bytes)"
	done
	for pool in small tiny; do
		while [ "$(cat $POOLS/$pool/free_bytes)" -gt 0 ]; do
			khopool create "$pool/all-$(cat $POOLS/$pool/extents)" \
				"$(cat $POOLS/$pool/largest_free_bytes)" >/dev/null || die "create"
		done
	done
	extents=$(awk '$5 != "test-ledger" { print $1 ":" $2 }' $DEBUG/extents)
	ledger=$(awk '$5 == "test-ledger" { print $1 ":" $2 }' $DEBUG/extents)
	for range in $(awk '$3 == "user" { print $1 ":" $2 }' $DEBUG/extents); do
		/tests/kho_pool_mem fill "${range%:*}" "${range#*:}" 0 || die "fill"
	done
}

# whole RANGE...: every byte is as fill_pools has left it
whole() {
	bytes=0 bad=0
	for range; do
		said=$(/tests/kho_pool_mem "${range%:*}" "${range#*:}" 0)
		echo "$said"
		bytes=$((bytes + $(echo "$said" | cut -d " " -f 3)))
		bad=$((bad + $(echo "$said" | cut -d " " -f 1)))
	done
	[ $bad = 0 ]
}

# digest RANGE...: a digest of what is in memory there, as one word
digest() {
	for range; do
		/tests/kho_pool_mem dump "${range%:*}" "${range#*:}" || die "dump"
	done | sha256sum | cut -c 1-64
}

# word LIST: one word, for the command line
word() {
	# shellcheck disable=SC2086
	echo $1 | tr ' ' ,
}

# words NAME: the list out of it
words() {
	arg "$1" | tr , ' '
}

# handed_over: root and indexes into /tmp/root, /tmp/index0 and so on, by /dev/mem
handed_over() {
	file=/tmp/root
	nr=0
	for range; do
		/tests/kho_pool_mem dump "${range%:*}" "${range#*:}" >$file || die "dump"
		file=/tmp/index$nr
		nr=$((nr + 1))
	done
}

# Each kernel makes a new tree.
# What mainline's KHO is told
#: stock_keys page_sizes mem=8G -- kho_pool=a:3G,b:128M,c:256M
stock_keys_0() {
	check "the pools are there" is "$(cat $POOLS/a/size_bytes) $(ls -d $POOLS/*/ | wc -l)" \
		"3221225472 3"
	check "KHO's tree has all of it, in keys of no more than 1 GiB" keys
	# Does the program notice what is wrong?
	check "there are larger keys than a page" misses "not ok: the key at" --max $page
	check "the first page has no key" misses "not ok: no key covers [0-" --covers 0 $page
	[ $stage = 1 ] || go
}

stock_keys_1() {
	stock_keys_0
}

# What a kernel that has nothing else makes of it: pieces of 128 MiB share a GiB with
# indexes.
#: stock_fills arch=x86_64 plain tools mem=6G -- kho_pool=vm:3G,small:128M,tiny:256M
stock_fills_0() {
	fill_pools
	check "pools are full" is "$(cat $POOLS/*/free_bytes | sort -u)" 0
	cmd verify
	# shellcheck disable=SC2086
	check "every byte was written" whole $extents
	check "that is all of the pools but the driver's ledger" is "$bytes" \
		$(($(cat $POOLS/*/size_bytes | paste -s -d +) - ${ledger#*:}))
	meta=$(echo $(metadata))
	# The root is not sealed yet; the next kernel checks it.
	# shellcheck disable=SC2086
	NEXT=/dev/vdc go extents="$(word "$extents")" meta="$(word "$meta")" ledger=$ledger \
		ledger_was="$(digest $ledger)" indexes="$(digest ${meta#* })"
}

stock_fills_1() {
	check "this kernel has no kho_pool" [ ! -e /sys/kernel/mm/kho_pool ]
	extents=$(words extents)
	meta=$(words meta)
	# shellcheck disable=SC2086
	handed_over $meta
	check "root and indexes are in order" khopool verify /tmp/root /tmp/index*
	# shellcheck disable=SC2086
	was=$(digest $meta)
	fill_memory 95
	# shellcheck disable=SC2086
	whole $extents
	account "$bytes" "$bad"
	check "every byte of the extents is as it was" [ "$bad" = 0 ]
	check "so is the driver's ledger" is "$(digest "$(arg ledger)")" "$(arg ledger_was)"
	# shellcheck disable=SC2086
	check "so are the indexes, since the kernel before" is "$(digest ${meta#* })" \
		"$(arg indexes)"
	# shellcheck disable=SC2086
	check "so is the root" is "$(digest $meta)" "$was"
}
