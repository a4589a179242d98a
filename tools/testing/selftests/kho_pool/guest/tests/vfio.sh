# SPDX-License-Identifier: GPL-2.0-only
# A device that reads and writes extents through an IOMMU

PCI=/sys/bus/pci

# edu: where QEMU's device is
edu() {
	for dev in $PCI/devices/*; do
		[ "$(cat "$dev/vendor"):$(cat "$dev/device")" != 0x1234:0x11e8 ] ||
			basename "$dev"
	done
}

take_device() {
	bdf=$(edu)
	[ -n "$bdf" ] || die "there is no such device"
	echo vfio-pci >"$PCI/devices/$bdf/driver_override" || die "driver_override"
	echo "$bdf" >$PCI/drivers_probe || die "drivers_probe"
	check "there is an IOMMU" [ -e "$PCI/devices/$bdf/iommu_group" ]
}

# dma MODE DEVICE SIZE: someone, $holder, whose device has copied pages of it and may go on
dma() {
	rm -f /tmp/hold
	/tests/kho_pool_vfio "$1" "$bdf" "$2" "$3" >/tmp/hold 2>/tmp/err &
	holder=$!
	until grep -qs held /tmp/hold; do
		kill -0 $holder || die "kho_pool_vfio $*: $(cat /tmp/err)"
		sleep 0.1
	done
}

# The page sizes, and how large an extent with each is
extents="4K:16M 2M:64M 1G:1G"

#: vfio arch=x86_64 machine=intel_iommu long -- kho_pool=3G intel_iommu=on
#: vfio_arm64 stages=vfio arch=arm64 machine=smmu_v3 long -- kho_pool=3G
vfio_0() {
	take_device
	for extent in $extents; do
		khopool create "e${extent%:*}" "${extent#*:}" >/dev/null || die "create"
		# Not all have devices with pages of that size.
		khopool expose "e${extent%:*}" --align "${extent%:*}" >/dev/null 2>&1 ||
			khopool rm "e${extent%:*}" || die "rm"
	done
	for name in $(khopool ls --names); do
		name=${name#*/}
		size=$(khopool show "$name" --json | sed -n 's/.*"size": \(.*\),/\1/p')
		for mode in container iommufd; do
			dma $mode "$(device "$name")" "$size"
			says 1 "kho_pool_vfio ($holder)" hide "$name"
			says 1 "kho_pool_vfio ($holder)" rm "$name"
			end_hold
			check "what the device wrote is there" \
				/tests/kho_pool_vfio check "$(device "$name")" "$size"
			check "it can be hidden now" khopool hide "$name"
			khopool expose "$name" --align "${name#e}" >/dev/null || die "expose"
		done
	done
	# iommufd maps files of memory only.
	/tests/kho_pool_vfio file "$bdf" "$(device e4K)" $((16 << 20)) 2>/tmp/err &&
		die "iommufd maps device-dax: say so in the guide"
	check "iommufd says that it cannot map such a file" grep -q "Invalid argument" /tmp/err
	dma container "$(device e4K)" $((16 << 20))
	next_kernel stage=1
}

vfio_1() {
	take_device
	for name in $(khopool ls --names); do
		name=${name#*/}
		size=$(khopool show "$name" --json | sed -n 's/.*"size": \(.*\),/\1/p')
		check "what the device wrote came over" \
			/tests/kho_pool_vfio check "$(device "$name")" "$size"
		dma iommufd "$(device "$name")" "$size"
		end_hold
		check "the device can go on" \
			/tests/kho_pool_vfio check "$(device "$name")" "$size"
		khopool rm "$name" >/dev/null || die "rm"
	done
}
