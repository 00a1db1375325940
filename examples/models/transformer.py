"""A transformer encoder over the eight rows of an image.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each row becomes a token of 48 features with a learned position. Two blocks of
attention with four heads and of a GELU network of 128 features follow, each behind a
layer normalisation and around a shortcut; the mean of the tokens is classified.
"""

import training
from layers import Attention, Gelu, LayerNorm, Linear, Mean, Positions, Residual, Sequence

TOKENS, FEATURES, HIDDEN, HEADS = 8, 48, 128, 4


def block(rng, name):
    return [
        Residual(
            LayerNorm(f"{name}.norm1", FEATURES),
            Attention(rng, f"{name}.attention", TOKENS, FEATURES, HEADS),
        ),
        Residual(
            LayerNorm(f"{name}.norm2", FEATURES),
            Linear(rng, f"{name}.fc1", FEATURES, HIDDEN, is_matrix=False),
            Gelu(),
            Linear(rng, f"{name}.fc2", HIDDEN, FEATURES, is_matrix=False),
        ),
    ]


def make(rng):
    return Sequence(
        Linear(rng, "embed", 8, FEATURES, is_matrix=False),
        Positions(rng, "positions", TOKENS, FEATURES),
        *block(rng, "block1"),
        *block(rng, "block2"),
        LayerNorm("norm", FEATURES),
        Mean(),
        Linear(rng, "head", FEATURES, 10),
    )


if __name__ == "__main__":
    training.main("transformer", make, (TOKENS, 8), epochs=40, rate=2e-3)
