"""The pipeline lowers the same networks without its canonicalizer, with all kernels.

RUN: %python %s

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Packed kernels and the upstream sparsifier only take weights that were pruned: those of the
digits example, as single elements, in blocks and as 2:4, in products and convolutions.
"""

import os
import pathlib
import re

import tools

HERE = pathlib.Path(__file__).parent
DIGITS = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"]) / "examples" / "digits"
MODELS = [(HERE / "lower-to-llvm.mlir", None), (HERE / "lower-to-llvm-tosa.mlir", None)]
PRUNED = [
    (DIGITS / "mlp.mlir", "sparsity=0.8"),
    (DIGITS / "mlp.mlir", "pattern=2:4 include=."),
    (DIGITS / "mlp.mlir", "sparsity=0.5 pattern=block:4x1 include=."),
    (DIGITS / "cnn.mlir", "sparsity=0.8"),
]


def without_canonicalizer(kernels):
    option = f"--prune-lower-to-llvm=kernels={kernels}"
    pipeline = tools.run("prune-opt", option, "--dump-pass-pipeline", stdin="module {}").stderr
    pipeline = pipeline[pipeline.index("builtin.module("):].replace("\n", " ")
    # With options in braces or without, between commas.
    shorter = re.sub(r"\bcanonicalize(\{[^}]*\})?\s*,?", "", pipeline)
    # What held nothing else goes, too.
    shorter = re.sub(r"[\w.]+\(\s*\)\s*,?", "", re.sub(r",\s*\)", ")", shorter))
    shorter = re.sub(r",\s*\)", ")", shorter).strip()
    assert "canonicalize" in pipeline and "canonicalize" not in shorter
    return shorter


def stage(pipeline, name):
    """The pipeline up to and including the last pass of this name."""
    end = pipeline.rindex(name)
    found = re.compile(r"[\w-]+(\{[^}]*\})?").match(pipeline, end)
    return pipeline[: found.end()] + ")"


for kernels, used in (
    ("dense", None),
    ("packed", ("prune-pack-weights", "prune.packed_matmul")),
    ("reference", ("prune-sparsify-weights", "sparse_tensor.assemble")),
):
    pipeline = without_canonicalizer(kernels)
    for model, options in MODELS + PRUNED:
        text = tools.output_of("prune-opt", model, *([f"--prune-weights={options}"] if options else []))
        lowered = tools.output_of("prune-opt", "-", f"--pass-pipeline={pipeline}", stdin=text)
        assert "llvm.func @main" in lowered, (model, kernels)
        if used and options:
            half_way = stage(pipeline, used[0])
            found = tools.output_of("prune-opt", "-", f"--pass-pipeline={half_way}", stdin=text)
            assert used[1] in found, (model, kernels, options, half_way)
