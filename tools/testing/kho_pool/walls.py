#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What may need what: a wall around the index, one direction, no circles.

    walls.py sources                what files #include, in this checkout
    walls.py khopool OBJECTS        the objects of tools/mm/khopool, the index among them
    walls.py kernel OBJECTS         those of a kernel, from its object folder

An arrow goes from the file that needs something to the file that has it.  Of objects,
nm tells what they need.  Prints TAP; each rule is also tried on something that breaks
it, as a check that sees nothing passes everything."""

import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
INDEX = "mm/kho_pool/index/"

# The index allocates nothing, sleeps nowhere and logs nothing.  This is all that its
# files may include and call; root.c may have libfdt as well.
HEADERS = {
    "asm/barrier.h", "asm/byteorder.h", "linux/align.h", "linux/bitops.h", "linux/build_bug.h",
    "linux/cache.h", "linux/compiler.h", "linux/errno.h", "linux/kernel.h",
    "linux/kho/abi/kho_pool.h", "linux/siphash.h", "linux/spinlock.h", "linux/string.h",
    "linux/types.h",
}
CALLS = re.compile(
    r"mem(set|cpy|move|cmp|chr|chr_inv)|str(cmp|ncmp|len|nlen)|sized_strscpy"
    r"|_raw_spin_(lock|trylock|unlock)|_find_(next|first)(_zero)?_bit|__sw_hweight64"
    r"|__hsiphash_(un)?aligned")
LIBFDT = re.compile(r"fdt_\w+")
# What compilers add
COMPILERS = re.compile(
    r"_GLOBAL_OFFSET_TABLE_|__fentry__|_?mcount|__x86_\w+|__stack_chk_\w+|__(hw)?[akt]san_\w+"
    r"|__ubsan_\w+|__sanitizer_\w+|__gcov_\w+|__fortify_panic|__\w+[dt]i[0-9]|__aarch64_\w+")

# A room, the files in it, and the other rooms that these may need.  The last room that
# says it has a file has it.
ROOMS = [
    ("format", r"include/linux/kho/abi/.*|include/uapi/.*", ""),
    ("index", INDEX + ".*", "format"),
    ("kho", r"kernel/liveupdate/.*|arch/.*|include/linux/kho_.*", "format notes"),
    ("notes", r"include/linux/kho_note\.h", "format"),
    ("interface", r"include/linux/kho_pool.*", "format"),
    ("placing", r"include/linux/kho_pool_place\.h", "format"),
    ("decompressor", r"arch/x86/boot/.*", "format placing kho"),
    ("trace", r"mm/kho_pool/trace\.c|include/trace/.*", "interface"),
    ("pool", r"mm/kho_pool/(pool|notify)\.[ch]", "format index interface trace"),
    ("boot", r"mm/kho_pool/(early|cmdline|room|regions|carve|takeover)\.[ch]",
     "format index interface placing trace pool kho"),
    # What tests make happen: declared here, had by the file that it happens to
    ("mishaps", r"mm/kho_pool/debug\.h", "format index interface pool"),
    ("kexec", r"mm/kho_pool/(handover|seal|kexec|kexec_sysfs|note)\.[ch]",
     "format index interface trace pool boot mishaps kho"),
    ("views", r"mm/kho_pool/(sysfs|control|charge|groups|iomem|unmap_bad)\.[ch]",
     "format index interface pool"),
    ("debug", r"mm/kho_pool/(debugfs|inspect|inject)\.c",
     "format index interface pool boot mishaps kexec kho"),
    ("drivers", r"drivers/.*|samples/.*", "format interface views pool kho"),
    ("tests", r"mm/kho_pool/tests/.*|drivers/.*_kunit\.c",
     "format index interface placing pool views drivers kho"),
    ("command", r"tools/mm/khopool/.*", "format index notes"),
    ("user tests", r"tools/testing/.*",
     "format index interface trace pool drivers tests command kho"),
]
# Ours, where there is a kernel's tree around them
OURS = re.compile(r"kho|kexec_(handover_)?load|handover_(image|reach)")


def room_of(path):
    """The last room that says it has the file."""
    found = None
    for name, pattern, _ in ROOMS:
        if re.fullmatch(pattern, path):
            found = name
    return found


def circles(arrows):
    """Each circle once, as a list of names."""
    found, done = [], set()

    def walk(at, way):
        if at in way:
            found.append(way[way.index(at):] + [at])
        elif at not in done:
            for to in sorted(arrows.get(at, ())):
                walk(to, way + [at])
            done.add(at)

    for name in sorted(arrows):
        walk(name, [])
    return found


def wrong_ways(arrows):
    """Arrows that no room allows, each as a line."""
    may = {name: set(needs.split()) | {name} for name, _, needs in ROOMS}
    said = []
    for at in sorted(arrows):
        for to in sorted(arrows[at]):
            a, b = room_of(at), room_of(to)
            if a is None or b is None:
                said.append(f"{at if a is None else to} is in no room: ROOMS has to name it")
            elif b not in may[a]:
                said.append(f"{at} ({a}) needs {to} ({b})")
    return said


def includes(text):
    """What a file includes, as (name, True if it is in quotes)."""
    return [(m[2], m[1] == '"') for m in
            re.finditer(r'^\s*#\s*include(?:_next)?\s*([<"])([^>"]+)[>"]', text, re.M)]


def index_headers(path, text):
    """Headers that a file of the index may not include."""
    may = HEADERS | ({"linux/libfdt.h"} if path == INDEX + "root.c" else set())
    return [f"{path} includes {name}" for name, quoted in includes(text)
            if ("/" in name if quoted else name not in may)]


def index_calls(path, needs):
    """Names of other code that a file of the index may not use."""
    may = [CALLS, COMPILERS] + ([LIBFDT] if path == INDEX + "root.c" else [])
    return [f"{path} uses {name}" for name in sorted(needs)
            if not any(m.fullmatch(name) for m in may)]


def our_sources(*kinds):
    """The files to check."""
    for folder in ("mm/kho_pool", "kernel", "drivers", "samples/kho_pool", "arch", "include",
                   "tools/mm/khopool", "tools/testing/kho_pool"):
        for at, _, names in os.walk(os.path.join(TOP, folder)):
            for name in names:
                path = os.path.relpath(os.path.join(at, name), TOP)
                if name.endswith(kinds) and OURS.search(path) and "/shim/" not in path:
                    yield path


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def include_arrows():
    """Between files of this checkout."""
    known = set(our_sources(".c", ".h"))
    arrows = {}
    for path in sorted(known):
        arrows[path] = set()
        for name, quoted in includes(read(path)):
            near = os.path.normpath(os.path.join(os.path.dirname(path), name))
            tries = [near] if quoted else []
            for to in tries + ["include/" + name, "include/uapi/" + name]:
                if to in known and to != path:
                    arrows[path].add(to)
                    break
    return arrows


def symbols(path):
    """What an object has, what it needs, and its own functions."""
    has, needs, local = set(), set(), set()
    out = subprocess.run([os.environ.get("NM", "nm"), path], capture_output=True, text=True,
                         check=True).stdout
    for line in out.splitlines():
        kind, name = line.split()[-2:]
        if kind == "U":
            needs.add(name)
        elif kind == "t":
            local.add(name)
        elif kind.isupper() and name not in ("init_module", "cleanup_module", "__this_module"):
            has.add(name)
    return has, needs, local


def bare_names(path, local):
    """Functions whose name would say nothing in an oops."""
    return [f"{path}: {name}()" for name in sorted(local)
            if not re.match(r"kp_|fdt\d*_", name)]


def link_arrows(objects):
    """@objects: the object of each source file.  Arrows, and what none of them has."""
    where, needs = {}, {}
    for source, path in objects.items():
        has, needs[source], _ = symbols(path)
        where.update(dict.fromkeys(has, source))
    arrows = {s: {where[n] for n in names if n in where} - {s} for s, names in needs.items()}
    outside = {s: {n for n in names if n not in where} for s, names in needs.items()}
    return arrows, outside


def index_outside(arrows, outside):
    """What files of the index use of code that is not the index's."""
    said = []
    for path in sorted(p for p in outside if p.startswith(INDEX)):
        said += index_calls(path, outside[path])
        said += [f"{path} uses {to}" for to in sorted(arrows[path]) if not to.startswith(INDEX)]
    return said


