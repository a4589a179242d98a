#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""coverage.py DATA OBJ OUT: add up what gcov says of mm/kho_pool.

In DATA are harness/, programs with counters that have run, kernel/, what guests
have written (see save_coverage in the guest's lib.sh), and sources/.  OBJ has
the objects of the guests' kernel."""

import base64
import glob
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

# They run after user space is gone, so nothing can read their counters.
UNREADABLE = {"kp_syscore_shutdown", "kp_inject_all"}
INVARIANTS = "invariants, which hold"
# Branches that no test can take, by the text of their lines.
EXPECTED = {
    "branches inside of kernel macros":
        r"\b(local_irq_restore|(scoped_)?guard|WARN_ON|\w+_ratelimited|hweight64|fls64|__fls|"
        r"find_next_(zero_)?bit|strscpy_pad|PHYS_PFN|kzalloc_obj)\(",
    "calls of libfdt after one that failed": r"^err = err \?: (fdt|kp_root_put)_",
}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Coverage:
    """By (file, line): how often it ran, how often each branch in it, and the
    function that it is in."""

    def __init__(self):
        self.lines, self.branches, self.functions = {}, {}, {}

    def add(self, lines, branches, functions):
        for at, count in lines.items():
            self.lines[at] = self.lines.get(at, 0) + count
            self.functions[at] = self.functions.get(at) or functions[at]
            known = self.branches.get(at)
            self.branches[at] = branches[at] if known is None else merge(known, branches[at])

    def add_file(self, files):
        """What gcov says of one object."""
        lines, branches, functions = {}, {}, {}
        for f in files:
            folder, name = os.path.split(f["file"])
            if not re.search(r"mm/kho_pool(/index)?$", folder):
                continue
            for line in f["lines"]:
                at = (name, line["line_number"])
                # A macro may make several functions out of one line.
                lines[at] = lines.get(at, 0) + line["count"]
                branches.setdefault(at, []).extend(b["count"] for b in line["branches"])
                functions[at] = line.get("function_name", "")
        self.add(lines, branches, functions)

    def gcov(self, folder):
        """Add all counters in a folder, which has the notes of the compiler too."""
        names = sorted(os.path.basename(p) for p in glob.glob(os.path.join(folder, "*.gcda")))
        if not names:
            sys.exit(f"{folder}: no counters")
        run = subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--stdout",
                              *names], cwd=folder, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=True)
        if "mismatch" in run.stderr:
            sys.exit(f"{folder}: counters of another build:\n{run.stderr}")
        for line in run.stdout.splitlines():
            self.add_file(json.loads(line)["files"])

    def both(self, other):
        """The two together."""
        both = Coverage()
        for c in self, other:
            both.add(c.lines, c.branches, c.functions)
        return both

    def figures(self, name):
        """[lines run, lines, branches taken, branches] of a file, or of all if it is None."""
        figures = [0, 0, 0, 0]
        for at, count in self.lines.items():
            if (name and at[0] != name) or self.functions[at] in UNREADABLE:
                continue
            branches = self.branches[at]
            for i, n in enumerate((count > 0, 1, sum(map(bool, branches)), len(branches))):
                figures[i] += n
        return figures


def merge(a, b):
    """Counts of one line's branches out of two builds.  The kernel's macros have
    branches that the harness's have not: then the one that missed less counts."""
    if len(a) == len(b):
        return [x + y for x, y in zip(a, b)]
    return min(a, b, key=lambda counts: (sum(not n for n in counts), len(counts)))


def dumps(path):
    """The archives in what one guest has written."""
    with open(path, "rb") as f:
        pieces = f.read().split(b"@gcov")[1:]
    for piece in pieces:
        text, end, _ = piece.partition(b"@end")
        if end:
            yield base64.b64decode(text)
        else:
            say(f"{path}: a dump has no end, it is left out")


