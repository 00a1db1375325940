"""Images that are read between their pixels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np

from . import NEWEST, case

RNG = np.random.default_rng(32)
# The modes have other names before operator set 20, and images are flat.
OLD, NEW = (18, 19), (20, NEWEST)
# What is tried in all combinations.
LAST_OLD, LAST = (19, 19), (NEWEST, NEWEST)
NAMES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def mirror(x, low, high):
    """Between the ends, by turning back at them as often as it takes."""
    span = high - low
    if span == 0:
        return low
    where = (x - low) % (2 * span)
    return low + (where if where <= span else 2 * span - where)


def pixels(x, size, padding, align, mode):
    """The pixels that a position reads along an axis, with their weights; None is
    nothing."""
    low, high = (0, size - 1) if align else (-0.5, size - 0.5)
    x = (x + 1) / 2 * (size - 1) if align else ((x + 1) * size - 1) / 2
    if mode == "nearest":
        x = np.rint(x)
    if x < low or x > high:
        if padding == "border" and mode != "cubic":
            x = min(max(x, 0), size - 1)
        elif padding == "reflection":
            x = mirror(x, low, high)
    first, t = int(np.floor(x)), x - np.floor(x)
    if mode == "nearest":
        taps = [(first, 1)]
    elif mode == "linear":
        taps = [(first, 1 - t), (first + 1, t)]
    else:
        # Keys' cubic, by the distance of a pixel.
        a, taps = -0.75, []
        for at in range(first - 1, first + 3):
            d = abs(x - at)
            near = (a + 2) * d**3 - (a + 3) * d**2 + 1
            far = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
            taps.append((at, near if d <= 1 else far))
    found = []
    for at, weight in taps:
        if padding == "border":
            at = min(max(at, 0), size - 1)
        elif padding == "reflection":
            at = int(mirror(at, low, high))
        found.append((at if 0 <= at < size else None, weight))
    return found


def sampled(x, grid, mode, padding, align):
    """One image at a time, one position at a time."""
    result = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    sizes = x.shape[2:]
    for at in np.ndindex(grid.shape[:-1]):
        where = grid[at][::-1].astype(np.float64)
        axes = [pixels(p, size, padding, align, mode) for p, size in zip(where, sizes)]
        for taps in np.ndindex(*map(len, axes)):
            chosen = [axis[tap] for axis, tap in zip(axes, taps)]
            if all(index is not None for index, _ in chosen):
                weight = np.prod([w for _, w in chosen])
                pixel = x[(at[0], slice(None), *(index for index, _ in chosen))]
                result[(at[0], slice(None), *at[1:])] += weight * pixel
    return result.astype(x.dtype)


def grids(*shape):
    """Positions inside, near the border and far outside, none of them halfway
    between pixels."""
    inside = RNG.uniform(-1.2, 1.2, shape)
    far = RNG.uniform(-6, 6, shape)
    return np.where(RNG.random(shape) < 0.8, inside, far).astype(np.float32)


def sampling():
    images = [(normal(2, 3, 4, 5), grids(2, 3, 4, 2)), (normal(1, 1, 1, 6), grids(1, 5, 2, 2))]
    volumes = [(normal(2, 2, 3, 4, 2), grids(2, 2, 3, 2, 3))]
    for mode in ("nearest", "linear", "cubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (0, 1):
                for x, grid in images + volumes:
                    expected = sampled(x, grid, mode, padding, align)
                    options = {"padding_mode": padding, "align_corners": align}
                    inputs = [x, grid]
                    case("GridSample", LAST, inputs, expected, (), 1e-4, mode=mode, **options)
                    if x.ndim == 4:
                        options["mode"] = NAMES[mode]
                        case("GridSample", LAST_OLD, inputs, expected, (), 1e-4, **options)
    x, grid = images[0]
    case("GridSample", OLD, [x, grid], sampled(x, grid, "linear", "zeros", 0), (), 1e-4)
    # Also of stored tensors, which the importer computes itself.
    for constants in ((), (0, 1)):
        expected = sampled(x, grid, "linear", "zeros", 0)
        case("GridSample", NEW, [x, grid], expected, constants, 1e-4)


def types():
    x, grid = normal(2, 2, 4, 5), grids(2, 3, 4, 2)
    expected = sampled(x.astype(np.float64), grid, "linear", "border", 0)
    options = {"mode": "linear", "padding_mode": "border"}
    case("GridSample", NEW, [x.astype(np.float64), grid.astype(np.float64)], expected, **options)
    case("GridSample", NEW, [x.astype(np.float64), grid], expected, (), 1e-4, **options)
    half, narrow = x.astype(np.float16), grid.astype(np.float16)
    expected = sampled(half.astype(np.float32), narrow, "cubic", "reflection", 1)
    options = {"mode": "cubic", "padding_mode": "reflection", "align_corners": 1}
    case("GridSample", NEW, [half, narrow], expected.astype(np.float16), (), 3e-3, **options)
    for kind in (np.int32, np.uint8, np.bool_):
        whole = RNG.integers(0, 200, x.shape).astype(kind)
        expected = sampled(whole, grid, "nearest", "zeros", 0)
        case("GridSample", NEW, [whole, grid], expected, mode="nearest")


def borders():
    """Halves, ends, positions that are far away or no numbers."""
    x = normal(1, 1, 3, 4)
    ends = np.array([[-1, -1], [1, 1], [-1, 1], [0, 0], [-0.25, 0.5], [1e30, -1e30]])
    grid = ends.reshape(1, 2, 3, 2).astype(np.float32)
    for mode in ("nearest", "linear"):
        for padding in ("zeros", "border"):
            for align in (0, 1):
                expected = sampled(x, grid, mode, padding, align)
                options = {"mode": mode, "padding_mode": padding, "align_corners": align}
                case("GridSample", LAST, [x, grid], expected, **options)
    volume, ends = normal(1, 2, 4, 4, 4), RNG.choice([-0.5, -0.25, 0, 0.25, 0.5], (1, 3, 3, 2, 3))
    grid = ends.astype(np.float32)
    expected = sampled(volume, grid, "nearest", "zeros", 0)
    case("GridSample", NEW, [volume, grid], expected, mode="nearest")
    # Infinitely far on the right, and what is no number as far on the left.
    odd = np.full((1, 1, 2, 2), 0, np.float32)
    odd[0, 0, 0, 0], odd[0, 0, 1, 0] = np.inf, np.nan
    x = normal(1, 1, 1, 4)
    expected = x[..., [3, 0]]
    case("GridSample", NEW, [x, odd], expected, mode="linear", padding_mode="border")
    nothing = normal(1, 2, 4, 4), np.zeros((1, 0, 3, 2), np.float32)
    case("GridSample", NEW, nothing, np.zeros((1, 2, 0, 3), np.float32))
    pixel, grid = normal(1, 2, 1, 1), grids(1, 4, 4, 2)
    for padding in ("border", "reflection"):
        # One pixel is all there is.
        expected = np.broadcast_to(pixel, (1, 2, 4, 4))
        for align in (0, 1):
            options = {"padding_mode": padding, "align_corners": align}
            case("GridSample", NEW, [pixel, grid], expected, (), 1e-4, **options)


def centers(size, align):
    if not align:
        return (2 * np.arange(size) + 1) / size - 1
    return np.linspace(-1, 1, size) if size > 1 else np.zeros(1)


def affine(theta, size, align):
    """The positions of all pixels, the last axis first, and transformed."""
    axes = [centers(count, align) for count in size[2:]]
    where = np.stack(np.meshgrid(*axes, indexing="ij")[::-1] + [np.ones(size[2:])], -1)
    return np.einsum("nij,...j->n...i", theta.astype(np.float64), where).astype(theta.dtype)


def transformed():
    for size in ((2, 3, 4, 5), (1, 1, 1, 6), (2, 1, 3, 4, 2)):
        theta = normal(size[0], len(size) - 2, len(size) - 1)
        for align in (0, 1):
            for constants in ((), (1,)):
                expected = affine(theta, size, align)
                inputs = [theta, np.array(size)]
                case("AffineGrid", NEW, inputs, expected, constants, 1e-4, align_corners=align)
    size = np.array([1, 1, 3, 4])
    theta = normal(1, 2, 3)
    for kind, tolerance in ((np.float64, 1e-6), (np.float16, 2e-3)):
        given = theta.astype(kind)
        case("AffineGrid", NEW, [given, size], affine(given, size, 0), [1], tolerance)


for group in (sampling, types, borders, transformed):
    group()
