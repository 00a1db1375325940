# REQUIRES: onnx
# RUN: %python %s %t
# RUN: %python %s %t.open --open
"""Operators of operator sets that the installed onnx has no tests of, each against
numpy: test/Inputs/onnx_cases. Prints how many cases there are by operator and set.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

What the importer's table claims of these sets has to have a case in each set in which
the operator's definition changed, in the first one and in the last one. Arguments after
the folder select operators; -v prints the counts of each. With --open the sizes of all
inputs are open, in some cases of the operators of OPEN and in the last set.
"""

import os
import shutil
import sys

import numpy as np
import onnx_cases
from onnx import TensorProto
from onnx_counts import Counts, claimed
from onnx_files import accept, results_of, signless

OUT, ONLY = sys.argv[1], [word for word in sys.argv[2:] if not word.startswith("-")]
# What the data say the sizes of, or the positions.
OPEN = ["AffineGrid", "CenterCropPad", "Col2Im", "Compress", "GridSample", "MaxRoiPool", "MaxUnpool"]
OPEN += ["NonMaxSuppression", "NonZero", "RoiAlign", "Unique"]
IS_OPEN = "--open" in sys.argv
# Cases of each operator that are run with open sizes, spread over all of them.
MANY = 8
# Nodes of one model: one compilation for all of them.
TOGETHER = 24


def open_sizes(model):
    for info in model.graph.input:
        kind, dims = info.type.tensor_type.elem_type, info.type.tensor_type.shape.dim
        # Lists of sizes and limits keep their lengths.
        is_list = len(dims) == 1 and not info.name.endswith("_0") and kind != TensorProto.BOOL
        for at, dim in enumerate([] if is_list else dims):
            dim.dim_param = f"{info.name}_{at}"
    for info in model.graph.output:
        info.type.tensor_type.ClearField("shape")


def spread(cases):
    chosen = []
    for op in dict.fromkeys(case.op for case in cases):
        mine = [c for c in cases if c.op == op and c.versions[1] == onnx_cases.NEWEST]
        chosen += mine[:: -(-len(mine) // MANY)]
    return chosen


def check(cases, version):
    model, given, expected = onnx_cases.build(cases, version)
    if IS_OPEN:
        open_sizes(model)
    module = accept(f"{OUT}/cases{version}.onnx", model)
    given = {name: signless(array) for name, array in given.items()}
    results = results_of(module, given, len(expected))
    for ours, (array, case) in zip(results, expected.values()):
        text = f"opset {version}: {case}"
        assert ours.shape == array.shape, (text, ours.shape, array.shape)
        if array.dtype.kind == "f":
            np.testing.assert_allclose(ours, array, case.tolerance, case.tolerance, err_msg=text)
        else:
            np.testing.assert_array_equal(ours, signless(array), text)


def check_each(cases, version):
    """One after the other, to find those that fail."""
    for case in cases:
        try:
            check([case], version)
        except AssertionError as error:
            print(f"FAILS opset {version}: {case}: {error}")


def without_case(rows, cases):
    """The operators and sets that the table claims, and that no case is run in."""
    run = {(case.op, version) for case in cases for version in case.runs()}
    wanted = []
    for op, first, last in rows:
        first = max(first, onnx_cases.OLDEST)
        inner = [v for v in onnx_cases.CHANGED.get(op, []) if first < v < last]
        if first <= last:
            wanted += [(op, version) for version in (first, *inner, last)]
    return sorted(set(wanted) - run)


def check_claims(cases):
    rows = claimed()
    assert len(rows) > 100
    missing = without_case(rows, cases)
    assert not missing, f"test/Inputs/onnx_cases has no case of: {missing}"
    # A row that is added without one is found.
    added = [("Invented", 9, onnx_cases.NEWEST), ("Conv", 18, onnx_cases.NEWEST + 1)]
    found = without_case(rows + added, cases)
    assert found == [
        ("Conv", onnx_cases.NEWEST + 1),
        ("Invented", onnx_cases.OLDEST),
        ("Invented", onnx_cases.NEWEST),
    ], found


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    only = ONLY or (OPEN if IS_OPEN else [])
    cases = [c for c in onnx_cases.all_cases() if not only or c.op in only]
    if not only:
        check_claims(cases)
    counts = Counts()
    failures = 0
    versions = {version for case in cases for version in case.runs()}
    if IS_OPEN:
        cases, versions = spread(cases), [onnx_cases.NEWEST]
    for version in sorted(versions):
        run = [c for c in cases if version in c.runs()]
        for first in range(0, len(run), TOGETHER):
            part = run[first : first + TOGETHER]
            try:
                check(part, version)
            except AssertionError as error:
                failures += 1
                print(f"FAILS: {error}")
                check_each(part, version)
        for case in run:
            counts.add(case.op, version, "run")
        print(f"opset {version}: {len(run)} cases of {len({c.op for c in run})} operators")
    if "-v" in sys.argv:
        print("\n".join(counts.lines()))
    assert cases and not failures


main()
