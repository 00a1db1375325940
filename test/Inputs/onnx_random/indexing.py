"""Rules of operators whose positions are data.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from .builder import FLOATS


def positions(g, shape, size, negative, unique_along=None):
    """Indices below `size`, of either type, stored or given."""
    if unique_along is None:
        values = g.numpy.integers(0, size, shape)
    else:
        # No position twice along one axis: scattered writes have an order else.
        ranks = np.argsort(g.numpy.random((*shape, size)), axis=-1)
        moved = np.moveaxis(ranks, -1, unique_along)
        count = shape[unique_along]
        moved = np.take(moved, range(count), axis=unique_along)
        values = np.take(moved, 0, axis=unique_along + 1)
    values = np.asarray(values)
    if negative:
        values = np.where(g.numpy.random(values.shape) < 0.3, values - size, values)
    values = values.astype(g.choice([np.int32, np.int64]))
    return g.constant(values) if g.chance(0.4) else g.input(values)


def gather(g, op):
    x = g.pick(g.any_type(), 1, 4)
    axis = g.axis(x.rank)
    which = positions(g, g.shape(0, 2), x.shape[axis], g.opset >= 11)
    given = None if axis == 0 and g.chance(0.5) else axis
    g.add(op, [x, which], exact=x.exact, axis=given)


def gather_elements(g, op):
    x = g.pick(g.any_type(), 1, 4)
    axis = g.axis(x.rank)
    shape = [g.random.randint(1, size) for size in x.shape]
    shape[axis] = g.random.randint(1, 4)
    which = positions(g, shape, x.shape[axis], True)
    g.add(op, [x, which], exact=x.exact, axis=axis)


def tuples(g, shape, sizes, negative=True):
    """Whole positions along a last dim."""
    columns = [g.numpy.integers(0, size, shape) for size in sizes]
    values = np.stack(columns, axis=-1)
    if negative:
        mask = g.numpy.random(values.shape) < 0.3
        values = np.where(mask, values - np.array(sizes), values)
    values = values.astype(np.int64)
    return g.constant(values) if g.chance(0.4) else g.input(values)


def gather_nd(g, op):
    x = g.pick(g.any_type(), 1, 4)
    batch = g.random.randint(0, min(2, x.rank - 1)) if g.opset >= 12 else 0
    depth = g.random.randint(1, x.rank - batch)
    shape = (*x.shape[:batch], *g.shape(0, 2, 3))
    which = tuples(g, shape, x.shape[batch : batch + depth])
    given = batch if batch or (g.opset >= 12 and g.chance(0.3)) else None
    g.add(op, [x, which], exact=x.exact, batch_dims=given)


def scatter_elements(g, op):
    floats = "float32" if g.chance(0.6) else g.choice(FLOATS + ("int32", "int64"))
    x = g.pick(floats, 1, 3)
    axis = g.axis(x.rank)
    shape = [g.random.randint(1, size) for size in x.shape]
    reduction = None
    if g.opset >= 16 and g.chance(0.5):
        reduction = g.choice(["add", "mul"])
        if g.opset >= 18:
            reduction = g.choice(["add", "mul", "max", "min"])
    # With a reduction a position may occur twice.
    unique = None if reduction else axis % x.rank
    size = x.shape[axis]
    which = positions(g, shape, size, g.opset >= 11, unique)
    updates = g.fresh(shape, x.dtype, -2, 2)
    bound = x.bound * 16 + 8
    exact = x.exact and reduction is None
    g.add(op, [x, which, updates], exact=exact, bound=bound, axis=axis, reduction=reduction)


def scatter_nd(g, op):
    x = g.pick("float32" if g.chance(0.7) else "int64", 1, 3)
    depth = g.random.randint(1, x.rank)
    sizes = x.shape[:depth]
    count = g.random.randint(1, min(3, int(np.prod(sizes))))
    flat = g.numpy.permutation(int(np.prod(sizes)))[:count]
    which = np.stack(np.unravel_index(flat, sizes), axis=-1).astype(np.int64)
    reduction = g.choice([None, None, "add", "mul"]) if g.opset >= 16 else None
    updates = g.fresh((count, *x.shape[depth:]), x.dtype, -2, 2)
    g.add(
        op,
        [x, g.constant(which) if g.chance(0.5) else g.input(which), updates],
        exact=x.exact and reduction is None,
        bound=x.bound * 16 + 8,
        reduction=reduction,
    )


def reverse_sequence(g, op):
    x = g.fresh(g.shape(2, 4), "float32", constant=False)
    time = g.random.randint(0, 1)
    lengths = g.numpy.integers(1, x.shape[time], x.shape[1 - time], endpoint=True)
    attributes = {"time_axis": time, "batch_axis": 1 - time}
    if time == 0 and g.chance(0.4):
        attributes = {}
    g.add(op, [x, g.input(lengths.astype(np.int64))], exact=True, **attributes)


def one_hot(g, op):
    depth = g.random.randint(1, 5)
    shape = g.shape(0, 3, 3)
    indices = g.numpy.integers(-depth, depth, shape).astype(np.int64)
    if g.opset < 11:
        indices = np.abs(indices) % depth
    indices = np.asarray(indices, np.int64)
    dtype = g.choice(["float32", "int64", "int32"])
    kind = g.choice([np.int64, np.float32])
    axis = None if g.chance(0.4) else g.axis(len(shape) + 1)
    size = g.constant(np.array(depth, kind))
    g.add(op, [g.input(indices), size, g.fresh((2,), dtype)], exact=True, axis=axis)


def eye_like(g, op):
    x = g.fresh(g.shape(2, 2), g.choice(["float32", "int32", "int64"]))
    dtype = None
    if g.chance(0.5):
        kind = g.choice(["float32", "float64", "int32", "int64"])
        dtype = NP_TYPE_TO_TENSOR_TYPE[np.dtype(kind)]
    g.add(op, [x], exact=True, k=g.choice([None, 0, 1, -1, 7]), dtype=dtype)


def trilu(g, op):
    kinds = ["float32", "float32", "float64", "int64"]
    x = g.pick(g.choice(kinds), 2, 4)
    diagonal = g.choice([None, -7, -1, 0, 1, 2])
    k = None if diagonal is None else g.scalar(diagonal, "int64")
    g.add(op, [x, k], exact=x.exact, upper=g.choice([None, 0, 1]))


RULES = {
    "EyeLike": eye_like,
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "OneHot": one_hot,
    "ReverseSequence": reverse_sequence,
    "Scatter": scatter_elements,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "Trilu": trilu,
}
