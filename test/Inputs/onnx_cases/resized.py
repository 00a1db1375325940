"""Resize: filters, ways to place elements, sizes by several rules.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Every case is run with sizes and scales that are stored, and with those that the run
gives.
"""

import math

import numpy as np

from . import SINCE18, case

RNG = np.random.default_rng(31)
SINCE19 = (19, SINCE18[1])
NOW = (SINCE18[1],) * 2


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def source(at, n, size, scale, how, begin=0.0, end=1.0):
    """The place in the input of an output element."""
    if how == "asymmetric":
        return at / scale
    if how == "tf_half_pixel_for_nn":
        return (at + 0.5) / scale
    if how == "align_corners":
        return at * (n - 1) / (size - 1) if size > 1 else 0.0
    if how == "tf_crop_and_resize":
        if size == 1:
            return 0.5 * (begin + end) * (n - 1)
        return begin * (n - 1) + at * (end - begin) * (n - 1) / (size - 1)
    if how == "pytorch_half_pixel" and size == 1:
        return 0.0
    moved = n / 2 * (1 - size / (scale * n)) if how == "half_pixel_symmetric" else 0.0
    return moved + (at + 0.5) / scale - 0.5


def nearest(x, how):
    up, down = math.ceil(x), math.floor(x)
    if how == "floor" or (how == "round_prefer_floor" and x - down <= 0.5):
        return down
    return up if how != "round_prefer_ceil" or x - down >= 0.5 else down


def kernel(mode, distance, cubic):
    d = abs(distance)
    if mode == "linear":
        return max(1 - d, 0)
    if d <= 1:
        return (cubic + 2) * d**3 - (cubic + 3) * d**2 + 1
    return cubic * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0


def matrix(n, size, scale, region, options):
    """What each output element takes of each input element, and which lie outside."""
    how = options.get("coordinate_transformation_mode", "half_pixel")
    mode = options.get("mode", "nearest")
    by, outside = np.zeros((size, n)), np.zeros(size, bool)
    for at in range(size):
        x = source(at, n, size, scale, how, *region)
        outside[at] = how == "tf_crop_and_resize" and not 0 <= x <= n - 1
        if outside[at]:
            continue
        if mode == "nearest":
            place = nearest(x, options.get("nearest_mode", "round_prefer_floor"))
            by[at, min(max(place, 0), n - 1)] = 1
            continue
        shrink = min(scale, 1) if options.get("antialias") else 1
        far = math.ceil(2 / shrink) + 1
        for place in range(math.floor(x) - far, math.floor(x) + far + 1):
            if options.get("exclude_outside") and not 0 <= place < n:
                continue
            weight = kernel(mode, (place - x) * shrink, options.get("cubic_coeff_a", -0.75))
            by[at, min(max(place, 0), n - 1)] += weight
        if options.get("exclude_outside") or options.get("antialias"):
            by[at] /= by[at].sum() if by[at].sum() else 1
    return by, outside


def apply(x, axis, by, outside, value):
    y = np.moveaxis(np.tensordot(by, x.astype(np.float64), (1, axis)), 0, axis)
    y[(slice(None),) * axis + (outside,)] = value
    return y


def resize(x, axes, sizes=None, scales=None, region=None, **options):
    """Result of a Resize of the axes, in double precision."""
    policy = options.get("keep_aspect_ratio_policy", "stretch")
    given = [x.shape[axis] for axis in axes]
    count = len(axes)
    region = [0] * count + [1] * count if region is None else region
    if sizes is None:
        spans = [region[count + at] - region[at] for at in range(count)]
        sizes = [math.floor(n * span * s) for n, span, s in zip(given, spans, scales)]
    else:
        scales = [size / n for size, n in zip(sizes, given)]
        if policy != "stretch":
            scales = [(min if policy == "not_larger" else max)(scales)] * count
            sizes = [math.floor(scales[0] * n + 0.5) for n in given]
    y = x
    for at, axis in enumerate(axes):
        part = matrix(given[at], sizes[at], scales[at], (region[at], region[count + at]), options)
        y = apply(y, axis, *part, options.get("extrapolation_value", 0.0))
    return y


def add(versions, x, axes=None, sizes=None, scales=None, region=None, **options):
    every = [axis % x.ndim for axis in (range(x.ndim) if axes is None else axes)]
    options = options if axes is None else {**options, "axes": axes}
    plain = {k: v for k, v in options.items() if k != "axes"}
    as_floats = lambda v: None if v is None else np.array(v, np.float32)
    region, scales = as_floats(region), as_floats(scales)
    wide = lambda v: None if v is None else v.astype(np.float64)
    y = resize(x, every, sizes, wide(scales), wide(region), **plain)
    y = np.rint(y).astype(x.dtype) if x.dtype.kind in "iu" else y.astype(x.dtype)
    sizes = None if sizes is None else np.array(sizes, np.int64)
    inputs = [x, region, scales, sizes]
    tolerance = 3e-3 if x.dtype == np.float16 else 1e-4
    case("Resize", versions, inputs, y, [1, 2, 3], tolerance, **options)
    case("Resize", (versions[1],) * 2, inputs, y, [], tolerance, **options)


