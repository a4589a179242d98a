#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""series.py PRISTINE GRAFTED OUT REPO: write what is in patches/ and the project's own
files as the postings of patches/series.txt, each into a folder of OUT.

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

from patches import KCONFIG, OVERLAY, TOP, apply, copy, die, home_of, is_proposal, pieces, read, \
    series, write

# These grow with the series.
MAKEFILES = ["mm/kho_pool/Makefile", "mm/kho_pool/index/Makefile", "mm/kho_pool/tests/Makefile",
             "drivers/dax/kho_pool/Makefile"]


class Step:
    """One patch: its message, and the patterns of its files."""

    def __init__(self, subject):
        self.subject, self.body, self.things = subject, [], []
        self.patterns = [subject] if subject.endswith(".patch") else []

    def message(self, patches):
        """As it is written here, or as the patch has it."""
        text = self.subject + "\n" + "\n".join(self.body)
        if self.subject in patches:
            text = read(patches[self.subject]).split("\n---\n")[0]
        subject, *paragraphs = text.strip().split("\n\n")
        return "\n\n".join([subject, *(textwrap.fill(p.strip(), 72) for p in paragraphs)]) + "\n"


class Posting:
    """A cover letter and its patches."""

    def __init__(self, folder, to):
        self.folder, self.to, self.cover, self.steps = folder, to, None, []

    def begin(self, subject):
        if self.cover:
            self.steps.append(Step(subject))
        else:
            self.cover = Step(subject)
        return (self.steps or [self.cover])[-1]


def read_table(path):
    postings, step = [], None
    for line in read(path).splitlines():
        if line.startswith("=="):
            postings.append(Posting(*line[2:].split()))
        elif line.startswith("="):
            step = postings[-1].begin(line[1:].strip())
        elif line.startswith(">"):
            step.patterns += line[1:].split()
        elif step:
            step.body.append(line)
    return postings


def check_order(steps, patches):
    """The series of the patches is what says what comes before what."""
    given = [step.subject for step in steps if step.subject in patches]
    for name, right in zip(given, filter(given.__contains__, patches)):
        if name != right:
            die(f"patches/series.txt has {name} where the series has {right}")


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
        die("in none of the patches of patches/series.txt:", *homeless, "",
            'Give each a line "> PATH" there, in the patch that it belongs to.')
    if empty:
        die("patches of patches/series.txt with nothing in them:", *empty)


def kconfig_so_far(text, names):
    head, entries = kconfig_entries(text)
    return (head + "".join(e for n, e in entries.items() if n in names)).rstrip("\n") + "\n"


def makefile_so_far(text, names, folder):
    """Without what has no source or no option yet."""
    ours = set(re.findall(r"^config (\w+)", read(TOP, "Kconfig"), re.M))
    composite = {f"{name}.o" for name in re.findall(r"^(\w+)-y\s*[:+]?=", text, re.M)} - {"obj.o"}

    def there(name):
        return name in composite or "$" in name or os.path.exists(
            os.path.join(folder, re.sub(r"\.o$", ".c", name)))

    lines = []
    for line in text.splitlines():
        m = re.match(r"(\w+-(?:y|\$\(CONFIG_(\w+)\))\s*[:+]?=)(.*)", line)
        if m and "$(filter" not in line:
            objects = [o for o in m.group(3).split() if there(o)]
            if not objects or m.group(2) in ours - names:
                continue
            line = m.group(1) + " " + " ".join(objects)
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def write_state(work, pristine, patches, done):
    """Make WORK what the tree is after these things."""
    chosen = {}
    names = {t.split("#")[1] for t in done if "#" in t}
    for thing in done:
        patch, _, path = thing.partition(":")
        if path:
            chosen.setdefault(patch, []).append(path)
        elif "#" not in thing and thing not in MAKEFILES:
            copy(os.path.join(TOP, thing), os.path.join(work, thing))
    for name in chosen:
        for path in chosen[name]:
            if os.path.exists(os.path.join(pristine, path)):
                copy(os.path.join(pristine, path), os.path.join(work, path))
    for name in filter(chosen.get, patches):
        parts = pieces(patches[name])
        apply(f"{name}, at its place in patches/series.txt,", "".join(parts[p] for p in chosen[name]), work)
    if names:
        os.makedirs(os.path.dirname(os.path.join(work, KCONFIG)), exist_ok=True)
        write(kconfig_so_far(read(home_of(KCONFIG)), names), work, KCONFIG)
    for path in set(MAKEFILES) & set(done):
        folder = os.path.join(work, os.path.dirname(path))
        os.makedirs(folder, exist_ok=True)
        write(makefile_so_far(read(TOP, path), names, folder), work, path)


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
        die(f"{subject}: {os.path.relpath(used[option], path)} uses CONFIG_{option}, "
            "which no Kconfig has by then")


