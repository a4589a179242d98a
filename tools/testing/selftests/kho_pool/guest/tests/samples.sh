# SPDX-License-Identifier: GPL-2.0-only
# The drivers of samples/kho_pool

# record STAGE NUMBER: text for a log, each of a different length
record() {
	printf 'stage %d record %d ' "$1" "$2"
	head -c $((($1 * 613 + $2 * 397) % 2900)) /dev/zero | tr '\0' x
}

# How many records each stage appends
counts="3 7 1 12 5"

# expected_log STAGES: the log that so many stages have to produce
expected_log() {
	hash=$(printf '%064d' 0)
	nr=0
	left=$1
	for count in $counts; do
		[ "$left" -gt 0 ] || break
		for i in $(seq "$count"); do
			data=$(record $(($1 - left)) "$i" | xxd -p | tr -d '\n')
			length=$((${#data} / 2))
			hash=$(printf '%02x%02x0000%s' $((length % 256)) $((length / 256)) "$data" |
				sed "s/^/$hash/" | xxd -r -p | sha256sum | cut -c1-64)
			echo "$nr $hash $data"
			nr=$((nr + 1))
		done
		left=$((left - 1))
	done
}

#: sample long
sample_0() {
	insmod /lib/kho_pool_sample.ko keep=1 || die "insmod"
	check "begins anew" logged "begins with an empty book"
	rmmod kho_pool_sample
	go
}

sample_1() {
	check "unclaimed" is "$(stat unclaimed)" 5
	insmod /lib/kho_pool_sample.ko keep=1 || die "insmod"
	check "found what it had" logged "after 1 loads"
	check "claimed" is "$(stat unclaimed)" 0
	# As of a kernel that has stopped before it could note a buffer, or its book
	rmmod kho_pool_sample
	book=$(awk '$5 == "sample-book" { print $1 }' $DEBUG/extents)
	devmem "$(printf '%#x' $((book + 24)))" 64 0
	insmod /lib/kho_pool_sample.ko keep=1 || die "insmod"
	check "what is not in the book is given back" is "$(stat extents)" 5
	rmmod kho_pool_sample
	devmem "$book" 32 0
	insmod /lib/kho_pool_sample.ko keep=1 || die "insmod"
	check "begins its book again" logged "begins with an empty book"
	check "with what it had" is "$(stat extents)" 5
	go
}

sample_2() {
	insmod /lib/kho_pool_sample.ko || die "insmod"
	check "found what it had" logged "after 4 loads"
	rmmod kho_pool_sample
	check "gave all back" is "$(stat free_bytes)" "$(stat size_bytes)"
}

LOG=/sys/kernel/debug/kho_pool_log

load_log() {
	insmod /lib/kho_pool_log.ko part_size=8192
}

# log_grows: it has what the stages before have appended, and this one appends more
log_grows() {
	load_log || die "insmod"
	if [ $stage != 0 ]; then
		check "it ends where it ended" is "$(cat $LOG/head)" "$(arg head | tr , ' ')"
		check "nothing of it is unclaimed" is "$(stat unclaimed)" 0
		expected_log $stage >/tmp/expected
		check "every record and every hash is there" cmp $LOG/records /tmp/expected
	fi
	for i in $(seq "$(echo $counts | cut -d ' ' -f $((stage + 1)))"); do
		record $stage "$i" >/tmp/record
		cat /tmp/record >$LOG/append || die "append"
	done
	expected_log $((stage + 1)) >/tmp/expected
	check "what was appended is there" cmp $LOG/records /tmp/expected
}

#: log long
log_0() {
	log_grows
	go "head=$(tr ' ' , <$LOG/head)"
}

log_1() {
	log_0
}

log_2() {
	log_0
}

log_3() {
	log_0
}

log_4() {
	log_grows
	read -r records parts hash <$LOG/head
	check "records and last hash are those" is "$records $hash" \
		"$(awk 'END { print NR, $2 }' /tmp/expected)"
	check "it has outgrown its first extents" [ "$parts" -ge 4 ]
	check "each part is an extent" is "$(grep -c ' log-[0-9]*$' $DEBUG/extents)" "$parts"
	head -c 3073 /dev/zero >/tmp/record
	check "a record may be too large" [ "$(cat /tmp/record 2>&1 >$LOG/append |
		grep -c "File too large")" = 1 ]
	# One bit of one record, and back.
	rmmod kho_pool_log
	at=$(awk '$5 == "log-1" { print $1 }' $DEBUG/extents)
	at=$(printf '%#x' $((at + 1000)))
	was=$(devmem "$at" 8)
	devmem "$at" 8 $((was ^ 4))
	load_log 2>/dev/null && die "a damaged log was loaded"
	check "it says which record" logged "is not what was written"
	devmem "$at" 8 $((was))
	load_log || die "insmod"
	check "nothing else was touched" cmp $LOG/records /tmp/expected
	# Half of a record, as of a kernel that has stopped in the middle.
	rmmod kho_pool_log
	at=$(awk -v name="log-$((parts - 1))" '$5 == name { print $1 }' $DEBUG/extents)
	used=$(devmem "$(printf '%#x' $((at + 48)))" 64)
	devmem "$(printf '%#x' $((at + 56 + used)))" 32 100
	load_log || die "insmod"
	check "what was not finished is not there" cmp $LOG/records /tmp/expected
	echo more >$LOG/append
	check "and is written over" is "$(tail -n 1 $LOG/records | cut -d ' ' -f 3)" 6d6f72650a
}
