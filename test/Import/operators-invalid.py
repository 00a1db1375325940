# REQUIRES: onnx
# RUN: %python %s %t
"""Operators that choose by the data, or read at positions that are data, and are
refused: what is odd about the node is named.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import sys

from onnx import TensorProto, helper
from onnx_files import info, model, refuse

OUT = sys.argv[1]
INT, BOOL, BYTE, DOUBLE = (
    TensorProto.INT64,
    TensorProto.BOOL,
    TensorProto.UINT8,
    TensorProto.DOUBLE,
)


def check(op, inputs, *expected, opset=18, **attributes):
    """A node of inputs: a shape, or a shape and a type; None where one is left out."""
    names = [f"x{at}" if given is not None else "" for at, given in enumerate(inputs)]
    node = helper.make_node(op, names, ["y"], name="odd", **attributes)
    infos = []
    for name, given in zip(names, inputs):
        if given is not None:
            shape, kind = given if isinstance(given, tuple) else (given, TensorProto.FLOAT)
            infos.append(info(name, shape, kind))
    refuse(f"{OUT}/{op}.onnx", model([node], inputs=infos, opset=opset), "node 'odd'", *expected)


def selection():
    check("NonZero", [[3]], "attribute 'axis' is not supported", axis=0)
    check("NonZero", [None], "input 0 is missing")
    condition = ([3], BOOL)
    check("Compress", [[3, 4], condition], "axis 2 is not in a tensor of rank 2", axis=2)
    check("Compress", [[2, 4], condition], "a condition of 2 elements at most, but got 3", axis=0)
    check("Compress", [[3, 4], [3]], "a condition of booleans, but got float", axis=0)
    check("Compress", [[3, 4], ([3, 1], BOOL)], "expects input 1 to have rank 1", axis=0)
    check("Compress", [[], condition], "expects input 0 to have rank 1 or more", axis=0)
    check("Unique", [[3, 4]], "axis -3 is not in a tensor of rank 2", axis=-3)
    check("Unique", [[]], "expects input 0 to have rank 1 or more", axis=0)
    check("Unique", [[3, 4]], "attribute 'axis' has the wrong type", axis="1")


def suppression():
    boxes, scores = [1, 6, 4], [1, 2, 6]
    check("NonMaxSuppression", [[6, 4], scores], "expects input 0 to have rank 3")
    check("NonMaxSuppression", [boxes, [1, 6]], "expects input 1 to have rank 3")
    check("NonMaxSuppression", [[1, 6, 5], scores], "numbers of a box and 4, but got 5 and 4")
    check("NonMaxSuppression", [[2, 6, 4], scores], "equal batch sizes")
    check("NonMaxSuppression", [[1, 7, 4], scores], "equal numbers of boxes")
    check("NonMaxSuppression", [(boxes, DOUBLE), scores], "boxes and scores of floats")
    check("NonMaxSuppression", [boxes, scores], "a center_point_box of 0 or 1", center_point_box=2)
    check("NonMaxSuppression", [boxes, scores, ([2], INT)], "one max_output_boxes_per_class")
    check("NonMaxSuppression", [boxes, scores, [1]], "a short list of integers")
    check("NonMaxSuppression", [boxes, scores, None, [2]], "input 3 to be one float")
    check("NonMaxSuppression", [boxes, scores, None, [1], ([1], INT)], "input 4 to be one float")


def main():
    os.makedirs(OUT, exist_ok=True)
    for group in (selection, suppression):
        group()
    print("all refused")


main()
