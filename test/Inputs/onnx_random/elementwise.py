"""Rules of elementwise operators.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from .builder import FLOATS, INTEGERS, Unfit

# The range in which each function is tame, and the bound of its values.
UNARY = {
    "Acos": (-0.9, 0.9, 4),
    "Acosh": (1.25, 4, 4),
    "Asin": (-0.9, 0.9, 2),
    "Asinh": (-4, 4, 4),
    "Atan": (-4, 4, 2),
    "Atanh": (-0.9, 0.9, 4),
    "Cos": (-4, 4, 1),
    "Cosh": (-3, 3, 11),
    "Erf": (-4, 4, 1),
    "Exp": (-4, 3, 21),
    "Gelu": (-4, 4, 4),
    "HardSwish": (-6, 6, 6),
    "Log": (0.25, 4, 2),
    "Mish": (-4, 4, 4),
    "Reciprocal": (0.25, 4, 4),
    "Sigmoid": (-6, 6, 1),
    "Sin": (-4, 4, 1),
    "Sinh": (-3, 3, 11),
    "Softplus": (-6, 6, 7),
    "Softsign": (-4, 4, 1),
    "Sqrt": (0.25, 4, 2),
    "Tan": (-1.2, 1.2, 3),
    "Tanh": (-4, 4, 1),
}


def unary(g, op):
    low, high, bound = UNARY[op]
    if low == -high:
        x = g.pick(g.float_type(), bound=high)
    else:
        x = g.fresh(g.shape(0, 4), g.float_type(), low, high)
    attributes = {}
    if op == "Gelu" and g.chance(0.7):
        attributes["approximate"] = g.choice(["none", "tanh"])
    g.add(op, [x], bound=bound, **attributes)


# Attributes, by the opset in which each operator has them.
SLOPED = {
    "Celu": {"alpha": (0.25, 2)},
    "Elu": {"alpha": (0.25, 2)},
    "HardSigmoid": {"alpha": (0.1, 0.5), "beta": (0.2, 0.8)},
    "LeakyRelu": {"alpha": (0.01, 0.5)},
    "Selu": {"alpha": (1, 2), "gamma": (1, 2)},
}


def sloped(g, op):
    attributes = {
        name: g.random.uniform(*limits)
        for name, limits in SLOPED[op].items()
        if g.chance(0.6)
    }
    dtype = "float32" if op == "Celu" else g.float_type()
    x = g.pick(dtype, bound=100)
    g.add(op, [x], bound=4 * x.bound + 1, **attributes)


def step(g, op):
    """Functions that jump: exact operands only."""
    x = g.pick(g.float_type(), exact=True)
    attributes = {}
    if op == "ThresholdedRelu" and g.chance(0.7):
        attributes["alpha"] = g.choice([0.25, 0.5, 1.5])
    if op == "Shrink":
        attributes = {"lambd": g.choice([0.5, 1.25]), "bias": g.choice([0.0, 0.5])}
    g.add(op, [x], exact=True, **attributes)


def signed(g, op):
    """Abs, Neg, Sign, Relu: of integers too."""
    kinds = FLOATS + ("int8", "int16", "int32", "int64")
    if op == "Relu" and g.opset < 14:
        kinds = FLOATS
    dtype = "float32" if g.chance(0.6) else g.choice(kinds)
    x = g.pick(dtype, exact=op == "Sign")
    g.add(op, [x], exact=x.exact)


def special(g, op):
    """IsNaN and IsInf."""
    values = g.values(g.shape(0, 3), g.float_type())
    for value in (np.nan, np.inf, -np.inf):
        if values.size:
            values.flat[g.random.randrange(values.size)] = value
    attributes = {}
    if op == "IsInf":
        attributes = {
            name: g.random.randint(0, 1)
            for name in ("detect_negative", "detect_positive")
            if g.chance(0.6)
        }
    x = g.input(values)
    g.add(op, [x], exact=True, bound=1, **attributes)


def prelu(g, op):
    x = g.pick(g.float_type(), low=1)
    shape = [g.choice([1, size]) for size in x.shape]
    slope = g.fresh(shape[g.random.randint(0, len(shape) - 1) :], x.dtype)
    g.add(op, [x, slope], bound=4 * x.bound)


def clip(g, op):
    if g.opset < 11:
        x = g.pick(g.float_type())
        attributes = {}
        if g.chance(0.7):
            attributes["min"] = g.choice([-1.0, 0.25])
        if g.chance(0.7):
            attributes["max"] = g.choice([1.5, 2.0])
        return g.add(op, [x], exact=x.exact, **attributes)
    x = g.pick(g.float_type() if g.opset < 12 else g.number_type())
    low = g.scalar(-1, x.dtype) if g.chance(0.7) else None
    high = g.scalar(2, x.dtype) if g.chance(0.7) else None
    return g.add(op, [x, low, high], exact=x.exact)


# ---- Several operands ------------------------------------------------------


def pair(g, dtype, exact=False, bound=1e3):
    x = g.pick(dtype, exact=exact, bound=bound)
    y = g.broadcastable(x)
    return (x, y) if g.chance(0.5) else (y, x)


def arithmetic(g, op):
    dtype = g.number_type(small=g.opset >= 14)
    x, y = pair(g, dtype)
    bound = x.bound * y.bound if op == "Mul" else x.bound + y.bound
    g.add(op, [x, y], bound=bound, exact=x.exact and y.exact and op != "Mul")


def divide(g, op):
    x = g.pick(g.number_type(small=g.opset >= 14))
    y = g.broadcastable(x, low=1, high=4)
    g.add(op, [x, y], bound=x.bound * 4)


def power(g, op):
    if g.chance(0.5):
        x = g.fresh(g.shape(0, 4), "float32", 0.5, 2)
        y = g.broadcastable(x, low=-2, high=2)
        return g.add(op, [x, y], bound=4)
    kind = g.choice(["float32", "int32", "int64"]) if g.opset >= 12 else "float32"
    base = "float32" if g.opset < 12 else g.choice(["float32", "int32", "int64"])
    x = g.fresh(g.shape(0, 4), base, -3, 3)
    y = g.broadcastable(x, dtype=kind, low=0, high=3)
    # Of negative numbers only whole powers are numbers.
    if base == "float32" and kind == "float32":
        y = g.scalar(g.choice([0, 1, 2, 3]), kind)
    return g.add(op, [x, y], bound=27)


def modulo(g, op):
    fmod = g.chance(0.5)
    dtype = g.choice(["int8", "int32", "int64", "uint8", "uint32"])
    if fmod:
        dtype = g.choice(["float32", "float32", "int32", "int64"])
    x = g.fresh(g.shape(0, 4), dtype, -20, 20)
    y = g.broadcastable(x, low=1, high=5)
    if not dtype.startswith("u") and g.chance(0.5):
        y = g.broadcastable(x, low=-5, high=-1)
    g.add(op, [x, y], bound=5, fmod=1 if fmod else None)


def compare(g, op):
    kinds = ["float32", "float64", "int32", "int64"]
    if op == "Equal" and (g.opset < 11 or g.chance(0.2)):
        kinds = ["bool", "int32", "int64"]
    if g.opset < 9 and op != "Equal":
        kinds = ["float32", "float64"]
    x, y = pair(g, g.choice(kinds), exact=True)
    g.add(op, [x, y], exact=True, bound=1)


def logic(g, op):
    dtype = "bool"
    if op.startswith("Bitwise"):
        dtype = g.choice(INTEGERS)
    x, y = pair(g, dtype, exact=True)
    g.add(op, [x, y], exact=True, bound=1e9)


def invert(g, op):
    x = g.pick("bool" if op == "Not" else g.choice(INTEGERS), exact=True)
    g.add(op, [x], exact=True, bound=1e9)


def shift(g, op):
    dtype = g.choice(["uint8", "uint16", "uint32", "uint64"])
    x = g.fresh(g.shape(0, 3), dtype, 0, 200)
    y = g.broadcastable(x, low=0, high=7)
    g.add(op, [x, y], exact=True, bound=1e9, direction=g.choice(["LEFT", "RIGHT"]))


def variadic(g, op):
    kinds = FLOATS
    if op in ("Max", "Min") and g.opset >= 12:
        kinds += ("int32", "int64")
    x = g.pick("float32" if g.chance(0.6) else g.choice(kinds))
    operands = [x]
    for _ in range(g.random.randint(0, 3)):
        if g.opset < 8:
            operands.append(g.fresh(x.shape, x.dtype))
        else:
            operands.append(g.broadcastable(x))
    g.random.shuffle(operands)
    bound = sum(t.bound for t in operands)
    g.add(op, operands, bound=bound)


def where(g, op):
    x = g.pick(g.any_type())
    y = g.broadcastable(x)
    condition = g.broadcastable(x, dtype="bool")
    g.add(op, [condition, x, y], exact=x.exact and y.exact)


# ---- Conversions -----------------------------------------------------------


def castable(g):
    """A tensor, and a type to which its elements convert in a defined way."""
    x = g.pick(g.any_type(), exact=True, bound=100)
    kinds = FLOATS + INTEGERS + ("bool",)
    to = g.choice(kinds)
    negative = not x.dtype.startswith("u") and x.dtype != "bool"
    if to.startswith("u") and negative:
        raise Unfit("a negative float has no unsigned value")
    return x, to


def cast(g, op):
    x, to = castable(g)
    g.add(op, [x], exact=True, to=NP_TYPE_TO_TENSOR_TYPE[np.dtype(to)])


def cast_like(g, op):
    x, to = castable(g)
    like = g.fresh((1,), to, 0, 3)
    g.add(op, [x, like], exact=True)


RULES = {
    **{name: unary for name in UNARY},
    **{name: sloped for name in SLOPED},
    **{name: step for name in ("Ceil", "Floor", "Round", "Shrink", "ThresholdedRelu")},
    **{name: signed for name in ("Abs", "Neg", "Relu", "Sign")},
    **{name: arithmetic for name in ("Add", "Sub", "Mul")},
    **{
        name: compare
        for name in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
    },
    **{
        name: logic
        for name in ("And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor")
    },
    **{name: variadic for name in ("Max", "Mean", "Min", "Sum")},
    "BitShift": shift,
    "BitwiseNot": invert,
    "Cast": cast,
    "CastLike": cast_like,
    "Clip": clip,
    "Div": divide,
    "IsInf": special,
    "IsNaN": special,
    "Mod": modulo,
    "Not": invert,
    "PRelu": prelu,
    "Pow": power,
    "Where": where,
}
