# SPDX-License-Identifier: GPL-2.0-only
# khopool as a person uses it, over kexecs

VM=/sys/kernel/mm/kho_pool/vm
LINKS=/dev/kho_pool

# does ARGUMENT...: khopool does it, and has nothing to complain of
does() {
	khopool "$@" >/tmp/out 2>/tmp/err || die "khopool $*: $(cat /tmp/err)"
	[ ! -s /tmp/err ] || die "khopool $*: $(cat /tmp/err)"
}

# field NAME ARGUMENT...: a value out of what khopool prints with --json
field() {
	name=$1
	shift
	khopool "$@" --json |
		sed -n "s/^ *\"$name\": \"\\{0,1\\}\\([^\",]*\\)\"\\{0,1\\},\\{0,1\\}\$/\\1/p"
}

# listed: what a kexec does not change of all extents
listed() {
	khopool ls --all --json | grep -v -e '"device"' -e '"unclaimed"' | sha256sum | cut -c1-64
}

# one_line ARGUMENT...: JSON of khopool, for the host
one_line() {
	# shellcheck disable=SC2046
	echo $(khopool "$@" --json)
}

# to_host: everything that it says in JSON
to_host() {
	echo "@json {\"ls\": $(one_line ls --all), \"map\": $(one_line map)," \
		"\"stat\": $(one_line stat), \"kexec\": $(one_line kexec-args)," \
		"\"show\": $(one_line show vm/guest), \"check\": $(one_line get --check notes)," \
		"\"links\": $(one_line links), \"dump\": $(one_line dump)," \
		"\"verify\": $(one_line verify), \"done\": [$(tr "\n" " " </tmp/done)]," \
		"\"pools\": $(ls -d /sys/kernel/mm/kho_pool/*/ | wc -l)," \
		"\"size\": $(stat size_bytes)," \
		"\"extents\": $(($(stat extents) + $(cat $VM/extents)))}"
}

# objects: all that is said in JSON about what is done, also where it fails.  The host sees
# in /tmp/done whether that is JSON.
objects() {
	: >/tmp/done
	for call in "create default/j1 4M" "create default/j2 4M --expose" "expose j1" "hide j1" \
		"put default/j3 /guest/lib.sh" "get j3 /tmp/back"; do
		# shellcheck disable=SC2086
		khopool $call --json >/tmp/out 2>/tmp/err || die "khopool $call: $(cat /tmp/err)"
		[ ! -s /tmp/err ] || die "khopool $call: $(cat /tmp/err)"
		cp /tmp/out "/tmp/${call%% *}.json"
		cat /tmp/out >>/tmp/done
		echo , >>/tmp/done
	done
	check "expose says whose it is by now" grep -q '"owner": "dax21"' /tmp/expose.json
	check "and which device" grep -q "\"device\": \"/dev/dax" /tmp/expose.json
	check "hide says that it is no device any more" grep -q '"exposed": false' /tmp/hide.json
	check "and whose it is" grep -q '"owner": "user"' /tmp/hide.json
	says 1 '{"error": {"message": "default/j1 is not exposed", "status": 1, "errno": 6}}' \
		hide j1 --json
	check "that is all" is "$(wc -l </tmp/err) $(wc -c </tmp/out)" "1 0"
	says 1 '"status": 1, "errno": 17}}' create default/j1 4M --json
	says 1 '"status": 1, "errno": 12}}' create default/j4 1T --json
	says 1 '"status": 1}}' create none/j4 4M --json
	says 2 '"status": 2}}' get j3 - --json
	# The output says what was done before the error.
	says 1 '"status": 1, "errno": 2}}' rm j1 j2 none j3 --json
	check "two were removed" is "$(grep -c '"name": "j[12]"' /tmp/out)" 2
	check "the third was not" is "$(field name show j3)" j3
	cat /tmp/out >>/tmp/done
	echo , >>/tmp/done
	khopool rm j3 --json >>/tmp/done 2>/tmp/err || die "rm --json: $(cat /tmp/err)"
	check "nothing is left" is "$(khopool ls --names | grep /j)" ""
}

