# REQUIRES: onnx
# RUN: %python %s %t
"""--value makes an input a constant, and branches that depend on it fold.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import shutil
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_files import accept, expect, info, model, refuse

import tools

OUT = sys.argv[1]
X = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
node = helper.make_node


def graph(nodes, output):
    return helper.make_graph(nodes, "b", [], [info(output, None)])


def branches():
    """Branches of different ranks, one of which has an operator that is not
    supported: as a network for two sampling rates has them."""
    rate = numpy_helper.from_array(np.array(16000), "rate")
    nodes = [
        node("Equal", ["sr", "rate"], ["c"]),
        node("If", ["c"], ["y"], then_branch=graph([node("Neg", ["x"], ["a"])], "a"),
             else_branch=graph([node("ReduceMax", ["x"], ["m"], keepdims=0),
                                node("Blur", ["m"], ["b"])], "b")),
    ]  # fmt: skip
    inputs = [info("x", [2, 4]), info("sr", [], TensorProto.INT64)]
    content = model(nodes, [rate], inputs)
    path = f"{OUT}/branches.onnx"
    refuse(path, content, "operator 'Blur'")
    refuse(path, content, "operator 'Blur'", options=["--value=sr=8000"])
    text = expect(path, content, {"x": X}, [-X], "--value=sr=16000")
    assert "scf.if" not in text and text.count("%arg") < 4, text


def elements():
    """One number for all elements, or a list; of every type."""
    for kind, number, value in (
        (TensorProto.FLOAT, "0.5", 0.5),
        (TensorProto.FLOAT16, "-2", -2),
        (TensorProto.DOUBLE, "1e3", 1000),
        (TensorProto.INT8, "-128", -128),
        (TensorProto.UINT8, "255", 255),
        (TensorProto.INT64, "-9007199254740993", -9007199254740993),
        (TensorProto.BOOL, "true", 1),
        (TensorProto.BOOL, "0", 0),
    ):
        nodes = [node("Cast", ["v"], ["f"], to=TensorProto.FLOAT), node("Add", ["x", "f"], ["y"])]
        content = model(nodes, inputs=[info("x", [2, 4]), info("v", [4], kind)])
        expected = [X + np.float32(value)]
        expect(f"{OUT}/kind.onnx", content, {"x": X}, expected, f"--value=v={number}")
    nodes = [node("Reshape", ["x", "shape"], ["y"])]
    for shape in ([2], ["n"], [None]):
        content = model(nodes, inputs=[info("x", [2, 4]), info("shape", shape, TensorProto.INT64)])
        expect(f"{OUT}/list.onnx", content, {"x": X}, [X.reshape(4, 2)], "--value=shape=4,2")
    # One that the file gives a default.
    low = [numpy_helper.from_array(np.float32(0), "low")]
    inputs = [info("x", [2, 4]), info("low", [])]
    content = model([node("Max", ["x", "low"], ["y"])], low, inputs)
    expect(f"{OUT}/default.onnx", content, {"x": X}, [np.maximum(X, 1)], "--value=low=1")
    # An input that nothing reads leaves the signature, too.
    content = model([node("Neg", ["x"], ["y"])], inputs=inputs)
    expect(f"{OUT}/unread.onnx", content, {"x": X}, [-X], "--value=low=1")
    # Sizes that --dim fixes.
    inputs = [info("x", [2, 4]), info("v", ["N", "M"])]
    content = model([node("Add", ["x", "v"], ["y"])], inputs=inputs)
    options = ["--value=v=1", "--dim=v:0=1", "--dim=v:1=4"]
    expect(f"{OUT}/dims.onnx", content, {"x": X}, [X + 1], *options)


def refused():
    inputs = [info("x", [2, 4]), info("v", [2, "N"], TensorProto.INT8), info("w", ["N", "M"])]
    nodes = [node("Cast", ["v"], ["f"], to=1), node("Sum", ["x", "f", "w"], ["y"])]
    path, content = f"{OUT}/refused.onnx", model(nodes, inputs=inputs)
    for options, expected in (
        (["--value=u=1"], "there is no input 'u' to fix; there are: x, v, w"),
        (["--value=v"], "expects --value=input=number,... but got 'v'"),
        (["--value=v="], "expects --value=input=number"),
        (["--value=v=1", "--value=v=2"], "--value=v is given twice"),
        (["--value=v=128"], "input 'v' takes numbers of type int8, but got '128'"),
        (["--value=v=1.5"], "takes numbers of type int8, but got '1.5'"),
        (["--value=v=one"], "takes numbers of type int8, but got 'one'"),
        (["--value=v=,"], "takes numbers of type int8, but got ''"),
        (["--value=x=1,2,3"], "input 'x' takes one number or 8, but got 3"),
        (["--value=x=nonsense"], "takes numbers of type float, but got 'nonsense'"),
        (["--value=w=1"], "input 'w' has several open sizes; fix them with --dim"),
        (["--value=w=1", "--dim=w:0=9999", "--dim=w:1=9999"], "has more than 4096 elements"),
    ):
        refuse(path, content, expected, options=options)


def unread():
    """What nothing reads does not matter: operators, outputs, tensors."""
    text = numpy_helper.from_array(np.array(["a"], object), "text")
    nodes = [
        node("NonZero", ["x"], ["n"]),
        node("Blur", ["x"], ["b"], domain="me"),
        node("Blur", ["b"], ["c"], domain="me"),
        node("StringNormalizer", ["text"], ["t"]),
        node("Neg", ["x"], ["y"]),
    ]
    content = model(nodes, [text], [info("x", [2, 4])])
    expect(f"{OUT}/dead.onnx", content, {"x": X}, [-X])
    # In a branch, and what only a branch reads.
    dead = graph([node("Blur", ["x"], ["d"]), node("Neg", ["k"], ["a"])], "a")
    nodes = [node("Exp", ["x"], ["k"]), node("If", ["c"], ["y"], then_branch=dead, else_branch=dead)]
    content = model(nodes, inputs=[info("x", [2, 4]), info("c", [], TensorProto.BOOL)])
    inputs = {"x": X, "c": np.array(True)}
    expect(f"{OUT}/dead_branch.onnx", content, inputs, [-np.exp(X)])
    # Outputs of a node that are there for training.
    parts = [numpy_helper.from_array(np.ones(4, np.float32), n) for n in "sbmv"]
    names = ["y", "m2", "v2", "m3", "v3"]
    content = model([node("BatchNormalization", ["x", *"sbmv"], names)], parts, opset=9)
    path = accept(f"{OUT}/outputs.onnx", content)
    assert "tensor<?x4xf32>" in tools.output_of("prune-opt", path)


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
branches()
elements()
refused()
unread()
