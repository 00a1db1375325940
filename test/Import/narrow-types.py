# REQUIRES: onnx
# RUN: %python %s %t
"""Numbers of 8 bits and less: as stored tensors, by Cast, QuantizeLinear and
DequantizeLinear, and scales of blocks.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The installed onnx has no names for these types; tensors are made of raw data.
"""

import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_files import accept, info, model, refuse, results_of

OUT = sys.argv[1]
RNG = np.random.default_rng(17)
UINT4, INT4, FLOAT4, POWER, UINT2, INT2 = range(21, 27)
# Exponent bits, mantissa bits, bias; the least code that is no finite number.
FLOATS = {
    17: (4, 3, 7, 0x7F),
    18: (4, 3, 8, None),
    19: (5, 2, 15, 0x7C),
    20: (5, 2, 16, None),
    FLOAT4: (2, 1, 1, None),
}
UNSIGNED_ZERO = (18, 20)
WIDTHS = {FLOAT4: 4, INT4: 4, UINT4: 4, INT2: 2, UINT2: 2}


def width(kind):
    return WIDTHS.get(kind, 8)


def values(kind):
    """What each code of a type stands for, in double precision."""
    codes = np.arange(2 ** width(kind))
    if kind in (UINT4, UINT2):
        return codes.astype(float)
    if kind in (INT4, INT2):
        half = len(codes) // 2
        return np.where(codes < half, codes, codes - 2 * half).astype(float)
    if kind == POWER:
        return np.where(codes == 255, np.nan, 2.0 ** (codes - 127.0))
    exponent_bits, mantissa_bits, bias, first_odd = FLOATS[kind]
    half = len(codes) // 2
    size = codes % half
    exponent, mantissa = size >> mantissa_bits, size & (2**mantissa_bits - 1)
    part = mantissa / 2**mantissa_bits
    number = np.where(
        exponent > 0, (1 + part) * 2.0 ** (exponent - bias), part * 2.0 ** (1 - bias)
    )
    if first_odd is not None:
        number[size >= first_odd] = np.nan
        if kind == 19:
            number[size == first_odd] = np.inf
    number = np.where(codes < half, number, -number)
    if kind in UNSIGNED_ZERO:
        number[half] = np.nan
    assert len(number) == 2 ** (1 + exponent_bits + mantissa_bits)
    return number


def pack(codes, bits):
    per_byte = 8 // bits
    codes = np.concatenate([codes, np.zeros(-len(codes) % per_byte, int)])
    return sum(codes[at::per_byte] << (at * bits) for at in range(per_byte)).astype(np.uint8)


def stored(name, kind, codes, typed=False):
    tensor = TensorProto(name=name, data_type=kind, dims=codes.shape)
    data = pack(codes.reshape(-1).astype(int), width(kind))
    if typed:
        tensor.int32_data.extend(int(byte) for byte in data)
    else:
        tensor.raw_data = data.tobytes()
    return tensor


def plain(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], **attributes)


def run(nodes, tensors, given, expected, opset=23, kinds=()):
    """One model of all nodes; compares each of its outputs exactly, unless inexact."""
    infos = [info(name, list(array.shape), kind) for (name, array), kind in zip(given.items(), kinds)]
    outputs = [info(name, None) for name in expected]
    content = model(nodes, tensors, infos, outputs, opset)
    module = accept(f"{OUT}/narrow.onnx", content)
    for ours, (name, theirs) in zip(results_of(module, given, len(expected)), expected.items()):
        theirs = np.asarray(theirs)
        assert ours.shape == theirs.shape, (name, ours.shape, theirs.shape)
        np.testing.assert_array_equal(ours, theirs, name)
        if theirs.dtype.kind == "f":
            known = ~np.isnan(theirs)
            signs = np.signbit(ours)[known] == np.signbit(theirs)[known]
            assert signs.all(), f"{name}: signs of zero"


ALL = [*FLOATS, INT4, UINT4, INT2, UINT2]


def stored_tensors():
    """Every code of every type, from raw data and from the typed field."""
    nodes, tensors, expected = [], [], {}
    for kind in [*ALL, POWER]:
        codes = np.arange(2 ** width(kind))
        # Also a number of elements that fills no whole byte.
        for typed, taken in ((False, codes), (True, codes[:-1])):
            name = f"x{kind}_{typed}"
            tensors.append(stored(name, kind, taken, typed))
            nodes.append(node("Cast", [name], f"y{kind}_{typed}", to=TensorProto.FLOAT))
            expected[f"y{kind}_{typed}"] = values(kind)[taken].astype(np.float32)
    # So do tensors in an attribute, and what only moves.
    nodes.append(helper.make_node("Constant", [], ["c"], value=stored("", INT4, np.arange(15).reshape(3, 5))))
    nodes.append(node("Transpose", ["c"], "t", perm=[1, 0]))
    nodes.append(node("Cast", ["t"], "y", to=TensorProto.INT32))
    expected["y"] = values(INT4)[np.arange(15)].reshape(3, 5).T.astype(np.int32)
    run(nodes, tensors, {}, expected, opset=25)


