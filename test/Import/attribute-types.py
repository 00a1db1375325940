# REQUIRES: onnx
# RUN: %python %s %t
"""Attributes of a wrong type are refused by name, whichever operator has them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import concurrent.futures
import os
import sys

import onnx_cases
import onnx_files
import onnx_random
from onnx import AttributeProto

OUT = sys.argv[1]


def models():
    for op in sorted(onnx_random.RULES):
        for seed, opsets in enumerate(((11, 15), (16, 22))):
            try:
                yield onnx_random.single(seed, op, *opsets)[0]
            except onnx_random.Unfit:
                continue
    for case in onnx_cases.all_cases():
        yield case.model()[0]


def changed():
    """For each operator, form of its inputs and attribute, a model with that
    attribute as sparse tensors, which none is."""
    seen = set()
    for model in models():
        for node in model.graph.node:
            names = tuple(sorted(attribute.name for attribute in node.attribute))
            inputs = tuple(bool(name) for name in node.input)
            for attribute in node.attribute:
                key = (node.op_type, node.domain, attribute.name, names, inputs)
                if key in seen:
                    continue
                seen.add(key)
                old, attribute.type = attribute.type, AttributeProto.SPARSE_TENSORS
                yield node.op_type, attribute.name, model.SerializeToString()
                attribute.type = old


def check(numbered):
    """Whether the attribute is refused; else the operator, which is newer than the
    model."""
    number, (op, attribute, content) = numbered
    path = f"{OUT}/{number}.onnx"
    onnx_files.save(path, content)
    code, message, _ = onnx_files.convert(path)
    named = f"({op}" in message and f"'{attribute}' has the wrong type" in message
    assert code and (named or f"'{op}' of domain '' is not supported in opset" in message), message
    return named


os.makedirs(OUT, exist_ok=True)
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    count = sum(pool.map(check, enumerate(changed())))
print(f"{count} attributes of a wrong type are refused")
assert count > 400, "too few models were drawn"