bad_calls() {
	says 2 "usage: khopool create NAME SIZE" create
	says 2 "usage: khopool create NAME SIZE" create a
	says 2 '"4Q" is not a size such as 4G, 512M or 64K' create default/a 4Q
	says 2 '"-1" is not a size' create default/a --align 2M -- -1
	says 2 "SIZE is 0" create default/a 0
	says 2 "SIZE: 99999999999T is too large" create default/a 99999999999T
	says 2 "SIZE: 3 B is not a multiple of the page size" create default/a 3
	says 2 "--align: 3 MiB is not a power of two" create default/a 4M --align 3M
	says 2 '--node: "x" is not a number' create default/a 4M --node x
	says 2 "--strict is of use with --node only" create default/a 4M --strict
	says 2 "--node needs a value" create default/a 4M --node
	says 2 "create has no option --foo" create default/a 4M --foo
	says 2 "cannot be exposed, only multiples of" create default/a $page --expose
	says 2 '"a/b": the name of an extent is made of letters' create default/a/b 4M
	says 2 "the name of an extent does not begin with a dot" create default/.a 4M
	says 2 "the name of an extent is empty" create default/ 4M
	says 2 "the name of an extent has up to 55 characters" create "default/$(printf %056d 0)" 4M
	says 2 "is not in pool vm" create default/a 4M --pool vm
	says 1 "there are several pools, default and vm: name one" create a 4M
	says 1 'there is no pool "none"; there are default and vm' create none/a 4M
	says 1 "pool default has no room for 1 TiB" create default/a 1T
	says 1 "is there a node 77?" create default/a 4M --node 77
	for command in show expose hide rm; do
		says 2 "usage: khopool $command NAME" $command
		says 1 'there is no extent "none" in the pools default and vm' $command none
		says 1 'pool vm has no extent "none"' $command vm/none
		says 2 "$command has no option --foo" $command --foo none
	done
	for command in ls map stat links; do
		says 2 "usage: khopool $command" $command too-much
		says 1 'there is no pool "none"' $command --pool none
		says 2 "$command has no option --foo" $command --foo
	done
	says 2 "--cell: 3 is not a power of two" map --cell 3
	says 2 "is neither always nor never" map --color=perhaps
	says 2 '--watch: "0" is not a number of seconds' stat --watch=0
	says 2 "usage: khopool kexec-args" kexec-args too-much
	says 2 "usage: khopool put" put default/a
	says 2 "/none: No such file" put default/a /none
	says 2 "/tmp: is a folder" put default/a /tmp
	says 2 "usage: khopool get" get a
	says 1 'there is no extent "none"' get none /tmp/none
	says 2 "there is no command \"dumb\"" dumb
	check "nothing was made" is "$(stat extents)$(cat $VM/extents)" 00
}

bad_states() {
	says 1 "default/notes exists already: take another name" create default/notes 4M
	says 1 "default/notes exists already: take another name" put default/notes /guest/lib.sh
	says 1 "it keeps no file" get guest /tmp/none
	check "nothing was written" [ ! -e /tmp/none ]
	does create default/guest 2M
	says 1 "both default/guest and vm/guest exist: say which one" show guest
	does rm default/guest
	does create default/small $page
	says 1 "which is not a multiple of" expose default/small
	says 1 "is not exposed" hide small
	does rm small
	does create vm/odd 6M --align 4M
	says 1 "is not a multiple of 1 GiB" expose odd --align 1G
	says 1 "power of two" expose odd --align 6M
	does rm odd
	says 1 "with pages of 2 MiB (khopool hide vm/guest)" expose guest --align 4K
	says 2 "cannot both go to stdout" get notes - --json
	insmod /lib/test_kho_pool.ko || die "no test driver"
	cmd generation 0
	cmd alloc 2M driver
	says 1 "a driver in the kernel" expose driver
	says 1 "default/driver is in use: it belongs to" rm driver
	# A driver may take any name, but users can only type printable ones.
	check "it is shown" [ "$(khopool show driver | grep -c "a driver in the kernel")" = 1 ]
}

# not_root: what others may see
not_root() {
	mkdir -p /etc
	echo "nobody:x:65534:65534::/:/bin/sh" >/etc/passwd
	su nobody -c "khopool ls" 2>/tmp/err && die "nobody may list"
	check "only root may ask for extents" grep -q "only root may do this" /tmp/err
	check "all may see how full the pools are" [ "$(su nobody -c "khopool stat" |
		grep -c "^default .* active")" = 1 ]
	su nobody -c "khopool kexec-args" 2>/tmp/err && die "nobody may know the word"
	check "only root may know the word" grep -q "only root can read it" /tmp/err
	rm /etc/passwd
}

