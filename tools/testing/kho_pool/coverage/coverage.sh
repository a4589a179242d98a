#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The lines and branches of mm/kho_pool that the tests run: those of the
# harness in user space, and those on a kernel with counters.  Prints a table;
# build/coverage.txt names what nothing runs, build/coverage.json has all of it.
#
#	coverage.sh TREE OBJ PLAIN [TEST ...]
#
# TREE is the kernel's source, OBJ a kernel built of it with counters in mm/kho_pool, and
# PLAIN one without kho_pool (scripts/with makes them, and knows GCOV_CFLAGS).  With names of
# tests these alone are run on the kernel.

set -euo pipefail

[ $# -ge 3 ] || { sed -n 's/^#\t\(coverage.sh .*\)/usage: \1/p' "$0" >&2; exit 2; }
tree=$1 obj=$2 plain=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
vm=$here/../../selftests/kho_pool/vm
out=$PWD/build
data=$out/coverage
rm -rf "$data"
mkdir -p "$data"/{harness,kernel}
failed=0

say() { printf '[%4ds] %s\n' "$SECONDS" "$*" >&2; }

# A line is the same line in both.
mkdir -p "$data/sources"
cp "$tree"/mm/kho_pool/*.[ch] "$tree"/mm/kho_pool/index/*.[ch] "$data/sources"

# In place of libFuzzer, which is clang's: the inputs that it has found before.
cat >"$data/replay.c" <<-'END'
	#include <stdio.h>

	int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

	int main(int argc, char **argv)
	{
		static unsigned char data[1 << 16];

		for (int i = 1; i < argc; i++) {
			FILE *f = fopen(argv[i], "r");
			size_t size = f ? fread(data, 1, sizeof(data), f) : 0;

			if (!f || fclose(f))
				return 1;
			LLVMFuzzerTestOneInput(data, size);
		}
		return 0;
	}
END

# harness MORE-FLAGS TARGET...
harness() {
	# Programs that leave by _exit() write no counters.
	make -s -C "$tree/tools/testing/kho_pool" OUT="$data/harness" SEED=1 CC=gcc \
		SANITIZE="$GCOV_CFLAGS -fprofile-filter-files=/kho_pool -D_exit=exit $1" "${@:2}"
}

run_harness() {
	local single=-fprofile-update=single fuzz name status=0

	# Counters that are atomic for all, as -pthread has it, take ten times as long.
	harness -fprofile-update=atomic "$data/harness/thread_test" || status=1
	harness $single test || status=1
	for fuzz in "$tree"/tools/testing/kho_pool/fuzz_*.c; do
		name=$(basename "$fuzz" .c)
		echo "# $name"
		harness "$single $data/replay.c" "$data/harness/$name" \
			"$data/harness/corpus/${name#fuzz_}" &&
		"$data/harness/$name" "$data/harness/corpus/${name#fuzz_}"/* || status=1
	done
	return $status
}

say "the harness (log: build/coverage/harness.log)"
run_harness >"$data/harness.log" 2>&1 </dev/null || {
	grep -E '^not ok|[Ee]rror' "$data/harness.log" >&2 || true
	say "the harness failed"
	failed=1
}

# Their logs and reports go below build/coverage, too: the figures are of a
# kernel that counts.
export COVERAGE=$data/kernel
cd "$data"
say "the kernel's tests (consoles: build/coverage/build/log)"
python3 "$vm/kernel_tests.py" "$obj" --plain "$plain" "$@" >&2 || failed=1
[ $# -gt 0 ] || python3 "$vm/run.py" "$obj" >&2 || failed=1

say "adding up"
python3 "$here/coverage.py" "$data" "$obj" "$out"
[ $failed -eq 0 ] || { say "there were tests that failed, so this is not all of it"; exit 1; }
