# REQUIRES: onnx
# RUN: %python %s %t
"""Normalisations can be folded behind any pruning, and nothing comes back.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A network with normalisations is pruned in all ways. Folding them afterwards
changes what it computes by rounding only, keeps every zero, and lets the same
channels leave, whether they leave before or behind the folding.
"""

import json
import pathlib
import sys

import onnx

import onnxnets
from tools import output_of, run

OUT = pathlib.Path(sys.argv[1])
ELEMENTS = ["--prune-weights=sparsity=0.5"]
CHANNELS = ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks"]
REMOVE, FOLD = ["--prune-remove-channels"], ["--prune-fold-batch-norms"]


def make(name, *passes):
    """The network after these passes, and the report of its weights."""
    path, report = OUT / f"{name}.mlir", OUT / f"{name}.json"
    done = run("prune-opt", OUT / "net.mlir", *passes, "-o", path)
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr
    output_of("prune-opt", path, f"--prune-report-weights=format=json output={report}",
              "-o", "/dev/null")
    weights = json.loads(report.read_text())["weights"]
    return path, {w["name"]: w for w in weights}


def same(path, other):
    output_of("prune-run", path, f"--compare={other}", "--rtol=1e-4", "--atol=1e-4")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    onnx.save(onnxnets.residual(), str(OUT / "net.onnx"))
    output_of("prune-translate", "--import-onnx", "--dim=N=2", OUT / "net.onnx",
              "-o", OUT / "net.mlir")

    masked, before = make("masked", "--prune-prepare", *ELEMENTS)
    folded, after = make("folded", "--prune-prepare", *ELEMENTS, *FOLD)
    same(folded, masked)
    assert before.keys() == after.keys() and before
    for name, weight in before.items():
        assert after[name]["nonzeros"] == weight["nonzeros"], name
        assert weight["nonzeros"] == weight["elements"] - weight["elements"] // 2, name
        assert after[name]["criterion"] == weight["criterion"], name

    masked, _ = make("channels", "--prune-prepare", *CHANNELS)
    removed, first = make("removed", "--prune-prepare", *CHANNELS, *REMOVE, *FOLD)
    late, second = make("late", "--prune-prepare", *CHANNELS, *FOLD, *REMOVE)
    same(removed, masked)
    same(late, masked)
    shapes = {name: weight["shape"] for name, weight in first.items()}
    assert shapes == {name: weight["shape"] for name, weight in second.items()}
    assert all(w["shape"] != w["shape_before"] for w in first.values()), shapes


main()
