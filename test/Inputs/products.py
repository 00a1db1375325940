"""Random products with pruned weights, compiled for a target and run in a guest.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A product is a function of buffers: an activation, a bias, a residual and the result, each
in either order of dimensions. The weight is a constant. `expected` computes it in float64
with a bound of what rounding may change; `Guest` compiles a module of such functions
together with guest.c, which see, and calls them.
"""

import argparse
import ctypes
import dataclasses
import os
import pathlib
import subprocess
import threading

import numpy as np

import cpu
from execute import TYPES
from tools import output_of

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Target:
    """What to compile for, and what runs it."""

    name: str
    bits: int
    flags: list
    runner: tuple = ()


def host_targets():
    """The vector sizes that may be used."""
    names = {128: "sse", 256: "avx2", 512: "avx512"}
    for bits in cpu.vector_bits():
        yield Target(names[bits], bits, cpu.compiler_flags(bits))


def aarch64_target():
    return Target("aarch64", 128, ["--target=aarch64-linux-gnu"], ("qemu-aarch64",))


def draw(rng, shape, dtype, exact):
    """Small integers, whose sums are exact, or real numbers."""
    values = rng.integers(-4, 5, shape) if exact else rng.standard_normal(shape)
    return values.astype(dtype)


def elementwise_text(steps, identity, y, element):
    """What follows %v0 of type `y`, to the end of the function, which stores it in %y.

    A step is whether there is one, a second operand (or ""), its type and map, and code
    that computes %o from %p and %q."""
    text, last = "", 0
    parallel = ", ".join(['"parallel"'] * (identity.split("->")[0].count(",") + 1))
    for used, operand, kind, its_map, code in steps:
        if not used:
            continue
        maps = [identity, *([its_map] if operand else []), identity]
        names = ", ".join([f"%v{last}", *([operand] if operand else [])])
        types = ", ".join([f"tensor<{y}>", *([kind] if operand else [])])
        arguments = f"%p: {element}, " + (f"%q: {element}, " if operand else "") + f"%out: {element}"
        text += f"""  %v{last + 1} = linalg.generic {{indexing_maps = [{', '.join(maps)}],
      iterator_types = [{parallel}]}} ins({names} : {types}) outs(%e : tensor<{y}>) {{
  ^bb0({arguments}):
    {code}
    linalg.yield %o : {element}
  }} -> tensor<{y}>
"""
        last += 1
    return text + (
        f"  bufferization.materialize_in_destination %v{last} in restrict writable %y"
        f" : (tensor<{y}>, memref<{y}>) -> ()\n  return\n}}\n"
    )


