# REQUIRES: onnx
# RUN: %python %s %t
"""Operators of other domains that are refused: what is odd about them is named.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_files import info, model, refuse

OUT = sys.argv[1]
FLOAT, BYTE = np.float32, np.uint8
ONE, HALF, ZERO = np.array(1, FLOAT), np.array(0.5, FLOAT), np.array(9, BYTE)


def build(domain, op, stored, kind=TensorProto.FLOAT, version=1, **attributes):
    """A node of an input and of stored tensors; None where one is left out."""
    names = ["x"] + ["" if t is None else f"s{at}" for at, t in enumerate(stored)]
    node = helper.make_node(op, names, ["y"], name="odd", domain=domain, **attributes)
    tensors = [numpy_helper.from_array(t, n) for n, t in zip(names[1:], stored) if t is not None]
    content = model([node], tensors, [info("x", [1, 4, 5, 5], kind)], opset=17)
    content.opset_import.append(helper.make_opsetid(domain, version))
    return content


def check(op, stored, *expected, domain="com.microsoft", **options):
    refuse(f"{OUT}/{op}.onnx", build(domain, op, stored, **options), *expected)


def main():
    os.makedirs(OUT, exist_ok=True)
    byte = {"kind": TensorProto.UINT8}
    scaled = [HALF, ZERO]
    filters = np.ones((2, 4, 3, 3), FLOAT)
    check("Unheard", [], "'Unheard' of domain 'com.microsoft' is not supported")
    check("Gelu", [], "'Gelu' of domain 'com.microsoft' is not supported in opset 2", version=2)
    check("Relu", [], "'Relu' of domain 'com.microsoft' is not supported")
    check("Quant", [ONE, ONE, ONE], "'Quant' of domain 'com.microsoft'")
    check("BiasGelu", [np.ones((4, 5), FLOAT)], "expects input 1 to have rank 1")
    check("BiasGelu", [], "expects 2 inputs or more, but input 1 is missing")
    check("Gelu", [], "expects a floating-point input 0, but got uint8", **byte)
    check("Gelu", [], "attribute 'approximate' is not supported", approximate="tanh")
    check("FusedMatMul", [np.ones((5, 2), FLOAT)], "transBatchA", transBatchA=1)
    check("FusedConv", [filters], "the activation 'Swirl' with 0 parameters", activation="Swirl")
    check("FusedConv", [filters], "the activation 'LeakyRelu' with 0", activation="LeakyRelu")
    check("FusedConv", [filters], "the activation 'Clip' with 0", activation="Clip")
    check("SkipLayerNormalization", [np.ones((2, 4, 5, 5), FLOAT), np.ones(5, FLOAT)], "skip and bias")
    check("SkipLayerNormalization", [np.ones(5, FLOAT), np.ones(4, FLOAT)], "features")
    check("QLinearSigmoid", [*scaled, *scaled], "input 0 to be quantised to 8 bits")
    check("QLinearSigmoid", [HALF, None, ONE, np.array(0, np.int8)], "of type uint8", **byte)
    check("QLinearSigmoid", [np.ones(4, FLOAT), ZERO, *scaled], "one scale", **byte)
    check("QLinearSigmoid", [np.array(1.0), ZERO, *scaled], "expects float scales", **byte)
    check("QLinearAdd", [*scaled, None, *scaled, *scaled], "input 3 to be quantised", **byte)
    check("QLinearSigmoid", [*scaled], "expects a scale as input 3", **byte)
    check("QLinearAveragePool", [*scaled, *scaled], "channels that come last", channels_last=1, **byte)
    check("QLinearConcat", [ZERO, np.ones(3, BYTE), HALF, ZERO], "an axis")
    check("QLinearConcat", [ZERO, np.ones(3, BYTE), HALF, ZERO], "axis 4 is not in", axis=4)
    check("DynamicQuantizeMatMul", [np.ones((5, 2), FLOAT), ONE], "expects 8-bit matrices")
    for domain in ("qonnx.custom_op.general", "onnx.brevitas"):
        for bits, how in ((1, 1), (2.5, 1), (0, 0), (64, 1), (float("nan"), 1)):
            given = [HALF, ONE, np.array(bits, FLOAT)]
            check("Quant", given, "cannot quantise to", domain=domain, signed=how)
        given = [HALF, ONE, np.array(4, FLOAT)]
        check("Quant", given, "rounding_mode, 'LUCKY'", domain=domain, rounding_mode="LUCKY")
        check("Quant", [np.ones((2, 4, 5, 5), FLOAT), *given[1:]], "broadcast to", domain=domain)
    print("all refused")


main()
