"""Prune networks: parse, run passes, compile, call with NumPy arrays.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    import numpy as np, prune

    module = prune.Module.parse(open("mlp.mlir").read())
    module.run("prune-weights{sparsity=0.9}")
    classify = module.compile()
    scores = classify(np.ones((4, 64), np.float32))

IR crosses as text or bytecode; nothing of MLIR's own Python API is needed. Every
failure is a `prune.Error` whose text is what the compiler said; a weight that does
not exist is a `KeyError`.
"""

from . import calibration as _calibration
from . import solvers
from ._prune import (
    CompileError,
    Error,
    ExportError,
    Module,
    ParseError,
    PassError,
    PipelineError,
    Program,
    Weights,
    load_plugin,
    version,
)

for _name in ("reconstruct", "sensitivity", "score_channels", "refit", "compress"):
    setattr(Module, _name, getattr(_calibration, _name))

__version__ = version()

__all__ = [
    "CompileError",
    "Error",
    "ExportError",
    "Module",
    "ParseError",
    "PassError",
    "PipelineError",
    "Program",
    "Weights",
    "load_plugin",
    "solvers",
]
