# RUN: %python %s
"""Every sparse format computes what numpy says, and leaks nothing.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Products and convolutions of odd sizes and of every density, in every format and
element type, run with the reference kernels. Small integers make every sum exact,
so that results are compared with `==`. Many cases share a module, each as a
function of its own.
"""

import json
import pathlib
import re
import tempfile

import numpy as np

from mlirtext import Module, quantize, tensor
from networks import convolution
from tools import output_of

FORMATS = ["csr", "csc", "blocked-csr", "2x1", "4x1", "16x1", "2of4", "1of3", "auto"]
# Up to here integers are exact in a type, in whatever order they are summed.
EXACT = {"f64": 2**53, "f32": 2**24, "f16": 2048, "bf16": 256}
FILES = {"f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": np.float32}


class Cases:
    """Functions with an argument and a result each, and one that calls them all."""

    def __init__(self, type_name, seed):
        self.type = type_name
        self.rng = np.random.default_rng(seed)
        self.module = Module()
        self.cases = []

    def t(self, shape):
        return tensor(shape, self.type)

    def integers(self, shape):
        return self.rng.integers(-3, 4, shape).astype(float)

    def weight(self, outputs, inputs, density, group):
        """Outputs by inputs, with at most n of m nonzeros in a row if asked for."""
        w = self.rng.integers(1, 4, (outputs, inputs)).astype(float)
        w *= self.rng.choice([-1, 1], w.shape)
        w[self.rng.random(w.shape) >= density] = -0.0
        if group:
            n, m = group
            for begin in range(0, inputs, m):
                part = w[:, begin : begin + m]
                order = np.argsort(self.rng.random(part.shape), axis=1)
                np.put_along_axis(part, order[:, n:], 0.0, axis=1)
        return w

    def add(self, x, w_shape, weight, op, expected):
        """`op` is text with {x}, {w}, {init} and their types {tx}, {tw}, {ty}."""
        i = len(self.cases)
        init = self.integers(expected.shape)
        w = self.module.resource(f"w{i}", weight.reshape(w_shape), self.type)
        start = self.module.resource(f"i{i}", init, self.type)
        tx, tw, ty = self.t(x.shape), self.t(w_shape), self.t(expected.shape)
        text = op.format(tx=tx, tw=tw, ty=ty, f=self.type)
        self.module.functions.append(
            f"func.func private @case{i}(%x: {tx}) -> {ty} {{\n"
            f"  %w = arith.constant {w}\n  %init = arith.constant {start}\n"
            f"  {text}\n  return %y : {ty}\n}}"
        )
        self.cases.append((x, expected + init))

    def product(self, form, density, group):
        n, k, o = (int(v) for v in self.rng.integers(1, (8, 150, 40)))
        w = self.weight(o, k, density, group)
        if form == "vector":
            x = self.integers(k)
            self.add(x, (o, k), w, MATVEC, w @ x)
        elif form == "left":
            x = self.integers((k, n))
            self.add(x, (o, k), w, MATMUL.replace("%x, %w : {tx}, {tw}", LEFT), w @ x)
        elif form == "transposed":
            x = self.integers((n, k))
            turned = TRANSPOSE.replace("@to@", self.t((k, o)))
            self.add(x, (o, k), w, turned, x @ w.T)
        elif form == "batched":
            x = self.integers((2, n, k))
            self.add(x, (k, o), np.ascontiguousarray(w.T), BATCHED, x @ w.T)
        else:
            x = self.integers((n, k))
            self.add(x, (k, o), np.ascontiguousarray(w.T), MATMUL, x @ w.T)

    def convolution(self, layout, density):
        n, c, f = (int(v) for v in self.rng.integers(1, (3, 5, 7)))
        kh, kw, stride, dilation = (int(v) for v in self.rng.integers(1, (4, 4, 3, 3)))
        height, width = (
            int(self.rng.integers((s - 1) * dilation + 1, 14)) for s in (kh, kw)
        )
        w = self.weight(f, c * kh * kw, density, None).reshape(f, c, kh, kw)
        x = self.integers((n, c, height, width))
        y = convolution(x, w, stride, dilation)
        if layout == "nhwc_hwcf":
            w, x, y = (
                np.ascontiguousarray(a)
                for a in (
                    w.transpose(2, 3, 1, 0),
                    x.transpose(0, 2, 3, 1),
                    y.transpose(0, 2, 3, 1),
                )
            )
        text = CONVOLUTION.replace("@layout@", layout)
        text = text.replace("@s@", str(stride)).replace("@d@", str(dilation))
        self.add(x, w.shape, w, text, y)

    def text(self):
        arguments = ", ".join(
            f"%x{i}: {self.t(x.shape)}" for i, (x, _) in enumerate(self.cases)
        )
        types = ", ".join(self.t(y.shape) for _, y in self.cases)
        calls = "\n".join(
            f"  %y{i} = call @case{i}(%x{i}) : ({self.t(x.shape)}) -> {self.t(y.shape)}"
            for i, (x, y) in enumerate(self.cases)
        )
        names = ", ".join(f"%y{i}" for i in range(len(self.cases)))
        self.module.functions.append(
            f"func.func @main({arguments}) -> ({types}) {{\n{calls}\n"
            f"  return {names} : {types}\n}}"
        )
        return self.module.text()


