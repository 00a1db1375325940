"""Which processor code is compiled for, and which vectors that has.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

PRUNE_CPU in the environment says, as it does for the tools; otherwise it is this machine.
A level of x86-64 leaves out what this machine has beyond it, so that code for older ones
is tested where there is none.
"""

import os
import platform

CPU = os.environ.get("PRUNE_CPU") or "native"
# What clang is told to compile for.
MARCH = f"-march={CPU}"


def machine_flags():
    """The instructions that the system lists for this machine."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("flags"):
                return set(line.split(":")[1].split())
    return set()


def vector_bits():
    """The sizes of vectors that may be used, the smallest first."""
    flags = machine_flags()
    known = {"x86-64-v2": 128, "x86-64-v3": 256, "x86-64-v4": 512, "native": 512}
    sizes = [128]
    if platform.machine() == "x86_64" and {"avx2", "fma"} <= flags:
        sizes.append(256)
    if "avx512f" in flags:
        sizes.append(512)
    return [bits for bits in sizes if bits <= known[CPU]]


def compiler_flags(bits):
    """For vectors of that size and not larger."""
    if bits == 256 and 512 in vector_bits():
        return ["-march=x86-64-v3"]
    return [MARCH, f"-mprefer-vector-width={bits}"]
