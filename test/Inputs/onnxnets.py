"""Small ONNX networks, one for each way in which channels reach numbers in nodes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Net:
    """A model under construction; every method returns the name of its output."""

    def __init__(self, seed=0):
        self.random = np.random.default_rng(seed)
        self.nodes, self.tensors = [], []

    def weight(self, *shape):
        name = f"w{len(self.tensors)}"
        values = self.random.normal(0, 0.5, shape).astype(np.float32)
        self.tensors.append(numpy_helper.from_array(values, name))
        return name

    def ints(self, *values):
        name = f"sizes{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def scalar(self, value):
        name = f"sizes{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.array(value, np.int64), name))
        return name

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}" + (f"_{at}" if at else "") for at in range(outputs)]
        node = helper.make_node(kind, inputs, names, f"{kind}_{len(self.nodes)}", **attributes)
        self.nodes.append(node)
        return names if outputs > 1 else names[0]

    def conv(self, x, channels, filters, kernel=3, group=1, bias=True, **attributes):
        operands = [x, self.weight(filters, channels // group, kernel, kernel)]
        if bias:
            operands.append(self.weight(filters))
        return self.op(
            "Conv", *operands, group=group, pads=[kernel // 2] * 4, **attributes
        )

    def norm(self, x, channels):
        scale, shift, mean = (self.weight(channels) for _ in range(3))
        variance = f"w{len(self.tensors)}"
        values = self.random.uniform(0.5, 2, channels).astype(np.float32)
        self.tensors.append(numpy_helper.from_array(values, variance))
        return self.op("BatchNormalization", x, scale, shift, mean, variance)

    def relu(self, x):
        return self.op("Relu", x)

    def gemm(self, x, inputs, outputs):
        return self.op(
            "Gemm", x, self.weight(outputs, inputs), self.weight(outputs), transB=1
        )

    def head(self, x, channels, classes=5):
        x = self.op("Flatten", self.op("GlobalAveragePool", x))
        return self.gemm(x, channels, classes)

    def model(self, y, shape, opset=13, ir=8, result=None):
        known = [numpy_helper.to_array(t) for t in self.tensors]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
        if ir < 4:
            inputs += [
                helper.make_tensor_value_info(t.name, t.data_type, a.shape)
                for t, a in zip(self.tensors, known)
            ]
        output = helper.make_tensor_value_info(y, TensorProto.FLOAT, result or [shape[0], 5])
        graph = helper.make_graph(self.nodes, "net", inputs, [output], self.tensors)
        opsets = [helper.make_opsetid("", opset)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="test")
        model.ir_version = ir
        return model


IMAGE = ["N", 3, 8, 8]


def residual():
    """Convolutions with normalisation, tied by an addition."""
    n = Net(1)
    x = n.relu(n.norm(n.conv("x", 3, 8, bias=False), 8))
    inner = n.relu(n.norm(n.conv(x, 8, 12, bias=False), 12))
    inner = n.norm(n.conv(inner, 12, 8, bias=False), 8)
    return n.model(n.head(n.relu(n.op("Add", inner, x)), 8), IMAGE)


def joined():
    """Two branches that are joined, then flattened with their positions."""
    n = Net(2)
    a, b = n.relu(n.conv("x", 3, 6)), n.relu(n.conv("x", 3, 10, kernel=1))
    x = n.relu(n.conv(n.op("Concat", a, b, axis=1), 16, 8, strides=[2, 2]))
    return n.model(n.gemm(n.op("Flatten", x), 8 * 16, 5), IMAGE)


def grouped():
    """A grouped and a depthwise convolution, and one with two filters a channel."""
    n = Net(3)
    x = n.relu(n.conv("x", 3, 8))
    x = n.relu(n.conv(x, 8, 8, group=8))
    x = n.relu(n.conv(x, 8, 16, group=8))
    x = n.relu(n.conv(x, 16, 12, group=2))
    return n.model(n.head(x, 12), IMAGE)


def shortcut(opset=13, ir=8):
    """A shortcut that drops positions and pads channels."""
    n = Net(4)
    x = n.relu(n.conv("x", 3, 4))
    inner = n.conv(n.relu(n.conv(x, 4, 6, strides=[2, 2])), 6, 8)
    pads = [0, 2, 0, 0, 0, 2, 0, 0]
    if opset < 10:
        x = n.op("Slice", x, starts=[0, 1], ends=[9, 4], axes=[3, 1])
        x = n.op("MaxPool", x, kernel_shape=[1, 1], strides=[2, 2])
        pads[1] += 1
        x = n.op("Pad", x, pads=pads)
    else:
        x = n.op("Slice", x, n.ints(0, 0), n.ints(9, 9), n.ints(2, 3), n.ints(2, 2))
        x = n.op("Pad", x, n.ints(*pads))
    x = n.relu(n.op("Add", inner, x))
    return n.model(n.head(x, 8), IMAGE, opset, ir)


def attention():
    """Heads, whose shapes are computed from that of the input. Batches of open size
    keep the heads, and lose features in each."""
    n = Net(5)
    heads, width, features = 5, 5, 10
    inner = heads * width
    qkv = n.op("MatMul", "x", n.weight(features, 3 * inner))
    qkv = n.op("Add", qkv, n.weight(3 * inner))
    parts = n.op("Split", qkv, outputs=3, axis=2)
    shape = n.op("Shape", parts[0])
    size = lambda at: n.op("Unsqueeze", n.op("Gather", shape, n.scalar(at)), n.ints(0))
    target = n.op("Concat", size(0), size(1), n.ints(heads), n.ints(width), axis=0)
    split = [n.op("Reshape", part, target) for part in parts]
    q, v = (n.op("Transpose", part, perm=[0, 2, 1, 3]) for part in split[::2])
    k = n.op("Transpose", split[1], perm=[0, 2, 3, 1])
    scores = n.op("Softmax", n.op("MatMul", q, k), axis=-1)
    x = n.op("Transpose", n.op("MatMul", scores, v), perm=[0, 2, 1, 3])
    x = n.op("Reshape", x, n.op("Concat", size(0), size(1), size(2), axis=0))
    y = n.op("Add", n.op("MatMul", x, n.weight(inner, features)), "x")
    shape = ["N", 6, features]
    return n.model(y, shape, result=shape)


def heads():
    """The same; a batch whose size the import fixes loses heads."""
    return attention()


def shuffled():
    """Channels that are split in groups, exchanged, and split again by slices."""
    n = Net(6)
    x = n.relu(n.conv("x", 3, 8))
    x = n.op("Reshape", x, n.ints(0, 2, 4, 8, 8))
    x = n.op("Transpose", x, perm=[0, 2, 1, 3, 4])
    x = n.op("Reshape", x, n.ints(-1, 8, 8, 8))
    low = n.op("Slice", x, n.ints(0), n.ints(4), n.ints(1))
    high = n.op("Slice", x, n.ints(4), n.ints(2**40), n.ints(-3))
    return n.model(n.head(n.op("Add", n.conv(low, 4, 6), n.conv(high, 4, 6)), 6), IMAGE)


def upsampled():
    """A transposed convolution, and a Resize that is told all sizes."""
    n = Net(7)
    x = n.relu(n.conv("x", 3, 6))
    x = n.op("ConvTranspose", x, n.weight(6, 8, 2, 3), n.weight(8), strides=[2, 1])
    x = n.op("Resize", n.relu(x), "", "", n.ints(1, 8, 32, 30), mode="nearest",
             nearest_mode="floor", coordinate_transformation_mode="asymmetric")
    return n.model(n.head(n.conv(x, 8, 4, kernel=1), 4), [1, 3, 8, 8])


def pooled():
    """A padded maximum, as behind the first layer of a ResNet, three of them joined,
    and averages over what lies in the image."""
    n = Net(9)
    x = n.relu(n.conv("x", 3, 8))
    x = n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    parts = [n.relu(n.conv(x, 8, 6, kernel=1))]
    for _ in range(3):
        parts.append(n.op("MaxPool", parts[-1], kernel_shape=[3, 3], pads=[1] * 4))
    x = n.relu(n.conv(n.op("Concat", *parts, axis=1), 24, 6, kernel=1))
    x = n.op("AveragePool", x, kernel_shape=[3, 3], pads=[1] * 4)
    return n.model(n.head(n.conv(x, 6, 4, kernel=1), 4), IMAGE)


def pyramid():
    """Levels of several sizes, added after a Resize of every kind."""
    n = Net(10)
    low = n.relu(n.conv("x", 3, 6))
    high = n.relu(n.conv(low, 6, 8, strides=[2, 2]))
    x = n.conv(low, 6, 6, kernel=1)
    half = np.array([1, 1, 2, 2], np.float32)
    for mode in ("nearest", "linear", "cubic"):
        n.tensors.append(numpy_helper.from_array(half, f"scales_{mode}"))
        side = n.op("Resize", n.conv(high, 8, 6, kernel=1), "", f"scales_{mode}", mode=mode)
        x = n.op("Add", x, side)
    return n.model(n.head(n.relu(n.conv(x, 6, 4)), 4), [1, 3, 8, 8])


def shared_head():
    """The same two convolutions on two levels."""
    n = Net(11)
    low = n.relu(n.conv("x", 3, 6))
    high = n.relu(n.conv(low, 6, 6, strides=[2, 2]))
    inner, bias, outer = n.weight(8, 6, 3, 3), n.weight(8), n.weight(4, 8, 1, 1)
    total = None
    for level in (low, high):
        x = n.relu(n.op("Conv", level, inner, bias, pads=[1] * 4))
        x = n.op("GlobalMaxPool", n.op("Conv", x, outer))
        total = n.op("Add", total, x) if total else x
    return n.model(n.gemm(n.op("Flatten", total), 4, 5), IMAGE)


def constant():
    """A channel of sigmoid(0) is no zero; its convolution has no bias yet."""
    n = Net(8)
    x = n.op("Sigmoid", n.conv("x", 3, 8, kernel=1))
    x = n.relu(n.conv(x, 8, 6, kernel=1, bias=False))
    return n.model(n.head(x, 6), IMAGE)


def shortcut_before_10():
    """Slices and pads that are attributes, in a file of version 3."""
    return shortcut(opset=9, ir=3)


def shared():
    """One vector of ones that two normalisations scale by, which lose other channels."""
    n = Net(9)
    n.tensors.append(numpy_helper.from_array(np.ones(8, np.float32), "ones"))
    n.tensors.append(numpy_helper.from_array(np.zeros(8, np.float32), "zeros"))
    norm = lambda x: n.op("BatchNormalization", x, "ones", "zeros", "zeros", "ones")
    x = n.relu(norm(n.conv("x", 3, 8, bias=False)))
    x = n.relu(norm(n.conv(x, 8, 8, bias=False)))
    return n.model(n.head(x, 8), IMAGE)


def nodes():
    """Weights that are Constant nodes, as tensors and as lists."""
    n = Net(10)
    x = n.relu(n.norm(n.conv("x", 3, 8), 8))
    x = n.op("PRelu", x, n.op("Reshape", n.weight(8), n.ints(8, 1, 1)))
    model = n.model(n.head(x, 8), IMAGE)
    tensors = list(model.graph.initializer)
    del model.graph.initializer[:]
    for tensor in reversed(tensors):
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32 and value.ndim == 1:
            node = helper.make_node("Constant", [], [tensor.name], value_floats=value.tolist())
        else:
            node = helper.make_node("Constant", [], [tensor.name], value=tensor)
        model.graph.node.insert(0, node)
    return model


def pixels():
    """Pixel shuffles, which need no change, and a permutation that is numbered anew."""
    n = Net(11)
    x = n.relu(n.conv("x", 3, 24))
    x = n.op("DepthToSpace", x, blocksize=2, mode="CRD")
    x = n.op("Gather", x, n.ints(5, 3, 1, 0, -4, -2), axis=1)
    x = n.op("SpaceToDepth", n.relu(n.conv(x, 6, 4, kernel=1)), blocksize=2)
    x = n.op("DepthToSpace", n.conv(x, 16, 16), blocksize=2)
    return n.model(n.head(n.relu(n.conv(x, 4, 6)), 6), IMAGE)


def summed():
    """Contractions by letters, and norms, which can lose zeros."""
    n = Net(12)
    x = n.relu(n.op("Einsum", "x", n.weight(8, 3), equation="nchw,oc->nohw"))
    x = n.op("Einsum", n.weight(8, 6), n.relu(n.conv(x, 8, 8)), equation="co, nchw -> nohw")
    x = n.op("LpNormalization", n.relu(n.conv(x, 6, 8)), axis=1)
    y = n.op("ReduceL2", x, axes=[1], keepdims=1)
    x = n.op("Mul", n.conv(x, 8, 6), y)
    return n.model(n.head(x, 6), IMAGE)


def group_norms(opset=21):
    """Groups of a normalisation that leave as a whole, in its three forms."""
    n = Net(13)
    x = n.conv("x", 3, 12)
    count = 12 if opset > 20 else 4
    x = n.op("GroupNormalization", x, n.weight(count), n.weight(count), num_groups=4)
    x = n.conv(n.relu(x), 12, 12)
    y = n.op("Reshape", x, n.ints(0, 4, -1))
    y = n.op("InstanceNormalization", y, n.weight(4), n.weight(4))
    x = n.op("Reshape", y, n.op("Shape", x))
    x = n.op("Mul", x, n.weight(12, 1, 1))
    x = n.op("InstanceNormalization", n.conv(x, 12, 8), n.weight(8), n.weight(8))
    return n.model(n.head(n.relu(x), 8), [2, 3, 8, 8], opset, 10)


def group_norms_before_21():
    """One scale for each group."""
    return group_norms(18)


NETWORKS = [
    residual,
    joined,
    grouped,
    shortcut,
    shortcut_before_10,
    attention,
    heads,
    shuffled,
    upsampled,
    pooled,
    pyramid,
    shared_head,
    constant,
]

# Those whose file ends in the same numbers as the module, which is all that is checked.
MORE = [shared, nodes, pixels, summed, group_norms, group_norms_before_21]
