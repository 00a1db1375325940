# Damaged and malicious models are imported or end in a diagnostic, quickly, and
# leave nothing that is half written. PRUNE_MUTATIONS says how many damaged ones
# (default 1000).
# REQUIRES: onnx
# RUN: %python %s %t

import collections
import concurrent.futures
import os
import random
import shutil
import sys

import numpy as np
from onnx import AttributeProto, TensorProto, helper, numpy_helper
from onnx_files import info, model

import onnx_damage
import onnx_files
import onnx_forms
import onnx_random
import tools

OUT = sys.argv[1]
MUTATIONS = int(os.environ.get("PRUNE_MUTATIONS", "1000"))


def refuse(name, content, *expected):
    onnx_files.refuse(f"{OUT}/{name}.onnx", content, *expected)


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
    return model([helper.make_node("Add", ["x", "w"], ["y"])], [tensor])


def raw(dims, data, kind=TensorProto.FLOAT):
    tensor = TensorProto()
    tensor.name = "w"
    tensor.data_type = kind
    tensor.dims.extend(dims)
    tensor.raw_data = data
    return model([helper.make_node("Add", ["x", "w"], ["y"])], [tensor])


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
                info("i", [], TensorProto.INT64),
                info("i_cond", [], TensorProto.BOOL),
                info("v", None),
            ],
            [info("o_cond", [], TensorProto.BOOL), info("o", None)],
        )
    return model(
        [helper.make_node("Loop", ["m", "", "x"], ["y"], body=body)],
        inputs=[info("x", [2]), info("m", [], TensorProto.INT64)],
    )


def special_files():
    """The model itself is no file: refused, and not waited for."""
    for path in (f"{OUT}/pipe", "/dev/zero", OUT):
        target = f"{OUT}/no.mlirbc"
        result = tools.run("prune-translate", "--import-onnx", path, "-o", target)
        assert result.returncode == 1, result
        assert "is not a regular file" in result.stderr, result.stderr
        assert not os.path.exists(target)


def huge_sizes():
    """Sizes of billions, which are nobody's to write down one by one."""
    size = numpy_helper.from_array(np.array([2**31 + 5]), "n")
    node = helper.make_node("ConstantOfShape", ["n"], ["y"])
    path = f"{OUT}/billions.onnx"
    onnx_files.save(path, model([node], [size]))
    code, message, _ = onnx_files.convert(path)
    assert code == 0, message


