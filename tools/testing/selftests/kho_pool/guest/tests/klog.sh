# SPDX-License-Identifier: GPL-2.0-only
# kho_pool_klog, a driver with a log that survives kexec.
# Kernels are counted from 1, stages from 0.

LOG=/dev/kho_pool_klog
KLOG=/sys/bus/faux/devices/kho_pool_klog

load_klog() {
	insmod /lib/kho_pool_klog.ko size=131072
}

# klog_line N TEXT: how often kernel N has said it
klog_line() {
	grep -c "^$1 .*$2" $LOG
}

# say_all FROM TO: numbered lines into the log, and wait for the last of them
say_all() {
	for i in $(seq $1 $2); do
		echo "numbered $i of kernel $((stage + 1))" >/dev/kmsg
	done
	wait_for "numbered $2 of kernel $((stage + 1))"
}

# wait_for TEXT: the console is written to by a thread
wait_for() {
	for i in $(seq 600); do
		! grep -q "$1" $LOG || return 0
		sleep 0.5
	done
	die "not in the log: $1"
}

klog_dmesg() {
	dmesg -r | sed -n 's/^<[0-6]>//p' | grep "$1"
}

klog_extent() {
	awk -v n="$1" '$5 == "klog" { print $n }' $DEBUG/extents
}

# The seal, traced into the log, is the last that a kernel says.
#: klog both -- kho_pool=256M tp_printk trace_event=kho_pool:kho_pool_root
klog_0() {
	check "there is nothing to claim" is "$(stat extents)" 0
	load_klog || die "insmod"
	check "an extent of the size asked for" is "$(klog_extent 2) $(klog_extent 3)" \
		"131072 klog"
	wait_for "Run /init"
	# Those that go to consoles
	klog_dmesg . >/tmp/dmesg
	cut -c 3- $LOG >/tmp/log
	check "the log begins with the kernel" is "$(head -n 1 $LOG)" "1 $(head -n 1 /tmp/dmesg)"
	check "there are some lines" [ "$(wc -l </tmp/dmesg)" -gt 100 ]
	check "every line of it is there" is "$(grep -vcxFf /tmp/log /tmp/dmesg)" 0
	say_all 1 3
	rmmod kho_pool_klog
	check "the log stays" is "$(klog_extent 4)" claimed
	load_klog || die "insmod"
	say_all 4 5
	check "it goes on where it was" is "$(grep -c "^1 .*numbered [1-5] of" $LOG)" 5
	check "nothing is there twice" is "$(klog_line 1 'Linux version')" 1
	check "it is the same kernel" is "$(cat $KLOG/kernel)" 1
	go
}

klog_1() {
	check "unclaimed" is "$(klog_extent 4)" unclaimed
	load_klog || die "insmod"
	check "claimed" is "$(klog_extent 4)" claimed
	check "what kernel 1 has said" is "$(grep -c "^1 .*numbered [1-5] of kernel 1$" $LOG)" 5
	check "up to the seal of its pool" is \
		"$(klog_line 1 'kho_pool_root: generation=0 sealed=1')" 1
	check "it is kernel 2" is "$(cat $KLOG/kernel)" 2
	wait_for "^2 .*Run /init"
	say_all 1 5
	go
}

