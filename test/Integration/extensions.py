# REQUIRES: python-package
# RUN: %python %s %t
"""A plugin's criterion with a statistic, criterion of channels and pattern go all the
way: mask, fold, run-time mask, report, packed kernels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Builds the plugin of examples/out-of-tree against an installed package. What is kept and
what the networks compute comes from numpy.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np

from mlirtext import Module, returned_constants
from tools import output_of, run

OUT = pathlib.Path(sys.argv[1])
shutil.rmtree(OUT / "prefix", ignore_errors=True)
(OUT / "build").mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(5)
FC1 = RNG.normal(size=(8, 16)).astype(np.float32)
FC2 = RNG.normal(size=(16, 6)).astype(np.float32)
NORMS = np.exp(RNG.normal(size=8))
X = RNG.normal(size=(4, 8)).astype(np.float32)


def build_plugin():
    source = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"]) / "examples" / "out-of-tree"
    tree = os.environ["PRUNE_BUILD_DIR"]
    cache = (pathlib.Path(tree) / "CMakeCache.txt").read_text().splitlines()
    same = ("CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "CMAKE_CXX_FLAGS:", "CMAKE_EXE_LINKER_FLAGS:")
    settings = ["-D" + line for line in cache if line.startswith(same) and "-ADVANCED" not in line]
    prefix = OUT / "prefix"
    # Configured anew: a compiler of another name would start over without our settings.
    (OUT / "build" / "CMakeCache.txt").unlink(missing_ok=True)
    for command in (
        ["cmake", "--install", tree, "--prefix", prefix],
        ["cmake", "-G", "Ninja", "-S", source, "-B", OUT / "build", *settings,
         f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release"],
        ["ninja", "-C", OUT / "build", "MyCriterion"],
    ):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    return f"--load-plugin={OUT}/build/MyCriterion.so"


def network(statistics=""):
    """Two products with ReLU between; returns the result and both weights."""
    module = Module()
    w1, w2 = module.resource("fc1", FC1, "f32"), module.resource("fc2", FC2, "f32")
    body = f"""func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x6xf32>, tensor<8x16xf32>, tensor<16x6xf32>) {{
  %w1 = arith.constant {w1}
  %w2 = arith.constant {w2}
  %z1 = arith.constant dense<0.0> : tensor<4x16xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x6xf32>
  %y = linalg.matmul ins(%x, %w1 : tensor<4x8xf32>, tensor<8x16xf32>) outs(%z1 : tensor<4x16xf32>) -> tensor<4x16xf32>
  %r = linalg.max ins(%y, %z1 : tensor<4x16xf32>, tensor<4x16xf32>) outs(%z1 : tensor<4x16xf32>) -> tensor<4x16xf32>
  %s = linalg.matmul ins(%r, %w2 : tensor<4x16xf32>, tensor<16x6xf32>) outs(%z2 : tensor<4x6xf32>) -> tensor<4x6xf32>
  return %s, %w1, %w2 : tensor<4x6xf32>, tensor<8x16xf32>, tensor<16x6xf32>
}}
"""
    module.functions.append(body)
    text = module.text()
    if statistics:
        body, resources = text.split("{-#")
        text = f"module attributes {{prune.statistics = {{{statistics}}}}} {{\n{body}}}\n{{-#{resources}"
    path = OUT / "net.mlir"
    path.write_text(text)
    return path


def only_result(source):
    """The network without the weights as results, which would keep channels."""
    text = source.read_text().replace(", tensor<8x16xf32>, tensor<16x6xf32>) {", ") {")
    text = text.replace("return %s, %w1, %w2 : tensor<4x6xf32>, tensor<8x16xf32>, tensor<16x6xf32>",
                        "return %s : tensor<4x6xf32>")
    path = OUT / "plain.mlir"
    path.write_text(text)
    return path


def computes(module, w1, w2, *options):
    """What the network computes with these weights, with all kernels."""
    expected = np.maximum(X.astype(np.float64) @ w1, 0) @ w2
    np.save(OUT / "x.npy", X)
    np.save(OUT / "y.npy", expected.astype(np.float32))
    for kernels in ("dense", "packed"):
        output_of("prune-run", plugin, module, f"--kernels={kernels}", f"--input=@{OUT}/x.npy",
                  f"--expected=@{OUT}/y.npy", "--rtol=1e-4", "--atol=1e-4", *options)


def report(*passes):
    path = OUT / "report.json"
    option = f"--prune-report-weights=format=json output={path}"
    output_of("prune-opt", plugin, *passes, option, "-o", "/dev/null")
    return {row["name"]: row for row in json.loads(path.read_text())["weights"]}


def lowest(scores, part):
    """A mask without the lowest part, the first of equals first."""
    order = np.argsort(scores.ravel(), kind="stable")[: int(scores.size * part)]
    mask = np.ones(scores.size, bool)
    mask[order] = False
    return mask.reshape(scores.shape)


def check_statistic():
    norms = ", ".join(f"[{float(n)!r}]" for n in NORMS)
    source = network(f"fc1 = {{input_norm = dense<[{norms}]> : tensor<8x1xf64>}}")
    kept = lowest(np.abs(FC1.astype(np.float64)) * NORMS[:, None], 0.5)
    options = "criterion=#wanda.score sparsity=0.5 min-size=1 include=fc1"
    pruned = OUT / "pruned.mlir"
    output_of("prune-opt", plugin, source, f"--prune-weights={options}", "-o", pruned)
    values = returned_constants(pruned.read_text())[0][1][-2:]
    assert (values[0] == FC1 * kept).all() and (values[1] == FC2).all()
    plain = only_result(source)
    small = OUT / "small.mlir"
    output_of("prune-opt", plugin, plain, f"--prune-weights={options}", "-o", small)
    computes(small, FC1 * kept, FC2)
    # The mask is computed at run time, too.
    late = OUT / "late.mlir"
    output_of("prune-opt", plugin, plain, f"--prune-mask-weights={options}",
              "--convert-prune-to-linalg", "-o", late)
    computes(late, FC1 * kept, FC2)
    row = report(plain, f"--prune-weights={options}")["fc1"]
    assert row["criterion"] == "#wanda.score" and row["removed"] == 64, row
    # Without the statistic, and of a weight that has none.
    bare = only_result(network())
    done = run("prune-opt", plugin, bare, f"--prune-weights={options}")
    assert done.returncode == 1, done
    assert "reads the statistic 'input_norm' of weight 'fc1', which the module's" in done.stderr, done


def check_channels():
    plain = only_result(network())
    kept = lowest(np.abs(FC1).max(0), 0.5)
    decide = [f"--prune-mask-channels=criterion=#maximum.channel ratio=0.5"]
    fold = ["--prune-fold-masks", "--prune-remove-channels"]
    small, late = OUT / "small.mlir", OUT / "late.mlir"
    output_of("prune-opt", plugin, plain, *decide, *fold, "-o", small)
    assert "tensor<4x8xf32>, tensor<8x8xf32>) outs" in small.read_text(), small
    computes(small, FC1 * kept, FC2)
    output_of("prune-opt", plugin, plain, *decide, "--convert-prune-to-linalg", "-o", late)
    computes(late, FC1 * kept, FC2)
    row = report(plain, *decide, *fold)["fc1"]
    assert row["criterion"] == "#maximum.channel" and row["kept"] == 8, row
    assert np.isclose(row["cut"], np.sort(np.abs(FC1).max(0))[7]), row


def diagonals(w):
    """Half of the even and half of the odd diagonals, which wrap around, stay."""
    rows, columns = np.indices(w.shape)
    unit = (columns + rows) % w.shape[1]
    scores = np.array([np.abs(w[unit == u]).astype(np.float64).sum() for u in range(w.shape[1])])
    kept = np.zeros(w.shape[1], bool)
    for bank in (0, 1):
        kept[bank::2] = lowest(scores[bank::2], 0.5)
    return kept[unit]


def check_pattern():
    plain = only_result(network())
    options = "pattern=#banks.diagonal sparsity=0.5 min-size=1"
    small = OUT / "small.mlir"
    output_of("prune-opt", plugin, plain, f"--prune-weights={options}", "-o", small)
    computes(small, FC1 * diagonals(FC1), FC2 * diagonals(FC2))
    row = report(plain, f"--prune-weights={options}")["fc1"]
    assert row["pattern"] == "#banks.diagonal" and row["removed"] == 64, row
    # Global ranking leaves each weight its own banks.
    output_of("prune-opt", plugin, plain, f"--prune-weights={options} scope=global", "-o", small)
    computes(small, FC1 * diagonals(FC1), FC2 * diagonals(FC2))
    # A map has no form at run time.
    done = run("prune-opt", plugin, plain, f"--prune-mask-weights={options}", "--convert-prune-to-linalg")
    assert done.returncode == 1, done
    assert "pattern #banks.diagonal works on constant weights only" in done.stderr, done


def check_server():
    """The language server knows the pattern with the plugin, and not without."""
    text = (
        "func.func @f(%s: tensor<4x4xf64>) -> tensor<4x4xi1> {\n"
        "  %m = prune.mask %s {pattern = #banks.diagonal, count = 2 : i64} : tensor<4x4xf64>\n"
        "  return %m : tensor<4x4xi1>\n}"
    )
    document = {"uri": "test:///f.mlir", "languageId": "mlir", "version": 1, "text": text}
    messages = [
        {"id": 0, "method": "initialize",
         "params": {"processId": 1, "rootPath": "f", "capabilities": {}, "trace": "off"}},
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        {"id": 1, "method": "shutdown"},
        {"method": "exit"},
    ]
    stdin = "\n// -----\n".join(json.dumps({"jsonrpc": "2.0", **m}) for m in messages) + "\n"
    known = output_of("prune-lsp-server", plugin, "-lit-test", stdin=stdin)
    unknown = output_of("prune-lsp-server", "-lit-test", stdin=stdin)
    assert '"diagnostics": []' in known, known
    assert '"diagnostics": [\n' in unknown and "PatternAttrInterface" in unknown, unknown
    done = run("prune-lsp-server", "--load-plugin=/no/such.so")
    assert done.returncode == 3 and "/no/such.so" in done.stderr, done


plugin = build_plugin()
check_server()
check_statistic()
check_channels()
check_pattern()
