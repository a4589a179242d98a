# SPDX-License-Identifier: GPL-2.0-only
# Device-dax and the driver that makes its devices of extents as modules, loaded in any
# order, or not at all: what was exposed is exposed in a later kernel that has both.

# owner NAME: in the pool's index
owner() {
	awk -v name="$1" '$5 == name { print $3 }' $DEBUG/extents
}

# same_words: the device of the extent "guest" has the words that were written first
same_words() {
	is "$(khopool get guest - 2>&1)" "words to keep"
}

# devices: how many extents have one
devices() {
	ls -d /sys/bus/faux/devices/kho_pool.* 2>/dev/null | wc -l
}

# The module goes while it makes a device, at any moment of that.
#: modules_go arch=x86_64 strict
modules_go_0() {
	load_dax
	khopool create big 256M >/dev/null || die "create"
	gone=0 kept=0 tries=0
	while [ $tries -lt 40 ] || [ $gone = 0 ] || [ $kept = 0 ]; do
		khopool expose big --align $page >/tmp/said 2>&1 &
		usleep $((tries % 40 * 2000))
		if rmmod kho_pool 2>/dev/null; then
			gone=$((gone + 1))
			wait $!
			[ "$(devices)" = 0 ] || die "a device without its module"
			insmod /lib/kho_pool.ko || die "insmod kho_pool"
			exposed big && die "it was exposed by nobody"
		else
			kept=$((kept + 1))
			wait $!
			exposed big || die "$(cat /tmp/said)"
			cat /sys/bus/faux/devices/kho_pool.*/kho_extent >/dev/null || die "extent"
			khopool hide big || die "hide"
		fi
		tries=$((tries + 1))
	done
	check "the module has gone $gone times, and stayed $kept times" true
	check "all is as it was" is "$(owner big)" user
}

# all_there: every extent, byte by byte
all_there() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	cmd generation "$(stat generation)"
	verify_all
}

#: modules arch=x86_64 strict
modules_0() {
	fill
	echo "words to keep" >/tmp/words
	insmod /lib/kho_pool.ko || die "insmod kho_pool"
	khopool create other 4M >/dev/null || die "create"
	khopool expose other 2>/dev/null && die "it was exposed without device_dax"
	check "nothing has changed" is "$(owner other)" user
	insmod /lib/device_dax.ko || die "insmod device_dax"
	khopool expose other >/dev/null || die "expose"
	check "the next try works" exposed other
	khopool put guest /tmp/words >/dev/null || die "put"
	check "the words are there" same_words
	go held="$(stat extents)" vm=$vm owners="$(owner guest),$(owner other)"
}

# The driver of the devices comes first.
modules_1() {
	insmod /lib/kho_pool.ko || die "insmod kho_pool"
	check "the device is there" exposed other
	check "the log says that it has no driver" logged "is not bound to device_dax: "
	check "the owners are as they were" is "$(owner guest),$(owner other)" "$(arg owners)"
	insmod /lib/device_dax.ko || die "insmod device_dax"
	dev=$(basename "$(device other)")
	check "it has its driver" [ -e "/sys/bus/dax/drivers/device_dax/$dev" ]
	check "the words are there" same_words
	khopool hide other >/dev/null || die "hide"
	khopool expose other >/dev/null || die "expose"
	all_there
	LOADER=kexec_load go held=$(arg held) vm=$(arg vm) owners="$(arg owners)"
}

# Its driver never comes.
modules_2() {
	insmod /lib/kho_pool.ko || die "insmod kho_pool"
	check "the owners are as they were" is "$(owner guest),$(owner other)" "$(arg owners)"
	all_there
	go held=$(arg held) vm=$(arg vm) owners="$(arg owners)"
}

# Neither comes.
modules_3() {
	check "the owners are as they were" is "$(owner guest),$(owner other)" "$(arg owners)"
	all_there
	LOADER=kexec_load go held=$(arg held) vm=$(arg vm) owners="$(arg owners)"
}

modules_4() {
	load_dax
	check "it is exposed" exposed other
	check "the words are there" same_words
	all_there
}
