# REQUIRES: onnx
# RUN: %python %s %t
"""Operators that choose by the data, or read at positions that are data, and are
refused: what is odd about the node is named.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_files import info, model, refuse

OUT = sys.argv[1]
INT, BOOL, BYTE, DOUBLE = (
    TensorProto.INT64,
    TensorProto.BOOL,
    TensorProto.UINT8,
    TensorProto.DOUBLE,
)


def check(op, inputs, *expected, opset=18, stored=(), **attributes):
    """A node of inputs: a shape, or a shape and a type; None where one is left out.
    Stored tensors come behind them."""
    names = [f"x{at}" if given is not None else "" for at, given in enumerate(inputs)]
    every = names + [tensor.name for tensor in stored]
    node = helper.make_node(op, every, ["y"], name="odd", **attributes)
    infos = []
    for name, given in zip(names, inputs):
        if given is not None:
            shape, kind = given if isinstance(given, tuple) else (given, TensorProto.FLOAT)
            infos.append(info(name, shape, kind))
    content = model([node], stored, infos, opset=opset)
    refuse(f"{OUT}/{op}.onnx", content, "node 'odd'", *expected)


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


def sampling():
    image, grid = [2, 3, 4, 5], [2, 6, 7, 2]
    check("GridSample", [image, grid], "an unknown mode, 'linear'", mode="linear")
    check("GridSample", [image, grid], "an unknown mode, 'bilinear'", opset=20, mode="bilinear")
    check("GridSample", [image, grid], "an unknown padding_mode, 'wrap'", padding_mode="wrap")
    check("GridSample", [[2, 3, 4], grid], "expects input 0 to have rank 4")
    check("GridSample", [[2, 3, 4, 5, 6], [2, 6, 7, 8, 3]], "expects input 0 to have rank 4")
    check("GridSample", [[2, 3, 4], [2, 6, 1]], "to have rank 4 to 5", opset=20)
    check("GridSample", [image, [2, 6, 7, 8, 3]], "expects input 1 to have rank 4")
    check("GridSample", [image, [3, 6, 7, 2]], "equal batch sizes")
    check("GridSample", [image, [2, 6, 7, 3]], "spatial dimensions, but got 3 and 2")
    check("GridSample", [image, (grid, INT)], "a floating-point input 1, but got int64")
    check("GridSample", [(image, INT), grid], "a floating-point input 0, but got int64")
    size = ([4], INT)
    check("AffineGrid", [[2, 3], size], "expects input 0 to have rank 3", opset=20)
    check("AffineGrid", [[2, 2, 4], size], "columns of theta, but got 4 and 3", opset=20)
    check("AffineGrid", [[2, 3, 3], size], "rows of theta, but got 3 and 2", opset=20)
    check("AffineGrid", [[2, 2, 3], ([3], INT)], "a size of 4 or 5 numbers, but got 3", opset=20)
    check("AffineGrid", [([2, 2, 3], INT), size], "a floating-point input 0", opset=20)
    check("AffineGrid", [[2, 2, 3], [4]], "a short list of integers", opset=20)


def placement():
    pooled = [1, 2, 3, 3]
    where, kernel = (pooled, INT), {"kernel_shape": [2, 2]}
    check("MaxUnpool", [pooled, where], "2 positive numbers in 'kernel_shape'")
    check("MaxUnpool", [pooled, where], "2 positive numbers", kernel_shape=[2, 0])
    check("MaxUnpool", [pooled, where], "4 in 'pads'", pads=[1, 1], **kernel)
    check("MaxUnpool", [pooled, where], "2 positive numbers", strides=[1], **kernel)
    check("MaxUnpool", [pooled, pooled], "indices of type int64, but got float", **kernel)
    check("MaxUnpool", [pooled, ([1, 2, 3, 4], INT)], "sizes of input and indices", **kernel)
    check("MaxUnpool", [[1, 3], ([1, 3], INT)], "expects input 0 to have rank 3 or more")
    check("MaxUnpool", [pooled, where, ([3], INT)], "an output_shape of 4 numbers", **kernel)
    huge = {"kernel_shape": [2, 2], "strides": [2**30, 2**30]}
    check("MaxUnpool", [pooled, where], "a tensor has at most", **huge)
    lists = [([2], INT), ([2], INT)]
    check("Col2Im", [[1, 5], *lists], "expects input 0 to have rank 3")
    check("Col2Im", [[1, 5, 5], *lists], "expects input 2 ('x2') to be a constant")
    check("CenterCropPad", [[3, 4], ([3], INT)], "a shape of 2 numbers, but got 3")
    check("CenterCropPad", [[3, 4], ([1], INT)], "axis 2 is not in a tensor of rank 2", axes=[2])
    check("CenterCropPad", [[3, 4], ([2], INT)], "axis -2 is given twice", axes=[0, -2])
    check("CenterCropPad", [[3, 4], [2]], "a short list of integers")


def columns():
    """Of known shapes."""

    def stored(*lists):
        kept = [numpy_helper.from_array(np.array(v, np.int64), f"s{i}") for i, v in enumerate(lists)]
        return {"stored": kept}

    check("Col2Im", [[1, 5, 5]], "equal lengths, but got 2 and 1", **stored([5, 5], [5]))
    odd = "a multiple of the block's size, 5, as number of rows, but got 6"
    check("Col2Im", [[1, 6, 5]], odd, **stored([5, 5], [1, 5]))
    check("Col2Im", [[1, 5, 6]], "numbers of blocks and columns", **stored([5, 5], [1, 5]))
    check("Col2Im", [[1, 5, 5]], "positive sizes", **stored([5, 5], [0, 5]))
    check("Col2Im", [[1, 5, 5]], "does not fit", **stored([5, 5], [1, 6]))
    five = stored([5, 5], [1, 5])
    check("Col2Im", [[1, 5, 5]], "no negative pads", pads=[-1, 0, 0, 0], **five)
    check("Col2Im", [[1, 5, 5]], "2 positive numbers in 'strides'", strides=[0, 1], **five)
    check("Col2Im", [[1, 5, 5]], "'auto_pad' is not supported", auto_pad="VALID", **five)
    check("Col2Im", [([1, 5, 5], BOOL)], "expects numbers, but got booleans", **five)
    check("CenterCropPad", [[3, 4]], "must not be negative", **stored([-1, 4]))


def regions():
    image, batches = [1, 2, 8, 8], ([3], INT)
    check("RoiAlign", [[2, 8, 8], [3, 4], batches], "expects input 0 to have rank 4")
    check("RoiAlign", [image, [3, 5], batches], "numbers of a region")
    check("RoiAlign", [image, [3], batches], "expects input 1 to have rank 2")
    check("RoiAlign", [image, [3, 4], ([2], INT)], "equal numbers of regions")
    check("RoiAlign", [image, [3, 4], [3]], "batch indices of type int64, but got float")
    check("RoiAlign", [image, ([3, 4], DOUBLE), batches], "inputs of equal types")
    check("RoiAlign", [image, [3, 4], batches], "an unknown mode, 'sum'", mode="sum")
    given, name = {"coordinate_transformation_mode": "pixel"}, "coordinate_transformation_mode"
    check("RoiAlign", [image, [3, 4], batches], f"an unknown {name}", **given)
    check("RoiAlign", [image, [3, 4], batches], f"'{name}' is not supported", opset=15, **given)
    check("RoiAlign", [image, [3, 4], batches], "a sampling_ratio of 0", sampling_ratio=-1)
    check("RoiAlign", [image, [3, 4], batches], "a positive number of bins", output_width=0)
    check("MaxRoiPool", [image, [3, 5]], "a pooled_shape of 2 numbers")
    check("MaxRoiPool", [image, [3, 4]], "numbers of a region", pooled_shape=[2, 2])
    check("MaxRoiPool", [image, [3, 5]], "a positive number of bins", pooled_shape=[0, 2])


def main():
    os.makedirs(OUT, exist_ok=True)
    for group in (selection, suppression, sampling, placement, columns, regions):
        group()
    print("all refused")


main()
