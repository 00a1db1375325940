"""Networks of many nodes, to measure how compilation grows.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each function makes an ONNX model of at least that many nodes, with small tensors: what
is measured is the compiler, not what it compiles.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """A model under construction; every method returns the name of its output."""

    def __init__(self):
        self.random = np.random.default_rng(0)
        self.nodes, self.tensors = [], []

    def constant(self, values):
        self.tensors.append(numpy_helper.from_array(np.asarray(values), f"w{len(self.tensors)}"))
        return self.tensors[-1].name

    def weight(self, *shape):
        return self.constant(self.random.normal(0, 0.3, shape).astype(np.float32))

    def op(self, kind, *inputs, outputs=None, **attributes):
        names = [f"v{len(self.nodes)}_{at}" for at in range(outputs or 1)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names if outputs else names[0]

    def norm(self, x, channels):
        values = [self.weight(channels) for _ in range(3)]
        variance = self.constant(self.random.uniform(0.5, 2, channels).astype(np.float32))
        return self.op("BatchNormalization", x, *values, variance)

    def conv(self, x, channels, filters, side):
        return self.op("Conv", x, self.weight(filters, channels, side, side), pads=[side // 2] * 4)

    def model(self, x, y, y_shape):
        tensor = helper.make_tensor_value_info
        inputs, outputs = tensor("x", TensorProto.FLOAT, x), tensor(y, TensorProto.FLOAT, y_shape)
        graph = helper.make_graph(self.nodes, "net", [inputs], [outputs], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        return model


def residual(nodes):
    """Convolutions, normalisations and sums, all of one shape."""
    g, x = Graph(), "x"
    while len(g.nodes) < nodes:
        y = g.op("Relu", g.norm(g.conv(x, 8, 8, 3), 8))
        x = g.op("Relu", g.op("Add", x, g.norm(g.conv(y, 8, 8, 3), 8)))
    return g.model([1, 8, 8, 8], x, [1, 8, 8, 8])


def dense(nodes):
    """As DenseNet: four blocks in which every layer adds channels to a concatenation,
    so that no two layers have one shape. Normalisations are products and sums."""
    g, x, channels = Graph(), "x", 8

    def norm(x, channels):
        scale, shift = (g.op("Unsqueeze", g.weight(channels), g.constant(np.array([1, 2]))) for _ in range(2))
        return g.op("Relu", g.op("Add", g.op("Mul", g.norm(x, channels), scale), shift))

    for block in range(1, 5):
        while len(g.nodes) < nodes * block / 4:
            y = g.conv(norm(x, channels), channels, 8, 1)
            x = g.op("Concat", x, g.conv(norm(y, 8), 8, 2, 3), axis=1)
            channels += 2
        x = g.conv(norm(x, channels), channels, 8, 1)
        channels = 8
    return g.model([1, 8, 8, 8], x, [1, 8, 8, 8])


def perceptron(nodes):
    g, x = Graph(), "x"
    while len(g.nodes) < nodes:
        x = g.op("Add", x, g.op("Relu", g.op("Gemm", x, g.weight(16, 16), g.weight(16), transB=1)))
    return g.model([4, 16], x, [4, 16])


def attention(nodes):
    """Transformer blocks of width 16 and two heads."""
    g, x = Graph(), "x"
    heads, joined = g.constant(np.array([1, 6, 2, 8])), g.constant(np.array([1, 6, 16]))

    def normalized(x):
        centred = g.op("Sub", x, g.op("ReduceMean", x, axes=[-1]))
        variance = g.op("ReduceMean", g.op("Mul", centred, centred), axes=[-1])
        root = g.op("Sqrt", g.op("Add", variance, g.constant(np.float32(1e-5))))
        return g.op("Add", g.op("Mul", g.op("Div", centred, root), g.weight(16)), g.weight(16))

    while len(g.nodes) < nodes:
        y = normalized(x)
        sums = [g.op("Add", g.op("MatMul", y, g.weight(16, 16)), g.weight(16)) for _ in "qkv"]
        q, k, v = (g.op("Reshape", t, heads) for t in sums)
        q, v = (g.op("Transpose", t, perm=[0, 2, 1, 3]) for t in (q, v))
        scores = g.op("Softmax", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 2, 3, 1])), axis=-1)
        y = g.op("Reshape", g.op("Transpose", g.op("MatMul", scores, v), perm=[0, 2, 1, 3]), joined)
        x = g.op("Add", x, g.op("MatMul", y, g.weight(16, 16)))
        y = g.op("MatMul", normalized(x), g.weight(16, 32))
        x = g.op("Add", x, g.op("MatMul", g.op("Mul", y, g.op("Sigmoid", y)), g.weight(32, 16)))
    return g.model([1, 6, 16], x, [1, 6, 16])


def unrolled(steps):
    """A recurrent network whose steps are split off and put together."""
    g, outputs = Graph(), []
    w, u, h = g.weight(8, 8), g.weight(4, 8), g.constant(np.zeros((1, 8), np.float32))
    for x in g.op("Split", "x", axis=0, outputs=steps):
        h = g.op("Tanh", g.op("Add", g.op("MatMul", x, u), g.op("MatMul", h, w)))
        outputs.append(h)
    return g.model([steps, 4], g.op("Concat", *outputs, axis=0), [steps, 8])


NETWORKS = {f.__name__: f for f in (residual, dense, perceptron, attention, unrolled)}
