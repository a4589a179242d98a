#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""kernel-tests.py OBJ [--plain OBJ] [--other OBJ] [--disk DISK] [NAME ...]: KUnit, kselftests and
the tests over several kernels, each on a booted kernel.

Prints one line a test; writes build/kernel-tests/MACHINE.json, or what --report names."""

import argparse
import json
import os
import re
import sys

from guest import Guest, machine, say
from verified import add_up, merge

# The kernel lets tests change what it hands on.
INJECT = {"append": "kho_pool=512M kho_pool_inject"}


def dumps_agree(records):
    """Is what khopool shows what sysfs shows?"""
    for record in records:
        root, indexes = record["dump"]["root"], record["dump"]["indexes"]
        sizes = [e["size"] for i in indexes for e in i["extents"]]
        if (root["generation"] != record["generation"] or len(sizes) != record["extents"] or
                sum(r["size"] for p in root["pools"] for r in p["regions"]) !=
                record["pool_bytes"] or
                sum(i["size"] - i["used"] for i in indexes) != record["free_bytes"]):
            return False
    return len(records) == 2


def khopool_agrees(records):
    """Does khopool say the same thing in different commands, and what sysfs says?"""
    for r in records:
        extents = r["ls"]["extents"]
        regions = [region for pool in r["map"]["pools"] for region in pool["regions"]]
        pools = {pool["name"]: pool for pool in r["stat"]["pools"]}
        guest = [e for e in extents if e.get("name") == "guest"]
        notes = [e for e in extents if e.get("name") == "notes"]
        if (len(pools) != r["pools"] or len(extents) != r["extents"] or
                pools["default"]["size_bytes"] != r["size"] or
                [e for region in regions for e in region["extents"]] != extents or
                any(sum(region["size"] for region in pool["regions"]) !=
                    pools[pool["pool"]]["size_bytes"] for pool in r["map"]["pools"]) or
                any(pool["free_bytes"] != pool["size_bytes"] -
                    sum(e["size"] for e in extents if e["pool"] == name)
                    for name, pool in pools.items()) or
                guest != [r["show"]] or guest[0]["size"] != 64 << 20 or
                guest[0]["link"] != "/dev/kho_pool/vm/guest" or
                r["check"]["bytes"] > notes[0]["size"] or len(r["check"]["sha256"]) != 64 or
                r["links"] != {"links": []} or
                not r["kexec"]["args"].startswith("--mem-min=0x") or
                r["kexec"]["command_line"].count("kho_handover=0x") != 1 or
                {e["base"] for e in extents} !=
                {e["base"] for i in r["dump"]["indexes"] for e in i["extents"]} or
                r["verify"] != {"violations": []}):
            return False
    return len(records) == 2


def nodes(*sizes, dist=None):
    """A machine of that many nodes, with a CPU on each of the first two."""
    args = []
    for i, size in enumerate(sizes):
        cpu = f",cpus={i}" if i < 2 else ""
        args += ["-object", f"memory-backend-ram,id=m{i},size={size},reserve=off",
                 "-numa", f"node,memdev=m{i}{cpu}"]
    for (src, dst), value in (dist or {}).items():
        args += ["-numa", f"dist,src={src},dst={dst},val={value}"]
    mem = sum(int(size[:-1]) << {"M": 0, "G": 10}[size[-1]] for size in sizes)
    return {"mem": f"{mem}M", "smp": "2,sockets=2", "numa": args}


def guests_went_on(records):
    """Has each guest gone on where it was, in every kernel, in huge pages?"""
    for name, size in ("small", 64 << 20), ("large", 1 << 30):
        runs = [r for r in records if r["guest"] == name]
        if [r["kernel"] for r in runs] != [0, 1, 2, 3]:
            return False
        for r in runs:
            # Where KVM counts exits, of which faults are some, they are traced.
            r["faults"] = r.get("traced_faults", r["faults"])
            say(f"{name} in kernel {r['kernel']}: rounds {r['found']} to {r['left']}, "
                f"paused at word {r['position']} of {r['words']}; {r['pages_touched']} pages "
                f"touched, {r['pages_1g']} x 1 GiB, {r['pages_2m']} x 2 MiB, "
                f"{r['pages_4k']} x 4 KiB, {r['faults']} faults, {r['exits']} exits")
            mapped = (r["pages_1g"] << 30) + (r["pages_2m"] << 21)
            if (r["bytes"] != size or r["bad"] or not 0 < r["position"] < r["words"] or
                    mapped != size or r["pages_4k"] or r["left"] <= r["found"] or
                    (r["pages_1g"] != 0) != (r["align"] == 1 << 30) or
                    not 0 < r["faults"] < r["pages_touched"] / 16):
                return False
        if runs[0]["found"] or any(a["left"] != b["found"] for a, b in zip(runs, runs[1:])):
            return False
    return True


def same_cost(records):
    """Does it cost as much to preserve and to retrieve 64 GiB as 1 GiB?"""
    cost = {1: {}, 64: {}}
    for r in records:
        cost[r.pop("size")].update(r)
    for size, values in cost.items():
        say(f"the file of {size} GiB in a session: {values}")
    small, large = cost.values()
    # A tick of the clock in between is a quarter of it.
    return (small.keys() == large.keys() and len(small) == 4 and
            all(0 < large[key] < 2 * small[key] for key in small) and
            large["record_bytes"] == small["record_bytes"] and
            large["preserve_calls"] == small["preserve_calls"])


# On the pool, in a machine that can have guests.
GUESTS = {"mode": "kvm", "append": "kho_pool=2560M kernels=3 huge=1024", "mem": "6G",
          "records": guests_went_on, "timeout": 400}

# name: command line, and what else the guest is to be.  All run on both
# architectures but for those with "arch".
SCENARIOS = {
    "bad_arguments": {"append": ("kho_pool kho_pool=:1G,vm:,0,9999T,128M@7,128M@x,12Q,a/b:1G,"
                                 "handover:1G,control:1G,.x:1G,a-name-of-thirty-two-bytes-in-all:1G "
                                 "kho_pool=good:256M")},
    "too_large": {"append": "kho_pool=4G", "mem": "3G"},
    # More of it for KHO than it would take by itself
    "scratch_areas": {"append": "kho_pool=4G kho_scratch=256M,640M,128M", "mem": "3G"},
    "no_root": {"append": ""},
    "kho_off": {"append": "kho_pool=1G kho=off"},
    "kho_off_later": {},
    "sealed_root_damaged": INJECT,
    "root_magic_damaged": INJECT,
    "root_check_damaged": INJECT,
    "keep_list_damaged": INJECT,
    "newer_format": INJECT,
    "page_size": INJECT,
    "read_only_format": INJECT,
    "compatible_format": INJECT,
    "made_up_root": INJECT,
    "not_allowed": {},
    "dump": {"records": dumps_agree},
    "khopool": {"append": "kho_pool=512M,vm:256M", "records": khopool_agrees},
    "khopool_udev": {"append": "kho_pool=512M,vm:256M", "tools": True},
    "khopool_without": {"append": ""},
    "khopool_quarantined": INJECT,
    "index_damaged": INJECT,
    "index_header_damaged": INJECT,
    "one_region_damaged": {"append": "kho_pool=512M,512M kho_pool_inject"},
    "unsealed": {},
    "image_overlaps": {},
    "loaders": {},
    "load_refused": {},
    "own_loader": {"tools": True},
    "failed_kexec": {},
    "kdump": {"append": "kho_pool=512M crashkernel=256M", "crash": True},
    # What a kernel without kho_pool does is mainline's KHO, in no part of an
    # architecture; it takes another kernel.
    "without_kho_pool": {"arch": "x86_64", "plain": True, "mem": "3G", "tools": True},
    "versions": {"arch": "x86_64", "other": True},
    "ahead_incompat": {"arch": "x86_64", "ahead": True,
                       "append": "kho_pool=512M kho_pool_ahead=incompat"},
    "ahead_ro_compat": {"arch": "x86_64", "ahead": True,
                        "append": "kho_pool=512M kho_pool_ahead=ro-compat"},
    "ahead_compat": {"arch": "x86_64", "ahead": True,
                     "append": "kho_pool=512M kho_pool_ahead=compat"},
    "numa": {"append": "kho_pool=512M@0,512M@1", **nodes("2G", "2G")},
    "numa_whole_node": {"append": "kho_pool=256M@0,2G@1", "tools": True, **nodes("2G", "2G")},
    "numa_distance": {"append": "kho_pool=256M@0,256M@1,256M@2",
                      **nodes("1536M", "1536M", "1536M", dist={(0, 1): 40, (0, 2): 20,
                                                               (1, 2): 30})},
    "numa_changes": {"append": "kho_pool=512M@0,512M@1", **nodes("2G", "2G")},
    # Run with each page size; the others know pages of 4 KiB only.
    "pages": {"append": "kho_pool=2G", "mem": "6G"},
    "release": {},
    # Errors come from memory_failure() where the kernel has it.
    "memory_error": {"timeout": 300},
    "sample": {},
    "log": {},
    "guests_x86": {"arch": "x86_64", **GUESTS},
    # Device-dax has no pages of 1 GiB there.
    "guests_arm64": {"arch": "arm64", **GUESTS, "el2": True,
                     "append": GUESTS["append"].replace("1024", "2")},
    "luo": {"append": "kho_pool=512M kho_pool_inject liveupdate=on"},
    # One instruction takes one ns.
    "luo_cost": {"arch": "x86_64", "append": "kho_pool=66G liveupdate=on", "mem": "80G",
                 "smp": 1, "icount": True, "records": same_cost, "timeout": 400},
    "trace": {"append": "kho_pool=512M,256M kho_pool_inject trace_event=kho_pool:*"},
    "trace_tools": {"arch": "x86_64", "disk": True, "mem": "4G"},
    # The seal, traced into the log, is the last that a kernel says.
    "klog": {"append": "kho_pool=256M tp_printk trace_event=kho_pool:kho_pool_root",
             "timeout": 300},
}


# Programs of the kselftests, and what may be left out where.
PROGRAMS = ["kho_pool_test", "kho_pool_control_test", "kho_pool_dax_test", "kho_pool_luo_test"]
KSELFTESTS = {
    "kselftest": {"programs": PROGRAMS, "skips": {
        # Device-dax has no pages of 1 GiB there.
        "arm64": r"dax\.gigantic_pages\..* the kernel does not map pages of 1048576 KiB"}},
    # What wants pages of 1 GiB is told that there are none
    "kselftest_no_1g": {"arch": "x86_64", "cpu": "max,-pdpe1gb", "programs": PROGRAMS[2:3],
                        "only": "-vgigantic_pages", "all_skipped": True, "skips": {
        "x86_64": r"dax\.gigantic_pages\..* the kernel does not map pages of 1048576 KiB"}},
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


def complains(guest, name, crash=False):
    """A kernel that complains has failed, whatever the script says.

    But for what it says of its clock, which on a busy machine is no good, and when it
    is to crash."""
    words = re.compile(r"BUG:|WARNING:|Oops|Call [Tt]race|lockdep(?! checking)")
    lines, clock, crashes = [], False, False
    for line in guest.lines:
        clock |= "WARNING: kernel/time/" in line
        if crash:
            crashes |= "Kernel panic - not syncing: sysrq triggered crash" in line
            crashes &= "Linux version" not in line
        if not clock and not crashes and words.search(line):
            lines.append(line)
        clock &= "---[ end trace" not in line
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("obj")
    parser.add_argument("--plain", help="objects of a kernel without kho_pool")
    parser.add_argument("--other", help="objects of another version of the kernel")
    parser.add_argument("--ahead", help="objects of a kernel with a feature more")
    parser.add_argument("--disk", help="with tools: what scripts/vm-disk prints")
    parser.add_argument("--arch", default=os.environ.get("ARCH", "x86_64"))
    parser.add_argument("--report", help="another name for the report")
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    names = args.names or ["kunit", *KSELFTESTS, *SCENARIOS]
    results, verified = [], []
    on = machine(args.obj, args.arch)

    def point(name, ok):
        results.append((name, ok))
        print(f"{'ok' if ok else 'FAILED':6} {name}", flush=True)

    for name in names:
        if name == "kunit":
            guest = Guest(args.obj, "kunit", arch=args.arch, mem="2G", timeout=120, log=name,
                          append="kunit.enable=1 kunit.filter_glob=kho_pool* kho_pool=64M")
            ok = guest.run()
            points = tap([x for x in guest.lines if x.startswith("    ")], "kunit")
            for p in points:
                point(*p)
            suites = {x.split()[-1] for x in guest.lines if x.startswith("    # Subtest:")}
            point("kunit: ran to its end", ok and not complains(guest, name) and
                  suites == {"kho_pool", "kho_pool_klog", "kho_pool_luo"})
        elif name in KSELFTESTS:
            test = KSELFTESTS[name]
            programs = test["programs"]
            if test.get("arch", args.arch) != args.arch:
                continue
            guest = Guest(args.obj, "kselftest", arch=args.arch, mem="6G", timeout=240, log=name,
                          cpu=test.get("cpu", "max"),
                          append=f"kho_pool=2G liveupdate=on programs={','.join(programs)} "
                                 f"only={test.get('only', '')}")
            ok = guest.run()
            for p in tap(guest.lines, name, test["skips"].get(args.arch)):
                point(*p)
            if test.get("all_skipped"):
                ok &= all("# SKIP" in x for x in guest.lines if re.match(r"ok \d+ ", x))
            point(f"{name}: ran to its end",
                  ok and not complains(guest, name) and all_ended(guest, programs))
        else:
            scenario = dict(SCENARIOS[name])
            obj, alt = args.obj, []
            if scenario.pop("arch", args.arch) != args.arch:
                continue
            agree, crash = scenario.pop("records", None), scenario.pop("crash", False)
            if scenario.pop("plain", False):
                if not args.plain:
                    continue
                alt = [os.path.join(args.plain, "guest-kernel")]
            if scenario.pop("disk", False):
                if not args.disk:
                    continue
                alt = [args.disk]
            for kind in "other", "ahead":
                if not scenario.pop(kind, False):
                    continue
                # The other one is first.
                obj = getattr(args, kind)
                alt = [os.path.join(args.obj, f) for f in ("guest-kernel", "initrd.gz")]
            if not obj:
                continue
            # Small enough for one region, wherever KASLR puts the kernel.
            append = scenario.pop("append", "kho_pool=512M")
            guest = Guest(obj, scenario.pop("mode", "stages"), arch=args.arch, log=name, alt=alt,
                          append=f"scenario={name} {append}", quiet=True,
                          **{"mem": "3G", "timeout": 180, **scenario})
            ok = guest.run()
            verified += add_up(on, name, guest.verified)
            if ok and agree and not agree(guest.records):
                say(f"{name}: what it has reported does not agree")
                ok = False
            point(f"over kexec: {name}", ok and not complains(guest, name, crash))

    os.makedirs("build/kernel-tests", exist_ok=True)
    failed = sum(not ok for _, ok in results)
    with open(f"build/kernel-tests/{args.report or on}.json", "w") as f:
        json.dump({"machine": on, "passed": len(results) - failed, "failed": failed,
                   "verified": merge(verified),
                   "tests": [{"name": n, "ok": ok} for n, ok in results]}, f, indent=1)
        f.write("\n")
    print(f"kernel tests: {len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
