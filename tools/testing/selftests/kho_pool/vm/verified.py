#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""verified.py [MACHINE:FROM:INTO:LOADER ...]: how many bytes were looked at after a kexec,
and how many of them were lost, by machine, loader and the two kernels.

Reads what the tests have reported, build/*/*.json, and adds it up into
build/verified.json.  Prints a line for each of those named, which may be patterns:
there has to be one that was tested, and none may have lost anything."""

import fnmatch
import glob
import json
import sys

# Of a row, and of the names in the command's arguments
KEYS = ["machine", "from", "kernel", "loader"]


def add_up(machine, test, verified):
    """What the kernels of one test have verified, one row for each way they were reached."""
    rows = {}
    for v in verified:
        key = tuple({"machine": machine, **v}[k] for k in KEYS)
        row = rows.setdefault(key, {**dict(zip(KEYS, key)), "kexecs": 0, "bytes": 0, "bad": 0,
                                    "tests": [test]})
        row["kexecs"] += 1
        row["bytes"] += v["bytes"]
        row["bad"] += v["bad"]
    return list(rows.values())


def merge(rows):
    """One row of all that have the same keys."""
    merged = {}
    for row in rows:
        into = merged.setdefault(tuple(row[k] for k in KEYS),
                                 {**row, "kexecs": 0, "bytes": 0, "bad": 0, "tests": []})
        for key in "kexecs", "bytes", "bad":
            into[key] += row[key]
        into["tests"] += [t for t in row["tests"] if t not in into["tests"]]
    return [merged[key] for key in sorted(merged)]


def reported():
    for path in sorted(glob.glob("build/*/*.json")):
        with open(path) as f:
            report = json.load(f)
        if isinstance(report, dict):
            yield from report.get("verified", [])


def wanted(rows, names):
    """Was it tested, and is nothing lost?"""
    for name in names:
        of = [r for r in rows if all(fnmatch.fnmatchcase(r[key], pattern)
                                     for key, pattern in zip(KEYS, name.split(":")))]
        ok = of and all(r["bytes"] and not r["bad"] for r in of)
        print(f"{'ok' if ok else 'FAILED':6} every byte: {name.replace(':', ' ')}", flush=True)


def main():
    rows = merge(reported())
    wanted(rows, sys.argv[1:])
    with open("build/verified.json", "w") as f:
        json.dump(rows, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
