"""Operators that put elements into larger tensors, and pools over regions.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np

from . import NEWEST, SINCE18, case

RNG = np.random.default_rng(33)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def unpooled(x, where, shape, given=None):
    result = np.zeros(np.prod(shape), x.dtype)
    for element, at in zip(x.ravel(), where.ravel()):
        result[at] = element
    result = result.reshape(shape)
    return result if given is None else np.pad(result, [(0, t - f) for f, t in zip(shape, given)])


def unpooling():
    for shape, options in (
        ((1, 2, 6), {"kernel_shape": [2], "strides": [2]}),
        ((2, 3, 7, 5), {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}),
        ((1, 2, 4, 4, 4), {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2]}),
        ((1, 1, 5, 5), {"kernel_shape": [2, 2]}),
    ):
        rank = len(shape) - 2
        strides = options.get("strides", [1] * rank)
        pads = options.get("pads", [0] * 2 * rank)
        counts = [
            (size + pads[d] + pads[d + rank] - options["kernel_shape"][d]) // strides[d] + 1
            for d, size in enumerate(shape[2:])
        ]
        x = normal(*shape[:2], *counts)
        sizes = [
            (count - 1) * strides[d] + options["kernel_shape"][d] - pads[d] - pads[d + rank]
            for d, count in enumerate(counts)
        ]
        full = (*shape[:2], *sizes)
        where = RNG.permutation(np.prod(full))[: x.size].reshape(x.shape)
        for constants in ((), (0, 1)):
            expected = unpooled(x, where, full)
            case("MaxUnpool", SINCE18, [x, where], expected, constants, **options)
        wide = (*shape[:2], *(size + d for d, size in enumerate(sizes)))
        expected = unpooled(x, where, full, wide)
        for constants in ((), (2,)):
            case("MaxUnpool", SINCE18, [x, where, np.array(wide)], expected, constants, **options)
    half = x.astype(np.float16)
    case("MaxUnpool", SINCE18, [half, where], unpooled(half, where, full), **options)
    # Of equal positions the last one stays.
    x, where = normal(1, 1, 2), np.array([[[3, 3]]])
    options = {"kernel_shape": [2], "strides": [2]}
    case("MaxUnpool", SINCE18, [x, where], unpooled(x, where, (1, 1, 4)), **options)


def windows(image, block, strides=None, dilations=None, pads=None):
    """How many there are along each axis."""
    rank = len(image)
    strides, dilations = strides or [1] * rank, dilations or [1] * rank
    pads = pads or [0] * 2 * rank
    reach = [(size - 1) * step + 1 for size, step in zip(block, dilations)]
    return [
        (image[d] + pads[d] + pads[d + rank] - reach[d]) // strides[d] + 1 for d in range(rank)
    ]


def image_of(columns, image, block, strides=None, dilations=None, pads=None):
    """Adds up what windows have of an image."""
    counts, rank = windows(image, block, strides, dilations, pads), len(image)
    strides, dilations = strides or [1] * rank, dilations or [1] * rank
    pads = pads or [0] * 2 * rank
    parts = columns.reshape(columns.shape[0], -1, *block, *counts)
    result = np.zeros((*parts.shape[:2], *image), np.float64)
    for inner in np.ndindex(*block):
        for outer in np.ndindex(*counts):
            at = [outer[d] * strides[d] + inner[d] * dilations[d] - pads[d] for d in range(rank)]
            if all(0 <= p < size for p, size in zip(at, image)):
                result[(..., *at)] += parts[(..., *inner, *outer)]
    return result.astype(columns.dtype)


def columns():
    for image, block, options in (
        ([5, 5], [1, 5], {}),
        ([6, 5], [2, 3], {"strides": [2, 1]}),
        ([6, 6], [2, 2], {"dilations": [2, 3], "pads": [1, 0, 1, 2]}),
        ([9], [3], {"strides": [3]}),
        ([3, 4, 5], [2, 2, 2], {"pads": [1, 1, 1, 1, 1, 1]}),
    ):
        size = int(np.prod(block))
        total = np.prod(windows(image, block, **options))
        for kind, tolerance in ((np.float32, 1e-5), (np.float16, 4e-3), (np.int32, 0)):
            x = (10 * normal(2, 3 * size, total)).astype(kind)
            expected = image_of(x, image, block, **options)
            for constants in ((1, 2), (2,)):
                inputs = [x, np.array(image), np.array(block)]
                case("Col2Im", SINCE18, inputs, expected, constants, tolerance, **options)


def framed(x, shape, axes):
    """Crops what is too large and pads what is too small, less at the beginning."""
    for axis, to in zip(axes, shape):
        size = x.shape[axis]
        begin = max(size - to, 0) // 2
        x = np.take(x, np.arange(begin, begin + min(size, to)), axis)
        missing = max(to - size, 0)
        pads = [(0, 0)] * x.ndim
        pads[axis] = (missing // 2, missing - missing // 2)
        x = np.pad(x, pads)
    return x


def frames():
    x = normal(5, 8, 3)
    for shape, axes in (
        ((5, 8, 3), None), ((3, 10, 3), None), ((4, 3, 6), None), ((0, 9, 4), None),
        ((10,), [0]), ((5, 4), [1, 2]), ((6, 2), [-1, -3]),
    ):  # fmt: skip
        options = {} if axes is None else {"axes": axes}
        expected = framed(x, shape, range(3) if axes is None else axes)
        for constants in ((), (1,)):
            case("CenterCropPad", SINCE18, [x, np.array(shape)], expected, constants, **options)
    for kind in (np.float16, np.int8, np.bool_):
        y = RNG.integers(0, 2, (3, 4)).astype(kind)
        case("CenterCropPad", SINCE18, [y, np.array([5, 2])], framed(y, (5, 2), (0, 1)), [1])


def between(image, y, x):
    """The weighted pixels around a position; nothing far outside."""
    height, width = image.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(4)
    parts = []
    axes = []
    for at, size in ((max(y, 0.0), height), (max(x, 0.0), width)):
        low = min(int(at), size - 1)
        axes.append((low, min(low + 1, size - 1), at - low if low < size - 1 else 0.0))
    for row, down in ((axes[0][0], 1 - axes[0][2]), (axes[0][1], axes[0][2])):
        for column, right in ((axes[1][0], 1 - axes[1][2]), (axes[1][1], axes[1][2])):
            parts.append(down * right * image[row, column])
    return np.array(parts)


def aligned(x, regions, batches, height, width, mode="avg", ratio=0, scale=1.0, half=True):
    result = np.zeros((len(regions), x.shape[1], height, width))
    for at in np.ndindex(*result.shape):
        region, image = regions[at[0]].astype(np.float64), x[batches[at[0]], at[1]].astype(np.float64)
        left, top, right, bottom = region * scale - (0.5 if half else 0)
        extents = [bottom - top, right - left]
        extents = extents if half else [max(extent, 1.0) for extent in extents]
        bins = extents[0] / height, extents[1] / width
        counts = [ratio or max(int(np.ceil(size)), 0) for size in bins]
        found = [
            between(
                image,
                top + (at[2] + (i + 0.5) / counts[0]) * bins[0],
                left + (at[3] + (j + 0.5) / counts[1]) * bins[1],
            )
            for i in range(counts[0])
            for j in range(counts[1])
        ]
        if found:
            result[at] = np.max(found) if mode == "max" else np.mean(np.sum(found, 1))
    return result.astype(x.dtype)


def regions():
    x = normal(2, 3, 6, 8)
    corner = RNG.uniform(-1, 5, (5, 2))
    given = np.concatenate([corner, corner + RNG.uniform(0.5, 6, (5, 2))], 1).astype(np.float32)
    # One without an area, one outside.
    given[3, 2:], given[4] = given[3, :2], [20, 20, 25, 30]
    batches = np.array([0, 1, 1, 0, 1])
    modes = {"half_pixel": True, "output_half_pixel": False}
    for coordinates, half in modes.items():
        for mode in ("avg", "max"):
            for ratio in (0, 2):
                for scale in (1.0, 0.5):
                    expected = aligned(x, given, batches, 3, 2, mode, ratio, scale, half)
                    options = {"mode": mode, "sampling_ratio": ratio, "spatial_scale": scale}
                    options["coordinate_transformation_mode"] = coordinates
                    options.update(output_height=3, output_width=2)
                    case("RoiAlign", SINCE18, [x, given, batches], expected, (), 1e-4, **options)
    for constants in ((), (0, 1, 2)):
        expected = aligned(x, given, batches, 1, 1)
        case("RoiAlign", SINCE18, [x, given, batches], expected, constants, 1e-4)
    half = x.astype(np.float16), given.astype(np.float16)
    expected = aligned(*half, batches, 2, 2, ratio=2)
    options = {"output_height": 2, "output_width": 2, "sampling_ratio": 2}
    case("RoiAlign", SINCE18, [*half, batches], expected, (), 4e-3, **options)
    nothing = x, given[:0], batches[:0]
    case("RoiAlign", SINCE18, nothing, np.zeros((0, 3, 2, 2), np.float32), **options)


def pooled(x, given, height, width, scale):
    result = np.zeros((len(given), x.shape[1], height, width), x.dtype)
    away = lambda v: int(np.copysign(np.floor(abs(v) + 0.5), v))
    for at in np.ndindex(*result.shape):
        batch, corners = int(given[at[0], 0]), [away(v) for v in given[at[0], 1:] * np.float32(scale)]
        ends = []
        for axis, (count, size) in enumerate(((height, x.shape[2]), (width, x.shape[3]))):
            begin, end = corners[1 - axis], corners[3 - axis]
            step = np.float32(max(end - begin + 1, 1)) / np.float32(count)
            first, next_one = np.float32(at[2 + axis]), np.float32(at[2 + axis] + 1)
            low, high = np.floor(first * step), np.ceil(next_one * step)
            ends += [int(np.clip(low + begin, 0, size)), int(np.clip(high + begin, 0, size))]
        part = x[batch, at[1], ends[0] : ends[1], ends[2] : ends[3]]
        if part.size:
            result[at] = part.max()
    return result


def region_pools():
    x = normal(2, 3, 9, 8)
    corner = RNG.integers(-2, 5, (6, 2))
    given = np.concatenate([RNG.integers(0, 2, (6, 1)), corner, corner + RNG.integers(0, 7, (6, 2))], 1)
    given[5, 1:] = [30, 30, 40, 44]
    given = given.astype(np.float32)
    for shape, scale in (([2, 3], 1.0), ([4, 4], 0.5), ([1, 1], 2.0)):
        expected = pooled(x, given, *shape, scale)
        options = {"pooled_shape": shape, "spatial_scale": scale}
        case("MaxRoiPool", (18, NEWEST), [x, given], expected, **options)
    half = x.astype(np.float16)
    case("MaxRoiPool", (18, NEWEST), [half, given.astype(np.float16)],
         pooled(half, given, 2, 2, 1.0), pooled_shape=[2, 2])  # fmt: skip


for group in (unpooling, columns, frames, regions, region_pools):
    group()
