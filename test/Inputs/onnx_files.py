"""Small ONNX models, and their import.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os

from onnx import TensorProto, helper

import tools


def info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, initializers=(), inputs=None, outputs=None, opset=13):
    """A model of `x` [N, 4] to `y`, unless told otherwise."""
    graph = helper.make_graph(
        nodes,
        "g",
        inputs if inputs is not None else [info("x", ["N", 4])],
        outputs if outputs is not None else [info("y", None)],
        list(initializers),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def save(path, content):
    """Writes a model, or bytes that may be one."""
    data = content if isinstance(content, bytes) else content.SerializeToString()
    with open(path, "wb") as file:
        file.write(data)


def convert(path, *options, timeout=60):
    """Imports a file to bytecode. Returns the exit code, what was said, and the
    output's path; checks that there is an output if and only if the import
    succeeded."""
    target = path + ".mlirbc"
    if os.path.exists(target):
        os.remove(target)
    result = tools.run(
        "prune-translate", "--import-onnx", path, "-o", target, *options, timeout=timeout
    )
    what = f"{path}: exits with {result.returncode}: {result.stderr[-1000:]}"
    # Refused, or an option that makes no sense.
    assert result.returncode in (0, 1, 2), what
    assert result.returncode == 0 or "error: " in result.stderr, what
    # Sanitizers end with 1, too.
    assert "Sanitizer" not in result.stderr and "runtime error" not in result.stderr, what
    assert os.path.exists(target) == (result.returncode == 0), what
    return result.returncode, result.stderr, target


def refuse(path, content, *expected, options=()):
    """Asserts that a model is refused, and that the message has these parts."""
    save(path, content)
    code, message, _ = convert(path, *options)
    assert code != 0, f"{path} is accepted"
    for part in expected:
        assert part in message, f"{path}: no '{part}' in: {message}"
    return message


def accept(path, content, *options):
    """Imports a model that must be accepted; returns the output's path."""
    save(path, content)
    code, message, target = convert(path, *options)
    assert code == 0, f"{path}: {message}"
    return target


def find_weights(model):
    """Initialisers that are the weight of a Conv, Gemm or MatMul, or one of those of a
    recurrent layer, also through reshapes."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    operands = {op: slice(1, 2) for op in ("Conv", "ConvTranspose", "Gemm", "MatMul")}
    operands.update({op: slice(1, 3) for op in ("LSTM", "GRU", "RNN")})
    reshaped = {
        node.output[0]: node.input[0]
        for node in model.graph.node
        if node.op_type in ("Reshape", "Transpose")
    }
    weights = []
    for node in model.graph.node:
        for name in node.input[operands.get(node.op_type, slice(0))]:
            while name in reshaped:
                name = reshaped[name]
            if name in stored:
                weights.append(stored[name])
    return weights
