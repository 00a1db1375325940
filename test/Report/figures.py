# RUN: %python %s %t
"""The figures of prune-report-weights are what numpy counts.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Weights of every type and of hostile contents and names, decided in different ways,
then dense, sparse and packed. Names, sizes, targets and zeros come from numpy and
masks.py; the bytes of sparse forms from the definition of each format.
"""

import json
import math
import pathlib
import sys

import numpy as np

import masks
from mlirtext import BYTES, Module, quantize, tensor
from tools import output_of

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(11)


def network(weights):
    """One product a weight; {name: (values, type)}."""
    module = Module()
    body, arguments, results = "", [], []
    for i, (name, (values, t)) in enumerate(weights.items()):
        k, n = values.shape
        x, y = tensor((2, k), t), tensor((2, n), t)
        arguments += [f"%x{i}: {x}", f"%i{i}: {y}"]
        body += (
            f"  %w{i} = arith.constant {module.resource(name, values, t)}\n"
            f"  %y{i} = linalg.matmul ins(%x{i}, %w{i} : {x}, {tensor((k, n), t)}) "
            f"outs(%i{i} : {y}) -> {y}\n"
        )
        results.append((f"%y{i}", y))
    values = ", ".join(name for name, _ in results)
    types = ", ".join(t for _, t in results)
    module.functions.append(
        f"func.func @main({', '.join(arguments)}) -> ({types}) {{\n{body}"
        f"  return {values} : {types}\n}}"
    )
    return module.text()


def report(source, *passes):
    """The report after the passes; the same for any number of threads."""
    path = FOLDER / "report.json"
    option = f"--prune-report-weights=format=json output={path}"
    output_of("prune-opt", source, *passes, option, "-o", "/dev/null")
    text = path.read_text()
    output_of(
        "prune-opt", source, *passes, option, "-o", "/dev/null", "--mlir-disable-threading"
    )
    assert path.read_text() == text
    return json.loads(text)


def check_totals(found):
    rows, totals = found["weights"], found["totals"]
    for key in ("elements", "nonzeros", "bytes_before", "bytes_after"):
        assert totals[key] == sum(row[key] for row in rows), (key, totals)
    assert totals["weights"] == len(rows)
    assert totals["pruned"] == sum(row["pruned"] for row in rows)


def check_rows(found, weights, kept):
    """What holds for every form: the weight as it was, and what is left of it."""
    rows = {row["name"]: row for row in found["weights"]}
    assert list(rows) == list(weights), (list(rows), list(weights))
    for name, (values, t) in weights.items():
        row = rows[name]
        assert row["type"] == t and tuple(row["shape"]) == values.shape
        assert row["elements"] == values.size
        assert row["nonzeros"] == np.count_nonzero(kept[name]), (name, row)
        zeros = values.size - np.count_nonzero(kept[name])
        assert math.isclose(row["achieved"], zeros / values.size, abs_tol=1e-15)
        assert row["bytes_before"] == values.size * BYTES[t]
    check_totals(found)
    return rows


def csr_bytes(kept, t):
    """Outputs by inputs: positions, coordinates and values."""
    matrix = kept.T
    count = np.count_nonzero(matrix)

    def width(largest):
        return next(b for b in (1, 2, 4, 8) if largest < 256**b)

    positions = (matrix.shape[0] + 1) * width(count)
    return positions + count * (width(matrix.shape[1] - 1) + BYTES[t])


def random_weights(types):
    weights = {}
    for i, t in enumerate(types):
        shape = tuple(int(n) for n in RNG.integers(3, 40, 2))
        values = quantize(RNG.normal(0, 1, shape), t)
        values[RNG.random(shape) < 0.2] = 0.0
        values[RNG.random(shape) < 0.1] = -0.0
        weights[f"layer{i}.weight"] = (values, t)
    return weights


