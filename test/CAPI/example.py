# RUN: %python %s
"""The C example prints what an independent computation gives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import tempfile

import numpy as np

from mlirtext import Module
from tools import run

# Small integers, all different in magnitude: f32 is exact and ties are none.
w = np.arange(1, 13, dtype=np.float32).reshape(3, 4) * np.where(np.arange(12) % 2, 1, -1).reshape(3, 4)
module = Module()
weight = module.resource("fc", w, "f32")
module.functions.append(
    f"""func.func @main(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {{
  %w = arith.constant {weight}
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x4xf32>)
                     outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}}
"""
)

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "net.mlir")
    with open(path, "w", encoding="utf-8") as file:
        file.write(module.text())
    pruned = np.where(np.abs(w) <= 6, 0, w)
    result = run("prune-c-example", path, "prune-weights{sparsity=0.5}")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "result: " + " ".join(f"{v:g}" for v in pruned.sum(axis=0)) + "\n", result.stdout

    # What goes wrong is said, with the place.
    result = run("prune-c-example", path, "prune-weights{sparsity=2}")
    assert result.returncode == 1 and "'sparsity' expects" in result.stderr, result
    with open(path, "w", encoding="utf-8") as file:
        file.write("func.func @main( {\n")
    result = run("prune-c-example", path, "cse")
    assert result.returncode == 1 and f"{path}:1:" in result.stderr, result
    result = run("prune-c-example", path + ".none", "cse")
    assert result.returncode == 1 and "cannot read" in result.stderr, result