class Tap:
    """One test a rule: it holds if there is nothing to say."""

    def __init__(self):
        self.nr = self.failed = 0

    def rule(self, name, said):
        self.nr += 1
        self.failed += bool(said)
        for line in said:
            print(f"# {line}")
        print(f"{'not ok' if said else 'ok'} {self.nr} {name}")

    def seen(self, name, said, nr):
        """Of what breaks the rule @nr lines have to be seen."""
        self.rule(f"seen: {name}",
                  [] if len(said) == nr else [f"{len(said)} seen, not {nr}: {said}"])

    def end(self):
        print(f"1..{self.nr}")
        return 1 if self.failed else 0


def made_up(text):
    """The symbols of an object that is made of @text."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "made_up")
        with open(path + ".c", "w", encoding="utf-8") as f:
            f.write(text)
        subprocess.run([os.environ.get("CC", "cc"), "-O1", "-c", "-o", path + ".o", path + ".c"],
                       check=True)
        return symbols(path + ".o")


def see_circles(tap):
    tap.seen("a circle", circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}), 1)
    tap.seen("no circle", circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}), 0)


def see_ways(tap):
    tap.seen("a pool that needs its views, an index that needs the pool, a file in no room",
             wrong_ways({"mm/kho_pool/pool.c": {"mm/kho_pool/sysfs.c", INDEX + "bad.c"},
                         INDEX + "walk.c": {"mm/kho_pool/pool.c"},
                         "mm/kho_pool/new.c": {"mm/kho_pool/pool.c"}}), 3)


def see_calls(tap):
    needs = made_up("int _printk(const char *fmt, ...); void *memset(void *, int, unsigned long);\n"
                    "void mutex_lock(void *m); int fdt_check_header(const void *);\n"
                    "int f(void *m, unsigned long n) { mutex_lock(m); memset(m, 0, n);\n"
                    "return _printk(\"%d\", fdt_check_header(m)); }\n")[1]
    tap.seen("an index that logs, sleeps and reads trees", index_calls(INDEX + "walk.c", needs), 3)
    tap.seen("a root that logs and sleeps", index_calls(INDEX + "root.c", needs), 2)


def sources(tap):
    arrows = include_arrows()
    said = []
    for path in sorted(arrows):
        if path.startswith(INDEX):
            said += index_headers(path, read(path))
    tap.rule("the index includes only what it may", said)
    tap.rule("headers include each other in no circle", [" -> ".join(c) for c in circles(arrows)])
    tap.rule("files include only what is below them", wrong_ways(arrows))
    tap.rule("the command is built without the tests",
             [f"tools/mm/khopool/Makefile: {line}" for line in
              read("tools/mm/khopool/Makefile").splitlines() if "testing" in line])
    tap.seen("an index that includes more", index_headers(
        INDEX + "walk.c", '#include <linux/types.h>\n#include <linux/slab.h>\n'
        '#include "internal.h"\n# include "../pool.h"\n#include <linux/libfdt.h>\n'), 3)
    see_circles(tap)
    see_ways(tap)


def khopool(tap, folder):
    objects = {}
    for path in our_sources(".c"):
        name = os.path.basename(path)[:-2] + ".o"
        if path.startswith("tools/mm/khopool/"):
            objects[path] = os.path.join(folder, name)
        elif path.startswith(INDEX):
            objects[path] = os.path.join(folder, "kernel-" + name)
    arrows, outside = link_arrows(objects)
    tap.rule("the index calls only what it may",
             index_outside(arrows, outside))
    tap.rule(f"no circle in {len(objects)} objects of khopool and the index",
             [" -> ".join(c) for c in circles(arrows)])
    said = []
    for path in sorted(p for p in objects if p.startswith(INDEX)):
        said += bare_names(path, symbols(objects[path])[2])
    tap.rule("the index's functions have its prefix", said)
    tap.seen("a function without it", bare_names("", made_up(
        "static __attribute__((noinline)) int find(int a) { return a + 1; }\n"
        "static __attribute__((noinline)) int kp_find(int a) { return find(a) + 1; }\n"
        "int f(int a) { return kp_find(a); }\n")[2]), 1)
    see_calls(tap)
    see_circles(tap)


def kernel(tap, folder):
    objects, rooms = {}, {}
    for path in our_sources(".c"):
        if path.startswith(("tools/", "arch/x86/boot/")):
            continue
        if os.path.exists(os.path.join(folder, path[:-2] + ".o")):
            objects[path] = os.path.join(folder, path[:-2] + ".o")
    arrows, outside = link_arrows(objects)
    for at in arrows:
        for to in arrows[at]:
            if room_of(at) != room_of(to):
                rooms.setdefault(room_of(at), set()).add(room_of(to))
    for name, _, _ in ROOMS:
        if name in rooms:
            print(f"# {name} -> {', '.join(sorted(rooms[name]))}")
    tap.rule(f"there are objects of all that is in {INDEX}",
             [f"{p} was not compiled" for p in our_sources(".c")
              if p.startswith(INDEX) and p not in objects])
    tap.rule("the index calls only what it may",
             index_outside(arrows, outside))
    tap.rule(f"no circle in {len(objects)} objects", [" -> ".join(c) for c in circles(arrows)])
    tap.rule("objects need only what is below them", wrong_ways(arrows))
    see_calls(tap)
    see_circles(tap)
    see_ways(tap)


def main():
    what = {"sources": sources, "khopool": khopool, "kernel": kernel}
    if len(sys.argv) < 2 or sys.argv[1] not in what:
        sys.exit(__doc__)
    tap = Tap()
    what[sys.argv[1]](tap, *sys.argv[2:])
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
