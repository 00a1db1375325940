"""Convolutions, products, poolings, normalisations.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
import onnxnumpy

from . import SINCE18, case

RNG = np.random.default_rng(19)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def convolutions():
    x, w, b = normal(2, 4, 7, 6), normal(6, 2, 3, 2), normal(6)
    options = {"group": 2, "strides": [2, 1], "pads": [1, 0, 1, 1]}
    case("Conv", SINCE18, [x, w, b], onnxnumpy.conv(x, w, b, **options), [1, 2], 1e-4, **options)
    w = normal(4, 3, 2, 3)
    options = {"group": 2, "strides": [2, 1]}
    expected = onnxnumpy.conv_transpose(x, w, b, **options)
    case("ConvTranspose", SINCE18, [x, w, b], expected, [1, 2], 1e-4, **options)
    q = RNG.integers(0, 256, (1, 2, 5, 5)).astype(np.uint8)
    k = RNG.integers(0, 256, (3, 2, 3, 3)).astype(np.uint8)
    wide = onnxnumpy.conv(q.astype(np.int32) - 7, k.astype(np.int32) - 100)
    case("ConvInteger", SINCE18, [q, k, np.uint8(7), np.uint8(100)], wide.astype(np.int32))
    scales = [np.float32(s) for s in (0.02, 0.01, 0.6)]
    result = np.clip(np.rint(wide * (scales[0] * scales[1] / scales[2])) + 128, 0, 255)
    inputs = [q, scales[0], np.uint8(7), k, scales[1], np.uint8(100), scales[2], np.uint8(128)]
    case("QLinearConv", SINCE18, inputs, result.astype(np.uint8), range(1, 8))


def products():
    a, b, c = normal(3, 4), normal(5, 4), normal(5)
    expected = np.float32(0.5) * a @ b.T + np.float32(2) * c
    case("Gemm", SINCE18, [a, b, c], expected, transB=1, alpha=0.5, beta=2.0)
    x, y = normal(2, 1, 3, 4), normal(3, 4, 2)
    case("MatMul", SINCE18, [x, y], x @ y)
    case("Einsum", SINCE18, [a, b], np.einsum("ik,jk->ij", a, b), equation="ik,jk->ij")
    q = RNG.integers(0, 256, (3, 4)).astype(np.uint8)
    k = RNG.integers(-128, 128, (4, 2)).astype(np.int8)
    wide = (q.astype(np.int32) - 9) @ (k.astype(np.int32) - 3)
    case("MatMulInteger", SINCE18, [q, k, np.uint8(9), np.int8(3)], wide)
    scales = [np.float32(s) for s in (0.02, 0.01, 0.6)]
    result = np.clip(np.rint(wide * (scales[0] * scales[1] / scales[2])) + 128, 0, 255)
    inputs = [q, scales[0], np.uint8(9), k, scales[1], np.int8(3), scales[2], np.uint8(128)]
    case("QLinearMatMul", SINCE18, inputs, result.astype(np.uint8), range(1, 8))


def poolings():
    x = normal(2, 3, 6, 7)
    options = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}
    case("AveragePool", SINCE18, [x], onnxnumpy.average_pool(x, **options), **options)
    # Dilated since 19: every second element of a window.
    taps = [x[:, :, i : i + 4, j : j + 3] for i in (0, 2) for j in (0, 2, 4)]
    dilated = {"kernel_shape": [2, 3], "dilations": [2, 2]}
    case("AveragePool", (19, SINCE18[1]), [x], np.mean(taps, 0), **dilated)
    case("MaxPool", SINCE18, [x], onnxnumpy.max_pool(x, **options), **options)
    case("MaxPool", SINCE18, [x], np.max(taps, 0), **dilated)
    squares = [tap**2 for tap in onnxnumpy.windows(x, **options)]
    case("LpPool", SINCE18, [x], np.sqrt(sum(squares)), **options)
    squares = [tap**2 for tap in taps]
    case("LpPool", SINCE18, [x], np.sqrt(sum(squares)), **dilated)
    case("GlobalAveragePool", SINCE18, [x], x.mean((2, 3), keepdims=True))
    case("GlobalMaxPool", SINCE18, [x], x.max((2, 3), keepdims=True))
    case("GlobalLpPool", SINCE18, [x], np.sqrt((x**2).sum((2, 3), keepdims=True)))


def standard(x, axes, epsilon=1e-5):
    x = x.astype(np.float64)
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def normalisations():
    x, scale, shift, mean = normal(2, 6, 3, 4), normal(6), normal(6), normal(6)
    variance = np.abs(normal(6)) + np.float32(0.1)
    along = lambda a: a.reshape(-1, 1, 1)
    expected = onnxnumpy.batch_norm(x, scale, shift, mean, variance)
    stored = [scale, shift, mean, variance]
    case("BatchNormalization", SINCE18, [x, *stored], expected, range(1, 5), 1e-4)
    expected = standard(x, (2, 3)) * along(scale) + along(shift)
    case("InstanceNormalization", SINCE18, [x, scale, shift], expected.astype(np.float32), [1, 2], 1e-4)
    split = standard(x.reshape(2, 3, 2, 3, 4), (2, 3, 4))
    whole = split.reshape(x.shape) * along(scale) + along(shift)
    # Scale and shift are of a group before 21, of a channel since.
    by_group = split * scale[:3].reshape(3, 1, 1, 1) + shift[:3].reshape(3, 1, 1, 1)
    by_group = by_group.reshape(x.shape).astype(np.float32)
    parts = [x, scale[:3], shift[:3]]
    case("GroupNormalization", (18, 20), parts, by_group, [1, 2], 1e-4, num_groups=3)
    parts = [x, scale, shift]
    whole = whole.astype(np.float32)
    case("GroupNormalization", (21, SINCE18[1]), parts, whole, [1, 2], 1e-4, num_groups=3)
    scale, shift = normal(3, 4), normal(3, 4)
    expected = (standard(x, (2, 3)) * scale + shift).astype(np.float32)
    case("LayerNormalization", SINCE18, [x, scale, shift], expected, [1, 2], 1e-4, axis=2)
    expected = standard(x, (0, 2, 3), 1e-9).astype(np.float32)
    case("MeanVarianceNormalization", SINCE18, [x], expected, tolerance=1e-4)
    length = np.sqrt((x**2).sum(1, keepdims=True))
    case("LpNormalization", SINCE18, [x], x / length, axis=1)
    zeros = x.copy()
    zeros[0, 0, 0] = 0
    length = np.abs(zeros).sum(-1, keepdims=True)
    length[0, 0, 0] = 1
    case("LpNormalization", SINCE18, [zeros], zeros / length, p=1)
    squares = np.pad(x**2, [(0, 0), (1, 1), (0, 0), (0, 0)])
    local = squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:]
    expected = x / (1 + np.float32(0.3 / 3) * local) ** 0.75
    case("LRN", SINCE18, [x], expected.astype(np.float32), size=3, alpha=0.3)


for group in (convolutions, products, poolings, normalisations):
    group()
