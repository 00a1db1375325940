# REQUIRES: onnx, python-package
# RUN: %python %s %t.onnx
"""The Python package imports ONNX models; errors say why.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import sys

import numpy as np
import prune
from onnx import helper, numpy_helper
from onnx_files import info, model, save

PATH = sys.argv[1]
WEIGHT = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)


def expect_error(kind, text, path, dims):
    try:
        prune.Module.import_onnx(path, dims)
    except kind as error:
        assert text in str(error), (text, str(error))
        return
    raise AssertionError(f"no {kind.__name__} for {path} and {dims}")


save(
    PATH,
    model(
        [helper.make_node("MatMul", ["x", "fc"], ["y"])],
        [numpy_helper.from_array(WEIGHT, "fc")],
        [info("x", ["N", 4])],
    ),
)
x = np.random.default_rng(1).standard_normal((2, 4)).astype(np.float32)
imported = prune.Module.import_onnx(PATH)
assert "dense_resource<fc>" in str(imported)
for module, given in ((imported, "?"), (prune.Module.import_onnx(PATH, {"N": 2}), "2")):
    assert f"tensor<{given}x4xf32>" in str(module)
    np.testing.assert_allclose(module.compile()(x), x @ WEIGHT, rtol=1e-5)
# What was imported can be pruned.
imported.run("prune-weights{sparsity=0.5 min-size=1}")
assert 'dense_resource<"fc#1">' in str(imported)

# Inputs become constants: a number for all elements, or as many as there are.
save(
    PATH,
    model([helper.make_node("Add", ["x", "v"], ["y"])], [], [info("x", [2, 4]), info("v", [4])]),
)
for values in (3, 3.0, [1, 2, 3, 4], (1.5, 2, 3, 4), np.arange(4)):
    module = prune.Module.import_onnx(PATH, values={"v": values})
    np.testing.assert_array_equal(module.compile()(x), x + np.asarray(values, np.float32))
try:
    prune.Module.import_onnx(PATH, values={"v": [1, 2]})
except prune.ParseError as error:
    assert "takes one number or 4, but got 2" in str(error), error
else:
    raise AssertionError("two numbers for four")

expect_error(prune.ParseError, "cannot open", PATH + ".none", {})
expect_error(prune.ParseError, "no input has an open dimension 'M'", PATH, {"M": 2})
expect_error(prune.Error, "positive sizes", PATH, {"N": 0})
save(PATH, b"text")
expect_error(prune.ParseError, "is not a valid ONNX model", PATH, {})