@dataclasses.dataclass
class Product:
    w: np.ndarray
    n: int
    exact: bool
    x_feature_major: bool = False
    y_feature_major: bool = False
    w_transposed: bool = False
    dynamic: bool = False
    bias: bool = False
    residual: bool = False
    scale: bool = False
    relu: bool = False

    @property
    def element(self):
        return TYPES[str(self.w.dtype)]

    def shape(self, features, feature_major):
        return (features, self.n) if feature_major else (self.n, features)

    def shapes(self):
        """Of the activation, the bias, the residual and the result."""
        (m, k), y = self.w.shape, self.shape(self.w.shape[0], self.y_feature_major)
        return [self.shape(k, self.x_feature_major), (m,), y, y]

    def text(self, name):
        m, k = self.w.shape
        e, n = self.element, "?" if self.dynamic else self.n

        def sizes(features, feature_major):
            return f"{features}x{n}x{e}" if feature_major else f"{n}x{features}x{e}"

        x, y = sizes(k, self.x_feature_major), sizes(m, self.y_feature_major)
        w = f"{k}x{m}x{e}" if self.w_transposed else f"{m}x{k}x{e}"
        order = lambda a, b, swap: f"({b}, {a})" if swap else f"({a}, {b})"  # noqa: E731
        loops = "affine_map<(n, m, k) -> "
        maps = [
            loops + order("n", "k", self.x_feature_major) + ">",
            loops + order("m", "k", self.w_transposed) + ">",
            loops + order("n", "m", self.y_feature_major) + ">",
        ]
        size = "%n" if self.dynamic else ""
        body = f"""
func.func @{name}(%x: memref<{x}>, %b: memref<{m}x{e}>, %r: memref<{y}>, %y: memref<{y}>) {{
  %tx = bufferization.to_tensor %x restrict : memref<{x}> to tensor<{x}>
  %tb = bufferization.to_tensor %b restrict : memref<{m}x{e}> to tensor<{m}x{e}>
  %tr = bufferization.to_tensor %r restrict : memref<{y}> to tensor<{y}>
  %w = arith.constant dense_resource<"{name}.w"> : tensor<{w}>
  %zero = arith.constant 0.0 : {e}
  %dim = arith.constant {int(self.x_feature_major)} : index
  %n = tensor.dim %tx, %dim : tensor<{x}>
  %e = tensor.empty({size}) : tensor<{y}>
  %z = linalg.fill ins(%zero : {e}) outs(%e : tensor<{y}>) -> tensor<{y}>
  %v0 = linalg.generic {{indexing_maps = [{', '.join(maps)}],
      iterator_types = ["parallel", "parallel", "reduction"]}}
      ins(%tx, %w : tensor<{x}>, tensor<{w}>) outs(%z : tensor<{y}>) {{
  ^bb0(%p: {e}, %q: {e}, %s: {e}):
    %product = arith.mulf %p, %q : {e}
    %sum = arith.addf %s, %product : {e}
    linalg.yield %sum : {e}
  }} -> tensor<{y}>
"""
        identity = "affine_map<(i, j) -> (i, j)>"
        row = f"affine_map<(i, j) -> ({'i' if self.y_feature_major else 'j'})>"
        steps = [
            (self.bias, "%tb", f"tensor<{m}x{e}>", row, f"%o = arith.addf %p, %q : {e}"),
            (self.scale, "", "", "", f"%h = arith.constant 0.5 : {e}\n%o = arith.mulf %p, %h : {e}"),
            (self.residual, "%tr", f"tensor<{y}>", identity, f"%o = arith.addf %p, %q : {e}"),
            (self.relu, "", "", "", f"%h = arith.constant 0.0 : {e}\n%o = arith.maximumf %p, %h : {e}"),
        ]
        return body + elementwise_text(steps, identity, y, e)

    def resource(self, name):
        stored = np.ascontiguousarray(self.w.T if self.w_transposed else self.w)
        return f'"{name}.w": "0x40000000{stored.tobytes().hex().upper()}"'

    def random_buffers(self, rng):
        *inputs, y = self.shapes()
        dtype = self.w.dtype
        return [*(draw(rng, x, dtype, self.exact) for x in inputs), np.full(y, np.nan, dtype)]

    def expected(self, x, b, r):
        """The result and how far rounding may be from it, both of shape n x m."""
        x = x.astype(np.float64).T if self.x_feature_major else x.astype(np.float64)
        r = r.T if self.y_feature_major else r
        w = self.w.astype(np.float64)
        y, size = x @ w.T, np.abs(x) @ np.abs(w).T
        if self.bias:
            y, size = y + b, size + np.abs(b)
        if self.scale:
            y, size = y / 2, size / 2
        if self.residual:
            y, size = y + r, size + np.abs(r)
        if self.relu:
            y = np.maximum(y, 0)
        terms = w.shape[1] + 2
        return y, 0 * size if self.exact else terms * np.finfo(self.w.dtype).eps * size


def run(*command):
    subprocess.run([str(c) for c in command], check=True)


