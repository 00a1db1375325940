"""Operators between quantised tensors: ONNX Runtime's, and QONNX's.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Scales are powers of two where a result is rounded, so that every way of computing it
gives the same.
"""

import numpy as np

from . import case

RNG = np.random.default_rng(12)
RUNTIME = "com.microsoft"
F = np.float32


def add(op, inputs, outputs, **attributes):
    case(op, (17, 17), inputs, outputs, domain=RUNTIME, **attributes)


def normal(*shape):
    return RNG.normal(size=shape).astype(F)


def numbers(kind, *shape):
    """All numbers of the type are drawn."""
    bounds = np.iinfo(kind)
    return RNG.integers(bounds.min, bounds.max + 1, shape).astype(kind)


def zero(kind, value):
    return np.array(value, kind)


def real(x, scale, point):
    return (x.astype(np.float64) - float(point)) * float(scale)


def quantize(x, scale, point, inside=False):
    """A half goes to the even number: before the zero point is added, or after that."""
    bounds = np.iinfo(point.dtype)
    ratio = x / float(scale)
    level = np.rint(ratio + float(point)) if inside else np.rint(ratio) + float(point)
    return np.clip(level, bounds.min, bounds.max).astype(point.dtype)


def binary():
    for kind, points in ((np.uint8, (120, 131, 127)), (np.int8, (-3, 5, 7))):
        for other in ((2, 3, 40), (40,), (3, 1), ()):
            a, b = numbers(kind, 2, 3, 40), numbers(kind, *other)
            first, second, out = (zero(kind, p) for p in points)
            x, y = real(a, F(0.25), first), real(b, F(0.125), second)
            inputs = [a, F(0.25), first, b, F(0.125), second]
            for op, result, scale in (("QLinearAdd", x + y, 0.5), ("QLinearMul", x * y, 8)):
                expected = quantize(result, scale, out, inside=True)
                add(op, [*inputs, F(scale), out], expected)


def unary():
    for kind, points in ((np.uint8, (120, 131)), (np.int8, (-3, 5))):
        x = np.arange(256).astype(kind)
        source, target = (zero(kind, p) for p in points)
        given = real(x, F(0.0625), source)
        inputs = [x, F(0.0625), source]
        sigmoid = quantize(1 / (1 + np.exp(-given)), 1 / 256, target)
        add("QLinearSigmoid", [*inputs, F(1 / 256), target], sigmoid)
        leaky = quantize(np.where(given < 0, given * 0.25, given), 0.125, target)
        add("QLinearLeakyRelu", [*inputs, F(0.125), target], leaky, alpha=0.25)

    # Without a zero point it is zero.
    given = real(x, F(0.0625), 0)
    sigmoid = quantize(1 / (1 + np.exp(-given)), 1 / 256, zero(np.int8, 0))
    add("QLinearSigmoid", [x, F(0.0625), None, F(1 / 256)], sigmoid)


def pools():
    for kind, points in ((np.uint8, (120, 131)), (np.int8, (-3, 5))):
        x = numbers(kind, 2, 3, 4, 8)
        source, target = (zero(kind, p) for p in points)
        inputs = [x, F(0.25), source, F(0.125), target]
        for last, axes in ((0, (2, 3)), (1, (1, 2))):
            if last:
                inputs[0] = x = numbers(kind, 2, 4, 8, 3)
            means = real(x, F(0.25), source).mean(axes, keepdims=True)
            expected = quantize(means, 0.125, target)
            add("QLinearGlobalAveragePool", inputs, expected, channels_last=last)
        inputs[0] = x = numbers(kind, 2, 3, 4, 8)
        means = real(x, F(0.25), source).reshape(2, 3, 2, 2, 4, 2).mean((3, 5))
        expected = quantize(means, 0.125, target, inside=True)
        options = {"kernel_shape": [2, 2], "strides": [2, 2]}
        add("QLinearAveragePool", inputs, expected, **options)


def concat():
    for kind, points in ((np.uint8, (120, 131, 9)), (np.int8, (-3, 5, 7))):
        parts = [numbers(kind, 2, size, 3) for size in (3, 2, 4)]
        scales = [F(s) for s in (0.25, 0.5, 0.125)]
        zeros = [zero(kind, p) for p in points]
        whole = [real(*part) for part in zip(parts, scales, zeros)]
        expected = quantize(np.concatenate(whole, 1), 0.5, zeros[0])
        inputs = [F(0.5), zeros[0]]
        for part in zip(parts, scales, zeros):
            inputs += part
        stored = [i for i in range(len(inputs)) if i < 2 or i % 3 != 2]
        add("QLinearConcat", inputs, expected, constants=stored, axis=1)


def products():
    bias = normal(5)
    for kind in (np.uint8, np.int8):
        b = numbers(kind, 4, 5)
        # ONNX Runtime wants zero points of columns beside scales of columns.
        for scales in (np.array(0.03, F), np.abs(normal(5)) / 50):
            points = numbers(kind, *scales.shape) if scales.ndim else zero(kind, 3)
            right = (b.astype(int) - points.astype(int)) * scales.astype(np.float64)
            a = numbers(np.uint8, 2, 3, 4)
            left = (a.astype(int) - 120) * 0.02
            inputs = [a, b, F(0.02), scales, np.uint8(120), points]
            for extra in (None, bias):
                expected = left @ right + (0 if extra is None else extra)
                add("MatMulIntegerToFloat", [*inputs, extra], expected.astype(F), constants=[1, 3, 5])
            # The scale of these is a power of two and no level is on a half.
            x = RNG.integers(-100, 100, (2, 3, 4)).astype(F) / 4
            x[0, 0, :2] = -32, 31.75
            expected = x.astype(np.float64) @ right + bias
            inputs = [x, b, scales, points, bias]
            add("DynamicQuantizeMatMul", inputs, expected.astype(F), constants=[1, 2, 3])


def qonnx():
    x = 4 * normal(2, 3, 7)
    rounds = {"ROUND": np.rint, "FLOOR": np.floor, "CEIL": np.ceil}
    for domain in ("qonnx.custom_op.general", "onnx.brevitas"):
        for mode, function in rounds.items():
            for signed in (0, 1):
                for narrow in (0, 1):
                    for scale, bits in ((F(0.5), 3), (np.abs(normal(3, 1)) + F(0.1), 8)):
                        high = 2 ** (bits - signed) - 1 - (narrow and not signed)
                        low = narrow - 2 ** (bits - 1) if signed else 0
                        point = F(0 if signed else 2)
                        level = function(np.clip(x / scale + point, low, high))
                        expected = (level - point) * scale
                        inputs = [x, scale, point, F(bits)]
                        options = {"signed": signed, "narrow": narrow, "rounding_mode": mode}
                        case("Quant", (17, 17), inputs, expected, [3], domain=domain, **options)
        expected = np.where(x >= 0, F(0.5), F(-0.5))
        case("BipolarQuant", (17, 17), [x, F(0.5)], expected, domain=domain)


binary()
unary()
pools()
concat()
products()
qonnx()
