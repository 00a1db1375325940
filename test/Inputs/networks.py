"""Builds networks in linalg and computes, beside, what they compute.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Every method appends operations to a function and evaluates them in float64 at
once, together with a bound on what rounding may do in the type of the network.
The bound is the usual forward analysis: a sum of n products in any order is off
by at most n+1 roundings of each of its terms, and errors of operands pass
through by the magnitudes of what they are multiplied with.
"""

import numpy as np

from mlirtext import tensor

UNIT = {"f64": 2.0**-53, "f32": 2.0**-24, "f16": 2.0**-11, "bf16": 2.0**-8}
# What a rounding is off by at least, where numbers are no longer normal.
TINY = {"f64": 0.0, "f32": 2.0**-150, "f16": 2.0**-25, "bf16": 2.0**-134}
LOWEST = {
    "f64": "0xFFF0000000000000",
    "f32": "0xFF800000",
    "f16": "0xFC00",
    "bf16": "0xFF80",
}


class Value:
    """A tensor in the IR, its value, and a bound on the compiled code's error."""

    def __init__(self, name, value, error=None):
        self.name, self.value = name, value
        if error is None:
            error = np.zeros_like(value)
        # A bound that overflowed on its way, and met a zero, is none.
        self.error = np.where(np.isnan(error), np.inf, error)
        self.shape = value.shape


