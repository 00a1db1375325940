"""Operators of floats that ONNX Runtime writes for several of the standard.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from math import erf

import numpy as np

from . import case

RNG = np.random.default_rng(11)
RUNTIME = "com.microsoft"


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def add(op, inputs, outputs, **attributes):
    case(op, (17, 17), inputs, outputs, domain=RUNTIME, **attributes)


def activations():
    x, bias = 2 * normal(2, 3, 5), normal(5)
    exact = lambda v: v / 2 * (1 + np.vectorize(erf)(v / np.sqrt(2)))
    fast = lambda v: v / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (v + 0.044715 * v**3)))
    add("Gelu", [x], exact(x).astype(np.float32))
    add("BiasGelu", [x, bias], exact(x + bias).astype(np.float32))
    add("FastGelu", [x], fast(x).astype(np.float32))
    add("FastGelu", [x, bias], fast(x + bias).astype(np.float32))
    for alpha in (1.702, 1.0):
        expected = x / (1 + np.exp(-np.float32(alpha) * x))
        add("QuickGelu", [x], expected, alpha=alpha)
    add("QuickGelu", [x], x / (1 + np.exp(-np.float32(1.702) * x)))


def skip_normalization():
    gamma, beta, bias = normal(6), normal(6), normal(6)
    x, skip = normal(2, 3, 6), normal(2, 3, 6)
    for extra in (None, bias):
        for shift in (None, beta):
            total = x + skip + (0 if extra is None else extra)
            centred = total - total.mean(-1, keepdims=True)
            inverse = 1 / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-3)
            expected = centred * inverse * gamma + (0 if shift is None else shift)
            inputs = [x, skip, gamma, shift, extra]
            outputs = [expected, None, None, total]
            add("SkipLayerNormalization", inputs, outputs, epsilon=1e-3)
        root = np.sqrt((total**2).mean(-1, keepdims=True) + 1e-3)
        inputs, outputs = [x, skip, gamma, extra], [total / root * gamma]
        add("SkipSimplifiedLayerNormalization", inputs, outputs, epsilon=1e-3)


def activate(x, name, *parameters):
    if name == "Relu":
        return np.maximum(x, 0)
    if name == "Sigmoid":
        return 1 / (1 + np.exp(-x))
    if name == "Tanh":
        return np.tanh(x)
    if name == "LeakyRelu":
        return np.where(x < 0, x * np.float32(parameters[0]), x)
    if name == "HardSigmoid":
        return np.clip(x * np.float32(parameters[0]) + np.float32(parameters[1]), 0, 1)
    return np.clip(x, *np.float32(parameters))


def convolve(x, w, pad):
    """A convolution of stride 1."""
    x = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    return np.einsum("nchwij,fcij->nfhw", windows, w)


def products():
    x, w, bias = normal(1, 3, 6, 5), normal(4, 3, 3, 3), normal(4)
    z = normal(1, 4, 6, 5)
    plain = convolve(x, w, 1) + bias.reshape(4, 1, 1)
    a, b, c = normal(3, 5), normal(5, 4), normal(4)
    kinds = [
        ("Relu",),
        ("Sigmoid",),
        ("Tanh",),
        ("LeakyRelu", 0.3),
        ("HardSigmoid", 0.25, 0.4),
        ("Clip", -0.5, 0.75),
    ]
    for name, *parameters in kinds:
        options = {"activation_params": parameters} if parameters else {}
        options |= {"activation": name, "pads": [1, 1, 1, 1]}
        add("FusedConv", [x, w, bias], activate(plain, name, *parameters), **options)
    expected = np.maximum(plain + z, 0)
    add("FusedConv", [x, w, bias, z], expected, activation="Relu", pads=[1, 1, 1, 1])
    for name, *parameters in kinds[:5]:
        options = dict(zip(("activation_alpha", "activation_beta"), parameters))
        options |= {"activation": name, "alpha": 0.5}
        expected = activate(a @ b * np.float32(0.5) + c, name, *parameters)
        add("FusedGemm", [a, b, c], expected, **options)


def matrices():
    for shape in ((3, 4), (2, 3, 4), (2, 2, 3, 4)):
        for left in (0, 1):
            for right in (0, 1):
                a, b = normal(*shape), normal(*shape[:-2], 4, 5)
                inputs = [np.swapaxes(a, -1, -2) if left else a]
                inputs += [np.swapaxes(b, -1, -2) if right else b]
                options = {"transA": left, "transB": right, "alpha": 0.25}
                add("FusedMatMul", inputs, a @ b * np.float32(0.25), **options)
    a, b = normal(2, 3, 4), normal(5, 4)
    add("FusedMatMul", [a, b], a @ b.T, transB=1)


activations()
skip_normalization()
products()
matrices()
