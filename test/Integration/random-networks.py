# RUN: %python %s --count=208
# RUN: %python %s --seed=104 --count=26 --kernels=csr,csc,blocked-csr,8x1,2of4
"""Pruned random networks compute what numpy says.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

For each seed a network of several layers: linear layers in several disguises,
convolutions with stride and dilation, biases, activations, pooling, residual
additions and concatenations, of odd sizes. It is pruned by `--prune-weights`,
then compiled. The results are compared with a float64 evaluation in numpy under
masks from masks.py: equal on small integers, within the computed rounding bound
on floats.

Many networks share a module and so a process, each as a function of its own. A
network that fails is named by its seed:

    random-networks.py --seed=N --count=1
"""

import argparse
import pathlib
import sys
import tempfile

import numpy as np

import masks
from mlirtext import Module, quantize
from networks import Network
from tools import output_of

PER_MODULE = 26
EXACT = {"f32": 2**24, "f64": 2**53}
DECISIONS = [
    ("element", {"sparsity": 0.5}, "l1"),
    ("element", {"sparsity": 0.9}, "l2"),
    ("element", {"threshold": 0.8}, "l1"),
    ("block:4x1", {"sparsity": 0.6}, "l2"),
    ("2:4", {}, "l1"),
    ("element", {"sparsity": 0.75}, "random"),
    ("element", {"count": 1}, "l1"),
    ("block:1x2", {"sparsity": 0.8}, "l1"),
]


class Inexact(Exception):
    """Integers grow beyond what the type holds exactly."""


# -- Drawing a network ---------------------------------------------------------


class Drawing:
    """Adds random layers to a network."""

    def __init__(self, net, rng, prefix, integers):
        self.net, self.rng, self.prefix, self.integers = net, rng, prefix, integers
        self.layers = 0

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, *items):
        return items[int(self.rng.integers(len(items)))]

    def numbers(self, *shape):
        if self.integers:
            return self.rng.integers(-2, 3, shape).astype(float)
        return quantize(self.rng.normal(0, 1, shape), self.net.type)

    def name(self):
        self.layers += 1
        return f"{self.prefix}.layer{self.layers}"

    def dense(self, x, outputs):
        name = self.name()
        weight = self.numbers(outputs, x.shape[1])
        variant = self.pick("plain", "transposed", "reshaped", "left", "generic")
        y = self.net.linear(x, f"{name}.weight", weight, variant)
        if self.chance(0.6):
            y = self.net.bias(y, f"{name}.bias", self.numbers(outputs))
        return y

    def conv(self, x, filters, keep_size=False):
        channels, height, width = x.shape[1:]
        name, stride, dilation = self.name(), 1, 1
        if keep_size:
            x, sizes = self.net.pad(x, 1), (3, 3)
        else:
            if self.chance(0.4):
                x = self.net.pad(x, 1)
            sizes = self.pick((1, 1), (3, 3), (2, 3), (3, 1))
            stride, dilation = self.pick((1, 1), (2, 1), (1, 2), (2, 2))
            if dilation * 2 >= min(height, width):
                dilation = 1
            if min(height, width) < 3:
                sizes = (1, 1)
        weight = self.numbers(filters, channels, *sizes)
        layout = self.pick("nchw_fchw", "nhwc_hwcf")
        y = self.net.conv(x, f"{name}.weight", weight, stride, dilation, layout)
        if self.chance(0.5):
            y = self.net.bias(y, f"{name}.bias", self.numbers(filters))
        return y

    def activation(self, x):
        if not self.integers and self.chance(0.3):
            return self.net.sigmoid(x)
        return self.net.relu(x, self.chance(0.5)) if self.chance(0.8) else x

    def image_part(self):
        batch, channels = int(self.rng.integers(1, 3)), int(self.rng.integers(1, 4))
        height, width = self.rng.integers(5, 12, 2)
        x = self.net.input(self.numbers(batch, channels, height, width))
        for _ in range(int(self.rng.integers(1, 3))):
            filters = int(self.rng.integers(1, 6))
            kind = self.pick("plain", "plain", "residual", "concat")
            if kind == "residual":
                x = self.net.add(x, self.conv(x, x.shape[1], keep_size=True))
            elif kind == "concat":
                a, b = self.conv(x, filters, True), self.conv(x, 2, True)
                x = self.net.concat(a, b)
            else:
                x = self.conv(x, filters)
            x = self.activation(x)
            if self.chance(0.4) and min(x.shape[2:]) >= 3:
                x = self.net.pool(x, self.pick("max", "sum"), 2, self.pick(1, 2))
        return self.net.flatten(x)

    def vector_part(self):
        batch, features = self.rng.integers(1, 6), self.rng.integers(3, 40)
        return self.net.input(self.numbers(int(batch), int(features)))

    def draw(self):
        x = self.image_part() if self.chance(0.5) else self.vector_part()
        for _ in range(int(self.rng.integers(1, 4))):
            kind = self.pick("plain", "plain", "residual", "concat")
            width = int(self.rng.integers(2, 28))
            if kind == "residual" and x.shape[1] < 60:
                x = self.net.add(x, self.dense(x, x.shape[1]))
            elif kind == "concat":
                x = self.net.concat(self.dense(x, width), self.dense(x, 5))
            else:
                x = self.dense(x, width)
            x = self.activation(x)
        self.net.output(self.dense(x, int(self.rng.integers(1, 12))))


