# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What every script here needs: where things are, how to say something, how to
# install a Debian package.  Sourced, never run.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Kernel sources, objects and guest files live outside the checkout.
CACHE=${KHO_POOL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kho_pool}
OUT=$TOP/build
# Programs that are next to the tests they are about, and posted with them
VM=$TOP/tools/testing/selftests/kho_pool/vm
HARNESS=$TOP/tools/testing/kho_pool
KERNEL=${KERNEL:-7.3}
ARCH=${ARCH:-x86_64}
JOBS=${JOBS:-$(nproc)}
# For coverage, of the kernel and of the harness alike, so that the two can be
# added up: before optimisation each condition is a branch, and each branch and
# return has the line that it was written in.
GCOV_CFLAGS="-fprofile-arcs -ftest-coverage -fno-tree-loop-im -g0 -fno-early-inlining"
GCOV_CFLAGS+=" -fdisable-tree-early_optimizations --param=logical-op-non-short-circuit=0"

# Those of the make that called us: a silent one would make the kernel's silent too.
unset MAKEFLAGS MFLAGS MAKELEVEL

mkdir -p "$CACHE" "$OUT"

# Progress goes to stderr: stdout carries a script's answer.
say() { printf '[%4ds] %s\n' "$SECONDS" "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# persist COMMAND...: a mirror that does not answer is asked again, for a minute or so.
persist() {
	local pause
	for pause in 5 15 45; do
		"$@" && return
		say "once more in $pause s: $1"
		sleep "$pause"
	done
	"$@"
}

# apt_install PACKAGE...: one at a time, as scripts/test builds kernels while tests run
apt_install() {
	local sudo=
	[ "$(id -u)" -eq 0 ] || sudo=sudo
	(flock 9 && $sudo apt-get update -q &&
	 DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qy \
		--no-install-recommends "$@") >"$CACHE/apt.log.$$" 2>&1 </dev/null 9>"$CACHE/apt.lock"
}

# need COMMAND PACKAGE ...: install the packages whose command is missing.
need() {
	local missing=()
	while [ $# -gt 1 ]; do
		[ -n "$(type -P "$1")" ] || [ -e "$1" ] || missing+=("$2")
		shift 2
	done
	[ ${#missing[@]} -eq 0 ] && return
	say "installing: ${missing[*]}"
	persist apt_install "${missing[@]}" ||
		{ tail -n 20 "$CACHE/apt.log.$$" >&2; die "apt-get could not install: ${missing[*]}"; }
	rm -f "$CACHE/apt.log.$$"
}

# Half of the scripts are written in it.
need python3 python3

# The tool chain and the emulator for $ARCH.
need_build_tools() {
	need gcc gcc make make flex flex bison bison bc bc git git xz xz-utils \
	     cpio cpio python3 python3 patch patch /usr/include/gelf.h libelf-dev \
	     /usr/include/openssl/ssl.h libssl-dev \
	     /usr/include/linux/types.h linux-libc-dev
	case $ARCH in
	arm64)	need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu \
		     /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross ;;
	esac
}

need_guest_tools() {
	need python3 python3
	case $ARCH in
	x86_64)	need qemu-system-x86_64 qemu-system-x86 /usr/share/ovmf/OVMF.fd ovmf \
		     sbsign sbsigntool objcopy binutils ;;
	arm64)	need qemu-system-aarch64 qemu-system-arm \
		     /usr/share/qemu-efi-aarch64/QEMU_EFI.fd qemu-efi-aarch64 ;;
	esac
}

# missing_options FRAGMENT CONFIG: those that were asked for and are not there
missing_options() { grep '^CONFIG_' "$1" | grep -vxFf "$2" || :; }

# for_guest TREE OBJ: everything that a guest needs besides this kernel
for_guest() {
	local userland
	userland=$("$TOP/scripts/userland") || return
	TREE=$1 USERLAND=$userland "$VM/prepare.sh" "$2" >/dev/null
}

# guest_kernel: graft, build, and what a guest needs; prints the folder
guest_kernel() {
	local tree obj
	obj=$("$TOP/scripts/build") || return
	tree=$("$TOP/scripts/graft") || return
	for_guest "$tree" "$obj" || return
	echo "$obj"
}

# build_failed LOG: the first errors of it, and its end
build_failed() {
	grep -E 'error|undefined|Error' "$1" | head -n 20 >&2
	tail -n 5 "$1" >&2
	die "build failed, see $1"
}

# hash FILE-OR-FOLDER ...: one key for the contents, to name cache folders with.
hash_of() {
	find "$@" -type f -print0 | sort -z | xargs -0 sha256sum |
		sed "s, $TOP/, ," | sha256sum | cut -c1-16
}

# complaints PATTERN: of what make has said, the warnings about what the pattern names,
# and all errors.  Compilers, modpost and kernel-doc each write these words in their
# own way: "warning:", "WARNING:", "Warning:".
complaints() {
	grep -iE '(^|[^[:alnum:]_])(warning|error):|^make.*\*\*\*' |
		grep -E "(^|[^[:alnum:]_])[Ee][Rr]{2}[Oo][Rr]:|^make|$1" || true
}

# kernel_doc FILE...: what kernel-doc says about these; in a kernel's tree
kernel_doc() {
	local file
	for file; do
		scripts/kernel-doc -none -Wall "$file" 2>&1 || echo "error: $file"
	done | sed '/^Info:/d' | sort -u
}

# checkpatch_ignored FILE ...: what checkpatch is not asked about these.  Whether files
# that are added have an entry in MAINTAINERS is looked at by scripts/series.
checkpatch_ignored() {
	local types=FILE_PATH_CHANGES file
	for file; do
		case $file in
		kernel/kexec_core.c) types+=,CAMELCASE ;;	# its label "Unlock"
		include/linux/kho/abi/*)	# no kernel headers
			types+=,BIT_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO ;;
		# The way that all trace events are written
		include/trace/events/*) types+=,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE ;;
		# Iterators, and what checks at build time, can only be macros
		mm/kho_pool/pool.h|mm/kho_pool/control.c) types+=,MACRO_ARG_REUSE ;;
		mm/kho_pool/index/validate.c) types+=,MACRO_WITH_FLOW_CONTROL ;;
		*/guest/*) types+=,REPEATED_WORD ;;	# mount -t proc proc
		esac
		# User space has neither BIT() nor __printf(), but PRIu64 and volatile.
		[[ $file != tools/*.[ch] ]] ||
			types+=,BIT_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO,CAMELCASE,VOLATILE
		case $file in
		tools/testing/kho_pool/*) types+=,MACRO_ARG_REUSE,MACRO_WITH_FLOW_CONTROL ;;
		tools/mm/khopool/*) types+=,MACRO_ARG_REUSE ;;
		esac
		case $file in
		*/shim/*|*/interleave.h)	# stands in for kernel headers
			types+=,MACRO_ARG_UNUSED,COMPLEX_MACRO,MEMORY_BARRIER,AVOID_BUG,NEW_TYPEDEFS,EXPORT_SYMBOL
			types+=,INIT_ATTRIBUTE ;;
		esac
	done
	echo "$types"
}
