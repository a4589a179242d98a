#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""demo_vm.py OBJ --disk DISK [--other OBJ] [--kexecs N] [--memory MIB]: a guest of Debian's QEMU,
with its memory in a pool, lives through kexecs of its host.

Prints what the guest said before and after each, one line for each thing that must hold, and
writes build/demo-vm.json.  With --other the host has that kernel first; the two take turns."""

import argparse
import json
import os
import sys
import time

from guest import SILENCE, Guest, say

# Each kernel measures the TSC of an emulated CPU with another result.  KVM would take the
# guest's for one that it has to scale, which this CPU cannot, and give it a wrong one.
TSC = "kvm.tsc_tolerance_ppm=10000"


class TimedGuest(Guest):
    """Each record has the time at which it came."""

    def _line(self, line):
        known = len(self.records)
        super()._line(line)
        for record in self.records[known:]:
            record["at"] = time.monotonic()


def table(asked):
    rows = [["", "host kernel", "host's boot", "guest's boot", "guest's uptime", "process",
             "its count", "file in tmpfs"]]
    for r in asked:
        guest = r["guest"]
        when = f"before kexec {r['generation'] + 1}"
        if r["event"] == "arrived":
            when = f"after kexec {r['generation']}"
        elif r is asked[-1]:
            when = "later"
        rows.append([when, r["host"]["kernel"], r["host"]["boot_id"][:8], guest["boot_id"][:8],
                     f"{guest['uptime']:.2f} s", str(guest["pid"]), str(guest["count"]),
                     guest["sha256"][:12]])
    width = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, width)).rstrip())


def blackouts(records, kexecs):
    """What the guest has waited for, in seconds."""
    at = {(r["generation"], r["event"]): r for r in records}
    outs = []
    for i in range(kexecs):
        steps = [at.get(key) for key in ((i, "pause"), (i, "saved"), (i, "kexec"), (i + 1, "up"),
                                         (i + 1, "running"))]
        if None in steps:
            break
        spans = [round(b["at"] - a["at"], 2) for a, b in zip(steps, steps[1:])]
        names = "save", "keep", "kexec", "resume"
        outs.append({"seconds": round(sum(spans), 2), **dict(zip(names, spans)),
                     "state_bytes": steps[1]["state_bytes"]})
    return outs


def checks(records, args, outs):
    """Pairs of what must hold and whether it does."""
    kexecs = args.kexecs
    asked = [r for r in records if r["event"] in ("arrived", "leaving")]
    want = [(0, "leaving")] + [(i, e) for i in range(1, kexecs + 1) for e in ("arrived", "leaving")]
    yield f"the guest has answered in {kexecs + 1} kernels", \
        [(r["generation"], r["event"]) for r in asked] == want
    if not asked:
        return
    hosts = {r["generation"]: r["host"] for r in asked}
    guests = [r["guest"] for r in asked]
    pairs = list(zip(guests, guests[1:]))

    def same(key):
        return len({g[key] for g in guests}) == 1

    yield "the host has booted each time", \
        len({h["boot_id"] for h in hosts.values()}) == kexecs + 1
    if args.other:
        yield "it has had the two kernels by turns", \
            all(hosts[i]["kernel"] != hosts[i + 1]["kernel"] for i in range(len(hosts) - 1)) and \
            len({h["kernel"] for h in hosts.values()}) == 2
    yield "the guest has not booted", same("boot_id") and same("kernel") and \
        guests[0]["boot_id"] not in [h["boot_id"] for h in hosts.values()]
    # By its own clock only: ours has no say in how fast it is.
    yield "its uptime goes on", all(a["uptime"] < b["uptime"] for a, b in pairs)
    yield "its process is the same one", same("pid") and same("started")
    yield "which counts on from where it was", all(a["count"] < b["count"] for a, b in pairs)
    yield "its file has the same bytes", same("sha256")
    yield "its memory is where it was", len({r["memory"] for r in asked}) == 1
    yield "KVM has it in pages of 2 MiB", all(r["pages_2m"] > 8 for r in asked)
    yield "none of it was copied", len(outs) == kexecs and \
        all(0 < out["state_bytes"] < 1 << 20 for out in outs)
    yield "nothing is left of it in the end", \
        [r["extents"] for r in records if r["event"] == "done"] == [0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("obj")
    parser.add_argument("--disk", required=True, help="with QEMU: what scripts/vm-disk prints")
    parser.add_argument("--other", help="objects of another version of the kernel")
    parser.add_argument("--kexecs", type=int, default=2)
    parser.add_argument("--memory", type=int, default=256, help="of the guest, in MiB")
    args = parser.parse_args()

    first = args.other or args.obj
    alt = [args.disk]
    if args.other:
        alt += [os.path.join(args.obj, f) for f in ("guest-kernel", "initrd.gz")]
    say(f"booting a host with a pool: {args.kexecs} kexecs")
    pool = args.memory + 256
    host = TimedGuest(first, "demo-vm", mem=f"{pool + 2560}M", alt=alt,
                      append=f"kho_pool={pool}M kernels={args.kexecs} vm_size={args.memory}M {TSC}",
                      silence=SILENCE + 300)
    ok = host.run()
    outs = blackouts(host.records, args.kexecs)
    results = [("the host came to its end", ok),
               ("no kernel has complained", not host.complaints()),
               *checks(host.records, args, outs)]

    asked = [r for r in host.records if "guest" in r]
    print()
    if asked:
        print(f"{asked[0]['qemu']}, guest with {args.memory} MiB at {asked[0]['memory']}\n")
        table(asked)
        print()
    for i, out in enumerate(outs, 1):
        print(f"kexec {i}: the guest stood still for {out['seconds']:.1f} s: {out['save']:.1f} "
              f"QEMU saves {out['state_bytes']:,} bytes, {out['keep']:.1f} khopool keeps them,\n"
              f"         {out['kexec']:.1f} kexec, {out['resume']:.1f} QEMU starts and goes on")
    print("Times are those of an emulated CPU.\n")
    for what, holds in results:
        print(f"{'ok' if holds else 'FAILED':6} demo-vm: {what}")
    passed = all(holds for _, holds in results)
    with open("build/demo-vm.json", "w") as f:
        json.dump({"ok": passed, "checks": [{"what": w, "ok": h} for w, h in results],
                   "memory_bytes": args.memory << 20, "blackouts": outs,
                   "events": host.records}, f, indent=1)
        f.write("\n")
    print("report: build/demo-vm.json")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