def nearest(kind, x, saturate=True):
    """The numbers of a type that are nearest, ties to even; by trying all of them."""
    every = values(kind)
    half = len(every) // 2
    finite = np.isfinite(every[:half])
    grid = every[:half][finite]
    most, step = grid[-1], grid[-1] - grid[-2]
    size = np.abs(x.astype(np.float64))
    # What would come after the largest number is too large.
    long = np.append(grid, most + step)
    distance = np.abs(long[None] - size[:, None])
    best = np.zeros(len(x), int)
    for at in range(len(x)):
        if np.isfinite(size[at]):
            least = np.flatnonzero(distance[at] == distance[at].min())
            best[at] = least[np.argmin(least % 2)]
    result = long[best]
    infinite = np.isinf(size)
    large = (result > most) | infinite | (size > most + step)
    limit = most if saturate or kind == FLOAT4 else np.inf if kind == 19 else np.nan
    result[large] = limit
    result = np.where(np.signbit(x), -result, result)
    if kind in UNSIGNED_ZERO:
        result[infinite] = np.nan
        result[result == 0] = 0
    if kind == FLOAT4:
        return np.where(np.isnan(x), most, result)
    return np.where(np.isnan(x), np.nan, result)


def samples(kind):
    """Numbers of the type, those between them, and what is odd."""
    grid = values(kind)
    grid = grid[np.isfinite(grid)]
    grid.sort()
    middle = (grid[1:] + grid[:-1]) / 2
    near = np.nextafter(middle.astype(np.float32), np.float32(np.inf))
    most = grid[-1] + (grid[-1] - grid[-2]) * np.array([0.5, 0.51, 1, 100])
    odd = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e30, -1e-30, 1e-45]
    return np.concatenate([grid, middle, near, most, -most, odd]).astype(np.float32)


def casts():
    for kind in FLOATS:
        x = samples(kind)
        nodes, expected = [], {}
        for saturate in (1, 0):
            nodes.append(node("Cast", ["x"], f"n{saturate}", to=kind, saturate=saturate))
            nodes.append(node("Cast", [f"n{saturate}"], f"y{saturate}", to=TensorProto.FLOAT))
            expected[f"y{saturate}"] = nearest(kind, x, bool(saturate)).astype(np.float32)
        # The same scale of one, and the same type.
        scale = plain("one", np.float32(1))
        nodes.append(node("QuantizeLinear", ["x", "one"], "q", output_dtype=kind))
        nodes.append(node("DequantizeLinear", ["q", "one"], "z"))
        expected["z"] = expected["y1"]
        nodes.append(node("CastLike", ["x", "like"], "l"))
        nodes.append(node("Cast", ["l"], "like_y", to=TensorProto.FLOAT))
        expected["like_y"] = expected["y1"]
        like = stored("like", kind, np.zeros(1, int))
        run(nodes, [scale, like], {"x": x}, expected, kinds=[TensorProto.FLOAT])
    integers = np.arange(-40, 40).astype(np.int32)
    nodes, expected = [], {}
    for kind in (INT4, UINT4, INT2, UINT2):
        # The low bits stay.
        nodes.append(node("Cast", ["x"], f"n{kind}", to=kind))
        nodes.append(node("Cast", [f"n{kind}"], f"y{kind}", to=TensorProto.INT32))
        expected[f"y{kind}"] = values(kind)[integers % 2 ** width(kind)].astype(np.int32)
    run(nodes, [], {"x": integers}, expected, opset=25, kinds=[TensorProto.INT32])


