# SPDX-License-Identifier: GPL-2.0-only
# What a kernel says in its image that it can take over: what can be seen before the kexec.

# image [TYPE FIELD VALUE ...]: the next kernel's image, with this changed in its notes
image() {
	cat /dev/vda >/tmp/kernel
	while [ $# -gt 0 ]; do
		/tests/kho_pool_note /tmp/kernel "$1" "$2" "$3" || die "note $*"
		shift 3
	done
}

# load_image: by both loaders, with the word that hands over
load_image() {
	dmesg -c >/dev/null
	NEXT=/tmp/image LOADER=$1 load_next
}

# verdict STATUS WORDS COMMAND...: what khopool says about it
verdict() {
	status=$1 words=$2
	shift 2
	said=$("$@" 2>&1)
	err=$?
	echo "$said"
	check "$1 $2 ends with $status" [ $err = "$status" ]
	case $said in
	*"$words"*)	;;
	*)		die "it does not say: $words" ;;
	esac
}

# not_taken WHY WORDS CHANGES...: neither loads such an image, and khopool knows in its words
not_taken() {
	why=$1 words=$2
	shift 2
	image "$@"
	mv /tmp/kernel /tmp/image
	verdict 1 "$words" khopool can-take /tmp/image
	verdict 1 "$words" khopool check /tmp/image /tmp/initrd.file
	for LOADER in kexec_file_load kexec_load; do
		load_image $LOADER 2>/dev/null && die "it was loaded: $why"
		check "$LOADER: refused: $why" logged "would lose $held extents: $why"
	done
	check "the pool works on" is "$(stat state)" active
}

KHO_NOTE=1
POOL_NOTE=2

#: image_note both
image_note_0() {
	fill
	cat /dev/vdb >/tmp/initrd.file
	verdict 2 "no image is loaded" khopool check
	not_taken "its kernel reads another version of KHO's tree" "reads KHO's tree as kho-v0" \
		$KHO_NOTE compatible kho-v0
	not_taken "its kernel has another page size" "its kernel has pages of" \
		$KHO_NOTE page_size $((page * 4))
	not_taken "its kernel has no kho_pool" "its kernel has no kho_pool" $POOL_NOTE magic -
	not_taken "its kernel reads another format of pools" "reads pools as kho-pool-v0" \
		$POOL_NOTE compatible kho-pool-v0
	not_taken "its kernel does not know a feature that the pools have" \
		"does not know the features 0x1 of the pools" $POOL_NOTE incompat 0

	# One that only kexec -s can hand over to
	image $KHO_NOTE flags 0
	mv /tmp/kernel /tmp/image
	verdict 0 "only kexec -s" khopool can-take /tmp/image
	load_image kexec_load 2>/dev/null && die "it was loaded"
	check "refused" logged "its kernel does not read kho_handover="
	load_image kexec_file_load || die "kexec -s"
	verdict 0 "loses nothing" khopool check
	# Of those who ask, none makes another one find it busy.
	for i in $(seq 20); do
		cat /sys/kernel/mm/kho_pool/kexec >>/tmp/asked &
		cat /sys/kernel/mm/kho_pool/kexec >>/tmp/asked
	done
	wait
	check "forty have the same answer" is "$(sort /tmp/asked | uniq -c | tr -s ' ')" " 40 ready"

	# One that says nothing
	image $KHO_NOTE magic - $POOL_NOTE magic -
	mv /tmp/kernel /tmp/image
	verdict 2 "does not say" khopool can-take /tmp/image
	verdict 2 "does not say" khopool check /tmp/image
	for LOADER in kexec_file_load kexec_load; do
		load_image $LOADER || die "load"
		check "$LOADER: it is loaded, with one warning" is \
			"$(dmesg | grep -c "the image does not say what its kernel can")" 1
		verdict 2 "does not say" khopool check
	done
	echo 1 >/sys/kernel/mm/kho_pool/strict
	verdict 1 "(kho_pool_strict)" khopool check
	for LOADER in kexec_file_load kexec_load; do
		load_image $LOADER 2>/dev/null && die "it was loaded"
		check "$LOADER: strict: refused" logged "(kho_pool_strict)"
	done

	# What is too large for the scratch areas
	image
	mv /tmp/kernel /tmp/image
	verdict 0 "loses nothing" khopool check /tmp/image /tmp/initrd.file
	truncate -s 8G /tmp/large
	verdict 1 "do not fit KHO's scratch areas" khopool check /tmp/image /tmp/large
	rm /tmp/large /tmp/initrd.file
	verdict 0 "" khopool can-take /tmp/image
	go held=$held vm=$vm kho_pool_strict=1
}

