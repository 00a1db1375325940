# RUN: %python %s --count=100
# RUN: %python %s --count=60 --mask
"""Networks compute the same after their dead channels left.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Random networks with residual sums, concatenations, slices, depthwise and
grouped convolutions, normalisation, flattening, transposed and shared weights,
several outputs, paddings with other numbers than zero, and attention. Some
filters, rows and columns of the weights are zero, with and without a bias of
zero. `--prune-remove-channels` shrinks them; the compiled result is compared
with numpy's evaluation of the original: `==` on small integers, within the
computed rounding bound on floats. At least a tenth of all parameters has to go.

With --mask, `--prune-mask-channels` decides first, with options drawn at random,
and the shrunk network is compared with the masked one, both compiled.

    channel-networks.py --seed=N --count=1
"""

import argparse
import pathlib
import sys
import tempfile

import numpy as np

from channelnets import ChannelNetwork
from mlirtext import Module, quantize, read_resources
from tools import output_of

# LLVM's time grows faster than the size of a function.
PER_MODULE = 5


class Drawing:
    """Adds one random network to a function."""

    def __init__(self, net, seed, integers, alive):
        self.net, self.integers, self.alive = net, integers, alive
        self.rng = np.random.default_rng(seed)
        self.prefix, self.layers = f"net{seed}", 0

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

    def layer(self, x):
        """One step on an image."""
        channels = x.shape[1]
        kind = self.pick(
            "conv", "conv", "residual", "concat", "depthwise", "grouped",
            "normalize", "cut", "pad", "shortcut", "pool",
        )  # fmt: skip
        if kind == "residual":
            return self.net.add(x, self.conv(x, channels))
        if kind == "concat":
            a, b = self.conv(x, self.number(1, 5)), self.conv(x, 3)
            return self.net.concat(self.net.concat(a, x), b)
        if kind == "depthwise":
            name = self.name()
            y = self.net.depthwise(
                self.net.pad(x, 1), f"{name}.weight", self.weight(channels, 3, 3)
            )
            return self.bias(y, name)
        if kind == "grouped" and channels % 2 == 0:
            weight = self.weight(2 * self.number(1, 3), channels // 2, 1, 1)
            return self.net.grouped(x, f"{self.name()}.weight", weight, 2)
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
        if kind == "shortcut" and min(x.shape[2:]) >= 3:
            shorter = self.net.pad_channels(self.net.cut_space(x), 1, 2)
            return self.net.add(shorter, self.conv(self.net.cut_space(x), channels + 3))
        if kind == "pool" and min(x.shape[2:]) >= 3:
            return self.net.pool(x, self.pick("max", "sum"), 2, 1)
        return self.conv(x, self.number(2, 8))

    def image_part(self):
        shape = (self.number(1, 2), self.number(1, 3), self.number(4, 7), 5)
        x = self.net.input(self.numbers(*shape))
        for _ in range(self.number(2, 5)):
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
        for _ in range(self.number(1, 4)):
            kind = self.pick("plain", "plain", "residual", "concat", "shared", "heads")
            if kind == "residual" and x.shape[1] < 60:
                x = self.net.add(x, self.dense(x, x.shape[1]))
            elif kind == "concat":
                x = self.net.concat(self.dense(x, self.number(2, 16)), self.dense(x, 5))
            elif kind == "shared" and x.shape[1] < 20:
                x = self.shared(x)
            elif kind == "heads" and abs(x.value).max() < 1e3:
                x = self.attention(x) if self.integers else x
            else:
                x = self.dense(x, self.number(2, 24))
            x = self.activation(x)
        self.net.output(self.dense(x, self.number(1, 8)))


def draw(seeds, integers, alive=False):
    """A module with all networks of the seeds in one function."""
    module = Module()
    # Integers stay exact below 2^53: checked, not assumed.
    net = ChannelNetwork(module, "f64" if integers else "f32")
    owners = []
    for seed in seeds:
        Drawing(net, seed, integers, alive).draw()
        owners += [seed] * (len(net.outputs) - len(owners))
    net.finish()
    return module, net, owners


def run_network(folder, module, net):
    """The compiled module's results."""
    inputs = [f"--input=@{folder}/x{i}.npy" for i in range(len(net.inputs))]
    outputs = [f"--output=@{folder}/y{i}.npy" for i in range(len(net.outputs))]
    output_of("prune-run", module, *inputs, *outputs)
    return [
        np.load(folder / f"y{i}.npy").astype(np.float64)
        for i in range(len(net.outputs))
    ]


def size_of(text):
    return sum(len(data) for data in read_resources(text).values())


def save_inputs(folder, net, integers):
    for i, (_, values) in enumerate(net.inputs):
        np.save(folder / f"x{i}.npy", values.astype("f8" if integers else "f4"))


def check(folder, seeds, integers):
    """Returns the seeds that disagree, and sizes before and after."""
    module, net, owners = draw(seeds, integers)
    before, after = folder / "before.mlir", folder / "after.mlir"
    before.write_text(module.text())
    output_of("prune-opt", before, "--prune-remove-channels", "-o", after)
    save_inputs(folder, net, integers)
    bad = []
    for found, wanted, seed in zip(run_network(folder, after, net), net.outputs, owners):
        if integers:
            assert abs(wanted.value).max() < 2.0**50, f"seed {seed} is inexact"
        bound = np.zeros_like(wanted.value) if integers else wanted.error
        if not (abs(found - wanted.value) <= bound).all():
            bad.append(seed)
    return bad, size_of(before.read_text()), size_of(after.read_text())


def check_masked(folder, seeds):
    """The same for a decision of ours, on integers."""
    rng = np.random.default_rng(seeds[0])
    options = [
        f"ratio={rng.choice([0.25, 0.5, 0.75])}",
        f"criterion={rng.choice(['l1', 'l2', 'random'])}",
        f"scope={rng.choice(['local', 'global'])}",
        f"round-to={rng.choice([1, 1, 2])}",
        f"reshape={rng.choice(['outer', 'inner'])}",
    ]
    module, net, owners = draw(seeds, True, alive=True)
    files = [folder / f"{name}.mlir" for name in ("before", "masked", "after")]
    files[0].write_text(module.text())
    decision = "--prune-mask-channels=" + " ".join(options)
    fold = "--prune-fold-masks"
    output_of("prune-opt", files[0], decision, fold, "-o", files[1])
    text = files[1].read_text()
    assert "prune.apply" not in text, f"not folded: seeds {seeds}, {decision}"
    output_of("prune-opt", files[1], "--prune-remove-channels", "-o", files[2])
    save_inputs(folder, net, True)
    results = (run_network(folder, f, net) for f in files[1:])
    bad = [s for a, b, s in zip(*results, owners) if not np.array_equal(a, b)]
    return bad, size_of(text), size_of(files[2].read_text())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--mask", action="store_true", help="decide first")
    parser.add_argument("--keep", type=pathlib.Path, help="where to leave files")
    options = parser.parse_args()
    bad, before, after = [], 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        last = options.seed + options.count
        for first in range(options.seed, last, PER_MODULE):
            seeds = range(first, min(first + PER_MODULE, last))
            integers = first // PER_MODULE % 4 != 3
            if options.mask:
                wrong, old, new = check_masked(folder, seeds)
            else:
                wrong, old, new = check(folder, seeds, integers)
            bad += wrong
            before, after = before + old, after + new
    for seed in bad:
        print(f"differs: --seed={seed}")
    print(f"{options.count} networks, {before} bytes of weights before, {after} after")
    if options.count >= PER_MODULE:
        assert after < 0.9 * before, "hardly anything was removed"
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
