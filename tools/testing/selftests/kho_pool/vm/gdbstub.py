# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's GDB stub: stop at addresses, and ask QEMU's monitor something meanwhile."""

import re
import socket
import time


class Stub:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        for _ in range(6000):
            try:
                self.sock.connect(path)
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise ConnectionError(path)
        self.data = b""
        # The machine stops when a client connects, and reports it.
        self.packet()

    def fileno(self):
        return self.sock.fileno()

    def send(self, text):
        data = text.encode()
        self.sock.sendall(b"$%s#%02x" % (data, sum(data) & 255))

    def packet(self):
        """The next packet."""
        while True:
            m = re.search(rb"\$([^#]*)#..", self.data)
            if m:
                self.data = self.data[m.end():]
                self.sock.sendall(b"+")
                return m.group(1).decode()
            got = self.sock.recv(4096)
            if not got:
                return None
            self.data += got

    def ask(self, text):
        self.send(text)
        return self.packet()

    def monitor(self, command):
        """What the monitor has to say."""
        self.send("qRcmd," + command.encode().hex())
        said = ""
        while True:
            packet = self.packet()
            if packet is None or not packet.startswith("O") or packet == "OK":
                return said
            said += bytes.fromhex(packet[1:]).decode()

    def stop(self):
        self.sock.sendall(b"\x03")
        return self.packet()

    def go(self):
        self.send("c")

    def kill(self):
        try:
            self.send("k")
        except OSError:
            pass

    def break_at(self, address, on=True):
        assert self.ask(f"{'Z' if on else 'z'}1,{address:x},1") == "OK"
