"""Draws networks for the export: what channels can leave through, and what they cannot.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    model, inputs = draw(seed)

makes the same ONNX network everywhere: convolutions, plain, grouped and transposed,
normalisations of every kind, some with parameters that several of them share,
weights in Constant nodes, padded pooling, resizing, pixel shuffles, residual sums,
concatenations, splits, channel permutations, contractions by Einsum, gates, filters
that two levels share, branches of a known If, and a head of recurrent and dense layers.
Every sixth is in f16.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxnets import Net

WIDTHS = [4, 6, 8, 12]


class Drawing(Net):
    """A network whose tensors are initialisers, Constant nodes or shared."""

    def __init__(self, seed):
        super().__init__(seed)
        self.shared = {}
        self.opset = int(self.pick([13, 17, 18, 21]))
        self.shares = self.chance(0.4)

    def pick(self, items):
        return items[self.random.integers(len(items))]

    def chance(self, part):
        return self.random.random() < part

    def tensor(self, values):
        """An initialiser, or sometimes a Constant node."""
        values = np.asarray(values)
        name = f"w{len(self.tensors)}"
        if values.ndim and self.chance(0.2):
            name = f"c{len(self.nodes)}"
            value = numpy_helper.from_array(values, name)
            self.nodes.append(helper.make_node("Constant", [], [name], name, value=value))
            return name
        self.tensors.append(numpy_helper.from_array(values, name))
        return name

    def weight(self, *shape):
        fan = max(1, int(np.prod(shape[1:])))
        scale = 1 / np.sqrt(fan) if len(shape) > 1 else 0.5
        return self.tensor(self.random.normal(0, scale, shape).astype(np.float32))

    def ones(self, *shape):
        """Scales: some of their own, some that all normalisations share."""
        return self.parameter(np.ones(shape, np.float32), 0.5, 1.5)

    def zeros(self, *shape):
        return self.parameter(np.zeros(shape, np.float32), -0.5, 0.5)

    def parameter(self, common, low, high):
        if not self.shares:
            return self.tensor(self.random.uniform(low, high, common.shape).astype(np.float32))
        key = (common.shape, float(common.flat[0]))
        if key not in self.shared:
            name = f"s{len(self.tensors)}"
            self.tensors.append(numpy_helper.from_array(common, name))
            self.shared[key] = name
        return self.shared[key]

    def number(self, value):
        name = f"n{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.float32(value), name))
        return name

    # Each layer maps (name, channels, size) to the same.

    def convolve(self, x, c, size):
        out = int(self.pick(WIDTHS))
        kernel = int(self.pick([1, 3]))
        stride = int(self.pick([1, 1, 2])) if size > 4 else 1
        group = int(self.pick([1, 1, 1, 2, c]))
        if group == c:
            out = c * int(self.pick([1, 2]))
        elif c % group or out % group:
            group = 1
        y = self.conv(x, c, out, kernel, group, self.chance(0.6), strides=[stride] * 2)
        return y, out, (size + 2 * (kernel // 2) - kernel) // stride + 1

    def transposed(self, x, c, size):
        out = int(self.pick(WIDTHS))
        operands = [x, self.weight(c, out, 2, 2)]
        if self.chance(0.5):
            operands.append(self.weight(out))
        return self.op("ConvTranspose", *operands, strides=[2, 2]), out, 2 * size

    def normalize(self, x, c, size):
        kinds = ["batch"] * 4 + ["instance", "grouped form", "rms", "layer"]
        kinds += ["group"] if self.opset >= 18 else []
        kind = self.pick(kinds)
        groups = int(self.pick([g for g in (1, 2, 4, c) if c % g == 0]))
        if kind == "batch":
            y = self.op("BatchNormalization", x, self.ones(c), self.zeros(c), self.zeros(c),
                        self.ones(c))
        elif kind == "instance":
            y = self.op("InstanceNormalization", x, self.ones(c), self.zeros(c))
        elif kind == "group":
            count = groups if self.opset < 21 else c
            y = self.op("GroupNormalization", x, self.ones(count), self.zeros(count),
                        num_groups=groups)
        elif kind == "grouped form":
            y = self.op("Reshape", x, self.ints(0, groups, -1))
            y = self.op("InstanceNormalization", y, self.ones(groups), self.zeros(groups))
            y = self.op("Reshape", y, self.ints(0, c, size, size))
            y = self.op("Add", self.op("Mul", y, self.ones(c, 1, 1)), self.zeros(c, 1, 1))
        elif kind == "rms":
            axes = {"axes": [1]} if self.opset < 18 else {}
            operands = [] if self.opset < 18 else [self.ints(1)]
            mean = self.op("ReduceMean", self.op("Mul", x, x), *operands, keepdims=1, **axes)
            root = self.op("Sqrt", self.op("Add", mean, self.number(1e-3)))
            y = self.op("Mul", self.op("Div", x, root), self.ones(c, 1, 1))
        else:
            y = self.op("Transpose", x, perm=[0, 2, 3, 1])
            if self.opset >= 17:
                y = self.op("LayerNormalization", y, self.ones(c), self.zeros(c), axis=-1)
            else:
                y = self.op("Softmax", y, axis=-1)
            y = self.op("Transpose", y, perm=[0, 3, 1, 2])
        return y, c, size

    def activate(self, x, c, size):
        kind = self.pick(["Relu"] * 3 + ["Sigmoid", "LeakyRelu", "HardSigmoid", "Tanh", "PRelu"])
        operands = [self.ones(c, 1, 1)] if kind == "PRelu" else []
        return self.op(kind, x, *operands), c, size

    def pool(self, x, c, size):
        if size < 4:
            return x, c, size
        kind = self.pick(["MaxPool", "MaxPool", "AveragePool"])
        y = self.op(kind, x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        return y, c, (size - 1) // 2 + 1

    def resize(self, x, c, size):
        if self.chance(0.5):
            scales = self.tensor(np.array([1, 1, 2, 2], np.float32))
            operands = [x, "", scales]
        else:
            operands = [x, "", "", self.ints(2, c, 2 * size, 2 * size)]
        y = self.op("Resize", *operands, mode=self.pick(["nearest", "linear"]),
                    coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return y, c, 2 * size

    def shuffle_pixels(self, x, c, size):
        if self.chance(0.5) or size % 2:
            x = self.op("Relu", self.conv(x, c, 4 * c, 1))
            return self.op("DepthToSpace", x, blocksize=2, mode=self.pick(["DCR", "CRD"])), c, 2 * size
        return self.op("SpaceToDepth", x, blocksize=2), 4 * c, size // 2

    def residual(self, x, c, size):
        y = self.op("Relu", self.conv(x, c, int(self.pick(WIDTHS)) , 3))
        width = next(t.dims[0] for t in self.all_tensors() if t.name == self.nodes[-2].input[1])
        y = self.conv(y, width, c, 3, bias=self.chance(0.5))
        y = self.normalize(y, c, size)[0] if self.chance(0.5) else y
        return self.op("Add", y, x), c, size

    def all_tensors(self):
        yield from self.tensors
        for node in self.nodes:
            if node.op_type == "Constant":
                yield node.attribute[0].t

    def join(self, x, c, size):
        a, b = int(self.pick(WIDTHS)), int(self.pick(WIDTHS))
        parts = [self.op("Relu", self.conv(x, c, n, 1)) for n in (a, b)]
        return self.op("Concat", *parts, axis=1), a + b, size

    def split(self, x, c, size):
        at = c // 2
        operands = [x, self.ints(at, c - at)]
        low, high = self.op("Split", *operands, outputs=2, axis=1)
        low = self.op("Relu", self.conv(low, at, at, 3))
        return self.op("Concat", high, low, axis=1), c, size

    def permute(self, x, c, size):
        if c % 2 or self.chance(0.5):
            order = self.ints(*self.random.permutation(c).tolist())
            return self.op("Gather", x, order, axis=1), c, size
        y = self.op("Reshape", x, self.ints(2, 2, c // 2, size, size))
        y = self.op("Transpose", y, perm=[0, 2, 1, 3, 4])
        return self.op("Reshape", y, self.ints(2, c, size, size)), c, size

    def contract(self, x, c, size):
        out = int(self.pick(WIDTHS))
        if self.chance(0.5):
            return self.op("Einsum", x, self.weight(out, c), equation="nchw,oc->nohw"), out, size
        return self.op("Einsum", self.weight(c, out), x, equation="co, nchw -> nohw"), out, size

    def gate(self, x, c, size):
        y = self.op("Relu", self.conv(self.op("GlobalAveragePool", x), c, 4, 1))
        return self.op("Mul", x, self.op("Sigmoid", self.conv(y, 4, c, 1))), c, size

    def scale(self, x, c, size):
        y = self.op("Mul", x, self.ones(c, 1, 1))
        y = self.op("Add", y, self.zeros(1, c, 1, 1)) if self.chance(0.7) else y
        return self.op("Mul", y, self.number(0.5)) if self.chance(0.3) else y, c, size

    def levels(self, x, c, size):
        """One convolution on two levels."""
        if size < 4 or size % 2:
            return x, c, size
        out = int(self.pick(WIDTHS))
        filters = self.weight(out, c, 1, 1)
        low = self.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        high, low = (self.op("Conv", level, filters) for level in (x, low))
        scales = self.tensor(np.array([1, 1, 2, 2], np.float32))
        low = self.op("Resize", low, "", scales, mode="nearest",
                      coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return self.op("Add", high, low), out, size

    def branch(self, x, c, size):
        """One branch of an If stays; sometimes its weights are in the branch."""
        condition = f"n{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.array(self.chance(0.5)), condition))
        branches = []
        for kind in ("then", "else"):
            # Both branches give their values the same names.
            name = f"inner{len(self.nodes)}"
            scale = self.random.uniform(0.5, 1.5, (c, 1, 1)).astype(np.float32)
            scale = numpy_helper.from_array(scale, f"scale_{kind}{len(self.nodes)}")
            nodes = [
                helper.make_node("Mul", [x, scale.name], [f"{name}_scaled"], f"Mul_{name}"),
                helper.make_node("Relu", [f"{name}_scaled"], [name], f"Relu_{name}"),
            ]
            info = helper.make_tensor_value_info(name, 1, None)
            branches.append(helper.make_graph(nodes, kind, [], [info], [scale]))
        return self.op("If", condition, then_branch=branches[0], else_branch=branches[1]), c, size

    def recurrent(self, x, c, size):
        """Positions become steps; the last states of all directions are the result."""
        kind = self.pick(["LSTM", "GRU", "RNN"])
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
        hidden, directions = int(self.pick(WIDTHS)), int(self.pick([1, 2]))
        attributes = {"direction": "bidirectional"} if directions == 2 else {}
        y = self.op("Reshape", x, self.ints(2, c, size * size))
        y = self.op("Transpose", y, perm=[2, 0, 1])
        operands = [self.weight(directions, gates * hidden, n) for n in (c, hidden)]
        if self.chance(0.7):
            operands.append(self.weight(directions, 2 * gates * hidden))
        name = self.op(kind, y, *operands, outputs=2, hidden_size=hidden, **attributes)[1]
        if directions == 1:
            return self.op("Reshape", name, self.ints(2, hidden)), hidden
        y = self.op("Transpose", name, perm=[1, 0, 2])
        return self.op("Reshape", y, self.ints(2, 2 * hidden)), 2 * hidden

    def dense(self, x, c):
        out = int(self.pick(WIDTHS))
        if self.chance(0.5):
            attributes = {"transB": 1} if self.chance(0.5) else {}
            shape = (out, c) if attributes else (c, out)
            y = self.op("Gemm", x, self.weight(*shape), self.weight(out), **attributes)
        else:
            y = self.op("MatMul", x, self.weight(c, out))
            y = self.op("Add", y, self.zeros(out)) if self.chance(0.7) else y
        if self.chance(0.3):
            y = self.op("BatchNormalization", y, self.ones(out), self.zeros(out),
                        self.zeros(out), self.ones(out))
        return self.op("Relu", y), out

    def draw(self):
        x, c, size = self.convolve("x", 3, 8)
        layers = [self.convolve] * 3 + [self.normalize] * 4 + [self.activate] * 4
        layers += [self.transposed, self.pool, self.resize, self.shuffle_pixels, self.residual]
        layers += [self.join, self.split, self.permute, self.contract, self.gate, self.scale]
        layers += [self.levels, self.branch]
        for _ in range(int(self.random.integers(3, 10))):
            x, c, size = self.pick(layers)(x, c, size)
            if size > 16 or (c > 48 and size > 1):
                x = self.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
                x, c, size = self.op("Relu", self.conv(x, c, 8, 1)), 8, size // 2
        if self.chance(0.2):
            x, width = self.recurrent(x, c, size)
        else:
            x = self.op("Flatten", self.op("GlobalAveragePool", x) if self.chance(0.7) else x)
            width = c if self.nodes[-2].op_type == "GlobalAveragePool" else c * size * size
        for _ in range(int(self.random.integers(0, 3))):
            x, width = self.dense(x, width)
        return self.gemm(x, width, 5)


def graphs(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs(attribute.g)


def make_half(model):
    """Makes all numbers f16, save factors of Resize, which are f32 always."""
    half = onnx.TensorProto.FLOAT16
    factors = {n.input[2] for n in model.graph.node if n.op_type == "Resize" and len(n.input) > 2}
    for graph in graphs(model.graph):
        tensors = list(graph.initializer)
        tensors += [n.attribute[0].t for n in graph.node if n.op_type == "Constant"]
        for tensor in tensors:
            if tensor.data_type == onnx.TensorProto.FLOAT and tensor.name not in factors:
                values = numpy_helper.to_array(tensor).astype(np.float16)
                tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        for info in (*graph.input, *graph.output):
            info.type.tensor_type.elem_type = half


def draw(seed):
    net = Drawing(seed)
    model = net.model(net.draw(), [2, 3, 8, 8], net.opset, 10 if net.opset > 19 else 8)
    x = np.random.default_rng(seed).normal(size=(2, 3, 8, 8)).astype(np.float32)
    if seed % 6 == 5:
        make_half(model)
        x = x.astype(np.float16)
    return model, x
