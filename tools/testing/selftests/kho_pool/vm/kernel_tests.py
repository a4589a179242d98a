#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""kernel_tests.py OBJ [--plain OBJ] [--other OBJ] [--disk DISK] [NAME ...]: KUnit, kselftests and
the tests over several kernels (see scenarios.py), each on a booted kernel.

Prints one line a test; writes build/kernel-tests/MACHINE.json, or what --report names."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import records
import scenarios
from guest import Guest, machine, say
from verified import add_up, merge

# Programs of the kselftests, and what may be left out where.
PROGRAMS = ["kho_pool_test", "kho_pool_control_test", "kho_pool_dax_test", "kho_pool_luo_test"]
KSELFTESTS = {
    "kselftest": {"programs": PROGRAMS, "skips": {
        # Device-dax has no pages of 1 GiB there.
        "arm64": r"dax\.gigantic_pages\..* the kernel does not map pages of 1048576 KiB"}},
    # Tests that need pages of 1 GiB learn that there are none
    "kselftest_no_1g": {"arch": "x86_64", "cpu": "max,-pdpe1gb", "programs": PROGRAMS[2:3],
                        "only": "-vgigantic_pages", "all_skipped": True, "long": True, "skips": {
        "x86_64": r"dax\.gigantic_pages\..* the kernel does not map pages of 1048576 KiB"}},
    "kselftest_fail": {"needs": "FAILSLAB", "programs": ["kho_pool_fail_test"], "skips": {}},
}


def tap(lines, prefix, skips=None):
    """Test points of TAP output, as (name, passed); what is skipped unasked has failed."""
    points = []
    for line in lines:
        m = re.match(r"( *)(not ok|ok) (\d+) (.*)", re.sub(r"^\[ *[\d.]+\] ", "", line))
        if not m:
            continue
        skipped = "# SKIP" in m.group(4)
        if not (skipped and skips and re.fullmatch(skips, m.group(4))):
            points.append((f"{prefix}: {m.group(4)}", m.group(2) == "ok" and not skipped))
    return points


def complains(guest, name, **expected):
    """A kernel that complains has failed, whatever the script says."""
    lines = guest.complaints(**expected)
    for line in lines:
        say(f"{name}: {line}")
    return bool(lines)


def all_ended(guest, programs):
    """Has each program said how many tests it has, run as many, and been content?"""
    plans = [int(m.group(1)) for m in map(re.compile(r"1\.\.(\d+)$").match, guest.lines) if m]
    ran = [x for x in guest.lines if re.match(r"(not ok|ok) \d+ ", x)]
    ended = [x for x in guest.lines if x.startswith("ended ")]
    return (ended == [f"ended {p} 0" for p in programs] and len(plans) == len(programs) and
            sum(plans) == len(ran))


