"""What pruned weights of one layer should be, from statistics of its inputs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    import numpy as np, prune

    gram = x.T @ x                      # x: [samples x inputs]
    layer = prune.solvers.reconstruct(w, gram, sparsity=0.8)  # w: [rows x inputs]
    y = x @ layer.weights.T

`gram` is H = Xp' Xp of the inputs that the layer has now, `target` R = W (Xd' Xp) with
those of the dense network, and `energy` ||Xd W'||^2; unless they are given, both inputs
are the same. All is computed in float64. A `prune.Error` says what is wrong with numbers.
OpenBLAS is set to one thread, for NumPy, too, where it calls the same library.
"""

import re
from typing import NamedTuple, Optional

import numpy
from numpy.typing import ArrayLike

from . import _prune

__all__ = ["Reconstruction", "RemovalCurve", "fit", "obs_curve", "reconstruct", "ria", "wanda"]


class Reconstruction(NamedTuple):
    """A mask with its weights, and squared errors of the layer's outputs."""

    weights: numpy.ndarray  # [rows x inputs], float64
    keep: numpy.ndarray  # [rows x inputs], bool
    mask: str  # the method that found `keep`
    start_error: float  # with the mask of magnitude and the weights as they were
    candidates: dict[str, float]  # of each method that was tried
    error: float
    energy: float  # with all weights 0


class RemovalCurve(NamedTuple):
    """What removing one weight after another costs."""

    errors: numpy.ndarray  # after 0, 1, ..., rows * inputs removals
    order: numpy.ndarray  # of each row, its inputs in the order of removal
    increases: numpy.ndarray  # what each of these adds to the error


def _numbers(name: str, array: ArrayLike, shape: tuple[int, ...]) -> numpy.ndarray:
    result = numpy.ascontiguousarray(array, numpy.float64)
    if result.shape != shape:
        raise ValueError(f"{name} is {list(result.shape)}, expected {list(shape)}")
    return result


def _system(weights, gram, target, energy):
    w = numpy.ascontiguousarray(weights, numpy.float64)
    if w.ndim != 2:
        raise ValueError(f"weights have {w.ndim} dimensions, expected 2: rows and inputs")
    h = _numbers("gram", gram, (w.shape[1], w.shape[1]))
    r = w @ h if target is None else _numbers("target", target, w.shape)
    if energy is None:
        energy = float(numpy.sum((w @ h) * w))
    return w, h, r, energy


def _pattern(pattern: str) -> tuple[list[int], list[int]]:
    """Block and N:M of a pattern."""
    if pattern == "element":
        return [1, 1], []
    if match := re.fullmatch(r"block:([1-9]\d*)x([1-9]\d*)", pattern):
        return [int(size) for size in match.groups()], []
    if match := re.fullmatch(r"(\d+):([1-9]\d*)", pattern):
        kept, size = (int(number) for number in match.groups())
        if kept <= size:
            return [1, 1], [kept, size]
    raise ValueError(f"pattern is '{pattern}', expected 'element', 'N:M' or 'block:RxC'")


def reconstruct(
    weights: ArrayLike,
    gram: ArrayLike,
    target: Optional[ArrayLike] = None,
    energy: Optional[float] = None,
    sparsity: Optional[float] = None,
    pattern: str = "element",
    method: str = "best",
    damping: float = 0.01,
    refit: bool = True,
) -> Reconstruction:
    """The mask of a pattern and the weights that reproduce the layer's outputs best.

    `pattern` is 'element', 'block:RxC' of R rows and C inputs, or 'N:M' along the inputs, which
    takes no `sparsity`. `method` is 'magnitude', 'admm' (Meng et al., 2024), 'sparsegpt' (Frantar
    and Alistarh, 2023), 'obs' (Frantar, Singh and Alistarh, 2022; for 'element' and up to 1,024
    inputs), or 'best' of the first three. With `refit`, each mask gets the weights that suit it
    best, pulled to the given ones by `damping` times the mean of diag `gram`; else it has those of
    its method.
    """
    block, groups = _pattern(pattern)
    if groups and sparsity is not None:
        raise ValueError(f"pattern '{pattern}' says how much stays: remove sparsity")
    if not groups and (sparsity is None or not 0 <= sparsity <= 1):
        raise ValueError(f"sparsity is {sparsity}, expected a number in [0, 1]")
    masks = ["magnitude", "admm", "sparsegpt"] if method == "best" else [method]
    if masks[0] not in ("magnitude", "admm", "sparsegpt", "obs"):
        raise ValueError(f"method is '{method}', expected best, magnitude, admm, sparsegpt or obs")
    if method == "obs" and pattern != "element":
        raise ValueError(f"method 'obs' is for the pattern 'element', not '{pattern}'")
    system = _system(weights, gram, target, energy)
    found = _prune._solvers.reconstruct(*system, sparsity, block, groups, masks, refit, damping)
    found["keep"] = found["keep"].astype(bool)
    return Reconstruction(**found)


def fit(
    weights: ArrayLike,
    gram: ArrayLike,
    keep: ArrayLike,
    target: Optional[ArrayLike] = None,
    damping: float = 0.01,
) -> numpy.ndarray:
    """The weights that suit the mask `keep` [rows x inputs] best; see `reconstruct`."""
    w, h, r, _ = _system(weights, gram, target, 0.0)
    mask = numpy.ascontiguousarray(keep, bool)
    if mask.shape != w.shape:
        raise ValueError(f"keep is {list(mask.shape)}, expected {list(w.shape)}")
    return _prune._solvers.fit(w, h, mask.view(numpy.uint8), r, damping)


def obs_curve(
    weights: ArrayLike,
    gram: ArrayLike,
    target: Optional[ArrayLike] = None,
    energy: Optional[float] = None,
    damping: float = 0.01,
) -> RemovalCurve:
    """Removes the weight that costs least, then the next, and so on until none is left.

    Errors include damping * mean(diag gram) * ||change of weights||^2. For up to 1,024 inputs
    (optimal brain surgeon by row: Frantar, Singh and Alistarh, 2022).
    """
    return RemovalCurve(*_prune._solvers.curves(*_system(weights, gram, target, energy), damping))


def _score(weights, norms, power):
    w = numpy.ascontiguousarray(weights, numpy.float64)
    if w.ndim != 2:
        raise ValueError(f"weights have {w.ndim} dimensions, expected 2: rows and inputs")
    return _prune._solvers.score(w, _numbers("norms", norms, (w.shape[1],)), power)


def wanda(weights: ArrayLike, norms: ArrayLike) -> numpy.ndarray:
    """|w_ij| ||x_j||, with the Euclidean norm of each input (Sun et al., 2023)."""
    return _score(weights, norms, None)


def ria(weights: ArrayLike, norms: ArrayLike, power: float = 0.5) -> numpy.ndarray:
    """(|w_ij| / sum of |row i| + |w_ij| / sum of |column j|) ||x_j||^power (Zhang et al., 2024)."""
    return _score(weights, norms, power)
