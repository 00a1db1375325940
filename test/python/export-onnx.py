# REQUIRES: onnx, python-package
# RUN: %python %s %t
"""The Python package writes pruned networks back as ONNX; errors say why.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import pathlib
import sys

import numpy as np
import onnx
import onnxnets
import onnxnumpy
import prune

OUT = pathlib.Path(sys.argv[1])
DECIDE = "prune-mask-channels{ratio=0.5},prune-fold-masks"


def expect_error(kind, text, module, template, dims):
    try:
        module.export_onnx(template, dims)
    except kind as error:
        assert text in str(error), (text, str(error))
        return
    raise AssertionError(f"no {kind.__name__} for {template} and {dims}")


os.makedirs(OUT, exist_ok=True)
path = OUT / "model.onnx"
onnx.save(onnxnets.residual(), path)
x = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)
for dims, given in (({}, "N"), ({"N": 2}, 2)):
    module = prune.Module.import_onnx(str(path), dims)
    module.run(DECIDE)
    expected = module.compile()(x)
    module.run("prune-remove-channels")
    written = module.export_onnx(path, dims)
    assert isinstance(written, bytes) and len(written) < os.path.getsize(path)
    model = onnx.load_from_string(written)
    onnx.checker.check_model(model)
    size = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert given in (size.dim_value, size.dim_param), size
    np.testing.assert_allclose(onnxnumpy.evaluate(model, {"x": x})[0], expected, 1e-4, 1e-5)

expect_error(prune.ExportError, "cannot open", module, str(path) + ".none", {"N": 2})
expect_error(prune.ExportError, "has type", module, path, {})
expect_error(prune.Error, "positive sizes", module, path, {"N": 0})
onnx.save(onnxnets.joined(), path)
expect_error(prune.ExportError, "'w0'", module, path, {"N": 2})
