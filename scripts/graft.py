#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""graft.py TOP PATCHES PRISTINE TREE [PATCH]: make TREE what PRISTINE is with
the patches, all but PATCH, and the project's own files, writing only what differs.
WITH= names one more patch, over all of these."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

# A patch that another version does not have is this one's.
NEWEST = "7.3"
OVERLAY = ["mm", "kernel", "include", "arch", "drivers", "samples", "tools", "Documentation"]


def overlay(top):
    """Paths of the project's own kernel files."""
    for folder in OVERLAY:
        for where, _, names in os.walk(os.path.join(top, folder)):
            for name in names:
                path = os.path.relpath(os.path.join(where, name), top)
                if not path.endswith((".o", ".pyc", ".swp")):
                    yield path


def check_counts(patch):
    """patch(1) leaves out, in silence, what is beyond a hunk's count of lines."""
    with open(patch) as f:
        text = f.read()
    for hunk in re.finditer(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@.*\n"
                            r"((?:(?!--- a/|@@ )[ +\-].*\n|\n)*)", text, re.M):
        lines = [line[:1] or " " for line in hunk.group(3).split("\n")[:-1]]
        counts = (sum(c in " -" for c in lines), sum(c in " +" for c in lines))
        if counts != (int(hunk.group(1) or 1), int(hunk.group(2) or 1)):
            sys.exit(f"{patch}: {hunk.group(0).splitlines()[0]} has {counts[0]},{counts[1]} lines")


def series(patches, without):
    """The patches of a version: name and path."""
    found = {}
    for folder in (os.path.join(os.path.dirname(patches), NEWEST), patches):
        for patch in os.listdir(folder):
            if patch.endswith(".patch") and patch not in without:
                found[patch] = os.path.join(folder, patch)
    return found


def patched(patches, source, work):
    """Apply the patches to copies in WORK of what they change; the paths that they touch.
    SOURCE(path) is where the file is, if it is anywhere."""
    paths = set()
    for patch in patches:
        check_counts(patch)
        with open(patch) as f:
            paths |= set(re.findall(r"^\+\+\+ b/(\S+)", f.read(), re.M))
    for path in paths:
        os.makedirs(os.path.dirname(os.path.join(work, path)) or work, exist_ok=True)
        if os.path.exists(source(path)):
            shutil.copy(source(path), os.path.join(work, path))
    for patch in patches:
        run = subprocess.run(["patch", "-p1", "-s", "-F0", "--no-backup-if-mismatch", "-d", work,
                              "-i", patch],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode:
            sys.exit(f"{patch} does not apply:\n{run.stdout}")
    return paths


def same(a, b):
    try:
        with open(a, "rb") as fa, open(b, "rb") as fb:
            return fa.read() == fb.read()
    except FileNotFoundError:
        return False


def place(src, dst):
    if same(src, dst):
        return 0
    os.makedirs(os.path.dirname(dst), exist_ok=True)
    if os.path.lexists(dst):
        os.unlink(dst)      # it may be a link to the pristine file
    shutil.copyfile(src, dst)
    shutil.copymode(src, dst)
    return 1


def main():
    top, patches, pristine, tree, *without = sys.argv[1:]
    wanted = {}
    written = 0
    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as more:
        chosen = [path for _, path in sorted(series(patches, without).items())]
        for path in patched(chosen, lambda path: os.path.join(pristine, path), work):
            wanted[path] = os.path.join(work, path)
        for path in overlay(top):
            if path in wanted:
                sys.exit(f"{path} is both patched and overlaid")
            wanted[path] = os.path.join(top, path)
        if "WITH" in os.environ:
            for path in patched([os.path.abspath(os.environ["WITH"])], wanted.get, more):
                wanted[path] = os.path.join(more, path)
        for path, src in sorted(wanted.items()):
            written += place(src, os.path.join(tree, path))
    # What an earlier graft put there and this one does not want any more.
    manifest = os.path.join(tree, ".grafted")
    if os.path.exists(manifest):
        with open(manifest) as f:
            for path in set(f.read().split()) - set(wanted):
                if os.path.exists(os.path.join(pristine, path)):
                    written += place(os.path.join(pristine, path), os.path.join(tree, path))
                elif os.path.exists(os.path.join(tree, path)):
                    os.unlink(os.path.join(tree, path))
    with open(manifest + ".new", "w") as f:
        f.write("\n".join(sorted(wanted)) + "\n")
    os.replace(manifest + ".new", manifest)
    print(f"{len(wanted)} files, {written} written", file=sys.stderr)


if __name__ == "__main__":
    main()
