#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""blackout.py OBJ [--ways NAME,...] [--sizes GIB,...]: how long a guest stands still when its
host is kexec'd, by how its memory gets to the next kernel and by how much it is, in phases.

All times are virtual ones, with one instruction a nanosecond (QEMU's -icount shift=0): those
that the monitor notes by the TSC, which a kexec does not reset, those in the kernels' logs,
and those when the CPU comes by an address, from ACPI's timer, all run by the same clock.

Prints a table; writes build/blackout.json."""

import argparse
import gzip
import json
import lzma
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading

from gdbstub import Stub
from guest import Guest, say

GIB = 1 << 30
# The same for all, for the boot depends on it; with room for two times 16 GiB.
MACHINE = 36
PM_TIMER, PM_HZ, PM_BITS = 0x608, 3579545, 24

# What the pool has is the same for all sizes of the guest, so that the host is, too.
POOL = 17
# The blackout must not grow with the guest but for this much, ms for each GiB: even with pages
# of 1 GiB there are page tables to be made for the struct pages.
MAX_SLOPE = 1.5

# name: the monitor's name, command line, memory that it takes for each byte
WAYS = {
    "pool": ("pool", lambda gib: f"kho_pool={POOL}G", 1),
    "pool-2m": ("pool-2m", lambda gib: f"kho_pool={POOL}G", 1),
    "memfd": ("memfd", lambda gib: "liveupdate=on", 1),
    "memfd-huge": ("memfd", lambda gib: "liveupdate=on shmem=always", 1),
    "reserve_mem": ("reserve_mem", lambda gib: f"reserve_mem={gib * 1024 + 2}M:2M:guest "
                    # By itself twice what is reserved, the guest's memory too.
                    "kho_scratch=256M,256M,256M", 2),
}

# Phases of the blackout: where each one ends.
PHASES = {
    "save": ("saved", "registers of the guest are saved"),
    "copy out": ("put", "its memory is copied"),
    "shutdown": ("starting", "reboot(): devices stop, handover is sealed"),
    "copy image": ("purgatory", "CPUs stop, the new kernel is put in its place"),
    "purgatory": ("image", "its SHA-256 is verified"),
    "decompress": ("kernel", "it is decompressed"),
    "early boot": ("memory", "until the page allocator works"),
    "boot": ("init", "until the first process"),
    "user space": ("enter", "until the monitor runs"),
    "find": ("found", "memory is found and mapped"),
    "copy in": ("got", "and copied back"),
    "restore": ("restored", "registers are restored"),
}


def entry_offset(path):
    """Of a decompressed kernel: the first instruction, from where it is put."""
    with open(path, "rb") as f:
        image = f.read()
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (image[0x1f1] + 1) * 512 + offset
    payload = image[start:start + length]
    # The size that the decompressor looks for at the end is part of what gzip writes only.
    for unpack in (gzip.decompress, lambda p: lzma.decompress(p[:-4])):
        try:
            elf = unpack(payload)
            break
        except (OSError, lzma.LZMAError):
            continue
    else:
        sys.exit("neither gzip nor xz: how is this kernel compressed?")
    entry, phoff = struct.unpack_from("<QQ", elf, 24)
    return entry - struct.unpack_from("<Q", elf, phoff + 24)[0]


class Watched(Guest):
    """A guest that is stopped when the CPU comes by the way into the next kernel."""

    stdin = subprocess.PIPE

    def __init__(self, obj, *args, **kwargs):
        super().__init__(obj, *args, icount=True, smp=1, quiet=True, **kwargs)
        # Without it, memory is cleared and copied a word an instruction, not a byte.
        self.cmd[self.cmd.index("max")] = "max,erms=off"
        self.offset = entry_offset(os.path.join(obj, "guest-kernel"))
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "gdb")
        self.cmd += ["-gdb", f"unix:{self.path},server=on,wait=off"]
        self.ticks, self.places, self.ready = {}, None, threading.Event()

    def _line(self, line):
        super()._line(line)
        if line.startswith("@json ") and "purgatory" in self.records[-1]:
            place = {k: int(v, 0) for k, v in self.records.pop().items()}
            self.places = {place["purgatory"]: "purgatory",
                           place["image"] + 0x200: "image",
                           place["image"] + self.offset: "kernel"}
            self.ready.set()

    def watch(self):
        stub = Stub(self.path)
        try:
            stub.go()
            self.ready.wait()
            if self.places:
                self.note(stub)
        except (OSError, AssertionError, ValueError) as err:
            # A guest that has ended has said why.
            if not self.ended:
                self.failures.append(f"GDB's stub: {err!r}")
                stub.kill()

    def note(self, stub):
        stub.stop()
        for address in self.places:
            stub.break_at(address)
        stub.go()
        # It waits for this.
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        while self.places and stub.packet():
            pc = int.from_bytes(bytes.fromhex(stub.ask("g"))[16 * 8:17 * 8], "little")
            if pc not in self.places:
                raise ValueError(f"stopped at {pc:#x}")
            said = stub.monitor(f"i /w {PM_TIMER:#x}")
            self.ticks[self.places.pop(pc)] = int(said.split("=")[1], 0) % (1 << PM_BITS)
            stub.break_at(pc, on=False)
            stub.go()

    def run(self):
        watcher = threading.Thread(target=self.watch)
        watcher.start()
        try:
            return super().run()
        finally:
            self.ready.set()
            watcher.join()
            self.folder.cleanup()


def log_times(lines):
    """Of the last kernel's log and of the one before: what happened when, by the TSC."""
    times, clock, when = [{}, {}], [0, 0], 0
    for line in lines:
        m = re.match(r"\[ *(\d+\.\d+)\] (.*)", line)
        if not m:
            continue
        at, text = float(m.group(1)) * 1e9, m.group(2)
        if text.startswith("Linux version"):
            when += 1
        old = min(when, 2) - 1
        mark = re.match(r"kho_pool_blackout: clock (\d+)", text)
        if mark:
            clock[old] = int(mark.group(1)) - at
        for name, said in {"starting": "kexec_core: Starting new kernel", "memory": "Memory: ",
                           "unpack": "Unpacking initramfs", "init": "Run /init"}.items():
            if text.startswith(said):
                times[old][name] = at
        if "deferred pages initialised" in text:
            times[old]["deferred"] = at
    return {name: at + clock[i] for i in (0, 1) for name, at in times[i].items()
            if clock[i] and (name == "starting") == (i == 0)}


def phases(guest):
    """When each phase has ended, in order, by the TSC."""
    record = guest.records[0]
    ends = {**record["stamps"], **log_times(guest.lines)}
    wrap = (1 << PM_BITS) / PM_HZ * 1e9
    last = ends["starting"]
    for name in "purgatory", "image", "kernel":
        # The timer has turned over how many times?  Each of these takes less than that.
        last += (guest.ticks[name] / PM_HZ * 1e9 - last) % wrap
        ends[name] = last
    return ends


def measure(obj, way, gib):
    name, append, _ = WAYS[way]
    guest = Watched(obj, "blackout", mem=f"{MACHINE}G", silence=3600,
                    log=f"blackout-{way}-{gib}",
                    append=f"nokaslr loglevel=6 way={name} mib={gib * 1024} {append(gib)}")
    if not guest.run() or len(guest.records) != 1:
        return None
    record, ends = guest.records[0], phases(guest)
    result = {"way": way, "gib": gib, "ns": {}, "total_ns": ends["restored"] - ends["paused"],
              "before_ns": ends["prepared"] - ends["prepare"]}
    last = ends["paused"]
    for phase, (end, _) in PHASES.items():
        result["ns"][phase] = ends[end] - last
        last = ends[end]
    # What the rest of the round took beyond its share of a round that has seen all pages.
    share = 1 - record["paused_at"] / record["words"]
    result["warm_up_ns"] = record["rest_of_round"] - share * record["round"]
    result["round_ns"] = record["round"]
    for key in "faults", "pages_4k", "pages_2m", "pages_1g", "paused_at", "words", "count":
        result[key] = record[key]
    return result


def available():
    """Swap as well: virtual time does not know how long that takes."""
    with open("/proc/meminfo") as f:
        info = f.read()
    return sum(int(re.search(rf"{name}: *(\d+)", info).group(1)) << 10
               for name in ("MemAvailable", "SwapFree"))


def slope(results, way):
    """How many ms more for each GiB of the guest, from the smallest to the largest.  How long
    it takes to copy the image is up to where its pages are."""
    sizes = sorted((r["gib"], r["total_ns"] - r["ns"]["copy image"])
                   for r in results if r["way"] == way)
    (small, few), (large, many) = sizes[0], sizes[-1]
    return (many - few) / 1e6 / (large - small) if large > small else None


def table(results):
    head = ["ms"] + [f"{r['way']} {r['gib']} GiB" for r in results]
    rows = [[phase] + [f"{r['ns'][phase] / 1e6:.1f}" for r in results] for phase in PHASES]
    for name, key in {"blackout": "total_ns", "prepared before": "before_ns",
                      "warming up after": "warm_up_ns"}.items():
        rows.append([name] + [f"{r[key] / 1e6:.1f}" for r in results])
    rows.append(["faults then"] + [str(r["faults"]) for r in results])
    width = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    rule = "  ".join("=" * w for w in width)

    def line(row):
        return "  ".join(cell.ljust(w) if not i else cell.rjust(w)
                         for i, (cell, w) in enumerate(zip(row, width)))
    return "\n".join([rule, line(head), rule, *map(line, rows), rule])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("obj")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--sizes", default="1,4,16")
    args = parser.parse_args()
    results, left_out, failures = [], [], []
    for way in args.ways.split(","):
        for gib in map(int, args.sizes.split(",")):
            # The machine cannot touch more than it has.
            room = min(available() / GIB, MACHINE)
            while (need := gib * WAYS[way][2] + 2) > room and gib > 1:
                left_out.append(f"{way}, {gib} GiB: needs {need} GiB, there are {room:.1f}")
                say(left_out[-1])
                gib //= 2
            if any(r["way"] == way and r["gib"] == gib for r in results):
                continue
            say(f"{way}, {gib} GiB")
            result = measure(args.obj, way, gib)
            if not result:
                failures.append(f"{way}, {gib} GiB: the guest failed")
                continue
            if min(result["ns"].values()) < 0:
                failures.append(f"{way}, {gib} GiB: a phase ends before it begins")
            results.append(result)
            say(f"{way}, {gib} GiB: {result['total_ns'] / 1e6:.1f} ms")
    slopes = {way: slope(results, way) for way in dict.fromkeys(r["way"] for r in results)}
    if (slopes.get("pool") or 0) > MAX_SLOPE:
        failures.append(f"the pool's blackout grows with memory: {slopes['pool']:.2f} ms a GiB")
    os.makedirs("build", exist_ok=True)
    with open("build/blackout.json", "w") as f:
        json.dump({"machine_gib": MACHINE, "phases": {k: v[1] for k, v in PHASES.items()},
                   "results": results, "ms_per_gib": slopes, "left_out": left_out,
                   "failures": failures}, f, indent=1)
        f.write("\n")
    if results:
        print(table(results))
    for way, value in slopes.items():
        if value is not None:
            print(f"{way}: {value:.2f} ms more for each GiB of the guest (without copy image)")
    for text in left_out:
        print(f"left out: {text}")
    for text in failures:
        print(f"FAILED {text}")
    print("report: build/blackout.json")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
