# REQUIRES: python-package
# RUN: %python %s
"""Pruned random networks compute what numpy says, in every format and type.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each seed draws a network (randomnets.py), which is pruned and then computed

- by dense, packed and reference kernels on masked weights, the last in every
  format of `prune-sparsify-weights`;
- with masks that are computed at run time, by `convert-prune-to-linalg`.

All of them are compared with a float64 evaluation in numpy under masks from
masks.py: equal on small integers, within the computed rounding bound on floats.
Everything happens in this process, through the Python package; many networks share
a module, each as functions of its own. LLVM optimises little, since its time would
be most of all; other tests compile at full level.

A network that disagrees is simplified as long as it disagrees, and is printed:

    random-networks.py --seed=N --count=1 --type=f32

By default, a share of the networks is run; PRUNE_RANDOM_NETWORKS=2000 in the
environment (200 in half precision) is the full test.
"""

import argparse
import os
import sys
import time

import numpy as np
import prune

import masks
from choices import shrink
from mlirtext import Module
from networks import Network
from randomnets import draw

PER_MODULE = 20
ARRAYS = {"f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": np.float32}
# Pattern, target and criterion, and the formats that suit what they leave.
DECISIONS = [
    ("element", {"sparsity": 0.5}, "l1", ["4x1"]),
    ("element", {"sparsity": 0.9}, "l2", ["auto"]),
    ("2:4", {}, "l1", ["2of4"]),
    ("block:4x1", {"sparsity": 0.6}, "l2", ["4x1"]),
    ("element", {"threshold": 0.8}, "l1", ["16x1"]),
    ("1:3", {}, "l2", ["1of3"]),
    ("element", {"sparsity": 0.75}, "random", ["2x1"]),
    ("block:1x2", {"sparsity": 0.8}, "l1", ["auto"]),
    ("element", {"count": 1}, "l1", ["8x1"]),
    ("1:4", {}, "random", ["1of4"]),
]
FORMATS = ["csr", "csc", "blocked-csr"]


def decider(pattern, target, criterion, _):
    """What `prune-weights` leaves of a weight."""

    def decide(name, values, summed):
        own = f"{pattern}@{summed}" if ":" in pattern and "block" not in pattern else pattern
        if not (masks.applies(own, values.shape) and masks.divides(own, values.shape)):
            return values
        keep = masks.prune({name: values}, criterion, own, seed=5, **target)[name]
        return masks.apply(values, keep)

    return decide


def options_of(pattern, target, criterion, _):
    options = [f"{key}={value!r}" for key, value in target.items()]
    return " ".join(options + [f"pattern={pattern}", f"criterion={criterion}", "seed=5"])


def ways(decision):
    """Name, passes before compilation, and kernels."""
    options = options_of(*decision)
    pruned = f"prune-weights{{{options}}}"
    yield "dense", pruned, "dense"
    yield "run-time masks", f"prune-mask-weights{{{options}}},convert-prune-to-linalg", "dense"
    yield "packed", pruned, "packed"
    for name in FORMATS + decision[3]:
        sparsify = f"prune-sparsify-weights{{format={name} max-density=1}}"
        yield name, f"{pruned},{sparsify}", "reference"


def join(module, nets, type_name):
    """One function that calls all networks, with all their arguments and results."""
    joined = Network(module, type_name, None)
    arguments, results, calls = [], [], ""
    for i, net in enumerate(nets):
        net.finish(f"net{i}")
        types = [net.t(v.shape) for _, v in net.inputs]
        names = [f"%x{i}_{j}" for j in range(len(types))]
        outputs = [net.t(v.shape) for v in net.outputs]
        arguments += [f"{n}: {t}" for n, t in zip(names, types)]
        calls += (
            f"  %y{i}:{len(outputs)} = call @net{i}({', '.join(names)}) : "
            f"({', '.join(types)}) -> ({', '.join(outputs)})\n"
        )
        results += [(f"%y{i}#{j}", t) for j, t in enumerate(outputs)]
    names, types = (", ".join(column) for column in zip(*results))
    joined.module.functions.append(
        f"func.func @main({', '.join(arguments)}) -> ({types}) {{\n{calls}"
        f"  return {names} : {types}\n}}"
    )


