#!/usr/bin/python3
"""What is left of a network's accuracy when it is pruned on data, and when by magnitude.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    PYTHONPATH=build/python bench/evidence.py model.onnx --train=train.npy --x=x.npy --y=y.npy --exclude=fc3

Each case is a pattern and a sparsity, the same for every weight that --exclude leaves. The
calibration data of draw d are the samples [d * n, (d + 1) * n) of --train, without labels;
accuracies are those of --x and --y, and the mean over draws stands with its range. For labels
of every position (N x T), the cross-entropy is printed instead of the top-1. With --method,
another solver than the default; with --budget, as params:0.2, an allocation instead of the
same for all.
"""

import argparse
import pathlib
import statistics
import time

import numpy as np
import prune

from harness import parse

BATCH = 50


def quality(program, x, y):
    """Top-1 in percent, or the mean cross-entropy where every position has a label."""
    hits, loss, rows = 0, 0.0, 0
    for start in range(0, len(x), BATCH):
        scores = program(x[start : start + BATCH])
        scores = (scores[0] if isinstance(scores, tuple) else scores).astype(np.float64)
        labels = y[start : start + BATCH].ravel()
        scores = scores.reshape(len(labels), -1)
        hits += (scores.argmax(1) == labels).sum()
        scores -= scores.max(1, keepdims=True)
        loss -= (scores[np.arange(len(labels)), labels] - np.log(np.exp(scores).sum(1))).sum()
        rows += len(labels)
    return loss / rows if y.ndim > 1 else 100 * hits / rows


def prune_blindly(module, pattern, sparsity, exclude):
    words = [f"pattern={pattern}"]
    words += [f"sparsity={sparsity}"] if sparsity else []
    words += [f"exclude='{exclude}'"] if exclude else []
    module.run("prune-prepare,prune-weights{" + " ".join(words) + "}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--train", type=pathlib.Path, required=True, help="calibration data, an array of NumPy")
    parser.add_argument("--x", type=pathlib.Path, required=True, help="samples to judge by")
    parser.add_argument("--y", type=pathlib.Path, required=True, help="their labels")
    parser.add_argument("--cases", default="element:0.5,element:0.8,4x1:0.5,4x1:0.8,2:4")
    parser.add_argument("--exclude", default="", help="weights that stay dense")
    parser.add_argument("--samples", type=int, default=1024, help="of one draw")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--method", default="best")
    parser.add_argument("--budget", help="params, macs or latency and what is left; the case's sparsity is not used")
    options = parse(parser, {"cases": "element:0.5", "draws": 1, "samples": 64})
    dense = prune.Module.import_onnx(str(options.model))
    train, x, y = (np.load(path) for path in (options.train, options.x, options.y))
    print(f"{options.model.parent.name}: dense {quality(dense.compile(), x, y):.4f}", flush=True)
    for case in options.cases.split(","):
        pattern, _, sparsity = case.rpartition(":")
        if not pattern or pattern.isdigit():
            pattern, sparsity = case, ""
        pattern = f"block:{pattern}" if "x" in pattern else pattern
        blind = dense.clone()
        prune_blindly(blind, pattern, sparsity, options.exclude)
        found, seconds = [], []
        for draw in range(options.draws):
            data = train[draw * options.samples : (draw + 1) * options.samples]
            module = dense.clone()
            given = {"exclude": options.exclude} if options.exclude else {}
            begin = time.monotonic()
            if options.budget:
                module.compress(data, budget=options.budget, patterns=[pattern], method=options.method, **given)
            else:
                module.reconstruct(
                    data, pattern=pattern, sparsity=sparsity or None, method=options.method, **given
                )
            seconds.append(time.monotonic() - begin)
            found.append(quality(module.compile(), x, y))
        print(
            f"  {case:12} {options.budget or '':12} magnitude {quality(blind.compile(), x, y):8.4f}"
            f"  {options.method} {statistics.mean(found):8.4f} ({min(found):.4f} to {max(found):.4f},"
            f" {len(found)} draws of {options.samples}), {statistics.median(seconds):.1f} s",
            flush=True,
        )


main()
