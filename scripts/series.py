#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""series.py TOP PATCHES PRISTINE GRAFTED OUT REPO: write what is in PATCHES and the
project's own files as a series into OUT, in the order of scripts/series.txt.

REPO becomes a git repository in which the series is applied to those files of
PRISTINE that it touches, as whoever gets it would; what comes out has to be what
is in GRAFTED."""

import email.utils
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor

from graft import OVERLAY, series

# These grow with the series.
KCONFIG = "mm/kho_pool/Kconfig"
TO = "linux-mm@kvack.org"
MAKEFILE = "mm/kho_pool/Makefile"


class Step:
    """One patch: its message, and the patterns of what is in it."""

    def __init__(self, subject):
        self.subject, self.body, self.patterns, self.things = subject, [], [], []

    def message(self, patches):
        """As it is written here, or as the patch has it."""
        text = self.subject + "\n" + "\n".join(self.body)
        if self.subject in patches:
            text = read(patches[self.subject]).split("\n---\n")[0]
        subject, *paragraphs = text.strip().split("\n\n")
        return "\n\n".join([subject, *(textwrap.fill(p.strip(), 72) for p in paragraphs)]) + "\n"


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


def write(text, *path):
    with open(os.path.join(*path), "w") as f:
        f.write(text)


def copy(src, dst):
    os.makedirs(os.path.dirname(dst), exist_ok=True)
    shutil.copy(src, dst)


def read_table(path):
    steps = []
    for line in read(path).splitlines():
        if line.startswith("="):
            steps.append(Step(line[1:].strip()))
        elif line.startswith(">"):
            steps[-1].patterns += line[1:].split()
        elif steps:
            steps[-1].body.append(line)
    return steps


def pieces(patch):
    """A patch by the files that it changes."""
    parts = re.split(r"^(?=--- (?:a/|/dev/null))", read(patch), flags=re.M)[1:]
    return {re.search(r"^\+\+\+ b/(\S+)", p, re.M).group(1): p for p in parts}


def kconfig_entries(text):
    """The text before the first entry, and the entries by name."""
    head, *rest = re.split(r"^(?=config )", text, flags=re.M)
    return head, {entry.split()[1]: entry for entry in rest}


def assign(steps, things):
    """Give each thing to the step with the longest pattern for it."""
    homeless = []
    for thing in things:
        best = max(((len(p), step) for step in steps for p in step.patterns
                    if fnmatch.fnmatchcase(thing, p) or thing.split(":")[0] == p),
                   key=lambda found: found[0], default=None)
        if best:
            best[1].things.append(thing)
        else:
            homeless.append(thing)
    empty = [s.subject for s in steps if not s.things]
    if homeless:
        sys.exit("\n\t".join(["in none of the patches of scripts/series.txt:", *homeless])
                 + '\nGive each a line "> PATH" there, in the patch that it belongs to.')
    if empty:
        sys.exit("\n\t".join(["patches of scripts/series.txt with nothing in them:", *empty]))


def kconfig_so_far(text, names):
    head, entries = kconfig_entries(text)
    return (head + "".join(e for n, e in entries.items() if n in names)).rstrip("\n") + "\n"


def makefile_so_far(text, names, work):
    """Without what has no source or no option yet."""
    lines = []
    for line in text.splitlines():
        m = re.match(r"(obj-(?:y|\$\(CONFIG_(\w+)\))\s*\+=)(.*)", line)
        if m:
            objects = [o for o in m.group(3).split() if os.path.exists(
                os.path.join(work, os.path.dirname(MAKEFILE), o.removesuffix(".o") + ".c"))]
            if not objects or m.group(2) and m.group(2) not in names:
                continue
            line = m.group(1) + " " + " ".join(objects)
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def apply(name, text, work):
    run = subprocess.run(["patch", "-p1", "-s", "-F0", "--no-backup-if-mismatch", "-d", work],
                         input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        sys.exit(f"{name} does not apply at its place in scripts/series.txt:\n{run.stdout}")


def write_state(work, top, pristine, patches, done):
    """Make WORK what the tree is after these things."""
    chosen = {}
    names = {t.split("#")[1] for t in done if "#" in t}
    for thing in done:
        patch, _, path = thing.partition(":")
        if path:
            chosen.setdefault(patch, []).append(path)
        elif "#" not in thing and thing != MAKEFILE:
            copy(os.path.join(top, thing), os.path.join(work, thing))
    for name in sorted(chosen):
        for path in chosen[name]:
            if os.path.exists(os.path.join(pristine, path)):
                copy(os.path.join(pristine, path), os.path.join(work, path))
    for name in sorted(chosen):
        parts = pieces(patches[name])
        apply(name, "".join(parts[p] for p in chosen[name]), work)
    if names:
        os.makedirs(os.path.dirname(os.path.join(work, KCONFIG)), exist_ok=True)
        write(kconfig_so_far(read(top, KCONFIG), names), work, KCONFIG)
    if MAKEFILE in done:
        write(makefile_so_far(read(top, MAKEFILE), names, work), work, MAKEFILE)


def check_options(path, subject, options):
    """None of these options is used before a Kconfig has it."""
    defined, used = set(), {}
    for where, folders, names in os.walk(path):
        folders[:] = [f for f in folders if f not in (".git", "tools", "Documentation")]
        for name in names:
            text = read(where, name)
            if name == "Kconfig":
                defined |= set(re.findall(r"^config (\w+)", text, re.M))
            else:
                found = set(re.findall(r"\bCONFIG_(\w+)", text)) & options
                used |= {option: os.path.join(where, name) for option in found}
    for option in sorted(set(used) - defined):
        sys.exit(f"{subject}: {os.path.relpath(used[option], path)} uses CONFIG_{option}, "
                 "which no Kconfig has by then")


def environment(top):
    """For git: the author of the last commit, and nothing of the user's."""
    who, email, date = subprocess.check_output(
        ["git", "-C", top, "log", "-1", "--format=%an%n%ae%n%aI"], text=True).splitlines()
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in "AUTHOR", "COMMITTER":
        env |= {f"GIT_{role}_NAME": who, f"GIT_{role}_EMAIL": email, f"GIT_{role}_DATE": date}
    return env