def named_attacks():
    huge_sizes()
    valid = model([relu()]).SerializeToString()
    refuse("empty", b"", "is not a valid ONNX model")
    refuse("text", b"module {}", "is not a valid ONNX model")
    for op, operands in [("Constant", []), ("ConstantOfShape", ["n"])]:
        # The attribute says that it is a tensor, and has a text.
        node = helper.make_node(op, operands, ["y"], name="hollow")
        attribute = node.attribute.add(name="value", s=b"\x08\x01")
        attribute.type = AttributeProto.TENSOR
        size = numpy_helper.from_array(np.array([2]), "n")
        content = model([node], [size])
        refuse(f"hollow {op}", content, "'hollow'", "'value' has no tensor")
    node = helper.make_node("Reshape", ["x", "n"], ["y"])
    shape = numpy_helper.from_array(np.array([2**56, 2**62, 2**60]), "n")
    refuse("huge shape", model([node], [shape]), "a tensor has at most")
    # The first direction cannot be imported; nothing is left for the second.
    node = helper.make_node(
        "RNN", ["x", "w", "r", "b", "n"], ["y"], hidden_size=4, direction="bidirectional"
    )
    sizes = {"w": [2, 4, 1], "r": [2, 4, 4], "b": [2, 8]}
    weights = [numpy_helper.from_array(np.zeros(s, np.float32), k) for k, s in sizes.items()]
    inputs = [info("x", [1, None, 1]), info("n", [3], TensorProto.INT32)]
    refuse("undecided", model([node], weights, inputs), "fix the sizes with --dim")
    refuse("truncated", valid[: len(valid) // 2], "is not a valid ONNX model")
    refuse("bombs", b"\x3a\x7f" * 2000, "is not a valid ONNX model")
    refuse("outside", external("../secret"), "leaves the model's directory")
    refuse("hidden", external("a/../../secret"), "leaves the model's directory")
    refuse("absolute", external("/etc/passwd"), "is an absolute path")
    refuse("device", external("."), "is not a regular file")
    refuse("link", external("link.bin"), "link that leaves the model's directory")
    refuse("device link", external("zero"), "link that leaves")
    refuse("pipe", external("pipe"), "is not a regular file")
    refuse("folder", external("folder"), "is not a regular file")
    refuse("circle", external("loop"), "cannot be read")
    refuse("missing file", external("missing"), "cannot be read")
    refuse("nul", external("a\0b"), "has no usable name")
    refuse("unnamed", external(""), "has no usable name")
    refuse("short", external("short.bin"), "of a file of 8 bytes")
    refuse("offset", external("short.bin", offset=2**63), "but the tensor needs")
    refuse("number", external("short.bin", offset="many"), "is not a number")
    refuse("size", raw([4], b"1234"), "holds 4 bytes")
    refuse("absurd", raw([2**62, 2**62], b""), "has absurd sizes")
    refuse("negative", raw([-1], b""), "has absurd sizes")
    refuse("type", raw([1], b"a", TensorProto.STRING), "element type string")
    refuse("nested", nested_loops(24), "error: ")
    wide = [helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2**19] * 2)]
    image = [info("x", [1, 1, 2**20, 2**20])]
    refuse("window", model(wide, inputs=image), "more than 1024 elements")
    many = [info("x", [1] * 5000)]
    refuse("rank", model([relu()], inputs=many), "at most 64 dimensions")
    refuse("stored rank", raw([1] * 5000, b"1234"), "at most 64 dimensions")
    grow = numpy_helper.from_array(np.ones(100, np.int64), "s")
    reshape = helper.make_node("Reshape", ["x", "s"], ["y"])
    one = [info("x", [1])]
    refuse("grown rank", model([reshape], [grow], one), "at most 64 dimensions")

    newer = model([relu()], opset=27)
    refuse("newer", newer, "imports opset 27, but the newest that is known is 26")
    huge = numpy_helper.from_array(np.array([2**40, 2**40]), "s")
    make = helper.make_node("ConstantOfShape", ["s"], ["y"])
    refuse("huge", model([make], [huge]), "at most")
    loop = [helper.make_node("Add", ["y", "x"], ["y"], name="a")]
    refuse("cycle", model(loop), "which nothing before it defines")
    twice = [relu(), relu()]
    refuse("twice", model(twice), "which is defined already")
    refuse("missing", model([]), "nothing defines the graph's output 'y'")
    odd = relu()
    odd.attribute.append(helper.make_attribute("speed", 3))
    refuse("attribute", model([odd]), "attribute 'speed' is not supported")
    refuse(
        "several",
        model(
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
    return model(
        nodes,
        [weight("w", 2, 1, 3, 3), weight("b", 2), weight("g", 3, 18)] + numbers,
        inputs=[info("x", ["N", 1, 4, 4])],
        outputs=[info("y", ["N", 3])],
    )


def plant():
    """What the paths of damaged models find: links, devices, a pipe."""
    with open(f"{OUT}/../secret.bin", "wb") as file:
        file.write(bytes(4096))
    with open(f"{OUT}/weights.bin", "wb") as file:
        file.write(bytes(4096))
    with open(f"{OUT}/short.bin", "wb") as file:
        file.write(bytes(8))
    os.symlink("../secret.bin", f"{OUT}/link.bin")
    os.symlink("loop", f"{OUT}/loop")
    os.symlink("/dev/zero", f"{OUT}/zero")
    os.mkfifo(f"{OUT}/pipe")
    os.mkdir(f"{OUT}/folder")


def seeds():
    """Models to damage: one that reads sizes, those in rare forms, and random ones."""
    yield seed_model()
    for build in onnx_forms.FORMS:
        yield build()
    table = [(name, 7, 17) for name in onnx_random.RULES]
    for seed in range(24):
        yield onnx_random.graph(seed, table)[0]


def mutations():
    onnx_files.accept(f"{OUT}/seed.onnx", seed_model())
    rng = random.Random(1)
    models = list(seeds())
    operators = sorted(onnx_random.RULES)
    jobs = []
    for number in range(MUTATIONS):
        # The first model has what the others may lack.
        seed = models[0] if number % 2 else rng.choice(models)
        data, kind = onnx_damage.damage(seed, rng, operators)
        jobs.append((f"{OUT}/mutation_{number}.onnx", kind))
        with open(jobs[-1][0], "wb") as file:
            file.write(data)
    outcomes = collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(onnx_files.convert, [path for path, _ in jobs])
        for (path, kind), (code, _, target) in zip(jobs, results):
            outcomes[kind]["refused" if code else "imported"] += 1
            os.remove(path)
            if not code:
                os.remove(target)
    for kind, counts in sorted(outcomes.items()):
        print(f"{kind:12} {dict(counts)}")
    refused = sum(counts["refused"] for counts in outcomes.values())
    assert refused > MUTATIONS // 3, "much of the damage is found"
    if MUTATIONS >= 500:
        unused = set(onnx_damage.KINDS) - set(outcomes)
        assert not unused, f"no model is damaged by {unused}"


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(OUT)
plant()
special_files()
named_attacks()
mutations()
