#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""host.py FOLDER TEST: tests of a Debian under systemd, with the project's packages.

  demo         it is updated twice while two guests with a disk and a network run on it
  failures     guests that cannot be saved, or not be resumed
  packages     these are upgraded, removed and purged beside a guest that runs
  libvirt      a guest of libvirt over a kexec, with the guide's own lines
  fd-store     a file in systemd's file descriptor store is there after a kexec
  way-back     its next kernel quarantines the pools; the guide says what to do
  first-steps  one without the packages; its user does what the page for beginners says

FOLDER is what scripts/host-disk prints.  Prints what was seen, one line for each thing that
must hold, and writes build/host-TEST.json."""

import argparse
import json
import os
import subprocess
import sys

from demo_vm import TSC, TimedGuest
from guest import LIMIT, UEFI, say

GUESTS = "vm1", "vm2"
KEXECS = 2
ATTEMPTS = 3
# In a Debian, whose folder is the first argument
CHROOT = ["unshare", "--mount", "sh", "-ec",
          'mount --rbind /dev "$0/dev"; mount --bind . "$0/mnt"\n'
          'exec chroot "$0" sh -c \'cd /mnt; exec "$@"\' sh "$@"']


class Host(TimedGuest):
    """A machine with UEFI that boots from a disk, of which it gets a copy.

    It has one CPU: KVM changes its own code when guests come and go, and of several emulated
    CPUs one may still execute the breakpoint that was there for the moment."""

    def __init__(self, folder, disk, test, *, mem="4G"):
        # pylint: disable=super-init-not-called
        # A guest of an emulated guest is slow, and its boot says nothing.
        self._listen("host", test, quiet=False, silence=1800, limit=LIMIT)
        self.disk = os.path.relpath(os.path.join(folder, f"{test}.disk"))
        subprocess.run(["cp", "--sparse=always", os.path.join(folder, disk), self.disk],
                       check=True)
        self.cmd = [
            *CHROOT, os.path.join(folder, "debian"),
            "qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-accel", "tcg,thread=single",
            "-nodefaults", "-display", "none", "-serial", "stdio", "-bios", UEFI["x86_64"],
            "-smp", "1", "-m", mem, "-smbios", f"type=1,serial={test}",
            "-drive", f"file={self.disk},format=raw,if=virtio,cache=unsafe"]

    def run(self):
        try:
            return super().run()
        finally:
            os.unlink(self.disk)


def run(folder, disk, test):
    """A host that has run, and whether it came to its end.

    Emulated SVM may report an exit as one in the middle of an interrupt, which KVM cannot go
    on from: then once more."""
    for _ in range(ATTEMPTS):
        host = Host(folder, disk, test)
        if host.run():
            return host, True
        if not any("KVM internal error" in line for line in host.lines):
            break
        say(f"{test}: the emulated CPU has failed a guest (KVM internal error)")
    return host, False


def table(asked):
    rows = [["", "host kernel", "host's boot", "guest", "its boot", "its uptime", "disk", "network",
             "memory"]]
    for r in asked:
        guest = r["guest"]
        when = f"before kexec {r['generation'] + 1}" if r["event"] == "leaving" else \
            f"after kexec {r['generation']}"
        if r["event"] == "leaving" and r["generation"] == KEXECS:
            when = "later"
        rows.append([when, r["host"]["kernel"], r["host"]["boot_id"][:8], guest["name"],
                     guest["boot_id"][:8], f"{guest['uptime']:.1f} s", str(guest["disk"]),
                     str(guest["net"]), "same" if guest["same"] else "CHANGED"])
    width = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, width)).rstrip())


def checks(records):
    """Pairs of what must hold and whether it does"""
    asked = [r for r in records if "guest" in r]
    yield f"two guests have answered in {KEXECS + 1} kernels", \
        [(r["generation"], r["event"], r["guest"]["name"]) for r in asked] == \
        [(i, event, name) for i in range(KEXECS + 1) for event in ("arrived", "leaving")
         for name in GUESTS if (i, event) != (0, "arrived")]
    yield "the host has booted each time", \
        len({r["host"]["boot_id"] for r in asked}) == KEXECS + 1
    for name in GUESTS:
        guests = [r["guest"] for r in asked if r["guest"]["name"] == name]
        pairs = list(zip(guests, guests[1:]))
        yield f"{name} has not booted", len({g["boot_id"] for g in guests}) == 1
        for key, what in (("uptime", "its uptime goes on"), ("disk", "it writes to its disk"),
                          ("net", "its connection to the other guest lives")):
            yield f"{name}: {what}", pairs and all(a[key] < b[key] for a, b in pairs)
        yield f"{name}: no number was lost on the network", \
            guests and all(g["gaps"] == 0 for g in guests)
        yield f"{name}: its memory has the same bytes", guests and all(g["same"] for g in guests)
    yield "of the guests nothing but their memory is left", \
        [r["extents"] for r in records if r["event"] == "done"] == [len(GUESTS)]


def demo(folder):
    """Two guests, over two kexecs"""
    say(f"booting a Debian host: two guests, {KEXECS} kexecs")
    host, ended = run(folder, "installed", "demo")
    yield "the host came to its end", ended
    yield from checks(host.records)
    print()
    table([r for r in host.records if "guest" in r])
    print("\nTimes are those of an emulated CPU.\n")
    yield "no kernel has complained", not complaints(host)
    yield "events", host.records


# Tests that say themselves what holds: their disks, and what happens
STEPS = {
    "first-steps": ("fresh", "its user does what the page for beginners says"),
    "failures": ("installed", "what can go wrong with an update"),
    "packages": ("installed", "its packages are upgraded, removed and purged"),
    "libvirt": ("installed", "a guest of libvirt, as the guide says"),
    "fd-store": ("luo", "systemd keeps a file of an extent over a kexec"),
    "way-back": ("installed", "its next kernel sees less memory"),
}


def steps(folder, test):
    """One of STEPS"""
    disk, what = STEPS[test]
    say(f"booting a Debian host: {what}")
    host, ended = run(folder, disk, test)
    yield "it came to its end", ended
    for record in host.records:
        yield record["check"], True
    yield "no kernel has complained", not complaints(host)


def complaints(host):
    """A kernel says so as well if it finds its CPU too slow."""
    return [line for line in host.complaints() if "soft lockup" not in line]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("test", choices=("demo", *STEPS))
    args = parser.parse_args()

    report = {"checks": []}
    for what, holds in demo(args.folder) if args.test == "demo" else steps(args.folder, args.test):
        if what == "events":
            report["events"] = holds
        else:
            report["checks"].append({"what": what, "ok": bool(holds)})
    for check in report["checks"]:
        print(f"{'ok' if check['ok'] else 'FAILED':6} {args.test}: {check['what']}")
    report["ok"] = all(check["ok"] for check in report["checks"])
    path = f"build/host-{args.test}.json"
    with open(path, "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
        f.write("\n")
    print(f"report: {path}")
    sys.exit(not report["ok"])


if __name__ == "__main__":
    main()
