# SPDX-License-Identifier: GPL-2.0-only
"""Where this project's parts are, which patches a version of the kernel has, how they
are applied, and what was edited in a grafted tree: for graft, refresh and series.py.

patches/7.3/series is the order of the patches.  Another version has the same ones, but
for those that are under the same name in its own folder; its own series names what
only it has, and that comes first."""

import hashlib
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.environ.get("KHO_POOL_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "kho_pool")
KERNEL = os.environ.get("KERNEL") or "7.3"
NEWEST = "7.3"
OVERLAY = ["mm", "kernel", "include", "arch", "drivers", "samples", "tools", "Documentation"]
# For others than the kernel
PROPOSALS = "Documentation/proposals"
# The project's one menu is at its top, where a kernel tree has another.
KCONFIG = "mm/kho_pool/Kconfig"


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


def write(text, *path):
    with open(os.path.join(*path), "w") as f:
        f.write(text)


def copy(src, dst):
    os.makedirs(os.path.dirname(dst), exist_ok=True)
    shutil.copy(src, dst)


def die(text, *lines):
    sys.exit("\n\t".join([f"{os.path.basename(sys.argv[0])}: {text}", *lines]))


def fetch():
    """The kernel tree that is under all this."""
    run = subprocess.run([os.path.join(TOP, "scripts", "fetch")], stdout=subprocess.PIPE, text=True)
    return run.stdout.strip() if run.returncode == 0 else sys.exit(1)


def home_of(path):
    """Where the project has a file of its own that is PATH in a tree."""
    return os.path.join(TOP, "Kconfig" if path == KCONFIG else path)


def is_proposal(path):
    return path.startswith(PROPOSALS + "/")


def overlay():
    """Paths of the project's own kernel files, as a tree has them."""
    yield KCONFIG
    for folder in OVERLAY:
        for where, _, names in os.walk(os.path.join(TOP, folder)):
            for name in names:
                path = os.path.relpath(os.path.join(where, name), TOP)
                if not path.endswith((".o", ".pyc", ".swp")) and not is_proposal(path):
                    yield path


def series(version=KERNEL):
    """The patches of a version in order: name and path."""
    own, newest = (os.path.join(TOP, "patches", v) for v in (version, NEWEST))
    if not os.path.exists(os.path.join(own, "series")):
        die(f"there are no patches for kernel {version}")
    found = {}
    for folder in dict.fromkeys([own, newest]):
        for name in re.sub("#.*", "", read(folder, "series")).split():
            path = os.path.join(own, name)
            found[name] = path if os.path.exists(path) else os.path.join(newest, name)
    there = {os.path.relpath(os.path.join(where, name), folder)
             for folder in (own, newest) for where, _, names in os.walk(folder)
             for name in names if name.endswith(".patch")}
    if there != set(found):
        die("not the same in a series as in its folder:", *sorted(there ^ set(found)))
    return found


def split(text):
    """What stands before the first file in a patch, and the rest by files."""
    header, *parts = re.split(r"^(?=--- (?:a/|/dev/null))", text, flags=re.M)
    return header, {re.search(r"^\+\+\+ b/(\S+)", p, re.M).group(1): p for p in parts}


def pieces(patch):
    """A patch by the files that it changes."""
    return split(read(patch))[1]


def check_counts(patch):
    """patch(1) silently ignores lines beyond a hunk's count."""
    for hunk in re.finditer(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@.*\n"
                            r"((?:(?!--- a/|@@ )[ +\-].*\n|\n)*)", read(patch), re.M):
        lines = [line[:1] or " " for line in hunk.group(3).split("\n")[:-1]]
        counts = (sum(c in " -" for c in lines), sum(c in " +" for c in lines))
        if counts != (int(hunk.group(1) or 1), int(hunk.group(2) or 1)):
            die(f"{patch}: {hunk.group(0).splitlines()[0]} has {counts[0]},{counts[1]} lines")


def complaint(text, work):
    """Apply a patch to what is in WORK, if its context is there in every line; what
    patch(1) says if not."""
    run = subprocess.run(["patch", "-p1", "-s", "-F0", "--no-backup-if-mismatch", "-r-", "-d", work],
                         input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return run.stdout if run.returncode else None


def apply(name, text, work):
    wrong = complaint(text, work)
    if wrong is not None:
        die(f"{name} does not apply:\n{wrong}")


def patched(patches, source, work):
    """Apply the patches to copies in WORK of what they change; the paths that they touch.
    SOURCE(path) is where the file is, if it is anywhere."""
    paths = set()
    for patch in patches:
        check_counts(patch)
        paths |= set(pieces(patch))
    for path in paths:
        os.makedirs(os.path.dirname(os.path.join(work, path)) or work, exist_ok=True)
        if os.path.exists(source(path) or ""):
            shutil.copy(source(path), os.path.join(work, path))
    for patch in patches:
        apply(patch, read(patch), work)
    return paths


def wanted(patches, pristine, work):
    """What a grafted tree has other than the pristine one: where each file is, here
    or patched in WORK."""
    found = {path: os.path.join(work, path)
             for path in patched(patches, lambda path: os.path.join(pristine, path), work)}
    for path in overlay():
        if path in found:
            die(f"{path} is both patched and overlaid")
        found[path] = home_of(path)
    return found


def tree_of(pristine):
    key = hashlib.sha256(f"{TOP} {pristine}\n".encode()).hexdigest()[:8]
    return os.path.join(CACHE, "tree", f"linux-{KERNEL}-{key}")


def sum_of(path):
    try:
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    except FileNotFoundError:
        return None


def manifest(tree):
    """What the last graft wrote: sums by path."""
    lines = [line.split("  ", 1) for line in read(tree, ".grafted").splitlines()]
    # A graft of before there were sums left paths.
    return {line[-1]: line[0] if line[1:] else None for line in lines}


def newer(tree, than):
    """Paths of files that were written later than that one, and not by a tool"""
    found = subprocess.check_output(
        ["find", tree, "(", "-name", ".git", "-o", "-name", "__pycache__", ")", "-prune", "-o",
         "-type", "f", "-newer", than, "!", "-name", ".checkpatch-*", "-printf", "%P\\0"], text=True)
    return found.split("\0")[:-1]


def edited(tree, pristine, files):
    """What is neither as the last graft left it nor as the next one wants it: of the files
    that it wrote, and of the others.  FILES is where those are that the next one writes."""
    grafted = manifest(tree)

    def as_wanted(path):
        wants = files.get(path) or os.path.join(pristine, path)
        return sum_of(os.path.join(tree, path)) in (None, grafted.get(path), sum_of(wants))

    late = [path for path in newer(tree, os.path.join(tree, ".grafted"))
            if path not in grafted and os.path.exists(os.path.join(pristine, path))]
    return [sorted(path for path in paths if not as_wanted(path))
            for paths in ([path for path, digest in grafted.items() if digest], late)]
