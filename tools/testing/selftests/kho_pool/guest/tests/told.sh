# SPDX-License-Identifier: GPL-2.0-only
# What user space is told of a pool, by poll() and by udev

# says FILE COMMAND...: what udev gets to know
says() {
	file=$1
	shift
	/tests/kho_pool_told default "$file" "$@" 2>/dev/null
}

#: told mem=4G -- kho_pool=1G
told_0() {
	check "an allocation that fails is told" is \
		"$(says alloc_failures khopool create large 2G)" KHO_POOL_CHANGED=alloc_failures
	khopool create vm 64M --expose=2M >/dev/null || die "khopool create"
	check "so is a memory error" is \
		"$(says bad_frames /tests/kho_pool_bad "$(device vm)" 67108864 4096 poison)" \
		KHO_POOL_CHANGED=bad_frames
	is "$(stat bad_frames)" 1 || die "there is no bad frame"
	echo 1 >$DEBUG/sealed || die "seal"
	check "and that the pool is not sealed any more" is \
		"$(says state sh -c "echo 0 >$DEBUG/sealed")" KHO_POOL_CHANGED=state
}
