"""Runs every command of documents as it is written.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    run_documents.py FOLDER PAGE...

Commands run in FOLDER, which looks like the root of the tree with a network beside it:
`model.mlir`, `model.onnx`, and images and labels for both, `x.npy` and `y.npy`, and the
images again as `train.npy`. `HOME` is in there, too. Benchmarks run with `--quick`; those that time ONNX Runtime only where there is
one. Of a command that is not run, every option must be in the program's help.
"""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
from onnx import helper, numpy_helper

import documents
from onnx_files import info, model, save

SOURCE, BUILD = (pathlib.Path(os.environ[name]) for name in ("PRUNE_SOURCE_DIR", "PRUNE_BUILD_DIR"))
# Benchmarks that have nothing to time without ONNX Runtime.
PEERED = ("grid.py", "matmul.py", "networks.py", "channels.py time", "plot.py")


def digits_network(path):
    """A small convolutional network over 8x8 images; its weights are drawn."""
    rng = np.random.default_rng(0)
    tensors, nodes = [], []

    def tensor(name, array):
        tensors.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    value = node("Reshape", ["x", tensor("image", np.int64([-1, 1, 8, 8]))], "i")
    for layer, (inputs, outputs) in enumerate([(1, 8), (8, 16)], 1):
        shape = (outputs, inputs, 3, 3)
        weight = rng.normal(size=shape) / np.sqrt(9 * inputs)
        conv = [value, tensor(f"conv{layer}.weight", weight.astype(np.float32))]
        value = node("Conv", conv, f"c{layer}", pads=[1] * 4)
        scale = [rng.uniform(0.5, 1.5, outputs).astype(np.float32) for _ in range(4)]
        names = [tensor(f"bn{layer}.{i}", array) for i, array in enumerate(scale)]
        value = node("BatchNormalization", [value, *names], f"b{layer}")
        value = node("Relu", [value], f"r{layer}")
    value = node("MaxPool", [value], "p", kernel_shape=[2, 2], strides=[2, 2])
    value = node("Flatten", [value], "f")
    fc3 = (rng.normal(size=(256, 10)) / 16).astype(np.float32)
    node("MatMul", [value, tensor("fc3.weight", fc3)], "y")
    save(path, model(nodes, tensors, [info("x", ["N", 64])], [info("y", ["N", 10])], opset=17))


def set_up(folder):
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "home").mkdir(parents=True)
    for name in ("bench", "examples", "fuzz", "scripts"):
        (folder / name).symlink_to(SOURCE / name)
    (folder / "build").symlink_to(BUILD)
    digits = SOURCE / "examples" / "digits"
    shutil.copy(digits / "mlp.mlir", folder / "model.mlir")
    for name in ("x.npy", "y.npy"):
        shutil.copy(digits / name, folder)
    shutil.copy(digits / "x.npy", folder / "train.npy")
    digits_network(folder / "model.onnx")


def has_onnxruntime():
    command = ["node", "-e", "require('onnxruntime-node')"]
    return shutil.which("node") and not subprocess.run(command, capture_output=True, check=False).returncode


def execute(folder, shell, what):
    """Runs lines of shell, which share what they export, as one script."""
    environment = {**os.environ, "HOME": str(folder / "home")}
    environment.setdefault("CCACHE_DIR", os.path.expanduser("~/.cache/ccache"))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{what}\n{shell}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def help_of(program, words, folder):
    """What a program says of its options, of a subcommand as well."""
    path = folder / program if "/" in program else shutil.which(program)
    if str(program).endswith(".sh"):
        return pathlib.Path(path).read_text(encoding="utf-8")
    python = [sys.executable] if str(path).endswith(".py") else []
    flag = "--help" if python else "--help-list-hidden"
    text = ""
    for subcommand in [[], *([word] for word in words if python and word.isalpha())]:
        done = subprocess.run([*python, path, *subcommand, flag], capture_output=True, text=True, check=False)
        text += done.stdout
    return text


def look_up(folder, command, what):
    """Asserts that a program and its options exist."""
    program, words, names = documents.options(command)
    if not re.fullmatch(documents.PROGRAMS, program) or program.startswith("build-fuzz"):
        return  # not ours, or built by a preset of its own
    if "/" in program:
        assert (folder / program).exists(), f"{what}: no {program}"
    else:
        assert shutil.which(program), f"{what}: no {program} on the path"
    known = help_of(program, words, folder) if names else ""
    for name in names:
        assert name in known, f"{what}: {program} has no option {name}: {command}"


def run_page(folder, path, page):
    found = documents.blocks(page)
    for block in filter(lambda block: block.file, found):
        (folder / block.file).write_text(block.text, encoding="utf-8")
    for block in found:
        if block.language == "sh" and block.reason:
            for command in documents.commands(block.text):
                look_up(folder, command, path)
        elif block.language == "sh":
            execute(folder, block.text, path)
            print(f"{path}: {len(documents.commands(block.text))} commands run")
    for span in documents.spans(page):
        look_up(folder, span, path)


def run_benchmark(folder, path, source, peer):
    found = documents.described_commands(source)
    assert found, f"{path} shows no command"
    for command in found:
        look_up(folder, command, path)
        if "plot.py" in command and not importlib.util.find_spec("matplotlib"):
            print(f"{path}: not run without matplotlib: {command}")
            continue
        if not peer and any(name in command for name in PEERED):
            print(f"{path}: not run without ONNX Runtime: {command}")
            continue
        quick = "--quick" in help_of(*documents.options(command)[:2], folder)
        execute(folder, command + (" --quick" if quick else ""), path)
        print(f"{path}: run{' with --quick' if quick else ''}: {command}")


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    set_up(folder)
    os.environ["PATH"] = os.pathsep.join([str(BUILD / "bin"), os.environ["PATH"]])
    peer = has_onnxruntime()
    for name in sys.argv[2:]:
        path = SOURCE / name
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            run_benchmark(folder, name, text, peer)
        else:
            run_page(folder, name, text)


main()
