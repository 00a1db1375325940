"""Weights in TOSA and in ml_program globals are pruned and run like others.

RUN: %python %s %t

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Half of each weight goes, by magnitude; what is left is computed with numpy, and
so is what the network gives. `prune-run` compiles the pruned and the original
network.
"""

import json
import pathlib
import sys

import numpy as np

from tools import output_of, run

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(12)
X = rng.standard_normal((1, 4, 6)).astype("f4")
W = rng.standard_normal((1, 6, 8)).astype("f4")


def text(array):
    return "dense<" + json.dumps(array.tolist()) + f"> : tensor<{'x'.join(map(str, array.shape))}xf32>"


TOSA = f"""
func.func @main(%x: tensor<1x4x6xf32>) -> tensor<1x4x8xf32> {{
  %w = "tosa.const"() {{values = {text(W)}}} : () -> tensor<1x6x8xf32>
  %zp = "tosa.const"() {{values = dense<0.0> : tensor<1xf32>}} : () -> tensor<1xf32>
  %c = tosa.matmul %x, %w, %zp, %zp : (tensor<1x4x6xf32>, tensor<1x6x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
  return %c : tensor<1x4x8xf32>
}}
"""
GLOBALS = f"""
ml_program.global private mutable @global_seed(dense<0> : tensor<i64>) : tensor<i64>
ml_program.global {{visibility}} @w({text(W[0])}) : tensor<6x8xf32>
func.func @main(%x: tensor<1x4x6xf32>) -> tensor<1x4x8xf32> {{{{
  %z = arith.constant 0.0 : f32
  %w = ml_program.{{load}} @w : tensor<6x8xf32>
  %f = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x4x6xf32> into tensor<4x6xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %o = linalg.fill ins(%z : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %r = linalg.matmul ins(%f, %w : tensor<4x6xf32>, tensor<6x8xf32>) outs(%o : tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = tensor.expand_shape %r [[0, 1], [2]] output_shape [1, 4, 8] : tensor<4x8xf32> into tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}}}}
"""


def lowest_gone(weight, fraction):
    """The weight without its lowest magnitudes, the first of equals first."""
    flat = weight.reshape(-1).copy()
    order = np.argsort(np.abs(flat.astype("f8")), kind="stable")
    flat[order[: int(np.floor(flat.size * fraction))]] = 0
    return flat.reshape(weight.shape)


def check_run(path, weight):
    expected = OUT / "expected.npy"
    np.save(expected, (X.astype("f8") @ weight.astype("f8")).astype("f4"))
    for kernels in ("dense", "packed"):
        output_of("prune-run", path, f"--input=@{OUT / 'x.npy'}", f"--expected=@{expected}",
                  f"--kernels={kernels}", "--rtol=1e-5", "--atol=1e-5")


def check(name, module, weight_name):
    original, pruned = OUT / f"{name}.mlir", OUT / f"{name}.pruned.mlir"
    original.write_text(module)
    check_run(original, W)
    done = run("prune-opt", original, "--prune-weights=sparsity=0.5", "-o", pruned)
    assert done.returncode == 0 and not done.stderr, done.stderr
    report = OUT / f"{name}.json"
    output_of("prune-opt", pruned, f"--prune-report-weights=format=json output={report}",
              "-o", "/dev/null")
    weights = json.loads(report.read_text())["weights"]
    assert [(w["name"], w["nonzeros"], w["pruned"]) for w in weights] == [
        (weight_name, W.size // 2, True)], weights
    check_run(pruned, lowest_gone(W, 0.5))


np.save(OUT / "x.npy", X)
check("tosa", TOSA, "weight0")
check("const", GLOBALS.format(visibility="private", load="global_load_const"), "w")
check("load", GLOBALS.format(visibility="public", load="global_load"), "w")
