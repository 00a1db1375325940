# Networks of f16 lose channels and weights like others, and go back to ONNX.
# REQUIRES: onnx
# RUN: %python %s %t
"""The networks of export-onnx.py in f16.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Normalisations fold into weights, channels are masked and removed, and the exported
file is f16, smaller, and computes what the masked module computes with all kernels:
numpy evaluates it in f32, and each operator of ours may round once. Packed kernels
take every convolution and product, with weights of 16 bits.
"""

import os
import pathlib
import sys

import numpy as np
import onnx
import onnxnets
import onnxnumpy
from onnx import TensorProto, numpy_helper
from tools import output_of

OUT = pathlib.Path(sys.argv[1])
UNIT = 2.0**-11
NETWORKS = [onnxnets.residual, onnxnets.joined, onnxnets.grouped, onnxnets.attention]


def convert(model, source, target):
    """Every tensor of one float type in another."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for tensor in result.graph.initializer:
        if tensor.data_type == source:
            dtype = np.float16 if target == TensorProto.FLOAT16 else np.float32
            array = numpy_helper.to_array(tensor).astype(dtype)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    for info in [*result.graph.input, *result.graph.output]:
        if info.type.tensor_type.elem_type == source:
            info.type.tensor_type.elem_type = target
    return result


def parameters(model):
    arrays = map(numpy_helper.to_array, model.graph.initializer)
    return sum(array.size for array in arrays if array.dtype == np.float16)


def run(module, kernels):
    arguments = [f"--input=@{OUT}/x.npy", f"--output=@{OUT}/y.npy"]
    output_of("prune-run", module, *arguments, f"--kernels={kernels}")
    return np.load(OUT / "y.npy").astype(np.float64)


def check_equal(model, module):
    """The file in numpy, in f32; the module with all kernels."""
    inputs = np.load(OUT / "x.npy").astype(np.float32)
    single = convert(model, TensorProto.FLOAT16, TensorProto.FLOAT)
    expected = onnxnumpy.evaluate(single, {"x": inputs})[0].astype(np.float64)
    allowed = UNIT * len(model.graph.node) * np.abs(expected).max()
    for kernels in ("dense", "packed", "reference"):
        error = np.abs(run(module, kernels) - expected).max()
        assert error <= allowed, f"{module}, {kernels}: {error} > {allowed}"


def check(build):
    name = build.__name__
    half = convert(build(), TensorProto.FLOAT, TensorProto.FLOAT16)
    template = OUT / f"{name}.onnx"
    onnx.save(half, template)
    imported, folded, masked, after = (
        OUT / f"{name}-{step}.mlirbc" for step in ("imported", "folded", "masked", "after")
    )
    binary = "--emit-bytecode"
    output_of("prune-translate", "--import-onnx", template, "-o", imported)
    shape = [dim.dim_value or 2 for dim in half.graph.input[0].type.tensor_type.shape.dim]
    np.save(OUT / "x.npy", np.random.default_rng(9).normal(size=shape).astype(np.float16))
    check_equal(half, imported)

    decide = ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks"]
    output_of("prune-opt", imported, *decide, binary, "-o", masked)
    output_of("prune-opt", masked, "--prune-remove-channels", binary, "-o", after)
    path = OUT / f"{name}-after.onnx"
    output_of("prune-translate", "--export-onnx", f"--template={template}", after, "-o", path)
    exported = onnx.load(path)
    onnx.checker.check_model(exported, full_check=True)
    sizes = [parameters(half), parameters(exported)]
    print(f"{name}: {sizes} parameters")
    assert sizes[1] < sizes[0], f"{name}: {sizes}"
    check_equal(exported, masked)
    check_equal(exported, after)

    # Without normalisations, all products and convolutions with weights are packed.
    output_of("prune-opt", imported, "--prune-fold-batch-norms", binary, "-o", folded)
    check_equal(half, folded)
    norms = sum(node.op_type == "BatchNormalization" for node in half.graph.node)
    assert output_of("prune-opt", folded).count("math.sqrt") == 0 or not norms, name
    passes = ["--linalg-generalize-named-ops", "--canonicalize", "--prune-widen-sums"]
    text = output_of("prune-opt", imported, *passes, "--prune-pack-weights=vector-bits=256")
    layers = sum(
        node.op_type in ("Conv", "Gemm", "MatMul")
        and any(t.name == node.input[1] for t in half.graph.initializer)
        for node in half.graph.node
    )
    packed = [line for line in text.splitlines() if "prune.packed_matmul" in line]
    assert len(packed) == layers, f"{name}: {len(packed)} of {layers} layers are packed"
    assert all("xf16>" in line.split("input(")[0] for line in packed), packed


os.makedirs(OUT, exist_ok=True)
for network in NETWORKS:
    check(network)
