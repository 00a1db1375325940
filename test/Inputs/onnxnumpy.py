"""Evaluates ONNX models with numpy, as an oracle for small networks.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

One function per operator, written from the operators' definitions, for static
and open sizes alike. Convolutions are sums over the window's positions.
"""

import itertools

import numpy as np
import recurrentnumpy
from onnx import helper, numpy_helper
from onnx.mapping import TENSOR_TYPE_TO_NP_TYPE
from scipy import special


def window(x, w, out, strides, low, groups, scatter):
    """The sum over window positions: `scatter` turns a convolution around."""
    rank = x.ndim - 2
    step = lambda at, k: slice(k, k + strides[at] * (x if scatter else out).shape[at + 2], strides[at])
    big = out if scatter else np.pad(x, [(0, 0), (0, 0)] + low)
    for k in itertools.product(*map(range, w.shape[2:])):
        where = (slice(None), slice(None)) + tuple(step(at, k[at]) for at in range(rank))
        for g in range(groups):
            part = lambda a: slice(g * a.shape[1] // groups, (g + 1) * a.shape[1] // groups)
            rows = slice(g * w.shape[0] // groups, (g + 1) * w.shape[0] // groups)
            tap = w[(rows, slice(None)) + k]
            if scatter:
                big[where][:, part(out)] += np.einsum("nc...,cf->nf...", x[:, part(x)], tap)
            else:
                out[:, part(out)] += np.einsum("nc...,fc->nf...", big[where][:, part(x)], tap)
    return out



def conv(x, w, b=None, group=1, strides=None, pads=None, **_):
    rank = x.ndim - 2
    strides, pads = strides or [1] * rank, pads or [0] * 2 * rank
    low = [(pads[at], pads[at + rank]) for at in range(rank)]
    size = [
        (x.shape[at + 2] + sum(low[at]) - w.shape[at + 2]) // strides[at] + 1 for at in range(rank)
    ]
    out = np.zeros([x.shape[0], w.shape[0], *size], x.dtype)
    out = window(x, w, out, strides, low, group, False)
    return out if b is None else out + b.reshape(-1, *[1] * rank)


def conv_transpose(x, w, b=None, group=1, strides=None, **_):
    rank = x.ndim - 2
    strides = strides or [1] * rank
    size = [(x.shape[at + 2] - 1) * strides[at] + w.shape[at + 2] for at in range(rank)]
    out = np.zeros([x.shape[0], w.shape[1] * group, *size], x.dtype)
    out = window(x, w, out, strides, None, group, True)
    return out if b is None else out + b.reshape(-1, *[1] * rank)


def batch_norm(x, scale, shift, mean, var, epsilon=1e-5, **_):
    along = lambda a: a.reshape(-1, *[1] * (x.ndim - 2))
    return (x - along(mean)) * along(scale / np.sqrt(var + epsilon)) + along(shift)


def layer_norm(x, scale, shift=0, axis=-1, epsilon=1e-5, **_):
    over = tuple(range(axis % x.ndim, x.ndim))
    centred = x - x.mean(over, keepdims=True)
    return centred / np.sqrt((centred**2).mean(over, keepdims=True) + epsilon) * scale + shift


def gemm(a, b, c=0, transA=0, transB=0, alpha=1.0, beta=1.0):
    return alpha * (a.T if transA else a) @ (b.T if transB else b) + beta * c


def windows(x, kernel_shape, strides=None, pads=None, around=0):
    """The elements at each position of a window, one array for each."""
    rank = len(kernel_shape)
    strides, pads = strides or [1] * rank, pads or [0] * 2 * rank
    low = [(pads[at], pads[at + rank]) for at in range(rank)]
    x = np.pad(x, [(0, 0), (0, 0)] + low, constant_values=around)
    size = [(x.shape[at + 2] - k) // strides[at] + 1 for at, k in enumerate(kernel_shape)]
    for k in itertools.product(*map(range, kernel_shape)):
        where = [slice(k[at], k[at] + strides[at] * size[at], strides[at]) for at in range(rank)]
        yield x[(slice(None), slice(None), *where)]


def max_pool(x, **attributes):
    return np.max(list(windows(x, around=-np.inf, **attributes)), 0)


def average_pool(x, **attributes):
    """Of the elements that lie in the image."""
    sums, counts = (sum(windows(a, **attributes)) for a in (x, np.ones_like(x)))
    return sums / counts


def reshape(x, shape, **_):
    return x.reshape([x.shape[at] if size == 0 else size for at, size in enumerate(shape)])


def split(x, parts=None, axis=0, split=None, outputs=1):
    parts = split if parts is None else parts
    if parts is None:
        return np.split(x, outputs, axis)
    assert sum(parts) == x.shape[axis], "the parts of a split do not add up"
    return np.split(x, np.cumsum(parts)[:-1], axis)


def slices(x, starts=None, ends=None, axes=None, steps=None, **attributes):
    starts, ends = attributes.get("starts", starts), attributes.get("ends", ends)
    axes = attributes.get("axes", axes)
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    where = [slice(None)] * x.ndim
    for axis, *bounds in zip(axes, starts, ends, steps):
        where[axis] = slice(*map(int, bounds))
    return x[tuple(where)]


def pad(x, pads=None, value=0, mode=b"constant", **attributes):
    pads = attributes.get("pads", pads)
    assert mode == b"constant"
    return np.pad(x, list(zip(pads[: x.ndim], pads[x.ndim :])), constant_values=float(value))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def kernel(mode, distance):
    """How much an element counts at a distance."""
    d = abs(distance)
    if mode == b"linear":
        return np.maximum(1 - d, 0)
    near, far = (1.25 * d - 2.25) * d * d + 1, ((-0.75 * d + 3.75) * d - 6) * d + 3
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def resize(x, roi=None, scales=None, sizes=None, mode=b"nearest", **_):
    """Nearest, by whole factors; else with half pixels."""
    sizes = [int(a * b) for a, b in zip(x.shape, scales)] if sizes is None else sizes
    for axis, size in enumerate(sizes):
        n = x.shape[axis]
        if mode == b"nearest":
            assert size % n == 0
            x = x.repeat(size // n, axis)
        elif size != n:
            at = (np.arange(size) + 0.5) * n / size - 0.5
            # Elements around the image are those at its border.
            around = np.arange(-2, n + 2)
            by = kernel(mode, at[:, None] - around)
            taken = x.take(around.clip(0, n - 1), axis)
            x = np.moveaxis(np.tensordot(by, taken, (1, axis)), 0, axis).astype(x.dtype)
    return x


def reduce_mean(x, axes=None, keepdims=1):
    return x.mean(None if axes is None else tuple(axes), keepdims=bool(keepdims))


def global_average(x):
    return x.mean(tuple(range(2, x.ndim)), keepdims=True)


def global_max(x):
    return x.max(tuple(range(2, x.ndim)), keepdims=True)


OPERATORS = {
    "Add": np.add,
    "AveragePool": average_pool,
    "BatchNormalization": batch_norm,
    "Cast": lambda x, to: x.astype(TENSOR_TYPE_TO_NP_TYPE[to]),
    "Concat": lambda *parts, axis: np.concatenate(parts, axis),
    "ConstantOfShape": lambda shape: np.zeros(shape, np.float32),
    "Constant": lambda value: numpy_helper.to_array(value),
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "DequantizeLinear": lambda q, scale, zero: (q - zero.astype(np.int32)) * scale,
    "Div": np.divide,
    "Erf": special.erf,
    "Flatten": lambda x, axis=1: x.reshape(int(np.prod(x.shape[:axis])), -1),
    "Gather": lambda x, at, axis=0: np.take(x, at, axis),
    "Gemm": gemm,
    "GlobalAveragePool": global_average,
    "GlobalMaxPool": global_max,
    "LayerNormalization": layer_norm,
    "MatMul": np.matmul,
    "MaxPool": max_pool,
    "Mul": np.multiply,
    "Pad": pad,
    "ReduceMean": reduce_mean,
    "ReduceSum": lambda x, keepdims: x.sum(keepdims=bool(keepdims)),
    "Relu": lambda x: np.maximum(x, 0),
    "Reshape": reshape,
    "Resize": resize,
    "Shape": lambda x: np.array(x.shape, np.int64),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Slice": slices,
    "Softmax": softmax,
    "Split": split,
    "Sqrt": np.sqrt,
    "Tanh": np.tanh,
    "Transpose": lambda x, perm: x.transpose(perm),
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes)),
    **recurrentnumpy.OPERATORS,
}


def evaluate(model, inputs):
    """The outputs of a model, in order, for inputs by name."""
    values = {"": None, **inputs}
    for tensor in model.graph.initializer:
        values[tensor.name] = numpy_helper.to_array(tensor)
    for node in model.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Split":
            attributes["outputs"] = len(node.output)
        arguments = [values[name] for name in node.input]
        result = OPERATORS[node.op_type](*arguments, **attributes)
        results = result if isinstance(result, list) else [result]
        values.update(zip(node.output, results))
    return [values[output.name] for output in model.graph.output]
