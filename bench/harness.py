"""What the benchmarks share: IR text, compilation, buffers, timing.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ctypes
import pathlib
import subprocess
import sys

import numpy as np

BENCH = pathlib.Path(__file__).resolve().parent
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
    "--convert-openmp-to-llvm",
    "--prune-flatten-constants",
    "--reconcile-unrealized-casts",
]


def parse(parser, quick, command=None):
    """Parses the command line. With `--quick` the values of `quick` replace what else is asked
    for, so that a run of everything takes seconds; its figures mean nothing. `command` is the
    parser that has it, if it is not the whole program's."""
    (command or parser).add_argument(
        "--quick", action="store_true", help="the smallest run of everything, to see that it works"
    )
    arguments = parser.parse_args()
    if getattr(arguments, "quick", False):
        vars(arguments).update(quick)
    return arguments


def fixed_sizes(path):
    """1 for every size that the model's inputs leave open."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    return {
        f"{info.name}:{at}": 1
        for info in graph.input
        if info.name not in weights
        for at, dim in enumerate(info.type.tensor_type.shape.dim)
        if not dim.HasField("dim_value")
    }


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, **options)


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


def product(m, k, n):
    """Y = X W^T of row-major tensors %a and %w, as %p."""
    maps = "affine_map<(n, m, k) -> (n, k)>, affine_map<(n, m, k) -> (m, k)>, affine_map<(n, m, k) -> (n, m)>"
    return (
        f"%z = arith.constant 0.0 : f32\n%e = tensor.empty() : tensor<{n}x{m}xf32>\n"
        f"%f = linalg.fill ins(%z : f32) outs(%e : tensor<{n}x{m}xf32>) -> tensor<{n}x{m}xf32>\n"
        f"%p = linalg.matmul indexing_maps = [{maps}] ins(%a, %w : tensor<{n}x{k}xf32>, tensor<{m}x{k}xf32>)"
        f" outs(%f : tensor<{n}x{m}xf32>) -> tensor<{n}x{m}xf32>\n"
    )


class Compiler:
    """Makes shared libraries and times them."""

    def __init__(self, tools, llvm, directory):
        self.tools, self.llvm, self.directory = tools, llvm, directory
        run(llvm / "clang", "-O2", "-fPIC", "-shared", BENCH / "time_calls.c",
            "-o", directory / "time.so")  # fmt: skip
        self.library_of_timer = ctypes.CDLL(str(directory / "time.so"))
        self.timer = self.library_of_timer.time_calls
        self.timer.restype = ctypes.c_double

    def prune_opt(self, text, *passes):
        command = [str(self.tools / "prune-opt"), "-", *passes]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr[:2000]}")
        return done.stdout

    def library(self, name, llvm_dialect, threads=1):
        base = self.directory / name
        source = base.with_suffix(".mlir")
        source.write_text(llvm_dialect)
        run(self.llvm / "mlir-translate", "--mlir-to-llvmir", source, "-o", base.with_suffix(".ll"))
        run(self.llvm / "clang", "-O3", "-march=native", "-mprefer-vector-width=512", "-w", "-fPIC",
            "-shared", base.with_suffix(".ll"), "-o", base.with_suffix(".so"), "-lm",
            *(["-l:libomp.so.5"] if threads > 1 else []))  # fmt: skip
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


def check(result, w, x, side):
    rows = slice(None, None, max(1, len(w) // 64))
    expected = w[rows].astype(np.float64) @ x
    bound = (w.shape[1] + 2) * np.finfo(np.float32).eps * (np.abs(w[rows]) @ np.abs(x))
    if not (np.abs(result[rows] - expected) <= bound).all():
        sys.exit(f"{side}: wrong result")
