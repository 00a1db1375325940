# RUN: %python %s %t --convolutions=96
"""Convolutions through the whole compiler compute what numpy computes, and touch nothing else.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Convolutions over one to three spatial dimensions with random strides, dilations and
padding; plain, grouped, depthwise with and without a multiplier; one image, several, an
open number or no such dimension; dimensions in the usual or in any other order. Filters
are pruned in every pattern at every density. As in packed-products.py, every buffer and
every allocation lies against an unmapped page, what is allocated must be freed, and
inputs must not change. All of them must be packed.

PRUNE_PACKED_CONVOLUTIONS sets how many are tried in place of `--convolutions` (the full
run: 1000), PRUNE_SEED which.
"""

import numpy as np

from convolutions import Convolution
from products import Guest, check, trials

VARIANTS = [
    "form=auto",
    "form=blocks",
    "form=patterns",
    "form=blocks k-block=7",
    "form=patterns k-block=16",
    "form=auto threads=3",
]


def random_orders(rng, kind, rank, batch):
    space, kernel = [[f"{name}{i}" for i in range(rank)] for name in "ok"]
    x = {"plain": ["c"], "grouped": ["g", "c"], "depthwise": ["g"], "multiplier": ["g"]}[kind]
    w = {"plain": ["f", "c"], "grouped": ["g", "f", "c"], "depthwise": ["g"], "multiplier": ["g", "f"]}[kind]
    y = [loop for loop in w if loop != "c"]
    images = ["n"] if batch else []
    orders = [[*images, *x, *space], [*w, *kernel], [*images, *y, *space]]
    if rng.integers(2):
        orders = [list(rng.permutation(order)) for order in orders]
    return tuple(tuple(map(str, order)) for order in orders)


def random_filter(rng, shape, exact):
    w = rng.integers(-4, 5, shape) if exact else rng.standard_normal(shape)
    density = rng.choice([0.0, 0.05, 0.3, 0.6, 1.0])
    rows = int(rng.choice([1, 1, 2, 4]))
    features = -(-shape[1] // rows)
    keep = (rng.random((shape[0], features, *shape[2:])) < density).repeat(rows, 1)[:, : shape[1]]
    return np.where(keep, w, 0).astype(rng.choice([np.float32, np.float32, np.float64]))


def random_convolution(rng):
    rank = int(rng.choice([1, 2, 2, 2, 3]))
    kind = str(rng.choice(["plain", "plain", "grouped", "depthwise", "multiplier"]))
    batch = bool(rng.integers(4))
    images = int(rng.integers(1, 4)) if batch else 1
    groups = 1 if kind == "plain" else int(rng.integers(1, 7))
    features = 1 if kind == "depthwise" else int(rng.integers(1, 14))
    channels = int(rng.integers(1, 9)) if kind in ("plain", "grouped") else 1
    kernel, strides, dilations, low, high = (
        tuple(int(v) for v in rng.integers(least, end, rank))
        for least, end in ((1, 4), (1, 4), (1, 3), (0, 3), (0, 3))
    )
    if rng.integers(3) == 0:
        low, high = (0,) * rank, (0,) * rank
    reach = [(k - 1) * dilation + 1 for k, dilation in zip(kernel, dilations)]
    sizes = tuple(
        max(1, least - a - b) + int(rng.integers(0, 20 if rank < 3 else 6))
        for least, a, b in zip(reach, low, high)
    )
    exact = bool(rng.integers(2))
    single_row_loop = kind in ("plain", "depthwise")
    return Convolution(
        random_filter(rng, (groups, features, channels, *kernel), exact),
        images, sizes, strides, dilations, low, high,
        random_orders(rng, kind, rank, batch),
        exact,
        pads=str(rng.choice(["pad", "insert"])),
        dynamic=batch and bool(rng.integers(2)),
        bias=bool(rng.integers(2)),
        starts_from_bias=single_row_loop and bool(rng.integers(2)),
        relu=bool(rng.integers(2)),
    )  # fmt: skip


for trial in trials("convolutions", "PRUNE_PACKED_CONVOLUTIONS", VARIANTS):
    guest = Guest(trial, [random_convolution(trial.rng) for _ in range(trial.size)])
    packed = guest.packed.count("prune.packed_matmul")
    assert packed == trial.size, (trial, f"{packed} of {trial.size} are packed")
    check(guest, trial)
