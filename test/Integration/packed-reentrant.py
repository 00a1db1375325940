# RUN: %python %s %t
"""Two threads call the same packed kernels at the same time, on different data.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each result must be, in every bit, what the function answers when called alone, and that
is compared with numpy. All that was allocated is freed, and something was allocated.
"""

import sys

import numpy as np

from products import Library, Product, check_reentrance

rng = np.random.default_rng(3)


def weight(m, k, density):
    w = rng.standard_normal((m, k)).astype(np.float32)
    return np.where(rng.random((m, k)) < density, w, 0).astype(np.float32)


products = [
    Product(weight(67, 64, 1.0), 300, False, bias=True, relu=True),
    Product(weight(130, 200, 0.3), 97, False, residual=True),
    Product(weight(96, 301, 0.05), 65, False, y_feature_major=True),
    Product(weight(257, 128, 0.5), 1, False, bias=True),
    Product(weight(63, 127, 0.02), 3, False, relu=True, dynamic=True),
]
library = Library(sys.argv[1], products, "kernels=packed")
check_reentrance(library, rng, rounds=200)
live, calls = library.heap()
assert live == 0 and calls > 0, (live, calls)
