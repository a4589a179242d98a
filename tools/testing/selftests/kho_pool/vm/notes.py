#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""notes.py OBJ: what a kernel says of itself is in vmlinux and in the image that is booted,
where include/linux/kho/abi/kho_note.h says."""

import os
import struct
import sys

MAGIC = b"KHONOTE1"


def word(data, at):
    return struct.unpack_from("<I", data, at)[0]


def notes_of(data):
    """The notes of the owner KHO, by type, in a chain of ELF notes."""
    found, at = {}, 0
    while at + 12 <= len(data):
        namesz, descsz, kind = struct.unpack_from("<III", data, at)
        name = at + 12
        desc = name + (namesz + 3 & ~3)
        if data[name:name + namesz] == b"KHO\0":
            found[kind] = data[desc:desc + descsz]
        at = desc + (descsz + 3 & ~3)
    return found


def in_vmlinux(data):
    """Its segment of notes"""
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, at, _, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
        if kind == 4:
            return data[at:at + length]
    return b""


def in_bzimage(data):
    """The chunk NOTE of its kernel_info, and where that is"""
    info = (data[0x1f1] + 1) * 512 + word(data, 0x268)
    if data[info:info + 4] != b"LToP":
        return b"", 0
    at, end = info + word(data, info + 4), info + word(data, info + 8)
    at = at + 3 & ~3
    while at + 8 <= end:
        size = word(data, at + 4)
        if data[at:at + 4] == b"NOTE":
            return data[at + 8:at + size], at + 8
        at += max(size, 8)
    return b"", 0


def in_image(data):
    """A note of KHO's, found by its magic, and those behind it.  Code that looks for notes
    has the two texts next to each other, too."""
    at = 12
    while (at := data.find(b"KHO\0" + MAGIC, at)) >= 0:
        if word(data, at - 12) == 4:
            return data[at - 12:at + 4096], at - 12
        at += 4
    return b"", 0


def main():
    obj = sys.argv[1]
    with open(os.path.join(obj, "vmlinux"), "rb") as f:
        vmlinux = notes_of(in_vmlinux(f.read()))
    with open(os.path.join(obj, "guest-kernel"), "rb") as f:
        data = f.read()
    bzimage = data[0x202:0x206] == b"HdrS"
    chain, at = (in_bzimage if bzimage else in_image)(data)
    booted = notes_of(chain)
    for what, ok in {
        "vmlinux has a note of KHO": vmlinux.get(1, b"").startswith(MAGIC),
        "and one of kho_pool": vmlinux.get(2, b"").startswith(MAGIC),
        "the image that is booted has the same": all(booted.get(kind) == desc
                                                     for kind, desc in vmlinux.items()),
        "at a multiple of four bytes": at and at % 4 == 0,
    }.items():
        print(f"{'ok    ' if ok else 'FAILED'} {what}")
        if not ok:
            sys.exit(1)


if __name__ == "__main__":
    main()
