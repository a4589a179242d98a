#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""kaslr.py OBJ [--without OBJ] [--boots N] [CASE ...]: boot large machines over
and over, each time with the kernel somewhere else, and see whether the pools get
all that they ask for, in as few regions as the machine has room for.

Prints a line a case, then a table; writes build/kaslr.json."""

import argparse
import json
import os
import sys

from guest import Guest, say
from machines import nodes

GIB = 1 << 30


# name: the machine, its command line, and what has to come of it: pool, bytes and
# regions.  QEMU's q35 has 2 GiB below the PCI hole and the rest above, and the top
# of that is allocated from before the pools are made.
CASES = {
    "64 GiB": {
        "mem": "64G", "append": "kho_pool=60G",
        "want": {"default": (60 * GIB, 1)}},
    "512 GiB": {
        "mem": "512G", "append": "kho_pool=508G",
        "want": {"default": (508 * GIB, 1)}},
    # The part of the last one beyond whole GiB is a separate region.
    "pools": {
        "mem": "64G", "append": "kho_pool=vm:40G,8G kho_pool=dax:4608M",
        "want": {"vm": (40 * GIB, 1), "default": (8 * GIB, 1), "dax": (9 * GIB // 2, 2)}},
    "two nodes": {
        **nodes("32G", "32G"), "append": "kho_pool=a:28G@0,b:30G@1",
        "want": {"a": (28 * GIB, 1), "b": (30 * GIB, 1)}},
    # The EFI stub gives up on the physical address, as for gigantic pages.
    "EFI": {
        "mem": "64G", "append": "kho_pool=56G", "uefi": True, "one_place": True,
        "want": {"default": (56 * GIB, 1)}},
}
# A boot without the patch takes as long as one with it, and two cases suffice.
WITHOUT = ["64 GiB", "512 GiB"]
BRIEF = ["64 GiB", "two nodes"]


def judge(record, want):
    """The pools of one boot: bytes, bytes short, regions too many."""
    got = short = more = 0
    for pool, (size, regions) in want.items():
        sizes = [int(r["size"], 0) for r in record["regions"] if r["pool"] == pool]
        got += sum(sizes)
        short += max(0, size - sum(sizes))
        more += max(0, len(sizes) - regions)
    return got, short, more


def boot(obj, name, case, boots, patch="with"):
    """All boots of one case, and what they add up to."""
    machine = {k: v for k, v in case.items() if k not in ("want", "one_place")}
    log = f"kaslr-{name.replace(' ', '-')}-{patch}"
    each, failed = [], 0
    for i in range(boots):
        guest = Guest(obj, "kaslr", quiet=True, log=log, **{"smp": 1, **machine})
        if not guest.run() or len(guest.records) != 1:
            os.replace(guest.log, guest.log.replace(".log", f"-{i}.log"))
            failed += 1
            continue
        record = guest.records[0]
        got, short, more = judge(record, case["want"])
        if short or more:
            # The console of a successful boot is not interesting.
            os.replace(guest.log, guest.log.replace(".log", f"-{i}.log"))
        each.append({"kernel": record["kernel"], "state": record["state"], "got": got,
                     "short": short, "regions": len(record["regions"]), "more": more})
        if (i + 1) % 10 == 0:
            say(f"  {i + 1} boots")
    regions = [b["regions"] for b in each]
    return {
        "append": case["append"], "mem": case["mem"], "boots": boots, "failed": failed,
        "asked_bytes": sum(size for size, _ in case["want"].values()),
        "least_bytes": min((b["got"] for b in each), default=0),
        "asked_regions": sum(n for _, n in case["want"].values()),
        "got_all": sum(not b["short"] and b["state"] == "active" for b in each),
        "fewest_regions": sum(not b["short"] and not b["more"] for b in each),
        "boots_by_regions": {str(n): regions.count(n) for n in sorted(set(regions))},
        "kernel_places": len({b["kernel"] for b in each}),
        "each": each,
    }


def wrong(result, one_place):
    """What is wrong with the result, given the patch."""
    boots = result["boots"]
    for key in "got_all", "fewest_regions":
        if result[key] != boots:
            yield f"{key} in {result[key]} of {boots} boots"
    # Keeping clear of the pools must not mean one and the same place.
    if not one_place and result["kernel_places"] <= boots // 2:
        yield f"the kernel was in {result['kernel_places']} places only"


def table(results):
    print(f"\n{'machine':10} {'patch':8} {'boots':>5} {'asked GiB':>10} {'least GiB':>10} "
          f"{'got all':>8} {'in fewest regions':>18} {'kernel places':>14}  boots by regions")
    for r in results:
        by = ", ".join(f"{n} in {k}" for k, n in r["boots_by_regions"].items())
        print(f"{r['case']:10} {r['patch']:8} {r['boots']:5} {r['asked_bytes'] / GIB:10.1f} "
              f"{r['least_bytes'] / GIB:10.1f} {r['got_all']:8} {r['fewest_regions']:18} "
              f"{r['kernel_places']:14}  {by}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("obj")
    parser.add_argument("--without", help="objects of a kernel without the patch")
    parser.add_argument("--boots", type=int, default=50)
    parser.add_argument("--brief", action="store_true", help="two cases only")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_intermixed_args()
    results, failures = [], []
    for name in args.cases or (BRIEF if args.brief else CASES):
        case = CASES[name]
        if args.without and name in WITHOUT:
            say(f"{name}: {case['append']}, {args.boots} boots without the patch")
            results.append({"case": name, "patch": "without",
                            **boot(args.without, name, case, args.boots, "without")})
        say(f"{name}: {case['append']}, {args.boots} boots")
        result = boot(args.obj, name, case, args.boots)
        results.append({"case": name, "patch": "with", **result})
        found = list(wrong(result, case.get("one_place")))
        failures += [f"{name}: {text}" for text in found]
        print(f"{'FAILED' if found else 'ok':6} kaslr: {name}, {args.boots} boots", flush=True)
    with open("build/kaslr.json", "w") as f:
        json.dump({"results": results, "failures": failures, "ok": not failures}, f, indent=1)
        f.write("\n")
    table(results)
    print("report: build/kaslr.json")
    for failure in failures:
        print(f"WRONG: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
