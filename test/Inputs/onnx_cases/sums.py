"""Reductions, orders, running sums, conversions, quantisation.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
import onnxnumpy
from onnx import TensorProto, numpy_helper

from . import SINCE18, case

RNG = np.random.default_rng(21)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


REDUCTIONS = {
    "ReduceL1": lambda x, **along: np.abs(x).sum(**along),
    "ReduceL2": lambda x, **along: np.sqrt((x**2).sum(**along)),
    "ReduceLogSum": lambda x, **along: np.log(x.sum(**along)),
    "ReduceLogSumExp": lambda x, **along: np.log(np.exp(x).sum(**along)),
    "ReduceMax": np.max,
    "ReduceMean": np.mean,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
    "ReduceSum": np.sum,
    "ReduceSumSquare": lambda x, **along: (x**2).sum(**along),
}


def reductions():
    x = np.abs(normal(3, 2, 4)) + np.float32(0.1)
    for op, function in REDUCTIONS.items():
        # Axes are an input since 18.
        expected = function(x, axis=(0, 2), keepdims=True)
        case(op, SINCE18, [x, np.array([0, -1])], expected, [1], 1e-4)
        case(op, SINCE18, [x], function(x, axis=(0, 1, 2)), tolerance=1e-4, keepdims=0)
    # Of booleans since 20.
    p = RNG.random((3, 4)) < 0.5
    case("ReduceMax", (20, SINCE18[1]), [p, np.array([1])], p.any(1), [1], keepdims=0)
    case("ReduceMin", (20, SINCE18[1]), [p, np.array([1])], p.all(1), [1], keepdims=0)


def orders():
    x = RNG.permutation(24).reshape(2, 3, 4).astype(np.float32)
    case("ArgMax", SINCE18, [x], x.argmax(1), axis=1, keepdims=0)
    case("ArgMin", SINCE18, [x], x.argmin(-1)[..., None], axis=-1)
    case("ArgMax", SINCE18, [np.zeros((2, 3), np.float32)], np.full((1, 3), 1), select_last_index=1)
    at = np.argsort(x, 1)[:, :2]
    least = [np.take_along_axis(x, at, 1), at]
    case("TopK", SINCE18, [x, np.array([2])], least, [1], axis=1, largest=0)
    case("Hardmax", SINCE18, [x], (x == x.max(-1, keepdims=True)).astype(np.float32))
    y = normal(2, 3, 4)
    case("Softmax", SINCE18, [y], onnxnumpy.softmax(y, 1), axis=1)
    case("LogSoftmax", SINCE18, [y], np.log(onnxnumpy.softmax(y)))
    case("CumSum", SINCE18, [y, np.array(1)], y.cumsum(1), [1])
    turned = np.flip(np.flip(y, 1).cumsum(1), 1) - y
    case("CumSum", SINCE18, [y, np.array(1)], turned, [1], reverse=1, exclusive=1)


def made():
    case("ConstantOfShape", SINCE18, [np.array([2, 3])], np.full((2, 3), 7), [0],
         value=numpy_helper.from_array(np.array([7])))  # fmt: skip
    x = normal(2, 3)
    case("Constant", SINCE18, [], x, value=numpy_helper.from_array(x))
    case("Constant", SINCE18, [], np.array([3, 4]), value_ints=[3, 4])
    bounds = [np.array(n) for n in (2, 12, 3)]
    case("Range", SINCE18, bounds, np.arange(2, 12, 3), [0, 1, 2])


def converted():
    x = 40 * normal(4, 6)
    case("Cast", SINCE18, [x], x.astype(np.int32), to=TensorProto.INT32)
    case("Cast", SINCE18, [x], x.astype(np.float16), to=TensorProto.FLOAT16)
    case("CastLike", SINCE18, [x, np.zeros(1, np.float64)], x.astype(np.float64))
    scales = np.array([0.5, 0.25, 1, 2], np.float32)
    zeros = np.array([1, 100, 128, 7], np.uint8)
    along = lambda a: a[:, None].astype(np.float32)
    q = np.clip(np.rint(x / along(scales)) + along(zeros), 0, 255).astype(np.uint8)
    case("QuantizeLinear", SINCE18, [x, scales, zeros], q, axis=0)
    back = (q - along(zeros)) * along(scales)
    case("DequantizeLinear", SINCE18, [q, scales, zeros], back, axis=0)
    wide = np.clip(np.rint(x / np.float32(0.01)) - 9, -32768, 32767).astype(np.int16)
    inputs = [x, np.float32(0.01), np.int16(-9)]
    # 16 bits, and the type as an attribute, since 21.
    case("QuantizeLinear", (21, SINCE18[1]), inputs, wide)
    inputs = [wide, np.float32(0.01), np.int16(-9)]
    case("DequantizeLinear", (21, SINCE18[1]), inputs, (wide + np.float32(9)) * np.float32(0.01))
    plain = np.clip(np.rint(x / np.float32(0.5)), -128, 127).astype(np.int8)
    case("QuantizeLinear", (21, SINCE18[1]), [x, np.float32(0.5)], plain, output_dtype=TensorProto.INT8)
    low, high = min(x.min(), 0), max(x.max(), 0)
    scale = np.float32((high - low) / 255)
    zero = np.uint8(np.rint(np.clip(-low / scale, 0, 255)))
    q = np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8)
    case("DynamicQuantizeLinear", SINCE18, [x], [q, scale, zero])


for group in (reductions, orders, made, converted):
    group()
