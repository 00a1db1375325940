"""Small networks in forms that the importer rewrites: weights that nodes compute, that
are sparse or in functions, and an input that chooses a weight.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
from onnx import SparseTensorProto, TensorProto, helper, numpy_helper
from onnx_files import info, model

RNG = np.random.default_rng(0)
node = helper.make_node


def stored(**tensors):
    return [numpy_helper.from_array(np.asarray(a, np.float32), name) for name, a in tensors.items()]


def network(nodes, initializers, opset=13, inputs=()):
    """x times w, and another layer behind."""
    layers = [
        node("MatMul", ["x", "w"], ["h"]),
        node("Relu", ["h"], ["r"]),
        node("MatMul", ["r", "last"], ["y"]),
    ]
    last = stored(last=RNG.normal(size=(16, 5)))
    return model(
        [*nodes, *layers], [*initializers, *last], [info("x", [2, 12]), *inputs],
        [info("y", [2, 5])], opset,
    )  # fmt: skip


def normalized():
    nodes = [
        node("Mul", ["v", "v"], ["squares"]),
        node("ReduceSum", ["squares"], ["sum"], keepdims=1),
        node("Sqrt", ["sum"], ["norm"]),
        node("Div", ["v", "norm"], ["unit"]),
        node("Mul", ["unit", "g"], ["w"]),
    ]
    return network(nodes, stored(v=RNG.normal(size=(12, 16)), g=RNG.uniform(1, 2, (1, 16))))


def quantized():
    values = RNG.integers(-127, 127, (12, 16)).astype(np.int8)
    tensors = [numpy_helper.from_array(values, "q"), *stored(s=0.01)]
    tensors.append(numpy_helper.from_array(np.int8(2), "z"))
    return network([node("DequantizeLinear", ["q", "s", "z"], ["w"])], tensors)


def sparse():
    dense = np.where(RNG.random((12, 16)) < 0.5, RNG.normal(size=(12, 16)), 0).astype(np.float32)
    at = np.flatnonzero(dense)
    made = network([], [])
    made.graph.sparse_initializer.append(
        SparseTensorProto(
            values=numpy_helper.from_array(dense.reshape(-1)[at], "w"),
            indices=numpy_helper.from_array(at, "at"),
            dims=dense.shape,
        )
    )
    return made


def function():
    layer = helper.make_function(
        "my.lib", "Layer", ["a", "b"], ["o"],
        [node("MatMul", ["a", "b"], ["t"]), node("Relu", ["t"], ["o"])],
        [helper.make_opsetid("", 13)],
    )  # fmt: skip
    nodes = [
        node("Layer", ["x", "w"], ["h"], domain="my.lib"),
        node("Layer", ["h", "last"], ["y"], domain="my.lib"),
    ]
    tensors = stored(w=RNG.normal(size=(12, 16)), last=RNG.normal(size=(16, 5)))
    made = model(nodes, tensors, [info("x", [2, 12])], [info("y", [2, 5])])
    made.opset_import.append(helper.make_opsetid("my.lib", 1))
    made.functions.append(layer)
    return made


def fixed():
    scale = node("Cast", ["k"], ["scale"], to=TensorProto.FLOAT)
    nodes = [scale, node("Mul", ["v", "scale"], ["w"])]
    inputs = [info("k", [], TensorProto.INT64)]
    return network(nodes, stored(v=RNG.normal(size=(12, 16))), inputs=inputs)


FORMS = (normalized, quantized, sparse, function, fixed)
