# REQUIRES: onnx, python-package
# UNSUPPORTED: sanitized
# RUN: %python %s %t
"""Trained models, pruned on one half of the samples: on the other half they do better than
by magnitude, and their ONNX files say in NumPy what the compiled modules say.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import pathlib
import sys

import numpy as np
import onnx
import prune

import onnxnumpy
import realmodels

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)


def first(results):
    return results[0] if isinstance(results, tuple) else results


def accuracy(module, x, y):
    return 100 * float((first(module.compile()(x)).argmax(1) == y).mean())


def distance(module, x, expected):
    """The relative squared error of the outputs."""
    found = first(module.compile()(x)).astype(np.float64)
    return float(((found - expected) ** 2).sum() / (expected**2).sum())


def check_file(module, name, x):
    """The exported file computes what the module does."""
    path = OUT / f"{name}.onnx"
    path.write_bytes(module.export_onnx(str(realmodels.path_of(name))))
    model = onnx.load(str(path))
    (wanted,) = onnxnumpy.evaluate(model, {realmodels.input_of(model)[0]: x})[:1]
    found = first(module.compile()(x))
    assert np.allclose(found, wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max()), name


for name in realmodels.SMALL:
    x, y = realmodels.prepare(name, OUT, 360)
    train, test, labels = x[::2], x[1::2], y[1::2]
    dense = prune.Module.import_onnx(str(realmodels.path_of(name)))
    expected = first(dense.compile()(test)).astype(np.float64)
    cases = [("element", 0.8), ("block:4x1", 0.5)]
    for pattern, sparsity in cases if name == "mlp" else cases[:1]:
        blind, seeing = dense.clone(), dense.clone()
        blind.run(f"prune-prepare,prune-weights{{pattern={pattern} sparsity={sparsity}}}")
        seeing.reconstruct(train, pattern=pattern, sparsity=sparsity)
        record = {entry["name"]: entry for entry in seeing.report()["weights"]}
        other = {entry["name"]: entry for entry in blind.report()["weights"]}
        # As few elements; fewer where inputs are always 0.
        assert record.keys() == other.keys()
        for weight, entry in record.items():
            assert entry["nonzeros"] <= other[weight]["nonzeros"], (name, weight)
        errors = distance(blind, test, expected), distance(seeing, test, expected)
        print(
            f"{name} {pattern} {sparsity}: dense {accuracy(dense, test, labels):.1f},"
            f" magnitude {accuracy(blind, test, labels):.1f} ({errors[0]:.4f}),"
            f" evidence {accuracy(seeing, test, labels):.1f} ({errors[1]:.4f})"
        )
        assert errors[1] < 0.7 * errors[0], (name, pattern, errors)
        check_file(seeing, name, test[:24])
    if name == "transformer":
        continue
    # Channels: what is left makes up for the others, and the file is a smaller one.
    masked = dense.clone()
    masked.score_channels(train)
    masked.run("builtin.module(prune-mask-channels{criterion=removal-cost ratio=0.25}, prune-fold-masks)")
    small = masked.clone()
    small.refit(train, dense)
    errors = distance(masked, test, expected), distance(small, test, expected)
    print(f"{name} channels: masked {errors[0]:.4f}, refitted {errors[1]:.4f}")
    assert errors[1] < errors[0], (name, errors)
    small.run("builtin.module(prune-remove-channels, prune-fold-batch-norms{quiet=true})")
    check_file(small, name, test[:24])
