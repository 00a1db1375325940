# Networks drawn at random lose channels, with and without folding, and are written back.
# REQUIRES: onnx
# RUN: %python %s %t
"""The commands of the README end in a file, whatever the network.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The file, imported again or with `--runtime` in ONNX Runtime, computes what the masked
module computes. PRUNE_EXPORT_NETWORKS says how many are drawn, from
seed PRUNE_EXPORT_FIRST on. `--seed=N` draws one.
"""

import os
import pathlib
import sys

import numpy as np
import onnx
import onnxdrawing
from onnxruntime import OnnxRuntime
from tools import output_of

OUT = pathlib.Path(sys.argv[1])
NUMBERS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
# The same networks in ONNX Runtime are a test of their own.
COUNT = int(os.environ.get("PRUNE_EXPORT_NETWORKS", "60" if "--runtime" in sys.argv else "12"))
FIRST = int(os.environ.get("PRUNE_EXPORT_FIRST", "0"))
# Sums are made in another order, also where a normalisation divides by them.
TOLERANCE = {"float32": 1e-3, "float16": 3e-2}


def computed(module, x):
    np.save(OUT / "x.npy", x)
    output_of("prune-run", module, f"--input=@{OUT}/x.npy", f"--output=@{OUT}/y.npy")
    return np.load(OUT / "y.npy")


def shrink(module, seed):
    """The masked module and the smaller one."""
    masked, small = OUT / "masked.mlirbc", OUT / "small.mlirbc"
    fold = ["--prune-drop-identities", "--prune-fold-batch-norms"] if seed % 2 else []
    decide = [f"--prune-mask-channels=ratio={0.5 if seed % 3 else 0.3}", "--prune-fold-masks"]
    output_of("prune-opt", module, *fold, *decide, "--emit-bytecode", "-o", masked)
    output_of("prune-opt", masked, "--prune-remove-channels", "--emit-bytecode", "-o", small)
    return masked, small


def parameters(path):
    model = onnx.load(path)
    tensors = list(model.graph.initializer)
    tensors += [n.attribute[0].t for n in model.graph.node if n.op_type == "Constant"]
    tensors += [t for n in model.graph.node for a in n.attribute for t in a.g.initializer]
    return sum(int(np.prod(t.dims)) for t in tensors if t.data_type in NUMBERS)


def check(seed, runtime):
    model, x = onnxdrawing.draw(seed)
    template, module = OUT / "model.onnx", OUT / "model.mlirbc"
    onnx.save(model, template)
    output_of("prune-translate", "--import-onnx", template, "-o", module)
    masked, small = shrink(module, seed)
    expected = computed(masked, x).astype(np.float32)
    scale = max(1.0, float(np.abs(expected).max()))
    sizes = [parameters(template)]
    for pruned in (masked, small):
        path = pruned.with_suffix(".onnx")
        output_of("prune-translate", "--export-onnx", f"--template={template}", pruned, "-o", path)
        if runtime:
            found = next(iter(runtime.run(str(path), {"x": x}).values()))
        else:
            again = OUT / "again.mlirbc"
            output_of("prune-translate", "--import-onnx", path, "-o", again)
            found = computed(again, x)
        error = float(np.abs(found.astype(np.float32) - expected).max())
        assert error <= TOLERANCE[x.dtype.name] * scale, f"{path.name}: {error} of {scale}"
        sizes.append(parameters(path))
    return sizes


os.makedirs(OUT, exist_ok=True)
oracle = OnnxRuntime() if "--runtime" in sys.argv else None
seeds = [int(a.removeprefix("--seed=")) for a in sys.argv if a.startswith("--seed=")]
numbers = seeds or range(FIRST, FIRST + COUNT)
smaller, failures = 0, {}
for number in numbers:
    try:
        before, _, after = check(number, oracle)
        smaller += after < before
    except AssertionError as error:
        failures[number] = str(error)
        print(f"seed {number}: {error}", flush=True)
if oracle:
    oracle.close()
print(f"{len(numbers)} networks, {smaller} smaller than before, {len(failures)} wrong")
assert not failures, sorted(failures)
assert seeds or 2 * smaller > COUNT, smaller