# in_use: nothing is taken away from those who use it
in_use() {
	hold "$(field device show guest)" 0x4000000
	says 1 "is mapped by kho_pool_hold ($holder)" hide guest
	says 1 "is mapped by kho_pool_hold ($holder)" rm guest
	check "show says who" [ "$(khopool show guest | grep -c "kho_pool_hold ($holder)")" = 1 ]
	end_hold
	check "it is still there" is "$(field exposed show guest)" true
}

keep_files() {
	: >/tmp/empty
	printf x >/tmp/byte
	head -c 5000001 /dev/urandom >/tmp/big
	# Exactly what fits after the header, and one byte more
	head -c $((2097152 - 4096)) /tmp/big >/tmp/exact
	head -c $((2097152 - 4095)) /tmp/big >/tmp/more
	for file in empty byte big exact more; do
		does put default/$file /tmp/$file
		does get $file /tmp/back
		check "$file is what it was" cmp /tmp/$file /tmp/back
		check "it is not exposed" is "$(field exposed show $file)" false
		check "its SHA-256 is that of others" is "$(field sha256 get --check $file)" \
			"$(sha256sum </tmp/$file | cut -c1-64)"
	done
	check "it takes what it needs" is "$(field size show exact) $(field size show more)" \
		"2097152 4194304"
	does rm empty byte exact more
	# By way of pipes, and a file that does not know how long it is
	khopool put default/pipe - </tmp/big >/dev/null || die "put -"
	khopool get pipe - | cmp - /tmp/big || die "get -"
	does rm pipe
	tail -c 3000000 /tmp/big | khopool put default/pipe - --size 4M >/dev/null || die "put -"
	check "a pipe is kept" is "$(field bytes get --check pipe)" 3000000
	khopool get pipe - | cmp - /tmp/big 2>/dev/null && die "it is the wrong part"
	khopool get pipe /tmp/back
	tail -c 3000000 /tmp/big | cmp - /tmp/back || die "it is not what was put"
	# A file that is there is replaced as a whole, or not at all; the folder has no more.
	mkdir /tmp/little
	mount -t tmpfs -o size=2M none /tmp/little || die "mount"
	echo old >/tmp/little/file
	chmod 644 /tmp/little/file
	ln -s little/file /tmp/link
	says 2 "/tmp/link: No space left" get pipe /tmp/link
	check "the old file is what it was" is "$(cat /tmp/little/file)" old
	check "and it is alone" is "$(ls /tmp/little)" file
	mount -o remount,size=8M /tmp/little
	does get pipe /tmp/link
	cmp /tmp/back /tmp/little/file || die "it is not what was put"
	check "only root can read it" is "$(ls -l /tmp/little/file | cut -c1-10)" "-rw-------"
	check "there is no other" is "$(ls /tmp/little)" file
	check "the link is one" is "$(readlink /tmp/link)" little/file
	umount /tmp/little
	khopool get pipe /dev/full 2>/tmp/err && die "it was written to /dev/full"
	check "a device is written into" grep -q "/dev/full: No space left" /tmp/err
	does get pipe /dev/null
	check "and stays one" [ -c /dev/null ]
	does rm pipe
	# A file that has become shorter than what was read of it has nothing more.
	exec 5</tmp/exact
	cat <&5 >/dev/null
	echo >/tmp/exact
	khopool put default/pipe - <&5 >/dev/null || die "put -"
	exec 5<&-
	check "nothing is kept" is "$(field bytes get --check pipe)" 0
	does rm pipe
	free=$(stat free_bytes)
	khopool put default/pipe - --size 1M </tmp/big 2>/tmp/err && die "it was kept"
	check "what is too long is not kept" grep -q "longer than --size says" /tmp/err
	# It waits for a byte that does not come, when it has its extent.
	mkfifo /tmp/pipe
	khopool put default/pipe - --size 1M </tmp/pipe 2>/tmp/err &
	exec 3>/tmp/pipe
	until [ "$(stat free_bytes)" != "$free" ]; do
		kill -0 $! || die "khopool put: $(cat /tmp/err)"
		sleep 0.1
	done
	putter=$!
	wait_exposed pipe
	check "others are not kept waiting" khopool create default/other 2M
	does rm other
	says 1 "is mapped by khopool ($putter)" rm pipe
	says 1 "khopool put or get ($putter) has it for the moment" expose pipe
	kill $putter
	# If it was not reading yet, it does not wait for ever.
	exec 3>&-
	wait $putter && die "it was kept"
	check "it says why it was not kept" grep -q interrupted /tmp/err
	check "who is interrupted leaves nothing" is "$(stat free_bytes)" "$free"
	# Two read into pipes, and the first one that leaves is not the last one.
	mkfifo /tmp/pipe2
	khopool get big - >/tmp/pipe 2>/tmp/err &
	first=$!
	exec 3</tmp/pipe
	wait_exposed big
	khopool get big - >/tmp/pipe2 2>/tmp/err2 &
	second=$!
	exec 4</tmp/pipe2
	says 1 "is mapped by khopool ($first)" rm big
	does get big /tmp/back
	check "a third one does not wait for them" cmp /tmp/back /tmp/big
	# When the second one writes, it has it mapped.
	head -c 4096 <&4 >/tmp/back
	cat <&3 | cmp - /tmp/big || die "it was disturbed"
	wait $first || die "khopool get: $(cat /tmp/err)"
	check "it has nothing to complain of" [ ! -s /tmp/err ]
	check "nor does it take it away" is "$(field exposed show big)" true
	cat <&4 >>/tmp/back
	exec 3<&- 4<&-
	check "the second one has all of it" cmp /tmp/back /tmp/big
	wait $second || die "khopool get: $(cat /tmp/err2)"
	check "the last one hides it" is "$(field exposed show big)" false
	# Each at a time, and all of them in the end
	for i in 1 2 3 4 5; do
		khopool put default/at-once-$i /tmp/byte >/dev/null &
	done
	wait
	for i in 1 2 3 4 5; do
		does get at-once-$i /tmp/back
		check "it is what it was" cmp /tmp/back /tmp/byte
		does rm at-once-$i
	done
	does put default/notes /proc/cpuinfo
}