def kernel_coverage(folder, obj):
    coverage, kernels = Coverage(), 0
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        for data in dumps(path):
            with tempfile.TemporaryDirectory() as work:
                with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                    for member in archive:
                        if member.isfile():
                            name = os.path.join(work, os.path.basename(member.name))
                            with open(name, "wb") as f:
                                f.write(archive.extractfile(member).read())
                for note in glob.glob(os.path.join(obj, "mm", "kho_pool", "*.gcno")):
                    os.symlink(note, os.path.join(work, os.path.basename(note)))
                coverage.gcov(work)
            kernels += 1
    say(f"counters of {kernels} kernels")
    return coverage


def table(rows):
    print(f"{'':14}" + "".join(f"{h:^24}" for h in ("harness", "kernel", "both")))
    print(f"{'':14}" + f"{'lines':>12}{'branches':>12}" * 3)
    for name, figures in rows:
        cells = [f"{f[i]}/{f[i + 1]}" if f[i + 1] else "-" for f in figures for i in (0, 2)]
        print(f"{name:14}" + "".join(f"{c:>12}" for c in cells))


def missed(coverage, name, text):
    """What nothing runs in a file: (line, function, what, source, why or None)."""
    for at in sorted(a for a in coverage.lines if a[0] == name):
        branches = coverage.branches[at]
        never = [str(i + 1) for i, n in enumerate(branches) if not n]
        source, why = text[at[1] - 1].strip(), None
        if not coverage.lines[at]:
            what = "never run"
        elif never:
            what = f"branch {', '.join(never)} of {len(branches)} never taken"
            why = next((w for w, pattern in EXPECTED.items() if re.search(pattern, source)), None)
        else:
            continue
        if name == "validate.c":
            why = INVARIANTS
        elif coverage.functions[at] in UNREADABLE:
            why = "run when user space is gone, so that no one can read their counters"
        yield at[1], coverage.functions[at], what, source, why


def write_missed(path, files):
    """First the interesting ones, then the rest by reason."""
    groups = {}
    for name, misses in files.items():
        for line, function, what, source, why in misses:
            text = f"{name}:{line}: {function}: {what}\n        {source}\n"
            groups.setdefault(why, []).append(text)
    with open(path, "w") as f:
        f.writelines(groups.pop(None, []))
        for why, texts in groups.items():
            f.write(f"\n{why}:\n\n")
            f.writelines(texts)


def main():
    data, obj, out = sys.argv[1:]
    harness = Coverage()
    harness.gcov(os.path.join(data, "harness"))
    kernel = kernel_coverage(os.path.join(data, "kernel"), obj)
    both = harness.both(kernel)
    keys = ("lines_run", "lines", "branches_taken", "branches")
    report, rows, misses = {"files": {}}, [], {}
    for name in sorted({at[0] for at in both.lines}):
        with open(os.path.join(data, "sources", name)) as f:
            text = f.read().splitlines()
        misses[name] = list(missed(both, name, text))
        figures = [c.figures(name) for c in (harness, kernel, both)]
        rows.append((name, figures))
        report["files"][name] = {
            **{who: dict(zip(keys, f)) for who, f in zip(("harness", "kernel", "both"), figures)},
            "missed": [dict(zip(("line", "function", "what", "source", "why"), m))
                       for m in misses[name]],
        }
    figures = [c.figures(None) for c in (harness, kernel, both)]
    rows.append(("all", figures))
    report["total"] = {who: dict(zip(keys, f))
                       for who, f in zip(("harness", "kernel", "both"), figures)}
    report["not_measurable"] = sorted(UNREADABLE)
    write_missed(os.path.join(out, "coverage.txt"), misses)
    with open(os.path.join(out, "coverage.json"), "w") as f:
        json.dump(report, f, indent=1)
        f.write("\n")
    table(rows)
    print(f"\nwithout {' and '.join(sorted(UNREADABLE))}, which run when user space is gone")
    print("what nothing runs: build/coverage.txt; all of it: build/coverage.json")


if __name__ == "__main__":
    main()
