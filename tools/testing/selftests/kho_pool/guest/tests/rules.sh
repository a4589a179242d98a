# SPDX-License-Identifier: GPL-2.0-only
# Rules that comments in the code state, and whose breach no other test would notice.

# overlap BASE SIZE: how many bytes of this range are in regions
overlap() {
	common=0
	while read -r _ key base _ size _; do
		[ "$key" = base ] || continue
		from=$(($1 > base ? $1 : base))
		to=$(($1 + $2 < base + size ? $1 + $2 : base + size))
		[ $from -ge $to ] || common=$((common + to - from))
	done <$DEBUG/regions
	echo $common
}

# scratch_bytes: total size of all scratch areas
scratch_bytes() {
	sum=0
	for area in $(cat $KHO/scratch); do
		sum=$((sum + ${area#*-} - ${area%-*} + 1))
	done
	echo $sum
}

# present: how many pages have struct pages of this kernel's own
present() {
	awk '$1 == "present" { sum += $2 } END { print sum }' /proc/zoneinfo
}

# region NR FIELD: its base, size or index
region() {
	awk -v nr="$1" -v field="$2" '$2 == "base" && nr-- == 0 {
		for (i = 2; i < NF; i += 2)
			if ($i == field)
				print $(i + 1)
	}' $DEBUG/regions
}

# sealed true|false: is this what the root would say if it were handed on now?
sealed() {
	khopool dump --json | grep -q "\"sealed\": $1"
}

# inject_root CHANGE...: the same as damage, whatever khopool says of it
inject_root() {
	khopool edit /tmp/root "$@" check || die "khopool edit $*"
	cat /tmp/root >$DEBUG/inject/root || die "inject"
}

# starts_nothing TEXT: "kexec -e" is refused, and the log has this since it was cleared
starts_nothing() {
	kexec -e 2>/dev/null && die "it was started"
	logged "$1"
}

# no_dev_mem ADDRESS: /dev/mem can be neither mapped nor read there
no_dev_mem() {
	/tests/kho_pool_mem dump $1 4096 2>&1 >/dev/null | grep -q "not permitted" &&
		dd if=/dev/mem of=/dev/null bs=4096 count=1 skip=$(($1 / 4096)) 2>&1 |
			grep -q "not permitted"
}

# dev_mem WHICH: /dev/mem gives access to none of all this; WHICH is for the report
dev_mem() {
	guest=$(awk '$5 == "guest" { print $1 }' $DEBUG/extents)
	check "/dev/mem has what is nobody's" is \
		"$(/tests/kho_pool_mem dump 0xf0000 4096 | wc -c)" 4096
	check "of an extent $1 it has nothing" no_dev_mem $guest
	check "nor at its end" no_dev_mem $((guest + (4 << 20) - 4096))
	check "of the pool it has nothing" no_dev_mem "$(region 0 base)"
	check "of the index it has nothing" no_dev_mem "$(index_at)"
	check "of the root it has nothing" no_dev_mem "$(root_at)"
}

# Memory of node 1 can be removed, except where KASLR puts the kernel.
#: rule_removable arch=x86_64 machine=removable_node -- kho_pool=6G nokaslr
rule_removable_0() {
	check "the firmware says so" \
		logged "SRAT: Node 1 PXM 1 [mem 0x100000000-0x17fffffff] hotplug"
	check "all memory was asked for" logged "are not available, continuing with"
	check "there is a pool" [ "$(stat size_bytes)" -gt 1073741824 ]
	check "nothing of it can be taken away" is "$(overlap 0x100000000 0x80000000)" 0
	check "though the next node has some" [ "$(overlap 0x180000000 0x80000000)" -gt 0 ]
}

# All memory, except for what the kernel and the scratch areas need.
# Each area is in one piece; KASLR might leave none of that size.
#: rule_node_scratch mem=4G -- kho_pool=4G kho_scratch=32M,32M,512M nokaslr
rule_node_scratch_0() {
	check "all memory was asked for" logged "are not available, continuing with"
	check "the pool has something" [ "$(stat size_bytes)" -gt 536870912 ]
	check "KHO has all that it was to have" is "$(cat $HANDOVER)" active
	check "the node has an area, and there are two more" is "$(wc -l <$KHO/scratch)" 3
	left=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
	left=$((left - $(scratch_bytes) / 1024))
	check "the kernel has what it needs beside them: $((left >> 10)) MiB" \
		[ $left -gt $((400 << 10)) ]
}

# A root that nobody has ever written, and what each of its claims has to lead to.
#: rule_root -- kho_pool=512M kho_pool_inject
rule_root_0() {
	fill
	save
	# One block less: the index has the same size.
	damage root "root and keep list differ" \
		region0.size=$(($(region 0 size) - 512 * page)) check
	go held=$held vm=$vm index="$(region 0 index)" size="$(region 0 size)"
}

rule_root_1() {
	quarantined "root and keep list differ"
	save
	inject_root region0.size="$(arg size)" region0.index=0x100000000000
	go
}

rule_root_2() {
	quarantined "root names memory that is not there"
	save
	inject_root region0.index="$(arg index)"
	go present="$(present)"
}

rule_root_3() {
	verify
	check "the indexes and the root were this kernel's memory in quarantine, too" \
		is "$(present)" "$(arg present)"
}

# The dump kernel has kho=on and kho_pool= on its command line, and enough memory.
#: rule_kdump mem=6G crash -- kho_pool=512M kho_scratch=64M,64M,64M crashkernel=1536M
rule_kdump_0() {
	fill
	check "there is memory for it" [ "$(cat /sys/kernel/kexec_crash_size)" -gt 1073741824 ]
	LOAD=-p load_next stage=1 -crashkernel nr_cpus=1 vm=$vm || die "kexec -p"
	save_coverage
	echo c >/proc/sysrq-trigger
	die "it did not crash"
}

rule_kdump_1() {
	check "it is a kdump kernel" [ -s /proc/vmcore ]
	check "KHO is on on its line" is "$(arg kho)" on
	check "no pool is made" [ ! -e $POOL ]
	check "nor is one missed" [ -z "$(dmesg | grep "kho_pool: ")" ]
	check "one would fit" [ "$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)" -gt \
		$((1 << 20)) ]
	check "the memory is as it was" /tests/kho_pool_mem "$(arg vm)" 0x10000000 0
}

# A root is not left sealed while an index changes.
#: rule_unseal -- kho_pool=512M kho_pool_inject
rule_unseal_0() {
	fill
	check "the root is not sealed" sealed false
	echo 1 >$DEBUG/sealed
	check "sealed" sealed true
	echo 0 >$DEBUG/sealed
	check "unsealed" sealed false
	cmd alloc 4M after
	# As if the kernel had stopped here
	cat $DEBUG/out/root >/tmp/root
	inject_root
	go held=$(stat extents) vm=$vm
}

rule_unseal_1() {
	check "the log says so" logged "not sealed; their indexes were verified in full"
	verify
	check "with what came after the seal" is_there after
}

# An index that is not what was sealed is not believed later, either.
#: rule_quarantine_stays -- kho_pool=512M,512M kho_pool_inject
rule_quarantine_stays_0() {
	check "two regions" is "$(stat regions)" 2
	fill
	save
	damage index1 "index is not what was sealed" 2305^0x40
	go held=$held vm=$vm
}

rule_quarantine_stays_1() {
	[ $stage = 1 ] || check "the log says that it was not sealed" \
		logged "not sealed; their indexes were verified in full"
	check "the state says so" is "$(stat state)" \
		"degraded: 1 of 2 regions quarantined: index is not what was sealed"
	verify
	if [ $stage = 1 ]; then
		echo 1 >$DEBUG/stuck
		go
	fi
}

rule_quarantine_stays_2() {
	rule_quarantine_stays_1
}

# Someone allocates while a kexec that hands nothing on is being checked.
#: rule_second_look
rule_second_look_0() {
	insmod /lib/test_kho_pool.ko || die "no test driver"
	LOADER=kexec_load CMDLINE='' load_next stage=lost || die "load"
	echo 1 >$DEBUG/between_alloc
	check "the kexec is refused" starts_nothing "kexec refused, it would lose 1 extents: "
	check "it came in between" logged "allocation between the looks: 0"
	check "it has what it got" is "$(awk '{ print $2, $3, $4 }' $DEBUG/extents)" \
		"$page kho_pool-debug claimed"
	check "the pool works on" is "$(stat state)" active
	cmd generation 0
	cmd alloc 6M after
	check "every invariant holds" is "$(cat $DEBUG/validate)" ok
	echo 0 >$DEBUG/between_alloc
	go held=$(stat extents)
}

rule_second_look_1() {
	check "both came over" is "$(awk '{ print $3 }' $DEBUG/extents | sort | tr '\n' ' ')" \
		"kho_pool-debug test test "
	check "that of the debugger, too" is "$(stat extents)" "$(arg held)"
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 1
	verify_all
}

# A kernel that KHO has started can start one without KHO's help.
# On x86 no kernel could find again what the one before it has found.
#: rule_forget
rule_forget_0() {
	go
}

rule_forget_1() {
	check "KHO has started it" logged "found kexec handover data"
	check "there is nothing to lose" is "$(stat extents)" 0
	LOADER=kexec_load CMDLINE='' go
}

rule_forget_2() {
	check "KHO has found nothing" not logged "found kexec handover data"
	check "it starts anew" is "$(stat generation)" 0
	check "with a pool of its own" is "$(cat $HANDOVER)" active
}

# Two pages are filled, and a word on the command line names each.
#: rule_two_words
rule_two_words_0() {
	fill
	own_loader --two held=$held vm=$vm
}

rule_two_words_1() {
	check "there were two" is "$(tr ' ' '\n' </proc/cmdline | grep -c "^kho_handover=")" 2
	check "KHO took one" is "$(dmesg | grep -c "found kexec handover data")" 1
	verify
}

# A kernel whose /dev/mem gives nobody access to what is in use
#: rule_dev_mem arch=x86_64 strict
rule_dev_mem_0() {
	load_dax
	fill
	khopool create guest 4M --expose=2M >/dev/null || die "create"
	check "it is exposed" exposed guest
	dev_mem "that is exposed"
	echo "words to keep" >/tmp/words
	khopool put notes /tmp/words >/dev/null || die "put"
	held=$(stat extents)
	go held=$held vm=$vm
}

rule_dev_mem_1() {
	load_dax
	check "it is exposed again" exposed guest
	dev_mem "that is exposed again"
	check "by its device there is all of it" is "$(khopool get notes -)" "words to keep"
	khopool hide guest >/dev/null || die "hide"
	dev_mem "that is hidden"
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 1
	verify_all
}
