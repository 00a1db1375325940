# REQUIRES: onnx
# RUN: %python %s %t
"""Operators of operator sets that the installed onnx has no tests of, each against
numpy: test/Inputs/onnx_cases. Prints how many cases there are by operator set.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Arguments after the folder select operators.
"""

import os
import shutil
import sys

import numpy as np
import onnx_cases
from onnx_files import accept, results_of

OUT, ONLY = sys.argv[1], sys.argv[2:]
# Nodes of one model: one compilation for all of them.
TOGETHER = 24


def check(cases, version):
    model, given, expected = onnx_cases.build(cases, version)
    module = accept(f"{OUT}/cases{version}.onnx", model)
    results = results_of(module, given, len(expected))
    for ours, (array, case) in zip(results, expected.values()):
        text = f"opset {version}: {case}"
        assert ours.shape == array.shape, (text, ours.shape, array.shape)
        if array.dtype.kind == "f":
            np.testing.assert_allclose(ours, array, case.tolerance, case.tolerance, err_msg=text)
        else:
            np.testing.assert_array_equal(ours, array, text)


def check_each(cases, version):
    """One after the other, to find those that fail."""
    for case in cases:
        try:
            check([case], version)
        except AssertionError as error:
            print(f"FAILS opset {version}: {case}: {error}")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    cases = [c for c in onnx_cases.all_cases() if not ONLY or c.op in ONLY]
    # The first and the last set in which a case means the same.
    versions = sorted({version for case in cases for version in case.versions})
    failures = 0
    for version in versions:
        run = [c for c in cases if version in c.versions]
        for first in range(0, len(run), TOGETHER):
            part = run[first : first + TOGETHER]
            try:
                check(part, version)
            except AssertionError as error:
                failures += 1
                print(f"FAILS: {error}")
                check_each(part, version)
        print(f"opset {version}: {len(run)} cases of {len({c.op for c in run})} operators")
    assert cases and not failures


main()
