# Damaged and malicious models end in a diagnostic, quickly, and write nothing.
# REQUIRES: onnx
# RUN: %python %s %t

import concurrent.futures
import os
import random
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OUT = sys.argv[1]
MUTATIONS = int(os.environ.get("PRUNE_MUTATIONS", "1000"))
SECONDS = 60


def convert(path):
    """Runs the import; returns exit code and messages, checks what it left."""
    target = path + ".mlirbc"
    result = subprocess.run(
        ["prune-translate", "--import-onnx", path, "-o", target],
        capture_output=True,
        timeout=SECONDS,
    )
    message = result.stderr.decode(errors="replace")
    assert result.returncode in (0, 1), f"{path}: {result.returncode} {message}"
    if result.returncode == 1:
        assert "error: " in message, f"{path}: no diagnostic: {message}"
        assert not os.path.exists(target), f"{path}: left an output"
    else:
        assert os.path.getsize(target) > 0
        os.remove(target)
    return result.returncode, message


def refuse(name, model, expected):
    path = f"{OUT}/{name}.onnx"
    data = model if isinstance(model, bytes) else model.SerializeToString()
    with open(path, "wb") as file:
        file.write(data)
    code, message = convert(path)
    assert code == 1, f"{name} is accepted"
    assert expected in message, f"{name}: {message}"


def tensor_info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(nodes, initializers=(), inputs=None, outputs=None, opset=13):
    graph = helper.make_graph(
        nodes,
        "g",
        inputs if inputs is not None else [tensor_info("x", ["N", 4])],
        outputs if outputs is not None else [tensor_info("y", None)],
        list(initializers),
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)]
    )


def relu():
    return helper.make_node("Relu", ["x"], ["y"], name="r")


def external(location, size=16, **more):
    tensor = TensorProto()
    tensor.name = "w"
    tensor.data_type = TensorProto.FLOAT
    tensor.dims.append(4)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in dict(location=location, length=size, **more).items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return model_of([helper.make_node("Add", ["x", "w"], ["y"])], [tensor])


def raw(dims, data, kind=TensorProto.FLOAT):
    tensor = TensorProto()
    tensor.name = "w"
    tensor.data_type = kind
    tensor.dims.extend(dims)
    tensor.raw_data = data
    return model_of([helper.make_node("Add", ["x", "w"], ["y"])], [tensor])


def nested_loops(depth):
    """Loops in loops, each of whose bodies changes the size it carries."""
    body = None
    for _ in range(depth):
        nodes = [helper.make_node("Concat", ["v", "v"], ["c"], axis=0)]
        if body:
            nodes.append(
                helper.make_node("Loop", ["m", "", "c"], ["o"], body=body)
            )
        else:
            nodes.append(helper.make_node("Identity", ["c"], ["o"]))
        nodes.append(helper.make_node("Identity", ["i_cond"], ["o_cond"]))
        body = helper.make_graph(
            nodes,
            "b",
            [
                tensor_info("i", [], TensorProto.INT64),
                tensor_info("i_cond", [], TensorProto.BOOL),
                tensor_info("v", None),
            ],
            [tensor_info("o_cond", [], TensorProto.BOOL), tensor_info("o", None)],
        )
    return model_of(
        [helper.make_node("Loop", ["m", "", "x"], ["y"], body=body)],
        inputs=[tensor_info("x", [2]), tensor_info("m", [], TensorProto.INT64)],
    )


