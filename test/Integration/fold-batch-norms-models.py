# REQUIRES: onnx
# RUN: %python %s %t cnn
# RUN: %if data %{ %python %s %t mnist-cnn-bn cifar10_resnet20 %}
"""Real networks without their normalisations give the recorded outputs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

In each, every normalisation stands next to a contraction: before and behind
fully connected layers, past a flatten, and behind convolutions.
"""

import pathlib
import re
import sys

import onnx
from realmodels import path_of, recorded
from tools import output_of, run


def check(name, folder):
    model = path_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    nodes = onnx.load(str(model)).graph.node
    normalisations = sum(node.op_type == "BatchNormalization" for node in nodes)
    before, after = folder / "before.mlirbc", folder / "after.mlir"
    output_of("prune-translate", "--import-onnx", model, "-o", before)
    passes = ["--prune-drop-identities", "--prune-fold-batch-norms"]
    filters = ["--remarks-filter=prune-fold-batch-norms"]
    done = run("prune-opt", before, *passes, *filters, "-o", after)
    assert done.returncode == 0, done.stderr
    remarks = done.stderr + done.stdout
    folded = re.findall(r"\[Passed\] Folded .*After=(\d+), Before=(\d+)", remarks)
    # Behind a contraction a bias counts too.
    operations = sum(int(behind) + int(front) for behind, front in folded)
    print(f"{name}: {normalisations} normalisations, {operations} operations folded")
    assert operations >= normalisations > 0, remarks
    assert "[Missed]" not in remarks, remarks
    assert not re.search(r"math\.sqrt|arith\.mulf", strip_contractions(after)), name
    x, y = recorded(name, folder)
    arguments = [f"--input=@{x}", f"--expected=@{y}", "--rtol=1e-3", "--atol=1e-4"]
    output_of("prune-run", after, *arguments, timeout=3600)


def strip_contractions(path):
    """The module without the bodies of reductions."""
    text = output_of("prune-opt", path, "--mlir-elide-resource-strings-if-larger=1")
    return re.sub(r'linalg\.generic[^\n]*"reduction".*?\n    \}', "", text, flags=re.S)


def main():
    for name in sys.argv[2:]:
        check(name, pathlib.Path(sys.argv[1]) / name)


main()
