#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""scale.py OBJ: what seal and restore cost for a small and a large pool, side
by side, in instructions (QEMU's -icount shift=0: one instruction, one ns)."""

import argparse
import json
import os
import re
import sys

from guest import Guest, machine, say

# pool, machine
CASES = {"1 GiB": ("1G", "512G"), "448 GiB": ("448G", "512G")}
# arm64 maps all memory in single pages if not told otherwise, and copies the
# tables for the kexec: 1 GiB each, with or without a pool.
APPEND = {"arm64": " rodata=noalias"}
SEAL_MAX, RESTORE_MAX, ZONES_MAX = 100e3, 1e6, 0.2e9


def between(lines, first, last):
    """Nanoseconds between two messages of the last boot."""
    stamp = {}
    for line in lines:
        m = re.match(r"\[ *(\d+\.\d+)\] (.*)", line)
        for mark in first, last:
            if m and mark in m.group(2):
                stamp[mark] = float(m.group(1))
    if len(stamp) != 2 or not stamp[last]:
        return None
    return (stamp[last] - stamp[first]) * 1e9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("obj")
    parser.add_argument("--arch", default=os.environ.get("ARCH", "x86_64"))
    args = parser.parse_args()
    results, failures = {}, []
    for name, (pool, mem) in CASES.items():
        say(f"a pool of {name} in a machine of {mem}B, in 1 GiB extents, under -icount")
        guest = Guest(args.obj, "scale", mem=mem, smp=1, arch=args.arch, icount=True,
                      append=f"kho_pool={pool} extent=1G" + APPEND.get(args.arch, ""),
                      silence=1800, log=f"scale-{pool}")
        if not guest.run() or len(guest.records) != 2:
            failures.append(f"{name}: the guest failed")
            continue
        before, after = guest.records
        if after["extents"] != before["extents"] or after["extents"] < int(pool[:-1]) - 1:
            failures.append(f"{name}: {after['extents']} of {before['extents']} extents")
        results[name] = {
            "pool_bytes": after["pool_bytes"],
            "regions": after["regions"],
            "extents": after["extents"],
            "index_bytes": after["index_bytes"],
            "root_bytes": after["root_bytes"],
            "seal_instructions": after["seal_ns"],
            "restore_instructions": after["restore_ns"],
            "boot_to_init_instructions": between(guest.lines, "Linux version", "Run /init"),
        }
        # On arm64 the clock does not run yet when zones are made.
        if args.arch != "arm64":
            results[name]["zonelists_to_irqs_instructions"] = between(
                guest.lines, "Fallback order for Node 0", "NR_IRQS")
        failures += [f"{name}: {key} was not measured"
                     for key, value in results[name].items() if not value]
    if len(results) == len(CASES) and not failures:
        small, large = results.values()
        ratio = large["seal_instructions"] / small["seal_instructions"]
        for text, ok in {
            f"seal {large['seal_instructions']} > {SEAL_MAX:.0f}":
                large["seal_instructions"] <= SEAL_MAX,
            f"seal of the large pool is {ratio:.2f} times that of the small": 0.5 < ratio < 2,
            f"restore {large['restore_instructions']} > {RESTORE_MAX:.0f}":
                large["restore_instructions"] <= RESTORE_MAX,
            f"zonelists to IRQs > {ZONES_MAX:.0f}":
                large.get("zonelists_to_irqs_instructions", 0) <= ZONES_MAX,
            "a boot with the large pool costs more than one with the small":
                large["boot_to_init_instructions"] < small["boot_to_init_instructions"],
            f"pool of {large['pool_bytes']} bytes": large["pool_bytes"] >= 400 << 30,
        }.items():
            if not ok:
                failures.append(text)
    os.makedirs("build/scale", exist_ok=True)
    on = machine(args.obj, args.arch)
    with open(f"build/scale/{on}.json", "w") as f:
        json.dump({"machine": on, "cases": results, "failures": failures,
                   "ok": not failures}, f, indent=1)
        f.write("\n")
    print()
    for key in next(iter(results.values()), {}):
        values = [f"{r[key]:>16,.0f}" if r[key] is not None else f"{'?':>16}"
                  for r in results.values()]
        print(f"{key:32}" + "".join(values))
    print(f"report: build/scale/{on}.json")
    for failure in failures:
        print(f"WRONG: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
