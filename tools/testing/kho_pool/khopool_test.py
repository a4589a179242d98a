#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""khopool, with sanitizers, on golden images and on what the fuzzers make.

usage: khopool_test.py KHOPOOL GOLDEN-FOLDER SAVED-FOLDER
With UPDATE=1 what it prints becomes what it should print."""

import hashlib
import html.parser
import json
import os
import pathlib
import re
import resource
import shutil
import struct
import subprocess
import sys
import time
from xml.etree import ElementTree

HERE = pathlib.Path(__file__).parent.resolve()
TOP = HERE.parents[2]
TOOL = TOP / "tools" / "mm" / "khopool"
GUIDE = TOP / "Documentation" / "admin-guide" / "mm" / "kho_pool.rst"
KHOPOOL, GOLDEN, SAVED = (pathlib.Path(arg).resolve() for arg in sys.argv[1:])
# A name, and the files that khopool gets.
DUMPS = {
    "v1": ["v1_root", "v1_index"],
    "two_pools": ["two_pools_root"],
    "names": ["names_index"],
    "stopped": ["stopped_index"],
    "empty_and_whole": ["empty_index", "whole_index"],
    "pages_16k": ["pages_16k_index"],
    "pages_64k": ["pages_64k_index"],
    "bad": ["bad_index"],
    "too_many": ["too_many_index"],
    "table": ["table_root"],
    "table_index": ["table_index"],
    "many": ["many_index"],
}
# Changes to a file, and the message about it that is required.
INDEX_CHANGES = {
    "0x8^1": "header: base is 0xbc000001, not 0xbc000000",
    "0x70^1": "header: check value is",
    "0x78^1": "3 extents have names, and there are names for 2",
    "0x901^0x40": "area 0: word 0000000000004000 has no meaning",
    "0x1a40^0x20": "has reserved bits",
    "0x16b40^0x10": None,
}
TABLE_ROOT_CHANGES = {
    ("incompat=0", "check"): "region 1: index has a table of bad frames, and incompat does not say",
    ("region1.index_size=4096", "check"): "region 1: index has 4096 bytes, not",
}
ROOT_CHANGES = {
    ("200^0x40",): "root is damaged: its check value is",
    ("0^1", "check"): "root is not a device tree",
    ("incompat=0x80", "check"): "root has incompatible features: 0x80",
    ("frame-size=8192", "check"): "root has no valid page size: 8192",
    ("frame-size=65536", "check"): "region 0: index has 36864 bytes, not 20480",
    ("region0.base=0x1000", "check"): "is not aligned to 0x200000",
    ("region1.base=0x100000000", "check"): "region 1: memory overlaps memory of region 0",
    ("region1.index=0x100000000", "check"): "region 1: index overlaps memory of region 0",
    ("region2.index_size=4096", "check"): "region 2: index has 4096 bytes, not 73728",
    ("region2.size=0", "check"): "region 2: memory [0x200000000, 0 bytes] is not a range",
    ("region3.state=9", "check"): "region 3: there is no state 9",
    ("region3.base=0x300000000", "check"): "root and keep list differ: region 3",
    ("0x1000^1", "check"): "keep list has the magic",
    ("0x1008^0x80", "check"): "keep list has 136 ranges",
    ("0x1010^1", "check"): "keep list: range 0",
    ("0x102a^1",): "keep list is damaged",
    ("0x102a^1", "check"): "is not kept",
}
ENV = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=99"}
failed = number = 0


def run(*args, cwd=GOLDEN):
    result = subprocess.run([KHOPOOL, *args], cwd=cwd, env=ENV, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if result.returncode not in (0, 1, 2):
        raise AssertionError(f"khopool {args}: {result.returncode}, {result.stderr.decode()}")
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def valid_json(text):
    """As a reader outside of this process sees it."""
    subprocess.run([sys.executable, "-m", "json.tool"], input=text.encode(), check=True,
                   stdout=subprocess.DEVNULL)
    return json.loads(text)


def expect(ok, what):
    if not ok:
        raise AssertionError(what)


def golden():
    for name, files in DUMPS.items():
        for args, kind in ([], "txt"), (["--json"], "json"):
            status, out, err = run("dump", *args, *files)
            path = HERE / "golden" / f"{name}.{kind}"
            if os.environ.get("UPDATE"):
                path.parent.mkdir(exist_ok=True)
                path.write_text(out)
            expect(status == 0 and out == path.read_text(), f"{path}: {out}{err}")
            if kind == "json":
                valid_json(out)
        status, out, err = run("verify", *files)
        expect((status, out, err) == (0, "", ""), f"verify {name}: {out}{err}")


def many_extents():
    _, out, _ = run("dump", "--json", "frames_index")
    index = valid_json(out)["indexes"][0]
    expect(len(index["extents"]) == 770, "extents")
    expect(sum(e["size"] for e in index["extents"]) == index["used"] == 1280 * 4096, "used")
    _, out, _ = run("dump", "frames_index")
    expect(out.count("\n") == 771, "lines")


def changed(file, changes):
    data = (GOLDEN / file).read_bytes()
    copy = SAVED / "changed"
    copy.write_bytes(data)
    status, out, err = run("edit", copy, *changes)
    expect((status, out, err) == (0, "", ""), f"edit {changes}: {out}{err}")
    return copy


def damaged_roots():
    for file, changes, line in [*(("two_pools_root", *c) for c in ROOT_CHANGES.items()),
                                *(("table_root", *c) for c in TABLE_ROOT_CHANGES.items())]:
        copy = changed(file, changes)
        status, out, _ = run("verify", copy)
        expect(status == 1 and line in out, f"{changes}: {out}")
        status, out, _ = run("dump", "--json", copy)
        expect(status == 0, "dump")
        valid_json(out)
        expect(run("dump", copy)[0] == 0, "dump")


def damaged_indexes():
    for change, line in INDEX_CHANGES.items():
        copy = changed("v1_index", [change])
        status, out, _ = run("verify", "v1_root", copy)
        expect(status == 1 and ("index is not what was sealed" in out or "header" in out),
               f"{change}: {out}")
        expect(not line or line in out, f"{change}: {out}")
        _, out, _ = run("dump", "v1_root", copy)
        expect("cannot be used: index" in out, out)


def doubled_names():
    """Two extents with one name, two names for one extent"""
    copy = SAVED / "changed"
    for begin, size, line in (8, 56, "are the same"), (0, 8, "are of the same extent"):
        data = bytearray((GOLDEN / "names_index").read_bytes())
        one, two = data.index(b"dddd\0") - 8, data.index(b"hhhhhhhh\0") - 8
        data[two + begin:two + begin + size] = data[one + begin:one + begin + size]
        copy.write_bytes(data)
        status, out, _ = run("verify", copy)
        first = (min(one, two) - max(one, two)) // 64
        found = re.search(r"names (\d+) and (\d+) " + line, out)
        expect(status == 1 and found and int(found[1]) - int(found[2]) == first, out)


def endless():
    """What no image is, is not read to its end."""
    for command in ["dump", "/dev/zero"], ["verify", "v1_root", "/dev/zero"], \
            ["edit", "/dev/zero", "0^1"]:
        status, _, err = run(*command)
        expect(status == 2 and "/dev/zero is longer than an image is" in err, err)


def every_flip():
    """No change of a single bit of a root goes unseen."""
    good = (GOLDEN / "v1_root").read_bytes()
    for at in [*range(0, 0x1b0, 7), 0xff8, 0xfff]:
        copy = changed("v1_root", [f"{at}^{1 << at % 8}"])
        expect(copy.read_bytes() != good, "not changed")
        expect(run("verify", copy)[0] == 1, f"byte {at}")


def fuzzed():
    good = bad = 0
    for path in sorted(SAVED.glob("*-*-*")):
        status, out, err = run("verify", path)
        believed = "-good-" in path.name
        expect(status == (0 if believed else 1), f"verify {path}: {status} {out}{err}")
        expect(run("dump", path)[0] == 0, "dump")
        status, out, _ = run("dump", "--json", path)
        expect(status == 0, "dump --json")
        json.loads(out)
        good += believed
        bad += not believed
    print(f"# {good} good and {bad} bad ones")
    expect(good > 20 and bad > 20, "the corpus is not what it was")


def calls():
    for args, line in {
        (): "usage: khopool COMMAND",
        ("dumb",): 'there is no command "dumb"',
        ("dump", "--jason"): "usage: khopool dump",
        ("verify", "there-is-none"): "No such file",
        ("dump", "v1_root", "two_pools_root"): "are both roots",
        ("edit", "v1_root"): "usage: khopool edit",
        ("edit", "v1_root", "generations=1"): 'no number "generations"',
        ("edit", "v1_root", "incompat=x"): '"x" is not a number',
        ("edit", "v1_root", "region7.base=1"): "there is no such region",
        ("edit", "v1_root", "5000^1"): "has no byte 5000",
        # Those for the running machine, as far as they get without one
        ("create",): "usage: khopool create NAME SIZE",
        ("create", "x", "4Q"): '"4Q" is not a size such as 4G, 512M or 64K',
        ("create", "x", "4 GiBs"): '"4 GiBs" is not a size',
        ("create", "x", "0x"): '"0x" is not a size',
        ("create", "x", "G"): '"G" is not a size',
        ("create", "x", "0 GiB"): "SIZE is 0",
        ("create", "x", "16777216T"): "SIZE: 16777216T is too large",
        ("create", "x", "99999999999999999999"): "is too large",
        ("create", "x", "5b"): "SIZE: 5 B is not a multiple of the page size",
        ("create", "x", "4G", "--align", "0x3000"): "--align: 12 KiB is not a power of two",
        ("create", "x", "4G", "--align"): "create --align needs a value",
        ("create", "x", "4G", "--strict=1"): "create has no option --strict=1, or not like this",
        ("create", "x", "4G", "--node", "-1"): '--node: "-1" is not a number',
        ("create", "x", "3M", "--expose"): "cannot be exposed, only multiples of",
        ("create", "a b", "4G"): "is made of letters, digits",
        ("create", "a/b", "4G", "--pool", "c"): "a/b is not in pool c",
        ("create", "x" * 56, "4G"): "has up to 55 characters",
        ("create", "y" * 32 + "/x", "4G"): "has up to 31 characters",
        ("rm",): "usage: khopool rm NAME",
        ("show", "a", "b"): "usage: khopool show NAME",
        ("map", "--cell", "3K"): "--cell: 3K is not a power of two",
        ("map", "--format=pdf"): '--format: there is only "html"',
        ("map", "--format=html", "--json"): "--format=html does not go with --json",
        ("stat", "--watch=-1"): '--watch: "-1" is not a number of seconds',
        ("stat", "--format=x"): '--format: there is only "prom"',
        ("stat", "--format=prom", "--json"): "--format=prom goes with no other option",
        ("get", "a"): "usage: khopool get NAME FILE",
        ("get", "a", "b", "--check"): "usage: khopool get NAME FILE",
        ("kexec-args", "x"): "usage: khopool kexec-args",
    }.items():
        status, _, err = run(*args)
        expect(status == 2 and line in err, f"{args}: {status} {err}")
        if not args:
            continue
        status, out, err = run(args[0], "--json", *args[1:])
        expect((status, out, err.count("\n")) == (2, "", 1), f"{args} --json: {status} {out}{err}")
        error = json.loads(err)["error"]
        expect(set(error) == {"message", "status"} and error["status"] == 2 and
               line in error["message"], f"{args} --json: {err}")


def kexec_args():
    """With its own /sys and /proc/cmdline, where users may make these."""
    word, args = "kho_handover=0x1234000", "--mem-min=0x1000000 --mem-max=0x1ffffff"
    script = f"""mount -t tmpfs none /sys/kernel && mkdir /sys/kernel/kexec_handover &&
        echo {word} >/sys/kernel/kexec_handover/cmdline &&
        echo {args} >/sys/kernel/kexec_handover/args &&
        cp "$1" /sys/kernel/line && mount --bind /sys/kernel/line /proc/cmdline || exit 77
        shift; exec "$@" """
    running = SAVED / "cmdline"

    def run_with(line, *more):
        running.write_bytes(line)
        env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}
        result = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", running, KHOPOOL,
                                 "kexec-args", *more], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, check=False)
        return result.returncode, result.stdout, result.stderr.decode()

    room = 2047 - len(word) - 1
    if run_with(b"a\n")[0] not in (0, 2):
        print("# not here: it takes unshare -rm")
        return
    for line, made in {
        b"a\n": b" a",
        b"": b"",
        b"\n": b"",
        b"kho-handover=0x1000 a  b='c -- d\n": b" a  b='c -- d",
        b'a="x  kho_handover=0x1 y" \tb \xff -- c kho_handover=0x1':
            b' a="x  kho_handover=0x1 y" \tb \xff -- c kho_handover=0x1',
        b"x" * room: b" " + b"x" * room,
        b"x" * 3000 + b"\n": None,
        b"x" * (room + 1): None,
        b"a\nb\n": None,
    }.items():
        line_arg = b"--command-line=" + line
        for call in (line, ()), (b"wrong", (line_arg,)):
            status, out, err = run_with(call[0], *call[1])
            if made is None:
                expect((status, out) == (2, b""), f"{line}: {status} {out}")
                expect("bytes too long" in err or "more than one line" in err, err)
                continue
            whole = word.encode() + made
            text = args.encode() + b" --command-line='" + whole.replace(b"'", b"'\\''") + b"'\n"
            expect((status, out, err) == (0, text, ""), f"{line}: {status} {out}{err}")
            status, out, err = run_with(call[0], "--json", *call[1])
            expect(status == 0 and json.loads(out) == {
                "args": args, "command_line": whole.decode("latin-1")}, f"{out}{err}")
            xargs = subprocess.run(["xargs", "printf", "%s\\n"], input=text, check=True,
                                   stdout=subprocess.PIPE).stdout
            expect(xargs == args.replace(" ", "\n").encode() + b"\n--command-line=" + whole +
                   b"\n", xargs)
    expect("1 bytes too long" in run_with(b"x" * (room + 1))[2], "how much too long")


def edit_json():
    copy = SAVED / "json"
    copy.write_bytes((GOLDEN / "two_pools_root").read_bytes())
    changes = ["incompat=0x80", "region1.base=0x100000000", "12^1", "check"]
    status, out, err = run("edit", "--json", copy, *changes)
    expect((status, err) == (0, ""), err)
    expect(valid_json(out) == {"file": str(copy), "size": copy.stat().st_size,
                               "changes": changes}, out)
    expect(changed("two_pools_root", changes).read_bytes() == copy.read_bytes(), "edit --json")
    # It is all of them or none.
    good = copy.read_bytes()
    status, out, err = run("edit", "--json", copy, "incompat=0", "none=1")
    expect((status, out, copy.read_bytes()) == (2, "", good), f"{out}{err}")


# In the place of the control device: a file of struct kho_pool_extent_info for each pool
LIST = '''
#include <stdlib.h>
#include <string.h>
#include "machine.h"

struct extent *__wrap_control_list(const char *pool, u32 *nr)
{
	struct extent *extents = calloc(1 << 17, sizeof(*extents));
	struct kho_pool_extent_info info;
	char path[80];
	FILE *f;

	sprintf(path, "/sys/kernel/list/%s", pool);
	f = fopen(path, "r");
	for (*nr = 0; f && fread(&info, sizeof(info), 1, f); (*nr)++) {
		struct extent *e = &extents[*nr];

		*e = (struct extent){ info.phys, info.bytes, info.align, info.flags,
				      info.dax_region, info.dax_id, info.nid };
		COPY(e->pool, pool);
		memcpy(e->owner, info.owner, sizeof(e->owner));
		memcpy(e->name, info.name, sizeof(e->name));
	}
	fclose(f);
	return extents;
}
'''
MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40


def build(program, source, *options, without=()):
    """With what khopool is linked with, next to it"""
    linked = KHOPOOL.with_name("khopool.with").read_text().split()
    subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", f"-I{TOOL}", "-o", program, "-O1",
                    "-fsanitize=address,undefined", "-fno-sanitize-recover=all", *options, source,
                    *(part for part in linked if pathlib.Path(part).name not in without)],
                   check=True)


class Machine:
    """One with pools that are made up, for khopool map: in its own /sys, where users may do that"""

    def __init__(self):
        self.sys, self.tool = SAVED / "sys", SAVED / "khopool"
        source = SAVED / "list.c"
        source.write_text(LIST)
        build(self.tool, source, "-Wl,--wrap=control_list")
        self.clear()

    def clear(self):
        shutil.rmtree(self.sys, ignore_errors=True)
        (self.sys / "list").mkdir(parents=True)
        self.files("", handover="active")

    def files(self, folder, **values):
        path = self.sys / "mm" / "kho_pool" / folder
        path.mkdir(parents=True, exist_ok=True)
        for name, value in values.items():
            (path / name).write_text(f"{value}\n")

    def pool(self, name, regions, extents, **more):
        """@regions: base, size, node, state, bad pages; @extents: base, size, name, owner, flags"""
        def figures(folder, node):
            mine = [r for r in regions if node in (None, r[2])]
            size, bad = sum(r[1] for r in mine), sum(r[4] for r in mine)
            lost = sum(r[1] for r in mine if r[3] != "ok")
            used = sum(e[1] for e in extents for r in mine if 0 <= e[0] - r[0] < r[1])
            self.files(folder, size_bytes=size, quarantined_bytes=lost, bad_frames=bad,
                       free_bytes=size - lost - used - 2 * MIB * bad, largest_free_bytes=3 * MIB,
                       extents=len(extents), unclaimed=0)

        figures(name, None)
        self.files(name, **{"state": "active", "generation": 7, "restore_ns": 5000, **more})
        for node in {r[2] for r in regions}:
            figures(f"{name}/node{node}", node)
        # As the kernel numbers regions: not by address
        for i, (base, size, node, state, bad) in enumerate(reversed(regions)):
            self.files(f"{name}/region{i}", base=hex(base), size_bytes=size, node=node,
                       state=state, bad_frames=bad)
        infos = (struct.pack("<QQQIiII32s56s", base, size, 2 * MIB, flags, 0, 8, 9, owner, named)
                 for base, size, named, owner, flags in reversed(extents))
        (self.sys / "list" / name).write_bytes(b"".join(infos))

    def map(self, *args):
        script = 'mount --bind "$1" /sys/kernel && shift && exec "$@"'
        result = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", self.sys, self.tool,
                                 "map", *args], env={**ENV, "COLUMNS": "80", "LC_ALL": "C"},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        expect(result.returncode == 0 and not result.stderr, f"map {args}: {result.stderr}")
        return result.stdout

    def document(self, *args):
        return Document(self.map("--format=html", *args))


class Document:
    """What khopool map --format=html prints"""

    def __init__(self, data):
        self.size = len(data)
        text = data.decode()
        self.style = re.search("<style>(.*)</style>", text, re.S)[1]
        # As browsers read it: what is markup, and what is not
        self.tags, self.attributes = set(), set()
        parser = html.parser.HTMLParser()
        parser.handle_starttag = lambda tag, attributes: (
            self.tags.add(tag), self.attributes.update(name for name, _ in attributes))
        parser.handle_startendtag = parser.handle_starttag
        parser.feed(text)
        # And as XML
        try:
            self.root = ElementTree.fromstring(text.replace(
                "xmlns='http://www.w3.org/1999/xhtml'", ""))
        except ElementTree.ParseError as e:
            raise AssertionError(f"not well-formed: {e}") from e
        self.text = "".join(self.root.itertext())
        self.rows = [["".join(cell.itertext()) for cell in row.iter("td")]
                     for row in self.root.iter("tr") if row.get("id")]

    def alone(self):
        """It needs nothing from elsewhere, and leads nowhere else."""
        expect(not self.tags & {"script", "img", "link", "iframe", "object", "b"}, self.tags)
        expect(not any(name.startswith("on") or name == "src" for name in self.attributes),
               self.attributes)
        ids = [e.get("id") for e in self.root.iter() if e.get("id")]
        expect(len(ids) == len(set(ids)), "an id is there twice")
        for to in [a.get("href") for a in self.root.iter("a")] + \
                re.findall(r"url\((.*?)\)", self.style):
            expect(to[0] == "#" and to[1:] in ids, f"there is no {to}")
        styled = set(re.findall(r"\.([a-z]+[0-9]?)", self.style))
        for e in self.root.iter():
            for name in (e.get("class") or "").split():
                expect(name in styled, f"class {name} has no style")
        light, dark = re.findall(r":root\{(.*?)\}", self.style, re.S)[:2]
        names = [set(re.findall(r"(--\w+):", part)) for part in (light, dark)]
        expect(names[0] == names[1] and len(names[0]) > 20, f"light and dark: {names}")

    def drawn(self):
        """All that is in the pictures: class, title, where it begins, size, height"""
        for figure in self.root.iter("figure"):
            starts = [int(at, 16) for at in figure.find(".//pre").text.split()]
            groups = [g for g in figure.find(".//svg") if g.get("transform")]
            number, unit = figure.findall(".//g[@class='axis']/text")[-1].text.split()
            row = int(number) << {"MiB": 20, "GiB": 30, "TiB": 40}[unit]
            expect(starts == [starts[0] + i * row for i in range(len(groups))], "rows")
            for start, group in zip(starts, groups):
                for rect in group.iter("rect"):
                    x, width = (float(rect.get(name)[:-1]) for name in ("x", "width"))
                    title = rect.findtext("title") or ""
                    yield (rect.get("class").split()[0], title, start + x * row / 100,
                           width * row / 100, int(rect.get("height")))


def drawn_to_scale(m):
    """What is drawn covers each region once, and all of each extent, where it is."""
    extents = sorted([
        (4 * GIB, 10 * GIB, b"large", b"dax30", 2),
        (15 * GIB + 6 * MIB, 6 * GIB - 6 * MIB, b"odd", b"user", 4),
        (21 * GIB, 5 * GIB + 3 * MIB, b"next", b"klog", 1),
        (30 * GIB, 64 * MIB, b"last", b"user", 4), (30 * GIB + 64 * MIB, 2 * MIB, b"", b"user", 4),
        (70 * GIB, GIB, b"far", b"user", 4),
        *((27 * GIB + i * 6 * MIB, 2 * MIB, b"", b"luo", 0) for i in range(100))])
    regions = [(4 * GIB, 28 * GIB, 0, "ok", 0), (64 * GIB + 512 * MIB, 20 * GIB, 1, "ok", 3)]
    m.clear()
    m.pool("default", regions, extents)
    for args, cell in ((), 16), (("--cell=4M",), 4), (("--cell=64M",), 64), (("--cell=256M",), 256):
        d = m.document(*args)
        d.alone()
        shapes = [shape for shape in d.drawn() if shape[0] != "track"]
        for base, size, name, *_ in extents:
            parts = [s for s in shapes if s[0][0] in "cu" and s[1].split("\n")[0] == name.decode()]
            if size < cell * MIB:
                expect(not parts, f"{name} is too small for {args}")
            else:
                expect(parts and abs(parts[0][2] - base) < MIB and
                       abs(sum(s[3] for s in parts) - size) < 2 * MIB and
                       all(s[4] == 22 for s in parts), f"{args}, {name}: {parts}")
        for base, size, *_ in regions:
            end = base
            for _, title, begin, part, _ in shapes:
                if base - MIB < begin < base + size:
                    expect(title and abs(begin - end) < MIB, f"{title}: {begin}, after {end}")
                    end = begin + part
            expect(abs(end - base - size) < MIB, f"ends at {end}")
        # The area of columns is the memory that is in use there.
        area = sum(s[3] * s[4] / 22 for s in shapes if s[0][0] == "m")
        small = sum(e[1] for e in extents if e[1] < cell * MIB)
        expect(abs(area - small) < small / 8, f"{args}: {area / MIB} MiB of {small / MIB}")


def says_what_is_there(m):
    """Of the same pools: figures, labels, titles, the table"""
    d = m.document()
    said = d.text.replace("\n", "")
    for text in ("Generation7", "Handoveractive", "Size48 GiB", "In use22.2 GiB 46 %",
                 "Memory errors3 pages, 6 MiB lost", "Node 0dax30: 10 GiB", "Size28 GiB",
                 "Node 1user: 1 GiBlost to memory errors: 6 MiB", "Size20 GiB",
                 "20 GiB at 0x1020000000 3 pages with memory errors",
                 "dax30 10 GiB in 1 extent, pages of 1 GiB", "klog, unclaimed 5",
                 "luo 200 MiB in 100 extents"):
        expect(text in said, text)
    labels = [text.text for text in d.root.iter("text") if " " in text.get("class", "")]
    expect(labels == ["large", "free, 1 GiB", "odd", "next", "free, 1021 MiB", "free, 2.4 GiB",
                      "free, 1.9 GiB", "unused, 5.5 GiB", "far", "unused, 13.5 GiB"],
           labels)
    titles = [shape[:2] for shape in d.drawn()]
    for shape in [
        ("c1", "large\n10 GiB at 0x100000000\nowner dax30\n/dev/dax8.9, pages of 2 MiB"),
        ("u4", "next\n5123 MiB at 0x540000000\nowner klog, which has not claimed it"),
        ("m5", "6 small extents\n12 MiB in use of 32 MiB at 0x6c0000000\nmost of it by luo"),
        ("m3", "without a name\n2 MiB at 0x784000000\nowner user"),
        ("gap", "free, 1030 MiB at 0x380000000"),
        ("gap", "unused, 5632 MiB at 0x1020000000"),
    ]:
        expect(shape in titles, f"no {shape}")
    expect([row[0] for row in d.rows] == ["large", "odd", "next", "100 extents without a name",
                                          "last", "1 extent without a name", "far"], d.rows)
    expect(d.rows[0][1:] == ["10 GiB", "0x100000000", "dax30", "0", "2 MiB", "/dev/dax8.9"] and
           d.rows[2][3] == "klog unclaimed" and d.rows[3][1] == "200 MiB" and
           d.rows[6][4] == "1", d.rows)


def same_in_other_forms(m):
    """Of the same pools, as text and as JSON"""
    text = m.map("--cell", "1G").decode()
    cells = "".join(re.findall(r"^ *0(?:x[0-9a-f]+)?  (.*)$", text, re.M))
    expect([cells.count(c) for c in "DUKukl."] == [10, 6, 5, 2, 1, 1, 24], text)
    regions = json.loads(m.map("--json"))["pools"][0]["regions"]
    expect([len(r["extents"]) for r in regions] == [105, 1], regions)


def hostile_names(m):
    """Names are arbitrary bytes, and nothing but text."""
    names = {
        b"<script>alert(1)</script>": None,
        b"'\"><img src=x onerror=alert(1)>": None,
        b"</title></style></svg>&amp;&#60;": None,
        b"]]>--><!--": None,
        "caf\u00e9-\u6771\U0001f680".encode(): "caf\u00e9-\u6771\U0001f680",
        b"esc\x1b[31m\x07\n\x7f": r"esc\x1b[31m\x07\x0a\x7f",
        b"\xff\xc0\xaf\xe2\x82": r"\xff\xc0\xaf\xe2\x82",
        b"\xed\xa0\x80\xf4\x90\x80\x80": r"\xed\xa0\x80\xf4\x90\x80\x80",
        b"\xef\xbf\xbf\xf3\xa0\x81\x81": r"\xef\xbf\xbf\xf3\xa0\x81\x81",
        b"\xc2\x9b\xe2\x80\xae\xe2\x80\x8b": r"\xc2\x9b\xe2\x80\xae\xe2\x80\x8b",
        b"x" * 55: None,
    }
    state = "<script>state()</script> & \"'"
    m.clear()
    m.files("", handover=f"disabled: {state}")
    m.pool("x'<b>&", [(4 * GIB, 60 * GIB, 0, "ok", 0), (80 * GIB, 4 * GIB, 0, state, 0)],
           [((4 + 2 * i) * GIB, 2 * GIB, name, name[:31], i % 2) for i, name in enumerate(names)],
           state=f"degraded: {state}")
    d = m.document()
    d.alone()
    for (name, shown), row in zip(names.items(), d.rows):
        shown = shown or name.decode()
        expect(row[0] == shown, f"{name}: {row[0]}")
        expect(d.text.count(shown) >= 3, f"{name} in title, picture and table")
    expect(d.text.count(state) == 4, "states")
    expect({e.get("class") for e in d.root.iter("span")} >= {"state wrong", "state warning"},
           "their signs")
    quarantined = [s for s in d.drawn() if s[2] >= 80 * GIB]
    expect(sum(s[3] for s in quarantined) == 4 * GIB and
           all(s[:2] == ("quarantined", f"quarantined: {state}") for s in quarantined), quarantined)
    expect(m.map("--cell", "1G").count(b"!!!!") == 1, "quarantined, as text")


def large_pools(m):
    """A document has a size that people can load, whatever is in the pool."""
    for size, extents, most in [
        (64 * GIB, [], 30),
        (448 * GIB, [(TIB + i * GIB, GIB, b"guest%d" % i, b"dax30", 2) for i in range(448)], 300),
        (160 * GIB, [(TIB + (i * 27 + i % 5) * MIB, 2 * MIB, b"%d" % i, b"user%d" % (i % 20), 4)
                     for i in range(5000)], 500),
        (64 * TIB, [(TIB + i * GIB, GIB, b"%d" % i, b"dax30", 2) for i in range(65536)], 50),
        (64 * TIB, [(TIB + i * GIB, MIB, b"%d" % i if i % 2 else b"", b"user", 4)
                    for i in range(65536)], 700),
    ]:
        m.clear()
        m.pool("default", [(TIB, size, 0, "ok", 0)], extents)
        d = m.document()
        d.alone()
        expect(d.size < most << 10, f"{len(extents)} extents: {d.size >> 10} KiB")
        expect(len(d.rows) <= 1000, f"{len(d.rows)} rows")
        numbers = [int((re.match(r"(\d+) extent", row[0]) or [0, 1])[1]) for row in d.rows]
        expect(sum(numbers) == len(extents), f"{sum(numbers)} of {len(extents)} extents")


def pictures():
    """khopool map, of pools that are made up"""
    if subprocess.run(["unshare", "-rm", "mount", "--bind", SAVED, "/sys/kernel"],
                      stderr=subprocess.DEVNULL, check=False).returncode:
        print("# not here: it takes unshare -rm")
        return
    m = Machine()
    drawn_to_scale(m)
    says_what_is_there(m)
    same_in_other_forms(m)
    hostile_names(m)
    large_pools(m)


def documented():
    """All that --help has is in the manual page, and what can be completed is completed."""
    man = (TOOL / "khopool.8").read_text().replace("\\-", "-")
    completion = (TOOL / "khopool.bash-completion").read_text()
    _, out, _ = run("--help")
    commands = re.findall(r"^  ([a-z-]+)  ", out, re.M)
    expect(len(commands) == 17, commands)
    for command in commands:
        status, out, err = run(command, "--help")
        expect(status == 0 and out.startswith(f"usage: khopool {command}") and not err, command)
        expect(f".SS {command}\n" in man and f".B khopool {command}" in man, f"man: {command}")
        expect(re.search(rf"\b{command}\b", completion), f"completion: {command}")
        line = re.search(rf"^\t{command}\)(.*?);;$", completion, re.M | re.S).group(1)
        usage = out.split("\n\n")[0]
        expect("--json" in usage, f"{command} has no --json")
        for option in re.findall(r"--[a-z-]+", usage):
            expect(option in man, f"man: {command} {option}")
            expect(option in line, f"completion: {command} {option}")
            expect(re.search(rf"^  {option}", out, re.M), f"help: {command} {option}")
        for option in re.findall(r"--[a-z-]+", line):
            expect(option in usage, f"completion of {command} has {option}")


def refused(command, *options):
    """The first option that a command does not take, as here, or None; it does nothing else."""
    status, _, err = run(command, *options, "--no-such-option")
    expect(status == 2, f"{command} {options}: {err}")
    said = re.search(r" has no option (\S+), or not like this", err)
    return said and said.group(1)


def options():
    """Each command takes the options that its usage has, with a value or without, and no others."""
    commands = re.findall(r"^  ([a-z-]+)  ", run("--help")[1], re.M)
    usages = {c: run(c, "--help")[1].split("\n\n")[0] for c in commands}
    every = {option for usage in usages.values() for option in re.findall(r"--[a-z-]+", usage)}
    expect(len(every) > 20, every)
    for command, usage in usages.items():
        # What follows each: nothing, " VALUE", "=VALUE", or "[=VALUE]"
        shapes = dict(re.findall(r"(--[a-z-]+)(\[=|=| [A-Z])?", usage))
        for option in every:
            shape = shapes.get(option)
            if shape is None:
                expect(refused(command, f"{option}=1") == f"{option}=1", f"{command} has {option}")
            elif not shape:
                expect(refused(command, option) == "--no-such-option", f"{command} {option}")
                expect(refused(command, f"{option}=1") == f"{option}=1", f"{command} {option}=")
            else:
                alone = run(command, option)[2] if shape != "[=" else ""
                expect(shape == "[=" or f"{option} needs a value" in alone, f"{command}: {alone}")
                expect(refused(command, f"{option}=1") != f"{option}=1", f"{command} {option}=1")
                expect(shape != "[=" or refused(command, option) == "--no-such-option",
                       f"{command} {option}")


def reasons():
    """Every state and reason that the kernel gives is in the guide, and no other reason is."""
    def source(name, pattern, flags=0):
        found = re.findall(pattern, next((TOP / "mm" / "kho_pool").rglob(name)).read_text(), flags)
        expect(found, f"{name} has no {pattern}")
        return set(found)

    said = (source("root.c", r'return "(.*)"') | source("takeover.c", r'return "(root .*)"') |
            source("early.c", r'quarantine = "(.*)"') |
            source("takeover.c", r'(?:quarantine|no_handover) = "(.*)"') |
            source("handover.c", r'no_handover = "(.*)"') | source("pool.c", r'return "(.*)"'))
    shows = source("sysfs.c", r"^static ssize_t (?:kp_sysfs_state|handover)_show\(.*?^}", re.M | re.S)
    expect(len(shows) == 2, shows)
    # As far as they are the same for all
    states = {state.split(" %")[0] for show in shows
              for state in re.findall(r'"(.*?)\\n"', show)}
    expect(len(states) == 9, states)
    guide = GUIDE.read_text()
    why = guide[guide.index("\nReasons\n---"):guide.index("\nDamaged pools\n---")]
    named = set(re.findall(r"^``(.*?)`` ", why, re.M))
    expect(named == said, f"only in the guide: {named - said}, only in the kernel: {said - named}")
    for state in states:
        expect(f"\n``{state}" in guide, f"the guide has no state {state}")


def files():
    """Every file in sysfs that has an ABI document is in the guide's tables."""
    tables = GUIDE.read_text().split("\nFiles in sysfs\n")[1].split("\nCalls of ")[0]
    documents = [path for path in (TOP / "Documentation" / "ABI" / "testing").iterdir()
                 if path.name.startswith(("sysfs-kernel-mm-kho-pool", "sysfs-bus-faux-kho-pool",
                                          "sysfs-kernel-kexec-handover"))]
    expect(len(documents) == 4, documents)
    for path in documents:
        for file in re.findall(r"^What:.*/([^/\s]+)/?$", path.read_text(), re.M):
            expect(re.search(rf"\b{file}(?!\w)" if file[0] != "<" else file, tables),
                   f"{path.name}: the guide has no {file}")


