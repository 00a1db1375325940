# REQUIRES: onnx, data
# RUN: %python %s %t
"""Normalisations that are folded before pruning cost accuracy; behind it, none.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A residual network loses half of its weights, all ranked together. What the
README says is the order has to keep nearly all right answers, as many as the
pruned network without folding, and the other order has to be the worse one.
PRUNE_TEST_SAMPLES sets the number of images; all orders and scopes are printed.
"""

import json
import os
import pathlib
import subprocess
import sys

from tools import output_of

DATA = pathlib.Path(os.environ["PRUNE_DATA"])
SAMPLES = int(os.environ.get("PRUNE_TEST_SAMPLES", "100"))
MODEL = "cifar10_resnet20"
OUT = pathlib.Path(sys.argv[1])


def top1(name, *passes):
    path = OUT / f"{name}.mlirbc"
    output_of("prune-opt", OUT / "model.mlirbc", *passes, "--emit-bytecode", "-o", path)
    text = output_of("prune-run", path, f"--input=@{OUT}/x.npy", f"--labels=@{OUT}/y.npy",
                     "--batch=50", "--kernels=packed", "--json", timeout=7200)
    result = json.loads(text)["top1"]
    print(f"{name}: {result:.2f} %")
    return result


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, DATA / "prepare.py", MODEL, OUT, "--count", SAMPLES]
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)
    output_of("prune-translate", "--import-onnx", DATA / "models" / MODEL / "model.onnx",
              "-o", OUT / "model.mlirbc")
    prepare, fold = "--prune-prepare", "--prune-fold-batch-norms"
    prune = "--prune-weights=sparsity=0.5 scope=global"
    unfolded = top1("unfolded", prepare, prune)
    last = top1("fold-last", prepare, prune, fold)
    first = top1("fold-first", prepare, fold, prune)
    # Rounding may move an image or two.
    assert abs(last - unfolded) <= 200 / SAMPLES, (last, unfolded)
    assert last >= first + 20, (last, first)


main()
