#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""series.py TOP PATCHES PRISTINE GRAFTED OUT: write the project as a patch series.

Each entry of SERIES is one patch: what patches/ has for mainline files, and files
of our own.  A file that is in none is an error.  Then the series is applied to a
pristine tree, and what comes out is compared with the grafted one."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys

from graft import OVERLAY, overlay, series

# (subject or patch, text, patterns of our files, patterns of the patch's files)
SERIES = [
    ("mm/kho_pool: format and interface of memory that survives kexec", """
The index that says what is allocated is in preserved memory, in a format
that kernels of any version and configuration share. Drivers allocate by
kho_pool_alloc() and claim what was theirs after a kexec.
""", ["include/linux/kho/abi/kho_pool.h", "include/linux/kho_pool.h"], []),
    ("0001", "", [], ["*"]),
    ("0002", "", [], ["*"]),
    ("0003", "", [], ["*"]),
    ("mm/kho_pool: the index of a region", """
Pure code: it allocates nothing, sleeps nowhere and logs nothing, and is
compiled into user space by tools/testing/kho_pool, unchanged.
""", ["mm/kho_pool/%s.[ch]" % x for x in (
        "sum", "layout", "bitmaps", "blocks", "names", "index", "internal", "walk", "stat",
        "restore", "root", "validate")], []),
    ("mm/kho_pool: pools at boot, in use and at the kexec", """
Regions are taken out of memblock before zones exist, in the first kernel
by the command line, in the next ones by the root that was left to them.
It is written when the indexes are sealed, after devices are shut down.
""", ["mm/kho_pool/%s" % x for x in (
        "pool.[ch]", "early.c", "handover.c", "sysfs.c", "control.c", "Kconfig", "Makefile")], []),
    ("mm/kho_pool: look into what is handed over, and change it, for tests", """
With CONFIG_KHO_POOL_DEBUG debugfs shows roots and indexes, checks every
invariant and lets tests damage what the next kernel gets.
""", ["mm/kho_pool/%s" % x for x in ("debug.h", "debugfs.c", "inspect.c", "inject.c")], []),
    ("mm/kho_pool: KUnit tests", """
Each architecture writes the golden images, byte by byte, and reads them.
""", ["mm/kho_pool/%s" % x for x in ("kunit.c", "golden*.h", ".kunitconfig")], []),
    ("mm/kho_pool: test driver", """
Tests in user space allocate, fill, verify and free through it.
""", ["mm/kho_pool/test_kho_pool.c"], []),
    ("0005", "", ["Documentation/mm/*", "Documentation/ABI/testing/sysfs-kernel-mm-*"], ["*"]),
    ("0006", "", [], ["*"]),
    ("0007", "", ["kernel/liveupdate/*", "include/linux/kho_load.h",
                  "include/linux/kho/abi/kexec_load.h", "Documentation/core-api/*",
                  "Documentation/ABI/testing/sysfs-kernel-kexec-*"], ["*"]),
    ("0008", "", [], ["*"]),
    ("0009", "", [], ["*"]),
    ("mm/kho_pool: build it", """
From here on CONFIG_KHO_POOL can be set.
""", [], ["0004:mm/*"]),
    ("samples/kho_pool: drivers that keep their state over kexec", """
One to copy from, and a log in the style of IMA's measurement list that
grows from kernel to kernel without any code of an architecture.
""", ["samples/*"], ["0004:samples/*"]),
    ("tools/testing/kho_pool: the index in user space", """
Unit tests, a model, threads, a stop after every store, fuzzers, golden
images, and benchmarks beside the kernel's other allocators.
""", ["tools/testing/kho_pool/*"], []),
    ("tools/mm: khopool, to look at what one kernel leaves to the next", """
It decodes root and index into text and JSON, and says what is wrong.
""", ["tools/mm/*"], []),
    ("selftests/kho_pool: tests over kexec", """
The scripts run in a guest, one stage a kernel. Both loaders are used.
""", ["tools/testing/selftests/*"], ["0004:tools/*"]),
]

COVER = ("kho_pool: contiguous memory that survives kexec", """
Hypervisor hosts update their kernel by kexec, and the memory of their
guests has to be in the next kernel where it was in this one, in huge pages,
within the blackout that guests stand. KHO preserves memory page by page,
and its cost grows with what is preserved.

kho_pool takes memory out of System RAM at boot, hands it out in contiguous
extents of 4 KiB to hundreds of GiB, and keeps the record of them in the
preserved memory itself. At the kexec one page is written, whatever the size
of the pools; the next kernel reads it before zones exist.

Documentation/mm/kho_pool.rst has the design, the locking and the limits,
Documentation/mm/kho_pool/bench.rst the figures beside CMA, genalloc and the
GPU buddy allocator. Patches 2 to 4 are hooks in KHO, boot and kexec; the
decompressor learns to keep KASLR out of the way, and images of kexec_load()
to hand over, too.
""")