def note(kind, *numbers, text=b"", magic=b"KHONOTE1"):
    """A note about handover, as include/linux/kho/abi/kho_note.h describes it."""
    desc = magic + struct.pack(f"<{len(numbers)}Q", *numbers) + text.ljust(16, b"\0")
    return struct.pack("<III", 4, len(desc), kind) + b"KHO\0" + desc


def images():
    """What an image says that its kernel can take over, and what follows."""
    kho, pool = note(1, 1, 4096, text=b"kho-v4"), note(2, 0, 1, 0, text=b"kho-pool-v1")
    longer = struct.pack("<III", 4, 48, 1) + kho[12:] + b"\0" * 8
    old = SAVED / "image"
    old.write_bytes(b"\0" * 512 + kho + pool)
    for status, says, image in [
        (0, "yes\n", kho + pool),
        (0, "yes\n", pool + b"KHO\0" * 9 + kho),
        (0, "yes\n", longer + pool),
        (0, "yes: only kexec -s", note(1, 0, 4096, text=b"kho-v4") + pool),
        (1, "no: its kernel has no kho_pool", kho),
        (1, "no: its kernel has no kho_pool", kho + pool[:-4]),
        (1, "no: its kernel has no kho_pool", kho + b"\0" * 2 + pool),
        (1, "reads KHO's tree as kho-v5", note(1, 1, 4096, text=b"kho-v5") + pool),
        (1, "has pages of 64 KiB, not 4", note(1, 1, 65536, text=b"kho-v4") + pool),
        (1, "reads pools as kho-pool-v2", kho + note(2, 0, 1, 0, text=b"kho-pool-v2")),
        (2, "unknown: the image does not say", pool),
        (2, "unknown: the image does not say", kho[:-1]),
        (2, "unknown: the image does not say", note(1, 1, 4096, magic=b"KHONOTE2") + pool),
        (2, "unknown: the image does not say", note(3, 1, 4096, text=b"kho-v4") + pool),
        (2, "unknown: the image does not say", b"\0" * 100),
    ]:
        copy = SAVED / "changed"
        copy.write_bytes(image)
        result, out, err = run("can-take", "--from", old, copy)
        expect(result == status and says in out, f"{image}: {out}{err}")
        result, out, err = run("can-take", "--json", f"--from={old}", copy)
        expect(result == status, f"{image}: {out}{err}")
        expect(valid_json(out)["can_take"] == ["yes", "no", "unknown"][status], out)
    # A kernel that hands over what nobody knows of
    copy.write_bytes(kho + pool)
    old.write_bytes(b"\0" * 512)
    expect(run("can-take", "--from", old, copy)[0] == 2, "from a kernel that says nothing")
    # A feature that all pools of the one have, and the other does not know
    old.write_bytes(kho + note(2, 1, 1, 0, text=b"kho-pool-v1"))
    result, out, _ = run("can-take", "--from", old, copy)
    expect(result == 1 and "does not know the features 0x1 of the pools" in out, out)
    for args in [], ["/nonexistent"], [copy, copy], [SAVED], ["/dev/null"]:
        status, out, err = run("can-take", *args)
        expect(status == 2 and not out and err, f"can-take {args}: {out}{err}")


