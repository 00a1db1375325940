"""Rules of If and Loop, whose bodies read tensors around them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
from onnx import helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE


def info(name, dtype, shape):
    return helper.make_tensor_value_info(
        name, NP_TYPE_TO_TENSOR_TYPE[np.dtype(dtype)], shape
    )


def constant(name, values):
    value = helper.make_tensor(
        name + "_v", NP_TYPE_TO_TENSOR_TYPE[values.dtype], values.shape, values.ravel()
    )
    return helper.make_node("Constant", [], [name], value=value)


def branch(g, x, y, name):
    """A graph of two nodes on the tensors outside."""
    first, second = (g.choice(["Add", "Sub", "Mul"]) for _ in range(2))
    nodes = [
        helper.make_node(first, [x.name, y.name], [name + "_a"]),
        helper.make_node(second, [name + "_a", x.name], [name]),
    ]
    return helper.make_graph(nodes, name, [], [info(name, x.dtype, x.shape)])


def if_(g, op):
    x = g.pick(g.choice(["float32", "float32", "int64"]), 0, 3, bound=8)
    y = g.fresh(x.shape, x.dtype)
    value = np.array(g.chance(0.5)).reshape(g.choice([(), (1,)]))
    condition = g.constant(value) if g.chance(0.3) else g.input(value)
    yes = branch(g, x, y, g.fresh_name("yes"))
    no = branch(g, x, y, g.fresh_name("no"))
    g.used |= {x.name, y.name}
    g.add(op, [condition], bound=1000, then_branch=yes, else_branch=no)


def loop(g, op):
    """Carries a tensor and gathers another; ends by count or condition."""
    dtype = g.choice(["float32", "float32", "int64"])
    x = g.pick(dtype, 0, 3, bound=8)
    step = g.fresh(x.shape, dtype, -1, 1)
    name = g.fresh_name("l")
    trips = g.random.randint(1, 4)
    stop = g.chance(0.4)
    nodes = [helper.make_node("Add", [name + "_in", step.name], [name + "_out"])]
    if stop:
        # Ends before the trip count does.
        nodes.append(constant(name + "_last", np.array(trips - 1)))
        nodes.append(
            helper.make_node("Less", [name + "_i", name + "_last"], [name + "_go"])
        )
    else:
        nodes.append(helper.make_node("Identity", [name + "_cond"], [name + "_go"]))
    scans = g.chance(0.6)
    outputs = [info(name + "_go", "bool", []), info(name + "_out", dtype, x.shape)]
    if scans:
        other = g.choice(["Neg", "Abs"])
        nodes.append(helper.make_node(other, [name + "_out"], [name + "_scan"]))
        outputs.append(info(name + "_scan", dtype, x.shape))
    body = helper.make_graph(
        nodes,
        name,
        [
            info(name + "_i", "int64", []),
            info(name + "_cond", "bool", []),
            info(name + "_in", dtype, x.shape),
        ],
        outputs,
    )
    limit = np.array(trips + 2 if stop else trips)
    count = g.input(limit) if g.chance(0.5) else g.constant(limit)
    go = g.constant(np.array(True)) if g.chance(0.5) else g.input(np.array(True))
    g.used.add(step.name)
    g.add(op, [count, go, x], 2 if scans else 1, bound=20, body=body)


RULES = {"If": if_, "Loop": loop}
