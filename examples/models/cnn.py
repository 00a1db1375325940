"""A residual network of depthwise and pointwise convolutions, as in MobileNet.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A 3x3 convolution to 32 channels, a block with a shortcut, a block that halves
height and width and goes to 96 channels, a block with a shortcut, the mean over the
pixels, and a fully connected layer. Every convolution is followed by a batch
normalisation, which stays a node of its own.
"""

import training
from layers import BatchNorm, Conv, Linear, Mean, Relu, Residual, Sequence


def separable(rng, name, inputs, outputs, stride=1):
    return [
        Conv(rng, f"{name}.depthwise", inputs, inputs, 3, stride, is_depthwise=True),
        BatchNorm(f"{name}.norm1", inputs),
        Relu(),
        Conv(rng, f"{name}.pointwise", inputs, outputs, 1),
        BatchNorm(f"{name}.norm2", outputs),
    ]


def make(rng):
    return Sequence(
        Conv(rng, "stem", 1, 32, 3),
        BatchNorm("stem.norm", 32),
        Relu(),
        Residual(*separable(rng, "block1", 32, 32)),
        Relu(),
        *separable(rng, "block2", 32, 96, stride=2),
        Relu(),
        Residual(*separable(rng, "block3", 96, 96)),
        Relu(),
        Mean(),
        Linear(rng, "fc", 96, 10),
    )


if __name__ == "__main__":
    training.main("cnn", make, (1, 8, 8), epochs=20, rate=5e-3)
