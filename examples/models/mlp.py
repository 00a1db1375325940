"""A multi-layer perceptron: 64-256-128-10, ReLU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import training
from layers import Linear, Relu, Sequence


def make(rng):
    return Sequence(
        Linear(rng, "fc1", 64, 256),
        Relu(),
        Linear(rng, "fc2", 256, 128),
        Relu(),
        Linear(rng, "fc3", 128, 10),
    )


if __name__ == "__main__":
    training.main("mlp", make, (64,), epochs=40, rate=2e-3)
