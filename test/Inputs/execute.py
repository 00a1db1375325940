"""Runs modules with prune-run and compares them with numpy.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A case is the text of a module, its inputs and what numpy computes. Each is
called three times, must free what it allocates, and is compiled with run-time
checks, as prune-run does unless told otherwise.
"""

import json
import os
import tempfile

import numpy as np

import tools

TYPES = {
    "float16": "f16",
    "float32": "f32",
    "float64": "f64",
    "int8": "i8",
    "int16": "i16",
    "int32": "i32",
    "int64": "i64",
    "bool": "i1",
}


def tensor(array):
    """The MLIR type of an array."""
    dims = "".join(f"{dim}x" for dim in np.shape(array))
    return f"tensor<{dims}{TYPES[str(np.asarray(array).dtype)]}>"


def save(path, array):
    """Saves an array in C order, whatever it is a view of."""
    np.save(path, np.ascontiguousarray(array).reshape(np.shape(array)))


def check(name, module, inputs, expected, rtol=0.0, atol=0.0, options=()):
    """Runs a module and asserts that it computes what is expected."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name + ".mlir")
        with open(path, "w", encoding="utf-8") as file:
            file.write(module)
        arguments = [path, "--repeat=3", "--json", f"--rtol={rtol}", f"--atol={atol}"]
        for i, array in enumerate(inputs):
            save(os.path.join(folder, f"in{i}.npy"), array)
            arguments.append(f"--input=@{folder}/in{i}.npy")
        for i, array in enumerate(expected):
            save(os.path.join(folder, f"out{i}.npy"), array)
            arguments.append(f"--expected=@{folder}/out{i}.npy")
        # Kernels that are made for weights have tests of their own.
        if not any(option.startswith("--kernels") for option in options):
            arguments.append("--kernels=dense")
        report = json.loads(tools.output_of("prune-run", *arguments, *options))
    assert report["leaked_allocations"] == 0, f"{name} leaks: {report}"
    return report


def to_bfloat(values):
    """Rounds to bfloat16, to nearest even; returns the values as float32."""
    bits = np.asarray(values, "f4").view("u4").astype("u8")
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
    return bits.astype("u4").view("f4")
