# REQUIRES: data
# RUN: %python %s lenet5_fashion cifar10_resnet20 mlperf_kws_dscnn
"""Real networks lose half of their channels and equal their masked selves.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each model is imported, half of the channels of each group masked, and the masks
folded. The shrunk network has to compute what the masked one does. A network
that others pruned element by element loses its dead neurons without a decision.
"""

import os
import pathlib
import re
import sys
import tempfile

import numpy as np

from tools import output_of, run


def parameters(module):
    """What the weights' types in a module add up to."""
    text = output_of("prune-opt", module, "--mlir-elide-resource-strings-if-larger=1")
    shapes = dict(re.findall(r'dense_resource<(\S+)> : tensor<([\dx]+)xf32>', text))
    return sum(int(np.prod([int(n) for n in s.split("x")])) for s in shapes.values())


def compare(folder, before, after):
    """Both on the same random input; sums are in another order."""
    shape = re.search(r"@main\(%\w+: tensor<([?\dx]+)xf32>", after.read_text())[1]
    shape = shape.replace("?", "2")
    arguments = [f"--input=0={shape}", "--rtol=1e-3", "--atol=1e-4"]
    arguments += [f"--compare={before}"]
    done = run("prune-run", after, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def import_model(name, folder):
    module = folder / f"{name}.mlir"
    model = pathlib.Path(os.environ["PRUNE_DATA"]) / "models" / name / "model.onnx"
    output_of("prune-translate", "--import-onnx", model, "-o", module)
    return module


def check_half(name, folder):
    module, masked, after = import_model(name, folder), folder / "m.mlir", folder / "a.mlir"
    decide = ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks"]
    output_of("prune-opt", module, *decide, "-o", masked)
    output_of("prune-opt", masked, "--prune-remove-channels", "-o", after)
    old, new = parameters(masked), parameters(after)
    print(f"{name}: {old} parameters, {new} after")
    assert new < 0.5 * old, f"{name} hardly became smaller"
    compare(folder, masked, after)


def check_dead(name, folder):
    module, after = import_model(name, folder), folder / "a.mlir"
    output_of("prune-opt", module, "--prune-remove-channels", "-o", after)
    old, new = parameters(module), parameters(after)
    print(f"{name}: {old} parameters, {new} without dead neurons")
    assert new < 0.25 * old, f"{name} kept dead neurons"
    compare(folder, module, after)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        check_dead("dns_lenet300100_sparse", folder)
        for name in sys.argv[1:]:
            check_half(name, folder)


if __name__ == "__main__":
    main()
