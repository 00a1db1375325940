"""Compiles modules for a given processor with the packaged tools.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ctypes
import dataclasses
import os
import subprocess

import numpy as np

import tools


@dataclasses.dataclass(frozen=True)
class Target:
    """A processor: what clang and the pipeline are told about it."""

    name: str
    flags: tuple
    vector_bits: int
    has_fma: bool
    has_f16c: bool

    def options(self, kernels):
        """Of `--prune-lower-to-llvm`."""
        return (
            f"kernels={kernels} vector-bits={self.vector_bits} "
            f"has-fma={str(self.has_fma).lower()} "
            f"has-f16c={str(self.has_f16c).lower()}"
        )


X86_V2 = Target("x86-64-v2", ("-march=x86-64-v2",), 128, False, False)
X86_V3 = Target("x86-64-v3", ("-march=x86-64-v3",), 256, True, True)
X86_V4 = Target("x86-64-v4", ("-march=x86-64-v4",), 512, True, True)
AARCH64 = Target("aarch64", ("--target=aarch64-linux-gnu",), 128, True, True)


def compile_object(text, target, kernels, base, *flags):
    """Compiles the text of a module; returns the text of its LLVM IR. `flags`
    are clang's; the result is `base`.o unless they say otherwise."""
    lowered, source = base + ".llvm.mlir", base + ".ll"
    with open(lowered, "w", encoding="utf-8") as file:
        file.write(
            tools.output_of(
                "prune-opt",
                "-",
                f"--prune-lower-to-llvm={target.options(kernels)}",
                stdin=text,
            )
        )
    translate = ["mlir-translate", "--mlir-to-llvmir", lowered, "-o", source]
    subprocess.run(translate, check=True, timeout=300)
    output = flags or ("-c", "-o", base + ".o")
    clang = ["clang", "-O2", "-w", *target.flags, source, *output]
    subprocess.run(clang, check=True, timeout=300)
    with open(source, encoding="utf-8") as file:
        return file.read()


def undefined_symbols(path):
    """What an object file needs of others."""
    command = ["llvm-nm", "--undefined-only", "--just-symbol-name", path]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return set(text.split())


class Vector(ctypes.Structure):
    """A memory reference of rank one."""

    _fields_ = [
        ("allocated", ctypes.c_void_p),
        ("aligned", ctypes.c_void_p),
        ("offset", ctypes.c_int64),
        ("size", ctypes.c_int64),
        ("stride", ctypes.c_int64),
    ]


def call(library, name, array, dtype):
    """Calls a function from one vector to another; the result as `dtype`."""
    argument, result = Vector(), Vector()
    array = np.ascontiguousarray(array)
    argument.allocated = argument.aligned = array.ctypes.data
    argument.size, argument.stride = array.size, 1
    getattr(library, "_mlir_ciface_" + name)(
        ctypes.byref(result), ctypes.byref(argument)
    )
    data = ctypes.string_at(result.aligned, result.size * np.dtype(dtype).itemsize)
    ctypes.CDLL(None).free(ctypes.c_void_p(result.allocated))
    return np.frombuffer(data, dtype)


def load(path):
    return ctypes.CDLL(os.path.abspath(path))
