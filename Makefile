# SPDX-License-Identifier: GPL-2.0-only
#
#	make run	the main job on a real kernel: a pool over four kexecs
#	make test	what is run after each change: two tables, which are in
#			build/test.json as well, and "N passed, N failed"
#	make test-long	all tests, on more kernels; PART="plain pages" runs these
#			parts only (scripts/test says which there are)
#	make soak	stress-ng and churn over GENERATIONS=20 kexecs
#	make scale	seal and restore of 448 GiB, in instructions
#	make kaslr	BOOTS=50 boots of large machines, each with the kernel at
#			another place: the pools get what they request
#	make demo-vm	a guest of Debian's QEMU survives kexecs of its host; with
#			FROM=7.2 the host changes versions, there and back
#	make demo-host	a Debian host with systemd and two guests is updated by its
#			packages' units (as root; x86-64)
#	make test-host	all tests of such hosts: updates that fail, packages, libvirt,
#			systemd's file descriptor store, the page for beginners
#	make deb	Debian packages of the kernel and of khopool, in build/deb;
#			FLAVOUR=cloud-amd64 has a fourth of Debian's modules
#	make blackout	how long a guest stands still, by phases: with a pool, with
#			memfds in LUO, with reserve_mem and a copy (SIZES=1,4,16
#			GiB, WAYS=pool,memfd,memfd-huge,reserve_mem; x86-64)
#	make khopool	the command for a machine with pools: build/khopool/khopool;
#			STATIC=1 makes build/khopool/static/khopool, for an initramfs
#	make harness	the user-space tests only, in a minute
#	make litmus	the order of loads and stores on two CPUs, by the kernel's
#			memory model (herd7)
#	make check	static checks: checkpatch, W=1, sparse, clang, kernel-doc,
#			the manual page
#	make series	the patch series to send, in build/series, with checkpatch;
#			CHECK=1 builds each patch (scripts/series-check)
#	make coverage	lines and branches of mm/kho_pool that the tests run, in
#			the harness and in an instrumented kernel (TESTS="kunit release":
#			only these kernel tests)
#	make bench	the index compared with the kernel's other allocators, and
#			the design's targets: 12 minutes, or a quick run with QUICK=1;
#			PLOTS=1 draws Documentation/mm/kho_pool/*.svg again
#	make paths	instructions of each path, compared with the committed counts
#			(UPDATE=1 stores the new ones)
#
# KERNEL_SRC=		a kernel tree of yours, instead of the one that is fetched
# KERNEL=7.2		the version to use, one of those in patches/ (7.3)
# KHO_POOL_CACHE=	where sources and objects go (~/.cache/kho_pool)
# ARCH=arm64		arm64 guests; for tests: ARCHES="x86_64 arm64"

ARCH ?= x86_64
ARCHES ?= x86_64 arm64
KERNEL ?= 7.3
GENERATIONS ?=
SECONDS_EACH ?= 10
export ARCH ARCHES KERNEL CHECK FROM FLAVOUR

# What stands above
help:
	@sed -n '1d; /^[^#]/q; s/^#\t/  /p; s/^# //p; s/^#$$//p' $(firstword $(MAKEFILE_LIST))

run:
	@scripts/with run.py OBJ $(if $(GENERATIONS),--generations $(GENERATIONS))

test:
	@scripts/test

test-long:
	@scripts/test --long $(PART)

soak:
	@scripts/with run.py OBJ soak --seconds $(SECONDS_EACH) \
		$(if $(GENERATIONS),--generations $(GENERATIONS))

scale:
	@scripts/with scale.py OBJ

kaslr:
	@scripts/with kaslr.py OBJ --without WITHOUT $(if $(BOOTS),--boots $(BOOTS))

demo-vm:
	@scripts/with demo_vm.py OBJ --disk DISK $(if $(FROM),--other OTHER)

demo-host:
	@ARCH=x86_64 scripts/with host.py HOST demo

test-host:
	@ARCH=x86_64 scripts/test --long host

deb:
	@scripts/deb kernel
	@scripts/deb khopool

blackout:
	@ARCH=x86_64 scripts/with blackout.py OBJ \
		$(if $(SIZES),--sizes $(SIZES)) $(if $(WAYS),--ways $(WAYS))

# Installed from there by make -C tools/mm/khopool install OUTPUT=...
khopool:
	@bash -c '. scripts/lib.sh; need gcc gcc make make /usr/include/libfdt.h libfdt-dev \
		/usr/include/nettle/sha2.h nettle-dev /usr/include/stdlib.h libc6-dev'
	@$(MAKE) -s -C tools/mm/khopool $(if $(STATIC),LDFLAGS=-static) \
		OUTPUT=$(CURDIR)/build/khopool/$(if $(STATIC),static/)
	@echo build/khopool/$(if $(STATIC),static/)khopool

harness:
	@scripts/with make harness KSRC=SOURCE

litmus:
	@scripts/with make litmus KSRC=SOURCE HERD=HERD

check:
	@scripts/check

series:
	@scripts/series

coverage:
	@scripts/with coverage TREE OBJ PLAIN $(TESTS)

bench:
	@scripts/with make -C bench -j$(shell nproc) run KSRC=SOURCE \
		$(if $(QUICK),QUICK=1) $(if $(PLOTS),PLOTS=1)

paths:
	@scripts/with make -C bench counts $(if $(UPDATE),UPDATE=1)

clean:
	rm -rf build

.PHONY: help run test test-long soak scale kaslr demo-vm demo-host test-host deb blackout khopool \
	harness litmus check series coverage bench paths clean
