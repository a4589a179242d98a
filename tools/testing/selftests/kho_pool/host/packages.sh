# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The packages are upgraded, removed and purged beside a guest that runs; node_exporter has
# the pools' figures.

export DEBIAN_FRONTEND=noninteractive
[ "$gen" != none ] || die "there is no pool: $(cat /sys/kernel/mm/kho_pool/handover)"
pid() { systemctl show -P MainPID khopool-guest@vm1; }
quietly() { "$@" >/tmp/said 2>&1 || { cat /tmp/said; return 1; }; }
# repack FILE: the same as a later version, in /tmp
repack() {
	rm -rf /tmp/deb
	dpkg-deb -R "$1" /tmp/deb
	sed -i 's/^Version: .*/&.1/' /tmp/deb/DEBIAN/control
	quietly dpkg-deb -Znone -b /tmp/deb "/tmp/$(basename "$1")" || die "dpkg-deb"
}
version() { dpkg-query -W -f '${Version}' "$1"; }

check "khopool says its version" \
	[ "$(khopool --version | head -n 1)" = "khopool $(version khopool)" ]
for page in khopool khopool-guest; do
	check "there is a manual page, $page" [ -f /usr/share/man/man8/$page.8.gz ]
done
check "QEMU has a user" getent passwd khopool-guest
for unit in khopool-guests.target khopool-metrics.timer; do
	check "$unit is enabled" systemctl -q is-enabled $unit
	check "$unit is active" systemctl -q is-active $unit
done
check "the update is not started by itself" [ "$(systemctl is-active khopool-update)" = inactive ]
check "udev has the control device, for systemd" systemctl -q is-active \
	dev-kho_pool-control.device

make_guest
systemctl enable --now khopool-guest@vm1 || die "vm1 does not start"
until_done 600 "vm1 says nothing" eval '[ -n "$(status vm1)" ]'
check "systemd has its device" systemctl -q is-active dev-kho_pool-vm-vm1.device
check "which QEMU's user may open, and no other" [ "$(stat -Lc '%U %G %a' \
	/dev/kho_pool/vm/vm1)" = "root khopool-guest 660" ]
check "QEMU is not root" [ "$(stat -c %U /proc/"$(pid)")" = khopool-guest ]

systemctl start khopool-metrics.service || die "khopool-metrics"
python3 -c 'from urllib.request import urlopen
print(urlopen("http://127.0.0.1:9100/metrics").read().decode())' >/tmp/metrics ||
	die "node_exporter"
grep khopool_ /tmp/metrics | sed 's/^/@say   /'
check "node_exporter has them" grep -qx 'khopool_extents{pool="vm"} 1' /tmp/metrics

was=$(pid)
for deb in /srv/debs/khopool*.deb; do
	repack "$deb"
done
check "apt upgrades them" quietly apt-get install -y /tmp/khopool_*.deb /tmp/khopool-guests_*.deb
check "that is another version" [ "$(version khopool-guests)" != \
	"$(dpkg-deb -f /srv/debs/khopool-guests_*.deb Version)" ]
check "the guest runs on" [ "$(pid)" = "$was" ]
check "nothing was updated" [ "$(systemctl is-active khopool-update)" = inactive ]
check "apt removes the units" quietly apt-get remove -y khopool-guests
check "the guest still runs on" kill -0 "$was"
check "its file is there" [ -f /etc/khopool/guests/vm1.conf ]
kill "$was"
until_done 60 "QEMU does not end" not kill -0 "$was"
check "its memory is there" khopool show vm1
check "apt purges the command" quietly apt-get purge -y khopool khopool-guests
check "nothing of it is left" [ ! -e /usr/sbin/khopool ]
check "the guest's file is the operator's" [ -f /etc/khopool/guests/vm1.conf ]
check "what is in the pool stays" [ "$(cat $POOL/extents)" = 1 ]
check "apt installs them again" quietly apt-get install -y /srv/debs/khopool_*.deb \
	/srv/debs/khopool-guests_*.deb
check "the guest starts again" systemctl start khopool-guest@vm1
systemctl kill khopool-guest@vm1
# The kernel likewise, under its own name: the one that runs goes on.
repack /srv/debs/linux-image-*.deb
check "apt upgrades the kernel" quietly apt-get install -y /tmp/linux-image-*.deb
check "it can be loaded beside extents" load_next
check "and would lose nothing" khopool check
kexec -u
kernel=$(dpkg-query -W -f '${Package}\n' 'linux-image-*-kho-pool-*')
check "apt removes the kernel that runs" quietly apt-get purge -y "$kernel"
check "its files are gone" not ls /boot/*kho-pool*
finish 0
