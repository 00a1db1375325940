"""Packed kernels for tests: an independent packing, IR, compilation, guarded buffers.

The packing is written again here, from the documentation in PackedMatrix.h, so that a
mistake in the C++ does not hide itself. Kernels are compiled by the packaged tools and
called through ctypes; every buffer lies against an unmapped page.
"""

import ctypes
import dataclasses
import mmap
import os
import subprocess
import tempfile

import numpy as np

import cpu

TOOLS = os.environ.get("PRUNE_TOOLS_DIR", "")

LOWER = [
    "--convert-vector-to-scf",
    "--lower-affine",
    "--convert-scf-to-cf",
    "--expand-strided-metadata",
    "--lower-affine",
    "--convert-vector-to-llvm",
    "--convert-math-to-llvm",
    "--convert-math-to-libm",
    "--finalize-memref-to-llvm",
    "--convert-arith-to-llvm",
    "--convert-func-to-llvm=use-bare-ptr-memref-call-conv=1",
    "--convert-cf-to-llvm",
    "--reconcile-unrealized-casts",
]


@dataclasses.dataclass
class Kernel:
    """A member of the family, named as #prune.kernel names it."""

    form: str
    m: int
    k: int
    lanes: str
    width: int
    rows: int
    columns: int
    k_block: int
    element: str = "f32"

    def attr(self):
        return (
            f"#prune.kernel<{self.form}, m = {self.m}, k = {self.k}, "
            f"lanes = {self.lanes}, width = {self.width}, "
            f"tile = {self.rows} x {self.columns}, k_block = {self.k_block}>"
        )

    @property
    def dtype(self):
        return {"f32": np.float32, "f64": np.float64}[self.element]

    @property
    def index_bits(self):
        return 8 if self.k <= 256 else 16 if self.k <= 65536 else 32


