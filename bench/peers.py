"""Other programs that multiply, each as a side that is timed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

- onnxruntime: dense MatMul through onnxruntime-node, activations row-major.
- openblas, onednn: dense products of row-major activations, called from C. OpenBLAS packs
  the weight at every call, which is how it is used; oneDNN keeps it in its own layout.
- stock: `mlir-opt --sparsifier` on the weight as CSR, packed at compile time, activations
  feature-major, which suits it.
- reference: what `--prune-lower-to-llvm=kernels=reference` makes of the product as it
  stands in a network, activations row-major.
"""

import ctypes
import os
import pathlib
import subprocess
import sys

import numpy as np

from harness import (
    BENCH,
    Descriptor,
    Side,
    aligned,
    check,
    constant,
    entry,
    product,
    resources,
    run,
)


def stock(compiler, w, x):
    """W as CSR times X with `mlir-opt --sparsifier`."""
    (m, k), n = w.shape, x.shape[1]
    positions = np.concatenate([[0], (w != 0).sum(1).cumsum()]).astype(np.int32)
    coordinates = np.nonzero(w)[1].astype(np.int32)
    values = w[w != 0]
    nnz = len(values)
    levels = "map = (d0, d1) -> (d0 : dense, d1 : compressed), posWidth = 32, crdWidth = 32"
    csr = f"#csr = #sparse_tensor.encoding<{{{levels}}}>\n"
    y = f"tensor<{m}x{n}xf32>"
    body = (
        constant("p", "p", (m + 1,), "i32")
        + constant("c", "c", (nnz,), "i32")
        + constant("v", "v", (nnz,), "f32")
        + f"%w = sparse_tensor.assemble (%p, %c), %v : (tensor<{m + 1}xi32>, tensor<{nnz}xi32>), tensor<{nnz}xf32>"
        f" to tensor<{m}x{k}xf32, #csr>\n"
        f"%z = arith.constant 0.0 : f32\n"
        f"%f = linalg.fill ins(%z : f32) outs(%y : {y}) -> {y}\n"
        f"%r = linalg.matmul ins(%w, %x : tensor<{m}x{k}xf32, #csr>, tensor<{k}x{n}xf32>) outs(%f : {y}) -> {y}\n"
    )
    text = (
        csr
        + f"func.func @kernel(%x: tensor<{k}x{n}xf32>, %y: {y} {{bufferization.writable = true}}) -> {y}\n"
        + "attributes {llvm.emit_c_interface} {\n"
        + body
        + f"return %r : {y}\n}}\n"
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


class OnnxRuntime:
    """A node process that runs models on request."""

    def __init__(self, directory):
        self.directory = directory
        self.process = subprocess.Popen(
            ["node", BENCH / "onnxruntime_peer.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.version = self.process.stdout.readline().strip()
        if not self.version:
            sys.exit("ONNX Runtime cannot be loaded; see --help on NODE_PATH, or give --no-ort")
        self.warm_up()

    def warm_up(self):
        """The first calls of a process are several times slower, which would flatter us."""
        for side in self.sides(np.ones((512, 512), np.float32), 64):
            side.time(0.5)

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


class DescriptorSide:
    """A function of two matrices that are passed as MLIR's C interface does."""

    def __init__(self, compiler, function, x, y):
        self.x, self.y = aligned(x), aligned(y)
        self.compiler, self.function = compiler, function
        self.descriptors = [Descriptor.of(self.x), Descriptor.of(self.y)]

    def time(self, seconds):
        x, y = (ctypes.byref(d) for d in self.descriptors)
        return self.compiler.timer(self.function, x, y, ctypes.c_double(seconds))


def reference(compiler, w, x):
    """The product as a network has it, by our reference lowering."""
    (m, k), n = w.shape, x.shape[1]
    body = constant("w", "w", (m, k), "f32")
    body += f"%a = tensor.cast %t : tensor<{n}x{k}xf32> to tensor<{n}x{k}xf32>\n"
    body += product(m, k, n)
    body += f"%r = tensor.cast %p : tensor<{n}x{m}xf32> to tensor<{n}x{m}xf32>\n"
    text = entry(body, f"{n}x{k}", f"{n}x{m}") + resources(w=w)
    lowered = compiler.prune_opt(text, "--prune-lower-to-llvm=kernels=reference")
    function = compiler.library("reference", lowered)._mlir_ciface_kernel
    side = DescriptorSide(compiler, function, x.T.copy(), np.zeros((n, m), np.float32))
    side.time(0)
    check(side.y.T, w, x, "reference")
    return side


# What each library is compiled with, and the package that has it.
LIBRARIES = {
    "openblas": (["openblas_peer.c", "-lopenblas"], "libopenblas-dev"),
    "onednn": (["onednn_peer.cpp", "-std=c++17", "-ldnnl", "-lstdc++"], "libdnnl-dev"),
}


class Library:
    """A dense product by a library, through a file in C that gives it the timer's form."""

    def __init__(self, name, llvm, directory):
        source, *flags = LIBRARIES[name][0]
        path = directory / f"{name}.so"
        command = [llvm / "clang", "-O2", "-fPIC", "-shared", BENCH / source, "-o", path, *flags]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{name} cannot be compiled with; install {LIBRARIES[name][1]}\n{done.stderr[:1000]}")
        self.name, self.library = name, ctypes.CDLL(str(path))
        self.library.version.restype = ctypes.c_char_p
        self.version = " ".join(self.library.version().decode().split())

    def side(self, compiler, w, x):
        (m, k), n = w.shape, x.shape[1]
        side = Side(compiler, self.library.multiply, x.T.copy(), np.zeros((n, m), np.float32))
        side.weight = aligned(w)
        self.library.prepare(ctypes.c_void_p(side.weight.ctypes.data), m, k, n)
        check(side.call().T, w, x, self.name)
        return side


def settle_environment(threads):
    """Starts this program again with what the libraries read when they are loaded.

    Debian's OpenBLAS does not know recent AMD processors and would take kernels for AVX2
    there, as it would if the environment says so: where there is AVX-512, it is used.
    """
    wanted = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    wanted["PRUNE_BENCH_THREADS"] = str(threads)
    # Threads of one side that wait actively would slow the next.
    wanted["KMP_BLOCKTIME"] = "1"
    if threads > 1:
        # Else the system may leave two threads on one core for a second.
        wanted["OMP_PROC_BIND"] = "true"
    if "avx512f" in processor()["flags"]:
        wanted["OPENBLAS_CORETYPE"] = "SkylakeX"
    if any(os.environ.get(key) != value for key, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


def processor():
    """The first processor, as Linux describes it."""
    text = pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    cpu = {key.strip(): value.strip() for key, value in pairs}
    return {"model": cpu.get("model name", "unknown"), "flags": cpu.get("flags", "").split()}


def announce_machine(llvm, threads, runtime=None, libraries=None):
    """Prints the machine and the versions of all that is measured on it; returns it for a file."""
    cpu = processor()
    vectors = [f for f in ("avx2", "fma", "avx512f", "avx512vl", "asimd") if f in cpu["flags"]]
    machine = {"processor": cpu["model"], "vectors": vectors, "cpus": os.cpu_count(), "threads": threads}
    version = subprocess.run([llvm / "clang", "--version"], capture_output=True, text=True, check=True)
    machine["llvm"] = version.stdout.splitlines()[0]
    if runtime:
        machine["onnxruntime"] = f"ONNX Runtime {runtime.version}"
    machine.update({name: library.version for name, library in (libraries or {}).items()})
    print("\n".join(f"# {key}: {value}" for key, value in machine.items()), flush=True)
    return machine
