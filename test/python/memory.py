# REQUIRES: python-package
# RUN: %python %s
"""Large blocks that compiled code freed are kept for the next call, and go with the last program.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

What the process holds of memory is read from Linux.
"""

import ctypes
import gc

import numpy as np
import prune

SIZE = 4096
BYTES = SIZE * SIZE * 4
T = f"tensor<{SIZE}x{SIZE}xf32>"
# The activation between two transposes has to be there as a whole.
NETWORK = f"""
func.func @main(%x: {T}) -> {T} {{
  %e = tensor.empty() : {T}
  %a = linalg.exp ins(%x : {T}) outs(%e : {T}) -> {T}
  %t = linalg.transpose ins(%a : {T}) outs(%e : {T}) permutation = [1, 0]
  %y = linalg.add ins(%a, %t : {T}, {T}) outs(%e : {T}) -> {T}
  return %y : {T}
}}
"""


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def settle():
    """Gives back what the C library keeps."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


x = np.zeros((SIZE, SIZE), np.float32)
x[:] = 0
programs = [prune.Module.parse(NETWORK).compile() for _ in range(2)]
settle()
before = resident()
assert (programs[0](x) == 2).all()
settle()
kept = resident() - before
assert kept >= BYTES * 0.9, kept

# Later calls, of another program as well, live off what is kept.
for program in programs * 3:
    program(x)
settle()
assert resident() - before <= kept + BYTES * 0.5, (resident() - before, kept)

# One program less changes nothing; without any, nothing is kept.
programs.pop()
settle()
assert resident() - before >= BYTES * 0.9
del programs, program
settle()
assert resident() - before <= BYTES * 0.5, resident() - before
