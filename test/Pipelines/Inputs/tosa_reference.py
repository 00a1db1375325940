"""Inputs and the result of lower-to-llvm-tosa.mlir, computed in double."""

import sys

import numpy as np
import scipy.special

random = np.random.default_rng(5)
x = random.standard_normal((1, 8, 8, 3)).astype("f4")
w = random.standard_normal((4, 3, 3, 3)).astype("f4")
b = random.standard_normal(4).astype("f4")
padded = np.pad(x.astype("f8"), ((0, 0), (1, 1), (1, 1), (0, 0)))
y = np.zeros((1, 8, 8, 4)) + b
for i in range(3):
    for j in range(3):
        y += padded[:, i : i + 8, j : j + 8] @ w[:, i, j].T
y = np.clip(y, 0, 6).mean((1, 2))
y = scipy.special.expit(scipy.special.erf(np.tanh(y)))
for name, array in (("x", x), ("w", w), ("b", b), ("y", y)):
    np.save(f"{sys.argv[1]}/{name}.npy", array)