def environment():
    """For git: the author of the last commit, and nothing of the user's."""
    who, email, date = subprocess.check_output(
        ["git", "-C", TOP, "log", "-1", "--format=%an%n%ae%n%aI"], text=True).splitlines()
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
            die(f"git {args[0]}:\n{run.stdout}")
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
        die("not the same as in the grafted tree:", *sorted(wrong))


def recipients(path, tree):
    """The recipients of a patch, from the kernel's own script, name by address."""
    lines = subprocess.check_output(
        ["perl", "scripts/get_maintainer.pl", "--no-git", "--no-git-fallback", "--no-rolestats",
         os.path.abspath(path)], cwd=tree, text=True).splitlines()
    return {address: name for name, address in map(email.utils.parseaddr, lines)}


def numbered(folder):
    """The patches in a folder, without the cover letter"""
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                  if re.match(r"(?!0000)\d{4}-.*\.patch$", name))


def address(folder, to, tree, author):
    """Add recipients to each patch, and all of them to the cover letter."""
    patches = numbered(folder)
    with ThreadPoolExecutor(int(os.environ.get("JOBS") or os.cpu_count())) as pool:
        found = dict(zip(patches, pool.map(lambda p: recipients(p, tree), patches)))
    found[os.path.join(folder, "0000-cover-letter.patch")] = {
        where: who for cc in found.values() for where, who in cc.items()}
    for path, cc in found.items():
        for own in to, author:
            cc.pop(own, None)
        head, body = read(path).split("\n\n", 1)
        write(f"{head}\nCc: " + ",\n ".join(email.utils.formataddr((who, where))
                                           for where, who in cc.items()) + f"\n\n{body}", path)


def main():
    pristine, grafted, out, applied = sys.argv[1:]
    patches = series()
    touched = {path for patch in patches.values() for path in pieces(patch)}
    # Not what was built there
    ours = {KCONFIG} | {p for p in subprocess.check_output(
        ["git", "-C", TOP, "ls-files", "-co", "--exclude-standard", *OVERLAY],
        text=True).splitlines() if os.path.exists(os.path.join(TOP, p)) and not is_proposal(p)}
    postings = read_table(os.path.join(TOP, "patches", "series.txt"))
    steps = [step for posting in postings for step in posting.steps]
    check_order(steps, patches)
    things = [f"{n}:{path}" for n in patches for path in pieces(patches[n])]
    things += sorted(ours - {KCONFIG})
    things += [f"{KCONFIG}#{n}" for n in kconfig_entries(read(home_of(KCONFIG)))[1]]
    assign(steps, things)

    options = set(re.findall(r"^\+?config (\w+)", "".join(
        [*(text for patch in patches.values() for path, text in pieces(patch).items()
           if path.endswith("Kconfig")),
         *(read(home_of(p)) for p in ours if p.endswith("Kconfig"))]), re.M))
    env = environment()
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        repo = Repository(os.path.join(work, "series"), pristine, touched, env)
        done = []
        for posting in postings:
            for step in posting.steps:
                done += step.things
                write_state(repo.path, pristine, patches, done)
                check_options(repo.path, step.subject, options)
                repo.git("add", "-A", "-f")
                repo.git("commit", "-q", "--no-verify", "-s", "-F", "-",
                         input=step.message(patches))
            repo.git("branch", posting.folder)
            repo.git("config", f"branch.{posting.folder}.description", posting.cover.message({}))
            repo.git("format-patch", "-q", f"{posting.folder}~{len(posting.steps)}..{posting.folder}",
                     "-o", os.path.abspath(os.path.join(out, posting.folder)), "--cover-letter",
                     "--cover-from-description=subject", "--no-renames", "--zero-commit",
                     f"--to={posting.to}")
    for posting in postings:
        address(os.path.join(out, posting.folder), posting.to, grafted, env["GIT_AUTHOR_EMAIL"])

    again = Repository(applied, pristine, touched, env)
    for posting in postings:
        again.git("am", "-q", "--whitespace=error-all",
                  *numbered(os.path.abspath(os.path.join(out, posting.folder))))
    compare(applied, grafted, ours, touched)
    print(f"{len(steps)} patches in {len(postings)} folders of {out}; applied to a pristine tree "
          f"they give the same {len(ours | touched)} files as the overlay", file=sys.stderr)


if __name__ == "__main__":
    main()
