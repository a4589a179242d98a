#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""paths.py PROGRAM: instructions of each path, counted by valgrind, beside the
committed ones.  They are the same on every machine, but not from every compiler."""

import argparse
import json
import os
import platform
import re
import subprocess
import sys

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.json")
LIMIT = 0.10
# One path beside another, and how many times as long it may be; with any compiler
RATIOS = ("bad_last", "bad_first", 2),


def count(program, path):
    """Instructions of one call."""
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                          "--toggle-collect=counted", program, path],
                         capture_output=True, text=True, check=False)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not collected:
        raise RuntimeError(f"{path}: status {run.returncode}: {run.stderr[-300:]}")
    return round(int(collected.group(1)) / int(run.stdout), 1)


def compiler():
    line = subprocess.run([os.environ.get("CC", "cc"), "--version"], capture_output=True,
                          text=True, check=True).stdout.splitlines()[0]
    # "cc (Debian ...)" and "gcc (Debian ...)" are the same.
    return f"{line.split(maxsplit=1)[1]}, {platform.machine()}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    paths = subprocess.run([args.program], capture_output=True, text=True,
                           check=True).stdout.split()
    try:
        with open(FILE) as f:
            before = json.load(f)
    except FileNotFoundError:
        before = {"compiler": None, "instructions": {}}
    now = {"compiler": compiler(), "instructions": {}}
    same = now["compiler"] == before["compiler"]
    failed = shrunk = 0
    print(f"TAP version 14\n1..{len(paths) + len(RATIOS)}")
    if not same:
        print(f"# counted for {before['compiler']}\n# this is     {now['compiler']}")
    for nr, path in enumerate(paths, 1):
        old = before["instructions"].get(path)
        new = now["instructions"][path] = count(args.program, path)
        if old is None:
            print(f"ok {nr} {path}: {new:g} # SKIP not counted before")
            continue
        text = f"{nr} {path}: {old:g} -> {new:g} ({new / old - 1:+.0%})".replace("%", " %")
        if not same:
            print(f"ok {text} # SKIP other compiler")
        elif new > old * (1 + LIMIT) and not args.update:
            failed += 1
            print(f"not ok {text}")
        else:
            shrunk += new < old * (1 - LIMIT)
            print(f"ok {text}")
        sys.stdout.flush()
    for nr, (path, other, limit) in enumerate(RATIOS, len(paths) + 1):
        ratio = now["instructions"][path] / now["instructions"][other]
        failed += ratio > limit
        print(f"{'not ' * (ratio > limit)}ok {nr} {path}: {ratio:.2f} times {other}, "
              f"at most {limit}")
    if args.update:
        with open(FILE, "w") as f:
            json.dump(now, f, indent=1)
            f.write("\n")
        print(f"# written: {FILE}")
    elif shrunk:
        print(f"# {shrunk} shorter by more than {LIMIT:.0%}: make paths UPDATE=1 takes "
              "them over")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
