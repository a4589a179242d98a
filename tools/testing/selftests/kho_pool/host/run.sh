# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What systemd runs in a host that is tested: the test that is named as the machine's serial
# number.
. /usr/local/lib/kho_pool/lib.sh
gen=$(cat $POOL/generation 2>/dev/null || echo none)
. /usr/local/lib/kho_pool/"$(cat /sys/class/dmi/id/product_serial)".sh
