# SPDX-License-Identifier: GPL-2.0-only
"""The tests over several kernels, as the files in guest/tests/ describe them.

A line "#: NAME WORD... [-- COMMAND LINE]" names a test, says what machine it needs, and gives
the kernel's command line.  ../README lists the words."""

import glob
import os
import re

import machines
import records

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guest", "tests")
# Small enough for one region, wherever KASLR puts the kernel
COMMAND_LINE = "kho_pool=512M"

SIZE = r"[1-9]\d*[MG]"
NODE = r"\d+[MG]"
# Keys, and what their values look like
KEYS = {
    "stages": r"[a-z][a-z0-9_]*",
    "arch": r"x86_64|arm64",
    "mem": SIZE,
    "smp": r"[1-9]\d*",
    "nodes": rf"{NODE}(,{NODE})*",
    "dist": r"\d-\d:\d+(,\d-\d:\d+)*",
    "machine": r"[a-z0-9_]+",
    "cpu": r"[a-z0-9_,=+-]+",
    "records": r"[a-z_]+",
    "silence": r"[1-9]\d*",
    "needs": r"[A-Z0-9_]+",
}
FLAGS = {"icount", "el2", "tools", "uefi", "crash", "page_sizes", "both", "long"}
# Kernels that may be needed beside the first, and a disk: there is room for one of them.
KERNELS = {"plain", "other", "ahead", "strict"}
OTHERS = KERNELS | {"disk"}
# The first one in another form, in that place
FORMS = {"signed", "elf"}


class Wrong(Exception):
    """A line that cannot be used."""


def lines(path):
    """Line number and text of each test, continuation lines included."""
    found = []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            if not line.startswith("#:"):
                continue
            if re.match(r"#: \S", line):
                found.append([number, line[2:].strip()])
            elif re.match(r"#:(\t|  )\s*\S", line) and found:
                found[-1][1] += " " + line[2:].strip()
            else:
                raise Wrong(f'{path}:{number}: neither "#: NAME ..." nor the rest of one')
    return found


def parse(text):
    """One test's name and what it needs."""
    words, dashes, command_line = f"{text} ".partition(" -- ")
    name, *words = words.split()
    command_line = re.sub(r"\\x([0-9a-f]{2})",
                          lambda m: os.fsdecode(bytes.fromhex(m.group(1))), command_line)
    test = {"command_line": command_line.strip() if dashes else COMMAND_LINE, "stages": name}
    if not re.fullmatch(KEYS["stages"], name):
        raise Wrong(f'"{name}" is no name for a test')
    for i, word in enumerate(words):
        key, equals, value = word.partition("=")
        if not equals and key in FLAGS | OTHERS | FORMS:
            value = True
        elif key not in KEYS:
            raise Wrong(f'{name}: unknown word "{word}"; there are '
                        + ", ".join(sorted(FLAGS | OTHERS | FORMS) + [f"{k}=" for k in KEYS]))
        elif not re.fullmatch(KEYS[key], value):
            raise Wrong(f'{name}: "{word}" is not of the form {key}={KEYS[key]}')
        if key == "stages" and i:
            raise Wrong(f'{name}: "{word}" has to come right after the name')
        if key in test and key != "stages":
            raise Wrong(f"{name}: {key} is there twice")
        test[key] = value
    if len((OTHERS | FORMS) & set(test)) > 1:
        raise Wrong(f"{name}: only one of {', '.join(sorted((OTHERS | FORMS) & set(test)))} is "
                    "possible")
    if len({"mem", "nodes", "machine"} & set(test)) > 1 or {"smp", "nodes"} <= set(test):
        raise Wrong(f"{name}: nodes= and machine= have their own mem= and smp=")
    if "dist" in test and "nodes" not in test:
        raise Wrong(f"{name}: dist= goes with nodes=")
    for key, table in ("machine", machines.MACHINES), ("records", records.CHECKS):
        if key in test and test[key] not in table:
            raise Wrong(f"{name}: {key}={test[key]} is none of {', '.join(table)}")
    return name, test


def read(folder=TESTS):
    """All tests by name, in the order of the files and of the lines in them."""
    tests, at = {}, {}
    for path in sorted(glob.glob(os.path.join(folder, "*.sh"))):
        where = os.path.relpath(path)
        with open(path) as f:
            stages = set(re.findall(r"^(\w+)\(\)", f.read(), re.M))
        for number, text in lines(path):
            try:
                name, test = parse(text)
                if name in tests:
                    raise Wrong(f"{name} is in {at[name]} already")
                if f"{test['stages']}_0" not in stages:
                    raise Wrong(f"{name} has no first stage, {test['stages']}_0()")
            except Wrong as wrong:
                raise Wrong(f"{where}:{number}: {wrong}") from None
            tests[name], at[name] = test, f"{where}:{number}"
    return tests


def in_brief(test, arch):
    """Is it among those that are run after each change?"""
    return "long" not in test and (arch == "x86_64" or test.get("arch") == arch or
                                   bool({"both", "page_sizes"} & set(test)))


def times(size, factor):
    """That many times a size like 3G."""
    return f"{int(size[:-1]) * factor}{size[-1]}"


def guest(test, factor=1):
    """Arguments of Guest() for the test's machine, with that many times the memory."""
    machine = {"mem": times(test.get("mem", "3G"), factor)}
    if "nodes" in test:
        sizes = [times(size, factor) for size in test["nodes"].split(",")]
        machine = machines.nodes(*sizes, dist=test.get("dist", ""))
    elif "machine" in test:
        machine = machines.MACHINES[test["machine"]]()
    for key in "smp", "cpu", "icount", "el2", "tools", "uefi":
        if key in test:
            machine[key] = test[key]
    if "silence" in test:
        machine["silence"] = int(test["silence"])
    return machine
