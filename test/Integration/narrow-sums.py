# REQUIRES: onnx
# RUN: mkdir -p %t
# RUN: %python %s %t
"""Operators that add up numbers of f16 or bf16 round once, with all kernels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each ONNX operator that sums is run on numbers of 16 bits, and so are products and
reductions that are written in linalg and in TOSA. numpy computes the right value in
f64. What is allowed is half a unit in the last place of the type, and what a sum in f32
may lose: so a sum that is kept in 16 bits, or a function of several steps that is
rounded at each, is found.
"""

import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mlirtext import quantize
from tools import output_of

OUT = sys.argv[1]
RANDOM = np.random.default_rng(17)
UNIT = {"f16": 2.0**-11, "bf16": 2.0**-8}
SMALLEST = {"f16": 2.0**-24, "bf16": 2.0**-133}
ONNX_TYPE = {"f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
KERNELS = ("dense", "packed", "reference")


def noise(*shape, scale=1.0, shift=0.0):
    return RANDOM.standard_normal(shape) * scale + shift


def sparse(*shape):
    """Weights of which three of four are zero."""
    return noise(*shape) * (RANDOM.random(shape) < 0.25)


# ---- What numpy computes ----------------------------------------------------


def windows(x, k):
    """Every k by k window of the last two dims, flat."""
    view = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))
    return view.reshape(*view.shape[:4], k * k)


def convolution(x, w):
    view = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,fcij->nfhw", view, w)


def normal(x, axes, epsilon=1e-5):
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axes, keepdims=True) + epsilon)


