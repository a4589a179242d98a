#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One blackout: way= says how the guest's memory goes to the next kernel, mib= how much
# it is, shmem= whether memfds have huge pages.  Run under -icount.
. /guest/lib.sh

if [ -z "$(arg then)" ]; then
	[ -z "$(arg shmem)" ] || arg shmem >/sys/kernel/mm/transparent_hugepage/shmem_enabled
	cat /dev/vda >/tmp/kernel
	cat /dev/vdb >/tmp/initrd
	/tests/kho_pool_blackout load /tmp/kernel /tmp/initrd "$(cat /proc/cmdline) then=1" ||
		die "kexec could not load the next kernel"
	rm /tmp/kernel /tmp/initrd
	# Where it goes in, for those who look on from outside.
	purgatory=$(dmesg | sed -n 's/.*kexec_file_load:.* start:\(0x[0-9a-f]*\).*/\1/p')
	image=$(dmesg | sed -n 's/.*Loaded 64bit kernel at \(0x[0-9a-f]*\).*/\1/p')
	echo "@json {\"purgatory\": \"$purgatory\", \"image\": \"$image\"}"
	# They say on the console when they have seen it.
	read -r _
	said=$(/tests/kho_pool_blackout leave "$(arg way)" "$(arg mib)" 2>&1)
	die "kho_pool_blackout: $said"
fi
said=$(/tests/kho_pool_blackout enter "$(arg way)" 2>&1) || die "kho_pool_blackout: $said"
echo "@json $said"
dmesg
