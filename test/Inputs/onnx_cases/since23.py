"""Other operators that are new or changed since operator set 23.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
from onnx import TensorProto

from . import NEWEST, case

RNG = np.random.default_rng(8)
EVERY = (23, NEWEST)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def normalization():
    x = normal(2, 3, 4, 5)
    for axis in (-1, 1, -2, 0):
        for epsilon in (1e-5, 0.1):
            axes = tuple(range(axis % 4, 4))
            root = np.sqrt((x**2).mean(axes, keepdims=True) + epsilon)
            scale = normal(*x.shape[axis % 4 :])
            case("RMSNormalization", EVERY, [x, scale], x / root * scale, axis=axis, epsilon=epsilon)
    half = x.astype(np.float16)
    root = np.sqrt((half.astype(np.float32) ** 2).mean(-1, keepdims=True) + np.float32(1e-5))
    scale = normal(5).astype(np.float16)
    expected = (half / root).astype(np.float16) * scale
    case("RMSNormalization", EVERY, [half, scale], expected, tolerance=2e-3)


def activations():
    x = 3 * normal(4, 5)
    for alpha in (1.0, 0.5, -2.0):
        case("Swish", (24, NEWEST), [x], x / (1 + np.exp(-np.float32(alpha) * x)), alpha=alpha)


def cumulative():
    x = normal(3, 4, 2)
    for axis in (0, 1, -1):
        for reverse in (0, 1):
            for exclusive in (0, 1):
                turned = np.flip(x, axis) if reverse else x
                if exclusive:
                    one = np.ones_like(turned.take([0], axis))
                    turned = np.concatenate([one, np.delete(turned, -1, axis)], axis)
                product = np.cumprod(turned, axis)
                product = np.flip(product, axis) if reverse else product
                options = {"reverse": reverse, "exclusive": exclusive}
                case("CumProd", (26, NEWEST), [x, np.array(axis)], product, [1], **options)
    x = RNG.integers(1, 5, (3, 4)).astype(np.int32)
    case("CumProd", (26, NEWEST), [x, np.array(1)], np.cumprod(x, 1, dtype=np.int32), [1])


def bits():
    x = normal(3, 4)
    for kind, name in ((np.int32, "INT32"), (np.uint32, "UINT32")):
        # Integers carry no sign in MLIR.
        expected = x.view(kind).view(np.int32)
        case("BitCast", (26, NEWEST), [x], expected, to=getattr(TensorProto, name))
        back = x.view(kind)
        case("BitCast", (26, NEWEST), [back.view(np.int32)], x, to=TensorProto.FLOAT)
    half = x.astype(np.float16)
    case("BitCast", (26, NEWEST), [half], half.view(np.int16), to=TensorProto.INT16)
    double = x.astype(np.float64)
    case("BitCast", (26, NEWEST), [double], double.view(np.int64), to=TensorProto.INT64)


def quantization():
    """The precision of the division, and the type of the result, can be stated."""
    x = normal(4, 6)
    scale, zero = np.float32(0.05), np.int8(3)
    expected = np.clip(np.rint(x / scale) + 3, -128, 127).astype(np.int8)
    case("QuantizeLinear", EVERY, [x, scale, zero], expected)
    half = x.astype(np.float16)
    expected = np.clip(np.rint(half.astype(np.float32) / scale) + 3, -128, 127).astype(np.int8)
    wide = {"precision": TensorProto.FLOAT}
    case("QuantizeLinear", EVERY, [half, np.float16(scale), zero],
         np.clip(np.rint(half.astype(np.float32) / np.float32(np.float16(scale))) + 3, -128, 127)
         .astype(np.int8), **wide)  # fmt: skip
    q = RNG.integers(-128, 128, (4, 6)).astype(np.int8)
    case("DequantizeLinear", EVERY, [q, scale, zero], (q.astype(np.float32) - 3) * scale)
    narrow = ((q.astype(np.float16) - np.float16(3)) * np.float16(scale)).astype(np.float16)
    kind = {"output_dtype": TensorProto.FLOAT16}
    case("DequantizeLinear", EVERY, [q, scale, zero], narrow, tolerance=2e-3, **kind)


def unchanged():
    """Those whose versions only gained types."""
    x = normal(2, 3, 4)
    case("Cast", EVERY, [x], x.astype(np.int32), to=TensorProto.INT32)
    case("Cast", (24, NEWEST), [x], x.astype(np.float16), to=TensorProto.FLOAT16, round_mode="up")
    case("CastLike", EVERY, [x, np.zeros(1, np.float64)], x.astype(np.float64))
    case("ConstantOfShape", EVERY, [np.array([2, 3])], np.zeros((2, 3), np.float32), [0])
    case("Flatten", EVERY, [x], x.reshape(2, 12), axis=1)
    case("Identity", EVERY, [x], x)
    pads = np.array([0, 1, 2, 1, 0, 0])
    padded = np.pad(x, [(0, 1), (1, 0), (2, 0)])
    case("Pad", EVERY, [x, pads], padded, [1])
    case("Reshape", EVERY, [x, np.array([-1, 8])], x.reshape(3, 8), [1])
    case("Shape", EVERY, [x], np.array([3, 4]), start=1)
    case("Size", EVERY, [x], np.array(24))
    case("Squeeze", EVERY, [x[:1], np.array([0])], x[0], [1])
    largest = -np.sort(-x, 1)[:, :2]
    case("TopK", EVERY, [x, np.array([2])], [largest, np.argsort(-x, 1)[:, :2]], [1], axis=1)
    case("Transpose", EVERY, [x], x.transpose(2, 0, 1), perm=[2, 0, 1])
    case("Unsqueeze", EVERY, [x, np.array([1])], x[:, None], [1])
    case("MatMul", EVERY, [x, normal_right := normal(4, 5)], x @ normal_right)
    case("Relu", EVERY, [x], np.maximum(x, 0))


for group in (normalization, activations, cumulative, bits, quantization, unchanged):
    group()
