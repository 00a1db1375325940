# Pruned networks are written back into the ONNX file that they came from.
# REQUIRES: onnx
# RUN: %python %s %t
"""Small networks lose channels and go back to ONNX.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The exported file has to pass ONNX's checker, keep all names and the operator set,
be smaller, and compute (in numpy) what the masked module computes. What is left
of a weight has to be the original at the recorded indices.
"""

import os
import pathlib
import re
import sys

import numpy as np
import onnx
import onnxnets
import onnxnumpy
from onnx import numpy_helper
from onnxruntime import OnnxRuntime
from tools import output_of

OUT = pathlib.Path(sys.argv[1])
# What constant channels add becomes a bias, and the second time a node.
ADDED = ["constant"]
# Open sizes that are fixed, at the import and again at the export.
FIXED = {"heads": ["--dim=N=2"]}


def parameters(model):
    arrays = map(numpy_helper.to_array, model.graph.initializer)
    return sum(array.size for array in arrays if array.dtype == np.float32)


def kept_indices(module):
    """By initialiser, what `prune.kept` says: a list or None for each dimension."""
    text = module.read_text()
    record = re.search(r"prune\.kept = \{(.*?)\}, prune|prune\.kept = \{(.*?)\}", text)
    kept = {}
    for name, lists in re.findall(r'"?(\w+)(?:#\d+)?"? = \[((?:array<[^>]*>|unit|, )*)\]', record[0]):
        kept[name] = [
            None if entry == "unit" else [int(n) for n in re.findall(r"\d+", entry[9:])]
            for entry in re.findall(r"array<[^>]*>|unit", lists)
        ]
    return kept


def sizes_of(model):
    return model.graph.input[0].type.tensor_type.shape.dim


def check_names(original, model, is_longer=False):
    assert model.opset_import[0].version == original.opset_import[0].version
    assert model.ir_version == original.ir_version
    for kind in ("input", "output"):
        before, after = (
            [info.name for info in getattr(m.graph, kind)] for m in (original, model)
        )
        tensors = {tensor.name for tensor in model.graph.initializer}
        before = [name for name in before if name not in tensors]
        assert [name for name in after if name not in tensors] == before
    if is_longer:
        return
    before = [(n.name, n.op_type, list(n.output)) for n in original.graph.node]
    after = [(n.name, n.op_type, list(n.output)) for n in model.graph.node]
    dropped = [entry for entry in before if entry not in after]
    assert [entry for entry in before if entry in after] == after
    # Only what computes shapes may be replaced by numbers.
    assert all(kind in ("Shape", "Gather", "Unsqueeze", "Concat") for _, kind, _ in dropped)


def check_weights(original, model, module):
    """What is left is the original at the recorded indices."""
    kept = kept_indices(module)
    assert kept, "nothing is recorded"
    after = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for tensor in original.graph.initializer:
        before = numpy_helper.to_array(tensor)
        lists = kept.get(tensor.name, [None] * before.ndim)
        if before.dtype != np.float32:
            continue
        for dim, indices in enumerate(lists):
            if indices is not None:
                before = before.take(indices, dim)
        assert before.shape == after[tensor.name].shape, tensor.name
        # A bias may have taken what constant channels added.
        if before.ndim > 1:
            assert (before == after[tensor.name]).all(), tensor.name


def export(module, template, dims):
    path = OUT / f"{module.stem}.onnx"
    arguments = [f"--template={template}", *dims, module, "-o", path]
    output_of("prune-translate", "--export-onnx", *arguments)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    return model


def check_equal(model, module, inputs):
    """The file in numpy, the module compiled."""
    expected = onnxnumpy.evaluate(model, {"x": inputs})
    np.save(OUT / "x.npy", inputs)
    np.save(OUT / "y.npy", expected[0])
    arguments = [f"--input=@{OUT}/x.npy", f"--expected=@{OUT}/y.npy"]
    output_of("prune-run", module, *arguments, "--rtol=1e-4", "--atol=1e-5")


def shrink(name, module, ratio, suffix):
    masked, after = OUT / f"{name}-masked{suffix}.mlirbc", OUT / f"{name}{suffix}.mlir"
    decide = [f"--prune-mask-channels=ratio={ratio}", "--prune-fold-masks"]
    output_of("prune-opt", module, *decide, "--emit-bytecode", "-o", masked)
    output_of("prune-opt", masked, "--prune-remove-channels", "-o", after)
    return masked, after


