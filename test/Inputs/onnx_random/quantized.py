"""Rules of quantised operators.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np

from .windows import groups_of, padding, stated, window

BYTES = ("uint8", "int8")


def limits(dtype):
    return (0, 255) if dtype == "uint8" else (-128, 127)


def stored(g, shape, dtype):
    """A quantised tensor of the type's whole range."""
    return g.fresh(shape, dtype, *limits(dtype))


def weights(g, shape, dtype):
    """A right operand. Where a processor has no dot products of bytes, ONNX Runtime adds
    products with int8 in pairs, in 16 bits that saturate: 7 bits of it are safe."""
    low, high = (-64, 63) if dtype == "int8" else limits(dtype)
    return g.fresh(shape, dtype, low, high)


def scale(g, shape=()):
    return g.constant(g.numpy.uniform(0.01, 0.5, shape).astype(np.float32))


def zero(g, dtype, shape=()):
    low, high = limits(dtype)
    values = g.numpy.integers(low // 4, high // 4, shape, endpoint=True)
    return g.constant(np.asarray(values, dtype))


def parameters(g, x, dtype, optional=True):
    """Scale and zero point, for the whole or along an axis, and that axis."""
    axis = None
    shape = ()
    if g.opset >= 13 and x.rank and g.chance(0.4):
        axis = g.axis(x.rank)
        shape = (x.shape[axis],)
    point = None if optional and g.chance(0.3) else zero(g, dtype, shape)
    return scale(g, shape), point, axis


def quantize(g, op):
    x = g.pick("float32", 0, 4, exact=True)
    optional = g.chance(0.3)
    dtype = "uint8" if optional else g.choice(BYTES)
    by, point, axis = parameters(g, x, dtype, optional)
    g.add(op, [x, by, point], exact=True, bound=255, axis=axis)


def dequantize(g, op):
    dtype = g.choice([*BYTES, "int32"])
    shape = g.shape(1, 4)
    if dtype == "int32":
        x = g.fresh(shape, dtype, -1000, 1000)
        by, _, axis = parameters(g, x, "int8")
        point = None
    else:
        x = stored(g, shape, dtype)
        by, point, axis = parameters(g, x, dtype)
    g.add(op, [x, by, point], bound=130, axis=axis)


def dynamic(g, op):
    x = g.fresh(g.shape(1, 3), "float32", constant=False)
    g.add(op, [x], 3, bound=255)


def matrices(g):
    """Shapes of two matrices, with batch dims on the left one at times."""
    rows, inner, columns = (g.random.randint(1, 5) for _ in range(3))
    batch = g.shape(1, 2, 3) if g.chance(0.3) else ()
    return (*batch, rows, inner), (inner, columns)


def matmul_integer(g, op):
    left, right = matrices(g)
    a, b = g.choice(BYTES), g.choice(BYTES)
    a_zero = zero(g, a) if g.chance(0.7) else None
    b_zero = None
    if g.chance(0.6):
        b_zero = zero(g, b, (right[-1],) if g.chance(0.4) else ())
    operands = [stored(g, left, a), weights(g, right, b), a_zero, b_zero]
    g.add(op, operands, exact=True, bound=1e6)


def qlinear_matmul(g, op):
    left, right = matrices(g)
    a = g.choice(BYTES)
    b = "int8" if a == "int8" else g.choice(BYTES)
    per_column = (right[-1],) if g.chance(0.3) else ()
    out = scale(g)
    g.add(
        op,
        [
            stored(g, left, a),
            scale(g),
            zero(g, a),
            weights(g, right, b),
            scale(g, per_column),
            zero(g, b, per_column),
            out,
            zero(g, a),
        ],
        bound=255,
    )


def convolution(g, op):
    rank = g.choice([1, 2, 2, 2, 3])
    spatial = [g.random.randint(3, 6) for _ in range(rank)]
    channels = g.random.randint(1, 4)
    groups = groups_of(g, channels)
    features = groups * g.random.randint(1, 3)
    kernel, strides, dilations = window(g, spatial)
    attributes = stated(g, padding(g, kernel, dilations), kernel, strides, dilations)
    if groups != 1 or g.chance(0.2):
        attributes["group"] = groups
    image = (g.random.randint(1, 2), channels, *spatial)
    return image, (features, channels // groups, *kernel), attributes


def conv_integer(g, op):
    image, filters, attributes = convolution(g, op)
    x, w = stored(g, image, "uint8"), weights(g, filters, g.choice(BYTES))
    x_zero = zero(g, x.dtype) if g.chance(0.7) else None
    w_zero = zero(g, w.dtype) if g.chance(0.5) else None
    g.add(op, [x, w, x_zero, w_zero], exact=True, bound=1e6, **attributes)


def qlinear_conv(g, op):
    image, filters, attributes = convolution(g, op)
    a = g.choice(BYTES)
    b = "int8" if a == "int8" else g.choice(BYTES)
    x, w = stored(g, image, a), weights(g, filters, b)
    each = (filters[0],) if g.chance(0.5) else ()
    bias = g.fresh((filters[0],), "int32", -500, 500) if g.chance(0.6) else None
    # One zero point for all filters: others are 0 in what runtimes accept.
    w_zero = g.constant(np.zeros(each, b)) if each else zero(g, b)
    operands = [x, scale(g), zero(g, a), w, scale(g, each), w_zero]
    g.add(op, [*operands, scale(g), zero(g, a), bias], bound=255, **attributes)


RULES = {
    "ConvInteger": conv_integer,
    "DequantizeLinear": dequantize,
    "DynamicQuantizeLinear": dynamic,
    "MatMulInteger": matmul_integer,
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear_matmul,
    "QuantizeLinear": quantize,
}
