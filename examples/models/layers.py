"""Layers with gradients by hand, and how each is written as ONNX.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A layer holds `parameters` and, after `backward`, `gradients` of the same names.
`forward` keeps what `backward` needs. `write` adds the layer's nodes to a graph
and returns the name of their result; parameters are called as in PyTorch.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from scipy.special import erf


class Graph:
    """Collects the nodes and weights of an ONNX model."""

    def __init__(self):
        self.nodes, self.weights = [], {}

    def weight(self, name, values):
        self.weights[name] = np.asarray(values)
        return name

    def add(self, operator, *inputs, name=None, **attributes):
        name = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def model(self, shape):
        """From `x`, of this shape and any batch, to `logits`."""
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "digits",
            [info("x", TensorProto.FLOAT, ["N", *shape])],
            [info("logits", TensorProto.FLOAT, ["N", 10])],
            [numpy_helper.from_array(values, name) for name, values in self.weights.items()],
        )
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8, producer_name="prune")


class Layer:
    def __init__(self, name="", **parameters):
        self.name = name
        self.parameters = {key: values.astype(np.float32) for key, values in parameters.items()}
        self.gradients = {}

    def layers(self):
        """This one and those inside of it."""
        return [self]

    def stored(self, graph, key):
        return graph.weight(f"{self.name}.{key}", self.parameters[key])


def normal(rng, fan_in, *shape):
    return rng.normal(0, np.sqrt(2 / fan_in), shape)


class Sequence(Layer):
    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def layers(self):
        return [layer for part in self.parts for layer in part.layers()]

    def forward(self, x, is_training):
        for part in self.parts:
            x = part.forward(x, is_training)
        return x

    def backward(self, g):
        for part in reversed(self.parts):
            g = part.backward(g)
        return g

    def write(self, graph, x):
        for part in self.parts:
            x = part.write(graph, x)
        return x


class Residual(Sequence):
    """The parts' result is added to what goes in."""

    def forward(self, x, is_training):
        return x + super().forward(x, is_training)

    def backward(self, g):
        return g + super().backward(g)

    def write(self, graph, x):
        return graph.add("Add", super().write(graph, x), x)


class Relu(Layer):
    def forward(self, x, is_training):
        self.mask = x > 0
        return x * self.mask

    def backward(self, g):
        return g * self.mask

    def write(self, graph, x):
        return graph.add("Relu", x)


class Gelu(Layer):
    """x times the normal distribution's share below x, as Erf: ONNX 17 has no Gelu."""

    def forward(self, x, is_training):
        self.x, self.share = x, (1 + erf(x / np.float32(np.sqrt(2)))) / 2
        return x * self.share

    def backward(self, g):
        density = np.exp(-self.x * self.x / 2) / np.float32(np.sqrt(2 * np.pi))
        return g * (self.share + self.x * density)

    def write(self, graph, x):
        number = lambda name, value: graph.weight(f"gelu.{name}", np.float32(value))
        scaled = graph.add("Div", x, number("sqrt2", np.sqrt(2)))
        share = graph.add("Add", graph.add("Erf", scaled), number("one", 1))
        return graph.add("Mul", graph.add("Mul", x, share), number("half", 0.5))


class Linear(Layer):
    """y = x W^T + b over the last dimension; a Gemm if x is a matrix, else a MatMul."""

    def __init__(self, rng, name, inputs, outputs, is_matrix=True):
        weight = normal(rng, inputs, outputs, inputs)
        super().__init__(name, weight=weight, bias=np.zeros(outputs))
        self.is_matrix = is_matrix

    def forward(self, x, is_training):
        self.x = x
        return x @ self.parameters["weight"].T + self.parameters["bias"]

    def backward(self, g):
        rows = g.reshape(-1, g.shape[-1])
        self.gradients = {"weight": rows.T @ self.x.reshape(len(rows), -1), "bias": rows.sum(0)}
        return g @ self.parameters["weight"]

    def write(self, graph, x):
        if self.is_matrix:
            weight, bias = self.stored(graph, "weight"), self.stored(graph, "bias")
            return graph.add("Gemm", x, weight, bias, transB=1)
        weight = graph.weight(f"{self.name}.weight", self.parameters["weight"].T.copy())
        return graph.add("Add", graph.add("MatMul", x, weight), self.stored(graph, "bias"))


