# REQUIRES: data
# RUN: %python %s %t
"""A real network, pruned: the accuracy is what numpy says of the same masks.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

LeNet-300-100 as trained by the authors of Dynamic Network Surgery, read from its
ONNX file, pruned layer by layer at 50 to 95 %, and run on 5,000 digits with
dense, reference and packed kernels. The accuracy may differ from numpy's by
two samples, since both round their own way.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import numpy_helper

import masks
from mlirtext import Module
from networks import Network
from tools import output_of

MODEL = "dns_lenet300100_original"
DATA = pathlib.Path(os.environ["PRUNE_DATA"])
BATCH, SAMPLES, TOLERANCE = 250, 5000, 2


def read_layers():
    """(weight, bias) of each Gemm, in order."""
    graph = onnx.load(str(DATA / "models" / MODEL / "model.onnx")).graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    gemms = [node for node in graph.node if node.op_type == "Gemm"]
    assert [a.name for a in gemms[0].attribute] == ["transB"], gemms[0]
    return [(values[n.input[1]], values[n.input[2]]) for n in gemms]


def write_module(path, layers):
    """The layers as linalg; weights keep the ONNX layout behind a transpose."""
    module = Module()
    net = Network(module, "f32", lambda name, values, summed: values)
    x = net.input(np.zeros((BATCH, layers[0][0].shape[1])))
    for i, (weight, bias) in enumerate(layers, 1):
        x = net.linear(x, f"ip{i}.weight", weight.astype(float), "transposed")
        x = net.bias(x, f"ip{i}.bias", bias.astype(float))
        if i < len(layers):
            x = net.relu(x)
    net.output(x)
    net.finish()
    path.write_text(module.text())


def count_right(x, y, layers):
    x = x.astype(np.float64)
    for i, (weight, bias) in enumerate(layers, 1):
        x = x @ weight.astype(np.float64).T + bias
        if i < len(layers):
            x = np.maximum(x, 0)
    return int((x.argmax(1) == y).sum())


def pruned_layers(layers, sparsity):
    kept = []
    for weight, bias in layers:
        score = masks.score(weight, "l1")
        (mask,) = masks.mask([score], "element", sparsity=sparsity)
        kept.append((masks.apply(weight, mask), bias))
    return kept


folder = pathlib.Path(sys.argv[1])
prepare = [sys.executable, DATA / "prepare.py", MODEL, folder, "--count", str(SAMPLES)]
subprocess.run([str(part) for part in prepare], check=True)
x, y = np.load(folder / "x.npy").reshape(SAMPLES, -1), np.load(folder / "y.npy")
np.save(folder / "x.npy", x)
layers = read_layers()
write_module(folder / "dense.mlir", layers)

for sparsity in (0, 0.5, 0.7, 0.8, 0.9, 0.95):
    pruned = folder / "pruned.mlir"
    option = f"--prune-weights=sparsity={sparsity}"
    output_of("prune-opt", folder / "dense.mlir", option, "-o", pruned)
    right = count_right(x, y, pruned_layers(layers, sparsity))
    for kernel in ("dense", "reference", "packed"):
        report = json.loads(
            output_of(
                "prune-run",
                pruned,
                f"--input=@{folder}/x.npy",
                f"--labels=@{folder}/y.npy",
                "--batch",
                f"--kernels={kernel}",
                "--json",
            )
        )
        found = report["top1"] / 100 * SAMPLES
        print(f"{sparsity:4} {kernel:9} {report['top1']:.2f} % ({right} in numpy)")
        assert abs(found - right) <= TOLERANCE, (sparsity, kernel, found, right)
