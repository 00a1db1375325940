"""Operators on each element by itself.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import math

import numpy as np

from . import SINCE18, case

RNG = np.random.default_rng(18)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(x))


def erf(x):
    return np.vectorize(math.erf)(x)


def gelu(x):
    return x / 2 * (1 + erf(x / math.sqrt(2)))


# In double precision, on values that each function is defined for.
ANY, SMALL, POSITIVE, ABOVE_ONE = "any", "small", "positive", "above one"
FUNCTIONS = {
    "Abs": (ANY, abs),
    "Acos": (SMALL, np.arccos),
    "Acosh": (ABOVE_ONE, np.arccosh),
    "Asin": (SMALL, np.arcsin),
    "Asinh": (ANY, np.arcsinh),
    "Atan": (ANY, np.arctan),
    "Atanh": (SMALL, np.arctanh),
    "Ceil": (ANY, np.ceil),
    "Celu": (ANY, lambda x: np.maximum(x, 0) + np.minimum(np.exp(x) - 1, 0)),
    "Cos": (ANY, np.cos),
    "Cosh": (ANY, np.cosh),
    "Elu": (ANY, lambda x: np.where(x < 0, np.exp(x) - 1, x)),
    "Erf": (ANY, erf),
    "Exp": (ANY, np.exp),
    "Floor": (ANY, np.floor),
    "HardSigmoid": (ANY, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    "HardSwish": (ANY, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    "LeakyRelu": (ANY, lambda x: np.where(x < 0, 0.01 * x, x)),
    "Log": (POSITIVE, np.log),
    "Mish": (ANY, lambda x: x * np.tanh(softplus(x))),
    "Neg": (ANY, np.negative),
    "Reciprocal": (POSITIVE, lambda x: 1 / x),
    "Relu": (ANY, lambda x: np.maximum(x, 0)),
    "Round": (ANY, np.rint),
    "Selu": (
        ANY,
        lambda x: 1.05070102214813232421875
        * np.where(x < 0, 1.67326319217681884765625 * (np.exp(x) - 1), x),
    ),
    "Shrink": (ANY, lambda x: np.where(abs(x) > 0.5, x, 0)),
    "Sigmoid": (ANY, sigmoid),
    "Sign": (ANY, np.sign),
    "Sin": (ANY, np.sin),
    "Sinh": (ANY, np.sinh),
    "Softplus": (ANY, softplus),
    "Softsign": (ANY, lambda x: x / (1 + abs(x))),
    "Sqrt": (POSITIVE, np.sqrt),
    "Tan": (SMALL, np.tan),
    "Tanh": (ANY, np.tanh),
    "ThresholdedRelu": (ANY, lambda x: np.where(x > 1, x, 0)),
}


def functions():
    x = 2 * normal(3, 5)
    x[0, :3] = 0, 0.5, -2.5
    inside = np.abs(x) / (np.abs(x).max() + np.float32(0.2)) * np.sign(x)
    values = {ANY: x, SMALL: inside, POSITIVE: np.abs(x) + 1, ABOVE_ONE: np.abs(x) + 1}
    for op, (where, function) in FUNCTIONS.items():
        expected = function(values[where].astype(np.float64))
        case(op, SINCE18, [values[where]], expected.astype(np.float32))
    case("Gelu", (20, SINCE18[1]), [x], gelu(x.astype(float)).astype(np.float32))
    cubic = np.sqrt(2 / np.pi) * (x + 0.044715 * x.astype(float) ** 3)
    near = (x / 2 * (1 + np.tanh(cubic))).astype(np.float32)
    case("Gelu", (20, SINCE18[1]), [x], near, approximate="tanh")
    case("Swish", (24, SINCE18[1]), [x], x * sigmoid(x))


def parameters():
    x = 2 * normal(3, 5)
    case("Clip", SINCE18, [x, np.float32(-1), np.float32(0.5)], x.clip(-1, 0.5))
    case("Clip", SINCE18, [x, None, np.float32(0.5)], np.minimum(x, np.float32(0.5)))
    case("Elu", SINCE18, [x], np.where(x < 0, 2 * np.expm1(x), x), alpha=2.0)
    case("HardSigmoid", SINCE18, [x], np.clip(0.3 * x + 0.4, 0, 1).astype(np.float32), alpha=0.3, beta=0.4)
    case("Dropout", SINCE18, [x], x)
    case("Dropout", SINCE18, [x], [x, np.ones(x.shape, bool)])
    slope = normal(5)
    case("PRelu", SINCE18, [x, slope], np.where(x < 0, x * slope, x))
    case("ThresholdedRelu", SINCE18, [x], np.where(x > 0.3, x, 0).astype(np.float32), alpha=0.3)


def arithmetic():
    """Both operands broadcast."""
    x, y = normal(3, 1, 4), normal(2, 1)
    for op, function in (("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply)):
        case(op, SINCE18, [x, y], function(x, y))
    case("Div", SINCE18, [x, np.abs(y) + 1], x / (np.abs(y) + 1))
    case("Pow", SINCE18, [np.abs(x), y], np.abs(x) ** y)
    i, j = (RNG.integers(-9, 9, shape) for shape in ((3, 1, 4), (2, 1)))
    j[j == 0] = 4
    case("Mod", SINCE18, [i, j], np.mod(i, j))
    case("Mod", SINCE18, [x, y], np.fmod(x, y), fmod=1)
    case("Div", SINCE18, [i, j], np.trunc(i / j).astype(np.int64))
    z = normal(1, 2, 4)
    for op, function in (("Max", np.maximum), ("Min", np.minimum), ("Sum", np.add)):
        case(op, SINCE18, [x, y, z], function(function(x, y), z))
    case("Mean", SINCE18, [x, y, z], (x + y + z) / np.float32(3))


def bits():
    a = RNG.integers(0, 256, (3, 4)).astype(np.uint8)
    b = RNG.integers(0, 8, (4,)).astype(np.uint8)
    case("BitShift", SINCE18, [a, b], a << b, direction="LEFT")
    case("BitShift", SINCE18, [a, b], a >> b, direction="RIGHT")
    i, j = (RNG.integers(-99, 99, shape).astype(np.int32) for shape in ((3, 4), (4,)))
    case("BitwiseAnd", SINCE18, [i, j], i & j)
    case("BitwiseOr", SINCE18, [i, j], i | j)
    case("BitwiseXor", SINCE18, [i, j], i ^ j)
    case("BitwiseNot", SINCE18, [i], ~i)


def logic():
    p, q = RNG.random((3, 4)) < 0.5, RNG.random(4) < 0.5
    case("And", SINCE18, [p, q], p & q)
    case("Or", SINCE18, [p, q], p | q)
    case("Xor", SINCE18, [p, q], p ^ q)
    case("Not", SINCE18, [p], ~p)
    x = RNG.integers(-2, 3, (3, 4)).astype(np.float32)
    y = RNG.integers(-2, 3, 4).astype(np.float32)
    case("Equal", SINCE18, [x, y], x == y)
    case("Greater", SINCE18, [x, y], x > y)
    case("GreaterOrEqual", SINCE18, [x, y], x >= y)
    case("Less", SINCE18, [x, y], x < y)
    case("LessOrEqual", SINCE18, [x, y], x <= y)
    case("Where", SINCE18, [q, x, y], np.where(q, x, y))
    odd = np.array([np.inf, -np.inf, np.nan, 1], np.float32)
    case("IsInf", SINCE18, [odd], np.isinf(odd))
    case("IsInf", SINCE18, [odd], odd == -np.inf, detect_positive=0)
    case("IsNaN", SINCE18, [odd], np.isnan(odd))


for group in (functions, parameters, arithmetic, bits, logic):
    group()
