# What cannot be exported soundly is refused by name, and nothing is written.
# REQUIRES: onnx
# RUN: %python %s %t
"""Modules and templates that do not fit, and unwritable outputs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import pathlib
import re
import sys

import onnx
import onnxnets
from onnx import numpy_helper
from tools import output_of, run

OUT = pathlib.Path(sys.argv[1])


def prepare(name, model, *passes):
    template, module = OUT / f"{name}.onnx", OUT / f"{name}.mlir"
    onnx.save(model, template)
    output_of("prune-translate", "--import-onnx", template, "-o", module)
    output_of("prune-opt", module, *passes, "-o", module)
    return module, template


def export(module, template, target):
    arguments = ["--export-onnx", f"--template={template}", module, "-o", target]
    return run("prune-translate", *arguments)


def refuse(module, template, *expected):
    """An error, one line that says all of `expected`; an old file stays."""
    target = OUT / "out.onnx"
    target.write_text("old")
    done = export(module, template, target)
    assert done.returncode in (1, 3), f"{module}: {done.returncode} {done.stderr}"
    lines = [line for line in done.stderr.splitlines() if "error: " in line]
    found = any(all(text in line for text in expected) for line in lines)
    assert found, f"{module}: expected {expected} in {done.stderr}"
    assert target.read_text() == "old", f"{module} replaced the output"


HALF = ("--prune-mask-channels=ratio=0.5", "--prune-fold-masks")
SMALL = (*HALF, "--prune-remove-channels")


def edit(module, old, new, name):
    text = module.read_text()
    assert old in text, f"{old} is not in {module}"
    path = OUT / name
    path.write_text(text.replace(old, new, 1))
    return path


def changed(build, change):
    """The network after a change in place."""
    model = build()
    change(model)
    path = OUT / "changed.onnx"
    onnx.save(model, path)
    return path


def tensor_of(model, name):
    return next(t for t in model.graph.initializer if t.name == name)


def widen(model):
    """One more filter in the first convolution, and what follows."""
    tensor = tensor_of(model, "w0")
    values = numpy_helper.to_array(tensor)
    tensor.CopyFrom(numpy_helper.from_array(values[:, :2], "w0"))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 2


def rename(model):
    tensor_of(model, "w0").name = "first"
    model.graph.node[0].input[1] = "first"


def mean_net():
    """A mean over channels: with fewer it would be another mean."""
    n = onnxnets.Net(1)
    x = n.relu(n.conv("x", 3, 8))
    y = n.op("ReduceMean", x, axes=[1], keepdims=0)
    return n.model(y, onnxnets.IMAGE, result=["N", 8, 8])


def check_templates():
    module, template = prepare("residual", onnxnets.residual(), *SMALL)
    refuse(module, OUT / "absent.onnx", "cannot open", "absent.onnx")
    (OUT / "text.onnx").write_text("no model")
    refuse(module, OUT / "text.onnx", "text.onnx", "not a valid ONNX model")
    (OUT / "cut.onnx").write_bytes(template.read_bytes()[:-100])
    refuse(module, OUT / "cut.onnx", "cut.onnx")
    refuse(module, changed(onnxnets.residual, widen), "function 'main' has type", "template")
    refuse(module, changed(onnxnets.residual, rename), "'first'", "no counterpart")
    # Another network with the same inputs and outputs.
    _, other = prepare("joined", onnxnets.joined())
    refuse(module, other, "'w0'", "is no part of initialiser")
    # The last words of the command line.
    for arguments in (["--export-onnx", module], ["--import-onnx", "--template=x", module]):
        done = run("prune-translate", *arguments)
        assert done.returncode == 2 and "--template" in done.stderr, done.stderr
    done = run("prune-translate", "--export-onnx", f"--template={template}", OUT / "absent.mlir")
    assert done.returncode == 3 and "absent.mlir" in done.stderr, done.stderr


def check_modules():
    model = onnxnets.residual()
    module, template = prepare("masked", model, HALF[0])
    refuse(module, template, "prune-fold-masks")
    module, template = prepare("lowered", model, *HALF, "--prune-lower-to-llvm")
    refuse(module, template, "no function 'main'")
    module, template = prepare("shrunk", model, *SMALL)
    # A record that is lost, or leads elsewhere.
    text = module.read_text()
    begin = text.index("prune.kept = {")
    end = text.index("}", begin) + 1
    refuse(edit(module, text[begin:end], "test.other = 1", "lost.mlir"), template, "is no part of")
    # Text is not trusted.
    (OUT / "deep.mlir").write_text("module {" * 5000)
    refuse(OUT / "deep.mlir", template, "deep.mlir", "nest")
    (OUT / "bad.mlir").write_text('module attributes {prune.kept = {w0 = [array<i64: 3, 1>]}} {}')
    refuse(OUT / "bad.mlir", template, "prune.kept", "increasing")


def check_operators():
    # Our lowering divides by a constant and can lose a zero channel, ONNX cannot.
    unsafe = [f"{HALF[0]} export-safe=false", HALF[1], "--prune-remove-channels=export-safe=false"]
    module, template = prepare("mean", mean_net(), *unsafe)
    assert "prune.kept" in module.read_text(), "the mean lost no channels"
    refuse(module, template, "ReduceMean", "'w0'", "export-safe=true", "exclude")
    # By default it keeps them.
    module, template = prepare("safe", mean_net(), *SMALL)
    assert "prune.kept" not in module.read_text(), "the mean lost channels"
    assert export(module, template, OUT / "safe.onnx").returncode == 0


def check_versions():
    # Both uses lost something else, and text does not say which is which.
    module, template = prepare("shared", onnxnets.shared(), *SMALL)
    text = module.read_text()
    assert len(set(re.findall(r'<"ones#(\d+)">', text))) > 1, "there is one version"
    one = re.search(r'%\w+ = arith.constant dense_resource<"ones#\d+"> : (tensor<\d+xf32>)', text)
    more = f"{one[0]}\n    %more = linalg.exp ins({one[0].split()[0]} : {one[1]}) outs({one[0].split()[0]} : {one[1]}) -> {one[1]}"
    refuse(edit(module, one[0], more, "more.mlir"), template, "'ones'", "several weights", "bytecode")


def check_folded():
    # The normalisation that was folded is not where the record says.
    fold = ("--prune-drop-identities", "--prune-fold-batch-norms")
    module, template = prepare("folded", onnxnets.residual(), *fold, *SMALL)
    assert export(module, template, OUT / "folded.onnx").returncode == 0
    record = re.search(r"prune.folded = \{w0 = \{after = \[\"(\w+)\"", module.read_text())
    wrong = edit(module, f'"{record[1]}"', '"elsewhere"', "elsewhere.mlir")
    refuse(wrong, template, "'elsewhere'", "Conv", "prune-fold-batch-norms")
    wrong = edit(module, "prune.folded = {w0 =", "prune.folded = {none =", "none.mlir")
    refuse(wrong, template, "'none'", "template")


def check_outputs():
    module, template = prepare("written", onnxnets.residual(), *SMALL)
    done = export(module, template, OUT / "absent" / "out.onnx")
    assert done.returncode == 1 and "absent/out.onnx" in done.stderr, done.stderr
    # Onto the template itself, once everything is read.
    size = os.path.getsize(template)
    done = export(module, template, template)
    assert done.returncode == 0, done.stderr
    assert os.path.getsize(template) < size
    onnx.checker.check_model(onnx.load(template))


os.makedirs(OUT, exist_ok=True)
check_templates()
check_modules()
check_operators()
check_versions()
check_folded()
check_outputs()
