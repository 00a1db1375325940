#!/usr/bin/env python3
"""Products with pruned weights: our kernels beside dense ONNX Runtime and the stock sparsifier.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/matmul.py --tools=build/bin --shapes=512x512 --columns=64,256 --json=out.json

Each case is one weight of M rows and K columns, pruned at random in a pattern, times an
activation of N columns, in f32 on one thread. The sides are timed in turn, several rounds,
each side for a short while; a round's time is its shortest call and the ratio of a round is
taken within it. What is printed is the median of the rounds' ratios and their spread.

- ours: the kernel that the cost model chose, with the activation in the kernel's own layout.
  `edges` is what bringing a row-major activation to that layout and back would cost.
- ort: ONNX Runtime's dense MatMul through onnxruntime-node (installed with
  `npm install --ignore-scripts onnxruntime-node` where NODE_PATH finds it), less the time of
  a model that only copies an output of the same size.
- stock: `mlir-opt --sparsifier` on the weight as CSR, packed at compile time.
"""

import argparse
import ctypes
import itertools
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import numpy as np

BENCH = pathlib.Path(__file__).resolve().parent
SHAPES = "512x512,768x768,3072x768,768x3072,1024x1024,4096x4096"
BUFFERS = [
    "--eliminate-empty-tensors",
    "--one-shot-bufferize=bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map",
    "--buffer-deallocation-pipeline",
    "--convert-bufferization-to-memref",
]
LOOPS = [
    "--convert-linalg-to-loops",
    "--canonicalize",
    "--cse",
    "--expand-strided-metadata",
    "--lower-affine",
    "--convert-scf-to-cf",
    "--convert-vector-to-llvm",
    "--convert-math-to-llvm",
    "--finalize-memref-to-llvm",
    "--convert-arith-to-llvm",
    "--convert-func-to-llvm=use-bare-ptr-memref-call-conv=1",
    "--convert-cf-to-llvm",
    "--reconcile-unrealized-casts",
]


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, **options)


