# REQUIRES: python-package
# RUN: %python %s
"""Pruning on data through the package: results keep outputs, tables hold, guards guard.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
import prune

RANDOM = np.random.default_rng(7)
SIZES = (24, 32, 16, 6)


def network(weights, biases):
    """Dense layers with ReLU between them."""
    text, shapes = "", []
    value, n = "%x", SIZES[0]
    for i, (w, b) in enumerate(zip(weights, biases)):
        m = w.shape[0]
        text += f"""
  %w{i} = arith.constant dense_resource<w{i}> : tensor<{m}x{n}xf32>
  %b{i} = arith.constant dense_resource<b{i}> : tensor<{m}xf32>
  %z{i} = arith.constant 0.0 : f32
  %e{i} = tensor.empty(%n) : tensor<?x{m}xf32>
  %f{i} = linalg.fill ins(%z{i} : f32) outs(%e{i} : tensor<?x{m}xf32>) -> tensor<?x{m}xf32>
  %m{i} = linalg.matmul indexing_maps = [#x, #w, #y] ins({value}, %w{i} : tensor<?x{n}xf32>, tensor<{m}x{n}xf32>)
      outs(%f{i} : tensor<?x{m}xf32>) -> tensor<?x{m}xf32>
  %a{i} = linalg.generic {{indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%m{i}, %b{i} : tensor<?x{m}xf32>, tensor<{m}xf32>) outs(%e{i} : tensor<?x{m}xf32>) {{
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    %r = arith.{"maximumf" if i + 1 < len(weights) else "addf"} %s, %z{i} : f32
    linalg.yield %r : f32
  }} -> tensor<?x{m}xf32>"""
        value, n = f"%a{i}", m
    blobs = []
    for name, arrays in (("w", weights), ("b", biases)):
        for i, array in enumerate(arrays):
            data = "04000000" + np.asarray(array, "<f4").tobytes().hex()
            blobs.append(f'{name}{i}: "0x{data}"')
    return f"""
#x = affine_map<(d0, d1, d2) -> (d0, d2)>
#w = affine_map<(d0, d1, d2) -> (d1, d2)>
#y = affine_map<(d0, d1, d2) -> (d0, d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
func.func @main(%x: tensor<?x{SIZES[0]}xf32>) -> tensor<?x{n}xf32> {{
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x{SIZES[0]}xf32>{text}
  return {value} : tensor<?x{n}xf32>
}}
{{-# dialect_resources: {{ builtin: {{ {", ".join(blobs)} }} }} #-}}
"""


WEIGHTS = [RANDOM.normal(size=(m, n)) / np.sqrt(n) for n, m in zip(SIZES, SIZES[1:])]
BIASES = [RANDOM.normal(size=m) * 0.3 for m in SIZES[1:]]
TEXT = network(WEIGHTS, BIASES)
# Inputs that vary in few directions: weights can stand in for one another.
MIX = RANDOM.normal(size=(8, SIZES[0]))


def samples(count):
    return (RANDOM.normal(size=(count, 8)) @ MIX + 0.1 * RANDOM.normal(size=(count, SIZES[0]))).astype(np.float32)


TRAIN, TEST = samples(512), samples(256)
dense = prune.Module.parse(TEXT)
EXPECTED = dense.compile()(TEST)
LABELS = {"train": dense.compile()(TRAIN).argmax(1), "test": EXPECTED.argmax(1)}


def error(module, data=TEST, expected=EXPECTED):
    return float(((module.compile()(data) - expected) ** 2).sum() / (expected**2).sum())


def accuracy(program):
    return 100 * float((program(TEST).argmax(1) == LABELS["test"]).mean())


def sparsities(module):
    return {name: float((module.weights[name] == 0).mean()) for name in ("w0", "w1", "w2")}


# One layer's values are those of least squares, computed here in another way.
module = dense.clone()
module.reconstruct(TRAIN, sparsity=0.5, include="w0", method="magnitude", refit=False)
keep = module.weights["w0"] != 0
assert keep.sum() == keep.size // 2
order = np.argsort(np.abs(WEIGHTS[0].astype(np.float32)).ravel(), kind="stable")
assert not keep.ravel()[order[: keep.size // 2]].any()
x = TRAIN.astype(np.float64) - TRAIN.astype(np.float64).mean(0)
w0 = WEIGHTS[0].astype(np.float32).astype(np.float64)
gram = x.T @ x
ridge = 0.01 * np.diag(gram).mean()
for row, kept, found in zip(w0, keep, module.weights["w0"]):
    system = gram[np.ix_(kept, kept)] + ridge * np.eye(kept.sum())
    wanted = np.linalg.solve(system, (gram @ row)[kept] + ridge * row[kept])
    assert np.allclose(found[kept], wanted, rtol=1e-3, atol=1e-4), np.abs(found[kept] - wanted).max()
# The biases keep the means of the outputs.
shift = TRAIN.astype(np.float64).mean(0) @ (w0 - module.weights["w0"]).T
bias = np.frombuffer(np.asarray(BIASES[0], np.float32).tobytes(), np.float32) + shift
module.run("prune-externalize-weights")
assert "b0" in module.text(elide_above=8)

# It does better than magnitudes, whatever the pattern.
for pattern, options in (("element", {"sparsity": 0.6}), ("block:4x1", {"sparsity": 0.5}), ("2:4", {})):
    blind, seeing = dense.clone(), dense.clone()
    words = " ".join(f"{k}={v}" for k, v in options.items())
    blind.run("prune-weights{pattern=" + pattern + " exclude=w2 " + words + "}")
    seeing.reconstruct(TRAIN, pattern=pattern, exclude="w2", **options)
    assert sparsities(blind) == sparsities(seeing), (sparsities(blind), sparsities(seeing))
    assert error(seeing) < 0.5 * error(blind), (pattern, error(seeing), error(blind))

# Numbers of another type are converted.
module, same = dense.clone(), dense.clone()
module.reconstruct(TRAIN.astype(np.float64), sparsity=0.5)
same.reconstruct(TRAIN, sparsity=0.5)
assert np.array_equal(module.weights["w0"], same.weights["w0"])

# The number of threads of the machine does not matter, nor does a second run.
twice = [dense.clone(), dense.clone()]
for module in twice:
    module.reconstruct(TRAIN, sparsity=0.7)
for name in ("w0", "w1", "w2"):
    assert np.array_equal(twice[0].weights[name], twice[1].weights[name])

# Nor does it matter whether tensors lie in memory or in a file.
many = samples(8192)
twice = [dense.clone(), dense.clone()]
for module, limit in zip(twice, (0, 1)):
    module.reconstruct(many, sparsity=0.7, method="magnitude", max_memory=limit)
for name in ("w0", "w1", "w2"):
    assert np.array_equal(twice[0].weights[name], twice[1].weights[name])

# A table of all layers and levels; the dense level comes first and loses nothing.
table = dense.sensitivity(TRAIN, levels=[0.5, 0.9], patterns=["element", "block:4x1"])
assert [layer["name"] for layer in table["layers"]] == ["w0", "w1", "w2"]
for layer in table["layers"]:
    levels = layer["levels"]
    assert levels[0]["loss"] == 0 and levels[0]["kept"] == layer["elements"]
    by = {(level["pattern"], level["sparsity"]): level for level in levels[1:]}
    # Six rows are no blocks of four.
    assert len(by) == (2 if layer["name"] == "w2" else 4), by
    assert by["element", 0.5]["layer_error"] < by["element", 0.9]["layer_error"]
    assert by["element", 0.5]["kept"] == layer["elements"] - layer["elements"] // 2

# A budget holds, and allocation is no worse than the same everywhere.
module, uniform = dense.clone(), dense.clone()
module.compress(TRAIN, budget="params:0.3", loss="error", evolve=5)
uniform.reconstruct(TRAIN, sparsity=0.7)
kept = sum(np.count_nonzero(module.weights[name]) for name in ("w0", "w1", "w2"))
assert kept <= 0.3 * sum(w.size for w in WEIGHTS), kept
assert error(module) < 1.05 * error(uniform), (error(module), error(uniform))

# A guard holds on the data that it is given, and lets something go.
module = dense.clone()
module.compress(TRAIN, budget="params:0.05", max_drop=2.0, eval_data=TEST, eval_labels=LABELS["test"])
assert accuracy(module.compile()) >= 98.0
assert max(sparsities(module).values()) > 0.2, sparsities(module)
module = dense.clone()
module.compress(TRAIN, max_drop=3.0, metric=accuracy, levels=[0.3, 0.6])
assert accuracy(module.compile()) >= 97.0
assert max(sparsities(module).values()) > 0.2, sparsities(module)
try:
    dense.clone().compress(TRAIN, LABELS["train"], budget="params:0.02", max_drop=0, levels=[0.99])
    raise SystemExit("a bound that nothing meets was met")
except prune.Error as failure:
    assert "no network that loses anything stays within a drop of 0" in str(failure), failure

# Channels that layers miss least lose less than those of small weights.
scored = dense.clone()
scored.score_channels(TRAIN)
errors = {}
for criterion in ("l2", "removal-cost"):
    module = scored.clone()
    module.run("builtin.module(prune-mask-channels{ratio=0.5 criterion=" + criterion + "}, prune-fold-masks)")
    module.refit(TRAIN, dense)
    errors[criterion] = error(module)
assert errors["removal-cost"] < errors["l2"], errors

# What is left of a network without some of its channels makes up for them.
masked = dense.clone()
masked.run("builtin.module(prune-mask-channels{ratio=0.5}, prune-fold-masks)")
refitted = masked.clone()
refitted.refit(TRAIN, dense)
assert error(refitted) < 0.6 * error(masked), (error(refitted), error(masked))
before = refitted.compile()(TEST)
refitted.run("prune-remove-channels")
assert np.allclose(refitted.compile()(TEST), before, rtol=1e-4, atol=1e-4)
assert refitted.weights["w0"].shape == (16, SIZES[0])

# What is wrong is named.
for call, words in (
    (lambda m: m.reconstruct(np.full((64, SIZES[0]), np.nan, np.float32), sparsity=0.5), "NaN or infinite inputs"),
    (lambda m: m.reconstruct([TRAIN, TRAIN], sparsity=0.5), "takes 1 inputs, but data is given for 2"),
    (lambda m: m.reconstruct(TRAIN[:, :5], sparsity=0.5), "data for argument 0 of 'main' is 512x5 of float32"),
    (lambda m: m.reconstruct(np.zeros((4, SIZES[0]), complex), sparsity=0.5), "element type '<c16'"),
    (lambda m: m.reconstruct(TRAIN, sparsity=0.5, method="guess"), "option 'method' expects best, admm"),
    (lambda m: m.reconstruct(TRAIN), "expects one of the options 'sparsity'"),
    (lambda m: m.compress(TRAIN), "expects option 'budget' or 'max-drop'"),
    (lambda m: m.compress(TRAIN, budget="joules:2"), "expects params, macs or latency and a fraction"),
    (lambda m: m.compress(TRAIN, max_drop=1), "which needs labels"),
    (lambda m: m.compress(TRAIN, LABELS["train"] + 9, max_drop=1), "there is no class"),
    (lambda m: m.compress(TRAIN, budget="params:0.001", levels=[0.5]), "cannot be met"),
    (lambda m: m.reconstruct(TRAIN, sparsity=0.5, max_memory=-1), "option 'max-memory' expects a number of MiB"),
    (lambda m: m.run("prune-mask-channels{criterion=removal-cost ratio=0.5}"), "removal_cost"),
    (lambda m: m.refit(TRAIN, prune.Module.parse(TEXT.replace("w0", "v0"))), "'v0' of the reference is not in"),
):
    try:
        call(dense.clone())
        raise SystemExit(f"not refused: {words}")
    except prune.Error as failure:
        assert words in str(failure), (words, str(failure))
