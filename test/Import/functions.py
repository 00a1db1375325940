# REQUIRES: onnx
# RUN: %python %s %t
"""Calls of functions that a model defines become their nodes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import shutil
import sys

import numpy as np
from onnx import AttributeProto, helper, numpy_helper
from onnx_files import expect, info, model, refuse, unknown_field

OUT = sys.argv[1]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 4)).astype(np.float32)
W = RNG.normal(size=(4, 4)).astype(np.float32)
B = RNG.normal(size=4).astype(np.float32)
# Fields that came after the onnx that is installed.
NODE_OVERLOAD, DEFAULTS, FUNCTION_OVERLOAD = 8, 11, 13
node = helper.make_node


def function(name, inputs, outputs, nodes, opset=17, domain="my.lib", attributes=(), **more):
    made = helper.make_function(
        domain, name, inputs, outputs, nodes, [helper.make_opsetid("", opset)], list(attributes)
    )
    made.opset_import.append(helper.make_opsetid("my.lib", 1))
    for default in more.get("defaults", ()):
        made.MergeFromString(unknown_field(DEFAULTS, default))
    if "overload" in more:
        made.MergeFromString(unknown_field(FUNCTION_OVERLOAD, more["overload"]))
    return made


def call(name, inputs, outputs, overload=None, **attributes):
    made = node(name, inputs, outputs, domain="my.lib", **attributes)
    if overload is not None:
        made.MergeFromString(unknown_field(NODE_OVERLOAD, overload))
    return made


def build(nodes, functions, initializers=(), opset=17, **more):
    content = model(nodes, initializers, inputs=[info("x", [2, 4])], opset=opset, **more)
    content.opset_import.append(helper.make_opsetid("my.lib", 1))
    content.functions.extend(functions)
    return content


def parameter(name, refers_to, kind):
    """An attribute of a node in a body that is what the call says."""
    return AttributeProto(name=name, ref_attr_name=refers_to, type=kind)


def with_attribute(made, attribute):
    made.attribute.append(attribute)
    return made


def check(name, content, expected):
    return expect(f"{OUT}/{name}.onnx", content, {"x": X}, [expected])


LINEAR = function(
    "Linear", ["a", "w", "b"], ["o"],
    [node("MatMul", ["a", "w"], ["t"]), node("Add", ["t", "b"], ["o"])],
)  # fmt: skip
STORED = [numpy_helper.from_array(W, "w"), numpy_helper.from_array(B, "b")]


def plain():
    """Two calls; the weights keep their names."""
    nodes = [
        call("Linear", ["x", "w", "b"], ["h"]),
        node("Relu", ["h"], ["r"]),
        call("Linear", ["r", "w", "b"], ["y"]),
    ]
    hidden = np.maximum(X @ W + B, 0)
    text = check("plain", build(nodes, [LINEAR], STORED), hidden @ W + B)
    assert "dense_resource<w>" in text and "dense_resource<b>" in text, text


def names():
    """Names of a body are its own, whatever the graph calls its values."""
    body = [node("Neg", ["x"], ["y"]), node("Neg", ["y"], ["h"]), node("Exp", ["h"], ["o"])]
    nodes = [
        call("F", ["x"], ["h"]),
        node("Identity", ["h"], ["h/y"]),
        call("F", ["h/y"], ["y"]),
    ]
    check("names", build(nodes, [function("F", ["x"], ["o"], body)]), np.exp(np.exp(X)))


def nested():
    """A function that calls another, and constants in bodies."""
    scale = node("Constant", [], ["s"], value=numpy_helper.from_array(np.float32(3), "s"))
    inner = function("Triple", ["a"], ["o"], [scale, node("Mul", ["a", "s"], ["o"])])
    outer = function(
        "Nine", ["a"], ["o"], [call("Triple", ["a"], ["t"]), call("Triple", ["t"], ["o"])]
    )
    check("nested", build([call("Nine", ["x"], ["y"])], [outer, inner]), 9 * X)


def attributes():
    """Attributes come from the call, else from their defaults; an optional one
    that neither gives keeps the operator's."""
    def softmax(refers_to):
        made = node("LeakyRelu", ["a"], ["o"])
        return [with_attribute(made, parameter("alpha", refers_to, AttributeProto.FLOAT))]

    leaky = function(
        "Leaky", ["a"], ["o"], softmax("slope"),
        defaults=[helper.make_attribute("slope", 0.5)],
    )  # fmt: skip
    expected = np.where(X > 0, X, 0.5 * X)
    check("default", build([call("Leaky", ["x"], ["y"])], [leaky]), expected)
    content = build([call("Leaky", ["x"], ["y"], slope=0.25)], [leaky])
    check("given", content, np.where(X > 0, X, 0.25 * X))
    optional = function("Leaky", ["a"], ["o"], softmax("slope"), attributes=["slope"])
    content = build([call("Leaky", ["x"], ["y"])], [optional])
    check("optional", content, np.where(X > 0, X, np.float32(0.01) * X))
    # From call to call.
    forward = with_attribute(
        call("Leaky", ["a"], ["o"]), parameter("slope", "s", AttributeProto.FLOAT)
    )
    outer = function("Outer", ["a"], ["o"], [forward], attributes=["s"])
    content = build([call("Outer", ["x"], ["y"], s=0.75)], [outer, leaky])
    check("passed", content, np.where(X > 0, X, 0.75 * X))
    content = build([call("Leaky", ["x"], ["y"], angle=1.0)], [leaky])
    refuse(f"{OUT}/unknown.onnx", content, "with the attribute 'angle', which it does not have")


