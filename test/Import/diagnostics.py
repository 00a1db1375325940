# What the importer says: all operators that are missing at once, sizes that are not
# known and how to fix them. An output that is there survives a failure.
# REQUIRES: onnx
# RUN: %python %s %t

import os
import shutil
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_files import accept, info, model, refuse, save

import tools

OUT = sys.argv[1]


def node(op, inputs, outputs, name="", **attributes):
    return helper.make_node(op, inputs, outputs, name=name, **attributes)


def text_of(path):
    return tools.output_of("prune-opt", path)


def unsupported_operators():
    """One line for each operator, with nodes, domain and opset; those inside of
    graphs too; nodes without a name by their output."""
    branch = helper.make_graph(
        [node("Sharpen", ["x"], ["b"], "inner", domain="acme.ops")],
        "branch",
        [],
        [info("b", [2])],
    )
    nodes = [node("Blur", ["x"], [f"blurred{at}"], f"n{at}") for at in range(6)]
    nodes += [
        node("Sharpen", ["x"], ["sharp"], domain="acme.ops"),
        node("Relu", ["x"], ["r"]),
        node("Gelu", ["r"], ["g"], "too new"),
        node("If", ["c"], ["y"], then_branch=branch, else_branch=branch),
    ]
    content = model(
        nodes,
        inputs=[info("x", [2]), info("c", [], TensorProto.BOOL)],
        outputs=[info(node.output[0], None) for node in nodes],
    )
    content.opset_import.append(helper.make_opsetid("acme.ops", 3))
    message = refuse(
        f"{OUT}/several.onnx",
        content,
        "operator 'Blur' of domain '' is not supported in opset 13, used by nodes "
        "'n0', 'n1', 'n2', 'n3' and 2 more",
        "operator 'Sharpen' of domain 'acme.ops' is not supported in opset 3, used by "
        "nodes 'sharp', 'inner', 'inner'",
        "operator 'Gelu' of domain '' is not supported in opset 13, used by node "
        "'too new'",
    )
    assert message.count("error: ") == 3, message


def output_survives():
    """A failed import leaves the output that is there."""
    good = accept(f"{OUT}/good.onnx", model([node("Relu", ["x"], ["y"])]))
    before = open(good, "rb").read()
    save(f"{OUT}/bad.onnx", model([node("Blur", ["x"], ["y"])]))
    command = ["--import-onnx", f"{OUT}/bad.onnx", "-o", good]
    assert tools.run("prune-translate", *command).returncode == 1
    assert open(good, "rb").read() == before
    missing = f"{OUT}/no/such/folder.mlirbc"
    result = tools.run("prune-translate", "--import-onnx", f"{OUT}/good.onnx", "-o", missing)
    assert result.returncode == 1 and missing in result.stderr, result.stderr


def fixed_dims():
    """--dim fixes a size by its name, or by input and position."""
    content = model([node("Relu", ["x"], ["y"])], inputs=[info("x", ["N", None, 4])])
    path = f"{OUT}/dims.onnx"
    assert "tensor<?x?x4xf32>" in text_of(accept(path, content))
    assert "tensor<2x?x4xf32>" in text_of(accept(path, content, "--dim=N=2"))
    both = text_of(accept(path, content, "--dim=x:0=3", "--dim=x:1=5"))
    assert "tensor<3x5x4xf32>" in both
    for options, expected in (
        (["--dim=M=2"], "no input has an open dimension 'M'; there are: N, x:1"),
        (["--dim=x:2=4"], "no input has an open dimension 'x:2'"),
        (["--dim=N"], "expects --dim=name=size with a positive size, but got 'N'"),
        (["--dim==3"], "expects --dim=name=size"),
        (["--dim=N=0"], "expects --dim=name=size"),
        (["--dim=N=-1"], "expects --dim=name=size"),
        (["--dim=N=nan"], "expects --dim=name=size"),
        (["--dim=N=1.5"], "expects --dim=name=size"),
        (["--dim=N=99999999999999999999"], "expects --dim=name=size"),
        (["--dim=N=1", "--dim=N=2"], "--dim=N is given twice"),
    ):
        refuse(path, content, expected, options=options)
    closed = model([node("Relu", ["x"], ["y"])], inputs=[info("x", [4])])
    refuse(path, closed, "all sizes are fixed", options=["--dim=N=1"])


def equal_names():
    """Sizes of one name are equal: nothing to decide, and checked by a run."""
    inputs = [info("x", ["N", 4]), info("z", ["N", 4])]
    content = model([node("Add", ["x", "z"], ["y"])], inputs=inputs)
    path = accept(f"{OUT}/equal.onnx", content)
    for rows in ((2, 2), (2, 3)):
        given = []
        for at, count in enumerate(rows):
            np.save(f"{OUT}/in{at}.npy", np.ones((count, 4), np.float32))
            given.append(f"--input=@{OUT}/in{at}.npy")
        result = tools.run("prune-run", path, *given)
        assert (result.returncode == 0) == (rows[0] == rows[1]), result.stderr
    assert "sizes 'N' of the inputs" in result.stderr, result.stderr


def open_decisions():
    """What cannot be decided for an open size says how to fix it."""
    inputs = [info("x", ["N", 4]), info("z", ["M", 4])]
    path = f"{OUT}/open.onnx"
    content = model([node("Add", ["x", "z"], ["y"])], inputs=inputs)
    refuse(path, content, "cannot decide how [N, 4] and [M, 4] broadcast", "--dim")
    # One size that is not 1 decides: the other is it, or 1 and stretched.
    accept(path, content, "--dim=N=1", "--dim=M=3")
    accept(path, content, "--dim=N=1")
    image = [info("x", [1, 1, 8, "W"])]
    for nodes, stored, given, size in (
        ([node("Squeeze", ["x"], ["y"])], [], [info("x", ["W", 4])], 1),
        ([node("Split", ["x"], ["y", "y2"])], [], [info("x", ["W", 4])], 2),
        (
            [
                node(
                    "MaxPool",
                    ["x"],
                    ["y"],
                    kernel_shape=[2, 2],
                    strides=[2, 2],
                    ceil_mode=1,
                )
            ],
            [],
            image,
            7,
        ),
    ):
        content = model(nodes, stored, given)
        refuse(path, content, "--dim")
        accept(path, content, f"--dim=W={size}")


def impossible_sizes():
    """Sizes that contradict each other are named."""
    path = f"{OUT}/impossible.onnx"
    inputs = [info("x", [2, 4]), info("z", [3, 4])]
    refuse(
        path,
        model([node("Add", ["x", "z"], ["y"], "a")], inputs=inputs),
        "node 'a' (Add, domain '', opset 13): cannot broadcast [2, 4] with [3, 4]",
    )
    refuse(
        path,
        model([node("MatMul", ["x", "z"], ["y"], "m")], inputs=inputs),
        "node 'm' (MatMul, domain '', opset 13)",
    )
    refuse(
        path,
        model([node("Relu", ["x"], ["y"])], inputs=[info("x", None)]),
        "input 'x' has no shape; give it one in the model",
    )


def command_line():
    for arguments, expected in (
        (["--import-onnx"], "expects the file name of an ONNX model to import"),
        (["--import-everything"], "Unknown command line argument"),
    ):
        result = tools.run("prune-translate", *arguments)
        assert result.returncode == 2, result
        assert expected in result.stderr, result.stderr


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
unsupported_operators()
output_survives()
fixed_dims()
equal_names()
open_decisions()
impossible_sizes()
command_line()