klog_2() {
	load_klog || die "insmod"
	for k in 1 2; do
		check "what kernel $k has said" is \
			"$(grep -c "^$k .*numbered [1-5] of kernel $k$" $LOG)" 5
		check "from its beginning" is "$(klog_line $k 'Linux version')" 1
		check "to its end" is \
			"$(klog_line $k "kho_pool_root: generation=$((k - 1)) sealed=1")" 1
	done
	check "in the order of time" sh -c "cut -d ' ' -f 1 $LOG | sort -n -c"
	check "no line is torn" is "$(cat $KLOG/torn)" 0

	# More than there is room for: the last ones stay.
	say_all 1 3000
	sed -n 's/.*numbered \([0-9]*\) of kernel 3$/\1/p' $LOG >/tmp/numbers
	check "the ring is full" [ "$(wc -c <$LOG)" -gt 65536 ]
	check "the oldest are gone" is "$(klog_line 1 Linux)" 0
	check "none is missing up to the last" is "$(cat /tmp/numbers)" \
		"$(seq "$(head -n 1 /tmp/numbers)" 3000)"
	rmmod kho_pool_klog
	load_klog || die "insmod"
	# What the driver says itself takes the place of the oldest.
	sed -n 's/.*numbered \([0-9]*\) of kernel 3$/\1/p' $LOG >/tmp/reloaded
	lost=$(($(wc -l </tmp/numbers) - $(wc -l </tmp/reloaded)))
	check "a reload costs a line or two" [ $lost -ge 0 -a $lost -le 8 ]
	check "and no other" is "$(cat /tmp/reloaded)" "$(tail -n +$((lost + 1)) /tmp/numbers)"

	# The last line, of which not all was written: that the console goes, which the
	# ring has after the other one; the bytes between them may look like text
	say_all 3001 3002
	rmmod kho_pool_klog
	at=$(klog_extent 1) size=$(klog_extent 2)
	text=$(/tests/kho_pool_mem dump $at $size | strings -t d |
		grep -A 4 "numbered 3002 of" | awk '/klog.*disabled/ { print $1; exit }')
	[ -n "$text" ] || die "the last line is not where it was looked for"
	place=$(printf '%#x' $((at + text)))
	was=$(devmem $place 8)
	devmem $place 8 $((was ^ 1))
	gone=$(klog_dmesg "klog.*disabled" | tail -n 1)
	load_klog || die "insmod"
	check "the torn line is known" is "$(cat $KLOG/torn)" 1
	check "it is not shown" is "$(grep -cF "$gone" $LOG)" 0
	check "the one before it is" is "$(klog_line 3 "numbered 3002 of")" 1
	say_all 3003 3003
	check "what comes then is there" is "$(klog_line 3 "numbered 300[23] of")" 2
	rmmod kho_pool_klog
	load_klog || die "insmod"
	check "the torn line was written over" is "$(cat $KLOG/torn)" 0
	rmmod kho_pool_klog

	# A header of a later version, and one of no kind.
	devmem $(printf '%#x' $((at + 8))) 32 2
	load_klog 2>/dev/null && die "a later version was loaded"
	check "a later version is left alone" logged "default/klog has an unknown format"
	devmem $(printf '%#x' $((at + 8))) 32 1
	load_klog || die "insmod"
	rmmod kho_pool_klog
	magic=$(devmem $at 64)
	devmem $at 64 0x6761726261676521
	go magic=$magic
}

klog_3() {
	at=$(klog_extent 1)
	load_klog 2>/dev/null && die "garbage was loaded"
	check "garbage is left alone" logged "default/klog has an unknown format"
	check "not even claimed" is "$(klog_extent 4)" unclaimed
	check "nor changed" is "$(devmem $at 64)" 0x6761726261676521
	devmem $at 64 $(arg magic)
	load_klog || die "insmod"
	check "and can be mended" is "$(klog_line 3 "numbered 300[23] of")" 2
	check "it is kernel 4" is "$(cat $KLOG/kernel)" 4
	echo klog >$POOL/release 2>/dev/null && die "released under its driver"
	echo 1 >/sys/module/kho_pool_klog/parameters/release
	rmmod kho_pool_klog
	check "released" is "$(stat extents) $(stat free_bytes)" "0 $(stat size_bytes)"
	load_klog || die "insmod"
	check "a new log" is "$(cat $KLOG/kernel)" 1
	rmmod kho_pool_klog
	go
}

klog_4() {
	echo klog >$POOL/release || die "release"
	check "anyone may release what is unclaimed" is "$(stat extents)" 0
}
