# SPDX-License-Identifier: GPL-2.0-only
"""Boot a test guest in QEMU (TCG) and read what it says on its console."""

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
    With tools it has stress-ng and udev."""

    def __init__(self, obj, mode, *, mem="8G", smp=2, append="", arch="x86_64", icount=False,
                 timeout=600, log=None, alt=(), numa=None, quiet=False, bios=None, el2=False,
                 cpu="max", tools=False):
        self.records, self.verified, self.lines, self.failures = [], [], [], []
        self.ended = False
        self.mode, self.timeout, self.quiet = mode, timeout, quiet
        self.log = os.path.join("build", "log", machine(obj, arch), f"{log or mode}.log")
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        console = {"x86_64": "ttyS0", "arm64": "ttyAMA0"}[arch]
        line = f"console={console} kho=on panic=-1 kho_test={mode} {append}"
        if arch == "x86_64":
            # On a busy machine it finds that its timer does not work; and the watchdog of
            # the TSC, whose timeout is by a clock that may be standing still, deadlocks
            # with the stop_machine() that changes the clock source.
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
        if bios:
            self.cmd += ["-bios", bios]
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
        deadline = time.monotonic() + self.timeout
        with open(self.log, "w") as log:
            log.write(shlex.join(self.cmd) + "\n")
            process = subprocess.Popen(self.cmd, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            sel = selectors.DefaultSelector()
            sel.register(process.stdout, selectors.EVENT_READ)
            rest = b""
            while True:
                if not sel.select(max(0, deadline - time.monotonic())):
                    self.failures.append(f"no end after {self.timeout} s")
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

    def says(self, text):
        return any(text in line for line in self.lines)
