"""Layers whose channels are coupled in every way that the compiler knows.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Extends networks.py: depthwise and grouped convolutions, normalisation, slices
and paddings of channels, reductions, attention with heads. Like there, each
layer is written as IR and evaluated in float64 at once. Attention has no
softmax, which integers do not survive, but everything that moves channels.
"""

import numpy as np

from channelmoves import Movements
from networks import Value, convolution


class ChannelNetwork(Movements):
    """Layers with weights. `held(key, stored)` replaces what a resource holds:
    drawing a network again with other weights evaluates it with them."""

    def __init__(self, module, type_name, held=None):
        self.held = held or (lambda key, stored: stored)
        super().__init__(module, type_name, lambda key, w, _: self.held(key, w))

    def bias(self, x, key, values):
        return super().bias(x, key, self.held(key, values))

    def normalize(self, x, key, mean, scale, shift):
        """(x - mean) * scale + shift, per channel."""
        parts = [
            Value(self.constant(f"{key}.{n}", v), self.held(f"{key}.{n}", v))
            for n, v in (("mean", mean), ("scale", scale), ("shift", shift))
        ]
        lines = []
        name, rank = x.name, len(x.shape)
        dims = ", ".join(f"d{i}" for i in range(rank))
        maps = ", ".join(
            f"affine_map<({dims}) -> ({m})>" for m in (dims, "d1", "d1", "d1", dims)
        )
        kinds = ", ".join(['"parallel"'] * rank)
        f, t = self.type, self.t(x.shape)
        names = ", ".join([name] + [p.name for p in parts])
        types = ", ".join([t] + [self.t(p.shape) for p in parts])
        lines = [
            f"%s = arith.subf %a, %m : {f}",
            f"%p = arith.mulf %s, %g : {f}",
            f"%r = arith.addf %p, %h : {f}",
            f"linalg.yield %r : {f}",
        ]
        init = self.empty(x.shape)
        result = self.op(
            f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} "
            f"ins({names} : {types}) outs({init} : {t}) {{\n"
            f"  ^bb0(%a: {f}, %m: {f}, %g: {f}, %h: {f}, %o: {f}):\n"
            + "".join(f"    {line}\n" for line in lines)
            + f"  }} -> {t}"
        )
        spread = [-1] + [1] * (rank - 2)
        mean, scale, shift = (p.value.reshape(spread) for p in parts)
        value = (x.value - mean) * scale + shift
        size = (abs(x.value) + abs(mean)) * abs(scale) + abs(shift)
        error = self.rounded(value, size, x.error * abs(scale), 3)
        return Value(result, value, error)

    def depthwise(self, x, key, weight):
        """Filters C KH KW, each for its own channel."""
        w = self.constant(key, weight)
        weight = self.held(key, weight)

        def product(a, k):
            return np.concatenate(
                [
                    convolution(a[:, c : c + 1], k[c][None, None], 1, 1)
                    for c in range(k.shape[0])
                ],
                1,
            )

        shape = product(x.value, weight).shape
        name = self.op(
            "linalg.depthwise_conv_2d_nchw_chw {dilations = dense<1> : "
            f"vector<2xi64>, strides = dense<1> : vector<2xi64>}} ins({x.name}, {w} : "
            f"{self.t(x.shape)}, {self.t(weight.shape)}) outs({self.zeros(shape)} : "
            f"{self.t(shape)}) -> {self.t(shape)}"
        )
        return self.summed(name, product, x, weight, weight[0].size)

    def multiplied(self, x, key, weight):
        """Filters KH KW C M in NHWC: M results for each channel, side by side."""
        channels, times = weight.shape[2:]
        w = self.constant(key, weight)
        weight = self.held(key, weight)

        def product(a, k):
            parts = [
                convolution(a[:, c : c + 1], k[:, :, c, m][None, None], 1, 1)
                for c in range(channels)
                for m in range(times)
            ]
            return np.concatenate(parts, 1)

        shape = product(x.value, weight).shape
        last = tuple(x.shape[i] for i in (0, 2, 3, 1))
        split = (shape[0], *shape[2:], channels, times)
        xs = self.transpose_text(x.name, x.shape, (0, 2, 3, 1))
        name = self.op(
            "linalg.depthwise_conv_2d_nhwc_hwcm {dilations = dense<1> : "
            f"vector<2xi64>, strides = dense<1> : vector<2xi64>}} ins({xs}, {w} : "
            f"{self.t(last)}, {self.t(weight.shape)}) outs({self.zeros(split)} : "
            f"{self.t(split)}) -> {self.t(split)}"
        )
        joined = (*split[:3], channels * times)
        name = self.collapse(name, split, joined, 3)
        name = self.transpose_text(name, joined, (0, 3, 1, 2))
        return self.summed(name, product, x, weight, weight[:, :, 0, 0].size)

    def grouped(self, x, key, weight, groups):
        """Filters F C/G KH KW as torch stores them, reshaped to G F/G C/G KH KW."""
        filters, per_group = weight.shape[:2]
        batch, channels, height, width = x.shape

        def product(a, k):
            step = filters // groups
            return np.concatenate(
                [
                    convolution(
                        a[:, g * per_group : (g + 1) * per_group],
                        k[g * step : (g + 1) * step],
                        1,
                        1,
                    )
                    for g in range(groups)
                ],
                1,
            )

        kept = self.decide(key, weight, 1)
        shape = product(x.value, weight).shape
        split_w = (groups, filters // groups, per_group, *weight.shape[2:])
        split_x = (batch, groups, per_group, height, width)
        split_y = (batch, groups, filters // groups, *shape[2:])
        w = self.expand(self.constant(key, weight), weight.shape, split_w, 0)
        weight = self.held(key, weight)
        xs = self.expand(x.name, x.shape, split_x, 1)
        name = self.op(
            "linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : vector<2xi64>, "
            f"strides = dense<1> : vector<2xi64>}} ins({xs}, {w} : {self.t(split_x)}, "
            f"{self.t(split_w)}) outs({self.zeros(split_y)} : {self.t(split_y)}) "
            f"-> {self.t(split_y)}"
        )
        name = self.collapse(name, split_y, shape, 1)
        return self.summed(name, product, x, kept, weight[0].size)

    # -- Attention -------------------------------------------------------------

    def batch_matmul(self, a, a_shape, b, b_shape):
        to = (a_shape[0], a_shape[1], b_shape[2])
        return self.op(
            f"linalg.batch_matmul ins({a}, {b} : {self.t(a_shape)}, {self.t(b_shape)}) "
            f"outs({self.zeros(to)} : {self.t(to)}) -> {self.t(to)}"
        )

    def attention(self, x, key, weights, heads):
        """Tokens x features; weights q, k, v (inner x features) and o."""
        tokens = x.shape[0]
        inner = weights["q"].shape[0]
        size = inner // heads
        q, k, v = (
            self.linear(x, f"{key}.{n}", weights[n], "transposed") for n in "qkv"
        )

        def split(part, order):
            to = (tokens, heads, size)
            name = self.expand(part.name, part.shape, to, 1)
            return self.transpose_text(name, to, order)

        left, right = (heads, tokens, size), (heads, size, tokens)
        scores = self.batch_matmul(
            split(q, (1, 0, 2)), left, split(k, (1, 2, 0)), right
        )
        of_heads = self.batch_matmul(
            scores, (heads, tokens, tokens), split(v, (1, 0, 2)), left
        )
        name = self.transpose_text(of_heads, left, (1, 0, 2))
        name = self.collapse(name, (tokens, heads, size), (tokens, inner), 1)
        parts = [p.value.reshape(tokens, heads, size) for p in (q, k, v)]
        value = np.einsum("thd,shd,she->the", *parts).reshape(tokens, inner)
        return self.linear(Value(name, value), f"{key}.o", weights["o"], "plain")

    # -- Recurrence ------------------------------------------------------------

    def recurrence(self, x, key, weights, is_sliced, is_reversed):
        """Rows of x are steps; weights w (2 hidden x features) and r (2 hidden x
        hidden). A step is relu(a) - relu(b) of the two gates: zero for a unit
        whose weights are zero. `is_sliced`: each gate has its part of r."""
        steps, hidden = x.shape[0], weights["r"].shape[1]
        products = self.linear(x, f"{key}.w", weights["w"], "transposed")
        r = self.constant(f"{key}.r", weights["r"])
        row, both, all_steps = (1, hidden), (1, 2 * hidden), (steps, hidden)
        whole = self.t(all_steps)
        low, high, one = (self.op(f"arith.constant {n} : index") for n in (0, steps, 1))
        last = self.op(f"arith.constant {steps - 1} : index")
        state, outputs = self.zeros(row), self.empty(all_steps)
        self.count += 1
        loop = f"%v{self.count}"
        self.lines.append(
            f"  {loop}:2 = scf.for {loop}i = {low} to {high} step {one} iter_args("
            f"{loop}h = {state}, {loop}y = {outputs}) -> ({self.t(row)}, {whole}) {{"
        )
        at = self.op(f"arith.subi {last}, {loop}i : index") if is_reversed else f"{loop}i"
        step = self.op(
            f"tensor.extract_slice {products.name}[{at}, 0] [1, {2 * hidden}] [1, 1] : "
            f"{self.t(products.shape)} to {self.t(both)}"
        )
        gates = []
        for gate in range(2):
            gates.append(self.gate(f"{loop}h", step, r, gate, hidden, is_sliced))
        fresh = self.op(f"arith.subf {gates[0]}, {gates[1]} : {self.t(row)}")
        joined = self.op(
            f"tensor.insert_slice {fresh} into {loop}y[{at}, 0] [1, {hidden}] [1, 1] : "
            f"{self.t(row)} into {whole}"
        )
        self.lines.append(f"    scf.yield {fresh}, {joined} : {self.t(row)}, {whole}\n  }}")
        order = range(steps)[:: -1 if is_reversed else 1]
        value, error = self.evaluate_steps(products, self.held(f"{key}.r", weights["r"]), order)
        return Value(f"{loop}#1", value, error)

    def gate(self, state, step, r, gate, hidden, is_sliced):
        """relu of one half of the step's products and of those of the state."""
        row, square = self.t((1, hidden)), (hidden, hidden)
        rows, shape = r, (2 * hidden, hidden)
        if is_sliced:
            rows = self.op(
                f"tensor.extract_slice {r}[{gate * hidden}, 0] {list(square)} [1, 1] : "
                f"{self.t(shape)} to {self.t(square)}"
            )
            shape = square
        to = (1, shape[0])
        columns = self.transpose_text(rows, shape, (1, 0))
        product = self.op(
            f"linalg.matmul ins({state}, {columns} : {row}, {self.t(shape[::-1])}) "
            f"outs({self.zeros(to)} : {self.t(to)}) -> {self.t(to)}"
        )
        cut = lambda name, size: self.op(
            f"tensor.extract_slice {name}[0, {gate * hidden}] [1, {hidden}] [1, 1] : "
            f"{self.t((1, size))} to {row}"
        )
        product = product if is_sliced else cut(product, 2 * hidden)
        total = self.op(f"arith.addf {cut(step, 2 * hidden)}, {product} : {row}")
        return self.op(f"arith.maximumf {total}, {self.zeros((1, hidden))} : {row}")

    def evaluate_steps(self, products, r, order):
        """The outputs of all steps, and the bound on their errors."""
        hidden = r.shape[1]
        value = np.zeros((len(order), hidden))
        error = np.zeros_like(value)
        h, off = np.zeros(hidden), np.zeros(hidden)
        for t in order:
            product, magnitude = r @ h, abs(r) @ abs(h)
            bound = self.rounded(product, magnitude, abs(r) @ off, hidden + 1)
            total, bound = products.value[t] + product, products.error[t] + bound
            bound = self.rounded(total, abs(total), bound, 1)
            (a, b), (da, db) = np.split(np.maximum(total, 0), 2), np.split(bound, 2)
            h = a - b
            off = self.rounded(h, abs(h), da + db, 1)
            value[t], error[t] = h, off
        return value, error