def places():
    x = normal(1, 2, 5, 6)
    for how in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel",
                "half_pixel_symmetric"):  # fmt: skip
        versions = SINCE19 if how == "half_pixel_symmetric" else SINCE18
        for mode in ("linear", "cubic", "nearest"):
            options = {"coordinate_transformation_mode": how, "mode": mode}
            add(versions, x, sizes=[1, 2, 8, 9], **options)
            add(NOW, x, sizes=[1, 2, 1, 4], **options)
    for how in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"):
        options = {"nearest_mode": how, "coordinate_transformation_mode": "asymmetric"}
        add(SINCE18, x, scales=[1, 1, 2, 0.5], **options)
        options["coordinate_transformation_mode"] = "half_pixel"
        add(NOW, x, scales=[1, 1, 0.8, 1.75], **options)
    # Of sets 11 and 12 only; where nothing is resized, elements still move.
    options = {"coordinate_transformation_mode": "tf_half_pixel_for_nn"}
    for how in ("floor", "round_prefer_ceil"):
        add((11, 12), x, sizes=[1, 2, 3, 6], nearest_mode=how, **options)
    # Scales whose sizes are no whole numbers.
    for mode in ("linear", "cubic"):
        add(NOW, x, scales=[1, 1, 0.65, 1.4], mode=mode)
        options = {"coordinate_transformation_mode": "half_pixel_symmetric"}
        add(SINCE19, x, scales=[1, 1, 0.65, 1.4], mode=mode, **options)
        add(NOW, x, scales=[1, 1, 0.65, 1.4], mode=mode, exclude_outside=1)
    add(SINCE18, x, scales=[1, 1, 0.6, 1.5], mode="cubic", cubic_coeff_a=-0.5)


def filters():
    x = normal(2, 3, 7, 8)
    for mode in ("linear", "cubic"):
        for outside in (0, 1):
            options = {"mode": mode, "antialias": 1, "exclude_outside": outside}
            add(SINCE18, x, scales=[1, 1, 0.6, 0.3], **options)
            add(NOW, x, sizes=[2, 3, 1, 16], **options)
            add(NOW, x, axes=[3, 2], sizes=[3, 5], **options)
        options = {"mode": mode, "antialias": 1}
        add(NOW, x, sizes=[2, 3, 3, 4], coordinate_transformation_mode="align_corners", **options)
        add(SINCE18, x.astype(np.float16), sizes=[2, 3, 3, 4], **options)
        add(SINCE18, x.astype(np.float64), sizes=[2, 3, 3, 4], **options)
    # It has no effect on the nearest element, nor on larger sizes.
    add(SINCE18, x, sizes=[2, 3, 3, 4], antialias=1)
    add(SINCE18, x, sizes=[2, 3, 14, 9], antialias=1, mode="linear")
    # A line that shrinks to a point.
    add(SINCE18, normal(1000), sizes=[1], antialias=1, mode="linear")


def ratios():
    x = normal(1, 2, 6, 4)
    for policy in ("not_larger", "not_smaller"):
        for mode in ("linear", "nearest"):
            options = {"mode": mode, "keep_aspect_ratio_policy": policy}
            add(SINCE18, x, axes=[2, 3], sizes=[7, 9], **options)
            add(NOW, x, axes=[3, 2], sizes=[7, 3], **options)
            # Halves are rounded up.
            add(SINCE18, x, axes=[2, 3], sizes=[9, 5], **options)
            add(NOW, x, axes=[-2], sizes=[4], **options)
        # Scales say the ratio already.
        add(SINCE18, x, axes=[2, 3], scales=[0.5, 2], **options)


def regions():
    x = normal(1, 2, 6, 5)
    how = {"coordinate_transformation_mode": "tf_crop_and_resize"}
    inner, outer = [0, 0, 0.25, 0.4, 1, 1, 0.75, 0.9], [0, 0, -0.3, 0.2, 1, 1, 1.4, 1.3]
    for mode in ("linear", "cubic", "nearest"):
        for region in (inner, outer):
            options = {**how, "mode": mode, "extrapolation_value": 7.5}
            add(SINCE18, x, sizes=[1, 2, 4, 3], region=region, **options)
            add(NOW, x, sizes=[1, 2, 1, 7], region=region, **options)
            add(NOW, x, scales=[1, 1, 1.5, 2], region=region, **options)
    # Nothing of the input.
    for far in (math.nan, 1e30, -1e30):
        region = [0, 0, far, 0, 1, 1, 2 * far, 1]
        for mode in ("linear", "nearest"):
            options = {**how, "mode": mode, "extrapolation_value": 7.5}
            add(SINCE18, x, sizes=[1, 2, 3, 5], region=region, **options)
    # Of some axes, in any order; backwards.
    add(SINCE18, x, axes=[3, 2], sizes=[4, 3], region=[0.4, 0.6, 0.6, 0.8], mode="linear", **how)
    add(SINCE18, x, axes=[3], sizes=[5], region=[1, 0], mode="linear", **how)


def integers():
    for kind in (np.uint8, np.int32, np.int64):
        x = RNG.integers(0, 200, (2, 3, 4)).astype(kind)
        add(SINCE18, x, sizes=[2, 5, 3])
        add(SINCE18, x, axes=[1, 2], scales=[2.5, 0.5])


for group in (places, filters, ratios, regions, integers):
    group()
