#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Where KASLR has put the kernel, and the memory left for the pools.
. /guest/lib.sh

kernel=$(sed -n 's/^ *\([0-9a-f]*\)-.* Kernel code$/\1/p' /proc/iomem)
regions=$(awk '$2 == "base" {
	printf "%s{\"pool\": \"%s\", \"base\": \"%s\", \"size\": \"%s\"}", sep, $1, $3, $5
	sep = ", "
}' $DEBUG/regions)
echo "@json {\"kernel\": \"0x$kernel\", \"state\": \"$(cat $HANDOVER)\", \"regions\": [$regions]}"
