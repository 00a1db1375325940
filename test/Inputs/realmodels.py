"""The real models that tests use, and what to feed them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Three small ones stand in the tree (examples/models) and are there in every run; the
others lie in PRUNE_DATA.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import numpy_helper

import masks
import onnxnumpy
from onnx_files import find_weights

EXAMPLES = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"]) / "examples"
SMALL = ("mlp", "cnn", "transformer")


def data():
    return pathlib.Path(os.environ["PRUNE_DATA"])


def path_of(name):
    if name in SMALL:
        return EXAMPLES / "models" / f"{name}.onnx"
    return data() / "models" / name / "model.onnx"


def input_of(model):
    """The name and the sizes of the only input; 0 is an open size."""
    stored = {tensor.name for tensor in model.graph.initializer}
    (info,) = [info for info in model.graph.input if info.name not in stored]
    return info.name, [dim.dim_value for dim in info.type.tensor_type.shape.dim]


def prepare(name, folder, count):
    """Writes x.npy and y.npy: samples that were held out, in the shape of the model's
    input, and their labels. Returns both."""
    if name in SMALL:
        x, y = (np.load(EXAMPLES / "digits" / f"{kind}.npy")[:count] for kind in "xy")
    else:
        command = [sys.executable, data() / "prepare.py", name, folder, "--count", count]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        x, y = (np.load(folder / f"{kind}.npy") for kind in "xy")
    _, sizes = input_of(onnx.load(str(path_of(name))))
    x = x.reshape(-1, *sizes[1:])
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    return x, y


def recorded(name, folder):
    """Writes an input and what the model has to answer to in.npy and out.npy: as recorded
    with another runtime, or, of the small models, what numpy computes."""
    if name in SMALL:
        model = onnx.load(str(path_of(name)))
        x, _ = prepare(name, folder, 24)
        arrays = x, onnxnumpy.evaluate(model, {input_of(model)[0]: x})[0]
    else:
        tensors = [onnx.load_tensor(str(path_of(name).parent / f"{kind}_0.pb")) for kind in ("input", "output")]
        arrays = map(numpy_helper.to_array, tensors)
    paths = folder / "in.npy", folder / "out.npy"
    for path, array in zip(paths, arrays):
        np.save(path, array)
    return paths


def prune_onnx(model, sparsity):
    """Zeroes each weight's smallest elements in the ONNX model, by masks of numpy."""
    for tensor in find_weights(model):
        values = numpy_helper.to_array(tensor)
        (mask,) = masks.mask([masks.score(values, "l1")], "element", sparsity=sparsity)
        pruned = masks.apply(values, mask).astype(values.dtype)
        tensor.CopyFrom(numpy_helper.from_array(pruned, tensor.name))


def count_right(logits, labels):
    """The first of equals counts, as everywhere."""
    return int((logits.reshape(*labels.shape, -1).argmax(-1) == labels).sum())
