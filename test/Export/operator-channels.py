# REQUIRES: onnx
# RUN: %python %s %t
"""Channels leave through every operator of which the table of operators says so.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each operator lies between two convolutions; half of the first one's filters are masked
and removed. Where the table says that a file can lose channels there, too, the exported
file has smaller weights, and gives what the masked module gives.
"""

import os
import pathlib
import re
import sys

import numpy as np
import onnx
import onnx_branches
from onnx_files import accept, results_of
from tools import output_of

OUT = pathlib.Path(sys.argv[1])
# Recurrent layers have tests of their own.
ELSEWHERE = {"GRU", "LSTM", "RNN"}
INPUT = (1, 3, onnx_branches.SIZE, onnx_branches.SIZE)


def read_table():
    """By operator: what the export and the removal of channels make of it."""
    lines = output_of("prune-translate", "--list-onnx-ops").splitlines()[2:]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert all(len(row) == 5 and all(row) for row in rows), rows
    return {row[0]: (row[3], row[4]) for row in rows}


def shrink(name, operators, safe):
    """The paths of the template, the masked module and the one without channels."""
    branches = onnx_branches.Branches()
    for op in operators:
        branches.add(op)
    template = OUT / f"{name}.onnx"
    imported = accept(str(template), branches.model())
    masked, after = OUT / f"{name}-masked.mlirbc", OUT / f"{name}-after.mlir"
    decide = [f"--prune-mask-channels=ratio=0.5 export-safe={safe}", "--prune-fold-masks"]
    output_of("prune-opt", imported, *decide, "--emit-bytecode", "-o", masked)
    output_of("prune-opt", masked, f"--prune-remove-channels=export-safe={safe}", "-o", after)
    text = after.read_text()
    for op in operators:
        lost = re.search(rf'w_in_{op}(?:#\d+)?"? = \[array<i64', text)
        assert lost, f"no channel leaves through {op}"
    return template, masked, after


def check_export(operators):
    template, masked, after = shrink("exported", operators, "true")
    exported = OUT / "small.onnx"
    output_of("prune-translate", "--export-onnx", f"--template={template}", after, "-o", exported)
    model = onnx.load(exported)
    filters = {t.name: t.dims[0] for t in model.graph.initializer if t.dims}
    for op in operators:
        assert filters[f"w_in_{op}"] < onnx_branches.CHANNELS, op
    x = {"x": np.random.default_rng(5).uniform(size=INPUT).astype(np.float32)}
    count = len(operators)
    expected = results_of(str(masked), x, count)
    ours = results_of(accept(str(OUT / "again.onnx"), model), x, count)
    for op, a, b in zip(operators, ours, expected):
        assert np.isfinite(b).all(), op
        np.testing.assert_allclose(a, b, 1e-4, 1e-5, err_msg=op)


def main():
    os.makedirs(OUT, exist_ok=True)
    table = read_table()
    through = {op for op, (_, channels) in table.items() if channels.startswith("yes")}
    assert len(through) > 100
    untested = through - set(onnx_branches.ALL) - ELSEWHERE
    assert not untested, f"test/Inputs/onnx_branches.py has no branch of: {sorted(untested)}"
    through -= ELSEWHERE
    in_files = {op for op in through if table[op][0] == "yes"}
    check_export(sorted(in_files))
    rest = sorted(through - in_files)
    shrink("removed", rest, "false")
    print(f"channels leave through {len(through)} operators, in files through {len(in_files)}")


main()
