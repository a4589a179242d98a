# SPDX-License-Identifier: GPL-2.0-only
# What the guest's scripts share.  Lines that begin with '@' are for the host.

POOL=/sys/kernel/mm/kho_pool/default
HANDOVER=/sys/kernel/mm/kho_pool/handover
DEBUG=/sys/kernel/debug/kho_pool
KHO=/sys/kernel/kexec_handover
TEST=/sys/kernel/debug/kho_pool_test
GCOV=/sys/kernel/debug/gcov

# arg NAME: its value on the command line
arg() {
	for word in $(cat /proc/cmdline); do
		case $word in
		"$1="*) echo "${word#*=}" ;;
		esac
	done
}

# save_coverage: what a kernel with counters has counted, to the second serial
# port.  The counters end with the kernel, so this comes before each kexec.
save_coverage() {
	[ -d $GCOV ] || return 0
	mkdir -p /tmp/gcov
	for data in $(find $GCOV -name '*.gcda'); do
		cat "$data" >"/tmp/gcov/${data##*/}"
	done
	# Else those would be counted twice if the kexec fails.
	echo 1 >$GCOV/reset
	{ echo "@gcov"; tar -cz -C /tmp gcov | base64; echo "@end"; } >/dev/ttyS1
}

# drain: wait until the console has all that was said
drain() {
	stty -F /dev/console cs8
}

die() {
	echo "@fail $*"
	save_coverage
	drain
	reboot -f
	sleep 60
}

cmd() {
	echo "$*" >$TEST/cmd || die "command: $*"
}

# is_there NAME: is there an extent of this name?
is_there() {
	grep -q " $1\$" $DEBUG/extents
}

result() {
	sed -n "s/^$1 //p" $TEST/result
}

stat() {
	cat $POOL/$1
}

# version: which kernel this is; one of the same version may have no kho_pool
version() {
	if [ -e /sys/kernel/mm/kho_pool ]; then
		uname -r
	else
		echo "$(uname -r)-plain"
	fi
}

# account BYTES BAD: so many bytes that the previous kernel held were verified in this
# one, and so many of them have changed; for the host's table
account() {
	from=$(arg from)
	echo "@verified {\"from\": \"${from%,*}\", \"loader\": \"${from#*,}\"," \
		"\"kernel\": \"$(version)\", \"bytes\": $1, \"bad\": $2}"
}

# verify_all: every byte of every extent, as the test driver has filled it
verify_all() {
	echo verify >$TEST/cmd
	err=$?
	account "$(result bytes)" "$(result bad_bytes)"
	[ $err = 0 ] || die "command: verify"
}

# next_kernel [CHANGES TO THE COMMAND LINE ...]: kexec; NAME=VALUE replaces or
# adds, -NAME removes.  NEXT= and INITRD= name other disks to take them from.
# LOADER=kexec_load has kexec-tools place the image; ARGS= then are other arguments.
# LOAD=-p loads it for a crash.
# from= tells the next kernel which one this is, and how it came to it.
load_next() {
	line=$(cat /proc/cmdline)
	set -- "$@" "from=$(version),${LOADER:-kexec_file_load}"
	[ "$LOADER" != kexec_load ] || set -- "$@" -kho_handover
	for change in "$@"; do
		name=${change%%=*}
		name=${name#-}
		new=
		for word in $line; do
			case $word in
			"$name"|"$name="*) ;;
			*) new="$new $word" ;;
			esac
		done
		line=$new
		case $change in
		-*) ;;
		*) line="$line $change" ;;
		esac
	done
	cat "${NEXT:-/dev/vda}" >/tmp/kernel
	cat "${INITRD:-/dev/vdb}" >/tmp/initrd
	case ${LOADER:-kexec_file_load} in
	kexec_file_load)
		kexec -s ${LOAD:--l} /tmp/kernel --initrd=/tmp/initrd --command-line="${line# }"
		;;
	kexec_load)
		# shellcheck disable=SC2046,SC2086
		kexec -c ${LOAD:--l} /tmp/kernel --initrd=/tmp/initrd ${ARGS-$(cat $KHO/args)} \
			--command-line="${line# } ${CMDLINE-$(cat $KHO/cmdline)}"
		;;
	esac
	err=$?
	rm -f /tmp/kernel /tmp/initrd
	return $err
}

# start_next: start what was loaded
start_next() {
	save_coverage
	drain
	kexec -e
	die "kexec did not start the next kernel"
}

next_kernel() {
	load_next "$@" || die "kexec could not load the next kernel"
	start_next
}

# report EXTRA-JSON: what this generation has seen
report() {
	# Unquoted, so that it comes out as one line.
	# shellcheck disable=SC2046,SC2086
	echo "@json" $(cat <<-END
	{"generation": $(stat generation), "extents": $(stat extents),
	 "unclaimed": $(stat unclaimed), "pool_bytes": $(stat size_bytes),
	 "free_bytes": $(stat free_bytes), "index_bytes": $(stat index_bytes),
	 "root_bytes": $(stat root_bytes), "seal_ns": $(stat seal_ns),
	 "restore_ns": $(stat restore_ns), "regions": $(stat regions),
	 "largest_free_bytes": $(stat largest_free_bytes),
	 "free_areas": $(stat free_areas), "kernel": "$(uname -r)"${1:+, $1}}
	END
	)
}
