# RUN: %python %s %t --products=96
"""Products through the whole compiler compute what numpy computes, and touch nothing else.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Random shapes of 1 to 67 in each dimension, weights pruned in every pattern at every
density, with empty rows and columns, packed in every form, for each vector size that
this machine has (`--target=aarch64`: under an emulator). Products of small integers are
exact; products of reals are compared with float64 within the bound of a sum of rounded
products. Every buffer, and every allocation, lies against an unmapped page; what is
allocated must be freed, and inputs must not change. See products.py.

PRUNE_PACKED_PRODUCTS sets how many products are tried in place of `--products` (the
full run: 1000), PRUNE_SEED which.
"""

import re

import numpy as np

from products import Guest, Product, check, trials

# Options of prune-pack-weights. A form that a product does not have is packed as `auto`.
VARIANTS = [
    "form=auto",
    "form=dense lanes=columns",
    "form=blocks lanes=columns",
    "form=patterns lanes=columns",
    "form=dense lanes=rows",
    "form=blocks lanes=rows",
    "form=elements",
    "form=blocks lanes=columns k-block=7",
    "form=patterns lanes=columns k-block=16",
    "form=dense lanes=columns k-block=5",
    "form=auto threads=3",
]
# Sizes around those of vectors come more often than others.
SIZES = [*range(1, 68), *[v + d for v in (4, 8, 16, 32, 64) for d in (-1, 0, 1)] * 2]


def prune(w, rng):
    """A random pattern and density, then rows and columns without a nonzero."""
    m, k = w.shape
    density = rng.choice([0.0, 0.02, 0.1, 0.2, 0.5, 0.8, 1.0])
    rows = int(rng.choice([1, 1, 2, 4, 8, 16, 32]))
    if rng.integers(4) == 0:
        keep = rng.random((m, -(-k // 4), 4)).argsort(2).argsort(2).reshape(m, -1)[:, :k] < 2
    else:
        keep = (rng.random((-(-m // rows), k)) < density).repeat(rows, 0)[:m]
    if rng.integers(2):
        keep &= (rng.random(m) < 0.8)[:, None] & (rng.random(k) < 0.8)
    return np.where(keep, w, 0).astype(w.dtype)


def random_product(rng, few_columns):
    m, k, n = (int(size) for size in rng.choice(SIZES, 3))
    n = 1 + n % 12 if few_columns else n
    exact = bool(rng.integers(2))
    dtype = rng.choice([np.float32, np.float32, np.float64])
    w = rng.integers(-4, 5, (m, k)) if exact else rng.standard_normal((m, k))
    flags = [bool(flag) for flag in rng.integers(0, 2, 8)]
    return Product(prune(w.astype(dtype), rng), n, exact, *flags)


def main():
    forms = set()
    for trial in trials("products", "PRUNE_PACKED_PRODUCTS", VARIANTS):
        # With many columns there are no kernels along rows.
        few_columns = "rows" in trial.variant or "elements" in trial.variant
        products = [random_product(trial.rng, few_columns) for _ in range(trial.size)]
        guest = Guest(trial, products)
        packed = re.findall(r"packed_matmul <(\w+),.*?lanes = (\w+)", guest.packed)
        form = re.search(r"form=(\w+)", trial.variant).group(1)
        assert form == "auto" or packed, (trial, "nothing is packed so")
        assert form == "auto" or {form} == {f for f, _ in packed}, (trial, packed)
        forms.update(packed)
        check(guest, trial)
    print("; ".join(" along ".join(form) for form in sorted(forms)))


main()
