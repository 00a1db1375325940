# REQUIRES: onnx
# RUN: %python %s %t
"""Weights that nodes compute from constants become constants of the same bits.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The same nodes run twice: on stored tensors, where the importer computes the
result, and on tensors that are given, where generated code does.
"""

import os
import re
import shutil
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE
from onnx_files import accept, convert, info, model, results_of, save

import tools

OUT = sys.argv[1]
RNG = np.random.default_rng(0)
node = helper.make_node


def normal(*shape, kind=np.float32):
    return RNG.normal(size=shape).astype(kind)


def integers(*shape, kind=np.int8):
    limits = np.iinfo(kind)
    return RNG.integers(limits.min, limits.max, shape, kind, endpoint=True)


def stored(**tensors):
    return [numpy_helper.from_array(np.asarray(a), name) for name, a in tensors.items()]


def same_bits(name, nodes, tensors, fixed=(), opset=13, exact=True):
    """`w` of the nodes, computed at import and by generated code. Tensors that are
    listed as fixed are constants in both."""
    zero = np.zeros((), np.float32)
    kind = NP_TYPE_TO_TENSOR_TYPE

    def build(given):
        # Something that is not known reads w.
        last = [node("Cast", ["x"], ["k"], to=TensorProto.DOUBLE)]
        last += [node("Cast", ["w"], ["v"], to=TensorProto.DOUBLE), node("Add", ["v", "k"], ["y"])]
        inputs = [info("x", [])]
        inputs += [info(n, a.shape, kind[a.dtype]) for n, a in given.items()]
        kept = {n: a for n, a in tensors.items() if n not in given}
        return model(nodes + last, stored(**kept), inputs, opset=opset)

    given = {n: a for n, a in tensors.items() if n not in fixed}
    path = accept(f"{OUT}/{name}.given.onnx", build(given))
    (expected,) = results_of(path, {"x": zero, **given})
    path = accept(f"{OUT}/{name}.onnx", build({}))
    (ours,) = results_of(path, {"x": zero})
    if exact:
        np.testing.assert_array_equal(ours.view(np.int64), expected.view(np.int64), name)
    else:
        np.testing.assert_allclose(ours, expected, 1e-6, err_msg=name)
    text = tools.output_of("prune-opt", path)
    # What is left is the sum, and conversions.
    left = set(re.findall(r" = (linalg\.\w+|tensor\.(?:concat|pad|\w+_slice))", text))
    assert left <= {"linalg.generic"}, (name, left)
    assert "arith.addf" in text and text.count("linalg.generic") <= 3, (name, text)
    return text


def fake_quantization():
    """Quantised and back: per tensor, per channel, signed and unsigned."""
    for kind in (np.int8, np.uint8):
        for axis, count in ((0, 24), (1, 16)):
            tensors = {
                "a": normal(24, 16, 3, 3),
                "s": RNG.uniform(0.01, 0.05, count).astype(np.float32),
                "z": integers(count, kind=kind),
            }
            nodes = [
                node("QuantizeLinear", ["a", "s", "z"], ["q"], axis=axis),
                node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=axis),
            ]
            text = same_bits(f"fake_{np.dtype(kind)}_{axis}", nodes, tensors)
            assert "dense_resource<w>" in text, text
    tensors = {"q": integers(300, 40), "s": np.float32(0.03), "z": np.int8(3)}
    same_bits("int8", [node("DequantizeLinear", ["q", "s", "z"], ["w"])], tensors)


def weight_normalization():
    """v / |v| * g. The sum is not taken in the same way by all kernels."""
    nodes = [
        node("ReduceL2", ["a", ], ["n"], axes=[1, 2, 3], keepdims=1),
        node("Div", ["a", "n"], ["d"]),
        node("Mul", ["d", "g"], ["w"]),
    ]  # fmt: skip
    tensors = {"a": normal(40, 12, 3, 3), "g": normal(40, 1, 1, 1)}
    same_bits("norm", nodes, tensors, exact=False)
    whole = [node("ReduceL2", ["a"], ["n"], keepdims=1), *nodes[1:]]
    same_bits("whole_norm", whole, {"a": normal(7, 900), "g": normal(7, 1)}, exact=False)
    # Small integers are summed exactly in any order.
    ones = {"a": integers(40, 12, 3, 3).astype(np.float32) % 5}
    exact = [node("ReduceSumSquare", ["a"], ["w"], axes=[1, 3], keepdims=0)]
    same_bits("squares", exact, ones)


