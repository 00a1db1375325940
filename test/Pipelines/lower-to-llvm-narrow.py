"""Conversions of f16 and bf16 give the right bits on every processor.

RUN: mkdir -p %t
RUN: %python %s %t

They are compiled as for a processor that converts f16, if this machine is one,
and as for one that does not. All numbers of 16 bits are extended; numbers of f32
and f64 around every boundary (halfway between two numbers, denormal, overflow),
and random bits, are rounded. The right bits come from numpy, and for bf16 from
exact comparisons of distances.
"""

import dataclasses
import sys

import numpy as np

import cpu
import objects

OUT = sys.argv[1]
RANDOM = np.random.default_rng(11)
CASES = [
    ("f16", "f32"),
    ("f16", "f64"),
    ("bf16", "f32"),
    ("bf16", "f64"),
    ("f32", "f16"),
    ("f64", "f16"),
    ("f32", "bf16"),
    ("f64", "bf16"),
]
DTYPES = {"f16": np.float16, "bf16": np.uint16, "f32": np.float32, "f64": np.float64}


def module():
    """A function for each case."""
    lines = []
    for source, result in CASES:
        op = "extf" if result in ("f32", "f64") else "truncf"
        lines.append(
            f"func.func @{source}_{result}(%x: tensor<?x{source}>) -> tensor<?x{result}> {{\n"
            f"  %y = arith.{op} %x : tensor<?x{source}> to tensor<?x{result}>\n"
            f"  return %y : tensor<?x{result}>\n}}\n"
        )
    return "".join(lines)


def all_halves():
    return np.arange(1 << 16, dtype=np.uint16)


def boundaries(source, result):
    """Numbers of `source` at and next to what `result` rounds at."""
    halves = all_halves()
    with np.errstate(all="ignore"):
        numbers = halves.view(np.float16) if result == "f16" else widen_bfloat(halves)
        exact = numbers.astype(np.float64)
    finite = np.sort(exact[np.isfinite(exact)])
    middle = (finite[:-1] + finite[1:]) / 2
    top = finite[-1] * 1.001953125 if result == "bf16" else 65520.0
    with np.errstate(over="ignore"):
        points = np.concatenate([finite, middle, [top, -top, 1e300, -1e300, 1e-300]])
        points = points.astype(DTYPES[source])
    infinity = DTYPES[source](np.inf)
    around = [points, np.nextafter(points, infinity), np.nextafter(points, -infinity)]
    bits = RANDOM.integers(0, 1 << 32, 200000, dtype=np.uint64)
    if source == "f64":
        bits = bits << np.uint64(32) | RANDOM.integers(0, 1 << 32, bits.size, dtype=np.uint64)
        # Most random numbers of f64 are beyond f32.
        near = RANDOM.standard_normal(200000) * 2.0 ** RANDOM.integers(-160, 140, 200000)
        return np.concatenate([*around, bits.view(np.float64), near])
    return np.concatenate([*around, bits.astype(np.uint32).view(np.float32)])


def widen_bfloat(bits):
    return (np.asarray(bits).astype(np.uint32) << 16).view(np.float32)


def nearest_bfloat(x):
    """bf16 nearest to each finite f32 or f64, by exact distances; ties to even."""
    magnitude = np.abs(x.astype(np.float64))
    numbers = widen_bfloat(np.arange(0x7F80)).astype(np.float64)
    # The next number, were there one, is what overflow is decided by.
    numbers = np.append(numbers, 2.0**128)
    low = np.searchsorted(numbers, magnitude, side="right") - 1
    low = np.minimum(low, numbers.size - 2)
    below, above = magnitude - numbers[low], numbers[low + 1] - magnitude
    up = (above < below) | ((above == below) & (low % 2 == 1))
    bits = (low + up).astype(np.uint16)
    return bits | (np.signbit(x).astype(np.uint16) << 15)


def expected(source, result, x):
    with np.errstate(all="ignore"):
        if source == "bf16":
            return widen_bfloat(x).astype(DTYPES[result])
        if result != "bf16":
            return x.astype(DTYPES[result])
    bits = np.zeros(x.shape, np.uint16)
    finite = np.isfinite(x)
    bits[finite] = nearest_bfloat(x[finite])
    infinite = np.isinf(x)
    bits[infinite] = 0x7F80 | (np.signbit(x[infinite]).astype(np.uint16) << 15)
    bits[np.isnan(x)] = 0x7FC0
    return bits


def as_numbers(element, array):
    return widen_bfloat(array) if element == "bf16" else array


def check(target, source, result, library):
    """All bits are right; NaN stay NaN."""
    x = boundaries(source, result) if source in ("f32", "f64") else all_halves()
    x = x.view(DTYPES[source])
    ours = objects.call(library, f"{source}_{result}", x, DTYPES[result])
    right = expected(source, result, x)
    is_nan = np.isnan(as_numbers(result, right))
    assert np.array_equal(np.isnan(as_numbers(result, ours)), is_nan), (source, result)
    size = np.dtype(DTYPES[result]).itemsize
    wrong = (ours.view(f"u{size}") != right.view(f"u{size}")) & ~is_nan
    at = np.flatnonzero(wrong)
    assert at.size == 0, (
        f"{target.name}: {source} to {result}: {at.size} of {x.size} are wrong, "
        f"{x[at[:4]]} gives {ours[at[:4]]}, but should give {right[at[:4]]}"
    )


def main():
    for native in [False] + [True] * ("f16c" in cpu.machine_flags()):
        target = objects.X86_V2
        if native:
            target = dataclasses.replace(
                target, name="f16c", flags=(*target.flags, "-mf16c"), has_f16c=True
            )
        base = f"{OUT}/{target.name}"
        objects.compile_object(
            module(), target, "dense", base, "-shared", "-fPIC", "-o", base + ".so"
        )
        library = objects.load(base + ".so")
        for source, result in CASES:
            check(target, source, result, library)
            print(f"{target.name}: {source} to {result} is right")


main()
