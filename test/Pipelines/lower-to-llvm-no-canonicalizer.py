"""The pipeline lowers the same networks without its canonicalizer.

RUN: %python %s
"""

import os
import re

import tools

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = ["lower-to-llvm.mlir", "lower-to-llvm-tosa.mlir"]

pipeline = tools.run("prune-opt", "--prune-lower-to-llvm", "--dump-pass-pipeline",
                     stdin="module {}").stderr
pipeline = pipeline[pipeline.index("builtin.module("):].replace("\n", " ")
# With options in braces or without, between commas.
shorter = re.sub(r"\bcanonicalize(\{[^}]*\})?\s*,?", "", pipeline)
# What held nothing else goes, too.
shorter = re.sub(r"[\w.]+\(\s*\)\s*,?", "", re.sub(r",\s*\)", ")", shorter))
shorter = re.sub(r",\s*\)", ")", shorter)
assert "canonicalize" in pipeline and "canonicalize" not in shorter
for model in MODELS:
    text = tools.output_of("prune-opt", os.path.join(HERE, model),
                           "--pass-pipeline=" + shorter.strip())
    assert "llvm.func @main" in text, model
