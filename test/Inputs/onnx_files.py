"""Small ONNX models, and their import.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os

import numpy as np
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


def unknown_field(number, content):
    """Bytes of a field that the installed onnx has no name for: a string or message."""

    def varint(value):
        digits = []
        while value > 127:
            digits.append(value & 127 | 128)
            value >>= 7
        return bytes(digits + [value])

    data = content.encode() if isinstance(content, str) else content.SerializeToString()
    return varint(number << 3 | 2) + varint(len(data)) + data


def signless(array):
    """Integers carry no sign in MLIR."""
    if array.dtype.kind == "u":
        return array.view(f"i{array.dtype.itemsize}")
    return array


def results_of(module, inputs, count=1, kernels="dense"):
    """What an imported module gives for arrays by the names of its arguments."""
    arguments = [f"--kernels={kernels}"]
    for at, (name, values) in enumerate(inputs.items()):
        np.save(f"{module}.in{at}.npy", values)
        arguments.append(f"--input={name}=@{module}.in{at}.npy")
    outputs = [f"{module}.out{at}.npy" for at in range(count)]
    arguments += [f"--output=@{output}" for output in outputs]
    tools.output_of("prune-run", module, *arguments)
    return [np.load(output) for output in outputs]


def expect(path, content, inputs, expected, *options, rtol=1e-5, atol=1e-6):
    """Imports and runs a model; compares with what numpy computed. Returns the
    module as text."""
    module = accept(path, content, *options)
    for at, (ours, theirs) in enumerate(
        zip(results_of(module, inputs, len(expected)), expected)
    ):
        assert ours.shape == np.shape(theirs), (path, at, ours.shape, np.shape(theirs))
        np.testing.assert_allclose(ours, theirs, rtol, atol, err_msg=f"{path}, result {at}")
    return tools.output_of("prune-opt", module)


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
