# REQUIRES: onnx
# RUN: %python %s %t
"""Operators whose sizes only the run knows: one import serves all sizes, and sizes that
make no sense end the program with a message.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import bodies, resized, signal
from onnx_files import accept, info, model, results_of

import tools

OUT = sys.argv[1]
RNG = np.random.default_rng(5)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, **attributes)


def check(module, given, expected, tolerance=1e-4):
    results = results_of(module, given, len(expected))
    for ours, theirs in zip(results, expected):
        assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
        np.testing.assert_allclose(ours, theirs, tolerance, tolerance)


FILTERS = (
    {"mode": "nearest"},
    {"mode": "linear"},
    {"mode": "cubic", "exclude_outside": 1},
    {"mode": "linear", "antialias": 1},
)


def resize_by_scales():
    image = [info("x", [1, "C", "H", "W"])]
    results = [f"y{at}" for at in range(len(FILTERS))]
    nodes = [
        node("Resize", ["x", "", "scales"], [name], **options)
        for name, options in zip(results, FILTERS)
    ]
    outputs = [info(name, None) for name in results]
    for scales in ([1, 1, 2, 0.5], [1, 1, 1.3, 0.71]):
        scales = np.array(scales, np.float32)
        stored = [numpy_helper.from_array(scales, "scales")]
        module = accept(f"{OUT}/scales.onnx", model(nodes, stored, image, outputs, opset=19))
        for height, width in ((4, 6), (7, 9)):
            x = normal(1, 2, height, width)
            wide = scales.astype(np.float64)
            expected = [resized.resize(x, range(4), scales=wide, **o) for o in FILTERS]
            check(module, {"x": x}, expected)


POLICIES = ("stretch", "not_larger", "not_smaller")


def resize_like():
    """To the sizes of another tensor, as networks write it; also with one ratio."""
    images = [info("x", [1, 2, "H", "W"]), info("like", [1, 2, "P", "Q"])]
    nodes = [node("Shape", ["like"], ["whole"], start=2)]
    for policy in POLICIES:
        options = {"axes": [2, 3], "mode": "linear", "keep_aspect_ratio_policy": policy}
        nodes.append(node("Resize", ["x", "", "", "whole"], [policy], **options))
    outputs = [info(policy, None) for policy in POLICIES]
    module = accept(f"{OUT}/like.onnx", model(nodes, [], images, outputs, opset=18))
    for sizes, other in (((4, 6), (8, 6)), ((5, 3), (2, 7)), ((4, 4), (4, 4))):
        x, like = normal(1, 2, *sizes), normal(1, 2, *other)
        expected = [
            resized.resize(x, [2, 3], sizes=list(other), mode="linear", keep_aspect_ratio_policy=p)
            for p in POLICIES
        ]
        check(module, {"x": x, "like": like}, expected)


def fails(module, given, expected):
    """The program ends with a message."""
    arguments = []
    for name, values in given.items():
        np.save(f"{OUT}/{name}.npy", values)
        arguments.append(f"--input={name}=@{OUT}/{name}.npy")
    result = tools.run("prune-run", module, *arguments)
    assert result.returncode != 0 and expected in result.stderr, (result, expected)


def resize_to_nothing():
    inputs = [info("x", ["N", 4]), info("sizes", [2], TensorProto.INT64)]
    nodes = [node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", antialias=1)]
    module = accept(f"{OUT}/nothing.onnx", model(nodes, [], inputs, opset=18))
    given = {"x": normal(2, 4), "sizes": np.array([-3, 4])}
    fails(module, given, "sizes of at least one")
    given = {"x": np.zeros((0, 4), np.float32), "sizes": np.array([2, 4])}
    fails(module, given, "sizes of at least one")
    inputs[1] = info("scales", [2])
    nodes = [node("Resize", ["x", "", "scales"], ["y"], mode="linear", antialias=1)]
    module = accept(f"{OUT}/nothing.onnx", model(nodes, [], inputs, opset=18))
    for scale in (0, np.nan, 1e30):
        given = {"x": normal(2, 4), "scales": np.array([scale, 1], np.float32)}
        fails(module, given, "sizes of at least one")


def scans():
    body = bodies.scan_body([3], [3], [3])
    inputs = [info("state", [3]), info("a", ["T", 3]), info("b", ["T", 3])]
    nodes = [node("Scan", ["state", "a", "b"], ["y", "p", "q"], num_scan_inputs=2, body=body)]
    outputs = [info(name, None) for name in "ypq"]
    module = accept(f"{OUT}/scan.onnx", model(nodes, [], inputs, outputs, opset=16))
    state = normal(3)
    for length in (1, 6):
        a, b = normal(length, 3), normal(length, 3)
        given = {"state": state, "a": a, "b": b}
        check(module, given, bodies.scan(state, a, b))
    given = {"state": state, "a": normal(0, 3), "b": normal(0, 3)}
    check(module, given, [state, np.zeros((0, 3)), np.zeros(0)])
    # Sizes of the state, and of what is gathered, are open as well.
    body = bodies.scan_body(["N"], ["N"], ["N"])
    inputs = [info("state", ["N"]), info("a", ["T", "N"]), info("b", ["S", "N"])]
    nodes[0] = node("Scan", ["state", "a", "b"], list("ypq"), num_scan_inputs=2, body=body)
    module = accept(f"{OUT}/scan.onnx", model(nodes, [], inputs, outputs, opset=16))
    state, a, b = normal(5), normal(4, 5), normal(4, 5)
    check(module, {"state": state, "a": a, "b": b}, bodies.scan(state, a, b))
    fails(module, {"state": state, "a": a, "b": b[:3]}, "lengths of scanned inputs")


def signals():
    inputs = [info("x", ["N", "T", 1])]
    module = accept(
        f"{OUT}/dft.onnx", model([node("DFT", ["x"], ["y"], onesided=1)], [], inputs, opset=17)
    )
    for length in (5, 8):
        x = normal(2, length, 1)
        check(module, {"x": x}, [signal.transform(x, None, 1, 0, 1)])
    window = normal(8)
    stored = [
        numpy_helper.from_array(np.array(3), "step"),
        numpy_helper.from_array(window, "window"),
    ]
    nodes = [node("STFT", ["x", "step", "window"], ["y"])]
    module = accept(f"{OUT}/stft.onnx", model(nodes, stored, inputs, opset=17))
    for length in (8, 21):
        x = normal(2, length, 1)
        check(module, {"x": x}, [signal.stft(x, 3, window, None, 1)])
    # No frame fits.
    check(module, {"x": normal(2, 5, 1)}, [np.zeros((2, 0, 5, 2), np.float32)])


def main():
    os.makedirs(OUT, exist_ok=True)
    resize_by_scales()
    resize_like()
    resize_to_nothing()
    scans()
    signals()
    print("all sizes are right")


main()