class Conv(Layer):
    """Without bias: 3x3 with a border of zeros, or 1x1; dense, or each channel alone."""

    def __init__(self, rng, name, inputs, outputs, size, stride=1, is_depthwise=False):
        per_output = 1 if is_depthwise else inputs
        weight = normal(rng, per_output * size * size, outputs, per_output, size, size)
        super().__init__(name, weight=weight)
        self.size, self.stride, self.is_depthwise = size, stride, is_depthwise

    def taps(self, padded):
        """What each element of the window meets, as views."""
        for i in range(self.size):
            for j in range(self.size):
                s, (height, width) = self.stride, self.shape
                yield i, j, padded[:, :, i : i + s * height : s, j : j + s * width : s]

    def forward(self, x, is_training):
        border, weight = self.size // 2, self.parameters["weight"]
        self.padded = np.pad(x, ((0, 0), (0, 0), (border, border), (border, border)))
        self.shape = [-(-n // self.stride) for n in x.shape[2:]]
        y = np.zeros((len(x), len(weight), *self.shape), np.float32)
        for i, j, part in self.taps(self.padded):
            if self.is_depthwise:
                y += part * weight[:, :, i, j, None]
            else:
                y += np.tensordot(weight[:, :, i, j], part, (1, 1)).swapaxes(0, 1)
        return y

    def backward(self, g):
        weight, back = self.parameters["weight"], np.zeros_like(self.padded)
        gradient = self.gradients["weight"] = np.zeros_like(weight)
        for (i, j, part), (*_, into) in zip(self.taps(self.padded), self.taps(back)):
            if self.is_depthwise:
                gradient[:, 0, i, j] = np.einsum("nchw,nchw->c", g, part)
                into += g * weight[:, :, i, j, None]
            else:
                gradient[:, :, i, j] = np.tensordot(g, part, ((0, 2, 3), (0, 2, 3)))
                into += np.tensordot(weight[:, :, i, j], g, (0, 1)).swapaxes(0, 1)
        border = self.size // 2
        return back[:, :, border : back.shape[2] - border, border : back.shape[3] - border]

    def write(self, graph, x):
        weight = self.stored(graph, "weight")
        group = len(self.parameters["weight"]) if self.is_depthwise else 1
        window = {"kernel_shape": [self.size] * 2, "strides": [self.stride] * 2}
        return graph.add("Conv", x, weight, pads=[self.size // 2] * 4, group=group, **window)


class Normalization(Layer):
    """To mean 0 and variance 1 over some dimensions, then a scale and a shift each."""

    epsilon = np.float32(1e-5)

    def __init__(self, name, features):
        super().__init__(name, weight=np.ones(features), bias=np.zeros(features))

    def scale(self, x, mean, variance):
        self.factor = 1 / np.sqrt(variance + self.epsilon)
        self.normal = (x - mean) * self.factor
        return self.normal * self.along(self.parameters["weight"]) + self.along(self.parameters["bias"])

    def backward(self, g):
        self.gradients = {"weight": (g * self.normal).sum(self.others), "bias": g.sum(self.others)}
        g = g * self.along(self.parameters["weight"])
        mean = lambda a: a.mean(self.over, keepdims=True)
        return self.factor * (g - mean(g) - self.normal * mean(g * self.normal))


class BatchNorm(Normalization):
    """Over images and pixels; what is written uses averages of the training."""

    over = others = (0, 2, 3)

    def __init__(self, name, features):
        super().__init__(name, features)
        self.average = np.zeros((1, features, 1, 1), np.float32), np.ones((1, features, 1, 1), np.float32)

    def along(self, values):
        return values[:, None, None]

    def forward(self, x, is_training):
        if not is_training:
            return self.scale(x, *self.average)
        now = x.mean(self.over, keepdims=True), x.var(self.over, keepdims=True)
        self.average = [np.float32(0.9) * old + np.float32(0.1) * new for old, new in zip(self.average, now)]
        return self.scale(x, *now)

    def write(self, graph, x):
        names = [self.stored(graph, "weight"), self.stored(graph, "bias")]
        for key, values in zip(("running_mean", "running_var"), self.average):
            names.append(graph.weight(f"{self.name}.{key}", values.reshape(-1)))
        return graph.add("BatchNormalization", x, *names, epsilon=float(self.epsilon))


class LayerNorm(Normalization):
    """Over the features of a token."""

    over, others = -1, (0, 1)

    def along(self, values):
        return values

    def forward(self, x, is_training):
        return self.scale(x, x.mean(-1, keepdims=True), x.var(-1, keepdims=True))

    def write(self, graph, x):
        names = self.stored(graph, "weight"), self.stored(graph, "bias")
        return graph.add("LayerNormalization", x, *names, axis=-1, epsilon=float(self.epsilon))


class Positions(Layer):
    """Adds a learned vector to each token."""

    def __init__(self, rng, name, tokens, features):
        super().__init__(name, weight=rng.normal(0, 0.1, (tokens, features)))

    def forward(self, x, is_training):
        return x + self.parameters["weight"]

    def backward(self, g):
        self.gradients = {"weight": g.sum(0)}
        return g

    def write(self, graph, x):
        return graph.add("Add", x, self.stored(graph, "weight"))


class Attention(Layer):
    """Every token reads all, with several heads."""

    def __init__(self, rng, name, tokens, features, heads):
        super().__init__(name)
        self.shape = (tokens, heads, features // heads)
        part = lambda key: Linear(rng, f"{name}.{key}", features, features, is_matrix=False)
        self.query, self.key, self.value, self.out = map(part, ("query", "key", "value", "out"))
        self.temperature = np.float32(1 / np.sqrt(features // heads))

    def layers(self):
        return [self.query, self.key, self.value, self.out]

    def split(self, x):
        return x.reshape(len(x), *self.shape).swapaxes(1, 2)

    def join(self, x):
        return x.swapaxes(1, 2).reshape(len(x), self.shape[0], -1)

    def forward(self, x, is_training):
        parts = (self.query, self.key, self.value)
        self.q, self.k, self.v = (self.split(part.forward(x, is_training)) for part in parts)
        scores = self.q @ self.k.swapaxes(2, 3) * self.temperature
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        self.shares = scores / scores.sum(-1, keepdims=True)
        return self.out.forward(self.join(self.shares @ self.v), is_training)

    def backward(self, g):
        g = self.split(self.out.backward(g))
        shares = g @ self.v.swapaxes(2, 3)
        scores = self.shares * (shares - (shares * self.shares).sum(-1, keepdims=True)) * self.temperature
        gradients = scores @ self.k, scores.swapaxes(2, 3) @ self.q, self.shares.swapaxes(2, 3) @ g
        parts = (self.query, self.key, self.value)
        return sum(part.backward(self.join(gradient)) for part, gradient in zip(parts, gradients))

    def write(self, graph, x):
        heads = graph.weight("heads", np.array([0, *self.shape]))
        order = {"query": [0, 2, 1, 3], "key": [0, 2, 3, 1], "value": [0, 2, 1, 3]}
        q, k, v = (
            graph.add("Transpose", graph.add("Reshape", getattr(self, key).write(graph, x), heads), perm=perm)
            for key, perm in order.items()
        )
        scores = graph.add("Mul", graph.add("MatMul", q, k), graph.weight("temperature", self.temperature))
        y = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), v)
        tokens = graph.weight("tokens", np.array([0, self.shape[0], self.shape[1] * self.shape[2]]))
        return self.out.write(graph, graph.add("Reshape", graph.add("Transpose", y, perm=[0, 2, 1, 3]), tokens))


class Mean(Layer):
    """Over the pixels of each channel, or over the tokens."""

    def forward(self, x, is_training):
        self.shape = x.shape
        return x.mean((2, 3) if x.ndim == 4 else 1)

    def backward(self, g):
        if len(self.shape) == 4:
            return np.broadcast_to(g[:, :, None, None] / (self.shape[2] * self.shape[3]), self.shape)
        return np.broadcast_to(g[:, None] / self.shape[1], self.shape)

    def write(self, graph, x):
        if len(self.shape) == 4:
            return graph.add("Flatten", graph.add("GlobalAveragePool", x))
        return graph.add("ReduceMean", x, axes=[1], keepdims=0)
