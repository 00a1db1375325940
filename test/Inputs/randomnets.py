"""Draws networks at random, as a library for tests.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    net = draw(module, seed, "f32", decide)

appends layers to a function of `module` and evaluates them beside (networks.py):
linear layers in several disguises, convolutions in one and two dimensions with
stride, dilation, groups and padding, pooling, resizes, pixel shuffles,
normalisation, residuals, concats, splits, reshapes, transposes, shared weights,
several inputs and outputs. Sizes are between 1 and 67, with primes and the
neighbours of vector widths.

Even seeds are exact: all numbers are small integers, every sum is checked to stay
within the mantissa of the type, and results are compared with `==`. Odd seeds are
floats, compared within the bound that networks.py computes. A seed draws the same
network everywhere; a network is simplified with choices.shrink.
"""

import numpy as np

from channelnets import ChannelNetwork
from choices import Choices
from mlirtext import quantize
from networks import UNIT, Value, convolution

FEATURES = [1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 23, 31, 32, 33, 37, 47, 63, 64]
FEATURES += [65, 67]
CHANNELS = [1, 2, 3, 4, 5, 7, 8, 9]
ROWS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17]
# Most features of a flattened image.
LARGEST = 400
# The largest integer, where activations are clamped, and how often the list of sizes
# is halved: tried one after the other until every sum is exact.
INTEGERS = [(2, 3, 0), (1, 3, 0), (1, 1, 0), (1, 1, 1), (1, 1, 2), (1, 1, 3)]
FLOATS = (None, 3, 0)


class Inexact(Exception):
    """Integers grow beyond what the type holds exactly."""


class RandomNetwork(ChannelNetwork):
    """Layers that only random networks have, and the check of exactness."""

    def __init__(self, module, type_name, decide, is_exact):
        super().__init__(module, type_name)
        self.decide, self.is_exact = decide, is_exact
        self.is_half = type_name in ("f16", "bf16")
        self.layers = set()

    def rounded(self, value, magnitude, error, roundings):
        if not self.is_exact:
            return super().rounded(value, magnitude, error, roundings)
        if np.max(magnitude, initial=0) > 0.5 / UNIT[self.type]:
            raise Inexact
        return error

    def clamp(self, x, limit):
        """Keeps integers small."""
        body = [
            f"%low = arith.constant {-limit}.0 : {self.type}",
            f"%high = arith.constant {limit}.0 : {self.type}",
            f"%m = arith.maximumf %a, %low : {self.type}",
            f"%r = arith.minimumf %m, %high : {self.type}",
            f"linalg.yield %r : {self.type}",
        ]
        name = self.elementwise([x], [""], body, x.shape)
        return Value(name, np.clip(x.value, -limit, limit), x.error)

    def transpose(self, x, order):
        name = self.transpose_text(x.name, x.shape, order)
        return Value(name, x.value.transpose(order), x.error.transpose(order))

    def conv_1d(self, x, key, weight, stride, dilation, layout):
        """A convolution of x (N C W) with filters (F C K), no padding."""
        plain = layout == "ncw_fcw"
        order = (0, 1, 2) if plain else (2, 1, 0)
        stored = np.ascontiguousarray(weight.transpose(order))
        kept = self.decide(key, stored, 1).transpose(order)
        w = self.constant(key, stored)

        def convolve(a, k):
            return convolution(a[:, :, None], k[:, :, None], stride, dilation)[:, :, 0]

        y_shape = convolve(x.value, weight).shape
        turned = x if plain else self.transpose(x, (0, 2, 1))
        shape = y_shape if plain else (y_shape[0], y_shape[2], y_shape[1])
        name = self.op(
            f"linalg.conv_1d_{layout} {{dilations = dense<{dilation}> : vector<1xi64>, "
            f"strides = dense<{stride}> : vector<1xi64>}} ins({turned.name}, {w} : "
            f"{self.t(turned.shape)}, {self.t(stored.shape)}) outs({self.zeros(shape)} : "
            f"{self.t(shape)}) -> {self.t(shape)}"
        )
        if not plain:
            name = self.transpose_text(name, shape, (0, 2, 1))
        return self.summed(name, convolve, x, kept, weight[0].size)

    def reduce_rows(self, x):
        """Sums over the last dimension."""
        to = x.shape[:1]
        name = self.op(
            f"linalg.reduce ins({x.name} : {self.t(x.shape)}) "
            f"outs({self.zeros(to)} : {self.t(to)}) dimensions = [1] "
            f"(%a: {self.type}, %o: {self.type}) {{\n"
            f"    %s = arith.addf %a, %o : {self.type}\n"
            f"    linalg.yield %s : {self.type}\n  }}"
        )
        value, size = x.value.sum(1), abs(x.value).sum(1)
        return Value(name, value, self.added_up(value, size, x.error.sum(1), x.shape[1]))

    def layer_norm(self, x):
        """(x - mean) / sqrt(variance + 1/4) of each row."""
        f, n, u = self.type, x.shape[1], self.unit
        total = self.reduce_rows(x)
        body = [
            f"%n = arith.constant {1 / n!r} : {f}",
            f"%m = arith.mulf %b, %n : {f}",
            f"%r = arith.subf %a, %m : {f}",
            f"linalg.yield %r : {f}",
        ]
        name = self.elementwise([x, total], ["", "d0"], body, x.shape)
        mean = total.value[:, None] / n
        off = total.error[:, None] / n
        off = off + 2 * u * (abs(mean) + off)
        value = x.value - mean
        error = x.error + off
        d = Value(name, value, error + u * (abs(value) + error))

        square = ["%r = arith.mulf %a, %a : " + f, f"linalg.yield %r : {f}"]
        name = self.elementwise([d], [""], square, x.shape)
        error = 2 * abs(d.value) * d.error + d.error**2
        squares = Value(name, d.value**2, error + u * (abs(d.value) + d.error) ** 2)
        sums = self.reduce_rows(squares)
        body = [
            f"%n = arith.constant {1 / n!r} : {f}",
            f"%e = arith.constant 0.25 : {f}",
            f"%m = arith.mulf %b, %n : {f}",
            f"%v = arith.addf %m, %e : {f}",
            f"%s = math.sqrt %v : {f}",
            f"%r = arith.divf %a, %s : {f}",
            f"linalg.yield %r : {f}",
        ]
        name = self.elementwise([d, sums], ["", "d0"], body, x.shape)
        variance = sums.value[:, None] / n + 0.25
        off = sums.error[:, None] / n
        off = off + 4 * u * (variance + off)
        # The root of what lies within `off` of the variance.
        least = np.sqrt(np.maximum(variance - off, 0))
        root = np.sqrt(variance)
        off = root - least + 2 * u * root
        value = d.value / root
        with np.errstate(divide="ignore"):
            error = (d.error + abs(value) * off) / np.maximum(root - off, 0)
        return Value(name, value, error + 2 * u * (abs(value) + error))


