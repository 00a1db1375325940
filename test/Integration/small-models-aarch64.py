# REQUIRES: onnx, aarch64
# RUN: %python %s %t
"""Networks of the tree, with half of their weights, give the same answers as AArch64 code.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each is imported for four images, masked, packed, compiled for AArch64 and called in the
guest program under an emulator. Numpy computes the answers from the ONNX file with the
same masks. The transformer is left out: it calls functions of a C library.
"""

import dataclasses
import pathlib
import re
import sys

import numpy as np
import onnx
import onnxnumpy
from execute import tensor
from products import Guest, Trial, aarch64_target
from realmodels import input_of, path_of, prepare, prune_onnx
from tools import output_of

OUT = pathlib.Path(sys.argv[1])
IMAGES = 4


@dataclasses.dataclass
class Network:
    """An imported module with a function of buffers around @main, for the guest."""

    module: str
    x: np.ndarray
    y: np.ndarray

    def text(self, name):
        x, y = tensor(self.x), tensor(self.y)
        bx, by = (kind.replace("tensor", "memref") for kind in (x, y))
        body = self.module.split("{-#")[0].rstrip()
        assert body.endswith("}")
        return f"""{body[:-1]}
func.func @{name}(%x: {bx}, %y: {by}) {{
  %tx = bufferization.to_tensor %x restrict : {bx} to {x}
  %ty = func.call @main(%tx) : ({x}) -> {y}
  bufferization.materialize_in_destination %ty in restrict writable %y : ({y}, {by}) -> ()
  return
}}
}}
"""

    def resource(self, name):
        return re.search(r"builtin: \{\n(.*?)\n    \}", self.module, re.S)[1]


def check(name):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    x, _ = prepare(name, folder, IMAGES)
    model = onnx.load(str(path_of(name)))
    prune_onnx(model, 0.5)
    expected = onnxnumpy.evaluate(model, {input_of(model)[0]: x})[0]
    imported, masked = folder / "model.mlirbc", folder / "masked.mlir"
    output_of("prune-translate", "--import-onnx", f"--dim=x:0={IMAGES}", path_of(name), "-o", imported)
    passes = ["--prune-prepare", "--prune-weights=sparsity=0.5 include=."]
    output_of("prune-opt", imported, *passes, "-o", masked)
    network = Network(masked.read_text(), x, expected)
    guest = Guest(Trial(0, 1, None, aarch64_target(), "", str(folder)), [network])
    assert "prune.packed" in guest.packed, f"nothing of {name} is packed"
    result = np.full_like(expected, np.nan)
    for (_, found), live in guest.call([(0, at_start, [x, result]) for at_start in (0, 1)]):
        assert live == 0, f"{name}: {live} allocations are not freed"
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, err_msg=name)
    print(f"{name}: {len(x)} images")


for network in ("mlp", "cnn"):
    check(network)
