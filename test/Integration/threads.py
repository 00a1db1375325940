# REQUIRES: openmp
# RUN: %python %s %t
"""Packed products on several threads: the same bytes for any number of threads.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Networks whose rows hold very different numbers of nonzeros, with few rows and many
columns, a single column, a number of columns known at run time only, and layers in a
chain. On one thread the result is compared with float64 in numpy; on 2 and 7 threads
it must not differ in a bit, nor leak. That threads are used at all is read off the code.
"""

import json
import os
import sys

import numpy as np

from products import Library, Product, check_reentrance
from tools import output_of

THREADS = [2, 7]
rng = np.random.default_rng(5)


def uneven(m, k, pattern):
    """A weight with most of its nonzeros in a few rows, in blocks of that many rows."""
    w = rng.uniform(-1, 1, (m, k)).astype(np.float32)
    density = np.where(np.arange(m) // pattern * pattern < m // 5, 0.9, 0.05)
    keep = rng.random((-(-m // pattern), k)).repeat(pattern, 0)[:m]
    w[keep >= density[:, None]] = 0
    return w


def hexadecimal(array):
    return "0x40000000" + np.ascontiguousarray(array).tobytes().hex().upper()


def network(weights, biases, n):
    """y = relu(... relu(x W0^T + b0) ...) of n rows, or of any number if n is None."""
    rows = "?" if n is None else n
    body, blobs, last = [], [], "%x"
    for i, (w, b) in enumerate(zip(weights, biases)):
        m, k = w.shape
        y = f"tensor<{rows}x{m}xf32>"
        size = "%n" if n is None else ""
        body.append(f"""
  %w{i} = arith.constant dense_resource<w{i}> : tensor<{m}x{k}xf32>
  %b{i} = arith.constant dense_resource<b{i}> : tensor<{m}xf32>
  %e{i} = tensor.empty({size}) : {y}
  %z{i} = linalg.fill ins(%zero : f32) outs(%e{i} : {y}) -> {y}
  %p{i} = linalg.matmul indexing_maps = [#x, #w, #y]
      ins({last}, %w{i} : tensor<{rows}x{k}xf32>, tensor<{m}x{k}xf32>) outs(%z{i} : {y}) -> {y}
  %c{i} = linalg.broadcast ins(%b{i} : tensor<{m}xf32>) outs(%e{i} : {y}) dimensions = [0]
  %s{i} = linalg.add ins(%p{i}, %c{i} : {y}, {y}) outs(%e{i} : {y}) -> {y}
  %r{i} = linalg.max ins(%s{i}, %z{i} : {y}, {y}) outs(%e{i} : {y}) -> {y}""")
        blobs += [f'w{i}: "{hexadecimal(w)}"', f'b{i}: "{hexadecimal(b)}"']
        last = f"%r{i}"
    k, m = weights[0].shape[1], weights[-1].shape[0]
    return (
        "#x = affine_map<(n, m, k) -> (n, k)>\n#w = affine_map<(n, m, k) -> (m, k)>\n"
        "#y = affine_map<(n, m, k) -> (n, m)>\n"
        f"func.func @main(%x: tensor<{rows}x{k}xf32>) -> tensor<{rows}x{m}xf32> {{\n"
        "  %i = arith.constant 0 : index\n"
        f"  %n = tensor.dim %x, %i : tensor<{rows}x{k}xf32>\n"
        "  %zero = arith.constant 0.0 : f32"
        + "".join(body)
        + f"\n  return {last} : tensor<{rows}x{m}xf32>\n}}\n"
        + "{-# dialect_resources: { builtin: {\n"
        + ",\n".join(blobs)
        + "\n} } #-}\n"
    )


def evaluate(weights, biases, x):
    """The result in float64, and a bound of what rounding to f32 may change."""
    y, error = x.astype(np.float64), np.zeros(x.shape)
    eps = np.finfo(np.float32).eps
    for w, b in zip(weights, biases):
        w = w.astype(np.float64)
        size = np.abs(y) @ np.abs(w).T + np.abs(b)
        error = error @ np.abs(w).T + (w.shape[1] + 2) * eps * (size + error @ np.abs(w).T)
        y = np.maximum(y @ w.T + b, 0)
    return y, error


def check(name, shapes, pattern, n, dynamic=False):
    weights = [uneven(m, k, pattern) for m, k in shapes]
    biases = [rng.uniform(-1, 1, m).astype(np.float32) for m, _ in shapes]
    x = rng.uniform(-1, 1, (n, shapes[0][1])).astype(np.float32)
    base = os.path.join(folder, name)
    with open(base + ".mlir", "w", encoding="utf-8") as file:
        file.write(network(weights, biases, None if dynamic else n))
    np.save(base + ".x.npy", x)
    results = []
    for threads in [1, *THREADS]:
        output = f"{base}.y{threads}.npy"
        report = json.loads(
            output_of("prune-run", base + ".mlir", f"--input=@{base}.x.npy", f"--output=@{output}",
                      "--kernels=packed", f"--threads={threads}", "--repeat=5", "--json")
        )  # fmt: skip
        assert report["leaked_allocations"] == 0, (name, threads, report)
        results.append(np.load(output))
    expected, bound = evaluate(weights, biases, x)
    wrong = np.argwhere(~(np.abs(results[0] - expected) <= bound))
    assert not len(wrong), (name, wrong[:5])
    for threads, result in zip(THREADS, results[1:]):
        assert result.tobytes() == results[0].tobytes(), (name, threads)
    code = output_of("prune-opt", base + ".mlir", "--prune-lower-to-llvm=kernels=packed threads=2",
                     "--mlir-elide-resource-strings-if-larger=64")  # fmt: skip
    assert code.count("omp.wsloop") == len(shapes), (name, "does not use threads")


folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
check("elements", [(301, 200)], 1, 200)
check("blocks", [(257, 301)], 4, 130)
check("few_rows", [(3, 2000)], 1, 900)
check("one_column", [(2049, 1024)], 16, 1)
check("one_column_elements", [(3001, 1001)], 1, 1)
check("any_number_of_columns", [(301, 200)], 1, 77, dynamic=True)
check("chain", [(300, 256), (259, 300), (301, 259)], 1, 96)

# Two threads, each with threads of its own.
products = [Product(uneven(301, 200, 1), 200, False), Product(uneven(2049, 1024, 16), 1, False, bias=True)]
library = Library(os.path.join(folder, "library"), products, "kernels=packed threads=2", ["-l:libomp.so.5"])
check_reentrance(library, rng, rounds=100)
live, calls = library.heap()
assert live == 0 and calls > 0, (live, calls)
