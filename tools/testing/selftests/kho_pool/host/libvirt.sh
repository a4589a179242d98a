# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A guest of libvirt, with what the guide says about it cut out of the guide, so that the two
# cannot differ.

[ "$gen" != none ] || die "there is no pool: $(cat /sys/kernel/mm/kho_pool/handover)"
CONSOLE=$GUESTS/vm1.console
SAVED=/etc/libvirt/vm1-update.xml
RULES=/etc/udev/rules.d/61-kho-pool-qemu.rules
APPARMOR=/etc/apparmor.d/abstractions/libvirt-qemu.d/kho_pool
CONF=/etc/libvirt/qemu.conf

# do_as_said WORD: run such a block, step by step
do_as_said() {
	cut_out "$1" >/tmp/block
	sed 's/^/@say $ /' /tmp/block
	sh -e /tmp/block >/tmp/said 2>&1 || { cat /tmp/said; return 1; }
}

# as_said COMMAND: that is in a sentence of the guide
as_said() {
	grep -qF "\`\`$1\`\`" /usr/local/lib/kho_pool/kho_pool.rst || die "the guide has no $1"
	$1
}

# begin, rest: what a guest has between and after the guide's lines
begin() {
	append="console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check"
	append="$append cryptomgr.notests kho=off panic=-1 name=vm1"
	cat <<-EOF
		<vcpu>1</vcpu>
		<os>
		  <type machine='pc-q35-10.0'>hvm</type>
		  <kernel>$GUESTS/vmlinuz</kernel>
		  <initrd>$GUESTS/initrd</initrd>
		  <cmdline>$append</cmdline>
		</os>
		<features><acpi/><apic/></features>
		<cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
	EOF
}

rest() {
	cat <<-EOF
		<disk type='file'>
		  <driver name='qemu' type='raw' cache='none'/>
		  <source file='$GUESTS/vm1.img'/>
		  <target dev='vda' bus='virtio'/>
		</disk>
		<interface type='bridge'>
		  <source bridge='br0'/>
		  <model type='virtio'/>
		  <mac address='52:54:00:00:00:01'/>
		  <rom enabled='no'/>
		</interface>
		<serial type='file'>
		  <source path='$CONSOLE' append='on'/>
		</serial>
	EOF
}

# xml: the guide's, for a guest of 256 MiB
xml() {
	begin >/tmp/begin
	rest >/tmp/rest
	cut_out "<domain type='kvm'" |
		awk '/^ *\.\.\.$/ { system("cat /tmp/" (n++ ? "rest" : "begin")); next }
		     { print; fflush() }' |
		sed "s/<memory unit='GiB'>16/<memory unit='MiB'>256/
		     s/size=16G/size=256M/; s/align=1G/align=2M/"
}

# refused WHAT PATTERN: the guest does not start, and libvirt says such a thing
refused() {
	check "without $1 it does not start" not eval "virsh start vm1 >/tmp/said 2>&1"
	sed 's/^/@say   /' /tmp/said
	check "libvirt says that it cannot be opened" grep -q "can't open backing store" /tmp/said
	check "and libvirt or the kernel says why" eval "{ cat /tmp/said; dmesg; } | grep -q '$2'"
}

owned_by() { [ "$(stat -Lc %U /dev/kho_pool/vm/vm1)" = "$1" ]; }

case $gen in
0)	make_guest
	chown -R libvirt-qemu: $GUESTS
	khopool create vm1 256M --align 2M --expose=2M >/dev/null || die "khopool create"
	xml >/tmp/vm1.xml
	until_done 300 "libvirt does not answer" virsh version
	check "libvirt takes the guide's XML" virsh define /tmp/vm1.xml
	# libvirt loads profiles, and what AppArmor says of these would leave no room for more.
	echo 0 >/proc/sys/kernel/printk_ratelimit
	# Each way that it is kept from the device, in turn
	refused "the list of devices" "No such file or directory"
	# It has a vm2, too, which is not there.
	cut_out cgroup_device_acl >>$CONF
	as_said "systemctl restart libvirtd"
	refused "its owner" "Permission denied"
	cut_out 'OWNER="libvirt-qemu"' >$RULES
	do_as_said "udevadm control --reload" || die "udevadm"
	check "udev has given it to QEMU's user" owned_by libvirt-qemu
	refused "AppArmor's rule" 'apparmor="DENIED".*dax'
	mkdir -p "$(dirname $APPARMOR)"
	cut_out "/dev/dax[0-9]" >$APPARMOR
	cut_out "save/*.state rw" >>$APPARMOR
	check "with all of them it starts" virsh start vm1
	until_done 900 "the guest says nothing" eval '[ -n "$(status vm1)" ]'
	until_done 300 "the guest stands still" eval '[ "$(field vm1 disk)" -gt 5 ]'
	load_next || die "the next kernel cannot be loaded"
	status vm1 >/var/lib/kho_pool-status
	check "it is saved as the guide says" do_as_said "virsh suspend vm1"
	check "its state is kept" khopool get vm1.state --check
	systemctl kexec
	sleep 600 ;;
1)	until_done 300 "libvirt does not answer" virsh version
	rm -f $CONSOLE
	# Into <qemu:commandline>
	incoming=$(cut_out "value='-incoming'" | tr '\n' ' ')
	sed -i "s|</qemu:commandline>|$incoming</qemu:commandline>|" $SAVED
	check "it is resumed as the guide says" do_as_said "virsh create $SAVED"
	until_done 600 "the guest says nothing" eval '[ -n "$(status vm1)" ]'
	was=$(cat /var/lib/kho_pool-status)
	check "it has not booted" [ "$(field vm1 boot_id)" = "$(echo "$was" | value boot_id)" ]
	check "its memory is the same" eval 'status vm1 | grep -q "\"same\": true"'
	check "it writes to its disk where it was" [ "$(field vm1 disk)" -gt \
		"$(echo "$was" | value disk)" ]
	check "libvirt has it as running" [ "$(virsh domstate vm1 | head -n 1)" = running ]
	check "and can stop it" virsh destroy vm1
	check "its memory and its state can be removed" khopool rm vm1 vm1.state
	finish 0 ;;
esac