def check(build):
    name = build.__name__
    original, template = build(), OUT / f"{name}.template.onnx"
    onnx.save(original, template)
    imported = OUT / f"{name}-imported.mlir"
    dims = FIXED.get(name, [])
    output_of("prune-translate", "--import-onnx", template, *dims, "-o", imported)
    shape = [dim.dim_value or 2 for dim in sizes_of(original)]
    inputs = np.random.default_rng(9).normal(size=shape).astype(np.float32)

    masked, after = shrink(name, imported, 0.5, "")
    # Masks alone: the same sizes.
    model = export(masked, template, dims)
    check_names(original, model)
    assert parameters(model) == parameters(original)
    check_equal(model, masked, inputs)
    # Without the masked channels; twice, so that what is recorded composes.
    model = export(after, template, dims)
    check_names(original, model)
    check_weights(original, model, after)
    check_equal(model, masked, inputs)
    if dims:
        assert sizes_of(model)[0].dim_value == 2, "the fixed size is not stated"
    sizes = [parameters(original), parameters(model)]
    print(f"{name}: {sizes} parameters")
    assert sizes[0] > sizes[1], f"{name}: {sizes}"
    masked, after = shrink(name, after, 0.4, "-again")
    model = export(after, template, dims)
    check_names(original, model, name in ADDED)
    check_weights(original, model, after)
    check_equal(model, masked, inputs)
    assert parameters(model) < sizes[1], f"{name} did not shrink again"


def computed(module, inputs):
    np.save(OUT / "x.npy", inputs)
    arguments = [f"--input=@{OUT}/x.npy", f"--output=@{OUT}/y.npy"]
    output_of("prune-run", module, *arguments)
    return np.load(OUT / "y.npy")


def check_again(path, expected, inputs):
    """The file, imported again, and in ONNX Runtime if that is there."""
    again = OUT / "again.mlirbc"
    output_of("prune-translate", "--import-onnx", path, "-o", again)
    results = [computed(again, inputs)]
    if runtime:
        results.append(next(iter(runtime.run(str(path), {"x": inputs}).values())))
    for found in results:
        np.testing.assert_allclose(found, expected, 1e-4, 1e-4 * abs(expected).max())


def check_more(build):
    """Masked, and without the channels, each as bytecode and as text, which loses the
    locations of operations; before and after normalisations are folded."""
    name = build.__name__
    template, imported = OUT / f"{name}.template.onnx", OUT / f"{name}-imported.mlirbc"
    onnx.save(build(), template)
    output_of("prune-translate", "--import-onnx", template, "-o", imported)
    inputs = np.random.default_rng(9).normal(size=(2, 3, 8, 8)).astype(np.float32)
    fold = ["--prune-drop-identities", "--prune-fold-batch-norms"]
    for kind, first in (("", []), ("-folded", fold)):
        masked, small = OUT / f"{name}{kind}-masked.mlir", OUT / f"{name}{kind}.mlirbc"
        decide = [*first, "--prune-mask-channels=ratio=0.5", "--prune-fold-masks"]
        output_of("prune-opt", imported, *decide, "-o", masked)
        output_of("prune-opt", imported, *decide, "--prune-remove-channels",
                  "--emit-bytecode", "-o", small)
        expected = computed(masked, inputs)
        assert abs(expected).max() > 0, f"{name} computes nothing"
        sizes = []
        for module in (masked, small):
            path = module.with_suffix(".onnx")
            output_of("prune-translate", "--export-onnx", f"--template={template}", module, "-o", path)
            check_again(path, expected, inputs)
            sizes.append(path.stat().st_size)
        print(f"{name}{kind}: {sizes} bytes")
        assert sizes[1] < 0.8 * sizes[0], f"{name}{kind}: {sizes}"


os.makedirs(OUT, exist_ok=True)
runtime = OnnxRuntime() if "--runtime" in sys.argv else None
for network in onnxnets.NETWORKS:
    check(network)
for network in onnxnets.MORE:
    check_more(network)