def write_module(folder, products):
    """A module with function f0, f1, ... for each product; returns its path."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "products.mlir")
    text = "".join(p.text(f"f{i}") for i, p in enumerate(products))
    blobs = ",\n".join(p.resource(f"f{i}") for i, p in enumerate(products))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "{-# dialect_resources: { builtin: {\n" + blobs + "\n} } #-}\n")
    return path


class Guest:
    """Products compiled for a target, and the guest that calls them."""

    def __init__(self, trial, products):
        """`products` are of Product, or of another class with its methods."""
        text = write_module(trial.folder, products)
        base = os.path.join(trial.folder, "products")
        self.target, self.program, self.products = trial.target, base, products
        self.packed = output_of("prune-opt", text, f"--prune-pack-weights={trial.pack}",
                                "--mlir-elide-resource-strings-if-larger=32")  # fmt: skip
        output_of("prune-opt", text, f"--prune-pack-weights={trial.pack}",
                  f"--prune-lower-to-llvm={trial.lower}", "-o", base + ".llvm.mlir")  # fmt: skip
        with open(base + ".table.c", "w", encoding="utf-8") as file:
            names = [f"_mlir_ciface_f{i}" for i in range(len(products))]
            file.write("".join(f"void {name}();\n" for name in names))
            file.write("void (*const functions[])() = {" + ", ".join(names) + "};\n")
        self.compile(base)

    def compile(self, base):
        run("mlir-translate", "--mlir-to-llvmir", base + ".llvm.mlir", "-o", base + ".ll")
        flags = [*self.target.flags, "-O1", "-w", "-ffreestanding", "-fno-stack-protector", "-fno-pie"]
        objects = []
        for source in (base + ".ll", HERE / "guest.c", base + ".table.c"):
            objects.append(f"{base}.{len(objects)}.o")
            run("clang", *flags, "-c", source, "-o", objects[-1])
        run("ld.lld", "-static", *objects, "-o", base)

    def call(self, requests):
        """Calls functions, given as (number, at start, buffers); yields the buffers after."""
        message = b""
        for number, at_start, buffers in requests:
            message += np.array([number, at_start, len(buffers)], np.int64).tobytes()
            for b in buffers:
                message += np.array([b.itemsize, b.ndim, *b.shape], np.int64).tobytes() + b.tobytes()
        done = subprocess.run([*self.target.runner, self.program], input=message, capture_output=True, check=False)
        assert done.returncode == 0, (self.target, self.program, done.returncode, done.stderr[-500:])
        at = 0
        for _, _, buffers in requests:
            after = []
            for b in buffers:
                after.append(np.frombuffer(done.stdout, b.dtype, b.size, at).reshape(b.shape))
                at += b.nbytes
            live = int(np.frombuffer(done.stdout, np.int64, 1, at)[0])
            at += 8
            yield after, live
        assert at == len(done.stdout)


@dataclasses.dataclass
class Trial:
    """A module to be made of `size` random cases, and with what."""

    number: int
    size: int
    rng: np.random.Generator
    target: Target
    variant: str
    folder: str

    @property
    def pack(self):
        return f"vector-bits={self.target.bits} {self.variant}"

    @property
    def lower(self):
        return f"kernels=packed vector-bits={self.target.bits}"


def trials(option, variable, variants, per_module=16):
    """Reads the command line: a folder, a target, and how many cases, which the environment
    may say instead; yields modules of them, with every target and variant in turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--target", choices=["host", "aarch64"], default="host")
    parser.add_argument(f"--{option}", dest="count", type=int, required=True)
    arguments = parser.parse_args()
    count = int(os.environ.get(variable, arguments.count))
    seed = int(os.environ.get("PRUNE_SEED", "1"))
    targets = list(host_targets()) if arguments.target == "host" else [aarch64_target()]
    for number in range(-(-count // per_module)):
        yield Trial(
            number,
            min(per_module, count - number * per_module),
            np.random.default_rng([seed, number]),
            targets[number % len(targets)],
            variants[number // len(targets) % len(variants)],
            os.path.join(arguments.folder, str(number)),
        )
    print(count, option)


def check(guest, trial):
    """Calls every function on random buffers, at either end of a mapping."""
    requests = [
        (i, at_start, product.random_buffers(trial.rng))
        for i, product in enumerate(guest.products)
        for at_start in (0, 1)
    ]
    for request, (after, live) in zip(requests, guest.call(requests)):
        number, _, before = request
        product = guest.products[number]
        assert live == 0, (trial, product, f"{live} allocations are not freed")
        for old, new in zip(before[:-1], after[:-1]):
            assert old.tobytes() == new.tobytes(), (trial, product, "an input changed")
        expected, bound = product.expected(*before[:-1])
        actual = after[-1].T if product.y_feature_major else after[-1]
        wrong = np.argwhere(~(np.abs(actual - expected) <= bound))
        assert not len(wrong), (trial, number, product, wrong[:5])


class Library:
    """Products compiled to a shared library that is loaded here; its heap is counted."""

    def __init__(self, folder, products, lower, libraries=()):
        text = write_module(folder, products)
        base = os.path.join(folder, "products")
        output_of("prune-opt", text, f"--prune-lower-to-llvm={lower}", "-o", base + ".llvm.mlir")
        run("mlir-translate", "--mlir-to-llvmir", base + ".llvm.mlir", "-o", base + ".ll")
        wraps = [f"-Wl,--wrap={name}" for name in ("malloc", "aligned_alloc", "free")]
        run("clang", "-O2", cpu.MARCH, "-w", "-fPIC", "-shared", base + ".ll",
            HERE / "counted_heap.c", *wraps, *libraries, "-o", base + ".so")  # fmt: skip
        self.library, self.products = ctypes.CDLL(base + ".so"), products

    def heap(self):
        """Live allocations, and all there ever were."""
        return [ctypes.c_long.in_dll(self.library, name).value for name in ("live", "calls")]

    def call(self, number, buffers):
        """Calls a function; it writes the last buffer."""
        descriptors = []
        for b in buffers:
            strides = [stride // b.itemsize for stride in b.strides]
            words = [b.ctypes.data, b.ctypes.data, 0, *b.shape, *strides]
            descriptors.append((ctypes.c_int64 * len(words))(*words))
        self.library[f"_mlir_ciface_f{number}"](*map(ctypes.byref, descriptors))


def check_reentrance(library, rng, rounds):
    """Calls every function from two threads at once, each with data of its own."""
    data = [[p.random_buffers(rng) for p in library.products] for _ in range(2)]
    alone = []
    for buffers in data:
        for number, (product, b) in enumerate(zip(library.products, buffers)):
            library.call(number, b)
            expected, bound = product.expected(*b[:-1])
            actual = b[-1].T if product.y_feature_major else b[-1]
            assert (np.abs(actual - expected) <= bound).all(), product
        alone.append([b[-1].tobytes() for b in buffers])
    failures, start = [], threading.Barrier(2)

    def work(mine, answers):
        for _ in range(rounds):
            for number, (buffers, answer) in enumerate(zip(mine, answers)):
                buffers[-1].fill(np.nan)
                start.wait()
                library.call(number, buffers)
                if buffers[-1].tobytes() != answer:
                    failures.append(number)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(data, alone)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, [library.products[number] for number in failures[:3]]