def signed(obj):
    """Its image, signed with the key that it trusts for its modules"""
    path, key = (os.path.join(obj, f) for f in ("guest-kernel.signed", "certs/signing_key.pem"))
    with open(os.path.join(obj, "guest-kernel"), "rb") as f:
        image = f.read()
    # All of the file is signed, and a disk has whole sectors.
    for _ in range(2):
        with tempfile.NamedTemporaryFile() as plain:
            plain.write(image)
            plain.flush()
            subprocess.run(["sbsign", "--key", key, "--cert", key, "--output", path, plain.name],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        image += bytes(-os.path.getsize(path) % 512)
    return path


def elf(obj):
    """Its vmlinux, without what is for debuggers"""
    path = os.path.join(obj, "guest-kernel.elf")
    subprocess.run(["objcopy", "--strip-all", os.path.join(obj, "vmlinux"), path], check=True)
    return path


# What makes them, by the words in scenarios.FORMS
FORMS = {"signed": signed, "elf": elf}


class Runner:
    """What a test is run with: objects, other kernels and disks, an architecture."""

    def __init__(self, args, tests):
        self.args, self.tests = args, tests
        self.on = machine(args.obj, args.arch)
        with open(os.path.join(args.obj, ".config")) as f:
            self.config = f.read()
        # Its shadow takes an eighth of the memory.
        self.shadow = "CONFIG_KASAN=y\n" in self.config
        # Of what a large kernel uses early on, KHO's scratch areas are a multiple.
        large = os.path.getsize(os.path.join(args.obj, "guest-kernel")) > 32 << 20
        self.factor = 2 if self.shadow or large else 1

    def guest(self, obj, mode, *, mem, append, **kwargs):
        """A machine with that much memory, and more if the kernel needs it for itself.

        KASAN's shadow is in a scratch area before there is other memory.  By default
        their size is a multiple of all that is in use early on, which would be most of it."""
        if self.shadow:
            mib = int(mem[:-1]) << {"M": 0, "G": 10}[mem[-1]]
            append += f" kho_scratch=64M,{mib // 8 + mib // 64 + 512}M,64M"
        if self.shadow and self.args.arch == "x86_64" and kwargs.get("cpu", "max") == "max":
            # While identify_cpu() has cleared the feature, KASAN does not know where memory
            # is with five levels of page tables, and an interrupt is reported.
            kwargs["cpu"] = "max,la57=off"
        return Guest(obj, mode, arch=self.args.arch, mem=mem, append=append, **kwargs)

    def size(self, size):
        """How much memory a machine has that otherwise has so much"""
        return scenarios.times(size, self.factor)

    def kunit(self, name):
        # With pages of 64 KiB pool and scratch areas come in pieces of 512 MiB.
        guest = self.guest(self.args.obj, "kunit", mem=self.size("4G"), log=name,
                           append="kunit.enable=1 kunit.filter_glob=kho_pool* kho_pool=64M")
        ok = guest.run()
        suites = {x.split()[-1] for x in guest.lines if x.startswith("    # Subtest:")}
        points = tap([x for x in guest.lines if x.startswith("    ")], "kunit")
        return [*points, ("kunit: ran to its end", ok and not complains(guest, name) and
                          suites == {"kho_pool", "kho_pool_klog", "kho_pool_luo"})], []

    def kselftest(self, name):
        arch, test = self.args.arch, KSELFTESTS[name]
        programs = test["programs"]
        guest = self.guest(self.args.obj, "kselftest", mem=self.size("6G"), log=name,
                           cpu=test.get("cpu", "max"),
                           append=f"kho_pool=2G liveupdate=on programs={','.join(programs)} "
                                  f"only={test.get('only', '')}")
        ok = guest.run()
        if test.get("all_skipped"):
            ok &= all("# SKIP" in x for x in guest.lines if re.match(r"ok \d+ ", x))
        return [*tap(guest.lines, name, test["skips"].get(arch)),
                (f"{name}: ran to its end",
                 ok and not complains(guest, name, no_memory=name == "kselftest_fail") and
                 all_ended(guest, programs))], []

    def over_kexec(self, name):
        args, test = self.args, self.tests[name]
        obj, alt = args.obj, []
        if form := next(iter(scenarios.FORMS & set(test)), None):
            alt = [FORMS[form](obj)]
        # The other kernel, or the disk
        if kind := next(iter(scenarios.OTHERS & set(test)), None):
            more = getattr(args, kind)
            if kind == "disk":
                alt = [more]
            elif kind == "plain":
                alt = [os.path.join(more, "guest-kernel")]
            else:
                # That one is first.
                obj = more
                alt = [os.path.join(args.obj, f) for f in ("guest-kernel", "initrd.gz")]
        guest = self.guest(obj, "stage", log=name, alt=alt, quiet=True,
                           append=f"scenario={name} {test['command_line']}",
                           **scenarios.guest(test, self.factor))
        ok = guest.run()
        if ok and "records" in test and not records.CHECKS[test["records"]](guest.records):
            say(f"{name}: what it has reported does not agree")
            ok = False
        ok = ok and not complains(guest, name, crash=test.get("crash", False))
        return [(f"over kexec: {name}", ok)], add_up(self.on, name, guest.verified)

    def can(self, name):
        """Is it for this architecture, and is there what it needs?"""
        test = KSELFTESTS.get(name) or self.tests.get(name, {})
        if "needs" in test and f"CONFIG_{test['needs']}=y\n" not in self.config:
            return False
        return test.get("arch", self.args.arch) == self.args.arch and \
            all(getattr(self.args, kind) for kind in scenarios.OTHERS & set(test))

    def run(self, name):
        """The points of a test, what it has verified, and its seconds."""
        begin = time.monotonic()
        of = self.kunit if name == "kunit" else \
            self.kselftest if name in KSELFTESTS else self.over_kexec
        points, verified = of(name)
        for point, ok in points:
            print(f"{'ok' if ok else 'FAILED':6} {point}\n", end="", flush=True)
        return points, verified, (name, round(time.monotonic() - begin))


def guests_at_once():
    """As many as there are CPUs, if each can have the memory of the largest."""
    with open("/proc/meminfo") as f:
        available = int(re.search(r"MemAvailable: +(\d+)", f.read()).group(1)) >> 20
    return max(1, min(os.cpu_count(), available // 10))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("obj")
    parser.add_argument("--plain", help="objects of a kernel without kho_pool")
    parser.add_argument("--other", help="objects of another version of the kernel")
    parser.add_argument("--ahead", help="objects of a kernel with a feature more")
    parser.add_argument("--strict", help="objects of a kernel with device-dax as modules, and "
                        "without System RAM in /dev/mem")
    parser.add_argument("--disk", help="with tools: what scripts/vm-disk prints")
    parser.add_argument("--arch", default=os.environ.get("ARCH", "x86_64"))
    parser.add_argument("--report", help="another name for the report")
    parser.add_argument("--jobs", type=int, default=guests_at_once(), help="guests at once")
    parser.add_argument("--others", action="store_true",
                        help="only the tests that need another kernel beside the first")
    parser.add_argument("--brief", action="store_true",
                        help="without those that are long, or that another architecture has had")
    parser.add_argument("--page-sizes", action="store_true",
                        help="only those that are run with each page size")
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    try:
        tests = scenarios.read()
    except scenarios.Wrong as wrong:
        sys.exit(str(wrong))
    names = args.names or ["kunit", *KSELFTESTS, *tests]
    if args.others:
        names = [n for n, test in tests.items() if scenarios.KERNELS & set(test)]
    elif args.page_sizes:
        names = ["kunit", *(n for n, test in tests.items() if "page_sizes" in test)]
    if args.brief:
        names = [n for n in names if "long" not in KSELFTESTS.get(n, {}) and
                 (n not in tests or scenarios.in_brief(tests[n], args.arch))]
    if unknown := [n for n in names if n not in ("kunit", *KSELFTESTS, *tests)]:
        sys.exit(f"there is no test {', '.join(unknown)}")
    runner = Runner(args, tests)
    with ThreadPoolExecutor(args.jobs) as pool:
        ran = list(pool.map(runner.run, filter(runner.can, names)))
    results = [point for points, _, _ in ran for point in points]

    os.makedirs("build/kernel-tests", exist_ok=True)
    failed = sum(not ok for _, ok in results)
    with open(f"build/kernel-tests/{args.report or runner.on}.json", "w") as f:
        json.dump({"machine": runner.on, "passed": len(results) - failed, "failed": failed,
                   "verified": merge([row for _, rows, _ in ran for row in rows]),
                   "seconds": dict(seconds for _, _, seconds in ran),
                   "tests": [{"name": n, "ok": ok} for n, ok in results]}, f, indent=1)
        f.write("\n")
    print(f"kernel tests: {len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not results else 0)


if __name__ == "__main__":
    main()