class Drawing:
    """Adds random layers to a network; the first of every choice is the simplest."""

    def __init__(self, net, choices, seed, limits):
        self.net, self.seed = net, seed
        self.largest, self.limit, self.shift = limits
        self.pick, self.chance, self.below = choices.pick, choices.chance, choices.below
        self.count = 0

    # -- Numbers ---------------------------------------------------------------

    def numbers(self, *shape):
        """They depend on the seed and the layer, not on earlier choices."""
        self.count += 1
        random = np.random.default_rng((self.seed, self.count))
        if self.net.is_exact:
            return random.integers(-self.largest, self.largest + 1, shape).astype(float)
        return quantize(random.normal(0, 1, shape), self.net.type)

    def size(self, sizes):
        """Smaller ones if integers grew too large before."""
        return self.pick(sizes[: max(3, len(sizes) >> self.shift)])

    def key(self):
        return f"net{self.seed}.layer{self.count + 1}"

    def used(self, layer):
        self.net.layers.add(layer)

    # -- Vectors ---------------------------------------------------------------

    def linear(self, x, outputs):
        key = self.key()
        weight = self.numbers(outputs, x.shape[1])
        variant = self.pick(["plain", "transposed", "reshaped", "left", "generic"])
        self.used(f"linear {variant}")
        y = self.net.linear(x, f"{key}.weight", weight, variant)
        if self.chance(50):
            y = self.net.bias(y, f"{key}.bias", self.numbers(outputs))
        return y

    def shared(self, x):
        """One weight, used twice."""
        key, n = self.key(), x.shape[1]
        weight = self.numbers(n, n)
        variant = self.pick(["plain", "transposed", "generic"])
        y = self.net.linear(x, f"{key}.weight", weight, variant)
        y = self.activate(y)
        return self.net.linear(y, f"{key}.weight", weight, variant)

    def activate(self, x):
        if self.net.is_exact:
            kind = self.pick(["clamp", "clamp", "relu"])
        elif self.net.is_half:
            kind = "clamp"
        else:
            kind = self.pick(["relu", "none", "clamp", "sigmoid"])
        if kind == "clamp":
            return self.net.clamp(x, self.limit)
        if kind == "relu":
            return self.net.relu(x, self.chance(50))
        return self.net.sigmoid(x) if kind == "sigmoid" else x

    def vector_layer(self, x):
        kind = self.pick(
            ["linear", "linear", "residual", "concat", "split", "transpose", "shared"]
            + ["norm", "layer norm"]
        )
        self.used(kind)
        n = x.shape[1]
        if kind == "residual":
            return self.net.add(x, self.linear(x, n))
        if kind == "concat":
            a = self.linear(x, self.size(FEATURES))
            return self.net.concat(a, self.linear(x, self.size(FEATURES[:12])))
        if kind == "split" and n > 1:
            at = 1 + self.below(n - 1)
            a, b = self.net.cut(x, 0, at), self.net.cut(x, at, n - at)
            width = self.size(FEATURES)
            return self.net.add(self.linear(a, width), self.linear(b, width))
        if kind == "transpose":
            # Mixes the rows, not the features.
            y = self.linear(self.net.transpose(x, (1, 0)), self.size(ROWS))
            return self.net.transpose(y, (1, 0))
        if kind == "shared" and n <= 40:
            return self.shared(x)
        if kind == "norm":
            return self.normalize(x)
        if kind == "layer norm" and not (self.net.is_exact or self.net.is_half):
            return self.net.layer_norm(x)
        return self.linear(x, self.size(FEATURES))

    # -- Images and signals ----------------------------------------------------

    def normalize(self, x):
        key, n = self.key(), x.shape[1]
        parts = [self.numbers(n) for _ in range(3)]
        return self.net.normalize(x, key, *parts)

    def conv(self, x, filters, keep_size=False):
        key, (height, width) = self.key(), x.shape[2:]
        stride = dilation = 1
        if keep_size:
            x, sizes = self.net.pad(x, 1), (3, 3)
        else:
            x = self.net.pad(x, 1 if self.chance(40) else 0)
            stride, dilation = self.pick([(1, 1), (2, 1), (1, 2), (2, 2), (3, 1)])
            sizes = self.pick([(1, 1), (3, 3), (2, 3), (3, 1), (5, 5)])
            room = (min(x.shape[2:]) - 1) // dilation + 1
            sizes = tuple(min(s, room) for s in sizes)
        self.used(f"conv stride {stride} dilation {dilation}")
        weight = self.numbers(filters, x.shape[1], *sizes)
        layout = self.pick(["nchw_fchw", "nhwc_hwcf"])
        y = self.net.conv(x, f"{key}.weight", weight, stride, dilation, layout)
        if self.chance(50):
            y = self.net.bias(y, f"{key}.bias", self.numbers(filters))
        return y

    def grouped(self, x):
        """Each group of channels has filters of its own."""
        key, channels = self.key(), x.shape[1]
        size = min(3, *x.shape[2:])
        groups = self.pick([g for g in range(1, channels + 1) if channels % g == 0])
        if groups == channels and self.chance(50):
            self.used("depthwise")
            weight = self.numbers(channels, size, size)
            return self.net.depthwise(x, f"{key}.weight", weight)
        filters = groups * (1 + self.below(3))
        weight = self.numbers(filters, channels // groups, size, size)
        return self.net.grouped(x, f"{key}.weight", weight, groups)

    def image_layer(self, x):
        kind = self.pick(["plain", "plain", "residual", "concat", "split", "grouped", "norm"])
        self.used(f"image {kind}")
        filters, channels = self.size(CHANNELS), x.shape[1]
        if kind == "residual":
            x = self.net.add(x, self.conv(x, channels, keep_size=True))
        elif kind == "concat":
            a = self.conv(x, filters, keep_size=True)
            x = self.net.concat(a, self.conv(x, 2, keep_size=True))
        elif kind == "split" and channels > 1:
            at = 1 + self.below(channels - 1)
            a, b = self.net.cut(x, 0, at), self.net.cut(x, at, channels - at)
            x = self.net.concat(b, self.conv(a, filters, keep_size=True))
        elif kind == "grouped":
            x = self.grouped(x)
        elif kind == "norm":
            x = self.normalize(x)
        else:
            x = self.conv(x, filters)
        x = self.activate(x)
        if self.chance(40) and min(x.shape[2:]) >= 3:
            self.used("pooling")
            x = self.net.pool(x, self.pick(["max", "sum"]), self.pick([2, 3]), self.pick([1, 2]))
        return self.resample(x) if self.chance(30) else x

    def resample(self, x):
        """Other sizes, each channel alike, or positions that become channels."""
        kind = self.pick(["padded pool", "nearest", "linear", "split", "join", "levels"])
        n, channels, height, width = x.shape
        self.used(f"image {kind}")
        if kind == "padded pool":
            size = self.pick([2, 3])
            padded = self.net.pad_space(x, -np.inf, self.below(size), self.below(size))
            fits = min(padded.shape[2:]) >= size
            return self.net.pool(padded, "max", size, self.pick([1, 2])) if fits else x
        if kind == "linear":
            y = self.net.resize_linear(x, 1 if self.net.is_exact else 0.25)
            return self.net.clamp(y, self.limit) if self.net.is_exact else y
        if kind == "split" and channels % 4 == 0:
            return self.net.split_pixels(x, 2, self.pick(["dcr", "crd"]))
        if kind == "join" and height % 2 == width % 2 == 0:
            return self.net.join_pixels(x, 2)
        if kind == "levels" and min(height, width) >= 2:
            return self.levels(x)
        sizes = [1, 2, 3, 5, 8]
        return self.net.resize_nearest(x, self.pick(sizes), self.pick(sizes))

    def levels(self, x):
        """One convolution on two sizes of an image."""
        key, (height, width) = self.key(), x.shape[2:]
        weight = self.numbers(self.size(CHANNELS), x.shape[1], 1, 1)
        small = self.net.pool(x, "max", 2, 2)
        parts = [self.net.conv(image, f"{key}.weight", weight) for image in (x, small)]
        parts = [self.net.resize_nearest(part, height, width) for part in parts]
        return self.activate(self.net.add(*parts))

    def image(self):
        batch, channels = 1 + self.below(2), self.size(CHANNELS)
        x = self.net.input(self.numbers(batch, channels, 3 + self.below(10), 3 + self.below(10)))
        for _ in range(1 + self.below(2)):
            x = self.image_layer(x)
        if self.chance(30) or np.prod(x.shape[1:]) > LARGEST:
            self.used("sum over space")
            return self.net.sum_space(x)
        return self.net.flatten(x)

    def signal(self):
        """One dimension of space; reshaped from a vector now and then."""
        batch, channels = 1 + self.below(3), self.size(CHANNELS)
        length = self.pick([3, 5, 8, 13, 17, 31])
        if self.chance(30):
            self.used("reshape")
            x = self.net.input(self.numbers(batch, channels * length))
            shape = (batch, channels, length)
            name = self.net.expand(x.name, x.shape, shape, 1)
            x = Value(name, x.value.reshape(shape), x.error.reshape(shape))
        else:
            x = self.net.input(self.numbers(batch, channels, length))
        for _ in range(1 + self.below(2)):
            key = self.key()
            stride, dilation = self.pick([(1, 1), (2, 1), (1, 2), (2, 2), (1, 3)])
            size = min(self.pick([1, 2, 3, 5]), (x.shape[2] - 1) // dilation + 1)
            weight = self.numbers(self.size(CHANNELS), x.shape[1], size)
            layout = self.pick(["ncw_fcw", "nwc_wcf"])
            self.used(f"conv 1-D {layout}")
            x = self.net.conv_1d(x, f"{key}.weight", weight, stride, dilation, layout)
            x = self.activate(x)
        return self.net.flatten(x)

    def vector(self):
        return self.net.input(self.numbers(self.pick(ROWS), self.size(FEATURES)))

    # -- Networks --------------------------------------------------------------

    def draw(self):
        kind = self.pick(["vector", "image", "signal", "image"])
        x = {"vector": self.vector, "image": self.image, "signal": self.signal}[kind]()
        for _ in range(1 + self.below(2)):
            x = self.activate(self.vector_layer(x))
            if self.chance(20):
                self.used("several outputs")
                self.net.output(x)
        if self.chance(20):
            self.used("several inputs")
            other = self.net.input(self.numbers(*x.shape))
            x = self.net.add(x, other)
        self.net.output(self.linear(x, self.size(FEATURES[:14])))


def draw(module, seed, type_name, decide, record=None):
    """The network of a seed, or of a record of choices, added to the module.

    Its attribute `record` makes it again. An exact network whose integers grow too
    large is drawn again with smaller ones, and is one of floats in the end.
    """
    attempts = [(False, FLOATS)] if seed % 2 else [(True, i) for i in INTEGERS]
    for is_exact, limits in attempts + [(False, FLOATS)]:
        before = dict(module.resources)
        net = RandomNetwork(module, type_name, decide, is_exact)
        choices = Choices(seed, record)
        try:
            Drawing(net, choices, seed, limits).draw()
        except Inexact:
            module.resources = before
            continue
        net.record = choices.record
        return net
    raise AssertionError("unreachable: floats are never inexact")
