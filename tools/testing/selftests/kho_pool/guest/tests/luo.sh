# SPDX-License-Identifier: GPL-2.0-only
# Files of extents in sessions of /dev/liveupdate, over kexecs

LUO=/tests/kho_pool_luo
SIZE=$((32 << 20))
TRACING=/sys/kernel/tracing

# dev NAME: the device of the extent
dev() {
	readlink -f "/dev/kho_pool/default/$1"
}

# made NAME SEED: an extent with a device and contents
made() {
	khopool create "$1" $SIZE --align 2M --expose >/dev/null || die "create $1"
	khopool links >/dev/null
	$LUO fill "$(dev "$1")" $SIZE "$2" || die "fill $1"
}

# whole NAME SEED: is all of it as it was?
whole() {
	$LUO check "$(dev "$1")" $SIZE "$2"
}

# in_background OUTPUT ARGUMENT...: until it is ready; its process is $luo
in_background() {
	out=$1
	shift
	$LUO "$@" >$out 2>&1 &
	luo=$!
	until grep -q '^ready' $out; do
		kill -0 $luo 2>/dev/null || die "kho_pool_luo $*: $(cat $out)"
		sleep 0.1
	done
	sed "s/^/@say kho_pool_luo: /" $out
}

let_go() {
	kill $luo
	wait $luo 2>/dev/null
}

# stays NAME: it can be neither hidden nor removed, and the tool says why
stays() {
	for action in hide rm; do
		khopool $action "$1" >/tmp/said 2>&1 && return 1
		grep -q "in use: a live update session has its file" /tmp/said ||
			{ cat /tmp/said; return 1; }
	done
	exposed "$1"
}

# line OUTPUT PATTERN: the output has this line once
line() {
	[ "$(grep -c "^$2\$" "$1")" = 1 ] || { cat "$1"; return 1; }
}

# base NAME: where the extent is
base() {
	khopool show "$1" --json | sed -n 's/.*"base": "\{0,1\}\([0-9a-fx]*\).*/\1/p'
}

# cost SIZE FIELD...: for the host
cost() {
	size=$1
	shift
	echo "@json {\"size\": $size, $*}"
}

# probed: preserved folios and calls for ranges of pages
probed() {
	grep -c 'kho_folio:\|kho_pages:' $TRACING/trace
}

#: luo both -- kho_pool=512M kho_pool_inject liveupdate=on
luo_0() {
	made guest 1
	made ro 2
	made gone 3
	made changed 4
	made hidden 5
	made spoilt 6
	made second 7
	made named 8
	made late 9
	made replaced 10
	made rehidden 11
	made onward 12
	in_background /tmp/late keep late "$(dev late)"
	in_background /tmp/never keep never "$(dev second)"
	in_background /tmp/vms keep vms "$(dev guest)" "$(dev ro):ro" "$(dev gone)" \
		"$(dev changed)" "$(dev hidden)" "$(dev spoilt)"
	in_background /tmp/others keep others "$(dev replaced)" "$(dev rehidden)"
	in_background /tmp/onward keep onward "$(dev onward)"
	check "what is preserved stays" stays guest
	check "one more session" stays second
	check "who is preserved cannot be preserved" [ "$($LUO keep other "$(dev guest)" 2>&1 |
		grep -c 'resource busy')" = 1 ]
	check "what is in no session can go" khopool hide named
	khopool expose named >/dev/null || die "expose"
	khopool links >/dev/null
	check "a record is spoilt" $LUO spoil spoilt
	go
}

