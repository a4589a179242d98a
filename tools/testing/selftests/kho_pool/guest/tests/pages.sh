# SPDX-License-Identifier: GPL-2.0-only
# Sizes that depend on the kernel's page size

# Blocks follow the page size, and so do huge pages: with pages of 4, 16 and 64
# KiB one of them is 1, 4 and 16 blocks.  This is run with each size (page_sizes); most
# other tests know pages of 4 KiB only.
#: pages page_sizes mem=6G -- kho_pool=2G
pages_0() {
	fill
	block=$((512 * page)) huge=$((page / 8 * page))
	cmd alloc $((3 * block)) blocks $block
	cmd alloc $huge huge $huge
	at=$(awk '$5 == "huge" { print $1 }' $DEBUG/extents)
	check "it can be mapped as one" is $((at % huge)) 0
	check "bytes are no pages" fails "Invalid argument" alloc $((page + page / 2))
	go held=$(stat extents) vm=$vm
}

pages_1() {
	verify
	cmd free blocks
	cmd alloc $((2 * page)) two
	go held=$(stat extents) vm=$(arg vm)
}

pages_2() {
	verify
	untouched
}
