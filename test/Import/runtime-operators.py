# REQUIRES: onnx, onnxruntime
# RUN: %python %s %t
"""What the cases of test/Inputs/onnx_cases expect is what ONNX Runtime computes: of the
operators that it has beside the standard ones, and of those in STANDARD.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import collections
import os
import sys

import numpy as np
import onnx
import onnx_cases
from onnxruntime import NoAnswer, OnnxRuntime

OUT, ONLY = sys.argv[1], sys.argv[2:]
# The newest set that the installed runtime knows.
NEWEST = 24
# Of operators that it has in older sets only.
OLDER = {"MaxRoiPool": 21, "RoiAlign": 21}
STANDARD = (
    "Resize Scan DFT STFT HannWindow HammingWindow BlackmanWindow MelWeightMatrix "
    "Compress NonMaxSuppression NonZero Unique AffineGrid GridSample CenterCropPad Col2Im "
    "MaxRoiPool MaxUnpool RoiAlign"
).split()


def differs(case):
    """Why the runtime gives something else than the definition; None if it does not."""
    if case.op == "STFT" and case.inputs[0].shape[-1] == 2 and case.inputs[2] is not None:
        return "a window of complex numbers is read as if it were of pairs"
    if case.op == "DFT" and max(case.inputs[0].shape) > 1000:
        return "roots of one are powers in single precision"
    if case.op == "DFT" and case.attributes.get("inverse") and case.inputs[1] == 7:
        return "what is cropped is mirrored first"
    if case.op == "Resize" and case.inputs[0].shape == case.outputs[0].shape:
        return "where no size changes, no region is cropped"
    if case.op == "Resize" and len(case.inputs) > 1 and case.inputs[1] is not None:
        if np.isnan(case.inputs[1]).any():
            return "a region of no numbers is inside"
    if case.op == "AffineGrid" and case.attributes.get("align_corners"):
        return "a single pixel is at the end" if 1 in case.inputs[1][2:] else None
    if case.op == "GridSample" and not np.isfinite(case.inputs[1]).all():
        return "what is infinite is anywhere"
    if case.op == "MaxUnpool" and len(case.inputs) == 3:
        return "positions are those in the larger tensor"
    if case.op == "NonZero" and case.inputs[0].ndim == 0:
        return "a number without dimensions has a position"
    if case.op == "Unique" and np.isnan(case.inputs[0].astype(float)).any():
        return "what is no number is not found"
    return None


def check(runtime, case):
    model, given, expected = onnx_cases.build([case], min(case.versions[1], OLDER.get(case.op, NEWEST)))
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
            tolerance = max(1e-4, case.tolerance)
            np.testing.assert_allclose(theirs, ours, tolerance, tolerance, err_msg=str(case))
        else:
            np.testing.assert_array_equal(theirs, ours, str(case))


def is_chosen(case):
    if case.domain == "com.microsoft":
        # The runtime does not survive functions of bytes that have no zero point.
        return case.op != "QLinearSigmoid" or all(x is not None for x in case.inputs)
    return case.op in STANDARD and case.versions[0] <= NEWEST and differs(case) is None


def main():
    os.makedirs(OUT, exist_ok=True)
    runtime = OnnxRuntime()
    cases = [c for c in onnx_cases.all_cases() if is_chosen(c) and (not ONLY or c.op in ONLY)]
    failures, unanswered = [], collections.Counter()
    for case in cases:
        try:
            check(runtime, case)
        except NoAnswer as error:
            # Parts of the standard that it does not have.
            unanswered[case.op] += 1
            print(f"no answer: {case}: {error}")
            if case.domain:
                failures.append(case.op)
        except Exception as error:  # pylint: disable=broad-except
            failures.append(case.op)
            print(f"FAILS: {case}: {error}")
    runtime.close()
    assert cases and not failures, failures
    counts = collections.Counter(c.op for c in cases)
    for op in STANDARD:
        assert ONLY or counts[op] > 2 * unanswered[op], (op, counts[op], unanswered[op])
    print(f"{len(cases)} cases of {len(counts)} operators, {unanswered.total()} without answer")


main()
