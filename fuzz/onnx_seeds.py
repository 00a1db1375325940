"""Writes small ONNX models, one for each operator or form of a model, to begin fuzzing
with.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Usage: onnx_seeds.py FOLDER
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "test", "Inputs"))

import onnx  # noqa: E402
import onnx_cases  # noqa: E402
import onnx_forms  # noqa: E402
import onnx_random  # noqa: E402


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for op in sorted(onnx_random.RULES):
        for seed, opsets in enumerate(((7, 10), (11, 15), (16, 22))):
            try:
                model, _ = onnx_random.single(seed, op, *opsets)
            except onnx_random.Unfit:
                continue
            onnx.save(model, os.path.join(folder, f"{op}{seed}.onnx"))
    for build in onnx_forms.FORMS:
        onnx.save(build(), os.path.join(folder, f"{build.__name__}.onnx"))
    for number, case in enumerate(onnx_cases.all_cases()):
        onnx.save(case.model()[0], os.path.join(folder, f"case{number}.onnx"))


main(sys.argv[1])
