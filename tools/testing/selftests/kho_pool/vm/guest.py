#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""guest.py OBJ [MODE]: boot a test guest in QEMU (TCG) on this terminal.  MODE is one of
guest/*.sh, a shell by default; APPEND= MEM= SMP= ICOUNT=1 ARCH= change the machine.

Other programs use Guest() to boot one and to read what it says on its console."""

import json
import os
import re
import selectors
import shlex
import subprocess
import sys
import time

START = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - START:4.0f}s] {text}", file=sys.stderr, flush=True)


# Seconds without a word from a guest that has not ended: it hangs.  How fast the machine is
# does not matter, as long as it is not a hundred times slower than others.
SILENCE = 600
# A guest that says the same for ever hangs as well.
LIMIT = 7200
# Firmware, where Debian's packages ovmf and qemu-efi-aarch64 have it
UEFI = {"x86_64": "/usr/share/ovmf/OVMF.fd", "arm64": "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"}


def machine(obj, arch):
    """What to call what runs a kernel: its architecture, and its page size if not 4 KiB."""
    with open(os.path.join(obj, ".config")) as f:
        shift = int(re.search(r"^CONFIG_PAGE_SHIFT=(\d+)$", f.read(), re.M).group(1))
    return arch if shift == 12 else f"{arch}-{1 << shift >> 10}K"


# Where the kernel has begun to speak before the end of a guest's line
IN_BETWEEN = re.compile(r"(?<=.)(?=\[ *\d+\.\d{6}\] )")


class Guest:
    """One run of a guest, over as many kernels as it likes to kexec.

    Its console goes to build/log/MACHINE/LOG.log, LOG being the mode if not said.
    With tools it has stress-ng and udev.  Nothing depends on how long it takes, but it
    must not be silent for longer than that many seconds."""

    stdin = subprocess.DEVNULL

    def __init__(self, obj, mode, *, mem="8G", smp=2, append="", arch="x86_64", icount=False,
                 silence=SILENCE, limit=LIMIT, log=None, alt=(), numa=None, quiet=False,
                 uefi=False, el2=False, cpu="max", tools=False):
        self._listen(machine(obj, arch), log or mode, quiet, silence, limit)
        console = {"x86_64": "ttyS0", "arm64": "ttyAMA0"}[arch]
        line = f"console={console} kho=on panic=-1 kho_test={mode} {append}"
        # On a busy machine a CPU may not run for so long that RCU considers it hung.
        line += " rcupdate.rcu_cpu_stall_suppress=1"
        if arch == "x86_64":
            # Nor does its timer seem to work there; and the watchdog of the TSC, whose
            # timeout is by a clock that may be standing still, deadlocks with the
            # stop_machine() that changes the clock source.
            line += " no_timer_check tsc=reliable"
        self.cmd = {
            "x86_64": ["qemu-system-x86_64", "-M", "q35", "-cpu", cpu],
            "arm64": ["qemu-system-aarch64", "-M", "virt,gic-version=3",
                      "-cpu", f"{cpu},pauth-impdef=on"],
        }[arch]
        # The kernel runs where a hypervisor does.  (AMD's extensions are in "max".)
        if el2:
            self.cmd += ["-machine", "virtualization=on"]
        self.cmd += ["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
                     "-smp", str(smp), "-m", mem]
        if icount:
            self.cmd += ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
        else:
            self.cmd += ["-accel", "tcg,thread=multi"]
        self.cmd += numa or ["-object", f"memory-backend-ram,id=ram,size={mem},reserve=off",
                             "-machine", "memory-backend=ram"]
        if uefi:
            self.cmd += ["-bios", UEFI[arch]]
        kernel = os.path.join(obj, "guest-kernel")
        initrd = os.path.join(obj, "initrd-tools.gz" if tools else "initrd.gz")
        self.cmd += ["-kernel", kernel, "-initrd", initrd, "-append", line]
        # A guest cannot kexec the kernel that QEMU loaded for it: disks carry it.
        for i, path in enumerate([kernel, initrd, *alt]):
            self.cmd += ["-drive", f"file={os.path.realpath(path)},format=raw,if=none,"
                         f"readonly=on,id=disk{i}",
                         "-device", f"virtio-blk-pci,drive=disk{i}"]
        # A second serial port, to which a kernel with counters writes them.
        if os.environ.get("COVERAGE"):
            self.cmd += ["-serial", "file:" + os.path.join(os.environ["COVERAGE"],
                                                           os.path.basename(self.log))]

    def _listen(self, where, log, quiet, silence, limit):
        """What run() needs besides the command"""
        self.records, self.verified, self.lines, self.failures = [], [], [], []
        self.ended = False
        self.quiet, self.silence, self.limit = quiet, silence, limit
        self.log = os.path.join("build", "log", where, f"{log}.log")
        os.makedirs(os.path.dirname(self.log), exist_ok=True)

    def _line(self, line):
        self.lines.append(line)
        if line.startswith("@json "):
            self.records.append(json.loads(line[6:]))
        elif line.startswith("@verified "):
            self.verified.append(json.loads(line[10:]))
        elif line.startswith("@say "):
            if not self.quiet:
                say(line[5:])
        elif line.startswith("@fail "):
            self.failures.append(line[6:])
        elif line.startswith("@end "):
            self.ended = True
            if line.split()[-1] != "0":
                self.failures.append(line[1:])

    def run(self):
        """Returns True if the guest came to its end and saw no failure."""
        limit = time.monotonic() + self.limit
        with open(self.log, "w", errors="surrogateescape") as log:
            log.write(shlex.join(self.cmd) + "\n")
            self.process = process = subprocess.Popen(
                self.cmd, stdin=self.stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            sel = selectors.DefaultSelector()
            sel.register(process.stdout, selectors.EVENT_READ)
            rest = b""
            while True:
                heard = sel.select(self.silence)
                if not heard or time.monotonic() > limit:
                    self.failures.append(f"no end after {self.limit} s" if heard else
                                         f"not a word for {self.silence} s")
                    process.kill()
                    break
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                for raw in lines:
                    for line in IN_BETWEEN.split(raw.decode(errors="replace").rstrip("\r")):
                        log.write(line + "\n")
                        log.flush()
                        self._line(line)
            process.wait()
        if not self.ended and not self.failures:
            self.failures.append("the guest stopped in the middle")
        for failure in self.failures:
            say(f"FAILED: {failure} (see {self.log})")
        return self.ended and not self.failures

    def complaints(self, crash=False, no_memory=False):
        """What kernels have complained of.

        Messages about the clock are left out, because it is not reliable on a busy machine,
        and so are those of a kernel that has to crash, and with no_memory, where a kernel
        has tried to allocate memory in vain."""
        words = re.compile(r"BUG:|WARNING:|UBSAN:|Oops|Call [Tt]race|lockdep(?! checking)")
        lines, clock, crashes, vain = [], False, False, False
        for line in self.lines:
            clock |= "WARNING: kernel/time/" in line
            if crash:
                crashes |= "Kernel panic - not syncing: sysrq triggered crash" in line
                crashes &= "Linux version" not in line
            vain |= no_memory and "alloc failure: order:" in line
            if not clock and not crashes and not vain and words.search(line):
                lines.append(line)
            vain &= "Mem-Info:" not in line
            clock &= "---[ end trace" not in line
        return lines


def main():
    obj, mode = [*sys.argv[1:], "shell"][:2]
    guest = Guest(obj, mode, mem=os.environ.get("MEM", "10G"), smp=os.environ.get("SMP", "2"),
                  arch=os.environ.get("ARCH", "x86_64"), icount=os.environ.get("ICOUNT") == "1",
                  tools=mode in ("shell", "soak"),
                  append=os.environ.get("APPEND", "kho_pool=5G generations=4 seconds=10"))
    where, how = ("/dev/tty", os.O_RDWR) if mode == "shell" else (os.devnull, os.O_RDONLY)
    os.dup2(os.open(where, how), 0)
    os.execvp(guest.cmd[0], guest.cmd)


if __name__ == "__main__":
    main()