def test_forms():
    weights = random_weights(["f32", "f64", "f16", "bf16", "f32"])
    source = FOLDER / "net.mlir"
    source.write_text(network(weights))
    before = check_rows(report(source), weights, {n: v for n, (v, _) in weights.items()})
    for row in before.values():
        assert not row["pruned"] and row["reason"] and row["target"] is None
        assert row["format"] == "dense" and row["bytes_after"] == row["bytes_before"]

    for criterion, target in (
        ("l1", {"sparsity": 0.7}),
        ("l2", {"threshold": 0.8}),
        ("random", {"count": 9}),
    ):
        kept = {}
        for name, (values, _) in weights.items():
            keep = masks.prune({name: values}, criterion, "element", **target)[name]
            kept[name] = masks.apply(values, keep)
        (key, number), = target.items()
        prune = f"--prune-weights=criterion={criterion} {key}={number}"
        found = report(source, prune)
        assert not found["not_pruned"], found["not_pruned"]
        for row in check_rows(found, weights, kept).values():
            assert row["pruned"] and row["target"] == target, row
            assert row["pattern"] == "#prune.element" and row["scope"] == "local"

        sparse = check_rows(
            report(source, prune, "--prune-sparsify-weights=format=csr max-density=1"),
            weights,
            kept,
        )
        for name, row in sparse.items():
            assert row["format"] == "csr" and row["pruned"], row
            assert row["bytes_after"] == csr_bytes(kept[name], weights[name][1]), row
        packed = check_rows(
            report(source, prune, "--prune-pack-weights=form=elements"), weights, kept
        )
        for name, row in packed.items():
            # Half precision is not packed.
            full = weights[name][1] in ("f32", "f64")
            assert row["format"] == ("packed-elements" if full else "dense"), row
            least = row["nonzeros"] * BYTES[weights[name][1]]
            assert row["bytes_after"] >= least, row


def test_again():
    """A second decision replaces the first; a weight that is left keeps its own."""
    weights = random_weights(["f32", "f32"])
    source = FOLDER / "again.mlir"
    source.write_text(network(weights))
    first = "--prune-weights=sparsity=0.5"
    second = "--prune-weights=threshold=0.9 criterion=l2 include=layer1"
    rows = report(source, first, second)["weights"]
    assert rows[0]["target"] == {"sparsity": 0.5} and rows[0]["pruned"]
    assert rows[1]["target"] == {"threshold": 0.9}, rows[1]
    assert rows[1]["criterion"] == "#prune.magnitude<l2>"
    # Left alone at first, decided later: the reason goes.
    rows = report(source, "--prune-weights=sparsity=0.5 exclude=layer1", second)["weights"]
    assert rows[1]["pruned"] and rows[1]["reason"] is None


def test_contents_and_names():
    """NaN is no zero; names and numbers need quoting."""
    values = np.array([[np.nan, np.inf, -0.0], [0.0, 1.0, -np.inf]])
    weights = {'we "ird\\\t\u00e9/\u4e2d': (values, "f32"), "b": (np.ones((3, 2)), "f32")}
    text = network({"first": (values, "f32"), "b": (np.ones((3, 2)), "f32")})
    quoted = 'we \\"ird\\\\\\09\u00e9/\u4e2d'
    source = FOLDER / "names.mlir"
    source.write_text(text.replace('"first"', f'"{quoted}"'))
    check_rows(report(source), weights, {n: v for n, (v, _) in weights.items()})
    found = report(source, "--prune-weights=threshold=inf include=^b$")
    assert found["weights"][1]["target"] == {"threshold": "inf"}
    assert found["weights"][1]["nonzeros"] == 0
    assert found["not_pruned"][0]["reason"] == "is filtered out by include or exclude"


def test_half_way():
    """A weight whose mask is not folded yet has the decision already."""
    weights = random_weights(["f32"])
    source = FOLDER / "half.mlir"
    source.write_text(network(weights))
    found = report(source, "--prune-mask-weights=sparsity=0.5")
    (item,) = found["weights"]
    assert item["name"] == "layer0.weight" and item["format"] == "masked", item
    assert item["target"] == {"sparsity": 0.5} and item["by"] == "prune-mask-weights", item
    assert item["nonzeros"] == np.count_nonzero(weights["layer0.weight"][0])
    assert not found["not_pruned"]


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
