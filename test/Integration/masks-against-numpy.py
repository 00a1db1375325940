# RUN: %python %s
"""Masks equal the numpy implementation, element by element, bit by bit.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Two ways in: through `prune-mask-weights` on networks, and through score, mask
and apply operations on constants. Weights have many equal magnitudes, so that
most decisions fall among ties, and -0 instead of 0, so that the sign shows
whether a zero was kept. Many cases share a process.

Usage: masks-against-numpy.py [--seed=N]
"""

import itertools
import re
import sys

import numpy as np

import masks
from mlirtext import (
    BYTES,
    Module,
    dense,
    encode,
    quantize,
    read_resources,
    returned_constants,
    tensor,
)
from tools import output_of

TYPES = list(BYTES)
SEED = next((int(a[7:]) for a in sys.argv if a.startswith("--seed=")), 1)


def draw(rng, shape, type_name, kind):
    """Few distinct values, all alike, or a normal distribution."""
    if kind == "ties":
        values = rng.integers(-3, 4, shape) * 0.25
    elif kind == "splat":
        values = np.full(shape, -1.5)
    else:
        values = rng.normal(0, 1, shape) * 10.0 ** rng.integers(-3, 3, shape)
    values = quantize(values, type_name)
    return np.where(values == 0, -0.0, values)


def same_bits(expected, found, type_name):
    return encode(expected, type_name) == encode(found, type_name)


# -- Through prune-mask-weights ------------------------------------------------


def contraction(index, attribute, shape, type_name):
    """A function with one weight; returns its text and the dimension summed."""
    weight_type = tensor(shape, type_name)
    head = f"  %w = arith.constant {attribute}\n"
    if len(shape) == 4:
        filters, channels, height, width = shape
        x, y = tensor((1, channels, height + 2, width + 1), type_name), tensor(
            (1, filters, 3, 2), type_name
        )
        body = (
            f"  %r = linalg.conv_2d_nchw_fchw ins(%x, %w : {x}, {weight_type}) "
            f"outs(%y : {y}) -> {y}\n"
        )
        return function(index, x, y, head + body), 1
    if index % 2:
        y, x = tensor((2, shape[0]), type_name), tensor((2, shape[1]), type_name)
        flipped = tensor(shape[::-1], type_name)
        body = (
            f"  %e = tensor.empty() : {flipped}\n"
            f"  %t = linalg.transpose ins(%w : {weight_type}) outs(%e : {flipped}) "
            "permutation = [1, 0]\n"
            f"  %r = linalg.matmul ins(%x, %t : {x}, {flipped}) outs(%y : {y}) "
            f"-> {y}\n"
        )
        return function(index, x, y, head + body), 1
    x, y = tensor((2, shape[0]), type_name), tensor((2, shape[1]), type_name)
    body = (
        f"  %r = linalg.matmul ins(%x, %w : {x}, {weight_type}) outs(%y : {y}) "
        f"-> {y}\n"
    )
    return function(index, x, y, head + body), 0


def function(index, x, y, body):
    return (
        f"func.func @f{index}(%x: {x}, %y: {y}) -> {y} {{\n{body}  return %r : {y}\n}}"
    )


def network(rng):
    """Weights of every type and of shapes that patterns do and do not divide."""
    module, weights, index = Module(), {}, 0
    shapes = [(8, 12), (64, 40), (33, 70), (4, 3, 3, 3), (16, 8, 2, 2)]
    kinds = ["ties", "ties", "normal", "ties", "splat"]
    for type_name in TYPES:
        for shape, kind in zip(shapes, kinds):
            name = f"layer{index}.weight"
            values = draw(rng, shape, type_name, kind)
            attribute = module.resource(name, values, type_name)
            text, summed = contraction(index, attribute, shape, type_name)
            module.functions.append(text)
            weights[name] = (values, type_name, summed)
            index += 1
    return module.text(), weights


def expected_masks(weights, criterion, pattern, scope, named, target):
    """What the pass is to decide, weight by weight."""
    patterns, chosen = {}, {}
    for name, (values, _, summed) in weights.items():
        needs_dim = ":" in pattern and not pattern.startswith("block:")
        if needs_dim and "@" not in pattern:
            patterns[name] = f"{pattern}@{summed}"
        else:
            patterns[name] = pattern
        if masks.applies(patterns[name], values.shape) and (
            named or masks.divides(patterns[name], values.shape)
        ):
            chosen[name] = values
    if scope == "global" and chosen:
        return masks.prune(chosen, criterion, pattern, scope, 7, **target)
    found = {}
    for name, values in chosen.items():
        found |= masks.prune(
            {name: values}, criterion, patterns[name], seed=7, **target
        )
    return found


