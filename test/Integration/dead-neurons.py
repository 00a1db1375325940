# REQUIRES: data, python-package, onnx
# RUN: %python %s
"""A network that others pruned element by element loses what is dead in it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

LeNet-300-100 after Dynamic Network Surgery has neurons without inputs, neurons
that nothing reads, and pixels that no neuron looks at. They are counted in numpy
from the weights alone: a neuron stays if it reads something that is not constant
and something that stays reads it. The compiled shrunk network computes what the
original does.
"""

import os
import pathlib
import re

import numpy as np
import onnx
import prune
from onnx import numpy_helper

from tools import output_of

MODEL = (
    pathlib.Path(os.environ["PRUNE_DATA"])
    / "models" / "dns_lenet300100_sparse" / "model.onnx"
)  # fmt: skip


def living(matrices):
    """Per layer, including the input: which values are neither dead nor constant.

    Matrices are outputs x inputs.
    """
    varies = [np.ones(matrices[0].shape[1], bool)]
    for w in matrices:
        varies.append((w != 0) @ varies[-1] > 0)
    read = [np.ones(matrices[-1].shape[0], bool)]
    for i, w in reversed(list(enumerate(matrices))):
        # A constant neuron goes into the next bias and reads nothing.
        read.insert(0, (w != 0).T @ (read[0] & varies[i + 1]) > 0)
    return [v & r for v, r in zip(varies, read)]


def widths_of(text):
    """Inputs and outputs of the three matrices, as sets."""
    shapes = re.findall(r"dense_resource<\S*ip\d_w\S*> : tensor<(\d+)x(\d+)xf32>", text)
    return [{int(a), int(b)} for a, b in shapes]


def main():
    tensors = {
        t.name: numpy_helper.to_array(t) for t in onnx.load(MODEL).graph.initializer
    }
    masks = living([tensors[f"ip{i}_w"] for i in (1, 2, 3)])
    widths = [int(m.sum()) for m in masks]
    text = output_of("prune-translate", "--import-onnx", MODEL)
    x = np.random.default_rng(0).random((64, 1, 28, 28), np.float32)
    module = prune.Module.parse(text)
    wanted = module.compile()(x)

    module.run("prune-remove-channels")
    shrunk = module.text(elide_above=4)
    expected = [{784, widths[1]}, {widths[1], widths[2]}, {widths[2], 10}]
    assert widths_of(shrunk) == expected, (widths_of(shrunk), widths)
    np.testing.assert_allclose(module.compile()(x), wanted, rtol=1e-4, atol=1e-6)

    module.run("prune-remove-channels{allow-signature-change=true}")
    smaller = module.text(elide_above=4)
    assert widths_of(smaller)[0] == {widths[0], widths[1]}, widths_of(smaller)
    kept = re.search(r"prune.kept = \[unit, array<i64: ([\d, ]+)>\]", smaller)[1]
    kept = [int(i) for i in kept.split(",")]
    assert kept == list(np.flatnonzero(masks[0]))
    pixels = np.ascontiguousarray(x.reshape(64, 784)[:, kept])
    np.testing.assert_allclose(module.compile()(pixels), wanted, rtol=1e-4, atol=1e-6)
    print("784-300-100-10 without dead neurons and pixels:", *widths)


if __name__ == "__main__":
    main()
