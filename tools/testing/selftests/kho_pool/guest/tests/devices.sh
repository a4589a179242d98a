# SPDX-License-Identifier: GPL-2.0-only
# Devices of extents whose driver leaves them, or that this kernel cannot make

DRIVERS=/sys/bus/dax/drivers
OFFLINE=/sys/devices/system/memory/hard_offline_page

# driver bind|unbind DEVICE: of device_dax
driver() {
	echo "$2" >$DRIVERS/device_dax/$1
}

# reserved NAME: no driver can have the memory
reserved() {
	base=$(khopool show "$1" --json | sed -n 's/.*"base": "\(.*\)".*/\1/p')
	grep "KHO pool" /proc/iomem | while IFS=' -' read -r from to _; do
		[ $((base)) -ge $((0x$from)) ] && [ $((base)) -le $((0x$to)) ] && echo "$1"
	done | grep -q .
}

#: device_pins both
device_pins_0() {
	size=$((4 << 20))
	khopool create guest $size --expose=$page >/dev/null || die "create"
	khopool create other $size --expose=$page >/dev/null || die "create"
	hold "$(device guest)" $size pin
	says 1 "or its pages are pinned" hide guest
	end_hold
	check "until they end" khopool hide guest
	# With huge pages, if they are small enough
	khopool expose guest >/dev/null || die "expose"
	hold "$(device guest)" $size pin
	dev=$(basename "$(device guest)")
	driver unbind "$dev" || die "unbind"
	check "the log tells of pins" logged "pages are pinned, and their driver leaves"
	says 1 "pinned since before device_dax left it" hide guest
	says 1 "pinned since before device_dax left it" rm guest
	check "show says so" [ "$(khopool show guest --json | grep -c '"pinned": true')" = 1 ]
	check "no driver can have it" not driver bind "$dev"
	check "its memory is reserved" reserved guest
	end_hold
	check "afterwards one can" driver bind "$dev"
	check "and there are no pins" [ "$(khopool show guest --json |
		grep -c '"pinned": false')" = 1 ]
	hold "$(device guest)" $size pin
	driver unbind "$dev" || die "unbind"
	says 1 "pinned since before device_dax left it" hide guest
	end_hold
	check "it is hidden without its driver" khopool hide guest
	khopool expose guest --align $page >/dev/null || die "expose"
	hold "$(device guest)" $size pin
	dev=$(basename "$(device guest)")
	driver unbind "$dev" || die "unbind"
	# Mappings go with the driver, and are no pins.
	hold "$(device other)" $size
	dev=$(basename "$(device other)")
	driver unbind "$dev" || die "unbind"
	says 1 "is mapped" hide other
	end_hold
	check "and is all that did" khopool hide other
	go
}

device_pins_1() {
	check "the next kernel has no such pins" khopool hide guest
	khopool rm guest other >/dev/null || die "rm"
}

# A device without 1 GiB pages, while the CPU seems not to have them
#: device_later arch=x86_64 mem=8G -- kho_pool=5G
device_later_0() {
	for name in waits smaller hidden removed; do
		khopool create $name 1G --expose=1G >/dev/null || die "create"
	done
	/tests/kho_pool_luo fill "$(device waits)" $((1 << 30)) 1 || die "fill"
	/tests/kho_pool_luo fill "$(device smaller)" $((1 << 30)) 2 || die "fill"
	next_kernel stage=1 clearcpuid=pdpe1gb free="$(stat free_bytes)"
}

device_later_1() {
	check "the log says so" logged "default/waits: cannot make a device of it"
	check "no device" [ -z "$(device waits)" ]
	check "it is still to be exposed" is \
		"$(khopool show waits --json | sed -n 's/.*"owner": "\(.*\)".*/\1/p')" dax30
	check "and is the user's" [ "$(khopool show waits --json | grep -c '"user": true')" = 1 ]
	says 1 "cannot map pages of 1 GiB" expose waits --align 1G
	check "that changes nothing" is "$(stat free_bytes)" "$(arg free)"
	check "smaller pages are possible" khopool expose smaller
	check "all of it is there" /tests/kho_pool_luo check "$(device smaller)" $((1 << 30)) 2
	check "hiding needs no device" khopool hide hidden
	says 1 "is not exposed" hide hidden
	check "nor does removing" khopool rm removed
	check "its memory is free" is "$(stat free_bytes)" $(($(arg free) + (1 << 30)))
	next_kernel stage=2 -clearcpuid
}

device_later_2() {
	check "it is exposed again" exposed waits
	check "with its pages" [ "$(khopool show waits --json |
		grep -c '"page_size": 1073741824')" = 1 ]
	check "all of it is there" /tests/kho_pool_luo check "$(device waits)" $((1 << 30)) 1
	check "what got smaller pages keeps them" [ "$(khopool show smaller --json |
		grep -c '"page_size": 2097152')" = 1 ]
	check "what was hidden is hidden" [ -z "$(device hidden)" ]
	khopool rm waits smaller hidden >/dev/null || die "rm"
}

# Another driver in between takes its own handler of memory errors away.
#: device_between both
device_between_0() {
	[ -e $OFFLINE ] || die "no memory errors here"
	khopool create guest 4M --expose=$page >/dev/null || die "create"
	dev=$(basename "$(device guest)")
	driver unbind "$dev" || die "unbind"
	echo "$dev" >$DRIVERS/fsdev_dax/new_id || die "new_id"
	check "another driver has it" [ -e "$DRIVERS/fsdev_dax/$dev" ]
	says 1 "the driver fsdev_dax has it" hide guest
	echo "$dev" >$DRIVERS/fsdev_dax/remove_id || die "remove_id"
	echo "$dev" >$DRIVERS/fsdev_dax/unbind || die "unbind"
	driver bind "$dev" || die "bind"
	awk '$5 == "guest" { print $1 }' $DEBUG/extents >$OFFLINE || die "memory error"
	check "an unmapped page with an error is not mapped" is \
		"$(/tests/kho_pool_bad "/dev/$dev" $((4 << 20)) 0)" SIGBUS
	check "others are" is "$(/tests/kho_pool_bad "/dev/$dev" $((4 << 20)) $page)" read
	khopool hide guest || die "hide"
}
