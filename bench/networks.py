#!/usr/bin/python3
"""Whole networks with pruned weights, compiled by us, beside the dense originals in ONNX Runtime.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    PYTHONPATH=build/python bench/networks.py model.onnx --cases=element:0,element:0.8,4x1:0.8 --x=x.npy --y=y.npy

Each network is imported, its batch normalisations are folded, its weights are pruned by
magnitude in the pattern of the case, and packed kernels are generated for this machine. With
calibration data in --train each case is run a second time, pruned on them: the same pattern
and sparsity, and so about the same time, with other masks and values (docs/Calibration.md).
Open sizes are 1. ONNX Runtime runs the file as it is, through onnxruntime-node, where
NODE_PATH finds it. Both run on one thread, in turn, several rounds, each for a short while;
a round's time is its shortest call and its ratio is taken within it. What is printed is the
median of the ratios ONNX Runtime / ours and their spread. Ours are called with NumPy arrays
and return such, ONNX Runtime likewise with its tensors.

Beside the times stand the bytes of the two files that ran, the ONNX model and our bytecode, and
the accuracy of both: the top-1 over the samples of --x and --y, where they are given, and the
relative error of the first result on drawn input, where they are not.
"""

import argparse
import pathlib
import re
import statistics
import tempfile
import time

import numpy as np
import prune

from channels import Runtime
from harness import fixed_sizes, parse
from peers import announce_machine, settle_environment


def prune_on_data(path, pattern, target, train, exclude):
    """The network of a file, pruned on calibration data, as an ONNX file's bytes."""
    module = prune.Module.import_onnx(str(path))
    given = {"exclude": exclude} if exclude else {}
    module.reconstruct(train, pattern=pattern, sparsity=target or None, **given)
    return module.export_onnx(str(path))


def compile_network(path, case, train=None, exclude=""):
    pattern, sparsity = case.rsplit(":", 1)
    # N:M says itself how much goes.
    target = "" if ":" in pattern else sparsity
    if "x" in pattern:
        pattern = f"block:{pattern}"
    if train is None:
        module = prune.Module.import_onnx(str(path), fixed_sizes(path))
        words = [f"criterion=l1 pattern={pattern}"]
        words += [f"sparsity={target}"] if target else []
        words += [f"exclude='{exclude}'"] if exclude and float(sparsity) else []
        module.run(f"prune-prepare,prune-weights{{{' '.join(words)}}},prune-fold-batch-norms")
    else:
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(prune_on_data(path, pattern, target, train, exclude))
            file.flush()
            module = prune.Module.import_onnx(file.name, fixed_sizes(path))
        module.run("prune-prepare,prune-fold-batch-norms")
    begin = time.monotonic()
    size = len(module.bytecode())
    program = module.compile("main", "packed")
    arguments = re.fullmatch(r"\((.*)\) -> .*", program.signature).group(1)
    inputs = []
    for dtype, shape in re.findall(r"(\w+)\[([^\]]*)\]", arguments):
        sizes = [int(size) for size in shape.split(", ") if size]
        values = np.random.default_rng(0).random(sizes) - 0.5
        inputs.append((values if "float" in dtype else values * 0).astype(dtype))
    program(*inputs)
    return program, inputs, size, time.monotonic() - begin


def first(results):
    return results[0] if isinstance(results, tuple) else results


def top1(program, batch, options):
    """Percent of the samples whose label has the largest result."""
    x, y = (np.load(path) for path in (options.x, options.y))
    hits = 0
    for start in range(0, len(x) - batch + 1, batch):
        scores = first(program(x[start : start + batch])).reshape(batch, -1)
        hits += (scores.argmax(1) == y[start : start + batch]).sum()
    return 100 * hits / (len(x) // batch * batch)


def accuracy(dense, program, inputs, options):
    """What pruning costs, in words."""
    if options.x and options.y:
        batch = len(inputs[0])
        before, after = (top1(side, batch, options) for side in (dense, program))
        return f"top-1 {before:.2f} -> {after:.2f} %"
    wanted, found = (first(side(*inputs)).astype(np.float64) for side in (dense, program))
    scale = np.linalg.norm(wanted)
    return f"relative error {np.linalg.norm(found - wanted) / scale if scale else 0:.3f}"


def shortest(program, inputs, seconds):
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        begin = time.perf_counter()
        program(*inputs)
        now = time.perf_counter()
        best = min(best, now - begin)
        if now >= end:
            return best


def compare(path, name, case, train, dense, runtime, options):
    program, inputs, size, compiled = compile_network(path, case, train, options.exclude)
    rounds = []
    for _ in range(options.rounds):
        theirs = runtime.time(path, options.seconds)
        rounds.append((theirs, shortest(program, inputs, options.seconds)))
    ratios = [theirs / ours for theirs, ours in rounds]
    theirs, ours = (statistics.median(side) * 1e6 for side in zip(*rounds))
    print(
        f"{name:32} {case:12} {'magnitude' if train is None else 'evidence':9} compiled in {compiled:5.2f} s,"
        f" ONNX Runtime {theirs:9.1f} us,"
        f" ours {ours:9.1f} us, {statistics.median(ratios):5.2f} times as fast"
        f" ({min(ratios):.2f} to {max(ratios):.2f}), {path.stat().st_size} -> {size} bytes,"
        f" {accuracy(dense, program, inputs, options)}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--cases", default="element:0,element:0.5,element:0.8,element:0.9,2:4:0.5,4x1:0.8")
    parser.add_argument("--llvm", type=pathlib.Path, default="/usr/lib/llvm-22/bin")
    parser.add_argument("--x", type=pathlib.Path, help="samples, in an array of NumPy")
    parser.add_argument("--y", type=pathlib.Path, help="their labels")
    parser.add_argument("--train", type=pathlib.Path, help="calibration data, an array of NumPy")
    parser.add_argument("--samples", type=int, default=1024, help="of the calibration data")
    parser.add_argument("--exclude", default="", help="weights that stay dense")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.2, help="per side and round")
    options = parse(parser, {"cases": "4x1:0.8", "rounds": 1, "seconds": 0.001})
    settle_environment(1)
    runtime = Runtime()
    announce_machine(options.llvm, 1, runtime)
    for path in options.models:
        name = path.stem if path.stem != "model" else path.parent.name
        dense = compile_network(path, "element:0")[0]
        train = np.load(options.train)[: options.samples] if options.train else None
        for case in options.cases.split(","):
            compare(path, name, case, None, dense, runtime, options)
            if train is not None and not case.endswith(":0"):
                compare(path, name, case, train, dense, runtime, options)


main()
