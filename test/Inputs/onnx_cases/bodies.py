"""Recurrent layers, and operators with graphs inside.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
import recurrentnumpy
from onnx import TensorProto, helper

from . import SINCE18, case

RNG = np.random.default_rng(22)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def layers():
    for kind, gates in recurrentnumpy.GATES.items():
        x, w, r = normal(3, 2, 4), normal(1, gates * 3, 4), normal(1, gates * 3, 3)
        b, state = normal(1, 2 * gates * 3), normal(1, 2, 3)
        lengths = np.array([3, 2], np.int32)
        count = 3 if kind == "LSTM" else 2
        every = recurrentnumpy.recurrent(kind, x, w, r, b, lengths, state)
        outputs = [a.astype(np.float32) for a in every[:count]]
        inputs = [x, w, r, b, lengths, state]
        case(kind, SINCE18, inputs, outputs, [1, 2, 3], 1e-4, hidden_size=3)
        w, r, b = (np.concatenate([a, -a]) for a in (w, r, b))
        options = {"hidden_size": 3, "direction": "bidirectional"}
        every = recurrentnumpy.recurrent(kind, x, w, r, b, **options)
        outputs = [every[0].astype(np.float32)]
        case(kind, SINCE18, [x, w, r, b], outputs, [1, 2, 3], 1e-4, **options)


def info(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def branch(op, name):
    """One node on a constant of the branch itself."""
    value = helper.make_tensor(f"{name}_x", TensorProto.FLOAT, [3], [1, -2, 3])
    result = info(f"{name}_y", TensorProto.FLOAT, [3])
    node = helper.make_node(op, [f"{name}_x"], [f"{name}_y"])
    return helper.make_graph([node], name, [], [result], [value])


def branches():
    x = np.array([1, -2, 3], np.float32)
    graphs = {"then_branch": branch("Neg", "then"), "else_branch": branch("Relu", "otherwise")}
    for condition, expected in ((True, -x), (False, np.maximum(x, 0))):
        case("If", SINCE18, [np.array(condition)], expected, **graphs)


def loops():
    """Doubles a tensor while its number of steps lasts; all values are recorded."""
    nodes = [
        helper.make_node("Add", ["before", "before"], ["after"]),
        helper.make_node("Identity", ["go"], ["on"]),
        helper.make_node("Identity", ["after"], ["recorded"]),
    ]
    inputs = [
        info("step", TensorProto.INT64, []),
        info("go", TensorProto.BOOL, []),
        info("before", TensorProto.FLOAT, [3]),
    ]
    outputs = [
        info("on", TensorProto.BOOL, []),
        info("after", TensorProto.FLOAT, [3]),
        info("recorded", TensorProto.FLOAT, [3]),
    ]
    body = helper.make_graph(nodes, "body", inputs, outputs)
    x = normal(3)
    expected = [8 * x, np.stack([2 * x, 4 * x, 8 * x])]
    case("Loop", SINCE18, [np.array(3), np.array(True), x], expected, [0, 1], body=body)


for group in (layers, branches, loops):
    group()
