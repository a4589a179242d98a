#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""run.py OBJ [soak]: the main job, over several kexecs, with a table at the end.

What each generation leaves is compared with what the next one finds, out here,
where a kexec cannot lose it."""

import argparse
import json
import os
import sys

from guest import LIMIT, SILENCE, Guest, machine, say
from verified import add_up


def check(records, generations):
    """What is wrong with these generations, as text."""
    wrong = []
    if len(records) != generations + 1:
        wrong.append(f"{len(records)} generations reported, not {generations + 1}")
    for i, now in enumerate(records):
        if now["generation"] != i:
            wrong.append(f"generation {i} calls itself {now['generation']}")
        for key in "bytes_bad", "extents_lost", "extents_foreign":
            if now[key]:
                wrong.append(f"generation {i}: {key} is {now[key]}")
        if not i:
            continue
        before = records[i - 1]
        if now["came"] != before["extents"]:
            wrong.append(f"generation {i} found {now['came']} of {before['extents']} extents")
        # One of them is the ledger itself.
        if now["verified_extents"] + 1 != before["extents"]:
            wrong.append(f"generation {i} verified {now['verified_extents']} extents")
        if not now["bytes_verified"]:
            wrong.append(f"generation {i} verified nothing")
        if now["pool_bytes"] != records[0]["pool_bytes"]:
            wrong.append(f"generation {i}: the pool has another size")
        if now.get("leaked_bytes"):
            wrong.append(f"generation {i}: {now['leaked_bytes']} bytes are not free again")
    return wrong


def size(n):
    for unit in "B", "KiB", "MiB":
        if n < 10 * 1024:
            return f"{n:.0f} {unit}"
        n /= 1024
    return f"{n:.2f} GiB"


def table(records):
    head = ["generation", "came over", "verified", "bad bytes", "then held", "reused free",
            "restore", "seal before"]
    rows = [head]
    for r in records:
        rows.append([
            str(r["generation"]), f"{r['came']} extents", size(r["bytes_verified"]),
            str(r["bytes_bad"]), f"{r['extents']} extents", size(r.get("reused_bytes", 0)),
            f"{r['restore_ns'] / 1000:.0f} us",
            f"{r['seal_ns'] / 1000:.0f} us" if r["generation"] else "-"])
    width = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for i, row in enumerate(rows):
        print("  ".join(cell.rjust(w) for cell, w in zip(row, width)))
        if not i:
            print("  ".join("-" * w for w in width))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("obj")
    parser.add_argument("mode", nargs="?", default="run", choices=["run", "soak"])
    parser.add_argument("--arch", default=os.environ.get("ARCH", "x86_64"))
    parser.add_argument("--generations", type=int)
    parser.add_argument("--seconds", type=int, default=10)
    args = parser.parse_args()
    generations = args.generations or {"run": 4, "soak": 20}[args.mode]

    say(f"booting {args.mode}: {generations} kexecs, 10 GiB machine, pool of 5 GiB")
    guest = Guest(args.obj, args.mode, arch=args.arch,
                  mem="10G", tools=args.mode == "soak",
                  append=f"kho_pool=5G generations={generations} seconds={args.seconds}",
                  silence=SILENCE + 10 * args.seconds,
                  limit=LIMIT + generations * (600 + 10 * args.seconds))
    ok = guest.run()
    wrong = check(guest.records, generations)
    records = guest.records
    if not records:
        sys.exit("the guest reported nothing: " + "; ".join(guest.failures))
    after = records[1:]
    lost = sum(v["bad"] for v in guest.verified)
    on = machine(args.obj, args.arch)
    report = {
        "kernel": records[-1]["kernel"],
        "machine": on,
        "generations": generations,
        "extents_preserved": sum(r["verified_extents"] for r in after),
        "bytes_verified": sum(v["bytes"] for v in guest.verified),
        "bytes_lost": lost,
        "verified": add_up(on, args.mode, guest.verified),
        "extents_lost": sum(r["extents_lost"] for r in records),
        "pool_bytes": records[0]["pool_bytes"],
        "root_bytes": max(r["root_bytes"] for r in records),
        "index_bytes": records[0]["index_bytes"],
        "seal_ns": max((r["seal_ns"] for r in after), default=0),
        "restore_ns": max(r["restore_ns"] for r in records),
        "ok": ok and not wrong,
        "each": records,
    }
    path = os.path.join("build", args.mode, f"{on}.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        json.dump(report, f, indent=1)
        f.write("\n")

    print()
    table(records)
    print()
    print(f"kernel {report['kernel']} ({on}), pool {size(report['pool_bytes'])} in "
          f"{records[0]['regions']} region(s), index {size(report['index_bytes'])}, "
          f"root {report['root_bytes']} B")
    print(f"{report['bytes_verified']:,} bytes verified over {generations} kexecs, "
          f"{lost:,} lost.  Times are those of an emulated CPU.")
    print(f"report: {path}")
    for text in wrong:
        print(f"WRONG: {text}")
    sys.exit(0 if report["ok"] else 1)


if __name__ == "__main__":
    main()