def named_attacks():
    valid = model_of([relu()]).SerializeToString()
    refuse("empty", b"", "is not a valid ONNX model")
    refuse("text", b"module {}", "is not a valid ONNX model")
    refuse("truncated", valid[: len(valid) // 2], "is not a valid ONNX model")
    refuse("bombs", b"\x3a\x7f" * 2000, "is not a valid ONNX model")
    refuse("outside", external("../secret"), "leaves the model's directory")
    refuse("hidden", external("a/../../secret"), "leaves the model's directory")
    refuse("absolute", external("/etc/passwd"), "is an absolute path")
    refuse("device", external("."), "is not a regular file")
    with open(f"{OUT}/../secret.bin", "wb") as file:
        file.write(bytes(16))
    link = f"{OUT}/link.bin"
    if not os.path.lexists(link):
        os.symlink("../secret.bin", link)
    refuse("link", external("link.bin"), "link that leaves the model's directory")
    with open(f"{OUT}/short.bin", "wb") as file:
        file.write(bytes(8))
    refuse("short", external("short.bin"), "of a file of 8 bytes")
    refuse("offset", external("short.bin", offset=2**63), "but the tensor needs")
    refuse("number", external("short.bin", offset="many"), "is not a number")
    refuse("size", raw([4], b"1234"), "holds 4 bytes")
    refuse("absurd", raw([2**62, 2**62], b""), "has absurd sizes")
    refuse("negative", raw([-1], b""), "has absurd sizes")
    refuse("type", raw([1], b"a", TensorProto.STRING), "element type string")
    refuse("nested", nested_loops(24), "error: ")

    huge = numpy_helper.from_array(np.array([2**40, 2**40]), "s")
    make = helper.make_node("ConstantOfShape", ["s"], ["y"])
    refuse("huge", model_of([make], [huge]), "at most")
    loop = [helper.make_node("Add", ["y", "x"], ["y"], name="a")]
    refuse("cycle", model_of(loop), "which nothing before it defines")
    twice = [relu(), relu()]
    refuse("twice", model_of(twice), "which is defined already")
    refuse("missing", model_of([]), "nothing defines the graph's output 'y'")
    odd = relu()
    odd.attribute.append(helper.make_attribute("speed", 3))
    refuse("attribute", model_of([odd]), "attribute 'speed' is not supported")
    refuse(
        "several",
        model_of(
            [
                helper.make_node("Blur", ["x"], ["a"], name="n1"),
                helper.make_node("Sharpen", ["a"], ["y"], domain="me", name="n2"),
            ]
        ),
        "operator 'Sharpen' of domain 'me' is not supported in opset 0, used by "
        "node 'n2'",
    )


def seed_model():
    """Small, with many kinds of things to damage."""
    rng = np.random.default_rng(0)

    def weight(name, *shape):
        return numpy_helper.from_array(
            rng.standard_normal(shape).astype(np.float32), name
        )

    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("MaxPool", ["c"], ["p"], kernel_shape=[2, 2]),
        helper.make_node("Shape", ["p"], ["s"]),
        helper.make_node("Slice", ["s", "zero", "one"], ["n"]),
        helper.make_node("Concat", ["n", "minus"], ["t"], axis=0),
        helper.make_node("Reshape", ["p", "t"], ["f"]),
        helper.make_node("Gemm", ["f", "g"], ["m"], transB=1),
        helper.make_node("Softmax", ["m"], ["y"]),
    ]
    numbers = [
        numpy_helper.from_array(np.array([v]), n)
        for n, v in (("zero", 0), ("one", 1), ("minus", -1))
    ]
    return model_of(
        nodes,
        [weight("w", 2, 1, 3, 3), weight("b", 2), weight("g", 3, 18)] + numbers,
        inputs=[tensor_info("x", ["N", 1, 4, 4])],
        outputs=[tensor_info("y", ["N", 3])],
    )


def mutate(data, rng):
    data = bytearray(data)
    kind = rng.randrange(4)
    if kind == 0:
        return data[: rng.randrange(len(data))]
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(len(data))
        if kind == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[at] = rng.choice([0, 0x7F, 0x80, 0xFF])
        else:
            data[at:at] = bytes([0xFF] * 9 + [0x01])
    return data


def mutations():
    data = seed_model().SerializeToString()
    path = f"{OUT}/seed.onnx"
    with open(path, "wb") as file:
        file.write(data)
    assert convert(path)[0] == 0, convert(path)
    rng = random.Random(1)
    paths = []
    for number in range(MUTATIONS):
        paths.append(f"{OUT}/mutation_{number}.onnx")
        with open(paths[-1], "wb") as file:
            file.write(mutate(data, rng))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        codes = [code for code, _ in pool.map(convert, paths)]
    assert codes.count(1) > MUTATIONS // 2, "most damage is found"


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
named_attacks()
mutations()
