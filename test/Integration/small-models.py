# REQUIRES: onnx
# RUN: %python %s %t
"""The models of the tree keep their accuracy, whole, pruned and with half of their channels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

What they have to answer to the 360 images that were held out computes numpy from the
ONNX file, which shares no code with ours: unpruned, with half of each weight masked (by
masks of numpy), and exported without half of the channels. ONNX Runtime is asked by
Import/accuracy.py and Export/export-onnx-models.py.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxnumpy
from realmodels import SMALL, count_right, input_of, path_of, prepare, prune_onnx
from tools import output_of

OUT = pathlib.Path(sys.argv[1])


class Case:
    def __init__(self, name):
        self.name, self.folder, self.source = name, OUT / name, path_of(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.x, self.y = prepare(name, self.folder, 360)
        self.module = self.folder / "model.mlirbc"
        output_of("prune-translate", "--import-onnx", self.source, "-o", self.module)

    def opt(self, name, source, *passes):
        path = self.folder / f"{name}.mlirbc"
        output_of("prune-opt", source, *passes, "--emit-bytecode", "-o", path)
        return path

    def numpy(self, model):
        return onnxnumpy.evaluate(model, {input_of(model)[0]: self.x})[0]

    def run(self, module, *arguments):
        return output_of("prune-run", module, f"--input=@{self.folder}/x.npy", *arguments)

    def check(self, what, module, logits):
        """Both kinds of kernels give these logits, and so the same answers."""
        right = count_right(logits, self.y)
        for kernels in ("dense", "packed"):
            self.run(module, f"--kernels={kernels}", f"--output=@{self.folder}/logits.npy")
            found = np.load(self.folder / "logits.npy")
            np.testing.assert_allclose(found, logits, rtol=1e-4, atol=1e-4)
            ours = count_right(found, self.y)
            print(f"{self.name}, {what}, {kernels}: {ours} of {len(self.y)}, {right} in numpy", flush=True)
            # Sums are in another order.
            assert abs(ours - right) <= 1, (self.name, what, kernels)

    def check_accuracy(self):
        """What prune-run says, in batches, of the model as it is."""
        logits = self.numpy(onnx.load(str(self.source)))
        self.check("whole", self.module, logits)
        text = self.run(self.module, f"--labels=@{self.folder}/y.npy", "--batch=24", "--json")
        right = json.loads(text)["top1"] / 100 * len(self.y)
        assert abs(right - count_right(logits, self.y)) <= 1.01, (self.name, right)
        assert right >= 0.93 * len(self.y), f"{self.name} was trained better"

    def check_masked(self):
        model = onnx.load(str(self.source))
        prune_onnx(model, 0.5)
        options = "--prune-weights=sparsity=0.5 include=."
        masked = self.opt("masked", self.module, "--prune-prepare", options)
        self.check("half of the weights", masked, self.numpy(model))

    def check_channels(self):
        decide = ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks"]
        masked = self.opt("masked", self.module, "--prune-prepare", *decide)
        small = self.opt("small", masked, "--prune-remove-channels")
        exported = self.folder / "small.onnx"
        output_of("prune-translate", "--export-onnx", f"--template={self.source}", small, "-o", exported)
        model = onnx.load(str(exported))
        onnx.checker.check_model(model, full_check=True)
        before, after = self.source.stat().st_size, exported.stat().st_size
        print(f"{self.name}: {before} bytes, {after} without half of the channels")
        assert after < 0.6 * before, self.name
        logits = self.numpy(model)
        self.check("half of the channels masked", masked, logits)
        self.check("half of the channels removed", small, logits)


for network in SMALL:
    case = Case(network)
    case.check_accuracy()
    case.check_masked()
    case.check_channels()
