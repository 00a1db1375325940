# REQUIRES: onnx
# RUN: %python %s %t
"""Nodes of the standard operator set that are refused: what is odd about them is named.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import bodies
from onnx_files import info, model, refuse

OUT = sys.argv[1]
FLOAT = TensorProto.FLOAT


def build(op, stored, shape, kind, opset, outputs, attributes):
    """A node of an input and of stored tensors; None where one is left out."""
    names = ["x"] + ["" if t is None else f"s{at}" for at, t in enumerate(stored)]
    node = helper.make_node(op, names, outputs, name="odd", **attributes)
    tensors = [numpy_helper.from_array(t, n) for n, t in zip(names[1:], stored) if t is not None]
    results = [info(name, None) for name in outputs]
    return model([node], tensors, [info("x", shape, kind)], results, opset)


def check(op, stored, *expected, shape=(1, 2, 4, 6), kind=FLOAT, opset=19, outputs=("y",), **attributes):
    content = build(op, stored, shape, kind, opset, outputs, attributes)
    refuse(f"{OUT}/{op}.onnx", content, f"'odd' ({op}", *expected)


def number(value, kind=np.int64):
    return np.array(value, kind)


def resizes():
    sizes, scales = number([1, 2, 8, 3]), number([1, 1, 2, 0.5], np.float32)
    by_size = [None, None, sizes]
    check("Resize", by_size, "how to resize by 'area'", mode="area")
    check("Resize", by_size, "'sideways'", coordinate_transformation_mode="sideways")
    check("Resize", by_size, "expects antialias to be 0 or 1, but got 2", antialias=2)
    check("Resize", by_size, "keep_aspect_ratio_policy, 'wider'", keep_aspect_ratio_policy="wider")
    check("Resize", by_size, "attribute 'antialias' is not supported", antialias=1, opset=13)
    check("Resize", by_size, "axis 4 is not in a tensor of rank 4", axes=[4])
    check("Resize", by_size, "axis -1 is given twice", axes=[3, -1])
    check("Resize", by_size, "for 2 axes", axes=[2, 3])
    check("Resize", [None, scales], "for 1 axes", axes=[2])
    check("Resize", [None, scales[None]], "but got float[1, 4]")
    check("Resize", [None, sizes], "but got int64[4]")
    check("Resize", [None, None, scales], "a short list of integers, but got float[4]")
    check("Resize", [], "expects scales or sizes")
    crop = {"coordinate_transformation_mode": "tf_crop_and_resize"}
    check("Resize", [scales, None, sizes], "for 8 axes", **crop)
    for bad in (0, -2, 10**7, 2**62):
        check("Resize", [None, None, number([1, 2, bad, 3])], f"cannot resize 4 to {bad}")
    for bad in (0, -2, np.nan, np.inf, 1e30):
        expected = "cannot resize 4 to" if bad > 0 else "expects scales above zero, but got"
        given = number([1, 1, bad, 1], np.float32)
        check("Resize", [None, given], expected)
    given = number([1, 1, -2, 1], np.float32)
    check("Resize", [None, given], "expects scales above zero, but got -2", shape=(1, 2, "n", 6))
    check("Resize", by_size, "cannot resize 0 to 8", shape=(1, 2, 0, 6))
    corners = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
    given = number([1, 1, 0.6, 1], np.float32)
    check("Resize", [None, given], "cannot align corners where the scale", **corners)
    kind = {"kind": TensorProto.INT32, "mode": "linear"}
    check("Resize", by_size, "interpolation of int32 is not supported", **kind)


def scans():
    body = bodies.scan_body([3], [3], [3])
    rows = np.ones((5, 3), np.float32)
    given = {"body": body, "num_scan_inputs": 2, "shape": (3,), "outputs": list("ypq")}

    def odd(*expected, stored=(rows, rows), **changes):
        check("Scan", list(stored), *expected, **{**given, **changes})

    odd("has no graph 'body'", body=1)
    for count in (0, 4, -1):
        odd(f"expects num_scan_inputs to be a number of its inputs, but got {count}", num_scan_inputs=count)
    odd("body with 3 inputs and 3 outputs for 2 inputs", stored=[rows])
    odd("outputs for 3 inputs and 4 outputs", outputs=list("ypqr"))
    odd("input 2 is missing", stored=[rows, None])
    odd("attribute 'scan_input_axes' to have 2 elements", scan_input_axes=[0])
    odd("'scan_input_directions' to have 2 elements, each 0 or 1", scan_input_directions=[0, 2])
    odd("'scan_output_directions' to have 2 elements", scan_output_directions=[0])
    odd("axis 2 is not in a tensor of rank 2", scan_input_axes=[0, 2])
    odd("axis 2 is not in a tensor of rank 2", scan_output_axes=[2, 0])
    odd("equal lengths of scanned inputs, but got 5 and 4", stored=[rows, rows[:4]])
    odd("attribute 'directions' is not supported", directions=[0, 0])
    # A state that grows, and one that becomes another type.
    for op, text in (("Concat", "sizes of a carried tensor"), ("Cast", "type or rank changes, from float[3]")):
        grown = helper.make_node(op, ["s"], ["t"], to=TensorProto.DOUBLE)
        if op == "Concat":
            grown = helper.make_node(op, ["s", "a"], ["t"], axis=0)
        names = [info("s", [3]), info("a", [3])]
        graph = helper.make_graph([grown], "body", names, [info("t", None)])
        odd(text, stored=[rows], body=graph, num_scan_inputs=1, outputs=["y"])
    # What only the body knows.
    grown = helper.make_node("ConstantOfShape", ["a"], ["t"])
    names = [info("a", [1], TensorProto.INT64)]
    graph = helper.make_graph([grown], "body", names, [info("t", None)])
    more = {"shape": (4, 1), "kind": TensorProto.INT64, "num_scan_inputs": 1, "outputs": ["y"]}
    odd("whose sizes only its body knows", stored=[], body=graph, **more)

    # The first version: lengths come first, and all begin with the batch.
    lengths, batch = {"shape": (2,), "opset": 8, "kind": TensorProto.INT64}, np.ones((2, 5, 3), np.float32)
    state = np.ones((2, 3), np.float32)
    odd("'directions' to have 2 elements", stored=[state, batch, batch], directions=[1], **lengths)
    odd("equal batch sizes, but got 2 and 1", stored=[state, batch, batch[:1]], **lengths)
    odd("input 3 to have rank 2 or more", stored=[state, batch, batch[0, 0]], **lengths)
    floats = {**lengths, "kind": FLOAT}
    odd("lengths of type int64, but got float", stored=[state, batch, batch], **floats)


def signals():
    real, line = {"shape": (2, 8, 1)}, {"shape": (2, 8)}
    check("DFT", [], "a last size of 1 or 2", shape=(2, 8, 3))
    check("DFT", [], "rank 2 or more", shape=(8,))
    check("DFT", [], "floating-point input 0", kind=TensorProto.INT32, **real)
    check("DFT", [], "cannot transform the last axis", axis=2, **real)
    check("DFT", [], "axis 3 is not in", axis=3, **real)
    check("DFT", [], "no one-sided result for complex", onesided=1, shape=(2, 8, 2))
    check("DFT", [], "complex numbers for a one-sided inverse", onesided=1, inverse=1, **real)
    check("DFT", [number(0)], "expects input 1 to be positive, but got 0", **real)
    check("DFT", [number([1, 2])], "expects input 1 to be one integer", **real)
    check("DFT", [number(4, np.float32)], "short list of integers", **real)
    check("DFT", [], "cannot transform [2, 0, 1]", shape=(2, 0, 1))
    check("DFT", [None, number([0, 1])], "expects input 2 to be one integer", opset=20, **real)
    check("DFT", [None, number(-1)], "cannot transform the last axis", opset=20, **real)
    check("DFT", [], "attribute 'axis' is not supported", axis=1, opset=20, **real)
    window = np.ones(4, np.float32)
    check("STFT", [number(2)], "input 0 to have rank 3", **line)
    check("STFT", [number(0), window], "input 1 to be positive", **real)
    check("STFT", [number(2), window[None]], "input 2 to have rank 1", **real)
    check("STFT", [number(2), window.astype(np.float64)], "inputs of equal types", **real)
    check("STFT", [number(2), window, number(5)], "equal lengths of frame and window", **real)
    check("STFT", [number(2), None, number(9)], "has no frame of 9 in a signal of 8", **real)
    check("STFT", [number(2), window], "no one-sided result", shape=(2, 8, 2))
    for op in ("HannWindow", "HammingWindow", "BlackmanWindow"):
        check(op, [], "a short list of integers", shape=())
        integers = {"kind": TensorProto.INT64}
        check(op, [], "to be one integer", shape=(2,), **integers)
        check(op, [], "cannot give string", shape=(), output_datatype=8, **integers)
        check(op, [], "cannot give bool", shape=(), output_datatype=9, **integers)
    integers = {"kind": TensorProto.INT64, "shape": ()}
    low, high = number(0, np.float32), number(4000, np.float32)
    check("MelWeightMatrix", [number(16), number(8000), low, high], "input 0 ('x') to be a constant", **integers)


def main():
    os.makedirs(OUT, exist_ok=True)
    resizes()
    scans()
    signals()
    print("all refused")


main()