def check_network(text, weights, criterion, pattern, scope, named, target):
    options = [f"criterion={criterion}", "seed=7", f"pattern={pattern}"]
    options += [f"{key}={value!r}" for key, value in target.items()]
    options += [f"scope={scope}"] + (["include=."] if named else [])
    expected = expected_masks(weights, criterion, pattern, scope, named, target)
    compare_network(text, weights, options, expected)


def compare_network(text, weights, options, expected):
    argument = "--prune-mask-weights=" + " ".join(options)
    printed = output_of("prune-opt", "-", argument, "--prune-fold-masks", stdin=text)
    blobs = {}
    for key, data in read_resources(printed).items():
        name, _, version = key.partition("#")
        assert name not in blobs and version in ("", "1"), (argument, key)
        blobs[name] = data
    for name, (values, type_name, _) in weights.items():
        wanted = masks.apply(values, expected[name]) if name in expected else values
        assert blobs[name] == encode(wanted, type_name), (argument, name)


def check_networks(rng):
    text, weights = network(rng)
    smallest = min(values.size for values, _, _ in weights.values())
    targets = [
        {"sparsity": 0.0},
        {"sparsity": 0.37},
        {"sparsity": 0.9},
        {"sparsity": 1.0},
        {"threshold": 0.5},
        {"threshold": 2.25},
        {"count": 1},
        {"count": smallest // 12},
    ]
    count = 0
    for criterion in ("l1", "l2", "random"):
        for pattern in (
            "element",
            "block:4x1",
            "block:2x3",
            "block:1x1x2x2",
            "block:5",
        ):
            for scope in ("local", "global"):
                for i, target in enumerate(targets):
                    # Both ways to treat shapes that the pattern does not divide.
                    named = (i + count) % 2 == 0
                    check_network(
                        text, weights, criterion, pattern, scope, named, target
                    )
                count += 1
        for pattern in ("2:4", "1:4", "2:4@0", "0:3@1", "3:3", "1:20@0"):
            for named in (False, True):
                check_network(text, weights, criterion, pattern, "local", named, {})


def check_choices(rng):
    """Which weights, targets of their own, and criteria and patterns as attributes."""
    text, weights = network(rng)
    own_targets = {
        "sparsity": {"layer2.weight": 0.25, "layer6.weight": 0.8},
        "threshold": {"layer2.weight": 1.5, "layer6.weight": 0.6},
        "count": {"layer2.weight": 40, "layer6.weight": 9},
    }
    defaults = {"sparsity": 0.5, "threshold": 0.7, "count": 3}
    spellings = [
        ("l1", "element", "l1", "element"),
        ("l2", "block:4x1", "#prune.magnitude<l2>", "#prune.block<[4,1]>"),
        ("random", "element", "#prune.random<seed=7>", "#prune.element"),
        ("l1", "block:1x2", "#prune.magnitude<l1>", "block:1x2"),
    ]
    choices = [{}, {"include": "layer1"}, {"exclude": "[34]"}, {"min-size": 1000},
               {"include": "layer[0-5]", "exclude": "layer3", "min-size": 500}]  # fmt: skip
    kinds = itertools.cycle(own_targets)
    for spelling, choice, scope in itertools.product(spellings, choices, ("local", "global")):
        criterion, pattern, criterion_text, pattern_text = spelling
        kind = next(kinds)
        target, own = {kind: defaults[kind]}, own_targets[kind]
        chosen = {}
        for name, (values, _, _) in weights.items():
            is_named = name in own or "include" in choice and re.search(choice["include"], name)
            is_out = "exclude" in choice and re.search(choice["exclude"], name)
            is_in = "include" not in choice and values.size >= choice.get("min-size", 0)
            is_in = is_in and masks.divides(pattern, values.shape)
            if not is_out and (is_named or is_in):
                chosen[name] = values
        expected = {}
        together = {n: v for n, v in chosen.items() if scope == "global" and n not in own}
        if together:
            expected = masks.prune(together, criterion, pattern, scope, 7, **target)
        for name in chosen.keys() - together.keys():
            mine = {kind: own[name]} if name in own else target
            expected |= masks.prune({name: chosen[name]}, criterion, pattern, seed=7, **mine)
        options = [f"criterion={criterion_text}", f"pattern={pattern_text}", f"scope={scope}"]
        options += ["seed=7", f"{kind}={target[kind]}"]
        options += [f"{key}={value}" for key, value in choice.items()]
        options.append("targets=" + ",".join(f"{name}:{value}" for name, value in own.items()))
        compare_network(text, weights, options, expected)


# -- Through score, mask and apply ---------------------------------------------


class Cases:
    """Functions that return folded constants, and what they must be."""

    def __init__(self):
        self.module, self.expected = Module(), []

    def add(self, lines, results):
        """results: (name, values, type) of what the function returns."""
        names = ", ".join(name for name, _, _ in results)
        types = ", ".join(tensor(np.shape(v), t) for _, v, t in results)
        body = "".join(f"  {line}\n" for line in lines)
        self.module.functions.append(
            f"func.func @f{len(self.expected)}() -> ({types}) {{\n{body}"
            f"  return {names} : {types}\n}}"
        )
        self.expected.append(results)

    def check(self):
        """Folds everything in one process and compares bit by bit."""
        text = self.module.text()
        printed = output_of("prune-opt", "-", "--prune-fold-masks", stdin=text)
        functions = returned_constants(printed)
        assert len(functions) == len(self.expected)
        for source, (_, values), results in zip(
            self.module.functions, functions, self.expected
        ):
            for value, (name, wanted, type_name) in zip(values, results):
                assert value is not None, f"{name} is no constant in\n{source[:3000]}"
                same = (
                    (value.astype(bool) == wanted).all()
                    if type_name == "i1"
                    else same_bits(wanted, value, type_name)
                )
                assert same, f"{name} differs in\n{source[:3000]}"


def attributes(pattern, target):
    """The attributes of a mask operation."""
    items = [f"pattern = {masks.pattern_attribute(pattern)}"]
    for key, value in target.items():
        items.append(f"{key} = {value}" if key == "count" else f"{key} = {value:.17e}")
    return "{" + ", ".join(items) + "}"


def criterion_attribute(criterion, seed):
    if criterion == "random":
        return f"#prune.random<seed = {seed}>"
    return f"#prune.magnitude<{criterion}>"


def add_ranking(cases, rng, operands, criterion, pattern, target, score_type):
    """Several weights ranked together; returns each masked and its mask."""
    lines, scores, results = [], [], []
    seed = int(rng.integers(0, 1 << 63))
    for i, (values, type_name) in enumerate(operands):
        name = f"w{i}"
        own_type, score_types = tensor(values.shape, type_name), tensor(
            values.shape, score_type
        )
        lines.append(f"%w{i} = arith.constant {dense(values, type_name)}")
        lines.append(
            f"%s{i} = prune.score %w{i} {{criterion = "
            f'{criterion_attribute(criterion, seed)}, weight = "{name}"}} : '
            f"{own_type} -> {score_types}"
        )
        scores.append(masks.score(values, criterion, seed, name, score_type=score_type))
    names = ", ".join(f"%s{i}" for i in range(len(operands)))
    types = ", ".join(tensor(s.shape, score_type) for s in scores)
    colon = f":{len(operands)}" if len(operands) > 1 else ""
    lines.append(
        f"%m{colon} = prune.mask {names} {attributes(pattern, target)} : {types}"
    )
    for i, ((values, type_name), keep) in enumerate(
        zip(operands, masks.mask(scores, pattern, **target))
    ):
        mask = f"%m#{i}" if colon else "%m"
        own, bits = tensor(values.shape, type_name), tensor(values.shape, "i1")
        lines.append(f"%p{i} = prune.apply %w{i}, {mask} : {own}, {bits}")
        results.append((f"%p{i}", masks.apply(values, keep), type_name))
        if i % 2 == 0:
            results.append((mask, keep, "i1"))
    cases.add(lines, results)


def add_channels(cases, rng, values, type_name, criterion, kept, target, score_type):
    """A score reduced to the dimensions `kept`, and what its mask reaches."""
    seed = int(rng.integers(0, 1 << 63))
    reduced = [dim for dim in range(values.ndim) if dim not in kept]
    scores = masks.score(values, criterion, seed, "k", reduced, score_type)
    (keep,) = masks.mask([scores], "element", **target)
    bias = draw(rng, scores.shape, type_name, "ties")
    own, small = tensor(values.shape, type_name), tensor(scores.shape, type_name)
    bits, score_types = tensor(scores.shape, "i1"), tensor(scores.shape, score_type)
    dims = ", ".join(map(str, kept))
    cases.add(
        [
            f"%k = arith.constant {dense(values, type_name)}",
            f"%b = arith.constant {dense(bias, type_name)}",
            f"%s = prune.score %k {{criterion = "
            f"{criterion_attribute(criterion, seed)}, "
            f'reduce_dims = {reduced}, weight = "k"}} : {own} -> {score_types}',
            f"%m = prune.mask %s {attributes('element', target)} : {score_types}",
            f"%p = prune.apply %k, %m dims = [{dims}] : {own}, {bits}",
            f"%q = prune.apply %b, %m : {small}, {bits}",
        ],
        [
            ("%s", scores, score_type),
            ("%p", masks.apply(values, keep, kept), type_name),
            ("%q", masks.apply(bias, keep), type_name),
        ],
    )


def targets_for(rng, scores_like):
    """A sparsity, a threshold and a count at random, and the extremes."""
    size = scores_like.size
    return [
        {"sparsity": float(rng.choice([0, 0.25, 0.5, 1, rng.random()]))},
        {"threshold": float(rng.choice([0.25, 0.5, -1, rng.random() * 3]))},
        {"count": int(rng.integers(0, size // 8 + 1))},
    ]


def check_operations(rng):
    cases = Cases()
    shapes = [(7,), (16, 9), (5, 6, 7), (3, 4, 5, 3), (1, 1), (2, 1, 3, 2, 2)]
    blocks = ["element", "block:2", "block:3x2", "block:2x1x3", "block:1x3x2x2"]
    for shape, criterion in itertools.product(shapes, ("l1", "l2", "random")):
        for type_name, score_type in itertools.product(TYPES, TYPES):
            values = draw(rng, shape, type_name, "ties")
            pattern = blocks[int(rng.integers(0, min(len(shape) + 1, len(blocks))))]
            for target in targets_for(rng, values):
                target = {
                    k: min(v, 1) if k == "count" else v for k, v in target.items()
                }
                operands = [(values, type_name)]
                add_ranking(
                    cases, rng, operands, criterion, pattern, target, score_type
                )
            dim, size = int(rng.integers(0, len(shape))), int(rng.integers(1, 6))
            pattern = f"{int(rng.integers(0, size + 1))}:{size}@{dim}"
            add_ranking(cases, rng, operands, criterion, pattern, {}, score_type)
            kept = sorted(
                rng.choice(len(shape), int(rng.integers(1, len(shape) + 1)), False)
            )
            if len(kept) < len(shape):
                add_channels(
                    cases, rng, values, type_name, criterion, kept, target, score_type
                )
    cases.check()


def check_global(rng):
    """Several operands of several shapes and types in one ranking."""
    cases = Cases()
    for criterion in ("l1", "l2", "random"):
        for pattern in ("element", "block:3", "block:2x4", "2:4@0"):
            for round_number in range(6):
                operands = [
                    (draw(rng, shape, type_name, kind), type_name)
                    for shape, type_name, kind in zip(
                        [(9, 8), (4, 6, 5), (12, 7), (3, 5, 3, 3)],
                        rng.permutation(TYPES),
                        rng.permutation(["ties", "ties", "normal", "splat"]),
                    )
                ]
                target = {}
                if ":" not in pattern or pattern.startswith("block"):
                    target = targets_for(rng, operands[0][0])[round_number % 3]
                add_ranking(cases, rng, operands, criterion, pattern, target, "f64")
    cases.check()


def check_large(rng):
    """Beyond every internal buffer: many tiles, long blocks, many ties."""
    cases = Cases()
    for shape, pattern in [
        ((300, 501), "element"),
        ((300, 501), "block:7x300"),
        ((3, 50021), "block:2x2500"),
        ((150001,), "block:2"),
        ((40, 61, 53), "block:3x5x7"),
        ((70, 1100), "3:8@0"),
        ((70, 1100), "40:70@0"),
        ((1100, 70), "17:33@1"),
    ]:
        for kind, type_name in (("ties", "f32"), ("splat", "f16"), ("normal", "bf16")):
            target = {} if "@" in pattern else {"sparsity": float(rng.random())}
            operands = [(draw(rng, shape, type_name, kind), type_name)]
            add_ranking(cases, rng, operands, "l1", pattern, target, "f64")
            if target:
                add_ranking(cases, rng, operands, "random", pattern, target, "f32")
    cases.check()


def check_infinite(rng):
    """Infinite scores, from the weight or from the rounding, rank highest."""
    cases = Cases()
    for type_name, score_type in itertools.product(TYPES, TYPES):
        values = draw(rng, (6, 8), type_name, "ties")
        values[1, 2:5] = np.inf, -np.inf, quantize(60000.0, type_name)
        for pattern, target in [
            ("element", {"sparsity": 0.95}),
            ("element", {"count": 47}),
            ("block:2x2", {"sparsity": 0.9}),
            ("1:4@1", {}),
            ("element", {"threshold": float("1e300")}),
        ]:
            operands = [(values, type_name)]
            add_ranking(cases, rng, operands, "l2", pattern, target, score_type)
    cases.check()


if __name__ == "__main__":
    print(f"seed {SEED}", flush=True)
    for check in (
        check_infinite,
        check_operations,
        check_global,
        check_large,
        check_networks,
        check_choices,
    ):
        check(np.random.default_rng(SEED))
