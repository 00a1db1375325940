"""Damages ONNX models: bytes of the file, or what the file says.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import onnx
from onnx import AttributeProto, TensorProto, helper

EXTREMES = (0, 1, -1, 2, 7, 1000, 2**31 - 1, -(2**31), 2**40, 2**62, 2**63 - 1, -(2**63))
PATHS = (
    "../secret.bin",
    "a/../../secret.bin",
    "/etc/passwd",
    "/dev/zero",
    "/proc/self/mem",
    "link.bin",
    "pipe",
    "folder",
    "loop",
    "missing",
    "short.bin",
    "weights.bin",
    "",
    ".",
    "./",
    "a\0b",
    "x" * 5000,
)


def damage(model, rng, operators):
    """The bytes of a damaged copy, and the kind of damage."""
    kind = rng.choice(KINDS)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if kind in BYTES:
        return BYTES[kind](bytearray(copy.SerializeToString()), rng), kind
    for _ in range(rng.choice([1, 1, 2, 4])):
        MEANING[kind](copy, rng, operators)
    return copy.SerializeToString(), kind


# ---- Bytes ------------------------------------------------------------------


def truncate(data, rng):
    return data[: rng.randrange(len(data))]


def change(data, rng, how):
    for _ in range(rng.choice([1, 1, 2, 8])):
        how(data, rng.randrange(len(data)))
    return data


def flip(data, rng):
    def one(data, at):
        data[at] ^= 1 << rng.randrange(8)

    return change(data, rng, one)


def overwrite(data, rng):
    def one(data, at):
        data[at] = rng.choice([0, 0x7F, 0x80, 0xFF])

    return change(data, rng, one)


def insert(data, rng):
    """A varint of the greatest length."""

    def one(data, at):
        data[at:at] = bytes([0xFF] * 9 + [0x01])

    return change(data, rng, one)


# ---- Meaning ----------------------------------------------------------------


def attributes(model):
    return [a for node in model.graph.node for a in node.attribute]


def sizes(model, rng, operators):
    """A size of an input or of a stored tensor."""
    dims = [
        (lambda value, d=d: setattr(d, "dim_value", value))
        for info in model.graph.input
        for d in info.type.tensor_type.shape.dim
    ]
    for tensor in model.graph.initializer:
        for at in range(len(tensor.dims)):
            dims.append(lambda value, t=tensor, at=at: t.dims.__setitem__(at, value))
    if dims:
        rng.choice(dims)(rng.choice(EXTREMES))


def ranks(model, rng, operators):
    """More dims than anything has."""
    infos = list(model.graph.input)
    if infos:
        shape = rng.choice(infos).type.tensor_type.shape
        for at in range(rng.choice([3, 70, 5000])):
            dim = shape.dim.add()
            if rng.random() < 0.5:
                dim.dim_value = 1
            else:
                dim.dim_param = f"d{at}"


def numbers(model, rng, operators):
    """A number of an attribute."""
    found = attributes(model)
    if not found:
        return
    attribute = rng.choice(found)
    if attribute.type == AttributeProto.INT:
        attribute.i = rng.choice(EXTREMES)
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = rng.choice([0.0, -1.0, 1e38, float("inf"), float("nan")])
    elif attribute.type == AttributeProto.INTS:
        how = rng.randrange(3)
        if how == 0 and attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(EXTREMES)
        elif how == 1:
            del attribute.ints[:]
        else:
            attribute.ints.extend([rng.choice(EXTREMES)] * rng.choice([1, 100, 10000]))
    elif attribute.type == AttributeProto.STRING:
        attribute.s = rng.choice([b"", b"\xff\0", b"SAME_UPPER", b"x" * 10000])


def elements(model, rng, operators):
    """An element of a stored list of integers: sizes, axes, bounds."""
    found = [
        t
        for t in model.graph.initializer
        if t.data_type == TensorProto.INT64 and len(t.raw_data) >= 8
    ]
    if found:
        tensor = rng.choice(found)
        data = bytearray(tensor.raw_data)
        at = 8 * rng.randrange(len(data) // 8)
        data[at : at + 8] = rng.choice(EXTREMES).to_bytes(8, "little", signed=True)
        tensor.raw_data = bytes(data)


def types(model, rng, operators):
    """An element type of an input, a stored tensor or an attribute."""
    places = [i.type.tensor_type for i in model.graph.input]
    value = rng.choice(range(0, 22))
    tensors = list(model.graph.initializer)
    if tensors and rng.random() < 0.5:
        rng.choice(tensors).data_type = value
    elif places:
        rng.choice(places).elem_type = value


def wires(model, rng, operators):
    """What nodes read and write: mixed up, left out, repeated."""
    node = rng.choice(model.graph.node)
    names = [n for other in model.graph.node for n in [*other.input, *other.output]]
    names += [i.name for i in model.graph.input] + ["", "nobody"]
    how = rng.randrange(5)
    if how == 0 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(names)
    elif how == 1 and node.input:
        del node.input[rng.randrange(len(node.input)) :]
    elif how == 2:
        node.input.extend([rng.choice(names)] * rng.choice([1, 3, 1000]))
    elif how == 3:
        node.output.extend(["extra"] * rng.choice([1, 1000]))
    elif node.output:
        node.output[0] = rng.choice(names)


def operators_(model, rng, operators):
    """Another operator on the same operands."""
    rng.choice(model.graph.node).op_type = rng.choice(operators)


def opsets(model, rng, operators):
    model.opset_import[0].version = rng.choice([*range(1, 26), *EXTREMES])


def nesting(model, rng, operators):
    """The graph in branches and loops, again and again."""
    for _ in range(rng.choice([1, 5, 25, 120])):
        inner = onnx.GraphProto()
        inner.CopyFrom(model.graph)
        del inner.input[:]
        outputs = [f"{o.name}_" for o in model.graph.output]
        if rng.random() < 0.5:
            node = helper.make_node(
                "If", ["flag"], outputs, then_branch=inner, else_branch=inner
            )
        else:
            node = helper.make_node("Loop", ["", "flag"], outputs, body=inner)
        del model.graph.node[:]
        model.graph.node.append(node)
        del model.graph.output[:]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
        if model.ByteSize() > 200000:
            break
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    model.graph.input.append(flag)


def paths(model, rng, operators):
    """Stored data elsewhere."""
    if not model.graph.initializer:
        return
    tensor = rng.choice(model.graph.initializer)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": rng.choice(PATHS)}
    if rng.random() < 0.5:
        entries["offset"] = rng.choice([*map(str, EXTREMES), "many"])
    if rng.random() < 0.5:
        entries["length"] = rng.choice([*map(str, EXTREMES), ""])
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)


BYTES = {f.__name__: f for f in (truncate, flip, overwrite, insert)}
MEANING = {
    f.__name__.rstrip("_"): f
    for f in (
        elements,
        nesting,
        numbers,
        operators_,
        opsets,
        paths,
        ranks,
        sizes,
        types,
        wires,
    )
}
KINDS = sorted(BYTES) + sorted(MEANING)
