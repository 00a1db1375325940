# RUN: %python %s
"""Random members of the kernel family compute what numpy computes, and touch nothing else.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Every buffer lies against an unmapped page; padding of panels is NaN. Products of small
integers are exact; products of reals are compared with float64 within the bound of a sum
of k products, each rounded, in any order. PRUNE_PACKED_CASES sets how many are tried,
PRUNE_SEED which.
"""

import ctypes
import os

import numpy as np

import cpu
from packed import Case, Guarded, Kernel, compile_module, from_panels, pack, to_panels

# Sizes around those of vectors come more often than others.
SIZES = [*range(1, 68), *[v + d for v in (4, 8, 16, 32, 64) for d in (-1, 0, 1)] * 2]
rng = np.random.default_rng(int(os.environ.get("PRUNE_SEED", "1")))


def pick(*values):
    return values[rng.integers(len(values))]


def random_kernel(widths):
    m, k = int(pick(*SIZES)), int(pick(*SIZES))
    form = pick("dense", "blocks", "patterns", "elements")
    element = pick("f32", "f32", "f64")
    if form == "elements":
        return Kernel(form, m, k, "rows", 1, 1, 1, k, element)
    width = pick(*widths)
    if form == "patterns" or rng.integers(2):
        rows = pick(1, 2, 3, 4) if form == "patterns" else pick(1, 2, 3, 4, 5, 8, 16, 32)
        block = int(rng.integers(1, k + 1))
        columns = width * (pick(1, 2, 3) if rows <= 8 else 1)
        return Kernel(form, m, k, "columns", width, rows, columns, block, element)
    rows = width * pick(1, 2, 4)
    return Kernel(form, m, k, "rows", width, rows, pick(1, 2, 3, 5), k, element)


def random_case(widths):
    kernel = random_kernel(widths)
    # A panel holds one tile or two, or half of one.
    panel = kernel.columns * pick(1, 2) if kernel.lanes == "columns" else 0
    if panel and kernel.columns % (2 * kernel.width) == 0:
        panel = pick(panel, kernel.columns // 2)
    flags = [bool(flag) for flag in rng.integers(0, 2, 4)]
    return Case(kernel, int(pick(*SIZES)), panel, *flags)


def random_values(shape, dtype, exact):
    if exact:
        return rng.integers(-4, 5, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def random_data(case, exact):
    k = case.kernel
    w = random_values((k.m, k.k), k.dtype, exact)
    w[rng.random(w.shape) >= pick(0.0, 0.05, 0.3, 0.7, 1.0)] = 0
    if rng.integers(2):
        w[rng.random(k.m) < 0.2] = 0
        w[:, rng.random(k.k) < 0.2] = 0
    return w, random_values((k.k, case.n), k.dtype, exact)


def check(function, number, case, w, x, packed, exact):
    k = case.kernel
    along_columns = k.lanes == "columns"
    bias = random_values(k.m, k.dtype, exact)
    input_ = to_panels(x, case.panel) if along_columns else x.T.copy()
    residual = random_values(case.shape(k.m), k.dtype, exact)
    output = np.full(case.shape(k.m), np.nan, k.dtype)
    arrays = (*packed, input_, bias, residual, output)
    buffers = [Guarded(array, bool(number & 1)) for array in arrays]
    function(*[buffer.pointer for buffer in buffers])

    def plain(array):
        return from_panels(array, case.n) if along_columns else array.T

    expected = w.astype(np.float64) @ x
    size = np.abs(w).astype(np.float64) @ np.abs(x)
    for used, term in ((case.bias, bias[:, None]), (case.residual, plain(residual))):
        if used:
            expected, size = expected + term, size + np.abs(term)
    if case.relu:
        expected = np.maximum(expected, 0)
    actual = plain(buffers[-1].array)
    bound = 0 if exact else (k.k + 2) * np.finfo(k.dtype).eps * size
    bad = ~(np.abs(actual - expected) <= bound)
    assert not bad.any(), (number, case, np.argwhere(bad)[:5])
    for before, after in zip(arrays[:-1], buffers[:-1]):
        assert before.tobytes() == after.array.tobytes(), (number, case)


def run(count, widths, bits, target):
    cases = [(random_case(widths), bool(rng.integers(2))) for _ in range(count)]
    text, data = "", []
    for number, (case, exact) in enumerate(cases):
        w, x = random_data(case, exact)
        packed = pack(case.kernel, w)
        text += case.function(f"kernel{number}", packed)
        data.append((w, x, packed))
    library = ctypes.CDLL(compile_module(text, bits, target, "-O1"))
    for number, ((case, exact), (w, x, packed)) in enumerate(zip(cases, data)):
        function = getattr(library, f"kernel{number}")
        check(function, number, case, w, x, packed, exact)


def targets():
    """Vector widths in elements, bits, and compiler flags for what may be used."""
    for bits in cpu.vector_bits():
        yield [bits // 64, bits // 32], bits, cpu.compiler_flags(bits)


if __name__ == "__main__":
    left = int(os.environ.get("PRUNE_PACKED_CASES", "60"))
    chosen = list(targets())
    while left > 0:
        for target in chosen:
            run(min(25, -(-left // len(chosen))), *target)
        left -= 25 * len(chosen)
