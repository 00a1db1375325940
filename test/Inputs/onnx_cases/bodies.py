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


def scan_body(state, first, second):
    """The state and what is gathered: next state, two results of different ranks."""
    nodes = [
        helper.make_node("Mul", ["a", "b"], ["product"]),
        helper.make_node("Add", ["before", "product"], ["after"]),
        helper.make_node("Sub", ["a", "before"], ["change"]),
        helper.make_node("MatMul", ["b", "after"], ["number"]),
    ]
    float_info = lambda name, shape: info(name, TensorProto.FLOAT, shape)
    inputs = [float_info("before", state), float_info("a", first), float_info("b", second)]
    outputs = [float_info("after", state), float_info("change", first), float_info("number", [])]
    return helper.make_graph(nodes, "body", inputs, outputs)


def scan(state, first, second, reversed_inputs=(0, 0)):
    """What `scan_body` gives for the slices of axis 0."""
    changes, numbers = [], []
    first, second = (x[::-1] if back else x for x, back in zip((first, second), reversed_inputs))
    for a, b in zip(first, second):
        before, state = state, state + a * b
        changes.append(a - before)
        numbers.append(b @ state)
    return [state, np.stack(changes), np.stack(numbers)]


def scans():
    body = scan_body([3], [3], [3])
    state, a, b = normal(3), normal(5, 3), normal(5, 3)
    options = {"num_scan_inputs": 2, "body": body}
    for versions in ((9, 17), SINCE18):
        case("Scan", versions, [state, a, b], scan(state, a, b), **options)
        case("Scan", versions, [state, a, b], scan(state, a, b), [0, 1, 2], **options)
        one = [state, a[:1], b[:1]]
        case("Scan", versions, one, scan(*one), **options)
        for directions in ((1, 0), (0, 1), (1, 1)):
            expected = scan(state, a, b, directions)
            more = {"scan_input_directions": directions}
            case("Scan", versions, [state, a, b], expected, **options, **more)
        # Along other axes, written from the end.
        expected = scan(state, a, b, (0, 1))
        expected = [expected[0], expected[1][::-1].T, expected[2]]
        more = {
            "scan_input_axes": [1, 0],
            "scan_input_directions": [0, 1],
            "scan_output_axes": [1, 0],
            "scan_output_directions": [1, 0],
        }
        case("Scan", versions, [state, a.T, b], expected, **options, **more)
        # Nobody asks for the last state.
        case("Scan", versions, [state, a, b], [None, *scan(state, a, b)[1:]], **options)
    # Axes count from the end since 11.
    more = {"scan_input_axes": [-1, -2], "scan_output_axes": [-1, -1]}
    expected = scan(state, a, b)
    expected[1] = expected[1].T
    case("Scan", (11, SINCE18[1]), [state, a.T, b], expected, **options, **more)


def scans_without_state():
    nodes = [helper.make_node("Neg", ["a"], ["b"])]
    body = [info(name, TensorProto.INT64, [2, 2]) for name in "ab"]
    body = helper.make_graph(nodes, "body", body[:1], body[1:])
    x = RNG.integers(-9, 9, (2, 4, 2))
    options = {"scan_input_axes": [1], "scan_output_axes": [2], "num_scan_inputs": 1}
    expected = -x.transpose(0, 2, 1)
    case("Scan", SINCE18, [x], expected, body=body, **options)


def batch_scans():
    """The first version: a batch of sequences, each of its own length."""
    body = scan_body([3], [3], [3])
    state, a, b = normal(2, 3), normal(2, 5, 3), normal(2, 5, 3)
    for lengths in (None, [5, 5], [2, 5], [4, 0]):
        for directions in ((0, 0), (1, 0)):
            parts = []
            for at, length in enumerate([5, 5] if lengths is None else lengths):
                part = [state[at], np.zeros((0, 3)), np.zeros(0)]
                if length:
                    part = scan(state[at], a[at, :length], b[at, :length], directions)
                # What lies behind the end is undefined; here it is zero.
                pads = [np.zeros((5 - length, *p.shape[1:])) for p in part[1:]]
                parts.append([part[0], *map(np.concatenate, zip(part[1:], pads))])
            expected = [np.stack(p).astype(np.float32) for p in zip(*parts)]
            inputs = [None if lengths is None else np.array(lengths), state, a, b]
            options = {"num_scan_inputs": 2, "directions": directions, "body": body}
            case("Scan", (8, 8), inputs, expected, **options)
            case("Scan", (8, 8), inputs, expected, [0], **options)


for group in (layers, branches, loops, scans, scans_without_state, batch_scans):
    group()
