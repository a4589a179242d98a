#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A fuzzer's corpus as one file, a line an input in hex.

usage: corpus.py unpack FILE FOLDER | pack FOLDER FILE
"""
import hashlib
import pathlib
import sys


def unpack(file, folder):
    for line in file.read_text().split("\n"):
        data = bytes.fromhex(line)
        if data:
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(folder, file):
    inputs = sorted({path.read_bytes() for path in folder.iterdir()}, key=lambda b: (len(b), b))
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(data.hex() + "\n" for data in inputs if data))
    print(f"{file}: {len(inputs)} inputs, {file.stat().st_size} bytes")


if __name__ == "__main__":
    command, source, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    {"unpack": unpack, "pack": pack}[command](source, target)