def prune(pattern, sparsity, m, k, rng):
    """A weight of ones and twos where the mask keeps it: `element`, `RxC` or `N:M`."""
    w = rng.uniform(0.5, 1.0, (m, k)).astype(np.float32)
    if ":" in pattern:
        n, of = map(int, pattern.split(":"))
        ranks = rng.random((m, -(-k // of), of)).argsort(2).argsort(2)
        return w * (ranks.reshape(m, -1)[:, :k] < n)
    rows, columns = (1, 1) if pattern == "element" else map(int, pattern.split("x"))
    keep = rng.random((-(-m // rows), -(-k // columns))) >= sparsity
    return w * keep.repeat(rows, 0).repeat(columns, 1)[:m, :k]


def hexadecimal(array):
    return "0x40000000" + np.ascontiguousarray(array).tobytes().hex().upper()


def resources(**arrays):
    body = ",\n".join(f'{name}: "{hexadecimal(array)}"' for name, array in arrays.items())
    return "{-#\ndialect_resources: { builtin: {\n" + body + "\n} }\n#-}\n"


def constant(value, key, shape, element):
    shape = "x".join(map(str, shape))
    return f"%{value} = arith.constant dense_resource<{key}> : tensor<{shape}x{element}>\n"


def entry(body, x, y):
    """A function from one buffer to another; `body` computes %r from %t."""
    return (
        f"func.func @kernel(%x: memref<{x}xf32>, %y: memref<{y}xf32>) {{\n"
        f"%t = bufferization.to_tensor %x restrict : memref<{x}xf32> to tensor<{x}xf32>\n"
        + body
        + f"bufferization.materialize_in_destination %r in restrict writable %y"
        f" : (tensor<{y}xf32>, memref<{y}xf32>) -> ()\nreturn\n}}\n"
    )


class Compiler:
    """Makes shared libraries and times them."""

    def __init__(self, tools, llvm, directory):
        self.tools, self.llvm, self.directory = tools, llvm, directory
        run(llvm / "clang", "-O2", "-fPIC", "-shared", BENCH / "time_calls.c",
            "-o", directory / "time.so")  # fmt: skip
        self.timer = ctypes.CDLL(str(directory / "time.so")).time_calls
        self.timer.restype = ctypes.c_double

    def prune_opt(self, text, *passes):
        command = [str(self.tools / "prune-opt"), "-", *passes]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr[:2000]}")
        return done.stdout

    def library(self, name, llvm_dialect):
        base = self.directory / name
        source = base.with_suffix(".mlir")
        source.write_text(llvm_dialect)
        run(self.llvm / "mlir-translate", "--mlir-to-llvmir", source, "-o", base.with_suffix(".ll"))
        run(self.llvm / "clang", "-O3", "-march=native", "-mprefer-vector-width=512", "-w", "-fPIC",
            "-shared", base.with_suffix(".ll"), "-o", base.with_suffix(".so"), "-lm")  # fmt: skip
        return ctypes.CDLL(str(base.with_suffix(".so")))


class Side:
    """One compiled function with its buffers."""

    def __init__(self, compiler, function, x, y):
        self.x, self.y = aligned(x), aligned(y)
        self.compiler, self.function = compiler, function

    def call(self):
        self.time(0)
        return self.y

    def time(self, seconds):
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (self.x, self.y)]
        return self.compiler.timer(self.function, *pointers, ctypes.c_double(seconds))


def aligned(array):
    raw = np.zeros(array.nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    view = raw[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def to_panels(x, panel):
    k, n = x.shape
    padded = np.zeros((k, -(-n // panel) * panel), x.dtype)
    padded[:, :n] = x
    return padded.reshape(k, -1, panel).transpose(1, 0, 2).copy()


def from_panels(panels, n):
    return panels.transpose(1, 0, 2).reshape(panels.shape[1], -1)[:, :n]


def product(m, k, n):
    """Y = X W^T of row-major tensors %a and %w, as %p."""
    maps = "affine_map<(n, m, k) -> (n, k)>, affine_map<(n, m, k) -> (m, k)>, affine_map<(n, m, k) -> (n, m)>"
    return (
        f"%z = arith.constant 0.0 : f32\n%e = tensor.empty() : tensor<{n}x{m}xf32>\n"
        f"%f = linalg.fill ins(%z : f32) outs(%e : tensor<{n}x{m}xf32>) -> tensor<{n}x{m}xf32>\n"
        f"%p = linalg.matmul indexing_maps = [{maps}] ins(%a, %w : tensor<{n}x{k}xf32>, tensor<{m}x{k}xf32>)"
        f" outs(%f : tensor<{n}x{m}xf32>) -> tensor<{n}x{m}xf32>\n"
    )


def ours(compiler, w, x, options, name="ours"):
    """The packed kernel in its own layout, and the change of layouts on its own."""
    (m, k), n = w.shape, x.shape[1]
    weight = constant("w", "w", (m, k), "f32")
    plain = f"%a = tensor.cast %t : tensor<{n}x{k}xf32> to tensor<{n}x{k}xf32>\n"
    body = weight + plain + product(m, k, n)
    body += f"%r = tensor.cast %p : tensor<{n}x{m}xf32> to tensor<{n}x{m}xf32>\n"
    text = entry(body, f"{n}x{k}", f"{n}x{m}") + resources(w=w)
    passes = [f"--prune-pack-weights={options}", "--canonicalize"]
    packed = compiler.prune_opt(text, *passes, "--mlir-elide-resource-strings-if-larger=64")
    attribute = re.search(r"packed_matmul <([^>]*)>", packed).group(1)
    panels = re.search(r"input\([^:]*: tensor<(\d+)x\d+x(\d+)xf32>\)", packed)
    edges = None
    if panels:
        # Panels in, panels out: the layouts cancel and the product is left.
        count, panel = map(int, panels.groups())
        px, py = f"{count}x{k}x{panel}", f"{count}x{m}x{panel}"
        body = (
            f"%e0 = tensor.empty() : tensor<{n}x{k}xf32>\n"
            f"%a = prune.unpack_panels %t into %e0 : tensor<{px}xf32> into tensor<{n}x{k}xf32> -> tensor<{n}x{k}xf32>\n"
            + weight
            + product(m, k, n)
            + f"%e1 = tensor.empty() : tensor<{py}xf32>\n"
            f"%r = prune.pack_panels %p into %e1 : tensor<{n}x{m}xf32> into tensor<{py}xf32> -> tensor<{py}xf32>\n"
        )
        text = entry(body, px, py) + resources(w=w)
        x_ours, y_ours = to_panels(x, panel), np.zeros((count, m, panel), np.float32)
        edges = layout_sides(compiler, m, k, n, count, panel)
    else:
        x_ours, y_ours = x.T.copy(), np.zeros((n, m), np.float32)
    lowered = compiler.prune_opt(
        text, *passes, *BUFFERS, "--convert-prune-packed-to-vector", *LOOPS
    )
    library = compiler.library(name, lowered)
    side = Side(compiler, library.kernel, x_ours, y_ours)
    result = from_panels(side.call(), n) if panels else side.call().T
    check(result, w, x, "ours")
    return side, edges, attribute


def layout_sides(compiler, m, k, n, count, panel):
    sides = []
    for f, name in ((k, "pack"), (m, "unpack")):
        plain, panels = f"{n}x{f}", f"{count}x{f}x{panel}"
        source, target = (plain, panels) if name == "pack" else (panels, plain)
        body = (
            f"%e = tensor.empty() : tensor<{target}xf32>\n"
            f"%r = prune.{name}_panels %t into %e : tensor<{source}xf32> into tensor<{target}xf32> -> tensor<{target}xf32>\n"
        )
        lowered = compiler.prune_opt(
            entry(body, source, target), *BUFFERS, "--convert-prune-packed-to-vector", *LOOPS
        )
        shape = lambda s: np.zeros([int(d) for d in s.split("x")], np.float32)  # noqa: E731
        sides.append(
            Side(compiler, compiler.library(name, lowered).kernel, shape(source), shape(target))
        )
    return sides


class Both:
    """Two sides timed as one."""

    def __init__(self, sides):
        self.sides = sides

    def time(self, seconds):
        return sum(side.time(seconds / len(self.sides)) for side in self.sides)


def stock(compiler, w, x):
    """W as CSR times X with `mlir-opt --sparsifier`."""
    (m, k), n = w.shape, x.shape[1]
    positions = np.concatenate([[0], (w != 0).sum(1).cumsum()]).astype(np.int32)
    coordinates = np.nonzero(w)[1].astype(np.int32)
    values = w[w != 0]
    nnz = len(values)
    csr = "#csr = #sparse_tensor.encoding<{map = (d0, d1) -> (d0 : dense, d1 : compressed), posWidth = 32, crdWidth = 32}>\n"
    body = (
        constant("p", "p", (m + 1,), "i32")
        + constant("c", "c", (nnz,), "i32")
        + constant("v", "v", (nnz,), "f32")
        + f"%w = sparse_tensor.assemble (%p, %c), %v : (tensor<{m + 1}xi32>, tensor<{nnz}xi32>), tensor<{nnz}xf32> to tensor<{m}x{k}xf32, #csr>\n"
        f"%z = arith.constant 0.0 : f32\n"
        f"%f = linalg.fill ins(%z : f32) outs(%y : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>\n"
        f"%r = linalg.matmul ins(%w, %x : tensor<{m}x{k}xf32, #csr>, tensor<{k}x{n}xf32>) outs(%f : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>\n"
    )
    text = (
        csr
        + f"func.func @kernel(%x: tensor<{k}x{n}xf32>, %y: tensor<{m}x{n}xf32> {{bufferization.writable = true}}) -> tensor<{m}x{n}xf32> attributes {{llvm.emit_c_interface}} {{\n"
        + body
        + f"return %r : tensor<{m}x{n}xf32>\n}}\n"
        + resources(p=positions, c=coordinates, v=values)
    )
    options = "enable-runtime-library=false reassociate-fp-reductions=true enable-index-optimizations=true"
    if n >= 16:
        options += " vl=16"
    lowered = run(
        compiler.llvm / "mlir-opt", "-", f"--sparsifier={options}",
        input=text, text=True, capture_output=True).stdout  # fmt: skip
    library = compiler.library("stock", lowered)
    return StockSide(compiler, library, np.ascontiguousarray(x), w)


class Descriptor(ctypes.Structure):
    _fields_ = [
        ("allocated", ctypes.c_void_p),
        ("aligned", ctypes.c_void_p),
        ("offset", ctypes.c_int64),
        ("sizes", ctypes.c_int64 * 2),
        ("strides", ctypes.c_int64 * 2),
    ]

    @classmethod
    def of(cls, a):
        data = a.ctypes.data
        return cls(data, data, 0, (ctypes.c_int64 * 2)(*a.shape), (ctypes.c_int64 * 2)(a.shape[1], 1))


class StockSide:
    """The stock function returns its second argument through a first one; a small C shim
    gives it the form that the timer calls."""

    def __init__(self, compiler, library, x, w):
        self.compiler = compiler
        self.x, self.y = aligned(x), aligned(np.zeros((w.shape[0], x.shape[1]), np.float32))
        self.result = Descriptor()
        self.descriptors = [Descriptor.of(self.x), Descriptor.of(self.y)]
        shim = compiler.directory / "shim.c"
        shim.write_text(
            "typedef void (*F)(void *, void *, void *);\nF target; void *result;\n"
            "void call(void *x, void *y) { target(result, x, y); }\n"
        )
        run(compiler.llvm / "clang", "-O2", "-fPIC", "-shared", shim, "-o", shim.with_suffix(".so"))
        self.shim = ctypes.CDLL(str(shim.with_suffix(".so")))
        function = library._mlir_ciface_kernel
        ctypes.c_void_p.in_dll(self.shim, "target").value = ctypes.cast(
            function, ctypes.c_void_p
        ).value
        ctypes.c_void_p.in_dll(self.shim, "result").value = ctypes.addressof(self.result)
        self.time(0)
        out = np.ctypeslib.as_array(
            ctypes.cast(self.result.aligned, ctypes.POINTER(ctypes.c_float)), self.y.shape
        )
        check(out, w, x, "stock")

    def time(self, seconds):
        x, y = (ctypes.byref(d) for d in self.descriptors)
        return self.compiler.timer(self.shim.call, x, y, ctypes.c_double(seconds))


def check(result, w, x, side):
    rows = slice(None, None, max(1, len(w) // 64))
    expected = w[rows].astype(np.float64) @ x
    bound = (w.shape[1] + 2) * np.finfo(np.float32).eps * (np.abs(w[rows]) @ np.abs(x))
    if not (np.abs(result[rows] - expected) <= bound).all():
        sys.exit(f"{side}: wrong result")


class OnnxRuntime:
    """A node process that runs models on request."""

    def __init__(self, directory):
        self.directory = directory
        self.process = subprocess.Popen(
            ["node", BENCH / "onnxruntime_peer.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def model(self, name, nodes, m, k, n, weights):
        import onnx
        from onnx import TensorProto, helper, numpy_helper

        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes, "bench",
            [info("x", TensorProto.FLOAT, [n, k])], [info("y", TensorProto.FLOAT, [n, m])],
            [numpy_helper.from_array(v, key) for key, v in weights.items()],
        )  # fmt: skip
        path = self.directory / f"{name}.onnx"
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        onnx.save(model, str(path))
        return path

    def sides(self, w, n):
        """The product, and a model that writes an output of the same size."""
        from onnx import helper

        m, k = w.shape
        self.process.stdin.write("forget\n")
        nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
        dense = self.model("dense", nodes, m, k, n, {"w": np.ascontiguousarray(w.T)})
        nodes = [helper.make_node("Identity", ["c"], ["y"])]
        empty = self.model("empty", nodes, m, k, n, {"c": np.zeros((n, m), np.float32)})
        return Peer(self, dense, n, k), Peer(self, empty, n, k)

    def time(self, path, rows, columns, seconds):
        self.process.stdin.write(f"{path} {rows} {columns} {seconds}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


class Peer:
    def __init__(self, runtime, path, rows, columns):
        self.arguments = runtime, path, rows, columns

    def time(self, seconds):
        runtime, *arguments = self.arguments
        return runtime.time(*arguments, seconds)


def measure(sides, rounds, seconds):
    """The sides' times, round by round."""
    return [{name: side.time(seconds) for name, side in sides.items()} for _ in range(rounds)]


def summary(rounds, side, base):
    """Median, lowest and highest ratio of `base` to `side`."""
    ratios = sorted(r[base] / r[side] for r in rounds)
    return [statistics.median(ratios), ratios[0], ratios[-1]]


def bench_case(compiler, runtime, arguments, m, k, n, pattern, sparsity):
    rng = np.random.default_rng([m, k, n, int(sparsity * 100)])
    w = prune(pattern, sparsity, m, k, rng)
    x = rng.uniform(-1, 1, (k, n)).astype(np.float32)
    sides = {}
    sides["ours"], edges, attribute = ours(compiler, w, x, arguments.options)
    if edges:
        sides["edges"] = Both(edges)
    if runtime:
        sides["ort"], sides["empty"] = runtime.sides(w, n)
    if arguments.stock and sparsity > 0:
        sides["stock"] = stock(compiler, w, x)
    rounds = measure(sides, arguments.rounds, arguments.seconds)
    nonzeros = int((w != 0).sum())
    best = {name: min(r[name] for r in rounds) for name in sides}
    row = {
        "m": m, "k": k, "n": n, "pattern": pattern, "sparsity": sparsity, "kernel": attribute,
        "nonzeros": nonzeros, "seconds": best, "useful_gflops": 2 * nonzeros * n / best["ours"] * 1e-9,
    }  # fmt: skip
    if runtime:
        for r in rounds:
            r["ort"] = max(r["ort"] - r["empty"], 1e-9)
        row["ort_over_ours"] = summary(rounds, "ours", "ort")
    if "stock" in sides:
        row["stock_over_ours"] = summary(rounds, "ours", "stock")
    return row


def show(row):
    def ratio(key):
        return "{:6.2f} ({:.2f}-{:.2f})".format(*row[key]) if key in row else ""

    kernel = row["kernel"].split(",")[0] + re.sub(r".*(tile = \d+ x \d+).*", r" \1", row["kernel"])
    edges = row["seconds"].get("edges", 0)
    print(
        f"{row['m']:5}x{row['k']:<5}{row['n']:4} {row['pattern']:8}{row['sparsity']:5.2f} "
        f"{kernel:26} {row['seconds']['ours'] * 1e6:10.1f} us {row['useful_gflops']:6.1f} GF "
        f"edges {edges * 1e6:8.1f} us  ort/ours {ratio('ort_over_ours'):22} "
        f"stock/ours {ratio('stock_over_ours')}",
        flush=True,
    )


def conclude(rows):
    """Medians over the shapes with 64 columns and more, by pattern and sparsity."""
    print("\nmedian over shapes with 64 columns and more")
    wide = [r for r in rows if r["n"] >= 64]
    key = lambda r: (r["pattern"], r["sparsity"])  # noqa: E731
    for group, members in itertools.groupby(sorted(wide, key=key), key):
        members = list(members)
        line = f"{group[0]:8} {group[1]:4.2f}"
        for name in ("ort_over_ours", "stock_over_ours"):
            ratios = [r[name][0] for r in members if name in r]
            if ratios:
                line += f"  {name} {statistics.median(ratios):6.2f}"
                line += f" (geometric mean {statistics.geometric_mean(ratios):.2f}, least {min(ratios):.2f})"
        print(line)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tools", type=pathlib.Path, default="build/bin")
    parser.add_argument("--llvm", type=pathlib.Path, default="/usr/lib/llvm-22/bin")
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--columns", default="1,64,128,256")
    parser.add_argument("--cases", default="element:0,element:0.5,element:0.7,element:0.8,element:0.9,element:0.95,2:4:0.5,4x1:0.5,4x1:0.8,4x1:0.9")
    parser.add_argument("--options", default="", help="options of prune-pack-weights")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.03, help="per side and round")
    parser.add_argument("--no-ort", action="store_true")
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        runtime = None if arguments.no_ort else OnnxRuntime(directory)
        for shape, n, case in itertools.product(
            arguments.shapes.split(","), arguments.columns.split(","), arguments.cases.split(",")
        ):
            m, k = map(int, shape.split("x"))
            pattern, sparsity = case.rsplit(":", 1)
            # A fresh directory: a library that is loaded must not be overwritten.
            with tempfile.TemporaryDirectory(dir=directory) as place:
                compiler = Compiler(arguments.tools.resolve(), arguments.llvm, pathlib.Path(place))
                row = bench_case(compiler, runtime, arguments, m, k, int(n), pattern, float(sparsity))
            rows.append(row)
            show(row)
    conclude(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
