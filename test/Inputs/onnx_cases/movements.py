"""Operators that move, choose or repeat elements.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
import onnxnumpy

from . import SINCE18, case

RNG = np.random.default_rng(20)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def shapes():
    x = normal(2, 3, 4)
    case("Concat", SINCE18, [x, x[:, :1]], np.concatenate([x, x[:, :1]], 1), axis=1)
    case("Expand", SINCE18, [x[:, :1], ints(2, 5, 4)], x[:, [0] * 5], [1])
    case("Flatten", SINCE18, [x], x.reshape(6, 4), axis=-1)
    case("Identity", SINCE18, [x], x)
    case("Reshape", SINCE18, [x, ints(0, -1)], x.reshape(2, 12), [1])
    case("Reshape", SINCE18, [x, ints(4, -1, 2)], x.reshape(4, 3, 2), [1], allowzero=1)
    case("Shape", SINCE18, [x], ints(2, 3), end=-1)
    case("Size", SINCE18, [x], np.array(24))
    case("Squeeze", SINCE18, [x[:, :1], ints(1)], x[:, 0], [1])
    case("Squeeze", SINCE18, [x[:1, :, :1]], x[0, :, 0])
    case("Transpose", SINCE18, [x], x.transpose(1, 2, 0), perm=[1, 2, 0])
    case("Transpose", SINCE18, [x], x.transpose())
    case("Unsqueeze", SINCE18, [x, ints(-1, 0)], x[None, ..., None], [1])


def pieces():
    x = normal(5, 6)
    case("Slice", SINCE18, [x, ints(4, 1), ints(-6, 5), ints(0, 1), ints(-2, 1)], x[4::-2, 1:5], [1, 2, 3, 4])
    # Of nothing, as much as the run says.
    case("Slice", SINCE18, [x[:0], ints(0, 1), ints(2, 3)], x[:0, 1:3])
    case("Split", SINCE18, [x, ints(1, 3, 2)], np.split(x, [1, 4], 1), [1], axis=1)
    # Equal parts but for the last, since 18.
    case("Split", SINCE18, [x], [x[:3], x[3:]], num_outputs=2)
    case("Tile", SINCE18, [x, ints(2, 1)], np.tile(x, (2, 1)), [1])
    case("Trilu", SINCE18, [x], np.triu(x))
    case("Trilu", SINCE18, [x, np.array(1)], np.tril(x, 1), [1], upper=0)
    case("ReverseSequence", SINCE18, [x, ints(1, 2, 3, 4, 5, 5)],
         np.stack([np.concatenate([x[:n, b][::-1], x[n:, b]]) for b, n in enumerate((1, 2, 3, 4, 5, 5))], 1),
         [1])  # fmt: skip


def padded():
    x = normal(3, 4)
    pads, where = ints(0, 1, 2, 1), [(0, 2), (1, 1)]
    seven = np.float32(7)
    case("Pad", SINCE18, [x, pads, seven], np.pad(x, where, constant_values=seven), [1, 2])
    case("Pad", SINCE18, [x, pads], np.pad(x, where, "edge"), [1], mode="edge")
    case("Pad", SINCE18, [x, pads], np.pad(x, where, "reflect"), [1], mode="reflect")
    nothing = np.full((2, 6), seven)
    case("Pad", SINCE18, [x[:0], pads, seven], nothing, [1, 2])
    # Some axes only since 18, around the image since 19.
    case("Pad", SINCE18, [x, ints(1, 2), None, ints(-1)], np.pad(x, [(0, 0), (1, 2)]), [1, 3])
    case("Pad", (19, SINCE18[1]), [x, pads], np.pad(x, where, "wrap"), [1], mode="wrap")


def blocks():
    x = normal(2, 8, 3, 2)
    deep = x.reshape(2, 2, 2, 2, 3, 2).transpose(0, 3, 4, 1, 5, 2).reshape(2, 2, 6, 4)
    case("DepthToSpace", SINCE18, [x], deep, blocksize=2)
    columns = x.reshape(2, 2, 2, 2, 3, 2).transpose(0, 1, 4, 2, 5, 3).reshape(2, 2, 6, 4)
    case("DepthToSpace", SINCE18, [x], columns, blocksize=2, mode="CRD")
    case("SpaceToDepth", SINCE18, [deep], x, blocksize=2)


def chosen():
    x, at = normal(4, 3, 5), ints(2, -1, 0, 2).reshape(2, 2)
    case("Gather", SINCE18, [x, at], x[:, at], axis=1)
    at = RNG.integers(-3, 3, (4, 2, 5))
    case("GatherElements", SINCE18, [x, at], np.take_along_axis(x, at, 1), axis=1)
    at = RNG.integers(0, 3, (2, 6, 2))
    case("GatherND", SINCE18, [x, at], x[at[..., 0], at[..., 1]])
    at, y = RNG.integers(0, 3, (4, 2)), normal(4, 3)
    expected = np.stack([y[b, at[b]] for b in range(4)])
    case("GatherND", SINCE18, [y, at[..., None]], expected, batch_dims=1)
    hot = np.where(np.arange(4) == ints(1, 3, -2)[:, None] % 4, 5, 2).astype(np.float32)
    values = np.array([2, 5], np.float32)
    case("OneHot", SINCE18, [ints(1, 3, -2), np.array(4), values], hot, [1])
    case("EyeLike", SINCE18, [y], np.eye(4, 3, 1, dtype=np.float32), k=1)


def scattered():
    x, at, updates = normal(4, 3), ints(2, 0, 1, 2).reshape(2, 2), normal(2, 2)
    expected, added, largest = x.copy(), x.copy(), x.copy()
    for i, j in np.ndindex(2, 2):
        expected[at[i, j], j] = updates[i, j]
        added[at[i, j], j] += updates[i, j]
        largest[at[i, j], j] = max(largest[at[i, j], j], updates[i, j])
    case("ScatterElements", SINCE18, [x, at, updates], expected)
    case("ScatterElements", SINCE18, [x, at, updates], added, reduction="add")
    # Greatest and least since 18.
    case("ScatterElements", SINCE18, [x, at, updates], largest, reduction="max")
    rows, updates = ints(3, 1), normal(2, 3)
    expected, least = x.copy(), x.copy()
    expected[rows] = updates
    least[rows] = np.minimum(least[rows], updates)
    case("ScatterND", SINCE18, [x, rows[:, None], updates], expected)
    case("ScatterND", SINCE18, [x, rows[:, None], updates], least, reduction="min")


def resized():
    x = normal(1, 2, 3, 4)
    scales = np.array([1, 1, 2, 2], np.float32)
    for mode in ("nearest", "linear", "cubic"):
        expected = onnxnumpy.resize(x, scales=scales, mode=mode.encode())
        case("Resize", SINCE18, [x, None, scales], expected, [2], 1e-4, mode=mode)
    expected = onnxnumpy.resize(x, sizes=[1, 2, 6, 8], mode=b"linear")
    # Some axes only since 18; with half pixels at the middle of the result since 19.
    options = {"mode": "linear", "axes": [2, 3]}
    case("Resize", SINCE18, [x, None, None, ints(6, 8)], expected, [3], 1e-4, **options)
    options["coordinate_transformation_mode"] = "half_pixel_symmetric"
    case("Resize", (19, SINCE18[1]), [x, None, None, ints(6, 8)], expected, [3], 1e-4, **options)


for group in (shapes, pieces, padded, blocks, chosen, scattered, resized):
    group()
