# REQUIRES: onnx, onnxruntime
# RUN: %python %s %t
"""Operators that ONNX Runtime has beside the standard ones: what the cases expect is
what it computes itself.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import sys

import numpy as np
import onnx
import onnx_cases
from onnxruntime import OnnxRuntime

OUT = sys.argv[1]


def check(runtime, case):
    model, given, expected = case.model()
    # What is compared has to be known to the runtime: it is as old as the opset.
    model.ir_version = 8
    path = os.path.join(OUT, "model.onnx")
    onnx.save(model, path)
    results = runtime.run(path, given)
    for name, (array, _) in expected.items():
        ours, theirs = array, results[name]
        assert ours.shape == theirs.shape, (str(case), ours.shape, theirs.shape)
        if array.dtype.kind == "f":
            # Some functions are approximated by polynomials.
            np.testing.assert_allclose(theirs, ours, 1e-4, 1e-4, err_msg=str(case))
        else:
            np.testing.assert_array_equal(theirs, ours, str(case))


def is_safe(case):
    """The runtime does not survive functions of bytes that have no zero point."""
    return case.op != "QLinearSigmoid" or all(x is not None for x in case.inputs)


def main():
    os.makedirs(OUT, exist_ok=True)
    runtime = OnnxRuntime()
    cases = [c for c in onnx_cases.all_cases() if c.domain == "com.microsoft" and is_safe(c)]
    failures = []
    for case in cases:
        try:
            check(runtime, case)
        except Exception as error:  # pylint: disable=broad-except
            failures.append(case.op)
            print(f"FAILS: {case}: {error}")
    runtime.close()
    assert cases and not failures, failures
    print(f"{len(cases)} cases of {len({c.op for c in cases})} operators")


main()