def overloads():
    """Functions of one name are told apart by their overloads."""
    twice = function("F", ["a"], ["o"], [node("Add", ["a", "a"], ["o"])], overload="sum")
    square = function("F", ["a"], ["o"], [node("Mul", ["a", "a"], ["o"])], overload="product")
    for name, expected in (("sum", X + X), ("product", X * X)):
        content = build([call("F", ["x"], ["y"], overload=name)], [twice, square])
        check(f"overload_{name}", content, expected)
    content = build([call("F", ["x"], ["y"])], [twice, square])
    refuse(f"{OUT}/no_overload.onnx", content, "operator 'F' of domain 'my.lib'")
    content = build([call("F", ["x"], ["y"])], [LINEAR, LINEAR])
    refuse(f"{OUT}/twice.onnx", content, "function 'Linear' of domain 'my.lib' is defined twice")


def optional_values():
    """Inputs and outputs that a call leaves out; outputs that are inputs."""
    clip = function(
        "Clip2", ["a", "low", "high"], ["o", "unused"],
        [node("Clip", ["a", "low", "high"], ["o"]), node("Neg", ["a"], ["unused"])],
    )  # fmt: skip
    low = [numpy_helper.from_array(np.float32(0), "low")]
    content = build([call("Clip2", ["x", "low"], ["y"])], [clip], low)
    check("left_out", content, np.maximum(X, 0))
    content = build([call("Clip2", ["x", "", "low"], ["y", ""])], [clip], low)
    check("empty", content, np.minimum(X, 0))
    swap = function("Swap", ["a", "b"], ["b", "a"], [node("Neg", ["a"], ["unused"])])
    nodes = [
        node("Neg", ["x"], ["n"]),
        call("Swap", ["x", "n"], ["p", "q"]),
        node("Sub", ["p", "q"], ["y"]),
    ]
    check("passed_on", build(nodes, [swap]), -2 * X)
    content = build([call("Swap", ["x", "x", "x"], ["y"])], [swap])
    refuse(f"{OUT}/too_many.onnx", content, "with 3 inputs and 1 outputs, but it has 2 and 2")


def subgraphs():
    """Calls in branches, and branches in bodies that read the body's values."""
    def branch(op):
        made = node(op, ["a"], ["z"])
        return helper.make_graph([made], "b", [], [info("z", None)])

    body = [
        node("ReduceSum", ["a"], ["s"], keepdims=0),
        node("Less", ["s", "s"], ["c"]),
        node("If", ["c"], ["o"], then_branch=branch("Exp"), else_branch=branch("Neg")),
    ]
    choose = function("Choose", ["a"], ["o"], body)
    nodes = [call("Choose", ["x"], ["t"]), call("Choose", ["t"], ["y"])]
    check("branches", build(nodes, [choose]), X)
    inner = helper.make_graph([call("Linear", ["x", "w", "b"], ["z"])], "b", [], [info("z", None)])
    true = [numpy_helper.from_array(np.array(True), "c")]
    nodes = [node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)]
    check("called", build(nodes, [LINEAR], STORED + true), X @ W + B)


def versions():
    """A body relies on the operator sets that its function imports."""
    old = function(
        "Old", ["a"], ["o"], [node("Softmax", ["a"], ["o"], axis=0)], opset=11
    )  # before 13, all dimensions from the axis on are one
    flat = np.exp(X - X.max())
    check("older", build([call("Old", ["x"], ["y"])], [old]), flat / flat.sum())
    content = build([call("Old", ["x"], ["y"])], [old])
    del content.opset_import[0]
    check("only_there", content, flat / flat.sum())


def hostile():
    """Recursion and growth end with a message."""
    loop = function("F", ["a"], ["o"], [call("G", ["a"], ["o"])])
    back = function("G", ["a"], ["o"], [call("F", ["a"], ["o"])])
    content = build([call("F", ["x"], ["y"])], [loop, back])
    refuse(f"{OUT}/recursion.onnx", content, "function 'F' of domain 'my.lib' calls itself")
    levels = [function("F0", ["a"], ["o"], [node("Neg", ["a"], ["o"])])]
    for level in range(1, 60):
        calls = [call(f"F{level - 1}", ["a"], ["t"]), call(f"F{level - 1}", ["t"], ["o"])]
        levels.append(function(f"F{level}", ["a"], ["o"], calls))
    content = build([call("F59", ["x"], ["y"])], levels)
    refuse(f"{OUT}/growth.onnx", content, "stand for more than 1000000 nodes")
    chain = [function("F0", ["a"], ["o"], [node("Neg", ["a"], ["o"])])]
    for level in range(1, 300):
        body = [call(f"F{level - 1}", ["a"], ["o"])]
        chain.append(function(f"F{level}", ["a"], ["o"], body))
    content = build([call("F299", ["x"], ["y"])], chain)
    refuse(f"{OUT}/deep.onnx", content, "nested deeper than 100 levels")
    stray = with_attribute(
        node("LeakyRelu", ["x"], ["y"]), parameter("alpha", "a", AttributeProto.FLOAT)
    )
    refuse(f"{OUT}/stray.onnx", build([stray], []), "refers to attribute 'a' of a function")
    # What nothing calls is not looked at.
    check("uncalled", build([node("Neg", ["x"], ["y"])], [loop, back]), -X)


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
for test in (
    plain, names, nested, attributes, overloads, optional_values, subgraphs, versions, hostile
):  # fmt: skip
    test()
    print(f"{test.__name__}: fine")
