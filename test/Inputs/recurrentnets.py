"""Random ONNX networks of recurrent layers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

One to three layers of one kind each, in one or two directions, whose hidden units are
read by the next layer or a product: all outputs, or the last ones only. Sizes are open
or known; states start as nothing, zeros of a file, or zeros of a computed shape.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from recurrentnumpy import DEFAULTS, GATES


class Drawing:
    """A model under construction."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.tensors, self.layers = [], [], []
        self.layout = int(self.chance(0.3))
        self.opset = self.pick(14, 17) if self.layout else self.pick(11, 13, 17)
        self.steps, self.batch, self.features = (self.number(2, 6) for _ in range(3))
        self.is_open = self.chance(0.4)
        self.lengths = None

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, *items):
        return items[int(self.rng.integers(len(items)))]

    def number(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def tensor(self, array, hint="w"):
        name = f"{hint}{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, *shape):
        return self.tensor(self.rng.normal(0, 0.7, shape).astype(np.float32))

    def ints(self, *values):
        return self.tensor(np.array(values, np.int64), "sizes")

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{at}" for at in range(outputs)]
        attributes = {k: v for k, v in attributes.items() if v is not None}
        self.nodes.append(helper.make_node(kind, inputs, names, names[0], **attributes))
        return names if outputs > 1 else names[0]

    def unsqueeze(self, x, axis):
        if self.opset < 13:
            return self.op("Unsqueeze", x, axes=[axis])
        return self.op("Unsqueeze", x, self.ints(axis))

    def initial(self, x, directions, hidden):
        """Zeros that a layer starts from."""
        way = self.pick("none", "none", "file", "computed")
        if way == "none" or (way == "file" and self.is_open):
            return ""
        if way == "file":
            order = (self.batch, directions) if self.layout else (directions, self.batch)
            return self.tensor(np.zeros((*order, hidden), np.float32))
        shape = self.op("Shape", x)
        at = self.tensor(np.array(0 if self.layout else 1, np.int64), "at")
        batch = self.unsqueeze(self.op("Gather", shape, at), 0)
        order = [batch, self.ints(directions)] if self.layout else [self.ints(directions), batch]
        return self.op("ConstantOfShape", self.op("Concat", *order, self.ints(hidden), axis=0))

    def layer(self, x, features):
        """Adds a layer; returns its outputs and the number of directions."""
        kind = self.pick("LSTM", "GRU", "RNN")
        direction = self.pick("forward", "reverse", "bidirectional", "bidirectional")
        count, hidden, gates = 1 + (direction == "bidirectional"), self.number(2, 7), GATES[kind]
        operands = [x, self.weight(count, gates * hidden, features)]
        operands.append(self.weight(count, gates * hidden, hidden))
        operands.append(self.weight(count, 2 * gates * hidden) if self.chance(0.8) else "")
        operands.append("lengths" if self.lengths is not None else "")
        operands.append(self.initial(x, count, hidden))
        attributes = {"hidden_size": hidden, "direction": direction}
        if kind == "LSTM":
            operands.append(self.initial(x, count, hidden))
            operands.append(self.weight(count, 3 * hidden) if self.chance(0.4) else "")
            attributes["input_forget"] = 1 if self.chance(0.2) else None
        if kind == "GRU":
            attributes["linear_before_reset"] = self.pick(None, 0, 1)
        if self.chance(0.3):
            # All but the gates are 0 at 0.
            rest = len(DEFAULTS[kind]) - (kind != "RNN")
            names = [self.pick("Tanh", "Relu", "Softsign") for _ in range(rest)]
            attributes["activations"] = (["Sigmoid"] * (kind != "RNN") + names) * count
        if self.chance(0.3):
            attributes["clip"] = 0.9
        attributes["layout"] = self.layout or None
        while not operands[-1]:
            operands.pop()
        outputs = 3 if kind == "LSTM" and self.chance(0.5) else 2
        self.layers.append((kind, direction, hidden))
        return self.op(kind, *operands, outputs=outputs, **attributes), count, hidden

    def join(self, y, count, hidden):
        """[T, D, B, H] as [T, B, D * H]; batches first with a layout."""
        order = [0, 1, 2, 3] if self.layout else [0, 2, 1, 3]
        y = self.op("Transpose", y, perm=order)
        return self.op("Reshape", y, self.ints(0, 0, count * hidden))

    def last(self, state, count, hidden):
        """[D, B, H] as [B, D * H]."""
        order = [0, 1, 2] if self.layout else [1, 0, 2]
        state = self.op("Transpose", state, perm=order)
        return self.op("Reshape", state, self.ints(-1, count * hidden))


def draw(seed):
    """A model, the inputs, the sizes that are open, and a list of its layers."""
    d = Drawing(seed)
    lead = [d.batch, d.steps] if d.layout else [d.steps, d.batch]
    x = d.rng.normal(size=(*lead, d.features)).astype(np.float32)
    inputs = {"x": x}
    if d.chance(0.4):
        d.lengths = d.rng.integers(1, d.steps + 1, d.batch).astype(np.int32)
        d.lengths[d.number(0, d.batch - 1)] = d.steps
        inputs["lengths"] = d.lengths
    sizes = (["N", "T"] if d.layout else ["T", "N"]) if d.is_open else lead
    value, width = "x", d.features
    for _ in range(d.number(0, 2)):
        outputs, count, hidden = d.layer(value, width)
        value, width = d.join(outputs[0], count, hidden), count * hidden
    outputs, count, hidden = d.layer(value, width)
    width = count * hidden
    if d.chance(0.5):
        value, result = d.join(outputs[0], count, hidden), [*sizes, 3]
        if d.chance(0.5):
            value = d.op("Tanh", value)
    else:
        value, result = d.last(outputs[1], count, hidden), [sizes[1 - d.layout], 3]
    value = d.op("MatMul", value, d.weight(width, 3))
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [*sizes, d.features])]
    if d.lengths is not None:
        batch = [sizes[1 - d.layout]]
        infos.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, batch))
    output = helper.make_tensor_value_info(value, TensorProto.FLOAT, result)
    graph = helper.make_graph(d.nodes, "net", infos, [output], d.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", d.opset)])
    model.ir_version = 8
    return model, inputs, d.layers