def exponents(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def local_response(x, size=3, alpha=0.5, beta=0.75):
    squares = np.pad(x**2, ((0, 0), (1, 1), (0, 0), (0, 0)))
    sums = sum(squares[:, i : i + x.shape[1]] for i in range(size))
    return x / (1 + alpha / size * sums) ** beta


def lstm(x, w, r, b):
    """The last state of one direction."""
    hidden = r.shape[2]
    h = c = np.zeros((x.shape[1], hidden))

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    for step in x:
        gates = step @ w[0].T + h @ r[0].T + b[0, : 4 * hidden] + b[0, 4 * hidden :]
        i, o, f, g = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h[None]


def unit_vectors(x):
    """A vector of zeros stays."""
    norm = np.sqrt((x**2).sum(-1, keepdims=True))
    return np.where(norm == 0, 0, x / np.where(norm == 0, 1, norm))


# Operator, attributes, data, weights, what it computes.
ONES = np.ones((1, 2, 56, 56))
IMAGE = noise(1, 6, 9, 9, shift=2.0)
ROWS = noise(3, 300, shift=1.0)
CASES = [
    ("GlobalAveragePool", {}, ONES, [], lambda x: x.mean((2, 3), keepdims=True)),
    ("GlobalAveragePool", {}, IMAGE * 5000, [], lambda x: x.mean((2, 3), keepdims=True)),
    ("AveragePool", {"kernel_shape": [7, 7]}, IMAGE, [], lambda x: windows(x, 7).mean(-1)),
    ("LpPool", {"kernel_shape": [5, 5]}, IMAGE, [],
     lambda x: np.sqrt((windows(x, 5) ** 2).sum(-1))),
    ("GlobalLpPool", {}, IMAGE, [], lambda x: np.sqrt((x**2).sum((2, 3), keepdims=True))),
    ("Softmax", {"axis": -1}, np.zeros((1, 8192)), [], exponents),
    ("Softmax", {"axis": -1}, ROWS, [], exponents),
    ("LogSoftmax", {"axis": -1}, ROWS, [], lambda x: np.log(exponents(x))),
    ("MatMul", {}, np.ones((1, 4096)), [np.ones((4096, 4))], lambda x, w: x @ w),
    ("MatMul", {}, ROWS, [sparse(300, 40)], lambda x, w: x @ w),
    ("MatMul", {}, noise(2, 3, 64), [sparse(64, 33)], lambda x, w: x @ w),
    ("Gemm", {"alpha": 0.3, "beta": 0.7, "transB": 1}, ROWS, [sparse(40, 300), noise(40)],
     lambda x, w, b: np.float32(0.3) * (x @ w.T) + np.float32(0.7) * b),
    ("Gemm", {}, ROWS, [sparse(300, 40), noise(40) * 100], lambda x, w, b: x @ w + b),
    ("Conv", {}, np.ones((1, 512, 3, 3)), [np.ones((2, 512, 3, 3))], convolution),
    ("Conv", {}, IMAGE, [sparse(8, 6, 3, 3), noise(8)],
     lambda x, w, b: convolution(x, w) + b[:, None, None]),
    ("Einsum", {"equation": "ij,jk->ik"}, ROWS, [sparse(300, 40)], lambda x, w: x @ w),
    ("InstanceNormalization", {}, noise(1, 2, 64, 64, shift=3.0), [np.ones(2), noise(2)],
     lambda x, s, b: normal(x, (2, 3)) * s[:, None, None] + b[:, None, None]),
    ("LayerNormalization", {}, ROWS, [noise(300), noise(300)],
     lambda x, s, b: normal(x, -1) * s + b),
    ("MeanVarianceNormalization", {}, IMAGE, [], lambda x: normal(x, (0, 2, 3), 1e-9)),
    ("BatchNormalization", {}, IMAGE, [noise(6), noise(6), noise(6), np.abs(noise(6))],
     lambda x, *p: (x - p[2][:, None, None]) / np.sqrt(p[3][:, None, None] + 1e-5)
     * p[0][:, None, None] + p[1][:, None, None]),
    ("LRN", {"size": 3, "alpha": 0.5}, IMAGE, [], local_response),
    ("LpNormalization", {"axis": -1}, np.concatenate([ROWS, np.zeros((1, 300))]), [],
     unit_vectors),
    ("CumSum", {}, ROWS, [np.array(1, np.int64)], lambda x, axis: x.cumsum(1)),
    ("Sum", {}, ROWS, [noise(300, scale=9), noise(3, 300), noise(1)],
     lambda *x: x[0] + x[1] + x[2] + x[3]),
    ("LSTM", {"hidden_size": 5}, noise(9, 2, 16),
     [noise(1, 20, 16, scale=0.3), noise(1, 20, 5, scale=0.3), noise(1, 40, scale=0.3)], lstm),
    ("Gelu", {}, noise(40, 9), [],
     lambda x: x * 0.5 * (1 + np.vectorize(__import__("math").erf)(x / np.sqrt(2)))),
    ("Sigmoid", {}, noise(40, 9, scale=4), [], lambda x: 1 / (1 + np.exp(-x))),
]
OPSETS = {"Gelu": 20}
REDUCTIONS = {
    "ReduceSum": lambda x: x.sum(-1),
    "ReduceMean": lambda x: x.mean(-1),
    "ReduceL1": lambda x: np.abs(x).sum(-1),
    "ReduceL2": lambda x: np.sqrt((x**2).sum(-1)),
    "ReduceSumSquare": lambda x: (x**2).sum(-1),
    "ReduceLogSumExp": lambda x: np.log(np.exp(x).sum(-1)),
}
for NAME, FUNCTION in REDUCTIONS.items():
    CASES.append((NAME, {"axes": [-1], "keepdims": 0}, ROWS, [], FUNCTION))
    OPSETS[NAME] = 12


# ---- Models -----------------------------------------------------------------


def stored(array, name, element):
    """An initialiser in the type of the data, or of integers."""
    if array.dtype.kind == "i":
        return numpy_helper.from_array(array, name)
    if element == "f16":
        return numpy_helper.from_array(array.astype(np.float16), name)
    bits = (array.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return helper.make_tensor(name, ONNX_TYPE[element], array.shape, bits.tobytes(), raw=True)


def save_model(path, case, element):
    """The operator between casts from and to f32."""
    name, attributes, data, weights, _ = case
    names = [f"w{i}" for i in range(len(weights))]
    outputs = ["", "h"] if name == "LSTM" else ["h"]
    nodes = [
        helper.make_node("Cast", ["x"], ["n"], to=ONNX_TYPE[element]),
        helper.make_node(name, ["n", *names], outputs, name="it", **attributes),
        helper.make_node("Cast", ["h"], ["y"], to=TensorProto.FLOAT),
    ]
    shapes = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, data.shape),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
    ]
    graph = helper.make_graph(
        nodes, "g", shapes[:1], shapes[1:],
        [stored(w, n, element) for w, n in zip(weights, names)],
    )
    opset = helper.make_opsetid("", OPSETS.get(name, 17))
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


