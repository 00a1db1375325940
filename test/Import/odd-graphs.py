# REQUIRES: onnx
# RUN: %python %s %t
"""Valid models as exporters write them, however odd, import and run.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each case is a small graph, its inputs and what numpy computes.
"""

import os
import re
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools import output_of

OUT = sys.argv[1]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 4)).astype(np.float32)
W = RNG.normal(size=(4, 3)).astype(np.float32)
B = RNG.normal(size=3).astype(np.float32)


def info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def stored(values, name):
    return numpy_helper.from_array(np.asarray(values), name)


def check(name, nodes, expected, initializers=(), inputs=None, opset=13, **options):
    """`expected` maps outputs to arrays; x is an input unless `inputs` says more."""
    graph = helper.make_graph(
        nodes,
        options.get("graph_name", "g"),
        inputs or [info("x", [2, 4])],
        [info(output, options.get("shape")) for output in expected],
        list(initializers),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = options.get("ir_version", 8)
    for version in options.get("more_domains", ()):
        model.opset_import.append(version)
    path, module = f"{OUT}/{name}.onnx", f"{OUT}/{name}.mlir"
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
    output_of("prune-translate", "--import-onnx", path, "-o", module)
    arguments = ["--rtol=1e-5", "--atol=1e-5"]
    for key, values in options.get("values", {"x": X}).items():
        np.save(f"{OUT}/{key}.npy", values)
        arguments.append(f"--input={key}=@{OUT}/{key}.npy")
    for number, values in enumerate(expected.values()):
        values = np.asarray(values)
        np.save(f"{OUT}/{name}{number}.npy", values.astype(values.dtype))
        arguments.append(f"--expected=@{OUT}/{name}{number}.npy")
    output_of("prune-run", module, *arguments)
    with open(module, encoding="utf-8") as file:
        return file.read()


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, **attributes)


def main():
    os.makedirs(OUT, exist_ok=True)
    product = node("MatMul", ["x", "w"], ["y"])
    weight = [stored(W, "w")]

    # Old exporters list initialisers among the inputs.
    text = check(
        "listed", [product], {"y": X @ W}, weight,
        inputs=[info("w", [4, 3]), info("x", [2, 4])], opset=7, ir_version=3,
    )  # fmt: skip
    assert len(re.findall(r"%arg\d+: ", text)) == 1, text

    # What nothing uses leaves no trace: initialisers, nodes, and an input's size.
    more = weight + [stored(np.ones(100, np.float32), "unused")]
    nodes = [product, node("Exp", ["x"], ["dead"]), node("Shape", ["x"], ["size"])]
    text = check("unused", nodes, {"y": X @ W}, more)
    assert "unused" not in text and "math.exp" not in text, text

    # Weights by Constant nodes keep the names of their values.
    constants = [
        node("Constant", [], ["w"], value=stored(W, "")),
        node("Constant", [], ["b"], value=stored(B, "other")),
        product,
        node("Add", ["y", "b"], ["z"]),
    ]
    text = check("constants", constants, {"z": X @ W + B})
    assert "dense_resource<w>" in text, text

    # A weight behind Identity, and one behind Reshape and Transpose.
    nodes = [node("Identity", ["w"], ["v"]), node("MatMul", ["x", "v"], ["y"])]
    check("identity", nodes, {"y": X @ W}, weight)
    nodes = [
        node("Reshape", ["flat", "shape"], ["t"]),
        node("Transpose", ["t"], ["w"], perm=[1, 0]),
        product,
    ]
    flat = [stored(W.T.reshape(-1).copy(), "flat"), stored(np.array([3, -1]), "shape")]
    check("reshaped", nodes, {"y": X @ W}, flat)

    # Outputs: an input, a constant, one twice, and one that others use.
    nodes = [product, node("Relu", ["y"], ["z"])]
    check("outputs", nodes, {"z": np.maximum(X @ W, 0), "y": X @ W}, weight)
    check("passed", [node("Relu", ["x"], ["y"])], {"x": X, "y": np.maximum(X, 0)})
    check("constant", [node("Relu", ["x"], ["y"])], {"y": np.maximum(X, 0), "w": W}, weight)
    nodes = [node("Identity", ["x"], ["y"]), node("Identity", ["x"], ["z"])]
    check("copies", nodes, {"y": X, "z": X})

    # Names that are empty, equal to MLIR's own, or hard to print.
    nodes = [
        helper.make_node("MatMul", ["x", 'a "b"\\#<c> é'], ["%arg0"], name=""),
        helper.make_node("Relu", ["%arg0"], ["main/y:0"], name="n\n"),
    ]
    odd = [stored(W, 'a "b"\\#<c> é')]
    check("names", nodes, {"main/y:0": np.maximum(X @ W, 0)}, odd, graph_name="")

    # Optional inputs: left out in the middle, at the end, and by length.
    low = [stored(np.float32(-0.5), "low"), stored(np.float32(0.5), "high")]
    check("bounds", [node("Clip", ["x", "low", ""], ["y"])], {"y": np.maximum(X, -0.5)}, low)
    check("upper", [node("Clip", ["x", "", "high"], ["y"])], {"y": np.minimum(X, 0.5)}, low)
    gemm = node("Gemm", ["x", "w", ""], ["y"], alpha=2.0)
    check("no_bias", [gemm], {"y": 2 * X @ W}, weight)

    # Optional outputs that nobody wants.
    check("dropout", [node("Dropout", ["x"], ["y", ""])], {"y": X})
    check("dropped", [node("Dropout", ["x"], ["y", "mask"])], {"y": X}, opset=12)

    # The same graph in every operator set; a domain that no node uses.
    for opset in range(7, 19):
        nodes = [node("Gemm", ["x", "w", "b"], ["h"]), node("Relu", ["h"], ["y"])]
        both = weight + [stored(B, "b")]
        check(f"opset{opset}", nodes, {"y": np.maximum(X @ W + B, 0)}, both, opset=opset)
    domain = [helper.make_opsetid("com.example", 1)]
    check("domains", [product], {"y": X @ W}, weight, more_domains=domain)

    # A scalar input, an empty tensor, a size that two inputs share.
    scalars = {"x": X, "s": np.float32(3)}
    infos = [info("x", [2, 4]), info("s", [])]
    check("scalar", [node("Mul", ["x", "s"], ["y"])], {"y": X * 3}, inputs=infos, values=scalars)
    empty = {"x": np.zeros((0, 4), np.float32)}
    infos = [info("x", ["N", 4])]
    check("empty", [product], {"y": np.zeros((0, 3), np.float32)}, weight, inputs=infos, values=empty)
    infos = [info("x", ["N", 4]), info("z", ["N", 4])]
    pair = {"x": X, "z": X[::-1].copy()}
    check("shared", [node("Add", ["x", "z"], ["y"])], {"y": X + X[::-1]}, inputs=infos, values=pair)

    # External data, in a folder beneath the model's.
    os.makedirs(f"{OUT}/weights", exist_ok=True)
    with open(f"{OUT}/weights/w.bin", "wb") as file:
        file.write(b"head" * 16 + W.tobytes())
    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=W.shape)
    outside.data_location = TensorProto.EXTERNAL
    entries = {"location": "weights/w.bin", "offset": "64", "length": str(W.nbytes)}
    for key, value in entries.items():
        outside.external_data.add(key=key, value=value)
    check("external", [product], {"y": X @ W}, [outside])
    print("all odd graphs run")


main()
