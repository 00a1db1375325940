"""Rules of operators that move elements and of those about sizes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
from onnx import numpy_helper

from .builder import Unfit


def same(g, op):
    """Identity."""
    x = g.pick(g.any_type())
    g.add(op, [x], exact=x.exact)


def dropout(g, op):
    x = g.pick(g.float_type())
    if g.opset < 12:
        # What the mask is where nothing is dropped was not defined yet.
        return g.add(op, [x], exact=x.exact, ratio=g.choice([None, 0.25]))
    outputs = g.choice([1, 1, 2])
    ratio = g.scalar(0.25, "float32") if g.chance(0.4) else None
    training = g.constant(np.array(False)) if g.chance(0.3) else None
    return g.add(op, [x, ratio, training], outputs, exact=x.exact)


def transpose(g, op):
    x = g.pick(g.any_type(), 0, 5)
    order = list(range(x.rank))
    g.random.shuffle(order)
    perm = None if g.chance(0.2) or not order else order
    g.add(op, [x], exact=x.exact, perm=perm)


def factors(g, count, rank):
    """`count` as a product of `rank` sizes."""
    sizes = []
    for _ in range(rank - 1):
        divisor = g.choice([d for d in range(1, count + 1) if count % d == 0])
        sizes.append(divisor)
        count //= divisor
    return sizes + [count]


def reshape(g, op):
    x = g.pick(g.any_type())
    count = int(np.prod(x.shape, initial=1))
    shape = factors(g, count, g.random.randint(1, 4))
    if count == 1 and g.chance(0.2):
        shape = []
    for at, size in enumerate(shape):
        if at < x.rank and size == x.shape[at] and g.chance(0.4):
            shape[at] = 0
    if shape and g.chance(0.4):
        at = g.random.randrange(len(shape))
        shape[at] = -1
    allow = 0 if g.opset >= 14 and g.chance(0.2) else None
    g.add(op, [x, g.ints(shape)], exact=x.exact, allowzero=allow)


def reshape_computed(g, op):
    """A Reshape whose shape the graph computes, as exporters write it."""
    x = g.pick("float32", 2, 4)
    (shape,) = g.add("Shape", [x], exact=True)
    (first,) = g.add("Gather", [shape, g.scalar(0, "int64")], exact=True, axis=0)
    if g.opset < 13:
        (first,) = g.add("Unsqueeze", [first], exact=True, axes=[0])
    else:
        (first,) = g.add("Unsqueeze", [first, g.ints([0])], exact=True)
    (target,) = g.add("Concat", [first, g.ints([-1])], exact=True, axis=0)
    g.add("Reshape", [x, target], exact=x.exact)


def either_reshape(g, op):
    (reshape_computed if g.chance(0.2) else reshape)(g, op)


def flatten(g, op):
    kinds = "float32" if g.opset < 9 else g.any_type()
    x = g.pick(kinds, 1 if g.opset < 9 else 0, 5)
    axis = g.random.randint(0, x.rank)
    if g.opset >= 11 and x.rank and g.chance(0.4):
        axis = -g.random.randint(1, x.rank)
    g.add(op, [x], exact=x.exact, axis=None if g.chance(0.2) and x.rank else axis)


def squeeze(g, op):
    shape = list(g.shape(1, 3))
    ones = sorted(g.random.sample(range(len(shape) + 1), g.random.randint(1, 2)))
    for at in ones:
        shape.insert(at, 1)
    ones = [at for at in range(len(shape)) if shape[at] == 1]
    x = g.fresh(shape, g.any_type(), constant=False)
    axes = g.random.sample(ones, g.random.randint(1, len(ones)))
    if g.opset >= 11:
        axes = [at - len(shape) if g.chance(0.4) else at for at in axes]
    if g.chance(0.2):
        return g.add(op, [x], exact=True)
    if g.opset < 13:
        return g.add(op, [x], exact=True, axes=axes)
    return g.add(op, [x, g.ints(axes)], exact=True)


def unsqueeze(g, op):
    x = g.pick(g.any_type(), 0, 3)
    count = g.random.randint(1, 2)
    rank = x.rank + count
    axes = g.random.sample(range(rank), count)
    if g.opset < 11:
        axes = sorted(axes)
    else:
        axes = [at - rank if g.chance(0.4) else at for at in axes]
    if g.opset < 13:
        return g.add(op, [x], exact=x.exact, axes=axes)
    return g.add(op, [x, g.ints(axes)], exact=x.exact)


def concat(g, op):
    x = g.pick(g.any_type(), 1, 4)
    axis = g.axis(x.rank, negative=g.opset >= 11)
    parts = [x]
    for _ in range(g.random.randint(0, 3)):
        shape = list(x.shape)
        shape[axis] = g.random.randint(1, 4)
        parts.append(x if g.chance(0.15) else g.fresh(shape, x.dtype))
    g.random.shuffle(parts)
    g.add(op, parts, exact=x.exact, axis=axis)


def split(g, op):
    x = g.pick(g.any_type(), 1, 4, fits=lambda t: max(t.shape) > 1)
    axes = [at for at in range(x.rank) if x.shape[at] > 1]
    axis = g.choice(axes)
    size = x.shape[axis]
    if g.opset >= 11 and g.chance(0.4):
        axis -= x.rank
    divisors = [d for d in range(1, size + 1) if size % d == 0]
    if g.chance(0.4):
        count = g.choice(divisors)
        if g.opset >= 18:
            count = g.random.randint(1, size)
            # The last part is smaller, but not empty.
            if (count - 1) * -(-size // count) >= size:
                raise Unfit("an empty part")
            return g.add(op, [x], count, exact=x.exact, axis=axis, num_outputs=count)
        return g.add(op, [x], count, exact=x.exact, axis=axis)
    count = g.random.randint(1, min(3, size))
    cuts = sorted(g.random.sample(range(1, size), count - 1))
    parts = [b - a for a, b in zip([0] + cuts, cuts + [size])]
    if g.opset < 13:
        return g.add(op, [x], count, exact=x.exact, axis=axis, split=parts)
    return g.add(op, [x, g.ints(parts)], count, exact=x.exact, axis=axis)


def bounds_of(g, size, step):
    """Start and end of a slice that takes an element at least, out of range or
    counted from the end now and then."""
    first = g.random.randrange(size)
    if step > 0:
        last = g.random.randint(first + 1, size)
        if last == size and g.chance(0.4):
            last = g.choice([size + 3, 2**31 - 1, 2**63 - 1])
        elif g.chance(0.3) and last < size:
            last -= size
    else:
        last = g.random.randint(-1, first - 1)
        if last == -1:
            last = g.choice([-size - 1, -(2**31), -(2**63)])
        elif g.chance(0.3):
            last -= size
    if g.chance(0.3):
        first -= size
    return first, last


def slice_(g, op):
    x = g.pick(g.any_type(), 1, 4)
    axes = g.axes(x.rank, negative=g.opset >= 10)
    steps = [g.choice([1, 1, 2, 3]) for _ in axes]
    if g.opset >= 10 and g.chance(0.4):
        steps = [step * g.choice([1, -1]) for step in steps]
    if g.opset < 10:
        steps = [1] * len(axes)
    pairs = [bounds_of(g, x.shape[axis], step) for axis, step in zip(axes, steps)]
    starts, ends = ([pair[at] for pair in pairs] for at in (0, 1))
    if g.opset < 10:
        if axes == list(range(len(axes))) and g.chance(0.5):
            axes = None
        return g.add(op, [x], exact=x.exact, starts=starts, ends=ends, axes=axes)
    kind = g.choice([np.int32, np.int64])
    if kind == np.int32:
        ends = [int(np.clip(end, -(2**31), 2**31 - 1)) for end in ends]
    lists = [starts, ends, axes, steps]
    if set(steps) == {1} and g.chance(0.5):
        lists[3] = None
        if axes == list(range(len(axes))):
            lists[2] = None
    operands = [None if v is None else g.constant(np.array(v, kind)) for v in lists]
    return g.add(op, [x, *operands], exact=x.exact)


def pad(g, op):
    dtype = "float32"
    if g.opset >= 11:
        dtype = g.choice(["float32", "float32", "float64", "int32", "int64"])
    mode = g.choice([None, "constant", "reflect", "edge"])
    if g.opset >= 19 and g.chance(0.3):
        mode = "wrap"
    x = g.pick(dtype, 1, 4)
    rank = x.rank
    low, high = [0] * rank, [0] * rank
    axes = range(rank)
    given = None
    if g.opset >= 18 and g.chance(0.4):
        axes = [at % rank for at in g.axes(rank, negative=False)]
        given = g.ints([at - rank if g.chance(0.4) else at for at in axes])
    for at in axes:
        most = x.shape[at] - 1 if mode in ("reflect", "wrap") else 2
        low[at], high[at] = g.random.randint(0, most), g.random.randint(0, most)
        # Negative pads crop, but not everything.
        if mode in (None, "constant") and x.shape[at] > 2 and g.chance(0.2):
            low[at] = -1
    value = g.choice([None, 1.5]) if mode in (None, "constant") else None
    if g.opset < 11:
        return g.add(op, [x], exact=x.exact, mode=mode, pads=low + high, value=value)
    pads = g.ints([low[at] for at in axes] + [high[at] for at in axes])
    fill = None if value is None else g.scalar(value, x.dtype)
    return g.add(op, [x, pads, fill, given], exact=x.exact, mode=mode)


def expand(g, op):
    x = g.pick(g.any_type(), 0, 4)
    shape = [
        g.random.randint(1, 4) if size == 1 else g.choice([1, size]) for size in x.shape
    ]
    if g.chance(0.3):
        shape = shape[g.random.randint(0, len(shape)) :]
    elif g.chance(0.4):
        shape = [g.random.randint(1, 3)] + shape
    g.add(op, [x, g.ints(shape)], exact=x.exact)


def tile(g, op):
    x = g.pick(g.any_type(), 1, 4)
    repeats = [g.choice([1, 1, 2, 3]) for _ in x.shape]
    g.add(op, [x, g.ints(repeats)], exact=x.exact)


def depth_to_space(g, op):
    block = g.choice([1, 2, 2, 3])
    channels = block * block * g.random.randint(1, 2)
    spatial = (g.random.randint(1, 3), g.random.randint(1, 3))
    x = g.fresh((g.random.randint(1, 2), channels, *spatial), "float32", constant=False)
    mode = g.choice([None, "DCR", "CRD"]) if g.opset >= 11 else None
    g.add(op, [x], exact=True, blocksize=block, mode=mode)


def space_to_depth(g, op):
    block = g.choice([1, 2, 2, 3])
    spatial = [block * g.random.randint(1, 3) for _ in range(2)]
    shape = (g.random.randint(1, 2), g.random.randint(1, 3), *spatial)
    x = g.fresh(shape, "float32", constant=False)
    g.add(op, [x], exact=True, blocksize=block)


# ---- Sizes and constants ---------------------------------------------------


def shape_of(g, op):
    x = g.pick(g.any_type())
    attributes = {}
    if op == "Shape" and g.opset >= 15:
        for name in ("start", "end"):
            if g.chance(0.5):
                attributes[name] = g.random.randint(-x.rank - 1, x.rank + 1)
    g.add(op, [x], exact=True, bound=1000, **attributes)


def constant(g, op):
    """A Constant, which another node reads so that it is computed with."""
    values = g.values(g.shape(1, 3), "float32")
    attributes = {"value": numpy_helper.from_array(values, "v")}
    if g.opset >= 12 and g.chance(0.6):
        name = g.choice(["value_float", "value_floats", "value_int", "value_ints"])
        number = g.random.randint(-3, 3)
        value = [number, number + 1] if name.endswith("s") else number
        if "float" in name:
            value = [v + 0.5 for v in value] if name.endswith("s") else number + 0.5
        attributes = {name: value}
    (result,) = g.add(op, [], exact=True, bound=4, **attributes)
    if g.opset <= 17:
        g.add("Neg", [result], exact=True)


def constant_of_shape(g, op):
    attributes = {}
    if g.chance(0.7):
        dtype = g.any_type()
        value = g.values((1,), dtype)
        attributes["value"] = numpy_helper.from_array(value, "v")
    g.add(op, [g.ints(g.shape(0, 3))], exact=True, bound=4, **attributes)


def range_(g, op):
    dtype = g.choice(["float32", "float64", "int32", "int64", "int16"])
    start, step = g.random.randint(-4, 4), g.choice([-2, -1, 1, 2, 3])
    limit = start + step * g.random.randint(1, 5) - g.choice([0, step // abs(step)])
    if limit == start:
        limit = start + step
    if dtype.startswith("float") and g.chance(0.5):
        start, limit, step = start / 2, limit / 2, step / 2
    values = [np.array(v, dtype) for v in (start, limit, step)]
    make = g.input if g.chance(0.3) else g.constant
    g.add(op, [make(v) for v in values], exact=True, bound=30)


# ---- Resizing --------------------------------------------------------------


def resize(g, op):
    rank = g.choice([3, 4, 4])
    x = g.fresh([g.random.randint(1, 4) for _ in range(rank)], "float32", constant=False)
    scales = [1.0, 1.0] + [g.choice([1.0, 2.0, 3.0, 0.5, 1.5]) for _ in range(rank - 2)]
    scales = [s if int(s * size) else 1.0 for s, size in zip(scales, x.shape)]
    mode = g.choice([None, "nearest", "linear"])
    table = np.array(scales, np.float32)
    if op == "Upsample":
        scales = [max(s, 1.0) for s in scales]
        table = np.array(scales, np.float32)
        if g.opset < 9:
            return g.add(op, [x], mode=mode, scales=scales)
        return g.add(op, [x, g.constant(table)], mode=mode)
    if g.opset < 11:
        return g.add(op, [x, g.constant(table)], mode=mode)
    if g.chance(0.2) and rank == 4:
        mode = "cubic"
    attributes = {"mode": mode}
    kinds = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
    if g.opset >= 19:
        kinds.append("half_pixel_symmetric")
    if g.chance(0.8):
        attributes["coordinate_transformation_mode"] = g.choice(kinds)
    if mode in (None, "nearest") and g.chance(0.7):
        attributes["nearest_mode"] = g.choice(
            ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
        )
    if mode == "cubic" and g.chance(0.4):
        attributes["cubic_coeff_a"] = -0.5
    if mode == "cubic" and g.chance(0.4):
        attributes["exclude_outside"] = 1
    # Before opset 13 no input may be left out, only be empty.
    none = None if g.opset >= 13 else g.constant(np.array([], np.float32))
    if g.chance(0.5):
        sizes = [max(1, int(s * size)) for s, size in zip(scales, x.shape)]
        return g.add(op, [x, none, none, g.ints(sizes)], **attributes)
    return g.add(op, [x, none, g.constant(table)], **attributes)


RULES = {
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "DepthToSpace": depth_to_space,
    "Dropout": dropout,
    "Expand": expand,
    "Flatten": flatten,
    "Identity": same,
    "Pad": pad,
    "Range": range_,
    "Reshape": either_reshape,
    "Resize": resize,
    "Shape": shape_of,
    "Size": shape_of,
    "Slice": slice_,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "Upsample": resize,
}