image_note_1() {
	check "every extent came over" is "$(stat extents)" "$(arg held)"
	untouched
	check "strict on the command line" is "$(cat /sys/kernel/mm/kho_pool/strict)" 1
	echo owner:test >$POOL/release || die "release"
	check "there is nothing to lose" is "$(stat extents)" 0
	verdict 0 "there are no extents" khopool check
	# What nobody minds now is refused at the kexec.
	image $POOL_NOTE magic -
	mv /tmp/kernel /tmp/image
	load_image kexec_file_load || die "without extents it is loaded"
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	cmd alloc "$page" last
	verdict 1 "its kernel has no kho_pool" khopool check
	kexec -e 2>/dev/null
	check "the kexec is refused" logged \
		"kexec refused, it would lose $(stat extents) extents: its kernel has no kho_pool"
	check "the pool works on" is "$(stat state)" active
	# A feature that only we know
	awk '$5 == "last" { print $1 }' $DEBUG/extents >$DEBUG/bad
	check "a page is bad" is "$(cat /sys/kernel/mm/kho_pool/ro_compat)" 0x1
	image $POOL_NOTE ro_compat 0
	mv /tmp/kernel /tmp/image
	verdict 0 "it will only read the pools" khopool can-take /tmp/image
	load_image kexec_file_load || die "load"
	check "it is said" logged "does not know the features 0x1: it will only read the pools"
	verdict 0 "loses nothing" khopool check
	LOADER=kexec_load go held="$(stat extents)"
}

image_note_2() {
	check "every extent came over" is "$(stat extents)" "$(arg held)"
}

# Someone allocates while the kexec of an image is being checked that would hand on, but
# whose kernel takes nothing over.
#: image_second_look
image_second_look_0() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	image $POOL_NOTE magic -
	mv /tmp/kernel /tmp/image
	NEXT=/tmp/image load_next stage=lost || die "without extents it is loaded"
	echo 1 >$DEBUG/between_alloc
	kexec -e 2>/dev/null && die "it was started"
	check "it came in between" logged "allocation between the looks: 0"
	check "the kexec is refused" logged \
		"kexec refused, it would lose 1 extents: its kernel has no kho_pool"
	check "the pool works on" is "$(stat state)" active
	echo 0 >$DEBUG/between_alloc
	cmd generation 0
	cmd alloc 6M after
	go held="$(stat extents)"
}

image_second_look_1() {
	check "both came over" is "$(stat extents)" "$(arg held)"
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 1
	verify_all
}

# A vmlinux says the same as the image that is booted.  kexec-tools would place it where it was
# linked for, which is in no scratch area.
#: image_elf arch=x86_64 elf
image_elf_0() {
	fill
	cat /dev/vdc >/tmp/elf
	check "khopool knows that it takes the pools over" khopool can-take /tmp/elf
	for LOADER in kexec_load kexec_file_load; do
		NEXT=/dev/vdc load_next stage=1 2>/tmp/said && die "$LOADER: it was loaded"
		check "$LOADER: nothing is loaded" is "$(cat /sys/kernel/kexec/loaded)" 0
	done
	LOADER=kexec_file_load go held=$held vm=$vm
}

image_elf_1() {
	verify
}