def quantized():
    """To and from integers of 4 bits, with scales of tensors, axes and blocks."""
    x = RNG.normal(size=(6, 8)).astype(np.float32) * 3
    for kind in (INT4, UINT4, TensorProto.INT8, TensorProto.UINT8):
        low, high = {INT4: (-8, 7), UINT4: (0, 15), TensorProto.INT8: (-128, 127)}.get(kind, (0, 255))
        for axis, block in ((None, 0), (0, 0), (1, 0), (0, 2), (1, 4), (-1, 3), (0, 4), (1, 8)):
            shape = [] if axis is None else [x.shape[axis]]
            options = {} if axis is None else {"axis": axis}
            if block:
                shape = list(x.shape)
                shape[axis] = -(-shape[axis] // block)
                options["block_size"] = block
            # Powers of two, so that every way of dividing gives the same.
            scale = 2.0 ** RNG.integers(-3, 1, shape).astype(np.float32)
            zero = RNG.integers(0, min(high, 7) + 1, shape)
            wide_scale, wide_zero = scale, zero
            if block:
                wide_scale, wide_zero = (
                    np.repeat(a, block, axis).take(range(x.shape[axis]), axis) for a in (scale, zero)
                )
            elif axis == 0:
                wide_scale, wide_zero = scale[:, None], zero[:, None]
            codes = np.clip(np.rint(x / wide_scale) + wide_zero, low, high).astype(int)
            back = ((codes - wide_zero) * wide_scale).astype(np.float32)
            if kind in (INT4, UINT4):
                parts = [stored("zero", kind, np.asarray(zero)), stored("w", kind, codes % 16)]
            else:
                held = np.int8 if kind == TensorProto.INT8 else np.uint8
                parts = [plain("zero", zero.astype(held)), plain("w", codes.astype(held))]
            nodes = [
                node("QuantizeLinear", ["x", "scale", "zero"], "q", **options),
                node("DequantizeLinear", ["q", "scale", "zero"], "y", **options),
                node("DequantizeLinear", ["w", "scale", "zero"], "z", **options),
            ]
            tensors = [plain("scale", scale), *parts]
            expected = {"y": back, "z": back}
            run(nodes, tensors, {"x": x}, expected, opset=21, kinds=[TensorProto.FLOAT])


def weights():
    """A product by a weight of blocks: one stored matrix when it is imported."""
    codes = RNG.integers(0, 16, (8, 6))
    scale = 2.0 ** RNG.integers(-3, 1, (2, 6)).astype(np.float32)
    matrix = values(INT4)[codes] * np.repeat(scale, 4, 0)
    x = RNG.integers(-4, 5, (3, 8)).astype(np.float32)
    nodes = [
        node("DequantizeLinear", ["w", "scale"], "m", axis=0, block_size=4),
        node("MatMul", ["x", "m"], "y"),
    ]
    tensors = [stored("w", INT4, codes), plain("scale", scale)]
    expected = {"y": (x @ matrix).astype(np.float32)}
    run(nodes, tensors, {"x": x}, expected, opset=21, kinds=[TensorProto.FLOAT])


def refused():
    path = f"{OUT}/odd.onnx"
    one, x = plain("one", np.float32(1)), [info("x", [4, 6])]

    def check(nodes, tensors, *expected, inputs=x, opset=23):
        refuse(path, model(nodes, tensors, inputs, [info("y", None)], opset), *expected)

    short = stored("w", INT4, np.arange(5))
    short.raw_data = short.raw_data[:2]
    check([node("DequantizeLinear", ["w", "one"], "y")], [short, one], "holds 2 bytes", "(int4) need 3")
    inputs = [info("x", [4], INT4)]
    check([node("Cast", ["x"], "y", to=1)], [], "has the element type int4", inputs=inputs)
    check([node("Cast", ["x"], "y", to=POWER)], [], "cannot convert to float8e8m0")
    check([node("Cast", ["x"], "y", to=40)], [], "cannot convert to unknown")
    quantize = lambda *inputs, **options: [node("QuantizeLinear", ["x", *inputs], "y", **options)]
    check(quantize("one", output_dtype=1), [one], "cannot quantise to float")
    zero = stored("zero", 17, np.array(9))
    check(quantize("one", "zero"), [one, zero], "expects a zero point of zero for float8e4m3fn")
    check(quantize("one", "zero", output_dtype=INT4), [one, zero], "of type int4, but got float8e4m3fn")
    scales = plain("scales", np.ones((4, 3), np.float32))
    check(quantize("scales"), [scales], "one for each position of an axis, but got [4, 3]")
    check(quantize("scales", axis=1, block_size=-2), [scales], "not to be negative, but got -2")
    check(quantize("scales", axis=1, block_size=3), [scales], "numbers of parameters and blocks")
    check(quantize("scales", axis=2, block_size=2), [scales], "axis 2 is not in")
    line = plain("scales", np.ones(3, np.float32))
    check(quantize("scales", axis=1, block_size=2), [line], "of blocks of rank 2, but got [3]")
    check(quantize("one", axis=1, block_size=2), [one], "'block_size' is not supported", opset=19)


def main():
    os.makedirs(OUT, exist_ok=True)
    stored_tensors()
    casts()
    quantized()
    weights()
    refused()
    print("all types are right")


main()
