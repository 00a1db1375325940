# RUN: %python %s %t
"""Reports say what the deciding pass was asked for, and what it did.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Every criterion, scope, granularity and target, right after the decision, after folding
and after removal. Counts and cuts come from numpy.
"""

import itertools
import json
import math
import pathlib
import sys

import numpy as np

from mlirtext import Module
from tools import output_of

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(3)
WEIGHTS = {
    "fc1": RNG.normal(size=(8, 12)).astype(np.float32),
    "fc2": RNG.normal(size=(12, 16)).astype(np.float32),
    "fc3": RNG.normal(size=(16, 4)).astype(np.float32),
}
SCALES = {f"scale{i}": RNG.uniform(1, 2, n).astype(np.float32) for i, n in ((1, 12), (2, 16))}


def network():
    """Three products; behind the first two a scale for each neuron, and ReLU."""
    module = Module()
    body, x = "", ("%x", "tensor<2x8xf32>")
    for i, (name, values) in enumerate(WEIGHTS.items(), 1):
        k, n = values.shape
        t = f"tensor<2x{n}xf32>"
        body += f"""  %w{i} = arith.constant {module.resource(name, values, "f32")}
  %z{i} = arith.constant dense<0.0> : {t}
  %y{i} = linalg.matmul ins({x[0]}, %w{i} : {x[1]}, tensor<{k}x{n}xf32>) outs(%z{i} : {t}) -> {t}
"""
        x = (f"%y{i}", t)
        if i == 3:
            break
        body += f"""  %s{i} = arith.constant {module.resource(f"scale{i}", SCALES[f"scale{i}"], "f32")}
  %e{i} = tensor.empty() : {t}
  %r{i} = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}} ins(%y{i}, %s{i} : {t}, tensor<{n}xf32>) outs(%e{i} : {t}) {{
  ^bb0(%a: f32, %b: f32, %c: f32):
    %zero = arith.constant 0.0 : f32
    %p = arith.mulf %a, %b : f32
    %q = arith.maximumf %p, %zero : f32
    linalg.yield %q : f32
  }} -> {t}
"""
        x = (f"%r{i}", t)
    module.functions.append(
        f"func.func @main(%x: tensor<2x8xf32>) -> tensor<2x4xf32> {{\n{body}"
        "  return %y3 : tensor<2x4xf32>\n}"
    )
    return module.text()


def report(source, *passes):
    path = OUT / "report.json"
    output_of("prune-opt", source, *passes, f"--prune-report-weights=format=json output={path}",
              "-o", "/dev/null")
    return {row["name"]: row for row in json.loads(path.read_text())["weights"]}


def check(row, **expected):
    for key, value in expected.items():
        found = row[key]
        same = math.isclose(found, value, rel_tol=1e-6) if isinstance(value, float) else found == value
        assert same, (row["name"], key, found, value)


ELEMENTS = {"l1": (np.abs, "#prune.magnitude<l1>"), "l2": (np.square, "#prune.magnitude<l2>")}
TARGETS = [{"sparsity": 0.5}, {"threshold": 0.7}, {"count": 20}]


def check_elements(source):
    for (name, (score, criterion)), target, scope in itertools.product(
        ELEMENTS.items(), TARGETS, ("local", "global")
    ):
        ((kind, value),) = target.items()
        made = f"--prune-mask-weights=criterion={name} scope={scope} min-size=1 {kind}={value}"
        scores = {n: score(w.astype(np.float64)).ravel() for n, w in WEIGHTS.items()}
        everything = np.sort(np.concatenate(list(scores.values())))
        before, after = report(source, made), report(source, made, "--prune-fold-masks")
        for weight, own in scores.items():
            ranked = everything if scope == "global" else np.sort(own)
            gone = int(value) if kind == "count" else int(len(ranked) * value)
            cut = value if kind == "threshold" else ranked[gone - 1]
            removed = int(np.sum(own < cut) if kind == "threshold" else np.sum(own <= cut))
            said = dict(by="prune-mask-weights", criterion=criterion, pattern="#prune.element",
                        scope=scope, target=target, pruned=True)
            check(before[weight], **said, format="masked")
            check(after[weight], **said, unit="element", removed=removed,
                  kept=own.size - removed, cut=float(cut))


def channel_scores(criterion):
    """By neuron, of the groups of fc1 and fc2."""
    for weight, scale in (("fc1", "scale1"), ("fc2", "scale2")):
        w = WEIGHTS[weight].astype(np.float64)
        if criterion == "scale":
            yield weight, np.abs(SCALES[scale].astype(np.float64)), 1
        elif criterion == "geometric-median":
            yield weight, np.sqrt(((w[:, :, None] - w[:, None]) ** 2).sum(0)).sum(1), len(w)
        else:
            yield weight, ELEMENTS[criterion][0](w).sum(0), len(w)


def check_channels(source):
    names = {"scale": "#prune.scale", "geometric-median": "#prune.geometric_median"}
    names |= {name: text for name, (_, text) in ELEMENTS.items()}
    for criterion, scope in itertools.product(names, ("local", "global", "isomorphic")):
        made = f"--prune-mask-channels=criterion={criterion} scope={scope} ratio=0.5"
        stages = [report(source, made, *rest) for rest in (
            (), ("--prune-fold-masks",), ("--prune-fold-masks", "--prune-remove-channels"))]
        groups = list(channel_scores(criterion))
        everything = np.sort(np.concatenate([s / n for _, s, n in groups]))
        for stage, rows in enumerate(stages):
            for weight, scores, elements in groups:
                row = rows[weight]
                removed = row["removed"] or 0
                if scope == "local":
                    assert removed == len(scores) // 2, row
                elif scope == "global":
                    limit = everything[len(everything) // 2 - 1]
                    assert removed == np.sum(scores / elements <= limit), (row, limit)
                if removed == 0:
                    # The other group has the lower scores.
                    assert scope != "local" and not row["pruned"], row
                    continue
                check(row, by="prune-mask-channels", criterion=names[criterion], pattern="channel",
                      scope=scope, target={"ratio": 0.5}, unit="channel", group=weight, pruned=True,
                      kept=len(scores) - removed, cut=float(np.sort(scores)[removed - 1]))
                if stage == 2:
                    assert row["shape"][1] == len(scores) - removed, row
            if stage == 2:
                assert "neighbours" in rows["fc3"]["reason"], rows["fc3"]


def check_own_targets(source):
    made = "--prune-mask-channels=ratio=0.5 scope=global targets=fc2:0.25"
    rows = report(source, made, "--prune-fold-masks")
    check(rows["fc2"], scope="local", target={"ratio": 0.25}, removed=4, kept=12)
    assert rows["fc1"]["scope"] == "global" and rows["fc1"]["target"] == {"ratio": 0.5}


def check_sequence(source):
    """Channels, then elements: both are there."""
    channels = ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks", "--prune-remove-channels"]
    rows = report(source, *channels, "--prune-weights=sparsity=0.5 min-size=1")
    check(rows["fc1"], by="prune-mask-weights", earlier=["prune-mask-channels"], shape=[8, 6],
          shape_before=[8, 12])
    check(rows["fc3"], by="prune-mask-weights", earlier=[])


source = OUT / "net.mlir"
source.write_text(network())
check_elements(source)
check_channels(source)
check_own_targets(source)
check_sequence(source)