class Network:
    """One function under construction.

    `decide(name, values, summed)` is called for each weight and returns what
    is left of it; `summed` is the dimension along which it is summed over.
    """

    def __init__(self, module, type_name, decide):
        self.module, self.type, self.decide = module, type_name, decide
        self.unit = UNIT[type_name]
        self.lines, self.inputs, self.outputs, self.count = [], [], [], 0

    # -- Text ------------------------------------------------------------------

    def op(self, text):
        """Appends an operation with one result."""
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}"

    def t(self, shape):
        return tensor(shape, self.type)

    def zeros(self, shape):
        return self.op(f"arith.constant dense<0.0> : {self.t(shape)}")

    def empty(self, shape):
        return self.op(f"tensor.empty() : {self.t(shape)}")

    def constant(self, key, values):
        """A resource; other attributes with its key would be the same weight."""
        return self.op(f"arith.constant {self.module.resource(key, values, self.type)}")

    def input(self, values):
        name = f"%x{len(self.inputs)}"
        self.inputs.append((name, values))
        return Value(name, values)

    def output(self, value):
        self.outputs.append(value)

    def finish(self, name="main"):
        """Adds the function to the module."""
        arguments = ", ".join(f"{n}: {self.t(v.shape)}" for n, v in self.inputs)
        types = ", ".join(self.t(v.shape) for v in self.outputs)
        names = ", ".join(v.name for v in self.outputs)
        body = "\n".join(self.lines)
        self.module.functions.append(
            f"func.func @{name}({arguments}) -> ({types}) {{\n{body}\n"
            f"  return {names} : {types}\n}}"
        )

    # -- Errors ----------------------------------------------------------------

    def rounded(self, value, magnitude, error, roundings):
        """A value whose terms of sum `magnitude` were rounded so many times."""
        if roundings * self.unit >= 0.5:
            return np.full_like(error, np.inf)
        growth = roundings * self.unit / (1 - roundings * self.unit)
        return error + growth * (magnitude + error) + roundings * TINY[self.type]

    def added_up(self, value, magnitude, error, terms):
        """A sum of `terms` terms; those of 16 bits are added up in f32 and rounded
        once."""
        if self.type not in ("f16", "bf16"):
            return self.rounded(value, magnitude, error, terms)
        growth = terms * UNIT["f32"] / (1 - terms * UNIT["f32"])
        return self.rounded(value, abs(value), error + growth * (magnitude + error), 1)

    # -- Shapes ----------------------------------------------------------------

    def transpose_text(self, name, shape, order):
        to = [shape[i] for i in order]
        return self.op(
            f"linalg.transpose ins({name} : {self.t(shape)}) "
            f"outs({self.empty(to)} : {self.t(to)}) permutation = {list(order)}"
        )

    def reshape(self, x, shape):
        """Flattens all but dimension 0, or undoes it."""
        if len(shape) == len(x.shape):
            return x
        long, short = max(x.shape, shape, key=len), min(x.shape, shape, key=len)
        groups = (
            [[0], list(range(1, len(long)))]
            if len(short) == 2
            else [[*range(len(long))]]
        )
        types = f": {self.t(x.shape)} into {self.t(shape)}"
        if len(shape) == len(short):
            name = self.op(f"tensor.collapse_shape {x.name} {groups} {types}")
        else:
            name = self.op(
                f"tensor.expand_shape {x.name} {groups} "
                f"output_shape {list(shape)} {types}"
            )
        return Value(name, x.value.reshape(shape), x.error.reshape(shape))

    def flatten(self, x):
        return self.reshape(x, (x.shape[0], int(np.prod(x.shape[1:]))))

    def concat(self, a, b):
        """Along dimension 1."""
        value = np.concatenate([a.value, b.value], 1)
        name = self.op(
            f"tensor.concat dim(1) {a.name}, {b.name} : "
            f"({self.t(a.shape)}, {self.t(b.shape)}) -> {self.t(value.shape)}"
        )
        return Value(name, value, np.concatenate([a.error, b.error], 1))

    # -- Element by element ----------------------------------------------------

    def elementwise(self, operands, maps, body, shape):
        """A linalg.generic without reductions; `body` yields from %a, %b."""
        dims = ", ".join(f"d{i}" for i in range(len(shape)))
        whole = ", ".join(f"d{i}" for i in range(len(shape)))
        maps = [m or whole for m in maps] + [whole]
        texts = ", ".join(f"affine_map<({dims}) -> ({m})>" for m in maps)
        kinds = ", ".join(['"parallel"'] * len(shape))
        names = ", ".join(v.name for v in operands)
        types = ", ".join(self.t(v.shape) for v in operands)
        letters = ", ".join(f"%{c}: {self.type}" for c in "abc"[: len(operands)] + "o")
        init = self.empty(shape)
        inputs = f"ins({names} : {types}) " if operands else ""
        return self.op(
            f"linalg.generic {{indexing_maps = [{texts}], iterator_types = [{kinds}]}} "
            f"{inputs}outs({init} : {self.t(shape)}) {{\n"
            f"  ^bb0({letters}):\n"
            + "".join(f"    {line}\n" for line in body)
            + f"  }} -> {self.t(shape)}"
        )

    def relu(self, x, as_generic=True):
        if as_generic:
            name = self.elementwise(
                [x],
                [""],
                [
                    f"%z = arith.constant 0.0 : {self.type}",
                    f"%r = arith.maximumf %a, %z : {self.type}",
                    f"linalg.yield %r : {self.type}",
                ],
                x.shape,
            )
        else:
            zeros = self.zeros(x.shape)
            name = self.op(f"arith.maximumf {x.name}, {zeros} : {self.t(x.shape)}")
        return Value(name, np.maximum(x.value, 0), x.error)

    def sigmoid(self, x):
        f = self.type
        name = self.elementwise(
            [x],
            [""],
            [
                f"%one = arith.constant 1.0 : {f}",
                f"%n = arith.negf %a : {f}",
                f"%e = math.exp %n : {f}",
                f"%s = arith.addf %one, %e : {f}",
                f"%r = arith.divf %one, %s : {f}",
                f"linalg.yield %r : {f}",
            ],
            x.shape,
        )
        value = 1 / (1 + np.exp(-x.value))
        # A slope of at most 1/4; the exponential is good to a few roundings.
        return Value(name, value, x.error / 4 + 8 * self.unit)

    def add(self, a, b):
        name = self.op(f"arith.addf {a.name}, {b.name} : {self.t(a.shape)}")
        value, error = a.value + b.value, a.error + b.error
        return Value(name, value, self.rounded(value, abs(value), error, 1))

    def bias(self, x, key, values):
        """Adds one value a column or channel, along dimension 1."""
        b = Value(self.constant(key, values), values)
        body = [
            f"%r = arith.addf %a, %b : {self.type}",
            f"linalg.yield %r : {self.type}",
        ]
        name = self.elementwise([x, b], ["", "d1"], body, x.shape)
        value = x.value + values.reshape([-1] + [1] * (len(x.shape) - 2))
        return Value(name, value, self.rounded(value, abs(value), x.error, 1))

    # -- Contractions ----------------------------------------------------------

    def linear(self, x, key, weight, variant):
        """x W^T for a weight of outputs x inputs, in several disguises."""
        outputs, inputs = weight.shape
        batch = x.shape[0]
        stored, summed = (weight.T, 0) if variant == "plain" else (weight, 1)
        if variant == "reshaped":
            # Three dimensions in storage; the last one is what is summed over.
            stored, summed = weight.reshape(1, outputs, inputs), 2
        kept = self.decide(key, stored, summed)
        w = self.constant(key, stored)
        dense = kept.T if variant == "plain" else kept.reshape(outputs, inputs)
        y_type, init = self.t((batch, outputs)), self.zeros((batch, outputs))
        if variant == "reshaped":
            w = self.op(
                f"tensor.collapse_shape {w} [[0, 1], [2]] : {self.t(stored.shape)} "
                f"into {self.t(weight.shape)}"
            )
        if variant == "left":
            columns = self.transpose_text(x.name, x.shape, (1, 0))
            init = self.zeros((outputs, batch))
            name = self.op(
                f"linalg.matmul ins({w}, {columns} : {self.t(weight.shape)}, "
                f"{self.t((inputs, batch))}) outs({init} : {self.t((outputs, batch))}) "
                f"-> {self.t((outputs, batch))}"
            )
            name = self.transpose_text(name, (outputs, batch), (1, 0))
        elif variant == "generic":
            name = self.op(
                "linalg.generic {indexing_maps = ["
                "affine_map<(b, o, k) -> (b, k)>, affine_map<(b, o, k) -> (o, k)>, "
                "affine_map<(b, o, k) -> (b, o)>], iterator_types = "
                '["parallel", "parallel", "reduction"]} '
                f"ins({x.name}, {w} : {self.t(x.shape)}, {self.t(weight.shape)}) "
                f"outs({init} : {y_type}) {{\n  ^bb0(%a: {self.type}, %b: {self.type}, "
                f"%c: {self.type}):\n    %p = arith.mulf %a, %b : {self.type}\n"
                f"    %s = arith.addf %c, %p : {self.type}\n"
                f"    linalg.yield %s : {self.type}\n  }} -> {y_type}"
            )
        else:
            if variant != "plain":
                w = self.transpose_text(w, weight.shape, (1, 0))
            name = self.op(
                f"linalg.matmul ins({x.name}, {w} : {self.t(x.shape)}, "
                f"{self.t((inputs, outputs))}) outs({init} : {y_type}) -> {y_type}"
            )
        return self.summed(name, lambda a, w: a @ w.T, x, dense, inputs)

    def summed(self, name, product, x, weight, terms):
        """The value and error of a sum of products with a weight."""
        magnitude = product(abs(x.value), abs(weight))
        error = product(x.error, abs(weight))
        value = product(x.value, weight)
        return Value(name, value, self.added_up(value, magnitude, error, terms + 1))

    def pad(self, x, amount):
        """Zeros around height and width."""
        if not amount:
            return x
        pads = ((0, 0), (0, 0), (amount, amount), (amount, amount))
        value = np.pad(x.value, pads)
        zero = self.op(f"arith.constant 0.0 : {self.type}")
        name = self.op(
            f"tensor.pad {x.name} low[0, 0, {amount}, {amount}] "
            f"high[0, 0, {amount}, {amount}] {{\n"
            "  ^bb0(%i: index, %j: index, %k: index, %l: index):\n"
            f"    tensor.yield {zero} : {self.type}\n"
            f"  }} : {self.t(x.shape)} to {self.t(value.shape)}"
        )
        return Value(name, value, np.pad(x.error, pads))

    def conv(self, x, key, weight, stride=1, dilation=1, layout="nchw_fchw"):
        """A convolution of x (N C H W) with filters (F C KH KW), no padding."""
        if layout == "nchw_fchw":
            order, result_order = (0, 1, 2, 3), (0, 1, 2, 3)
        else:  # nhwc_hwcf
            order, result_order = (2, 3, 1, 0), (0, 3, 1, 2)
        stored = np.ascontiguousarray(weight.transpose(order))
        kept = self.decide(key, stored, order.index(1)).transpose(np.argsort(order))
        w = self.constant(key, stored)

        def convolve(a, k):
            return convolution(a, k, stride, dilation)

        y_shape = convolve(x.value, weight).shape
        x_name, x_shape, init_shape = x.name, x.shape, y_shape
        if layout != "nchw_fchw":
            x_name = self.transpose_text(x.name, x.shape, (0, 2, 3, 1))
            x_shape = tuple(x.shape[i] for i in (0, 2, 3, 1))
            init_shape = tuple(y_shape[i] for i in (0, 2, 3, 1))
        init = self.zeros(init_shape)
        name = self.op(
            f"linalg.conv_2d_{layout} {{dilations = dense<{dilation}> : vector<2xi64>, "
            f"strides = dense<{stride}> : vector<2xi64>}} ins({x_name}, {w} : "
            f"{self.t(x_shape)}, {self.t(stored.shape)}) outs({init} : "
            f"{self.t(init_shape)}) -> {self.t(init_shape)}"
        )
        if layout != "nchw_fchw":
            name = self.transpose_text(name, init_shape, result_order)
        return self.summed(name, convolve, x, kept, weight[0].size)

    def pool(self, x, kind, size, stride):
        """kind: max or sum; windows of height and width."""
        windows = pooling_windows(x.value, size, stride)
        errors = pooling_windows(x.error, size, stride)
        value = windows.max((4, 5)) if kind == "max" else windows.sum((4, 5))
        if kind == "max":
            lowest = LOWEST[self.type]
            error = errors.max((4, 5))
        else:
            lowest = "0.0"
            magnitude = abs(windows).sum((4, 5))
            error = self.added_up(value, magnitude, errors.sum((4, 5)), size * size)
        init = self.op(f"arith.constant dense<{lowest}> : {self.t(value.shape)}")
        window = self.empty((size, size))
        name = self.op(
            f"linalg.pooling_nchw_{kind} {{dilations = dense<1> : vector<2xi64>, "
            f"strides = dense<{stride}> : vector<2xi64>}} ins({x.name}, {window} : "
            f"{self.t(x.shape)}, {self.t((size, size))}) outs({init} : "
            f"{self.t(value.shape)}) -> {self.t(value.shape)}"
        )
        return Value(name, value, error)


def pooling_windows(x, size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
    return windows[:, :, ::stride, ::stride]


def convolution(x, weight, stride, dilation):
    """N C H W with F C KH KW in float64; one term of the filter at a time."""
    height, width = weight.shape[2:]
    rows = (x.shape[2] - (height - 1) * dilation - 1) // stride + 1
    columns = (x.shape[3] - (width - 1) * dilation - 1) // stride + 1
    y = np.zeros((x.shape[0], weight.shape[0], rows, columns))
    for i in range(height):
        for j in range(width):
            part = x[
                :,
                :,
                i * dilation : i * dilation + (rows - 1) * stride + 1 : stride,
                j * dilation : j * dilation + (columns - 1) * stride + 1 : stride,
            ]
            y += np.einsum("nchw,fc->nfhw", part, weight[:, :, i, j])
    return y