luo_1() {
	khopool links >/dev/null
	for name in guest:1 ro:2 gone:3 changed:4 hidden:5 spoilt:6 second:7 named:8 \
		    replaced:10 rehidden:11 onward:12; do
		check "$name is there by its name" whole ${name%:*} ${name#*:}
	done
	for name in gone changed hidden; do
		khopool hide $name >/dev/null || die "hide $name"
	done
	khopool rm gone changed >/dev/null || die "rm"
	khopool create changed $((SIZE / 2)) --expose >/dev/null || die "create"
	in_background /tmp/vms retrieve vms 1:$SIZE:1 2:$SIZE:2 3 4 5 6 7
	check "a file for reading and writing" line /tmp/vms \
		"retrieve 1 [0-9]* rw /dax[0-9.]* (deleted)"
	check "one for reading" line /tmp/vms "retrieve 2 [0-9]* ro /dax[0-9.]* (deleted)"
	check "it can be opened again" line /tmp/vms "again 1 rw"
	check "so can that one" line /tmp/vms "again 2 ro"
	check "khopool sees who has it" [ "$(khopool show guest |
		grep -c "used by .*kho_pool_luo ($luo)")" = 1 ]
	check "with all that was in them" is "$(grep -c '^0 words are not' /tmp/vms)" 2
	check "one that is gone" line /tmp/vms "retrieve 3: No such file or directory"
	check "one that is another" line /tmp/vms "retrieve 4: Stale file handle"
	check "one that is not exposed" line /tmp/vms "retrieve 5: No such device or address"
	check "one with a spoilt record" line /tmp/vms "retrieve 6: Bad message"
	check "one that was never there" line /tmp/vms "retrieve 7: No such file or directory"
	check "the log says what is gone" logged \
		"default/gone: preserved, but cannot be retrieved: there is no such extent"
	check "and what has changed" logged "default/changed: preserved, but cannot be \
retrieved: the extent is not the one that was preserved"
	check "and what is not exposed" logged \
		"default/hidden: preserved, but cannot be retrieved: the extent is not exposed"
	check "and what is spoilt" logged "a preserved file's record is damaged"
	check "what was retrieved stays until it is finished" stays guest
	check "what could not be retrieved can go" khopool hide spoilt
	# The same name, size and place, and another guest's memory
	at=$(base replaced)
	khopool rm replaced >/dev/null || die "rm"
	khopool create replaced $SIZE --align 2M --expose >/dev/null || die "create"
	check "another extent in the same place" is "$(base replaced)" "$at"
	khopool hide rehidden >/dev/null || die "hide"
	khopool expose rehidden >/dev/null || die "expose"
	vms=$luo
	$LUO finish others 1 2 >/tmp/others 2>&1
	check "is not the one that was preserved" line /tmp/others \
		"retrieve 1: Stale file handle"
	check "nor is one that was hidden since" line /tmp/others \
		"retrieve 2: Stale file handle"
	check "which loses nothing" whole rehidden 11
	# Into the next session before it is retrieved from the last one
	in_background /tmp/again keep again "$(dev onward)"
	check "a file of what is preserved again" $LUO finish onward 1:$SIZE:12
	check "it stays preserved" stays onward
	check "once" [ "$($LUO keep other "$(dev onward)" 2>&1 | grep -c 'resource busy')" = 1 ]
	luo=$vms
	khopool expose spoilt >/dev/null || die "expose"
	let_go
	check "what is finished can go" khopool hide ro
	khopool expose ro >/dev/null || die "expose"
	khopool expose hidden >/dev/null || die "expose"
	khopool links >/dev/null
	for name in guest:1 ro:2 hidden:5 spoilt:6 second:7 named:8; do
		check "nothing of $name is lost" whole ${name%:*} ${name#*:}
	done
	# "never" is not asked for, and nobody finishes "late".
	in_background /tmp/late retrieve late 1:$SIZE:9
	check "a file that is retrieved late" line /tmp/late \
		"retrieve 1 [0-9]* rw /dax[0-9.]* (deleted)"
	in_background /tmp/vms keep vms "$(dev guest)"
	go
}

luo_2() {
	khopool links >/dev/null
	check "once more, and finished" $LUO finish vms 1:$SIZE:1
	check "what was preserved before it was retrieved" $LUO finish again 1:$SIZE:12
	check "it can go, too" khopool hide onward
	check "it can go" khopool hide guest
	khopool expose guest >/dev/null || die "expose"
	khopool links >/dev/null
	check "a session that no one wanted is gone" [ "$($LUO finish never 1 2>&1 |
		grep -c 'never: No such file')" = 1 ]
	check "and its extent is not" whole second 7
	check "one that was retrieved but not finished is gone" [ "$($LUO finish late 1 2>&1 |
		grep -c 'late: No such file')" = 1 ]
	check "and its extent is not" whole late 9
	check "but is nobody's" khopool hide late
	khopool expose late >/dev/null || die "expose"
	khopool links >/dev/null
	in_background /tmp/vms keep vms "$(dev guest)"
	at=$(base guest)
	save
	damage index0 "index is not what was sealed" 2305^0x40
	go at=$at
}

luo_3() {
	khopool links >/dev/null
	check "the pool is quarantined" is "$(stat state)" \
		"quarantined: index is not what was sealed"
	$LUO finish vms 1 >/tmp/vms 2>&1
	check "its extents cannot be had" line /tmp/vms "retrieve 1: No such file or directory"
	check "the log says so" logged "default/guest: preserved, but cannot be retrieved"
	check "nothing of it is lost" $LUO check /dev/mem $SIZE 1 "$(arg at)"
}

# One instruction takes one ns.
#: luo_cost long arch=x86_64 mem=80G smp=1 icount records=same_cost silence=1800 -- kho_pool=66G
#:	liveupdate=on
luo_cost_0() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd owner
	for name in vm-1 vm-64 warm-1; do
		cmd user ${name#*-}G $name
		khopool expose $name --align 1G >/dev/null || die "expose"
	done
	khopool links >/dev/null
	mount -t tracefs trace $TRACING || die "no tracefs"
	$LUO fill "$(dev vm-1)" $((1 << 30)) 1 || die "fill"
	$LUO fill "$(dev vm-64)" $((64 << 30)) 64 || die "fill"
	in_background /tmp/warm keep warm "$(dev warm-1)"
	for size in 1 64; do
		in_background /tmp/out keep vm-$size "$(dev vm-$size)"
		cost $size "\"preserve_ns\": $(sed -n 's/^preserve 1 //p' /tmp/out)"
		let_go
	done
	echo 'p:kho_folio kho_preserve_folio' >$TRACING/kprobe_events
	echo 'p:kho_pages kho_preserve_pages' >>$TRACING/kprobe_events
	echo 1 >$TRACING/events/kprobes/enable
	for size in 1 64; do
		echo >$TRACING/trace
		in_background /tmp/out keep vm-$size "$(dev vm-$size)"
		cost $size "\"preserve_calls\": $(probed), \"record_bytes\": $($LUO size)"
	done
	echo 0 >$TRACING/events/kprobes/enable
	go
}

luo_cost_1() {
	khopool links >/dev/null
	$LUO finish warm 1 >/dev/null || die "finish warm"
	for size in 1 64; do
		$LUO finish vm-$size 1:$((size << 30)):$size >/tmp/out || die "$(cat /tmp/out)"
		cost $size "\"retrieve_ns\": $(sed -n 's/^retrieve 1 \([0-9]*\) .*/\1/p' /tmp/out)"
	done
}