# wait_exposed NAME: until it is
wait_exposed() {
	until [ "$(field exposed show "$1")" = true ]; do
		sleep 0.1
	done
}

# again: what is there is kept if it is like that
again() {
	mkdir -p /etc
	echo "guest:x:1000:1000::/:/bin/sh" >/etc/passwd
	echo "vms:x:2000:" >/etc/group
	does create default/same 4M --if-missing
	base=$(field base show same)
	does create default/same 4M --if-missing --expose --owner guest --group vms --mode 0620
	check "it is the same" is "$(field base show same)" "$base"
	check "its device is of others" is "$(stat_of "$(field device show same)")" "1000 2000 620"
	does create default/same 4M --if-missing --expose
	check "and stays so" is "$(stat_of "$(field device show same)")" "1000 2000 620"
	does expose same --owner 0 --mode 600
	check "until told" is "$(stat_of "$(field device show same)")" "0 2000 600"
	says 1 "exists already, and is not like this: it has 4 MiB" \
		create default/same 2M --if-missing
	says 1 "it does not begin at a multiple of 1 TiB" \
		create default/same 4M --if-missing --align 1T
	says 1 "it is exposed with pages of 2 MiB" create default/same 4M --if-missing --expose=4K
	says 1 "exists already: take another name" create default/same 4M
	says 2 'there is no user "nobody" in /etc/passwd' expose same --owner nobody
	says 2 'there is no group "none" in /etc/group' expose same --group none
	says 2 '"0888" is not a mode' expose same --mode 0888
	says 2 "are of use with --expose only" create default/new 4M --mode 600
	does rm same
	rm /etc/passwd /etc/group
}

stat_of() {
	/bin/busybox stat -c "%u %g %a" "$1"
}

# damage NAME OFFSET TEXT: one bit of a kept file, and back
flip() {
	at=$(printf '%#x' $(($(field base show "$1") + $2)))
	was=$(devmem "$at" 8)
	devmem "$at" 8 $((was ^ 16))
	says 1 "$3" get "$1" /tmp/none
	check "nothing was written" [ ! -e /tmp/none ]
	devmem "$at" 8 $((was))
	does get "$1" /tmp/back
}

