#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make what a test guest needs besides its kernel: the kselftests and khopool, the
# guest's initramfs, OBJ/initrd.gz, and one with stress-ng and udev as well,
# OBJ/initrd-tools.gz.
#
#	OBJ			a folder in which a kernel was built (make O=OBJ)
#
#	ARCH=arm64		of that kernel (x86_64)
#	TREE=			its source (the tree that this file is in)
#	USERLAND=		a folder with Debian's busybox-static, kexec-tools, stress-ng and
#				udev for that architecture (this machine's own, /)
#
# What few guests need is in the second initramfs only: an emulated CPU takes longer to unpack
# it, and to digest it for a kexec, than for the rest of a boot.

set -euo pipefail

die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

[ -d "${1:-}" ] || die "usage: $0 OBJ, the folder of a kernel build"
obj=$(cd "$1" && pwd)
tests=$(cd "$(dirname "$0")/.." && pwd)
tree=$(cd "${TREE:-$tests/../../../..}" && pwd)
debian=${USERLAND:-}
case ${ARCH:=x86_64} in
x86_64)	cross='' triplet=x86_64-linux-gnu image=arch/x86/boot/bzImage ;;
arm64)	cross=aarch64-linux-gnu- triplet=aarch64-linux-gnu image=arch/arm64/boot/Image ;;
*)	die "ARCH=$ARCH is neither x86_64 nor arm64" ;;
esac
for program in make "${cross}gcc" "${cross}strip" busybox cpio gzip readelf; do
	type -P "$program" >/dev/null || die "there is no $program"
done
[ -e "$obj/guest-kernel" ] || ln -s "$image" "$obj/guest-kernel"

# compile NAME MAKE-ARGUMENT...: programs, with a log
compile() {
	local log=$obj/$1.log
	shift
	make -s "$@" CROSS_COMPILE="$cross" >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		die "see $log"
	}
	grep 'warning:' "$log" >&2 || true
}
mkdir -p "$obj/kselftest"
compile kselftest -C "$tree/tools/testing/selftests/kho_pool" OUTPUT="$obj/kselftest" ARCH="$ARCH" \
	KHDR_INCLUDES= top_srcdir="$tree"
# Without libraries: the guest has no libfdt.
compile khopool -C "$tree/tools/mm/khopool" OUTPUT="$obj/khopool/" LDFLAGS=-static

base=$obj/initrd tools=$obj/initrd-tools
rm -rf "$base" "$tools"
mkdir -p "$base"/{bin,dev,proc,sys,tmp,lib,lib64,guest,tests} "$tools/bin"
root=$base

# find_in WHAT FOLDER ...: where it is in the guest's Debian
find_in() {
	local what=$1 folder
	shift
	for folder in "$@"; do
		[ ! -e "$debian$folder/$what" ] || { echo "$folder/$what"; return; }
	done
	die "there is no $what for $ARCH"
}

cp "$debian$(find_in busybox /bin /usr/bin)" "$root/bin/busybox"
# It names them in its own code, which this machine may not be able to run.
for applet in $(busybox --list); do
	[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done

# put PATH: what Debian has there
put() {
	mkdir -p "$root$(dirname "$1")"
	cp -L "$debian$1" "$root$1"
}

# libraries FILE: what it loads, and what that loads
libraries() {
	local lib at
	for lib in $(LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'); do
		at=$(find_in "$lib" {,/usr}/lib{/$triplet,64,})
		[ ! -e "$base$at" ] && [ ! -e "$root$at" ] || continue
		put "$at"
		libraries "$debian$at"
	done
}

# loads FILE: put what it loads, and the loader, into $root
loads() {
	local loader
	loader=$(LC_ALL=C readelf -l "$1" | sed -n 's/.*interpreter: \(.*\)\].*/\1/p')
	[ -z "$loader" ] || put "$loader"
	libraries "$1"
}

# add PROGRAM: to $root, with all that it loads
add() {
	local at
	at=$(find_in "$1" {/usr,}/{s,}bin)
	rm -f "$root/bin/$1"
	cp "$debian$at" "$root/bin/"
	loads "$debian$at"
}
add kexec
# Some of these folders are not there if no module is in them.
for folder in mm samples drivers/dax drivers/misc; do
	[ ! -d "$obj/$folder" ] ||
		find "$obj/$folder" -name '*.ko' -exec cp -t "$root/lib" {} +
done
cp -r "$tests"/guest/* "$root/guest/"
cp "$tests/guest/init" "$root/init"
chmod +x "$root/init"
cp "$obj"/kselftest/* "$root/tests/"
# They were linked with libraries of this release, as the guest's are.
for program in "$root"/tests/kho_pool_*; do
	loads "$program"
done
cp "$obj/khopool/khopool" "$root/bin/"
find "$root/tests" "$root/bin" -type f '(' -path '*/tests/*' -o -name khopool ')' \
	-exec "${cross}strip" {} +

root=$tools
add stress-ng
# As the daemon it goes by another name.
add udevadm
ln -s udevadm "$root/bin/udevd"
mkdir -p "$root/lib/udev/rules.d"
cp "$tree/tools/mm/khopool/60-kho-pool.rules" "$root/lib/udev/rules.d/"

archive() {
	(cd "$1" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1)
}
archive "$base" >"$obj/initrd.gz.new"
# The kernel unpacks one after the other.
archive "$tools" | cat "$obj/initrd.gz.new" - >"$obj/initrd-tools.gz.new"
for name in initrd.gz initrd-tools.gz; do
	mv "$obj/$name.new" "$obj/$name"
	echo "$obj/$name"
done