def completed():
    """What bash completes, with a khopool that knows some names."""
    script = '''. "$1"
        khopool() { [ "$3$4" = --poolvm ] && echo guest || echo vm/guest default/log; }
        COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _khopool
        echo "${COMPREPLY[*]}"'''
    for words, expected in {
        ("khopool", "kex"): "kexec-args",
        ("khopool", "show", ""): "vm/guest default/log",
        ("khopool", "show", "v"): "vm/guest",
        ("khopool", "show", "--pool", "vm", ""): "guest",
        ("khopool", "show", "--pool", "=", "vm", "g"): "guest",
        ("khopool", "show", "vm/guest", ""): "",
        ("khopool", "rm", "vm/guest", "d"): "default/log",
        ("khopool", "create", ""): "",
        ("khopool", "create", "x", "4G", "--s"): "--strict",
        ("khopool", "expose", "vm/guest", "--align", "2"): "2M",
        ("khopool", "map", "--color", "=", "n"): "never",
        ("khopool", "map", "--f"): "--format=html",
        ("khopool", "put", "x", "v1_r"): "v1_root",
        ("khopool", "put", "v1_r"): "",
        ("khopool", "get", "v"): "vm/guest",
        ("khopool", "get", "vm/guest", "v1_r"): "v1_root",
        ("khopool", "dump", "--json", "v1_i"): "v1_index",
    }.items():
        result = subprocess.run(["bash", "-c", script, "bash", TOOL / "khopool.bash-completion",
                                 *words], cwd=GOLDEN, stdout=subprocess.PIPE, check=True)
        expect(result.stdout.decode() == expected + "\n", f"{words}: {result.stdout}")

    # A name out of an image of another kernel runs nothing.
    evil = script.replace("echo vm/guest default/log", "echo '$(echo>&2 run)' vm/guest")
    result = subprocess.run(["bash", "-c", evil, "bash", TOOL / "khopool.bash-completion",
                             "khopool", "show", ""], cwd=GOLDEN, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=True)
    expect((result.stdout, result.stderr) == (b"$(echo>&2 run) vm/guest\n", b""), f"{result}")