def pack(kernel, w):
    """Values, indices, positions of the matrix `w`, as PackedMatrix.h says."""
    groups = -(-kernel.m // kernel.rows)
    padded = np.zeros((groups * kernel.rows, kernel.k), kernel.dtype)
    padded[: kernel.m] = w
    values, indices, positions = [], [], []
    for k0 in range(0, kernel.k, kernel.k_block):
        for g in range(groups):
            rows = slice(g * kernel.rows, (g + 1) * kernel.rows)
            part = padded[rows, k0 : k0 + kernel.k_block]
            if kernel.form == "dense":
                values += list(part.T.ravel())
            elif kernel.form == "patterns":
                positions.append(len(values))
                sets = (1 << np.arange(kernel.rows)) @ (part != 0)
                for s in range(1, 1 << kernel.rows):
                    positions.append(len(indices))
                    for c in np.flatnonzero(sets == s):
                        indices.append(k0 + c)
                        values += [v for v in part[:, c] if v != 0]
            else:
                positions.append(len(indices))
                for c in np.flatnonzero((part != 0).any(0)):
                    indices.append(k0 + c)
                    values += list(part[:, c])
    if kernel.form == "patterns":
        positions.append(len(values))
        positions += [len(indices)] * ((1 << kernel.rows) - 1)
    elif kernel.form != "dense":
        positions.append(len(indices))
    unsigned = {8: np.uint8, 16: np.uint16, 32: np.uint32}[kernel.index_bits]
    return (
        np.array(values, kernel.dtype),
        np.array(indices, unsigned),
        np.array(positions, np.int32),
    )


def to_panels(x, panel):
    """k x n -> panels; the padding is NaN, so that its use shows."""
    k, n = x.shape
    panels = np.full((-(-n // panel), k, panel), np.nan, x.dtype)
    for i in range(n):
        panels[i // panel, :, i % panel] = x[:, i]
    return panels


def from_panels(panels, n):
    return panels.transpose(1, 0, 2).reshape(panels.shape[1], -1)[:, :n]


def memref(shape, element):
    return "memref<" + "".join(f"{s}x" for s in shape) + element + ">"


@dataclasses.dataclass
class Case:
    """One product: the kernel, its columns, and what the epilogue does."""

    kernel: Kernel
    n: int
    panel: int = 0
    bias: bool = False
    residual: bool = False
    relu: bool = False
    dynamic: bool = False

    def shape(self, features):
        if self.kernel.lanes == "columns":
            return (-(-self.n // self.panel), features, self.panel)
        return (self.n, features)

    def epilogue(self):
        e, last, ops = self.kernel.element, "%s", []
        arguments = [f"%s: {e}"]
        for used, name in ((self.bias, "%b"), (self.residual, "%r")):
            if used:
                arguments.append(f"{name}: {e}")
                ops.append(f"%sum{len(ops)} = arith.addf {last}, {name} : {e}")
                last = f"%sum{len(ops) - 1}"
        if self.relu:
            ops.append(f"%z = arith.constant 0.0 : {e}")
            ops.append(f"%m = arith.maximumf {last}, %z : {e}")
            last = "%m"
        ops.append(f"prune.yield {last} : {e}")
        return f"^bb0({', '.join(arguments)}):\n" + "\n".join(ops)

    def function(self, name, packed):
        """A function of (values, indices, positions, input, bias, residual, init)."""
        k, e = self.kernel, self.kernel.element
        shapes = [a.shape for a in packed]
        shapes += [self.shape(k.k), (k.m,), self.shape(k.m), self.shape(k.m)]
        elements = [e, f"i{k.index_bits}", "i32", e, e, e, e]
        types = [memref(s, t) for s, t in zip(shapes, elements)]
        arguments = ", ".join(f"%a{i}: {t}" for i, t in enumerate(types))
        body, names = [], {i: f"%a{i}" for i in range(7)}
        if self.dynamic:
            for i in (3, 5, 6):
                cast = memref(("?",) + shapes[i][1:], e)
                body.append(f"%d{i} = memref.cast %a{i} : {types[i]} to {cast}")
                names[i], types[i] = f"%d{i}", cast
        listed = [0] if k.form == "dense" else [0, 1, 2]
        weights = ", ".join(names[i] for i in listed)
        weights += " : " + ", ".join(types[i] for i in listed)
        op = f"prune.packed_matmul {k.attr()} weights({weights})"
        for i, word, used in (
            (3, "input", True),
            (4, "bias", self.bias),
            (5, "residual", self.residual),
            (6, "init", True),
        ):
            op += f" {word}({names[i]} : {types[i]})" if used else ""
        body.append(f"{op} {{\n{self.epilogue()}\n}}\nreturn")
        return f"func.func @{name}({arguments}) {{\n" + "\n".join(body) + "\n}\n"


def compile_module(text, bits=512, target=None, level="-O2", directory=None):
    """A shared library of the module, for this machine or as `target` says."""
    base = os.path.join(directory or tempfile.mkdtemp(), "kernels")
    with open(base + ".mlir", "w") as f:
        f.write(text)

    def run(*command):
        subprocess.run(command, check=True)

    expand = f"--convert-prune-packed-to-vector=vector-bits={bits}"
    run(
        os.path.join(TOOLS, "prune-opt"),
        *(base + ".mlir", "-o", base + ".llvm.mlir"),
        *(expand, "--canonicalize", "--cse", *LOWER),
    )
    run("mlir-translate", "--mlir-to-llvmir", base + ".llvm.mlir", "-o", base + ".ll")
    target = target or cpu.compiler_flags(bits)
    run(
        *("clang", level, *target, "-Wno-override-module", "-fPIC", "-shared"),
        *(base + ".ll", "-o", base + ".so", "-lm"),
    )
    return base + ".so"


_libc = ctypes.CDLL(None, use_errno=True)


class Guarded:
    """A copy of an array that ends at an unmapped page, or starts after one."""

    def __init__(self, array, at_start=False):
        array = np.ascontiguousarray(array)
        page = mmap.PAGESIZE
        inner = max(page, -(-array.nbytes // page) * page)
        self.map = mmap.mmap(-1, inner + 2 * page)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        for guard in (base, base + page + inner):
            assert _libc.mprotect(ctypes.c_void_p(guard), page, 0) == 0
        offset = page if at_start else page + inner - array.nbytes
        self.pointer = ctypes.c_void_p(base + offset)
        raw = (ctypes.c_char * array.nbytes).from_address(base + offset)
        self.array = np.frombuffer(raw, array.dtype).reshape(array.shape)
        self.array[...] = array