MATMUL = "%y = linalg.matmul ins(%x, %w : {tx}, {tw}) outs(%init : {ty}) -> {ty}"
LEFT = "%w, %x : {tw}, {tx}"
MATVEC = "%y = linalg.matvec ins(%w, %x : {tw}, {tx}) outs(%init : {ty}) -> {ty}"
TRANSPOSE = (
    "%e = tensor.empty() : @to@\n  %t = linalg.transpose ins(%w : {tw}) "
    "outs(%e : @to@) permutation = [1, 0]\n"
    "  %y = linalg.matmul ins(%x, %t : {tx}, @to@) outs(%init : {ty}) -> {ty}"
)
BATCHED = (
    "%y = linalg.generic {{indexing_maps = [affine_map<(b, n, o, k) -> (b, n, k)>, "
    "affine_map<(b, n, o, k) -> (k, o)>, affine_map<(b, n, o, k) -> (b, n, o)>], "
    'iterator_types = ["parallel", "parallel", "parallel", "reduction"]}} '
    "ins(%x, %w : {tx}, {tw}) outs(%init : {ty}) {{\n"
    "  ^bb0(%a: {f}, %b: {f}, %c: {f}):\n    %p = arith.mulf %b, %a : {f}\n"
    "    %s = arith.addf %p, %c : {f}\n    linalg.yield %s : {f}\n  }} -> {ty}"
)
CONVOLUTION = (
    "%y = linalg.conv_2d_@layout@ {{dilations = dense<@d@> : vector<2xi64>, "
    "strides = dense<@s@> : vector<2xi64>}} ins(%x, %w : {tx}, {tw}) "
    "outs(%init : {ty}) -> {ty}"
)


def draw(type_name, seed, group):
    """One case of each form for densities from none to all."""
    cases = Cases(type_name, seed)
    forms = ["plain", "transposed", "left", "batched", "vector"]
    for i, density in enumerate([0.0, 0.05, 0.2, 0.5, 0.8, 1.0]):
        for j in range(2):
            cases.product(forms[(2 * i + j) % 5], density, group)
        cases.convolution(("nchw_fchw", "nhwc_hwcf")[i % 2], density)
    return cases


def check(folder, name, cases, format_name, calls=1):
    """Runs the cases in a format; returns how many weights were packed."""
    path = folder / "cases.mlir"
    path.write_text(cases.text())
    option = f"--prune-sparsify-weights=format={format_name} max-density=1"
    packed = folder / "packed.mlir"
    output_of("prune-opt", path, option, "-o", packed)
    arguments = [packed, "--kernels=reference", "--json", f"--repeat={calls}"]
    for i, (x, y) in enumerate(cases.cases):
        np.save(folder / f"x{i}.npy", x.astype(FILES[cases.type]))
        arguments += [f"--input=@{folder}/x{i}.npy", f"--output=@{folder}/y{i}.npy"]
    report = json.loads(output_of("prune-run", *arguments))
    for i, (x, y) in enumerate(cases.cases):
        found = np.load(folder / f"y{i}.npy").astype(float)
        assert found.shape == y.shape, f"{name}: case {i} has another shape"
        # Packed products are rounded once, at the end; dense ones at each step.
        is_packed = x.ndim < 4 and format_name != "auto" or format_name == "csr"
        if is_packed or abs(y).max(initial=0) <= EXACT[cases.type]:
            wanted = quantize(y, cases.type)
            assert (found == wanted).all(), f"{name}: case {i} differs"
    assert report["leaked_allocations"] == 0, f"{name} leaks: {report}"
    return len(re.findall("sparse_tensor.assemble", packed.read_text()))


def test_formats(folder):
    for index, format_name in enumerate(FORMATS):
        group = re.fullmatch(r"(\d)of(\d)", format_name)
        group = tuple(map(int, group.groups())) if group else None
        for type_name in ("f32", ["f64", "f16", "bf16"][index % 3]):
            cases = draw(type_name, 10 * index, group)
            count = check(folder, f"{format_name} {type_name}", cases, format_name)
            # Cases of density 0 disappear; convolutions are csr or dense.
            wanted = 15 if format_name == "csr" else 10
            assert count == wanted or format_name == "auto", (format_name, count)


def test_half_precision(folder):
    for type_name in ("f16", "bf16"):
        cases = draw(type_name, 99, None)
        check(folder, f"csr {type_name}", cases, "csr")


def test_leaks(folder):
    for format_name in ("csr", "blocked-csr", "4x1", "2of4"):
        cases = Cases("f32", 3)
        for form in ("plain", "transposed", "vector"):
            cases.product(form, 0.3, (2, 4))
        check(folder, f"{format_name} 10000 times", cases, format_name, calls=10000)


def test_removed_weights_ignore_nan(folder):
    """0 * NaN and 0 * Inf count as 0 where a weight is zero."""
    cases = Cases("f32", 4)
    x = np.array([[1.0, np.nan, 2.0, np.inf]])
    w = np.array([[3.0, 0.0, 1.0, 0.0], [0.0, 0.0, 2.0, -0.0]])
    cases.add(x, (4, 2), np.ascontiguousarray(w.T), MATMUL, np.array([[5.0, 4.0]]))
    for format_name in ("csr", "csc", "blocked-csr"):
        cases.module.functions = cases.module.functions[:1]
        check(folder, f"{format_name} NaN", cases, format_name)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test(pathlib.Path(temporary))
