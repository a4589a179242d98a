# SPDX-License-Identifier: GPL-2.0-only
# Devices that read and write extents through an IOMMU
. /guest/qemu.sh

PCI=/sys/bus/pci

EDU=0x1234:0x11e8
NVME=0x1b36:0x0010

# take_device VENDOR:DEVICE: give VFIO the one of that kind, $bdf
take_device() {
	bdf=
	for dev in $PCI/devices/*; do
		[ "$(cat "$dev/vendor"):$(cat "$dev/device")" != "$1" ] || bdf=${dev##*/}
	done
	[ -n "$bdf" ] || die "there is no such device"
	[ ! -e "$PCI/devices/$bdf/driver" ] || echo "$bdf" >"$PCI/devices/$bdf/driver/unbind"
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
	take_device $EDU
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
	take_device $EDU
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

# boot PAGE DEVICE ARGUMENT...: a guest with the memory in the extent "vm", and VFIO's device
# in its slot if it is not empty
boot() {
	page=$1 passed=$2
	shift 2
	# shellcheck disable=SC2046,SC2086
	qemu $(memory 1G "$page") -machine q35,memory-backend=mem -object iommufd,id=iommufd \
		-device pcie-root-port,id=rp0,chassis=1 ${passed:+-device $passed} "$@"
}

# in_container, by_iommufd: how QEMU takes the device
in_container() { echo "vfio-pci,id=passed,bus=rp0,host=$bdf"; }
by_iommufd() { echo "$(in_container),iommufd=iommufd"; }

# works WHERE MEGABYTE: the guest has the disk, and reads what it has written
works() {
	ask_disk "write $2"
	wrote=$answer
	ask_disk "part $2"
	check "$1: the guest's disk has what it wrote" is "$answer" "$wrote"
	ask_disk "sum $2"
	sum=$answer
}

# Passed through to a guest of Debian's QEMU, with each page size; unplugged before a kexec
# and plugged in again after it
#: vfio_guest arch=x86_64 machine=nvme disk long silence=1800 -- kho_pool=3G intel_iommu=on
#:	kvm.tsc_tolerance_ppm=10000
vfio_guest_0() {
	take_device $NVME
	for page_size in 4K 2M 1G; do
		khopool create vm 1G --align 1G --expose=$page_size >/dev/null || die "create"
		for way in in_container by_iommufd; do
			go_home /guest/disk-init
			boot $page_size "$($way)"
			until_says console "@guest is up"
			works "pages of $page_size, $way" 3
			says 1 "qemu-system-x86 ($qemu)" hide vm
			end_qemu
			leave_home
			check "nothing stays pinned" khopool hide vm
			khopool expose vm --align $page_size >/dev/null || die "expose"
		done
		[ $page_size = 1G ] || khopool rm vm >/dev/null || die "rm"
	done
	go_home /guest/disk-init
	boot 1G "$(in_container)"
	until_says console "@guest is up"
	works "before the kexec" 1
	monitor "device_del passed"
	ask_disk gone
	until_says monitor "Device 'passed' not found" "device_del passed"
	load_next stage=1 sum="$sum" || die "kexec could not load the next kernel"
	save_guest
	end_qemu
	khopool put state $RUN/state >/dev/null || die "put"
	start_next
}

vfio_guest_1() {
	take_device $NVME
	khopool links >/dev/null
	go_home /guest/disk-init
	khopool get state $RUN/state || die "get"
	boot 1G "" -incoming defer
	resume_guest running
	monitor "device_add $(in_container)"
	ask_disk "sum 4"
	check "it is plugged in again, and has what it had" is "$answer" "$(arg sum)"
	works "after the kexec" 5
	end_qemu
	leave_home
	khopool rm vm state >/dev/null || die "rm"
	check "nothing is left" is "$(stat extents)" 0
}
