#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""page.py PAGE N: print the N-th block of commands of a page in reStructuredText, from 0 on.

Exit status 1: there are no more."""

import re
import sys


def blocks(text):
    """Literal blocks, without their indentation"""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        at += 1
        if not lines[at - 1].endswith("::") or lines[at - 1].startswith(".."):
            continue
        # It is indented more than the paragraph that announces it.
        begin = re.match(" *", lines[at - 1]).group() + " "
        block = []
        while at < len(lines) and (not lines[at] or lines[at].startswith(begin)):
            block.append(lines[at])
            at += 1
        indent = min(len(re.match(" *", line).group()) for line in block if line)
        yield "\n".join(line[indent:] for line in block).strip("\n")


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        found = list(blocks(f.read()))
    if int(sys.argv[2]) >= len(found):
        sys.exit(1)
    print(found[int(sys.argv[2])])


if __name__ == "__main__":
    main()