def helped():
    for name in "dump", "get", "kexec-args":
        expect(run("help", name) == run(name, "--help"), f"help {name}")
        expect(run("help", name)[0] == 0, f"help {name}")
    expect(run("help") == run("--help"), "help")
    status, out, err = run("--version")
    expect(status == 0 and "format kho-pool-v1, features incompat 0x1," in out and not err, out)
    # --json before the command, too
    expect(run("--json", "dump", "v1_root") == run("dump", "--json", "v1_root"), "--json dump")
    for args, option in (["-xyz"], "-x"), (["--all", "-xy"], "-x"), (["--foo"], "--foo"), \
            (["--all=1"], "--all=1"):
        status, _, err = run("ls", *args)
        expect(status == 2 and f"ls has no option {option}, or not like this\n" in err, err)
    status, _, err = run("help", "dumb")
    expect(status == 2 and 'there is no command "dumb"' in err, err)


def lost_output():
    """What does not arrive is not done."""
    for args in (["--help"], ["help", "dump"], ["dump", "v1_root", "v1_index"],
                 ["dump", "--json", "v1_root", "v1_index"], ["dump", "frames_index"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([KHOPOOL, *args], cwd=GOLDEN, env=ENV, stdout=full,
                                    stderr=subprocess.PIPE, check=False)
        expect(result.returncode == 2 and b"stdout: No space left on device" in result.stderr,
               f"{args}: {result.returncode} {result.stderr}")
    for args, status in (["verify", "v1_root", "v1_index"], 0), (["--help"], 2):
        result = subprocess.run(["sh", "-c", '"$@" >&-', "sh", KHOPOOL, *args], cwd=GOLDEN,
                                env=ENV, stderr=subprocess.PIPE, check=False)
        expect(result.returncode == status, f"{args} >&-: {result}")


def our_sums(tool, file):
    """What sha256_test says of a file, and for how long it was at it"""
    *said, seconds = subprocess.run([tool, file], env=ENV, stdout=subprocess.PIPE,
                                    check=True).stdout.decode().split()
    return said, float(seconds)


def others_time(file, data):
    """CPU time of the faster one of sha256sum, and of Python's SHA-256, which is OpenSSL's"""
    begin = time.process_time()
    hashlib.sha256(data).digest()
    python = time.process_time() - begin
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["sha256sum", file], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return min(python, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def sums():
    """SHA-256 is what it is elsewhere, by the CPU's instructions: C takes four times as long."""
    tool = SAVED / "sha256_test"
    build(tool, HERE / "sha256_test.c", without=["main.o"])
    data = os.urandom(32 << 20)
    file = SAVED / "changed"
    file.write_bytes(data)
    parts = [data[:i] for i in range(301)] + [data]
    expect(our_sums(tool, file)[0] == [hashlib.sha256(part).hexdigest() for part in parts], "sums")
    # By turns, as the machine may have become busy, and not by the clock on the wall
    ours, others = map(min, zip(*[(our_sums(tool, file)[1], others_time(file, data))
                                  for _ in range(7)]))
    print(f"# SHA-256: {ours / others:.2f} times the CPU time of the fastest that is here")
    if re.search(r"\b(sha_ni|avx2|sha2)\b", pathlib.Path("/proc/cpuinfo").read_text()):
        expect(ours < 3 * others, f"{ours:.3f} s, others {others:.3f} s")


TESTS = [golden, many_extents, damaged_roots, damaged_indexes, doubled_names, endless, every_flip,
         fuzzed, calls, kexec_args, edit_json, sums, pictures, documented, options, reasons, files,
         images, completed, helped, lost_output]
print(f"TAP version 14\n1..{len(TESTS)}")
for test in TESTS:
    number += 1
    try:
        test()
        print(f"ok {number} {test.__name__}")
    except (AssertionError, subprocess.CalledProcessError, ValueError) as e:
        failed += 1
        print(f"# {e}\nnot ok {number} {test.__name__}")
sys.exit(1 if failed else 0)
