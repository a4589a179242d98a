# SPDX-License-Identifier: GPL-2.0-only
"""Machines that need more than a memory size: arguments for Guest()."""

import os
import re
import struct


def nodes(*sizes, dist=""):
    """A machine of that many nodes, with a CPU on each of the first two; dist= says how far
    they are from each other, "0-1:40,0-2:20"."""
    args = []
    for i, size in enumerate(sizes):
        cpu = f",cpus={i}" if i < 2 else ""
        if not int(size[:-1]):
            args += ["-numa", f"node{cpu}"]
            continue
        args += ["-object", f"memory-backend-ram,id=m{i},size={size},reserve=off",
                 "-numa", f"node,memdev=m{i}{cpu}"]
    for src, dst, value in re.findall(r"(\d)-(\d):(\d+)", dist):
        args += ["-numa", f"dist,src={src},dst={dst},val={value}"]
    mem = sum(int(size[:-1]) << {"M": 0, "G": 10}[size[-1]] for size in sizes)
    return {"mem": f"{mem}M", "smp": "2,sockets=2", "numa": args}


def removable_node():
    """A machine whose firmware says that memory of node 1, from 4 to 6 GiB, can be taken
    away while the machine runs; node 0 is below it and node 2 above."""
    srat = struct.pack("<IQ", 1, 0)
    for cpu in 0, 1:
        srat += struct.pack("<BBBBIB3sI", 0, 16, 0, cpu, 1, 0, b"", 0)
    for node, base, size, flags in (0, 0, 2, 1), (1, 4, 2, 3), (2, 6, 2, 1):
        srat += struct.pack("<BBIHQQIIQ", 1, 40, node, 0, base << 30, size << 30, 0, flags, 0)
    path = "build/kernel-tests/srat"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(srat)
    return {"mem": "6G", "numa": ["-object", "memory-backend-ram,id=ram,size=6G,reserve=off",
                                  "-machine", "memory-backend=ram",
                                  "-acpitable", f"sig=SRAT,rev=3,data={path}"]}


def dimm():
    """A machine with a DIMM that is not in the firmware's memory map."""
    return {"mem": "2G,slots=2,maxmem=16G",
            "numa": ["-object", "memory-backend-ram,id=ram,size=2G,reserve=off",
                     "-machine", "memory-backend=ram",
                     "-object", "memory-backend-ram,id=dimm,size=4G,reserve=off",
                     "-device", "pc-dimm,memdev=dimm"]}


def far():
    """A machine with memory at 64 TiB, which four levels of page tables cannot map.  The
    firmware leaves it out; memmap= puts it in."""
    return {"mem": "3G,slots=2,maxmem=65600G",
            "numa": ["-object", "memory-backend-ram,id=ram,size=3G,reserve=off",
                     "-machine", "memory-backend=ram",
                     "-object", "memory-backend-ram,id=dimm,size=2G,reserve=off",
                     "-device", "pc-dimm,memdev=dimm,addr=0x400000000000"]}


EDU = ["-device", "edu,dma_mask=0xffffffff"]
INTEL_IOMMU = ["-device", "intel-iommu,intremap=on"]


def with_iommu(iommu, *devices, mem="6G"):
    """A machine with an IOMMU and devices that do DMA."""
    return {"mem": mem, "numa": ["-object", f"memory-backend-ram,id=ram,size={mem},reserve=off",
                                 "-machine", "memory-backend=ram", *iommu, *devices]}


def intel_iommu():
    """An IOMMU by Intel, and QEMU's "edu" device"""
    return with_iommu(INTEL_IOMMU, *EDU)


def smmu_v3():
    """The same with an IOMMU by Arm"""
    return with_iommu(["-machine", "iommu=smmuv3"], *EDU)


def nvme():
    """A disk that can be passed through to a guest"""
    path = "build/kernel-tests/nvme"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(os.urandom(8 << 20))
    return with_iommu(INTEL_IOMMU, "-drive", f"file={path},format=raw,if=none,id=nvme",
                      "-device", "nvme,serial=kho,drive=nvme", mem="8G")


# By the names that machine= has for them
MACHINES = {"dimm": dimm, "far": far, "removable_node": removable_node,
            "intel_iommu": intel_iommu, "smmu_v3": smmu_v3, "nvme": nvme}