LINALG = """
func.func @main(%x: tensor<3x300xf32>, %w: tensor<300x40xf32>) -> (tensor<3x40xf32>, tensor<3xf32>) {
  %a = arith.truncf %x : tensor<3x300xf32> to tensor<3x300xTYPE>
  %b = arith.truncf %w : tensor<300x40xf32> to tensor<300x40xTYPE>
  %zero = arith.constant dense<0.0> : tensor<3x40xTYPE>
  %none = arith.constant dense<0.0> : tensor<3xTYPE>
  %p = linalg.matmul ins(%a, %b : tensor<3x300xTYPE>, tensor<300x40xTYPE>)
                     outs(%zero : tensor<3x40xTYPE>) -> tensor<3x40xTYPE>
  %s = linalg.reduce { arith.addf } ins(%a : tensor<3x300xTYPE>)
                     outs(%none : tensor<3xTYPE>) dimensions = [1]
  %y = arith.extf %p : tensor<3x40xTYPE> to tensor<3x40xf32>
  %z = arith.extf %s : tensor<3xTYPE> to tensor<3xf32>
  return %y, %z : tensor<3x40xf32>, tensor<3xf32>
}
"""
TOSA = """
func.func @main(%x: tensor<3x300xf32>, %w: tensor<300x40xf32>) -> (tensor<3x40xf32>, tensor<3xf32>) {
  %a = tosa.cast %x : (tensor<3x300xf32>) -> tensor<3x300xTYPE>
  %b = tosa.cast %w : (tensor<300x40xf32>) -> tensor<300x40xTYPE>
  %sa = tosa.const_shape {values = dense<[1, 3, 300]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %sb = tosa.const_shape {values = dense<[1, 300, 40]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %sy = tosa.const_shape {values = dense<[3, 40]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %sz = tosa.const_shape {values = dense<[3]> : tensor<1xindex>} : () -> !tosa.shape<1>
  %za = "tosa.const"() <{values = dense<0.0> : tensor<1xTYPE>}> : () -> tensor<1xTYPE>
  %c = tosa.reshape %a, %sa : (tensor<3x300xTYPE>, !tosa.shape<3>) -> tensor<1x3x300xTYPE>
  %d = tosa.reshape %b, %sb : (tensor<300x40xTYPE>, !tosa.shape<3>) -> tensor<1x300x40xTYPE>
  %p = tosa.matmul %c, %d, %za, %za : (tensor<1x3x300xTYPE>, tensor<1x300x40xTYPE>, tensor<1xTYPE>, tensor<1xTYPE>) -> tensor<1x3x40xTYPE>
  %s = tosa.reduce_sum %a {axis = 1 : i32} : (tensor<3x300xTYPE>) -> tensor<3x1xTYPE>
  %q = tosa.reshape %p, %sy : (tensor<1x3x40xTYPE>, !tosa.shape<2>) -> tensor<3x40xTYPE>
  %t = tosa.reshape %s, %sz : (tensor<3x1xTYPE>, !tosa.shape<1>) -> tensor<3xTYPE>
  %y = tosa.cast %q : (tensor<3x40xTYPE>) -> tensor<3x40xf32>
  %z = tosa.cast %t : (tensor<3xTYPE>) -> tensor<3xf32>
  return %y, %z : tensor<3x40xf32>, tensor<3xf32>
}
"""


# ---- Runs -------------------------------------------------------------------


def run(path, inputs, count, kernels):
    arguments = []
    for i, array in enumerate(inputs):
        np.save(f"{OUT}/in{i}.npy", np.ascontiguousarray(array.astype(np.float32)))
        arguments.append(f"--input=@{OUT}/in{i}.npy")
    files = [f"{OUT}/out{i}.npy" for i in range(count)]
    outputs = [f"--output=@{file}" for file in files]
    output_of("prune-run", path, *arguments, *outputs, f"--kernels={kernels}")
    return [np.load(file) for file in files]


def check(title, ours, right, element):
    """Half a unit in the last place, and a little for what f32 loses."""
    assert ours.shape == right.shape, (title, ours.shape, right.shape)
    scale = np.abs(right).max()
    allowed = UNIT[element] * 1.004 * np.abs(right) + 2.0**-19 * scale
    excess = np.abs(ours - right) - allowed - SMALLEST[element] / 2
    at = np.unravel_index(np.argmax(excess), excess.shape)
    assert excess.max() <= 0, f"{title}: {ours[at]} at {at}, but should be {right[at]}"


def main():
    for element in ("f16", "bf16"):
        for number, case in enumerate(CASES):
            name, _, data, weights, function = case
            floats = [w if w.dtype.kind == "i" else quantize(w, element) for w in weights]
            data = quantize(data, element)
            case = (name, case[1], data, floats, function)
            path = f"{OUT}/{element}-{number}"
            save_model(path + ".onnx", case, element)
            output_of("prune-translate", "--import-onnx", path + ".onnx", "-o", path + ".mlirbc")
            right = function(data, *floats)
            for kernels in KERNELS:
                ours = run(path + ".mlirbc", [data], 1, kernels)[0]
                check(f"{name} of {element}, {kernels}", ours, right, element)
        x, w = quantize(ROWS, element), quantize(noise(300, 40), element)
        for title, text in (("linalg", LINALG), ("tosa", TOSA)):
            path = f"{OUT}/{title}-{element}.mlir"
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("TYPE", element))
            for kernels in KERNELS:
                product, sums = run(path, [x, w], 2, kernels)
                check(f"{title}: product of {element}, {kernels}", product, x @ w, element)
                check(f"{title}: sum of {element}, {kernels}", sums, x.sum(1), element)
    print(f"{len(CASES)} operators round once")


os.makedirs(OUT, exist_ok=True)
main()