def run(*args, **kw):
    kw.setdefault("check", True)
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


def git(repo, *args):
    result = run("git", "-C", repo, *args, check=False)
    if result.returncode:
        sys.exit(f"git {' '.join(args)}:\n{result.stdout}")
    return result.stdout


def message(patch):
    with open(patch) as f:
        subject, _, text = f.read().split("\n---\n")[0].partition("\n")
    return subject, text


def files_of(patch):
    with open(patch) as f:
        return set(re.findall(r"^\+\+\+ b/(\S+)", f.read(), re.M))


def matches(path, patterns):
    return any(fnmatch.fnmatch(path, p) for p in patterns)


def copy(src, dst):
    os.makedirs(os.path.dirname(dst), exist_ok=True)
    shutil.copyfile(src, dst)
    shutil.copymode(src, dst)


def repository(path, pristine, paths):
    """What the series touches of a pristine tree."""
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    git(path, "init", "-q")
    for key, value in (("user.name", "kho_pool developers"), ("user.email", "linux-mm@kvack.org"),
                       ("commit.gpgsign", "false"), ("core.autocrlf", "false")):
        if not key.startswith("user.") or not run("git", "config", key, check=False).stdout:
            git(path, "config", key, value)
    for p in sorted(paths):
        if os.path.exists(os.path.join(pristine, p)):
            copy(os.path.join(pristine, p), os.path.join(path, p))
    git(path, "add", "-A", "-f")
    git(path, "commit", "-q", "-m", "pristine")
    return path


def main():
    top, patches, pristine, grafted, out = sys.argv[1:]
    by_number = {name[:4]: path for name, path in series(patches, []).items()}
    tracked = set(run("git", "-C", top, "ls-files", *OVERLAY).stdout.split())
    ours = {p for p in overlay(top) if p in tracked}
    touched = set().union(*(files_of(p) for p in by_number.values()))
    left, parts = set(ours), {(n, f) for n, p in by_number.items() for f in files_of(p)}

    repo = repository(os.path.join(out, "tree"), pristine, touched)
    for head, text, mine, theirs in SERIES:
        subject = head
        for pattern in theirs:
            number, _, pattern = pattern.rpartition(":")
            number = number or head
            chosen = {f for f in files_of(by_number[number]) if matches(f, [pattern])}
            parts -= {(number, f) for f in chosen}
            with open(by_number[number]) as f:
                diff = f.read()
            # A file at a time, as one of the patches is for several of these.
            for f in chosen:
                piece = re.search(rf"^--- a/{re.escape(f)}\n.*?(?=^--- a/|\Z)", diff, re.M | re.S)
                result = subprocess.run(["patch", "-p1", "-s", "--no-backup-if-mismatch",
                                         "-d", repo], input=piece.group(0), text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                if result.returncode:
                    sys.exit(f"{by_number[number]}: {result.stdout}")
            if head == number:
                subject, text = message(by_number[number])
        chosen = {p for p in left if matches(p, mine)}
        if mine and not chosen:
            sys.exit(f"{head}: no file for it")
        left -= chosen
        for p in chosen:
            copy(os.path.join(top, p), os.path.join(repo, p))
        git(repo, "add", "-A", "-f")
        git(repo, "commit", "-q", "-s", "-m", subject, "-m", text.strip())
    if left or parts:
        sys.exit(f"in no patch: {sorted(left)} {sorted(parts)}")

    for old in os.listdir(out):
        if old.endswith(".patch"):
            os.unlink(os.path.join(out, old))
    git(repo, "format-patch", "-q", "--cover-letter", "-o", os.path.abspath(out),
        f"-{len(SERIES)}")
    cover = os.path.join(out, "0000-cover-letter.patch")
    with open(cover) as f:
        letter = f.read()
    letter = letter.replace("*** SUBJECT HERE ***", COVER[0])
    letter = letter.replace("*** BLURB HERE ***", COVER[1].strip())
    with open(cover, "w") as f:
        f.write(letter)

    # As whoever gets it would apply it.
    again = repository(os.path.join(out, "applied"), pristine, touched)
    names = sorted(p for p in os.listdir(out) if re.match(r"\d{4}-.*\.patch$", p))[1:]
    git(again, "am", "-q", *(os.path.abspath(os.path.join(out, n)) for n in names))
    for p in sorted(ours | touched):
        with open(os.path.join(again, p), "rb") as a, open(os.path.join(grafted, p), "rb") as b:
            if a.read() != b.read():
                sys.exit(f"{p}: not the same as in the grafted tree")
    print(f"{len(names)} patches in {out}; applied to a pristine tree they give the same "
          f"{len(ours | touched)} files as the overlay", file=sys.stderr)


main()
