#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""litmus.py MEMORY_MODEL HERD...: run litmus/ by the kernel's memory model

Each test must never end in what its "exists" says, and must do so as soon as one of its
lines that say "needed" is made weaker: then the line is needed, and the test can fail.

MEMORY_MODEL is a kernel's tools/memory-model, HERD... the command that runs herd7.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

WEAKER = (
    (re.compile(r"smp_(mb|rmb|wmb|mb__after_spinlock)\(\);"), ""),
    (re.compile(r"smp_store_release\((\w+), (\w+)\)"), r"WRITE_ONCE(*\1, \2)"),
    (re.compile(r"smp_load_acquire\((\w+)\)"), r"READ_ONCE(*\1)"),
)


def weakened(text):
    """(number of the line, the test without that line's order)"""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if not line.endswith("// needed"):
            continue
        weak = line.removesuffix("// needed")
        for pattern, to in WEAKER:
            weak = pattern.sub(to, weak)
        if weak == line.removesuffix("// needed"):
            sys.exit(f"litmus.py: nothing to weaken: {line.strip()}")
        yield i + 1, "\n".join(lines[:i] + [weak] + lines[i + 1:])


def observe(model, herd, text):
    """Never, Sometimes or Always; or what herd7 says instead"""
    with tempfile.NamedTemporaryFile("w", suffix=".litmus") as file:
        file.write(text)
        file.flush()
        run = subprocess.run([*herd, "-conf", "linux-kernel.cfg", file.name], cwd=model,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             check=False)
    seen = re.search(r"^Observation \S+ (\w+)", run.stdout, re.M)
    return seen.group(1) if seen and not run.returncode else run.stdout


def main(model, *herd):
    tests = []
    for path in sorted(pathlib.Path(__file__).with_name("litmus").glob("*.litmus")):
        text = path.read_text()
        tests.append((path.stem, text, "Never"))
        tests += [(f"{path.stem}, line {line} weaker", weak, "Sometimes")
                  for line, weak in weakened(text)]
    print(f"TAP version 14\n1..{len(tests)}")
    failed = 0
    for number, (name, text, expected) in enumerate(tests, 1):
        seen = observe(model, herd, text)
        if seen != expected:
            failed += 1
            print("\n".join("# " + line for line in seen.split("\n")))
        print(f"{'ok' if seen == expected else 'not ok'} {number} {name}: {expected.lower()}")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
