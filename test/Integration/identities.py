# RUN: %python %s
"""Laws that hold whatever the numbers are, checked byte for byte.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Sparsity 0 is the identity; sparsity 1 leaves zeros; pruning twice equals
pruning once; the number of threads changes nothing. Checked on the networks of
the digits example, which have layers behind transposes, convolutions and names;
the number of threads also on a module of many functions and weights, from the
decisions to the LLVM dialect, with everything that the passes say.
"""

import os
import pathlib

import numpy as np

from channelnets import ChannelNetwork
from mlirtext import Module, read_resources
from tools import output_of, run

DIGITS = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"]) / "examples" / "digits"
NETWORKS = [DIGITS / "mlp.mlir", DIGITS / "cnn.mlir"]

# Every criterion, pattern, target and scope once or more.
DECISIONS = [
    "sparsity=0.5",
    "sparsity=0.93 criterion=l2",
    "sparsity=0.7 scope=global",
    "sparsity=0.6 criterion=random seed=3",
    "threshold=0.05",
    "threshold=0.3 pattern=block:1x2 scope=global include=.",
    "count=17",
    "count=15 pattern=block:4x1 criterion=l2 include=.",
    "sparsity=0.8 pattern=block:2x3 criterion=random scope=global include=.",
    "pattern=2:4 include=.",
    "pattern=1:3@0 criterion=random include=.",
]


def weights(text):
    return {k: v for k, v in read_resources(text).items() if ".weight" in k}


def mask_and_fold(text, options, *more):
    return output_of(
        "prune-opt",
        "-",
        f"--prune-mask-weights={options}",
        "--prune-fold-masks",
        *more,
        stdin=text,
    )


for path in NETWORKS:
    text = output_of("prune-opt", path)
    canonical = output_of("prune-opt", path, "--canonicalize")
    names = {key.partition("#")[0] for key in weights(text)}
    assert len(names) == 3, names

    # Nothing goes: the same bytes, through the passes and through the pipeline.
    for nothing in (
        "sparsity=0",
        "sparsity=0 scope=global criterion=random",
        "sparsity=0.0 pattern=block:4x1 include=.",
        "count=0",
        "threshold=0",
        "threshold=-inf criterion=l2",
        "pattern=4:4 include=.",
    ):
        assert mask_and_fold(text, nothing) == text, (path, nothing)
    pruned = output_of("prune-opt", "-", "--prune-weights=sparsity=0", stdin=canonical)
    assert pruned == canonical, path

    # Everything goes: all weights are +0, biases are what they were.
    for everything in (
        "sparsity=1",
        "sparsity=1 scope=global criterion=l2",
        "sparsity=1 pattern=block:7x5 include=.",
        "threshold=inf scope=global",
        "pattern=0:4 include=.",
    ):
        before = read_resources(text)
        after = read_resources(mask_and_fold(text, everything))
        assert set(after) == {k if "bias" in k else k + "#1" for k in before}
        for key, data in after.items():
            if ".weight" in key:
                assert not any(data), (path, everything, key)
            else:
                assert data == before[key], (path, everything, key)

    for options in DECISIONS:
        once = mask_and_fold(text, options)
        assert once != text, (path, options)
        # Twice is once, also with the name of record behind a `#`.
        assert mask_and_fold(once, options) == once, (path, options)
        # One thread and several, and one run and the next.
        assert mask_and_fold(text, options, "--mlir-disable-threading") == once
        assert mask_and_fold(text, options) == once, (path, options)


# Every pass behind the one before it.
CHAINS = [
    ["--prune-mask-weights=sparsity=0.6 scope=global criterion=l2 min-size=1", "--prune-fold-masks"],
    ["--prune-mask-weights=sparsity=0.5 criterion=random min-size=1", "--prune-fold-masks",
     "--prune-remove-channels", "--linalg-generalize-named-ops", "--prune-pack-weights"],
    ["--prune-mask-channels=ratio=0.4 scope=isomorphic merge"],
    ["--prune-mask-channels=ratio=0.5 scope=global criterion=geometric-median",
     "--prune-fold-masks", "--prune-remove-channels", "--prune-report-weights"],
    ["--prune-weights=sparsity=0.7 min-size=1", "--prune-lower-to-llvm=kernels=packed"],
    ["--prune-weights=sparsity=0.7 min-size=1", "--prune-lower-to-llvm=kernels=reference"],
    ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks", "--prune-remove-channels",
     "--prune-lower-to-llvm=kernels=dense"],
]  # fmt: skip


def many_weights():
    """Ten functions of four layers and attention each."""
    rng, module = np.random.default_rng(4), Module()
    for i in range(10):
        network = ChannelNetwork(module, "f32")
        x = network.input(rng.normal(size=(4, 10 + i)))
        for layer, width in enumerate((24, 17, 32, 12)):
            weight = rng.normal(size=(width, x.shape[1])).astype(np.float32)
            x = network.linear(x, f"f{i}.layer{layer}", weight, "transposed")
            x = network.relu(network.bias(x, f"f{i}.bias{layer}", rng.normal(size=width)))
        weights = {n: rng.normal(size=(12, 12)).astype(np.float32) for n in "qkvo"}
        network.output(network.attention(x, f"f{i}.attention", weights, 3))
        network.finish(f"f{i}")
    return module.text()


def said(source, chain, *more):
    done = run("prune-opt", "-", *chain, "--remarks-filter=prune-.*", *more, stdin=source)
    assert done.returncode == 0 and done.stdout and done.stderr, (chain, done.stderr[:4000])
    return done.stdout, done.stderr


source = many_weights()
for chain in CHAINS:
    alone = said(source, chain, "--mlir-disable-threading")
    for _ in range(3):
        assert said(source, chain) == alone, chain
