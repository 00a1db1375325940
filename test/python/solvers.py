# REQUIRES: python-package
# RUN: %python %s
"""The solvers give what the published formulas give, element by element.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each formula is written again with NumPy in float64, the plain way: matrices are solved and
inverted anew where the library updates or decomposes them.
"""

import math

import numpy as np
import prune

RNG = np.random.default_rng(5)
DAMPING = 0.01


def problem(rows, inputs, shift=0.0, dead=()):
    """Weights, Gram matrix, target and energy of a layer with correlated inputs."""
    samples = 3 * inputs
    mixing = RNG.normal(size=(inputs // 3 + 1, inputs)) * RNG.uniform(0.2, 2, inputs)
    dense = RNG.normal(size=(samples, len(mixing))) @ mixing + 0.3 * RNG.normal(size=(samples, inputs))
    pruned = dense + shift * RNG.normal(size=dense.shape)
    dense[:, list(dead)] = pruned[:, list(dead)] = 0
    w = RNG.normal(size=(rows, inputs))
    y = dense @ w.T
    return w, pruned.T @ pruned, y.T @ pruned, float((y**2).sum())


PROBLEMS = [problem(6, 20), problem(5, 24, 0.4), problem(4, 16, 0.2, dead=[0, 7])]


def errors(w, h, r):
    return ((w @ h) * w).sum(1) - 2 * (w * r).sum(1)


def damped(w, h, r, damping=DAMPING):
    """Weights, matrix and right side with the ridge; dead inputs are on their own."""
    live = np.diag(h) > 0
    ridge = damping * np.trace(h) / len(h)
    w = np.where(live, w, 0)
    h = np.where(np.outer(live, live), h + ridge * np.eye(len(h)), np.eye(len(h)))
    return w, h, np.where(live, r + ridge * w, 0)


def select(scores, sparsity, pattern="element"):
    """The mask of a pattern by a sort."""
    rows, inputs = scores.shape
    if ":" in pattern and not pattern.startswith("block"):
        kept, size = map(int, pattern.split(":"))
        groups = scores.reshape(rows, inputs // size, size)
        rank = groups.argsort(-1, kind="stable").argsort(-1, kind="stable")
        return (rank >= size - kept).reshape(rows, inputs)
    r, c = (1, 1) if pattern == "element" else map(int, pattern[6:].split("x"))
    units = scores.reshape(rows // r, r, inputs // c, c).sum((1, 3))
    keep = np.ones(units.size, bool)
    keep[units.argsort(None, kind="stable")[: math.floor(units.size * sparsity)]] = False
    return keep.reshape(units.shape).repeat(r, 0).repeat(c, 1)


def fit(w, h, r, keep, start=None, damping=DAMPING):
    w, hd, rd = damped(w, h, r, damping)
    start = np.where(keep & (np.diag(h) > 0), w if start is None else start, 0)
    fitted = np.zeros_like(w)
    for row, mask in enumerate(keep):
        s = np.flatnonzero(mask & (np.diag(h) > 0))
        fitted[row, s] = np.linalg.solve(hd[np.ix_(s, s)], rd[row, s])
    better = errors(fitted, h, r) < errors(start, h, r)
    return np.where(better[:, None], fitted, start)


def admm(w, h, r, choose):
    w, h, r = damped(w, h, r)
    d = np.sqrt(np.diag(h)) + 1e-8
    h, y = h / np.outer(d, d), r / d
    rho, moved, restarts = 0.1, False, 0

    def project(z):
        keep = choose(z**2)
        return keep, np.where(keep, z, 0)

    keep, z = project(w * d)
    v, last = np.zeros_like(w), keep
    for i in range(1, 301):
        b = np.linalg.solve(h + rho * np.eye(len(h)), (y - v + rho * z).T).T
        keep, z = project(b + v / rho)
        v = v + rho * (b - z)
        if i % 3:
            continue
        change = (keep != last).sum() / max(keep.sum(), 1)
        if change > 0.005:
            moved, rho = True, rho * (1.3 if change > 0.1 else 1.2)
        elif not moved and restarts < 4:
            restarts, rho = restarts + 1, rho / 5
            keep, z = project(w * d)
            v = np.zeros_like(w)
        elif change == 0 or (change < 3e-4 and i > 30):
            break
        else:
            rho *= 1.1
        rho, last = min(rho, 1e6), keep
    return keep, z / d


def sparsegpt(w, h, r, choose, block=128):
    """The algorithm of the paper; then the mask once more as a whole."""
    live = np.diag(h) > 0
    w, h, r = damped(w, h, r)
    w = np.where(live, np.linalg.solve(h, r.T).T, 0)
    u = np.linalg.cholesky(np.linalg.inv(h)).T
    keep = np.ones(w.shape, bool)
    for begin in range(0, w.shape[1], block):
        end = min(begin + block, w.shape[1])
        keep[:, begin:end] = choose((w[:, begin:end] / np.diag(u)[begin:end]) ** 2)
        for j in range(begin, end):
            error = np.where(keep[:, j], 0, w[:, j] / u[j, j])
            w[:, j + 1 :] -= np.outer(error, u[j, j + 1 :])
            w[:, j] = np.where(keep[:, j], w[:, j], 0)
    keep = choose(np.where(keep, w, 0) ** 2 * np.diag(h))
    return keep, np.where(keep, w, 0)


def obs(w, h, r, energy, damping=DAMPING):
    """Order and cost of removals by row, each from the inverse of what is left."""
    live = np.flatnonzero(np.diag(h) > 0)
    w0, hd, rd = damped(w, h, r, damping)
    order, increases, dense = [], [], np.zeros_like(w)
    for row in range(len(w)):
        left = list(live)
        removed, costs = sorted(set(range(len(h))) - set(left)), []
        costs = [0.0] * len(removed)
        while left:
            inverse = np.linalg.inv(hd[np.ix_(left, left)])
            values = inverse @ rd[row, left]
            if len(left) == len(live):
                dense[row, left] = values
            cost = values**2 / np.diag(inverse)
            worst = int(cost.argmin())
            costs.append(cost[worst])
            removed.append(left.pop(worst))
        order.append(removed)
        increases.append(costs)
    ridge = damping * np.trace(h) / len(h)
    start = energy + errors(dense, h, r).sum() + ridge * ((dense - w0) ** 2).sum()
    return np.array(order), np.array(increases), start


def merged(increases):
    """Rows in the order in which they lose weights: always where that costs least."""
    position, rows = [0] * len(increases), []
    for _ in range(increases.size):
        costs = [c[p] if p < len(c) else np.inf for c, p in zip(increases, position)]
        rows.append(int(np.argmin(costs)))
        position[rows[-1]] += 1
    return rows


def near(a, b, tolerance=1e-9):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max()))


def test_scores():
    for w, h, _, _ in PROBLEMS:
        norms = np.sqrt(np.diag(h))
        near(prune.solvers.wanda(w, norms), abs(w) * norms, 1e-15)
        a = abs(w)
        for power in (0.5, 1.0):
            wanted = (a / a.sum(1, keepdims=True) + a / a.sum(0)) * norms**power
            near(prune.solvers.ria(w, norms, power), wanted, 1e-14)
        assert (prune.solvers.ria(w * 0, norms) == 0).all()


def test_fit():
    for w, h, r, _ in PROBLEMS:
        for damping in (0.01, 0.3):
            for keep in (RNG.random(w.shape) < 0.4, np.ones(w.shape, bool), np.zeros(w.shape, bool)):
                near(prune.solvers.fit(w, h, keep, r, damping), fit(w, h, r, keep, damping=damping))
    near(prune.solvers.fit(w, h, keep), fit(w, h, w @ h, keep))


PATTERNS = [("element", 0.5), ("element", 0.83), ("2:4", None), ("block:1x4", 0.6)]


def reference(method, w, h, r, pattern, sparsity):
    def choose(scores):
        return select(scores, sparsity, pattern)

    if method == "magnitude":
        keep = choose(damped(w, h, r)[0] ** 2)
        return keep, np.where(keep & (np.diag(h) > 0), w, 0)
    return {"admm": admm, "sparsegpt": sparsegpt}[method](w, h, r, choose)


def test_masks():
    """Mask, weights of the method, and fitted weights: all elements and errors."""
    wide = problem(8, 300, 0.1)
    for w, h, r, energy in [*PROBLEMS, wide]:
        for pattern, sparsity in PATTERNS:
            found = {}
            for method in ("magnitude", "admm", "sparsegpt"):
                keep, weights = reference(method, w, h, r, pattern, sparsity)
                plain = prune.solvers.reconstruct(w, h, r, energy, sparsity, pattern, method, refit=False)
                assert (plain.keep == keep).all(), (method, pattern)
                near(plain.weights, weights, 1e-7)
                near(plain.error, errors(weights, h, r).sum() + energy, 1e-7)
                fitted = prune.solvers.reconstruct(w, h, r, energy, sparsity, pattern, method)
                near(fitted.weights, fit(w, h, r, keep, weights), 1e-7)
                found[method] = fitted
            best = prune.solvers.reconstruct(w, h, r, energy, sparsity, pattern)
            assert best.candidates == {m: f.error for m, f in found.items()}
            assert best.error == min(best.candidates.values()) <= best.start_error
            assert best.mask == min(found, key=lambda m: found[m].error) and best.energy == energy
            assert (best.weights == found[best.mask].weights).all()


def test_surgeon():
    for w, h, r, energy in PROBLEMS:
        order, increases, start = obs(w, h, r, energy)
        curve = prune.solvers.obs_curve(w, h, r, energy)
        assert (curve.order == order).all()
        near(curve.increases, increases, 1e-8)
        rows = merged(increases)
        position, wanted = [0] * len(w), [start]
        keep = np.ones(w.shape, bool)
        removed = math.floor(w.size * 0.7)
        for count, row in enumerate(rows):
            if count < removed:
                keep[row, order[row, position[row]]] = False
            wanted.append(wanted[-1] + increases[row, position[row]])
            position[row] += 1
        near(curve.errors, wanted, 1e-8)
        result = prune.solvers.reconstruct(w, h, r, energy, 0.7, method="obs")
        assert (result.keep == keep).all() and result.mask == "obs"
        near(result.weights, fit(w, h, r, keep), 1e-8)


def test_worked_example():
    """Of two inputs that are nearly alike, one can go: cheaper than the least weight."""
    w, h = [[0.95, 1, 1]], [[1, 0, 0], [0, 1, 0.9], [0, 0.9, 1]]
    curve = prune.solvers.obs_curve(w, h, damping=0)
    near(curve.errors[1] / 2, 0.095, 1e-12)
    assert prune.solvers.wanda(w, [1, 1, 1]).argmin() == 0
    costs = []
    for method in ("magnitude", "obs"):
        result = prune.solvers.reconstruct(w, h, sparsity=0.34, method=method, damping=0)
        assert result.keep.sum() == 2 and result.keep[0, 0] == (method == "obs")
        costs.append(result.error / 2)
    near(costs, [0.45125, 0.095], 1e-12)


def expect(exception, words, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except exception as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError(f"no {exception.__name__}: {words}")


def test_errors():
    w, h, r, _ = PROBLEMS[0]
    reconstruct = prune.solvers.reconstruct
    for options, words in [
        ({}, "sparsity is None"),
        ({"sparsity": 1.5}, "sparsity is 1.5"),
        ({"sparsity": float("nan")}, "sparsity is nan"),
        ({"pattern": "2:4", "sparsity": 0.5}, "remove sparsity"),
        ({"pattern": "5:4"}, "pattern is '5:4'"),
        ({"pattern": "block:0x1", "sparsity": 0.5}, "pattern is 'block:0x1'"),
        ({"method": "all", "sparsity": 0.5}, "method is 'all'"),
        ({"method": "obs", "pattern": "2:4"}, "'obs' is for the pattern 'element'"),
        ({"target": r[:2], "sparsity": 0.5}, "target is [2, 20], expected [6, 20]"),
    ]:
        expect(ValueError, words, reconstruct, w, h, **options)
    expect(ValueError, "gram is [3, 3]", reconstruct, w, h[:3, :3], sparsity=0.5)
    expect(ValueError, "weights have 1 dimensions", reconstruct, w[0], h, sparsity=0.5)
    expect(ValueError, "keep is [2, 2]", prune.solvers.fit, w, h, np.ones((2, 2)))
    expect(ValueError, "norms is [3]", prune.solvers.wanda, w, [1, 2, 3])
    expect(prune.Error, "a weight is not finite", reconstruct, w * np.nan, h, r, 1.0, 0.5)
    expect(prune.Error, "the Gram matrix has", prune.solvers.fit, w, h * np.inf, w > 0, r)
    expect(prune.Error, "negative diagonal", prune.solvers.obs_curve, w, -h)
    wide = np.zeros((1, 1025))
    expect(prune.Error, "at most 1024 inputs but got 1025", prune.solvers.obs_curve, wide, np.eye(1025))
    nothing = reconstruct(np.zeros((0, 3)), np.eye(3), sparsity=0.5)
    assert nothing.weights.shape == (0, 3) and nothing.error == 0


for test_name, test in list(globals().items()):
    if test_name.startswith("test_"):
        test()