pictures() {
	COLUMNS=80 khopool map >/tmp/map
	check "the picture is as wide as 80 columns" [ "$(awk '{ if (length > n) n = length }
		END { print n }' /tmp/map)" -le 80 ]
	COLUMNS=30 khopool map >/tmp/map30
	check "or as 30" [ "$(awk '/^ *0x.*  / { if (length > n) n = length }
		END { print n }' /tmp/map30)" -le 30 ]
	check "it has cells of an owner" grep -q "^ *0x[0-9a-f]*  .*D" /tmp/map
	check "and free ones" grep -q "^ *0x[0-9a-f]*  .*\.\.\.\." /tmp/map
	check "and a legend" \
		grep -q "^  D  64 MiB in 1 extent of dax21, exposed with pages" /tmp/map
	check "no colours, as it is no terminal" is "$(grep -c "$(printf '\033')" /tmp/map)" 0
	check "colours if asked for" [ "$(khopool map --color=always |
		grep -c "$(printf '\033')")" -gt 2 ]
	check "ASCII only" is "$(tr -d '\000-\177' </tmp/map | wc -c)" 0
	check "UTF-8 where it is known" [ "$(LANG=C.UTF-8 khopool map |
		tr -d '\000-\177' | wc -c)" -gt 10 ]
	check "a cell of 1 MiB is a cell of 1 MiB" [ "$(khopool map --pool vm --cell 1M |
		sed -n 's/^ *0x[0-9a-f]*  //p' | tr -dc D | wc -c)" = 64 ]
	does map --format=html
	check "the document has the extent in its table" grep -q \
		"<td>guest</td><td>64 MiB</td><td>0x" /tmp/out
	check "and in its picture" grep -q "<title>guest\$" /tmp/out
	check "it is whole" is "$(tail -n 1 /tmp/out)" "</html>"
	khopool stat --watch=0.5 >/tmp/stat &
	until [ "$(grep -c "^handover active" /tmp/stat)" -ge 3 ]; do
		kill -0 $! || die "stat --watch does not go on"
		sleep 0.1
	done
	kill $!
	wait $!
	khopool stat --format=prom >/tmp/prom || die "stat --format=prom"
	check "Prometheus gets all is well" grep -qx 'khopool_handover_ok{state="active"} 1' \
		/tmp/prom
	for pool in default vm; do
		for file in size_bytes free_bytes extents bad_frames; do
			check "$file of $pool" grep -qx "khopool_$file{pool=\"$pool\"} $(
				cat /sys/kernel/mm/kho_pool/$pool/$file)" /tmp/prom
		done
	done
	check "each line has the format's form" is "$(grep -cvE '^# (HELP|TYPE) khopool_[a-z_]+ .|'\
'^khopool_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+$' /tmp/prom)" 0
	sed 's/^/@say /' /tmp/map
	khopool ls | sed 's/^/@say /'
	khopool stat | sed 's/^/@say /'
}

# start_udev: with khopool's rules and no others
start_udev() {
	mkdir -p /run/udev
	udevd --daemon || die "udevd"
	udevadm trigger --subsystem-match=dax --action=add
	udevadm settle
}

# What udev makes of the rules, of devices that came before it and after it
#: khopool_udev long tools -- kho_pool=512M,vm:256M
khopool_udev_0() {
	rules=$(find /lib /usr/lib /etc -name 60-kho-pool.rules 2>/dev/null | head -n 1)
	mv "$rules" /tmp/rules.away || die "no rules"
	# udev complains if there are none.
	mount -t cgroup2 none /sys/fs/cgroup || die "no cgroups"
	start_udev
	does create vm/plain 4M --expose
	check "without the rules khopool makes links" is "$(readlink $LINKS/vm/plain)" \
		"../../$(basename "$(field device show plain)")"
	does rm plain
	check "and removes them" [ ! -e $LINKS/vm ]
	udevadm control --exit || die "udevadm"
	mv /tmp/rules.away "$rules"
	does create vm/early 4M --expose
	check "khopool has made a link" [ -L $LINKS/vm/early ]
	rm -r $LINKS/vm
	udevadm test --action=add "/sys/bus/dax/devices/$(basename "$(field device show early)")" \
		>/tmp/rules 2>&1 || die "udevadm test: $(cat /tmp/rules)"
	check "udev reads the rules" grep -q "60-kho-pool.rules" /tmp/rules
	check "and has nothing to say against them" is \
		"$(grep -iE "invalid|unknown|ignoring|failed" /tmp/rules)" ""
	start_udev
	check "udev makes links of what was there" is "$(readlink $LINKS/vm/early)" \
		"../../$(basename "$(field device show early)")"
	does create default/late.one_2 4M --expose
	udevadm settle
	check "and of what comes" is "$(readlink $LINKS/default/late.one_2)" \
		"../../$(basename "$(field device show late.one_2)")"
	check "as udev knows" [ "$(udevadm info --query=symlink "$LINKS/default/late.one_2")" = \
		kho_pool/default/late.one_2 ]
	check "khopool finds nothing to do" is "$(khopool links)" ""
	does hide early
	udevadm settle
	check "udev removes what goes" [ ! -e $LINKS/vm ]
	check "and nothing else" [ -c $LINKS/default/late.one_2 ]
	does put vm/file /guest/lib.sh
	udevadm settle
	check "what is kept leaves no link" [ ! -e $LINKS/vm ]
	does expose early
	next_kernel stage=1
}

khopool_udev_1() {
	check "there are no links yet" [ ! -e $LINKS/vm ]
	start_udev
	check "udev makes them" is "$(readlink $LINKS/vm/early) $(readlink \
		$LINKS/default/late.one_2)" "../../$(basename "$(field device show early)") \
../../$(basename "$(field device show late.one_2)")"
	does get file /tmp/back
	check "the file is what it was" cmp /tmp/back /guest/lib.sh
	does rm early late.one_2 file
	udevadm settle
	check "udev removes them" [ "$(ls $LINKS)" = control ]
}

# A kept file, a page of which fails
#: khopool_bad both -- kho_pool=512M
khopool_bad_0() {
	offline=/sys/devices/system/memory/hard_offline_page
	[ -e $offline ] || die "no memory errors here"
	does put default/file /init
	does get file /tmp/back
	does expose file --align $page
	echo $(($(field base show file) + 4096)) >$offline || die "memory error"
	says 1 "default/file: a page of it has a memory error" get file /tmp/none
	check "nothing was written" [ ! -e /tmp/none ]
	does rm file
}

# The arguments are not available, and the message says what is missing.
#: khopool_without long --
khopool_without_0() {
	for call in ls map stat links "show x" "rm x" "create x 4M" "put x /init" "get x -"; do
		# shellcheck disable=SC2086
		says 1 "there are no pools: boot with kho=on kho_pool=SIZE" $call
	done
	check "images can be handed over all the same" khopool kexec-args
	next_kernel stage=1 kho=off kho_pool=64M
}

khopool_without_1() {
	says 1 "kexec -c would hand nothing over" kexec-args
	says 1 "there are no pools" ls
	umount -l /sys
	says 1 "this kernel has no kho_pool" ls
}

#: khopool_quarantined long -- kho_pool=512M kho_pool_inject
khopool_quarantined_0() {
	does create x 4M --expose
	does put notes /init
	save
	damage index0 "index is not what was sealed" 2305^0x40
	go
}

khopool_quarantined_1() {
	why="the pool is quarantined: index is not what was sealed"
	says 0 "$why" ls
	says 0 '{"warning": {"message": "what can be seen of default is listed, but the' ls --json
	says 1 '"errno": 2}}' show x --json
	says 1 "$why" show x
	says 1 "$why" get notes -
	says 1 "the pool is quarantined" create y 4M
	check "stat says so" [ "$(khopool stat | grep -c "quarantined: index is not")" = 1 ]
	check "Prometheus gets it" grep -qx 'khopool_pool_ok{pool="default",state="quarantined: '\
'index is not what was sealed"} 0' <<-EOF
		$(khopool stat --format=prom)
	EOF
	khopool map >/tmp/map || die "map"
	check "the picture shows it" grep -q "^ *0x[0-9a-f]*  !!!!" /tmp/map
	check "and says why" grep -q "quarantined: index is not what was sealed" /tmp/map
	khopool map --format=html >/tmp/map.html || die "map --format=html"
	check "the document shows it, too" grep -q "<rect class='quarantined' x=" /tmp/map.html
	save
	check "it is handed on" khopool dump
}

# Out of a pool whose index is damaged, as the guide says
#: khopool_rescue long -- kho_pool=512M kho_pool_inject
khopool_rescue_0() {
	head -c 5000000 /dev/urandom >/tmp/file
	khopool put file /tmp/file >/dev/null || die "khopool put"
	# What an operator has on a disk
	where=$(khopool show file --json | sed -n 's/.*"base": "\([^"]*\).*/\1/p')
	save
	damage index0 "index is not what was sealed" 2305^0x40
	go where=$where sha256="$(sha256sum </tmp/file | cut -c1-64)"
}

khopool_rescue_1() {
	check "khopool has no such file" not khopool get file /tmp/file 2>/dev/null
	dd if=/dev/mem of=/tmp/file bs=1M iflag=skip_bytes,count_bytes \
		skip=$(($(arg where) + 4096)) count=5000000 2>/dev/null || die "dd"
	check "its bytes are there" is "$(sha256sum </tmp/file | cut -c1-64)" "$(arg sha256)"
	go
}

# Damage is handed on, over any number of kernels.
khopool_rescue_2() {
	dd if=/dev/mem of=/tmp/file bs=1M iflag=skip_bytes,count_bytes \
		skip=$(($(arg where) + 4096)) count=5000000 2>/dev/null || die "dd"
	check "as they are in the next kernel" is "$(sha256sum </tmp/file | cut -c1-64)" \
		"$(arg sha256)"
}

#: khopool records=khopool_agrees -- kho_pool=512M,vm:256M
khopool_0() {
	bad_calls
	does create vm/guest 64M --expose
	check "it has a link" is "$(readlink $LINKS/vm/guest)" "../../${device:=$(basename \
		"$(field device show guest)")}"
	check "which leads to a device" [ -c $LINKS/vm/guest ]
	does expose guest
	check "to expose it again changes nothing" is "$(cat /tmp/out)" "/dev/$device"
	does hide vm/guest
	check "its link is gone" [ ! -L $LINKS/vm/guest ]
	does expose guest --align 2M
	objects
	keep_files
	bad_states
	not_root
	in_use
	again
	flip big 6000 "the file is damaged"
	flip big 20 "the header is damaged"
	flip big 2 "it keeps no file"
	flip big 7 "a form that this khopool does not know"
	rm $LINKS/vm/guest
	ln -s ../../dax99.0 $LINKS/vm/stale
	ln -s elsewhere $LINKS/vm/other
	does links
	check "links are made" is "$(readlink $LINKS/vm/guest)" "../../$(basename \
		"$(field device show guest)")"
	check "stale ones are removed" [ ! -L $LINKS/vm/stale ]
	check "those of others are not" [ -L $LINKS/vm/other ]
	does links
	check "then there is nothing to do" is "$(cat /tmp/out)" ""
	does create default/hugepages 8M --node 0 --strict --align 4M
	does put vm/kernel /dev/vdb --size 60M
	pictures
	to_host
	check "khopool names them" is "$(khopool ls --names | sort | tr '\n' ' ')" \
		"default/big default/driver default/hugepages default/notes default/test-ledger\
 vm/guest vm/kernel "
	sum=$(sha256sum </tmp/big | cut -c1-64)
	notes=$(field sha256 get --check notes)
	disk=$(field sha256 get --check vm/kernel)
	before=$(listed)
	line=$(cat /proc/cmdline)
	cat /dev/vda >/tmp/kernel
	cat /dev/vdb >/tmp/initrd
	line="$line stage=1 big=$sum notes=$notes disk=$disk listed=$before"
	khopool kexec-args --command-line="$line" |
		xargs -r kexec -c -l /tmp/kernel --initrd=/tmp/initrd || die "kexec -c"
	start_next
}

khopool_1() {
	: >/tmp/done
	check "ls shows what it showed" is "$(listed)" "$(arg listed)"
	check "what was exposed is" is "$(field exposed show guest)" true
	check "there are no links yet" [ ! -e $LINKS/vm ]
	does links
	check "there is one" is "$(readlink $LINKS/vm/guest)" "../../$(basename \
		"$(field device show guest)")"
	check "and no other" is "$(ls $LINKS/vm)" guest
	check "the big file is what it was" is "$(khopool get big - | sha256sum | cut -c1-64)" \
		"$(arg big)"
	check "the notes are" is "$(khopool get notes - | sha256sum | cut -c1-64)" "$(arg notes)"
	check "the disk is" is "$(khopool get kernel - | sha256sum)" "$(sha256sum </dev/vdb)"
	check "as it said" is "$(field sha256 get --check kernel)" "$(arg disk)"
	check "the driver has not come" [ "$(khopool ls | grep -c "test, unclaimed")" = 2 ]
	says 1 "which has not claimed it" expose driver
	to_host
	does rm big notes driver test-ledger hugepages guest vm/kernel
	check "nothing is left" is "$(khopool ls --names)" ""
	check "the link is gone" [ ! -e $LINKS/vm ]
	check "all memory is free" is "$(stat free_bytes) $(cat $VM/free_bytes)" \
		"$(stat size_bytes) $(cat $VM/size_bytes)"
}
