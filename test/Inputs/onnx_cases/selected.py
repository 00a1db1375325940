"""Operators whose results have as many elements as the data say.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np

from . import SINCE18, case

RNG = np.random.default_rng(31)
KINDS = (np.float32, np.float64, np.float16, np.int32, np.int64, np.uint8, np.int8, np.bool_)


def few(shape, kind=np.float32, most=3):
    """Elements of which many are equal and some are zero."""
    return RNG.integers(0, most, shape).astype(kind)


def nonzero():
    for kind in KINDS:
        x = few((3, 4), kind)
        case("NonZero", SINCE18, [x], np.stack(np.nonzero(x)))
    for shape in ((7,), (2, 3, 2), (1, 2, 2, 3), (0, 3), (2, 0)):
        x = few(shape)
        for constants in ((), (0,)):
            case("NonZero", SINCE18, [x], np.stack(np.nonzero(x)), constants)
    case("NonZero", SINCE18, [np.zeros((2, 2), np.float32)], np.zeros((2, 0), np.int64))
    odd = np.array([np.nan, 0.0, -0.0, np.inf, -1e-40], np.float32)
    case("NonZero", SINCE18, [odd], np.array([[0, 3, 4]]))
    # A number has no position, but can be found.
    case("NonZero", SINCE18, [np.float32(2)], np.zeros((0, 1), np.int64))
    case("NonZero", SINCE18, [np.float32(0)], np.zeros((0, 0), np.int64))
    large = few((40, 30), np.int64, 5)
    case("NonZero", SINCE18, [large], np.stack(np.nonzero(large)))


def compress():
    x = RNG.normal(size=(3, 4, 2)).astype(np.float32)
    for axis in (None, 0, 1, -1):
        size = x.size if axis is None else x.shape[axis]
        options = {} if axis is None else {"axis": axis}
        for length in (size, size - 1):
            which = np.arange(length) % 3 != 1
            for condition in (which, np.zeros(length, bool)):
                expected = np.compress(condition, x, axis)
                for constants in ((), (1,)):
                    case("Compress", SINCE18, [x, condition], expected, constants, **options)
    for kind in KINDS:
        y = few((2, 3), kind)
        case("Compress", SINCE18, [y, np.array([True, False, True])], y[:, [0, 2]], axis=1)
    nothing = np.zeros((0,), bool)
    case("Compress", SINCE18, [x, nothing], x[:0], axis=0)


def uniques(x, axis, is_sorted):
    """What Unique gives; without sorting, groups come as their first elements do."""
    values, first, inverse, counts = np.unique(x, True, True, True, axis=axis)
    if not is_sorted:
        order = np.argsort(first)
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        values = values.take(order, axis or 0)
        first, inverse, counts = first[order], place[inverse], counts[order]
    return [values, first, inverse.reshape(-1), counts]


def unique():
    for is_sorted in (1, 0):
        for kind in KINDS:
            x = few((9,), kind, 5)
            case("Unique", SINCE18, [x], uniques(x, None, is_sorted), sorted=is_sorted)
        for shape, axis in (
            ((4, 6), None), ((8, 2), 0), ((2, 8), 1), ((2, 8), -1), ((2, 7, 2), 1), ((3, 1), 1),
            ((0,), None), ((17,), 0), ((1,), None),
        ):  # fmt: skip
            x = few(shape)
            options = {"sorted": is_sorted} if axis is None else {"sorted": is_sorted, "axis": axis}
            case("Unique", SINCE18, [x], uniques(x, axis, is_sorted), **options)
        # No number is the last of all, once.
        x = np.array([np.nan, 3, -np.inf, np.nan, np.inf, 3, -1, np.nan], np.float32)
        case("Unique", SINCE18, [x], uniques(x, None, is_sorted), sorted=is_sorted)
        # Negative and large bytes.
        for kind in (np.int8, np.uint8):
            x = np.array([200, 3, 200, 127, 128, 3], np.uint8).view(kind)
            case("Unique", SINCE18, [x], uniques(x, None, is_sorted), sorted=is_sorted)
        large = few((700,), np.int64, 40)
        case("Unique", SINCE18, [large], uniques(large, None, is_sorted), sorted=is_sorted)
    large = few((80, 60))
    case("Unique", SINCE18, [large], uniques(large, 1, True), [0], axis=1)
    case("NonZero", SINCE18, [large], np.stack(np.nonzero(large)), [0])
    x = few((6,))
    values, first, inverse, counts = uniques(x, None, True)
    case("Unique", SINCE18, [x], [values])
    case("Unique", SINCE18, [x], [values, None, inverse])
    case("Unique", SINCE18, [x], [values, None, None, counts])


def corners(box, centered):
    """The sides of a box: least and greatest of each coordinate."""
    if centered:
        half = box[2:] / np.float32(2)
        return box[:2] - half, box[:2] + half
    return np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])


def share(x, y, centered):
    """How much two boxes have in common, of what both cover."""
    (low, high), (other_low, other_high) = corners(x, centered), corners(y, centered)
    sides = np.minimum(high, other_high) - np.maximum(low, other_low)
    areas = np.prod(high - low), np.prod(other_high - other_low)
    if (sides <= 0).any() or min(areas) <= 0:
        return 0
    return np.prod(sides) / (sum(areas) - np.prod(sides))


def suppress(boxes, scores, most=0, threshold=0.0, least=-np.inf, centered=0):
    kept = []
    for batch, klass in np.ndindex(scores.shape[:2]):
        order = np.argsort(-scores[batch, klass], kind="stable")
        mine = []
        for at in order:
            overlap = [share(boxes[batch, at], boxes[batch, other], centered) for other in mine]
            if scores[batch, klass, at] > least and len(mine) < most:
                if not any(part > threshold for part in overlap):
                    mine.append(at)
        kept += [(batch, klass, at) for at in mine]
    return np.array(kept, np.int64).reshape(-1, 3)


def suppression():
    number = lambda value: np.array([value], np.float32)
    for batches, classes, count in ((1, 1, 6), (2, 3, 20), (1, 2, 60)):
        corner = RNG.uniform(0, 6, (batches, count, 2))
        size = RNG.uniform(-3, 3, (batches, count, 2))
        boxes = np.concatenate([corner, corner + size], -1).astype(np.float32)
        wide = np.concatenate([corner, abs(size)], -1).astype(np.float32)
        # Of some boxes the scores are equal.
        scores = RNG.integers(0, 12, (batches, classes, count)).astype(np.float32) / 12
        for most in (1, 3, count + 5):
            for threshold, least in ((0.5, None), (0.2, 0.4), (0.0, 2.0)):
                for centered, given in ((0, boxes), (1, wide)):
                    expected = suppress(
                        given, scores, most, threshold, -np.inf if least is None else least, centered
                    )
                    inputs = [given, scores, np.array([most]), number(threshold)]
                    inputs += [] if least is None else [number(least)]
                    options = {"center_point_box": 1} if centered else {}
                    case("NonMaxSuppression", SINCE18, inputs, expected, **options)
    expected = suppress(boxes, scores, 4)
    # Stored limits, limits of rank 0, those that are left out.
    case("NonMaxSuppression", SINCE18, [boxes, scores, np.array([4])], expected, [2])
    limits = [np.array(4), np.float32(0.5)]
    expected = suppress(boxes, scores, 4, 0.5)
    case("NonMaxSuppression", SINCE18, [boxes, scores, *limits], expected)
    case("NonMaxSuppression", SINCE18, [boxes, scores, *limits], expected, [2, 3])
    nothing = np.zeros((0, 3), np.int64)
    case("NonMaxSuppression", SINCE18, [boxes, scores], nothing)
    case("NonMaxSuppression", SINCE18, [boxes, scores, np.array([-1])], nothing)
    case("NonMaxSuppression", SINCE18, [boxes[:, :0], scores[..., :0], np.array([3])], nothing)
    # Boxes without an area suppress nothing.
    flat = np.array([[[0, 0, 0, 2], [0, 0, 0, 2], [0, 0, 1, 1], [0, 0, 1, 1]]], np.float32)
    scores = np.array([[[0.9, 0.8, 0.7, 0.7]]], np.float32)
    expected = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2]])
    case("NonMaxSuppression", SINCE18, [flat, scores, np.array([9]), number(0.5)], expected)


for group in (nonzero, compress, unique, suppression):
    group()