class Repository:
    """Those files of the pristine tree that the series touches, in git."""

    def __init__(self, path, pristine, paths, env):
        self.path, self.env = path, env
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        self.git("init", "-q", "-b", "series")
        for p in paths:
            if os.path.exists(os.path.join(pristine, p)):
                copy(os.path.join(pristine, p), os.path.join(path, p))
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--no-verify", "-m", "pristine")

    def git(self, *args, **kwargs):
        run = subprocess.run(["git", "-C", self.path, *args], env=self.env, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)
        if run.returncode:
            sys.exit(f"git {args[0]}:\n{run.stdout}")
        return run.stdout


def compare(path, grafted, ours, touched):
    """What the series makes has the same files, contents and modes as the graft."""
    found = {os.path.relpath(os.path.join(where, name), path)
             for where, _, names in os.walk(path) for name in names
             if "/.git" not in where.removeprefix(path)}
    wrong = found ^ (ours | touched)
    for p in found - wrong:
        a, b = os.path.join(path, p), os.path.join(grafted, p)
        with open(a, "rb") as fa, open(b, "rb") as fb:
            if fa.read() != fb.read() or os.access(a, os.X_OK) != os.access(b, os.X_OK):
                wrong.add(p)
    if wrong:
        sys.exit("\n\t".join(["not the same as in the grafted tree:", *sorted(wrong)]))


def recipients(path, tree):
    """Who is to get a patch, as the kernel's own script has it, name by address."""
    lines = subprocess.check_output(
        ["perl", "scripts/get_maintainer.pl", "--no-git", "--no-git-fallback", "--no-rolestats",
         os.path.abspath(path)], cwd=tree, text=True).splitlines()
    return {address: name for name, address in map(email.utils.parseaddr, lines)}


def address(out, tree, author):
    """Say in each patch who is to get it, and everyone in the cover letter."""
    cover, *patches = sorted(os.path.join(out, n) for n in os.listdir(out)
                             if n.endswith(".patch"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(patches, pool.map(lambda p: recipients(p, tree), patches)))
    found[cover] = {where: who for cc in found.values() for where, who in cc.items()}
    for path, cc in found.items():
        for own in TO, author:
            cc.pop(own, None)
        head, body = read(path).split("\n\n", 1)
        write(f"{head}\nCc: " + ",\n ".join(email.utils.formataddr((who, where))
                                           for where, who in cc.items()) + f"\n\n{body}", path)


def main():
    top, folder, pristine, grafted, out, applied = sys.argv[1:]
    patches = series(folder, [])
    touched = {path for patch in patches.values() for path in pieces(patch)}
    # Not what was built there
    ours = {p for p in subprocess.check_output(
        ["git", "-C", top, "ls-files", "-co", "--exclude-standard", *OVERLAY],
        text=True).splitlines() if os.path.exists(os.path.join(top, p))}
    cover, *steps = read_table(os.path.join(top, "scripts", "series.txt"))
    things = [f"{n}:{path}" for n in sorted(patches) for path in pieces(patches[n])]
    things += sorted(ours - {KCONFIG})
    things += [f"{KCONFIG}#{n}" for n in kconfig_entries(read(top, KCONFIG))[1]]
    assign(steps, things)

    options = set(re.findall(r"^\+?config (\w+)", "".join(
        [*(text for patch in patches.values() for path, text in pieces(patch).items()
           if path.endswith("Kconfig")),
         *(read(top, p) for p in ours if p.endswith("Kconfig"))]), re.M))
    env = environment(top)
    for file in os.listdir(out):
        if file.endswith(".patch"):
            os.unlink(os.path.join(out, file))
    with tempfile.TemporaryDirectory() as work:
        repo = Repository(os.path.join(work, "series"), pristine, touched, env)
        done = []
        for step in steps:
            done += step.things
            write_state(repo.path, top, pristine, patches, done)
            check_options(repo.path, step.subject, options)
            repo.git("add", "-A", "-f")
            repo.git("commit", "-q", "--no-verify", "-s", "-F", "-", input=step.message(patches))
        repo.git("config", "branch.series.description", cover.message({}))
        repo.git("format-patch", "-q", f"-{len(steps)}", "-o", os.path.abspath(out),
                 "--cover-letter", "--cover-from-description=subject", "--no-renames",
                 "--zero-commit", f"--to={TO}")
    address(out, grafted, env["GIT_AUTHOR_EMAIL"])

    again = Repository(applied, pristine, touched, env)
    names = sorted(f for f in os.listdir(out) if re.match(r"(?!0000)\d{4}-.*\.patch$", f))
    again.git("am", "-q", "--whitespace=error-all",
              *(os.path.join(os.path.abspath(out), n) for n in names))
    compare(applied, grafted, ours, touched)
    print(f"{len(names)} patches in {out}; applied to a pristine tree they give the same "
          f"{len(ours | touched)} files as the overlay", file=sys.stderr)


if __name__ == "__main__":
    main()
