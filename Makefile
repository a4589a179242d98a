# SPDX-License-Identifier: GPL-2.0-only
#
#	make run	the main job on a real kernel: a pool over four kexecs
#	make test	all tests; ends in two tables, which are in build/test.json,
#			and "N passed, N failed"
#	make soak	stress-ng and churn over GENERATIONS=20 kexecs
#	make scale	seal and restore of 448 GiB, in instructions
#	make kaslr	BOOTS=50 boots of large machines, with the kernel somewhere
#			else each time: the pools get what they ask for
#	make demo-vm	a guest of Debian's QEMU lives through kexecs of its host;
#			FROM=7.2 has the host change versions, there and back
#	make blackout	how long a guest stands still, by phases: with a pool, with
#			memfds in LUO, with reserve_mem and a copy (SIZES=1,4,16
#			GiB, WAYS=pool,memfd,memfd-huge,reserve_mem; x86-64)
#	make khopool	the command for a machine with pools: build/khopool/khopool;
#			STATIC=1 makes build/khopool/static/khopool, for an initramfs
#	make harness	the user-space tests only, in a minute
#	make check	static checks: checkpatch, W=1, sparse, clang, kernel-doc,
#			the manual page
#	make series	a patch series as one would send it, in build/series, with
#			checkpatch; CHECK=1 builds each patch (scripts/series-check)
#	make coverage	lines and branches of mm/kho_pool that the tests run, in
#			the harness and in a kernel of its own
#	make bench	the index beside the kernel's other allocators, and the
#			design's targets: 12 minutes, or a look with QUICK=1;
#			PLOTS=1 draws Documentation/mm/kho_pool/*.svg anew
#	make paths	instructions of each path, beside the committed counts
#			(UPDATE=1 takes the new ones over)
#
# KERNEL_SRC= names a kernel tree of yours instead of the one that is fetched.
# KERNEL=7.2 is the version to take, of those that patches/ has (7.3).
# KHO_POOL_CACHE= is where sources and objects go (~/.cache/kho_pool).
# ARCH=arm64 has the guests be arm64; ARCHES="x86_64 arm64" is what make test does.

ARCH ?= x86_64
ARCHES ?= x86_64 arm64
KERNEL ?= 7.3
GENERATIONS ?=
SECONDS_EACH ?= 10
export ARCH ARCHES KERNEL CHECK FROM

run:
	@scripts/with-kernel scripts/run.py OBJ $(if $(GENERATIONS),--generations $(GENERATIONS))

test:
	@scripts/test

soak:
	@scripts/with-kernel scripts/run.py OBJ soak --seconds $(SECONDS_EACH) \
		$(if $(GENERATIONS),--generations $(GENERATIONS))

scale:
	@scripts/with-kernel scripts/scale.py OBJ

kaslr:
	@scripts/kaslr $(if $(BOOTS),--boots $(BOOTS))

demo-vm:
	@scripts/demo-vm

blackout:
	@ARCH=x86_64 scripts/with-kernel scripts/blackout.py OBJ \
		$(if $(SIZES),--sizes $(SIZES)) $(if $(WAYS),--ways $(WAYS))

# Installed from there by make -C tools/mm/khopool install OUTPUT=...
khopool:
	@bash -c '. scripts/lib.sh; need gcc gcc make make /usr/include/libfdt.h libfdt-dev \
		/usr/include/stdlib.h libc6-dev'
	@$(MAKE) -s -C tools/mm/khopool $(if $(STATIC),LDFLAGS=-static) \
		OUTPUT=$(CURDIR)/build/khopool/$(if $(STATIC),static/)
	@echo build/khopool/$(if $(STATIC),static/)khopool

harness:
	@scripts/harness

check:
	@scripts/check

series:
	@scripts/series

coverage:
	@scripts/coverage

bench:
	@scripts/bench

paths:
	@scripts/paths

clean:
	rm -rf build

.PHONY: run test soak scale kaslr demo-vm blackout khopool harness check series coverage bench paths clean
