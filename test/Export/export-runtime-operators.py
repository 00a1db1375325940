# Operators of other domains: channels go through elementwise ones, and others keep theirs.
# REQUIRES: onnx, onnxruntime
# RUN: %python %s %t
"""A pruned network with operators of ONNX Runtime exports right or is refused.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import pathlib
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx_files import info, model
from onnxruntime import OnnxRuntime
from tools import output_of, run

OUT = pathlib.Path(sys.argv[1])
RNG = np.random.default_rng(5)
RUNTIME = "com.microsoft"
X = RNG.normal(size=(3, 6)).astype(np.float32)
HALF = ("--prune-mask-channels=ratio=0.5", "--prune-fold-masks")


def stored(name, *shape):
    return numpy_helper.from_array(RNG.normal(size=shape).astype(np.float32), name)


def network(*nodes):
    """Between two products, on six, eight and four channels."""
    first = helper.make_node("MatMul", ["x", "w0"], ["h0"], name="first")
    last = helper.make_node("MatMul", [nodes[-1].output[0], "w1"], ["y"], name="last")
    weights = [stored("w0", 6, 8), stored("w1", 8, 4), stored("bias", 8), stored("square", 8, 8)]
    read = {name for node in nodes for name in node.input} | {"w0", "w1"}
    weights = [tensor for tensor in weights if tensor.name in read]
    inputs, outputs = [info("x", [3, 6])], [info("y", [3, 4])]
    made = model([first, *nodes, last], weights, inputs, outputs, opset=17)
    made.opset_import.append(helper.make_opsetid(RUNTIME, 1))
    made.ir_version = 8
    return made


def fused(op, *inputs, name="fused", **attributes):
    return helper.make_node(op, list(inputs), ["h1"], name=name, domain=RUNTIME, **attributes)


def export(name, made, safe="auto"):
    """The exported masked network, and the result of exporting the smaller one."""
    template = OUT / f"{name}.onnx"
    onnx.save(made, template)
    done = []
    half = (f"{HALF[0]} export-safe={safe}", *HALF[1:])
    for passes in (half, (*half, f"--prune-remove-channels=export-safe={safe}")):
        module, target = OUT / "module.mlirbc", OUT / f"{name}{len(done)}.onnx"
        target.unlink(missing_ok=True)
        output_of("prune-translate", "--import-onnx", template, "-o", module)
        output_of("prune-opt", module, *passes, "--emit-bytecode", "-o", module)
        arguments = ["--export-onnx", f"--template={template}", module, "-o", target]
        done.append((run("prune-translate", *arguments), target))
    assert done[0][0].returncode == 0, done[0][0].stderr
    return done[0][1], *done[1]


def same(name, made, oracle):
    masked, done, small = export(name, made)
    assert done.returncode == 0, done.stderr
    expected, found = (oracle.run(str(path), {"x": X})["y"] for path in (masked, small))
    np.testing.assert_allclose(found, expected, 1e-4, 1e-4, err_msg=name)
    sizes = {t.name: list(t.dims) for t in onnx.load(small).graph.initializer}
    assert sizes["w0"][1] < 8 and sizes["w1"][0] < 8, (name, sizes)


def refused(name, made):
    _, done, small = export(name, made, "false")
    assert done.returncode != 0 and "'fused'" in done.stderr, (name, done.stderr)
    assert not small.exists(), name
    # By default the channels stay.
    _, done, small = export(name, made)
    assert done.returncode == 0, (name, done.stderr)
    sizes = {t.name: list(t.dims) for t in onnx.load(small).graph.initializer}
    assert sizes["w0"][1] == 8, (name, sizes)


def main():
    os.makedirs(OUT, exist_ok=True)
    oracle = OnnxRuntime()
    same("bias-gelu", network(fused("BiasGelu", "h0", "bias")), oracle)
    same("fast-gelu", network(fused("FastGelu", "h0")), oracle)
    same("quick-gelu", network(fused("QuickGelu", "h0")), oracle)
    refused("fused-matmul", network(fused("FusedMatMul", "h0", "square", transB=1)))
    refused("fused-gemm", network(fused("FusedGemm", "h0", "square", activation="Relu")))
    oracle.close()


main()