def movements():
    """Nodes that move elements, before others that compute."""
    a, b = normal(12, 10, 8), normal(12, 10, 8)
    ones = {"one": np.array([1]), "two": np.array([-7]), "many": np.array([9])}
    slices = {"low": np.array([1, 8]), "high": np.array([11, 0]), "ax": np.array([0, 1])}
    slices["by"] = np.array([2, -3])
    for name, nodes, tensors in (
        ("transpose", [node("Transpose", ["a"], ["t"], perm=[2, 0, 1])], {}),
        ("concat", [node("Concat", ["a", "a", "b"], ["t"], axis=1)], {"b": b}),
        ("slice", [node("Slice", ["a", "low", "high", "ax", "by"], ["t"])], slices),
        ("reshape", [node("Reshape", ["a", "shape"], ["t"])], {"shape": np.array([96, -1])}),
        ("gather", [node("Gather", ["a", "at"], ["t"], axis=1)], {"at": np.array([3, -1, 3])}),
        ("pad", [node("Pad", ["a", "p"], ["t"])], {"p": np.array([1, 0, 2, 0, 0, 1])}),
        ("split", [node("Split", ["a"], ["t", "u"], axis=2)], {}),
        ("squeeze", [node("Slice", ["a", "one", "many", "ax0"], ["c"]),
                     node("ReduceMax", ["c"], ["t"], axes=[0], keepdims=0)],
         {**ones, "ax0": np.array([1])}),
    ):  # fmt: skip
        fixed = [n for n, values in tensors.items() if values.dtype == np.int64]
        same_bits(name, nodes + [node("Neg", ["t"], ["w"])], {"a": a, **tensors}, fixed)


def elementwise():
    """Each scalar operation is rounded as generated code rounds it."""
    a, b = normal(30, 50), normal(50)
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        for kind in (np.float32, np.float64, np.float16):
            tensors = {"a": a.astype(kind), "b": b.astype(kind)}
            same_bits(f"{op}_{np.dtype(kind)}", [node(op, ["a", "b"], ["w"])], tensors)
    for op in (
        "Abs", "Ceil", "Cos", "Erf", "Exp", "Floor", "Neg", "Round", "Sigmoid", "Sin", "Sqrt",
        "Tanh", "Relu", "Softplus",
    ):  # fmt: skip
        same_bits(op, [node(op, ["a"], ["w"])], {"a": np.abs(a) if op == "Sqrt" else a})
    for kind in (np.int8, np.int32, np.int64, np.uint8):
        tensors = {"a": integers(60, 30, kind=kind), "b": integers(30, kind=kind) | np.array(1, kind)}
        for op in ("Add", "Mul", "Div"):
            same_bits(f"{op}_{np.dtype(kind)}", [node(op, ["a", "b"], ["w"])], tensors)
    nodes = [
        node("Greater", ["a", "b"], ["c"]),
        node("Where", ["c", "a", "b"], ["d"]),
        node("Cast", ["d"], ["e"], to=TensorProto.INT32),
        node("Cast", ["e"], ["w"], to=TensorProto.FLOAT),
    ]
    same_bits("choice", nodes, {"a": 9 * a, "b": 9 * b})


def products():
    """An adapter that is merged into a weight: exact with small integers."""
    small = {n: (integers(*s) % 7).astype(np.float32) for n, s in
             {"a": (60, 4), "b": (4, 80), "base": (60, 80)}.items()}  # fmt: skip
    nodes = [node("MatMul", ["a", "b"], ["p"]), node("Add", ["base", "p"], ["w"])]
    same_bits("adapter", nodes, small)


def imported(name, nodes, initializers, x):
    path = accept(f"{OUT}/{name}.onnx", model(nodes, initializers, [info("x", x)]))
    return tools.output_of("prune-opt", path)


def kept():
    """What only moves a weight, and what is no weight, stays."""
    product = node("MatMul", ["x", "w"], ["y"])
    nodes = [node("Transpose", ["v"], ["w"]), product]
    text = imported("moved", nodes, stored(v=normal(80, 60)), [2, 60])
    assert "dense_resource<v>" in text and "linalg.transpose" in text, text
    nodes = [node("Expand", ["row", "shape"], ["big"]), node("Add", ["x", "big"], ["y"])]
    nodes.insert(0, node("Exp", ["v"], ["row"]))
    text = imported("spread", nodes, stored(v=normal(70), shape=np.array([5000, 70])), [5000, 70])
    assert "dense_resource<row>" in text and "tensor<5000x70xf32>" in text, text
    assert len(text) < 20000, len(text)
    # Used twice, computed once.
    nodes = [node("Exp", ["v"], ["w"]), product, node("MatMul", ["y", "w"], ["z"])]
    text = imported("shared", nodes, stored(v=normal(70, 70)), [2, 70])
    assert text.count("dense_resource<w>") == 1 and "math.exp" not in text, text


def bounded():
    """Time and memory depend on what the file stores; a warning says so."""
    square = node("MatMul", ["big", "big"], ["w"])
    nodes = [node("Expand", ["v", "shape"], ["big"]), square, node("Slice", ["w", "o", "i"], ["s"])]
    nodes.append(node("Add", ["x", "s"], ["y"]))
    tensors = {"v": normal(1, 2000), "shape": np.array([2000, 2000])}
    tensors |= {"o": np.array([0]), "i": np.array([1])}
    save(f"{OUT}/work.onnx", model(nodes, stored(**tensors), [info("x", [1, 2000])]))
    code, message, _ = convert(f"{OUT}/work.onnx")
    assert code == 0, message
    assert "warning: 's' is computed from constants, but not at import" in message, message
    assert message.count("warning") == 1, message


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
for test in (
    fake_quantization, weight_normalization, movements, elementwise, products, kept, bounded
):  # fmt: skip
    test()
    print(f"{test.__name__}: fine")
