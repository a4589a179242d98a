# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# systemd keeps a device's file in the file descriptor store of a unit over a kexec: no
# program of ours takes part in it.

[ "$gen" != none ] || die "there is no pool: $(cat /sys/kernel/mm/kho_pool/handover)"
NODE=/dev/kho_pool/vm/vm1

# python COMMAND...: with m, what file descriptor 3 maps
python() {
	python3 -c "import mmap, sys
m = mmap.mmap(3, 64 << 20)
$1" 3<>"$2"
}

stored() { systemctl show -P NFileDescriptorStore keep.service; }

case $gen in
0)	check "systemd is one that does it" [ "$(systemctl --version |
		sed -n '1s/^systemd \([0-9]*\).*/\1/p')" -ge 261 ]
	khopool create vm1 64M --expose=2M >/dev/null || die "khopool create"
	udevadm settle
	python 'm[4096:4103] = b"outlive"' $NODE || die "python"
	# The guide's unit, and a second command of it that looks at what it is given
	{
		cut_out FileDescriptorStorePreserve
		cat <<-'EOF'
			ExecStart=/bin/sh -c '[ -z "$LISTEN_FDS" ] || { \
				stat -Lc "%%t:%%T" /proc/self/fd/3 >/run/kept; \
				python3 -c "import mmap; \
					print(mmap.mmap(3, 64 << 20)[4096:4103].decode())" \
					>>/run/kept; \
				exec 4<>/proc/self/fd/3 && echo opened again >>/run/kept; \
				echo $LISTEN_FDNAMES >>/run/kept; }'
			[Install]
			WantedBy=multi-user.target
		EOF
	} >/etc/systemd/system/keep.service
	systemctl daemon-reload
	systemctl enable --now keep.service || die "keep.service"
	check "systemd has the file" [ "$(stored)" = 1 ]
	load_next || die "the next kernel cannot be loaded"
	systemctl kexec
	sleep 600 ;;
1)	check "the unit is there" systemctl -q is-active keep.service
	sed 's/^/@say   /' /run/kept
	# The unit needs no link of udev's, but this does.
	udevadm settle
	check "it was given the device's file" [ "$(sed -n 1p /run/kept)" = \
		"$(stat -Lc '%t:%T' $NODE)" ]
	check "which maps what was written" [ "$(sed -n 2p /run/kept)" = outlive ]
	check "and can be opened by its path" [ "$(sed -n 3p /run/kept)" = "opened again" ]
	check "under its name" [ "$(sed -n 4p /run/kept)" = vm1 ]
	check "systemd still has it" [ "$(stored)" = 1 ]
	# It has ended its session.
	check "the extent can be removed" khopool rm vm1
	finish 0 ;;
esac
