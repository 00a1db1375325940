"""What moves, joins and compares channels without weights.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Slices, paddings, reshapes, shuffles, also of channels with positions, resizes,
reductions over space and over channels, products of parts, and calls of functions. Written and evaluated like the layers
of networks.py.
"""

import numpy as np

from networks import LOWEST, Network, Value


class Movements(Network):
    """The operations between layers."""

    def groups_of(self, rank, dim):
        """Reassociation that splits `dim` of a tensor of `rank` in two."""
        groups = [[i + (i > dim)] for i in range(rank)]
        groups[dim] = [dim, dim + 1]
        return groups

    def expand(self, name, shape, to, dim):
        return self.op(
            f"tensor.expand_shape {name} {self.groups_of(len(shape), dim)} "
            f"output_shape {list(to)} : {self.t(shape)} into {self.t(to)}"
        )

    def collapse(self, name, shape, to, dim):
        return self.op(
            f"tensor.collapse_shape {name} {self.groups_of(len(to), dim)} : "
            f"{self.t(shape)} into {self.t(to)}"
        )

    def cut(self, x, begin, size):
        """Channels [begin, begin + size)."""
        to = (x.shape[0], size, *x.shape[2:])
        offsets = [0, begin] + [0] * (len(to) - 2)
        name = self.op(
            f"tensor.extract_slice {x.name}{offsets} {list(to)} {[1] * len(to)} : "
            f"{self.t(x.shape)} to {self.t(to)}"
        )
        part = np.s_[:, begin : begin + size]
        return Value(name, x.value[part], x.error[part])

    def cut_space(self, x):
        """Every second row and column, as option-A shortcuts do."""
        value, error = x.value[:, :, ::2, ::2], x.error[:, :, ::2, ::2]
        name = self.op(
            f"tensor.extract_slice {x.name}[0, 0, 0, 0] {list(value.shape)} "
            f"[1, 1, 2, 2] : {self.t(x.shape)} to {self.t(value.shape)}"
        )
        return Value(name, value, error)

    def pad_channels(self, x, low, high, number=0.0):
        pads = [(0, 0), (low, high)] + [(0, 0)] * (len(x.shape) - 2)
        value = np.pad(x.value, pads, constant_values=number)
        with_value = self.op(f"arith.constant {number} : {self.type}")
        lows = ", ".join(str(a) for a, _ in pads)
        highs = ", ".join(str(b) for _, b in pads)
        indices = ", ".join(f"%i{d}: index" for d in range(len(pads)))
        name = self.op(
            f"tensor.pad {x.name} low[{lows}] high[{highs}] {{\n"
            f"  ^bb0({indices}):\n    tensor.yield {with_value} : {self.type}\n"
            f"  }} : {self.t(x.shape)} to {self.t(value.shape)}"
        )
        return Value(name, value, np.pad(x.error, pads))

    def sum_space(self, x):
        """Sums over height and width."""
        to = x.shape[:2]
        name = self.op(
            f"linalg.reduce ins({x.name} : {self.t(x.shape)}) "
            f"outs({self.zeros(to)} : {self.t(to)}) dimensions = [2, 3] "
            f"(%a: {self.type}, %o: {self.type}) {{\n"
            f"    %s = arith.addf %a, %o : {self.type}\n"
            f"    linalg.yield %s : {self.type}\n  }}"
        )
        value, size = x.value.sum((2, 3)), abs(x.value).sum((2, 3))
        terms = x.shape[2] * x.shape[3]
        return Value(name, value, self.added_up(value, size, x.error.sum((2, 3)), terms))

    def pad_space(self, x, number, low=1, high=1):
        """Rows and columns of `number` on each side."""
        pads = ((0, 0), (0, 0), (low, high), (low, high))
        value = np.pad(x.value, pads, constant_values=number)
        text = LOWEST[self.type] if number == -np.inf else number
        with_value = self.op(f"arith.constant {text} : {self.type}")
        name = self.op(
            f"tensor.pad {x.name} low[0, 0, {low}, {low}] high[0, 0, {high}, {high}] {{\n"
            "  ^bb0(%i: index, %j: index, %k: index, %l: index):\n"
            f"    tensor.yield {with_value} : {self.type}\n"
            f"  }} : {self.t(x.shape)} to {self.t(value.shape)}"
        )
        return Value(name, value, np.pad(x.error, pads))

    def shuffle(self, x, groups):
        """Channels as a matrix of groups, transposed."""
        channels = x.shape[1]
        split = (x.shape[0], groups, channels // groups, *x.shape[2:])
        order = (0, 2, 1, *range(3, len(split)))
        name = self.expand(x.name, x.shape, split, 1)
        name = self.transpose_text(name, split, order)
        turned = tuple(split[i] for i in order)
        name = self.collapse(name, turned, x.shape, 1)

        def move(v):
            return v.reshape(split).transpose(order).reshape(x.shape)

        return Value(name, move(x.value), move(x.error))

    def split_pixels(self, x, times, order):
        """Channels of `times` x `times` positions each: the positions first in the
        channels' dimension (dcr) or last (crd)."""
        n, c, h, w = x.shape
        rest = c // times**2
        first, second = (times, times * rest) if order == "dcr" else (rest, times**2)
        last = (times, rest) if order == "dcr" else (times, times)
        name = self.expand(x.name, x.shape, (n, first, second, h, w), 1)
        split = (n, first, *last, h, w)
        name = self.expand(name, (n, first, second, h, w), split, 2)
        turn = (0, 3, 4, 1, 5, 2) if order == "dcr" else (0, 1, 4, 2, 5, 3)
        return self.turn(x, name, split, turn, (n, rest, h * times, w * times))

    def join_pixels(self, x, times):
        """`times` x `times` positions become channels, in front of the channels."""
        n, c, h, w = x.shape
        rows = (n, c, h // times, times, w)
        name = self.expand(x.name, x.shape, rows, 2)
        split = (*rows[:4], w // times, times)
        name = self.expand(name, rows, split, 4)
        turn = (0, 3, 5, 1, 2, 4)
        return self.turn(x, name, split, turn, (n, c * times**2, h // times, w // times))

    def turn(self, x, name, split, order, to):
        """Transposes x, split in dimensions already, and joins them to four."""
        name = self.transpose_text(name, split, order)
        turned = [split[i] for i in order]
        groups, dims = [], list(range(len(turned)))
        for size in to:
            group, product = [dims.pop(0)], turned[len(turned) - len(dims) - 1]
            while product < size:
                product *= turned[dims[0]]
                group.append(dims.pop(0))
            groups.append(group)
        groups[-1] += dims
        name = self.op(
            f"tensor.collapse_shape {name} {groups} : {self.t(turned)} into {self.t(to)}"
        )

        def move(v):
            return v.reshape(split).transpose(order).reshape(to)

        return Value(name, move(x.value), move(x.error))

    def resize(self, x, axis, taps):
        """Along an axis, sums of elements: `taps` lists positions and weights, as
        long as the result; without weights, the elements themselves."""
        f, size = self.type, len(taps[0][0])
        to = tuple(size if dim == axis else s for dim, s in enumerate(x.shape))
        at = [f"%i{dim}" for dim in range(len(to))]
        lines = [f"{name} = linalg.index {dim} : index" for dim, name in enumerate(at)]
        value = error = magnitude = 0
        for t, (positions, weights) in enumerate(taps):
            ints = self.op(f"arith.constant dense<{list(positions)}> : tensor<{size}xi64>")
            index = ", ".join([*at[:axis], f"%q{t}", *at[axis + 1 :]])
            lines += [
                f"%p{t} = tensor.extract {ints}[{at[axis]}] : tensor<{size}xi64>",
                f"%q{t} = arith.index_cast %p{t} : i64 to index",
                f"%e{t} = tensor.extract {x.name}[{index}] : {self.t(x.shape)}",
            ]
            part, off = x.value.take(positions, axis), x.error.take(positions, axis)
            if weights is None:
                lines.append(f"linalg.yield %e{t} : {f}")
                value, error = part, off
                continue
            floats = self.op(f"arith.constant dense<{list(weights)}> : {self.t([size])}")
            lines += [
                f"%w{t} = tensor.extract {floats}[{at[axis]}] : {self.t([size])}",
                f"%m{t} = arith.mulf %e{t}, %w{t} : {f}",
            ]
            if t:
                before = f"%s{t - 1}" if t > 1 else "%m0"
                lines.append(f"%s{t} = arith.addf {before}, %m{t} : {f}")
            by = np.reshape(weights, [-1] + [1] * (len(to) - axis - 1))
            value, error = value + part * by, error + off * abs(by)
            magnitude = magnitude + abs(part * by)
        if taps[0][1] is not None:
            lines.append(f"linalg.yield %s{len(taps) - 1} : {f}")
            error = self.rounded(value, magnitude, error, len(taps) + 1)
        name = self.elementwise([], [], lines, to)
        return Value(name, value, error)

    def pick_channels(self, x, positions):
        """The channels of these numbers, in this order."""
        return self.resize(x, 1, [(positions, None)])

    def resize_nearest(self, x, height, width):
        for axis, size in ((2, height), (3, width)):
            positions = [i * x.shape[axis] // size for i in range(size)]
            x = self.resize(x, axis, [(positions, None)])
        return x

    def resize_linear(self, x, unit):
        """Twice the width, `unit` being the weight of the farther element."""
        size = x.shape[3]
        near = [i // 2 for i in range(2 * size)]
        far = [min(max(n + (1 if i % 2 else -1), 0), size - 1) for i, n in enumerate(near)]
        weights = [3.0 * unit] * len(near), [1.0 * unit] * len(near)
        return self.resize(x, 3, list(zip((near, far), weights)))

    def multiply(self, a, b):
        name = self.op(f"arith.mulf {a.name}, {b.name} : {self.t(a.shape)}")
        value = a.value * b.value
        error = a.error * abs(b.value) + abs(a.value) * b.error + a.error * b.error
        return Value(name, value, self.rounded(value, abs(value), error, 1))

    # -- Over the channels -------------------------------------------------------

    def reduce_channels(self, x, kind):
        """The sum or maximum over dimension 1, which stays with size 1."""
        to = (x.shape[0], *x.shape[2:])
        if kind == "max":
            lowest = {"f32": "0xFF800000", "f64": "0xFFF0000000000000"}[self.type]
            init = self.op(f"arith.constant dense<{lowest}> : {self.t(to)}")
            value, error = x.value.max(1), x.error.max(1)
        else:
            init, value = self.zeros(to), x.value.sum(1)
            size = abs(x.value).sum(1)
            error = self.added_up(value, size, x.error.sum(1), x.shape[1])
        step = "maximumf" if kind == "max" else "addf"
        name = self.op(
            f"linalg.reduce ins({x.name} : {self.t(x.shape)}) "
            f"outs({init} : {self.t(to)}) dimensions = [1] "
            f"(%a: {self.type}, %o: {self.type}) {{\n"
            f"    %s = arith.{step} %a, %o : {self.type}\n"
            f"    linalg.yield %s : {self.type}\n  }}"
        )
        return Value(name, value, error)

    def with_rest(self, x, of_channels, lines, value, error):
        """An elementwise function of x (%a) and of what a reduction left (%b)."""
        rest = ", ".join(f"d{i}" for i in range(len(x.shape)) if i != 1)
        name = self.elementwise([x, of_channels], ["", rest], lines, x.shape)
        return Value(name, value, error)

    def center(self, x):
        """size * x - sum(x): a layer normalisation without its division."""
        total, size = self.reduce_channels(x, "sum"), x.shape[1]
        value = size * x.value - total.value[:, None]
        magnitude = size * abs(x.value) + abs(total.value[:, None])
        error = size * x.error + total.error[:, None]
        lines = [
            f"%n = arith.constant {float(size)} : {self.type}",
            f"%p = arith.mulf %a, %n : {self.type}",
            f"%r = arith.subf %p, %b : {self.type}",
            f"linalg.yield %r : {self.type}",
        ]
        return self.with_rest(
            x, total, lines, value, self.rounded(value, magnitude, error, 2)
        )

    def below_peak(self, x):
        """x - max(x): what a softmax does first."""
        peak = self.reduce_channels(x, "max")
        value = x.value - peak.value[:, None]
        error = self.rounded(value, abs(value), x.error + peak.error[:, None], 1)
        lines = [
            f"%r = arith.subf %a, %b : {self.type}",
            f"linalg.yield %r : {self.type}",
        ]
        return self.with_rest(x, peak, lines, value, error)

    def softmax(self, x):
        """Over dimension 1, in floats."""
        low = self.below_peak(x)
        name = self.elementwise(
            [low],
            [""],
            [
                f"%r = math.exp %a : {self.type}",
                f"linalg.yield %r : {self.type}",
            ],
            x.shape,
        )
        powers = np.exp(low.value)
        # Relative to the power: what came in, and the exponential's own error.
        growth = np.expm1(low.error) + 4 * self.unit
        powers = Value(name, powers, powers * growth)
        total = self.reduce_channels(powers, "sum")
        value = powers.value / total.value[:, None]
        relative = powers.error / powers.value + total.error[:, None] / (
            total.value[:, None] - total.error[:, None]
        )
        error = value * (np.expm1(relative) + 4 * self.unit)
        lines = [
            f"%r = arith.divf %a, %b : {self.type}",
            f"linalg.yield %r : {self.type}",
        ]
        return self.with_rest(powers, total, lines, value, error)

    # -- Functions ---------------------------------------------------------------

    def call(self, x, name, body):
        """What `body` makes of x, in a function of its own."""
        outer, self.lines = self.lines, []
        result = body(Value("%argument", x.value, x.error))
        lines, self.lines = "\n".join(self.lines), outer
        to = self.t(result.shape)
        self.module.functions.append(
            f"func.func private @{name}(%argument: {self.t(x.shape)}) -> {to} {{\n"
            f"{lines}\n  return {result.name} : {to}\n}}"
        )
        called = self.op(
            f"func.call @{name}({x.name}) : ({self.t(x.shape)}) -> {to}"
        )
        return Value(called, result.value, result.error)
