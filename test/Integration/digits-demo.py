# RUN: %python %s
"""The demo runs, and the accuracies that it prints are numpy's.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each row of the table is computed again from the committed weights: masks by
masks.py, the networks in float64. One sample may differ, for rounding.
"""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np

import masks
from mlirtext import decode, read_resources
from networks import convolution, pooling_windows

DIGITS = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"]) / "examples" / "digits"
ROW = re.compile(r"^(mlp|cnn) +(\S+) +([\d.]+)% +([\d.]+) -> *([\d.]+) +(\d+)/")
SHAPES = {
    "fc1.weight": (300, 64),
    "fc2.weight": (100, 300),
    "fc3.weight": (10, 100),
    "conv1.weight": (8, 1, 3, 3),
    "conv2.weight": (16, 8, 3, 3),
    "fc.weight": (10, 256),
}


def mlp(x, w):
    for layer in ("fc1", "fc2"):
        x = np.maximum(x @ w[f"{layer}.weight"].T + w[f"{layer}.bias"], 0)
    return x @ w["fc3.weight"].T + w["fc3.bias"]


def cnn(x, w):
    x = x.reshape(-1, 1, 8, 8)
    for layer in ("conv1", "conv2"):
        x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        x = convolution(x, w[f"{layer}.weight"], 1, 1)
        x = np.maximum(x + w[f"{layer}.bias"].reshape(-1, 1, 1), 0)
        if layer == "conv1":
            x = pooling_windows(x, 2, 2).max((4, 5))
    return x.reshape(len(x), -1) @ w["fc.weight"].T + w["fc.bias"]


def read_weights(name):
    blobs = read_resources((DIGITS / f"{name}.mlir").read_text())
    return {
        key: decode(data, "f32", SHAPES.get(key, (len(data) // 4,)))
        for key, data in blobs.items()
    }


def pruned(weights, pattern, sparsity):
    """What is left; biases and shapes that the pattern does not divide stay."""
    own = pattern + "@1" if pattern == "2:4" else pattern
    target = {} if pattern == "2:4" else {"sparsity": sparsity}
    left = {}
    for key, values in weights.items():
        left[key] = values
        if key in SHAPES and masks.divides(own, values.shape):
            (keep,) = masks.mask([masks.score(values, "l1")], own, **target)
            left[key] = masks.apply(values, keep)
    return left


def top1(name, weights):
    x = np.load(DIGITS / "x.npy").astype(np.float64)
    logits = {"mlp": mlp, "cnn": cnn}[name](x, weights)
    return 100 * (logits.argmax(1) == np.load(DIGITS / "y.npy")).mean()


def count_nonzeros(weights):
    return sum(np.count_nonzero(v) for k, v in weights.items() if k in SHAPES)


demo = [sys.executable, DIGITS / "demo.py", "--tools", os.environ["PRUNE_TOOLS_DIR"]]
text = subprocess.run(
    [*map(str, demo), "--repeat=1"], check=True, capture_output=True, text=True
).stdout
print(text)
rows = [found.groups() for found in map(ROW.match, text.splitlines()) if found]
assert len(rows) == 7, text
asked = {
    "mlp": {"element": [0.5, 0.8], "2:4": [None], "block:4x1": [0.5]},
    "cnn": {"element": [0.3, 0.5], "2:4": [None]},
}
for name in ("mlp", "cnn"):
    weights, sample = read_weights(name), 100 / 360
    left = {pattern: list(sparsities) for pattern, sparsities in asked[name].items()}
    for pattern, _, before, after, nonzeros in (r[1:] for r in rows if r[0] == name):
        found = pruned(weights, pattern, left[pattern].pop(0))
        where = (name, pattern, text)
        assert int(nonzeros) == count_nonzeros(found), where
        assert abs(float(before) - top1(name, weights)) < 1.1 * sample, where
        assert abs(float(after) - top1(name, found)) < 1.1 * sample, where

# The changed lines name the weights before and after.
for layer in ("fc1", "fc2", "fc3"):
    assert re.search(rf"^  - .*dense_resource<{layer}.weight>", text, re.M), text
    assert re.search(rf'^  \+ .*dense_resource<"{layer}.weight#1">', text, re.M), text
