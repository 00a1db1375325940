"""The semantics of scores and masks in numpy, written from their description.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

An independent second opinion on what `prune.score` and `prune.mask` compute:
slow, short, and exact to the last bit. It shares no idea with the compiler's
selection: here all scores are stored and sorted. Scores are float64; the
description of the prune dialect says what is asserted of them.
"""

import itertools
import math

import numpy as np

from mlirtext import quantize

WORD = (1 << 64) - 1


class NanScore(Exception):
    """A score is not a number, which the compiler must diagnose."""


# -- Criteria ------------------------------------------------------------------


def mix(x):
    """SplitMix64's finalizer on an array of uint64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def random_scores(shape, seed, name):
    """Uniform in [0, 1) by hashing the seed, the name and the index."""
    hashed = 0xCBF29CE484222325
    for byte in name.encode():
        hashed = ((hashed ^ byte) * 0x100000001B3) & WORD
    count = math.prod(shape)
    stream = mix(np.array([(seed + hashed) & WORD], np.uint64))
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((mix(stream + steps) >> np.uint64(11)) * 2.0**-53).reshape(shape)


def element_scores(values, criterion, seed=0, name=""):
    """criterion: l1, l2 or random."""
    if criterion == "l1":
        return np.abs(values)
    if criterion == "l2":
        with np.errstate(over="ignore", under="ignore"):
            return values * values
    assert criterion == "random", criterion
    return random_scores(np.shape(values), seed, name)


def score(values, criterion, seed=0, name="", reduce_dims=(), score_type="f64"):
    """What `prune.score` computes, rounded once to the type of the result."""
    scores = element_scores(np.asarray(values, np.float64), criterion, seed, name)
    if reduce_dims:
        block = [
            size if dim in reduce_dims else 1 for dim, size in enumerate(scores.shape)
        ]
        kept = [s for dim, s in enumerate(scores.shape) if dim not in reduce_dims]
        scores = unit_scores(scores, block).reshape(kept)
    return quantize(scores, score_type)


# -- Patterns ------------------------------------------------------------------


def parse_pattern(text):
    """`element`, `2:4@1` or `block:4x1` as (kind, parameters)."""
    if text == "element":
        return "block", (1,)
    if text.startswith("block:"):
        return "block", tuple(int(size) for size in text[6:].split("x"))
    ratio, dim = text.split("@")
    return "nm", tuple(int(part) for part in ratio.split(":")) + (int(dim),)


def pattern_attribute(text):
    """The attribute that a pattern's option stands for."""
    if text == "element":
        return "#prune.element"
    kind, parameters = parse_pattern(text)
    if kind == "block":
        return f"#prune.block<[{', '.join(map(str, parameters))}]>"
    return f"#prune.nm<{parameters[0]}:{parameters[1]}, {parameters[2]}>"


def full_block(block, rank):
    return tuple(block) + (1,) * (rank - len(block))


def divides(pattern, shape):
    """Whether units or groups cover the shape without remainder."""
    kind, parameters = parse_pattern(pattern)
    if kind == "nm":
        return shape[parameters[2]] % parameters[1] == 0
    return all(
        size % block == 0
        for size, block in zip(shape, full_block(parameters, len(shape)))
    )


def applies(pattern, shape):
    """Whether the shape has the dimensions that the pattern names."""
    kind, parameters = parse_pattern(pattern)
    rank = len(parameters) if kind == "block" else parameters[2] + 1
    return rank <= len(shape)


def unit_scores(scores, block):
    """Each block's sum, one addition after the other in row-major order.

    Clipped blocks are filled up with zeros, which add nothing to a sum of
    scores, since no score is negative.
    """
    block = full_block(block, scores.ndim)
    grid = [-(-size // b) for size, b in zip(scores.shape, block)]
    padded = np.zeros([g * b for g, b in zip(grid, block)])
    padded[tuple(slice(size) for size in scores.shape)] = scores
    sums = np.zeros(grid)
    with np.errstate(over="ignore", invalid="ignore"):
        for offset in itertools.product(*(range(b) for b in block)):
            sums += padded[tuple(slice(o, None, b) for o, b in zip(offset, block))]
    return sums


def spread_units(units, block, shape):
    """Repeats each unit's value over the elements of its block."""
    block = full_block(block, len(shape))
    for dim, size in enumerate(block):
        units = np.repeat(units, size, axis=dim)
    return units[tuple(slice(size) for size in shape)]


def nm_mask(scores, keep, size, dim):
    """At most `keep` of every `size` along `dim`, the last group included."""
    lines = np.moveaxis(scores, dim, -1)
    mask = np.zeros(lines.shape, bool)
    for begin in range(0, lines.shape[-1], size):
        group = lines[..., begin : begin + size]
        order = np.argsort(group, axis=-1, kind="stable")
        kept = order[..., max(0, group.shape[-1] - keep) :]
        np.put_along_axis(mask[..., begin : begin + size], kept, True, axis=-1)
    return np.moveaxis(mask, -1, dim)


# -- Ranking -------------------------------------------------------------------


def mask(scores, pattern, sparsity=None, threshold=None, count=None):
    """What `prune.mask` computes: operands ranked together, true is kept."""
    scores = [np.asarray(s, np.float64) for s in scores]
    kind, parameters = parse_pattern(pattern)
    if kind == "nm":
        if any(np.isnan(s).any() for s in scores):
            raise NanScore
        return [nm_mask(s, *parameters) for s in scores]

    units = [unit_scores(s, parameters) for s in scores]
    line = np.concatenate([u.ravel() for u in units])
    if np.isnan(line).any():
        raise NanScore
    kept = np.ones(line.size, bool)
    if threshold is not None:
        kept[line < threshold] = False
    else:
        removed = math.floor(float(line.size) * sparsity) if count is None else count
        kept[np.argsort(line, kind="stable")[:removed]] = False
    masks = []
    for operand, of_units in zip(scores, units):
        mine, kept = kept[: of_units.size], kept[of_units.size :]
        masks.append(
            spread_units(mine.reshape(of_units.shape), parameters, operand.shape)
        )
    return masks


def apply(values, keep, dims=None):
    """What `prune.apply` computes: a selection with +0, never a product."""
    if dims is not None:
        shape = [1] * np.ndim(values)
        for dim, size in zip(dims, np.shape(keep)):
            shape[dim] = size
        keep = np.reshape(keep, shape)
    return np.where(keep, values, 0.0)


def prune(weights, criterion, pattern, scope="local", seed=0, **target):
    """Masks of a dictionary of weights, as `prune-mask-weights` decides them."""
    scores = {
        name: score(values, criterion, seed, name) for name, values in weights.items()
    }
    if scope == "global":
        return dict(zip(scores, mask(list(scores.values()), pattern, **target)))
    return {name: mask([s], pattern, **target)[0] for name, s in scores.items()}
