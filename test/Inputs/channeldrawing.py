"""Draws networks at random in which channels move in every way.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A network is determined by its seed. With `limit`, it ends after so many layers:
the beginning is the same, so that a failure can be made smaller. Decisions that
look at values are noted in `answers`, and taken from there when the network is
drawn again with other weights.
"""

import numpy as np

from mlirtext import quantize


class Drawing:
    """Adds one random network to a function."""

    def __init__(self, net, seed, integers, alive, limit=None, answers=None):
        self.net, self.integers, self.alive = net, integers, alive
        self.rng = np.random.default_rng(seed)
        self.prefix, self.layers = f"net{seed}", 0
        self.left = limit
        self.answers, self.replayed = [], list(answers or [])

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, *items):
        return items[int(self.rng.integers(len(items)))]

    def number(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def numbers(self, *shape):
        if self.integers:
            return self.rng.integers(-2, 3, shape).astype(float)
        return quantize(self.rng.normal(0, 1, shape), self.net.type)

    def holds(self, fact):
        """Whether something is true of the values, the first time."""
        self.answers.append(self.replayed.pop(0) if self.replayed else bool(fact))
        return self.answers[-1]

    def size_below(self, x, bound):
        return self.holds(abs(x.value).max(initial=0) < bound)

    def steps(self, low, high):
        """A number of layers, fewer if the limit is reached."""
        for _ in range(self.number(low, high)):
            if self.left is not None:
                if self.left == 0:
                    return
                self.left -= 1
            yield

    def name(self):
        self.layers += 1
        return f"{self.prefix}.layer{self.layers}"

    def weight(self, *shape):
        """Some outputs (dimension 0) and inputs (1) are dead, unless alive."""
        values = self.numbers(*shape)
        if self.alive:
            self.dead = np.zeros(shape[0], bool)
            return values
        self.dead = self.rng.random(shape[0]) < self.pick(0, 0.3, 0.5, 0.95)
        values[self.dead] = 0
        if len(shape) > 1:
            values[:, self.rng.random(shape[1]) < self.pick(0, 0.2, 0.5)] = 0
        return values

    def bias(self, y, name):
        """Dead outputs may have a bias: then they are constant, not zero."""
        values = self.numbers(y.shape[1])
        if self.chance(0.6) and len(values) == len(self.dead):
            values[self.dead] = 0
        return self.net.bias(y, f"{name}.bias", values)

    def activation(self, x):
        kind = self.pick("relu", "relu", "generic", "none", "sigmoid")
        if kind == "sigmoid" and not self.integers:
            return self.net.sigmoid(x)
        return x if kind == "none" else self.net.relu(x, kind == "generic")

    def dense(self, x, outputs):
        name = self.name()
        weight = self.weight(outputs, x.shape[1])
        variant = self.pick("plain", "transposed", "reshaped", "left", "generic")
        y = self.net.linear(x, f"{name}.weight", weight, variant)
        return self.bias(y, name) if self.chance(0.6) else y

    def conv(self, x, filters):
        """Keeps height and width."""
        name = self.name()
        x, size = (self.net.pad(x, 1), 3) if self.chance(0.6) else (x, 1)
        weight = self.weight(filters, x.shape[1], size, size)
        layout = self.pick("nchw_fchw", "nhwc_hwcf")
        y = self.net.conv(x, f"{name}.weight", weight, layout=layout)
        return self.bias(y, name) if self.chance(0.5) else y

    def normalize(self, x):
        size = x.shape[1]
        mean, scale, shift = (self.numbers(size) for _ in range(3))
        dead = self.rng.random(size) < self.pick(0, 0.5)
        scale[dead] = 0
        if self.chance(0.5):
            shift[dead] = 0
        return self.net.normalize(x, self.name(), mean, scale, shift)

    def conv_of_groups(self, x):
        """A grouped convolution as slices, convolutions and concatenations."""
        half = x.shape[1] // 2
        parts = [self.conv(self.net.cut(x, at, half), 2) for at in (0, half)]
        return self.net.concat(*parts)

    def depthwise(self, x):
        name, channels = self.name(), x.shape[1]
        padded = self.net.pad(x, 1)
        if self.chance(0.3):
            # Dimensions 0 and 1 of the drawn weight, which has the dead slices.
            weight = np.moveaxis(self.weight(channels, 2, 3, 3), (0, 1), (2, 3))
            weight = np.ascontiguousarray(weight)
            return self.net.multiplied(padded, f"{name}.weight", weight)
        weight = self.weight(channels, 3, 3)
        return self.bias(self.net.depthwise(padded, f"{name}.weight", weight), name)

    def called(self, x):
        """A convolution or product in a function of its own."""
        size = self.number(2, 5)
        inside = self.conv if len(x.shape) == 4 else self.dense
        name = f"{self.name()}".replace(".", "_")
        y = self.net.call(x, name, lambda argument: inside(argument, size))
        return self.net.concat(y, inside(x, 2)) if self.chance(0.5) else y

    def gated(self, x):
        """One half of the channels times the other."""
        half = x.shape[1] // 2
        if half == 0 or not self.size_below(x, 1e3):
            return x
        left, right = self.net.cut(x, 0, half), self.net.cut(x, half, half)
        return self.net.multiply(left, right)

    def over_channels(self, x):
        """What looks at all channels at once."""
        kind = self.pick("center", "peak", "softmax")
        if kind == "softmax" and not self.integers:
            return self.net.softmax(x)
        if kind == "center" and self.size_below(x, 1e6):
            return self.net.center(x)
        return self.net.below_peak(x)

    def levels(self, x):
        """One convolution on two sizes of an image, brought together again."""
        name, height, width = self.name(), *x.shape[2:]
        weight = self.weight(self.number(2, 5), x.shape[1], 1, 1)
        bias = self.numbers(len(weight))
        parts = []
        for image in (x, self.net.pool(x, "max", 2, 2)):
            y = self.net.bias(self.net.conv(image, name, weight), f"{name}.bias", bias)
            parts.append(self.net.resize_nearest(self.net.relu(y), height, width))
        if self.chance(0.5):
            return self.net.add(*parts)
        return self.net.concat(*(self.conv(part, 3) for part in parts))

    def pixels(self, x):
        """Channels become positions, or positions become channels."""
        height, width = x.shape[2:]
        if self.chance(0.5) and height * width <= 100:
            wide = self.conv(x, 4 * self.number(1, 3))
            return self.net.split_pixels(wide, 2, self.pick("dcr", "crd"))
        even = self.net.resize_nearest(x, height + height % 2, width + width % 2)
        return self.net.join_pixels(even, 2)

    def resampled(self, x, kind):
        """What changes the size of an image, for each channel alike."""
        height, width = x.shape[2:]
        if kind == "padded pool":
            size, stride = self.pick((2, 1), (3, 1), (3, 2))
            low, high = self.pick((1, 1), (0, 1), (1, 0), (size - 1, size - 1))
            padded = self.net.pad_space(x, -np.inf, low, high)
            fits = min(padded.shape[2:]) >= size
            return self.net.pool(padded, "max", size, stride) if fits else x
        if kind == "levels" and min(height, width) >= 2:
            return self.levels(x)
        if kind == "pixels":
            return self.pixels(x)
        if width < 20 and self.size_below(x, 1e6) and self.chance(0.5):
            return self.net.resize_linear(x, 1 if self.integers else 0.25)
        return self.net.resize_nearest(x, self.number(2, 9), self.number(2, 9))

    def layer(self, x):
        """One step on an image."""
        channels = x.shape[1]
        kind = self.pick(
            "conv", "conv", "residual", "concat", "depthwise", "grouped",
            "normalize", "cut", "pad", "border", "shortcut", "pool", "split",
            "shuffle", "gated", "called", "over channels", "padded pool", "resize",
            "pixels", "levels", "pick",
        )  # fmt: skip
        if kind == "pick":
            count = self.number(1, channels + 1)
            places = [self.number(0, channels - 1) for _ in range(count)]
            return self.net.pick_channels(x, places)
        if kind in ("padded pool", "resize", "pixels", "levels"):
            return self.resampled(x, kind)
        if kind == "residual":
            return self.net.add(x, self.conv(x, channels))
        if kind == "concat":
            a, b = self.conv(x, self.number(1, 5)), self.conv(x, 3)
            return self.net.concat(self.net.concat(a, x), b)
        if kind == "depthwise":
            return self.depthwise(x)
        if kind == "grouped" and channels % 2 == 0:
            weight = self.weight(2 * self.number(1, 3), channels // 2, 1, 1)
            return self.net.grouped(x, f"{self.name()}.weight", weight, 2)
        if kind == "split" and channels % 2 == 0:
            return self.conv_of_groups(x)
        if kind == "shuffle" and channels % 2 == 0:
            return self.net.shuffle(x, self.pick(2, channels // 2))
        if kind == "normalize":
            return self.normalize(x)
        if kind == "cut" and channels > 2:
            begin = self.number(0, channels - 2)
            part = self.net.cut(x, begin, self.number(1, channels - begin))
            return self.net.concat(part, self.conv(x, 2))
        if kind == "pad":
            return self.net.pad_channels(
                x, self.number(0, 2), self.number(0, 2), self.pick(0.0, 2.0)
            )
        if kind == "border":
            return self.conv(self.net.pad_space(x, self.pick(1.0, -2.0)), 3)
        if kind == "shortcut" and min(x.shape[2:]) >= 3:
            shorter = self.net.pad_channels(self.net.cut_space(x), 1, 2)
            return self.net.add(shorter, self.conv(self.net.cut_space(x), channels + 3))
        if kind == "pool" and min(x.shape[2:]) >= 3:
            return self.net.pool(x, self.pick("max", "sum"), 2, 1)
        if kind == "gated":
            return self.gated(x)
        if kind == "called":
            return self.called(x)
        if kind == "over channels":
            return self.over_channels(x)
        return self.conv(x, self.number(2, 8))

    def image_part(self):
        shape = (self.number(1, 2), self.number(1, 3), self.number(4, 7), 5)
        x = self.net.input(self.numbers(*shape))
        for _ in self.steps(2, 5):
            if self.size_below(x, 1e9):
                x = self.activation(self.layer(x))
        if self.chance(0.1):
            self.net.output(x)
        return self.net.sum_space(x) if self.chance(0.3) else self.net.flatten(x)

    def attention(self, x):
        heads, size, features = self.number(2, 3), self.number(2, 4), x.shape[1]
        weights = {n: self.weight(heads * size, features) for n in "qkv"}
        if self.chance(0.6):
            # A dead head, or a dead feature of every head.
            shape = (heads, size, features)
            part = np.s_[0] if self.chance(0.5) else np.s_[:, 0]
            for n in self.pick("v", "qkv"):
                weights[n].reshape(shape)[part] = 0
        weights["o"] = self.weight(self.number(2, 9), heads * size)
        return self.net.attention(x, self.name(), weights, heads)

    def recurrence(self, x):
        hidden, features = self.number(2, 6), x.shape[1]
        weights = {"w": self.weight(2 * hidden, features), "r": self.weight(2 * hidden, hidden)}
        if not self.alive:
            # The same unit in both gates.
            dead = np.tile(self.rng.random(hidden) < 0.4, 2)
            for weight in weights.values():
                weight[dead] = 0
        return self.net.recurrence(x, self.name(), weights, self.chance(0.5), self.chance(0.5))

    def shared(self, x):
        """One weight twice, with a residual sum."""
        weight, name = self.weight(x.shape[1], x.shape[1]), self.name()
        y = self.net.linear(x, name, weight, "transposed")
        z = self.net.linear(self.net.relu(y), name, weight, "transposed")
        return self.net.add(y, z)

    def draw(self):
        if self.chance(0.6):
            x = self.image_part()
        else:
            x = self.net.input(self.numbers(self.number(1, 5), self.number(3, 20)))
        for _ in self.steps(1, 4):
            kind = self.pick(
                "plain", "plain", "residual", "concat", "shared", "heads", "gated",
                "called", "over channels", "recurrence",
            )  # fmt: skip
            if not self.size_below(x, 1e9):
                break
            if kind == "residual" and x.shape[1] < 60:
                x = self.net.add(x, self.dense(x, x.shape[1]))
            elif kind == "concat":
                x = self.net.concat(self.dense(x, self.number(2, 16)), self.dense(x, 5))
            elif kind == "shared" and x.shape[1] < 20:
                x = self.shared(x)
            elif kind == "heads" and self.integers and self.size_below(x, 1e3):
                x = self.attention(x)
            elif kind == "gated":
                x = self.gated(x)
            elif kind == "called":
                x = self.called(x)
            elif kind == "recurrence" and self.size_below(x, 1e3):
                x = self.recurrence(x)
            elif kind == "over channels":
                x = self.over_channels(x)
            else:
                x = self.dense(x, self.number(2, 24))
            x = self.activation(x)
        self.net.output(self.dense(x, self.number(1, 8)))
