# REQUIRES: onnx
# RUN: %python %s %t
"""Sparse initialisers and constants become dense weights.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import shutil
import sys

import numpy as np
from onnx import SparseTensorProto, helper, numpy_helper
from onnx_files import expect, info, model, refuse

OUT = sys.argv[1]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 6)).astype(np.float32)
W = np.where(RNG.random((6, 4)) < 0.3, RNG.normal(size=(6, 4)), 0).astype(np.float32)


def sparse(values, indices, dims, name="w", kind=np.float32, index_kind=np.int64):
    return SparseTensorProto(
        values=numpy_helper.from_array(np.asarray(values, kind), name),
        indices=numpy_helper.from_array(np.asarray(indices, index_kind), f"{name}_at"),
        dims=dims,
    )


def of(dense, linear, name="w"):
    """Both forms of indices."""
    at = np.flatnonzero(dense) if linear else np.argwhere(dense)
    return sparse(dense.reshape(-1)[np.flatnonzero(dense)], at, dense.shape, name)


def build(*tensors, nodes=(), inputs=None):
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    content = model([*nodes, product], inputs=inputs or [info("x", [2, 6])])
    content.graph.sparse_initializer.extend(tensors)
    return content


def forms():
    for linear in (True, False):
        text = expect(f"{OUT}/stored{linear}.onnx", build(of(W, linear)), {"x": X}, [X @ W])
        assert "dense_resource<w>" in text, text
        constant = helper.make_node("Constant", [], ["w"], sparse_value=of(W, linear, "v"))
        content = build(nodes=[constant])
        text = expect(f"{OUT}/constant{linear}.onnx", content, {"x": X}, [X @ W])
        assert "dense_resource<w>" in text, text
    # Nothing but zeros, and nothing at all.
    empty = sparse([], np.zeros((0, 2)), [6, 4])
    expect(f"{OUT}/zeros.onnx", build(empty), {"x": X}, [np.zeros((2, 4), np.float32)])
    # In a branch.
    branch = model([helper.make_node("MatMul", ["x", "w"], ["z"])]).graph
    del branch.input[:], branch.output[:]
    branch.output.append(info("z", None))
    branch.sparse_initializer.append(of(W, True))
    nodes = [helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)]
    true = [numpy_helper.from_array(np.array(True), "c")]
    content = model(nodes, true, inputs=[info("x", [2, 6])])
    expect(f"{OUT}/branch.onnx", content, {"x": X}, [X @ W])


def refused():
    for name, tensor, expected in (
        ("outside", sparse([1], [24], [6, 4]), "has an index outside of its sizes, at value 0"),
        ("negative", sparse([1], [-1], [6, 4]), "has an index outside of its sizes"),
        ("row", sparse([1], [[6, 0]], [6, 4]), "has an index outside of its sizes"),
        # Within the tensor when linear, but not within its row.
        ("column", sparse([1], [[0, 4]], [6, 4]), "has an index outside of its sizes"),
        ("order", sparse([1, 2], [3, 1], [6, 4]), "not in ascending order, at value 1"),
        ("twice", sparse([1, 2], [3, 3], [6, 4]), "not in ascending order, at value 1"),
        ("rank", sparse([1], [[1, 2, 3]], [6, 4]), "has 1 values, so its indices need"),
        ("count", sparse([1, 2], [1], [6, 4]), "has 2 values, so its indices need"),
        ("type", sparse([1], [1], [6, 4], index_kind=np.int32), "indices of type int32"),
        ("list", sparse([[1]], [1], [6, 4]), "has values that are no list"),
        ("size", sparse([1], [1], [6, -4]), "has absurd sizes"),
        ("overflow", sparse([1], [1], [2**40] * 3), "has absurd sizes"),
        ("bomb", sparse([1], [1], [2**20, 2**12]), "what is stored allows"),
    ):
        content = build(tensor)
        refuse(f"{OUT}/{name}.onnx", content, "sparse tensor 'w'", expected)
    # All of them together.
    many = [sparse([1], [1], [2**12, 2**11], f"w{at}") for at in range(5)]
    nodes = [helper.make_node("Sum", [f"w{at}" for at in range(5)], ["w"])]
    refuse(f"{OUT}/bombs.onnx", build(*many, nodes=nodes), "what is stored allows")
    short = of(W, True)
    short.values.raw_data = b"1234"
    refuse(f"{OUT}/short.onnx", build(short), "holds 4 bytes")


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
forms()
refused()
