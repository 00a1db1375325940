# REQUIRES: onnx
# RUN: %python %s %t
"""Weights that nodes compute, that are sparse or in functions, and inputs that are
fixed: pruned networks go back to ONNX.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

What the exported file computes (in numpy) is what the pruned module computes.
"""

import os
import pathlib
import shutil
import sys

import numpy as np
import onnx
import onnx_forms
import onnxnumpy
from onnx import numpy_helper
from tools import output_of, run

OUT = pathlib.Path(sys.argv[1])
X = np.random.default_rng(1).normal(size=(2, 12)).astype(np.float32)
OPTIONS = {"fixed": ["--value=k=3"]}


def export(name, module):
    path = OUT / f"{module.stem}.onnx"
    arguments = [f"--template={OUT / name}.template.onnx", *OPTIONS.get(name, []), module]
    output_of("prune-translate", "--export-onnx", *arguments, "-o", path)
    made = onnx.load(path)
    onnx.checker.check_model(made, full_check=True)
    assert not made.functions and not made.graph.sparse_initializer
    assert [i.name for i in made.graph.input] == ["x"], made.graph.input
    np.save(OUT / "x.npy", X)
    np.save(OUT / "y.npy", onnxnumpy.evaluate(made, {"x": X})[0])
    arguments = [f"--input=@{OUT}/x.npy", f"--expected=@{OUT}/y.npy"]
    output_of("prune-run", module, *arguments, "--rtol=1e-4", "--atol=1e-5")
    return made


def elements(made, name):
    found = [t for t in made.graph.initializer if t.name == name]
    return numpy_helper.to_array(found[0]) if found else None


def check(build):
    name = build.__name__
    original = build()
    onnx.save(original, OUT / f"{name}.template.onnx")
    imported = OUT / f"{name}.mlirbc"
    arguments = ["--import-onnx", OUT / f"{name}.template.onnx", *OPTIONS.get(name, [])]
    output_of("prune-translate", *arguments, "-o", imported)
    # Nothing changed: nodes that compute weights stay.
    made = export(name, imported)
    if name in ("normalized", "quantized"):
        assert [n.op_type for n in made.graph.node] == [n.op_type for n in original.graph.node]
    weights = OUT / f"{name}-weights.mlirbc"
    prune = "--prune-weights=sparsity=0.5 min-size=1"
    output_of("prune-opt", imported, prune, "--emit-bytecode", "-o", weights)
    made = export(name, weights)
    w = elements(made, "w")
    assert w.shape == (12, 16) and np.count_nonzero(w) <= 96, w
    assert len(made.graph.node) == 3 + (name == "function"), made.graph.node
    # What only the nodes needed that made the weight is gone.
    assert len(made.graph.initializer) == 2, [t.name for t in made.graph.initializer]
    channels, small = OUT / f"{name}-masked.mlirbc", OUT / f"{name}-small.mlirbc"
    mask = ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks"]
    output_of("prune-opt", imported, *mask, "--emit-bytecode", "-o", channels)
    output_of("prune-opt", channels, "--prune-remove-channels", "--emit-bytecode", "-o", small)
    export(name, channels)
    made = export(name, small)
    assert elements(made, "w").shape == (12, 8) and elements(made, "last").shape == (8, 5)
    print(f"{name}: {len(original.graph.node)} nodes, {len(made.graph.node)} left")


def check_versions():
    """One file has one version of an operator set."""
    made = onnx_forms.function()
    made.functions[0].opset_import[0].version = 12
    onnx.save(made, OUT / "versions.onnx")
    module = OUT / "versions.mlirbc"
    output_of("prune-translate", "--import-onnx", OUT / "versions.onnx", "-o", module)
    arguments = ["--export-onnx", f"--template={OUT}/versions.onnx", module, "-o", OUT / "no.onnx"]
    result = run("prune-translate", *arguments)
    assert result.returncode == 1, result
    assert "comes from a function of opset 12, which differs from the model's" in result.stderr
    assert not os.path.exists(OUT / "no.onnx")


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
for build in onnx_forms.FORMS:
    check(build)
check_versions()
