#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""summary.py: what scripts/test has run, part by part, and what became of the bytes
that went over a kexec; as two tables, and in build/test.json."""

import json
import textwrap


def table(head, rows, left, wrap=60):
    """The first LEFT columns are text, the others numbers; a last one of text is wrapped."""
    rows = [head, *rows]
    width = [max(len(row[i]) for row in rows) for i in range(len(head))]
    last = len(head) - 1
    if isinstance(rows[-1][last], str) and width[last] > wrap:
        width[last] = wrap
    print()
    for n, row in enumerate(rows):
        cells = [cell.rjust(w) if i >= left and i < last or i == last and cell.isdigit()
                 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, width))]
        first, *more = textwrap.wrap(row[last], width[last], break_on_hyphens=False)
        print("  ".join([*cells[:-1], first if more else cells[-1]]).rstrip())
        for line in more:
            print(" " * (sum(width[:-1]) + 2 * last) + line)
        if not n:
            print("  ".join("-" * w for w in width))


def main():
    with open("build/test.jsonl") as f:
        parts = [json.loads(line) for line in f]
    with open("build/verified.json") as f:
        verified = json.load(f)
    with open("build/test.json", "w") as f:
        json.dump({"passed": sum(p["passed"] for p in parts),
                   "failed": sum(p["failed"] for p in parts),
                   "parts": parts, "verified": verified}, f, indent=1)
        f.write("\n")
    table(["part", "passed", "failed", "seconds"],
          [[p["part"], str(p["passed"]), str(p["failed"]), str(p["seconds"])] for p in parts], 1)
    table(["machine", "from kernel", "into kernel", "by", "kexecs", "bytes verified",
           "bytes lost", "tests"],
          [[v["machine"], v["from"], v["kernel"], v["loader"], str(v["kexecs"]),
            f"{v['bytes']:,}", f"{v['bad']:,}", ", ".join(v["tests"])] for v in verified], 4)
    print()


if __name__ == "__main__":
    main()