def compute(text, passes, kernels, inputs):
    module = prune.Module.parse(text)
    module.run(passes)
    results = module.compile("main", kernels, level=0)(*inputs)
    return results if isinstance(results, tuple) else (results,)


def agrees(wanted, found):
    if found.shape != wanted.value.shape or np.isnan(found).any():
        return False
    difference = np.abs(found.astype(np.float64) - wanted.value)
    return bool((difference <= wanted.error).all())


def disagreements(nets, type_name, decision):
    """Pairs of a network's position and the way that differs from numpy."""
    module = nets[0].module
    join(module, nets, type_name)
    text = module.text()
    inputs = [v.astype(ARRAYS[type_name]) for net in nets for _, v in net.inputs]
    bad = []
    for way, passes, kernels in ways(decision):
        results = iter(compute(text, passes, kernels, inputs))
        for position, net in enumerate(nets):
            if not all([agrees(wanted, next(results)) for wanted in net.outputs]):
                bad.append((position, way))
    return bad


def explain(seed, type_name, decision, way):
    """Simplifies the network and prints it."""

    def build(record):
        return draw(Module(), seed, type_name, decider(*decision), record)

    def fails(record):
        return any(w == way for _, w in disagreements([build(record)], type_name, decision))

    record = build(None).record
    record = shrink(record, fails) if fails(record) else record
    net = build(record)
    net.finish()
    print(f"{way} disagrees: --seed={seed} --type={type_name} ({options_of(*decision)})")
    print(f"// choices {record}\n{net.module.text()}")


def check(first, count, type_name, statistics):
    """Runs the seeds from `first` on; returns how many networks disagree."""
    bad = set()
    last = first + count
    for index in range(first // PER_MODULE, -(-last // PER_MODULE)):
        # A seed is treated alike whatever else is in its module.
        seeds = range(max(first, index * PER_MODULE), min((index + 1) * PER_MODULE, last))
        decision = DECISIONS[index % len(DECISIONS)]
        module = Module()
        nets = [draw(module, s, type_name, decider(*decision)) for s in seeds]
        for net in nets:
            statistics["exact"] += net.is_exact
            statistics["bounded"] += all(np.isfinite(v.error).all() for v in net.outputs)
            statistics["layers"] |= net.layers
        for position, way in disagreements(nets, type_name, decision):
            if seeds[position] not in bad:
                explain(seeds[position], type_name, decision, way)
            bad.add(seeds[position])
    return len(bad)


def test_shrinking():
    """A network is simplified to what a property needs, and keeps its seed's numbers."""

    def build(record):
        return draw(Module(), 3, "f32", lambda name, values, summed: values, record)

    whole = build(None)
    layer = sorted(whole.layers)[0]
    assert build(whole.record).lines == whole.lines

    record = shrink(whole.record, lambda r: layer in build(r).layers)
    assert layer in build(record).layers
    assert len(build(record).lines) < len(whole.lines), (layer, record)
    # A property that never holds again leaves the network alone.
    assert shrink(whole.record, lambda r: r == whole.record) == whole.record


def main():
    full = int(os.environ.get("PRUNE_RANDOM_NETWORKS", 160))
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int)
    parser.add_argument("--type", help="f64, f32, f16 or bf16; all if not given")
    options = parser.parse_args()
    test_shrinking()
    counts = {"f32": full, "f64": full // 10, "f16": full // 10, "bf16": full // 10}
    if options.type:
        counts = {options.type: full}
    bad = 0
    for type_name, count in counts.items():
        count = options.count or count
        statistics = {"exact": 0, "bounded": 0, "layers": set()}
        begin = time.time()
        bad += check(options.seed, count, type_name, statistics)
        print(
            f"{type_name}: {count} networks, {statistics['exact']} exact, "
            f"{statistics['bounded']} with a finite bound, {len(statistics['layers'])} "
            f"kinds of layers, {(time.time() - begin) / count:.2f} s each",
            flush=True,
        )
        if count >= 20:
            # Most of the comparisons must be able to fail.
            assert statistics["exact"] >= 0.35 * count, statistics
            assert statistics["bounded"] >= 0.8 * count, statistics
    print(f"{bad} networks disagree" if bad else "all agree")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