# -- Modules of many networks --------------------------------------------------


def decider(pattern, target, criterion):
    """What `--prune-weights` leaves of a weight."""

    def decide(name, values, summed):
        own = f"{pattern}@{summed}" if pattern == "2:4" else pattern
        if not (masks.applies(own, values.shape) and masks.divides(own, values.shape)):
            return values
        weights = {name: values}
        keep = masks.prune(weights, criterion, own, seed=5, **target)[name]
        return masks.apply(values, keep)

    return decide


class CheckedNetwork(Network):
    """Integers must stay exact: no sum may leave the mantissa."""

    limit = np.inf

    def rounded(self, value, magnitude, error, roundings):
        if np.max(magnitude, initial=0) >= self.limit:
            raise Inexact
        if np.isfinite(self.limit):
            return error
        return super().rounded(value, magnitude, error, roundings)


def draw_network(module, seed, decision):
    """The network of a seed, in f32 unless integers need more."""
    integers = seed % 2 == 0
    for type_name in ("f32", "f64"):
        before = dict(module.resources)
        net = CheckedNetwork(module, type_name, decider(*decision))
        if integers:
            net.limit = EXACT[type_name]
        try:
            rng = np.random.default_rng(seed)
            Drawing(net, rng, f"net{seed}", integers).draw()
            return net
        except Inexact:
            module.resources = before
    raise AssertionError(f"seed {seed}: integers too large")


def compile_and_run(folder, nets, *options):
    """Calls each network's function in one process; returns the results."""
    inputs = [f"--input=@{folder}/x{i}.npy" for i in range(len(nets))]
    outputs = [f"--output=@{folder}/y{i}.npy" for i in range(len(nets))]
    output_of("prune-run", folder / "pruned.mlir", *inputs, *outputs, *options)
    return [np.load(folder / f"y{i}.npy") for i in range(len(nets))]


def agrees(net, found):
    (wanted,) = net.outputs
    if found.shape != wanted.shape:
        return False
    difference = np.abs(found.astype(np.float64) - wanted.value)
    return bool((difference <= wanted.error).all())


def join(module, nets):
    """One function that holds all networks, each with its own argument."""
    joined = Network(module, "f32", None)
    names = []
    for i, net in enumerate(nets):
        net.finish(f"net{i}")
        (_, values), (result,) = net.inputs[0], net.outputs
        argument = f"%x{i}: {net.t(values.shape)}"
        joined.lines.append(
            f"  %y{i} = call @net{i}(%x{i}) : ({net.t(values.shape)}) -> "
            f"{net.t(result.shape)}"
        )
        names.append((argument, f"%y{i}", net.t(result.shape)))
    arguments = ", ".join(a for a, _, _ in names)
    results = ", ".join(r for _, r, _ in names)
    types = ", ".join(t for _, _, t in names)
    body = "\n".join(joined.lines)
    module.functions.append(
        f"func.func @main({arguments}) -> ({types}) {{\n{body}\n"
        f"  return {results} : {types}\n}}"
    )


def check_seeds(folder, seeds, decision, kernels):
    """Returns a line for each network and kernel that disagrees."""
    module = Module()
    nets = [draw_network(module, seed, decision) for seed in seeds]
    join(module, nets)
    source = folder / "network.mlir"
    source.write_text(module.text())
    pattern, target, criterion = decision
    options = [f"{key}={value!r}" for key, value in target.items()]
    options += [f"pattern={pattern}", f"criterion={criterion}", "seed=5"]
    argument = "--prune-weights=" + " ".join(options)
    output_of("prune-opt", source, argument, "-o", folder / "pruned.mlir")
    for i, net in enumerate(nets):
        values = net.inputs[0][1]
        np.save(folder / f"x{i}.npy", values.astype(f"f{int(net.type[1:]) // 8}"))
    bad = []
    for kernel, arguments in kernels.items():
        results = compile_and_run(folder, nets, *arguments)
        for seed, net, found in zip(seeds, nets, results):
            if not agrees(net, found):
                bad.append(f"{kernel} kernels disagree: --seed={seed} ({argument})")
    return bad


def kernel_options(name):
    """Kernels, or a sparse format in the reference kernels."""
    if name in ("dense", "reference", "packed"):
        return (f"--kernels={name}",)
    pack = f"prune-sparsify-weights{{format={name} max-density=1}}"
    return (f"--pipeline={pack}", "--kernels=reference")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=208)
    parser.add_argument("--keep", type=pathlib.Path, help="where to leave files")
    parser.add_argument("--kernels", default="dense,reference,packed")
    options = parser.parse_args()
    kernels = {name: kernel_options(name) for name in options.kernels.split(",")}
    bad = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        last = options.seed + options.count
        for index in range(options.seed // PER_MODULE, -(-last // PER_MODULE)):
            # A seed draws the same network whatever else is in its module.
            first = index * PER_MODULE
            seeds = range(max(first, options.seed), min(first + PER_MODULE, last))
            decision = DECISIONS[index % len(DECISIONS)]
            bad += check_seeds(folder, list(seeds), decision, kernels)
    print("\n".join(bad) or f"{options.count} networks agree")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
