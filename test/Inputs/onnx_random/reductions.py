"""Rules of reductions and of what is normalised along axes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

REDUCTIONS = (
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
)


def reduce(g, op):
    dtype = "float32"
    if g.chance(0.3):
        kinds = ["float64", "int32"]
        if op in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"):
            kinds.append("int64")
        if op in ("ReduceMax", "ReduceMin") and g.opset >= 12:
            kinds += ["int8", "uint8"]
        floating = op == "ReduceL2" or op.startswith("ReduceLog")
        dtype = "float64" if floating else g.choice(kinds)
    if op == "ReduceLogSum":
        x = g.fresh(g.shape(1, 4), dtype, 0.25, 4)
    elif op == "ReduceProd":
        x = g.fresh(g.shape(1, 3, 4), dtype, -2, 2)
    else:
        x = g.pick(dtype, 1, 5, bound=20)
    as_input = g.opset >= (13 if op == "ReduceSum" else 18)
    axes = None if g.chance(0.2) else g.axes(x.rank, negative=g.opset >= 11)
    keep = g.choice([None, 0, 1])
    count = 1
    for size in x.shape:
        count *= size
    bound = count * x.bound**2 + 8
    if not as_input:
        return g.add(op, [x], axes=axes, keepdims=keep, bound=bound)
    nothing = g.choice([None, 0, 1]) if axes is None and op == "ReduceSum" else None
    given = None if axes is None else g.ints(axes)
    if axes is None and g.chance(0.3):
        given = g.ints([])
    return g.add(
        op, [x, given], keepdims=keep, bound=bound, noop_with_empty_axes=nothing
    )


def softmax(g, op):
    x = g.pick(g.choice(["float32"] * 4 + ["float64"]), 1, 4, bound=30)
    axis = None if g.chance(0.2) else g.axis(x.rank, negative=g.opset >= 11)
    if axis is None and g.opset < 13 and x.rank < 2:
        axis = 0
    g.add(op, [x], bound=1 if op == "Softmax" else 100, axis=axis)


def hardmax(g, op):
    x = g.pick("float32", 2, 4, exact=True)
    axis = None if g.chance(0.2) else g.axis(x.rank, negative=g.opset >= 11)
    g.add(op, [x], exact=True, bound=1, axis=axis)


def arg(g, op):
    kinds = ["float32"] * 4 + ["int32"] + (["float64"] if g.opset >= 11 else [])
    x = g.pick(g.choice(kinds), 1, 4, exact=True)
    axis = None if g.chance(0.2) else g.axis(x.rank, negative=g.opset >= 11)
    last = g.choice([None, 0, 1]) if g.opset >= 12 else None
    keep = g.choice([None, 0, 1])
    g.add(op, [x], exact=True, axis=axis, keepdims=keep, select_last_index=last)


def top_k(g, op):
    kinds = ["float32"] * 4 + (["int32", "int64", "float64"] if g.opset >= 11 else [])
    x = g.pick(g.choice(kinds), 1, 4, exact=True)
    axis = None if g.chance(0.2) else g.axis(x.rank, negative=g.opset >= 10)
    size = x.shape[-1 if axis is None else axis]
    k = g.random.randint(1, size)
    if g.opset < 10:
        return g.add(op, [x], 2, exact=True, axis=axis, k=k)
    largest = g.choice([None, 0, 1]) if g.opset >= 11 else None
    ordered = g.choice([None, 1]) if g.opset >= 11 else None
    return g.add(
        op, [x, g.ints([k])], 2, exact=True, axis=axis, largest=largest, sorted=ordered
    )


def cumulate(g, op):
    x = g.pick(g.choice(["float32", "float32", "int32", "int64", "float64"]), 1, 4)
    axis = g.scalar(g.axis(x.rank), g.choice(["int32", "int64"]))
    flags = {name: g.choice([None, 0, 1]) for name in ("exclusive", "reverse")}
    g.add(op, [x, axis], bound=6 * x.bound, **flags)


def lp_normalize(g, op):
    x = g.fresh(g.shape(1, 4), "float32", 0.5, 4)
    axis = None if g.chance(0.2) else g.axis(x.rank)
    g.add(op, [x], bound=4, axis=axis, p=g.choice([None, 1, 2]))


def mean_variance(g, op):
    # A deviation of zero would be a division by almost nothing.
    shape = [g.random.randint(3, 5) for _ in range(4)]
    x = g.fresh(shape, "float32")
    axes = None if g.chance(0.5) else sorted(g.random.sample(range(4), 2))
    g.add(op, [x], bound=10, axes=axes)


RULES = {
    **{name: reduce for name in REDUCTIONS},
    "ArgMax": arg,
    "ArgMin": arg,
    "CumSum": cumulate,
    "Hardmax": hardmax,
    "LogSoftmax": softmax,
    "LpNormalization": lp_normalize,
    "MeanVarianceNormalization": mean_variance,
    "Softmax": softmax,
    "TopK": top_k,
}
