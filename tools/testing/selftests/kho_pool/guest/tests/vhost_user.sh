# SPDX-License-Identifier: GPL-2.0-only
# A guest whose disk another process serves, which maps the guest's memory (vhost-user):
# Debian's qemu-storage-daemon.
. /guest/qemu.sh

SOCKET=/tmp/disk.sock
BYTES=$((8 << 20))

# serve: the disk
serve() {
	rm -f $RUN/disk.sock
	export=type=vhost-user-blk,id=export,node-name=disk,writable=on
	chroot $HOME_OF_QEMU qemu-storage-daemon \
		--blockdev driver=file,node-name=disk,filename=/tmp/disk \
		--export $export,addr.type=unix,addr.path=$SOCKET >$RUN/backend.log 2>&1 &
	backend=$!
	until [ -S $RUN/disk.sock ]; do
		kill -0 $backend || die "backend: $(cat $RUN/backend.log)"
		sleep 0.1
	done
}

# boot MACHINE PAGE SIZE ARGUMENT...: with the memory in the extent "vm"
boot() {
	machine=$1 page=$2 size=$3
	shift 3
	serve
	# shellcheck disable=SC2046
	qemu $(memory "$size" "$page") -machine "$machine,memory-backend=mem" \
		-chardev socket,id=disk,path=$SOCKET -device vhost-user-blk-pci,chardev=disk "$@"
}

# sum_of SKIP COUNT: of these MiB in the backend's file
sum_of() {
	dd if=$RUN/disk bs=1M skip="$1" count="$2" 2>/dev/null | sha256sum | cut -d ' ' -f 1
}

# works WHERE MEGABYTE: what the guest reads is in the file, and what it writes goes there
works() {
	ask_disk "sum $2"
	check "$1: the guest reads what is on the disk" is "$answer" "$(sum_of 0 8)"
	ask_disk "write $2"
	check "$1: what it writes gets there" is "$answer" "$(sum_of "$2" 1)"
}

# stop: QEMU and the backend, by themselves
stop() {
	end_qemu
	kill $backend 2>/dev/null
	wait $backend 2>/dev/null
	leave_home
}

# Every page size, with the guest's address spaces that there are
#: vhost_user arch=x86_64 mem=8G disk long silence=1800 -- kho_pool=3G
#:	kvm.tsc_tolerance_ppm=10000
vhost_user_0() {
	for page_size in 4K 2M 1G; do
		khopool create vm 1G --align 1G --expose=$page_size >/dev/null || die "create"
		khopool links >/dev/null
		for machine in q35 pc; do
			go_home /guest/disk-init
			head -c $BYTES /dev/urandom >$RUN/disk
			boot $machine $page_size 1G
			until_says console "@guest is up"
			works "$machine, pages of $page_size" 3
			stop
		done
		khopool rm vm >/dev/null || die "rm"
	done
	khopool create vm 1G --align 1G --expose=1G >/dev/null || die "create"
	khopool links >/dev/null
	go_home /guest/disk-init
	head -c $BYTES /dev/urandom >$RUN/disk
	boot q35 1G 1G
	until_says console "@guest is up"
	works "before the kexec" 1
	load_next stage=1 sum="$(sum_of 0 8)" || die "kexec could not load the next kernel"
	save_guest
	end_qemu
	khopool put state $RUN/state >/dev/null || die "put"
	khopool put disk $RUN/disk >/dev/null || die "put"
	start_next
}

vhost_user_1() {
	khopool links >/dev/null
	go_home /guest/disk-init
	khopool get disk - >$RUN/disk || die "get"
	khopool get state $RUN/state || die "get"
	check "the disk is what it was" is "$(sum_of 0 8)" "$(arg sum)"
	boot q35 1G 1G -incoming defer
	resume_guest running
	works "after the kexec" 2
	works "and again" 5
	stop
	khopool rm vm state disk >/dev/null || die "rm"
	check "nothing is left" is "$(stat extents)" 0
}
