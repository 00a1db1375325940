# REQUIRES: onnx, onnxruntime
# RUN: %python %s %t mlp cnn transformer
# RUN: %if data %{ %python %s %t %}
"""Imported models are as accurate as in ONNX Runtime, also when they are pruned.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The models with evaluation data classify the same samples with both: the small ones
of the tree in every run, others where there is data. Those of PRUNED and the small ones are also pruned by magnitude, once by prune-weights and once with numpy's
masks in the ONNX file; both have to see the same weights under the same names.
Counts of right answers may differ by two, since sums are in another order.

PRUNE_TEST_SAMPLES sets the number of samples of each model and takes all
sparsities; the default is a part that is affordable. Arguments behind the
folder select models.
"""

import json
import os
import pathlib
import re
import sys
import time

import onnx
from onnx_files import find_weights
from onnxruntime import OnnxRuntime
from realmodels import SMALL, count_right, input_of, path_of, prepare, prune_onnx
from tools import output_of, run

FULL = "PRUNE_TEST_SAMPLES" in os.environ
SPARSITIES = (0.5, 0.7, 0.8, 0.9, 0.95) if FULL else (0.5, 0.9)
TOLERANCE = 2

# Samples that are affordable in every run.
PRUNED = {
    "cifar10_resnet20": 50,
    "dns_lenet300100_original": 500,
    "handgesture_keypoint": 500,
    "mlperf_kws_dscnn": 100,
    "mnist-cnn-2017": 100,
    "mnist-cnn-bn": 100,
}
DENSE = {
    "dns_lenet300100_sparse": 500,
    "lenet300100_fashion": 500,
    "lenet5_fashion": 50,
    "mlperf_ic01_resnet8": 50,
    "mnist-mlp-softmax": 100,
    "shakespeare_gpt": 2,
}
# Those that take minutes to compile or to run.
SLOW = {
    "cifar10_resnet44": 0,
    "cifar10_resnet56": 0,
    "mobilenetv2_imagenet_dequantized": 0,
}
# What there is at most, and what is bearable for a transformer.
MOST = {
    "mlperf_kws_dscnn": 500,
    "mobilenetv2_imagenet_dequantized": 500,
    "shakespeare_gpt": 200,
}


class Case:
    def __init__(self, name, samples, folder):
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.x, self.y = prepare(name, self.folder, samples)
        self.source = path_of(name)
        self.module = self.folder / "model.mlirbc"
        output_of("prune-translate", "--import-onnx", self.source, "-o", self.module)
        self.input, sizes = input_of(onnx.load(str(self.source)))
        self.batch = sizes[0] or 50

    def count_ours(self, sparsity):
        module = self.module
        if sparsity:
            module = self.folder / "pruned.mlirbc"
            option = f"--prune-weights=sparsity={sparsity} include=."
            arguments = [self.module, option, "--emit-bytecode", "-o", module]
            done = run("prune-opt", *arguments, "--remarks-filter=prune-mask-weights")
            assert done.returncode == 0, done.stderr
            masked = re.findall(r"Masked .*Weight=(\S+)", done.stderr + done.stdout)
            weights = {w.name for w in find_weights(onnx.load(str(self.source)))}
            assert set(masked) == weights, (self.name, masked, weights)
        text = output_of(
            "prune-run",
            module,
            f"--input=@{self.folder}/x.npy",
            f"--labels=@{self.folder}/y.npy",
            f"--batch={self.batch}",
            "--json",
            timeout=7200,
        )
        return round(json.loads(text)["top1"] / 100 * self.y.size)

    def count_theirs(self, oracle, sparsity):
        path = self.source
        if sparsity:
            model = onnx.load(str(self.source))
            prune_onnx(model, sparsity)
            path = self.folder / "pruned.onnx"
            onnx.save(model, str(path))
        right = 0
        for at in range(0, len(self.x), self.batch):
            part = slice(at, at + self.batch)
            outputs = oracle.run(str(path), {self.input: self.x[part]})
            right += count_right(next(iter(outputs.values())), self.y[part])
        return right

    def check(self, oracle, sparsity):
        begin = time.monotonic()
        ours = self.count_ours(sparsity)
        theirs = self.count_theirs(oracle, sparsity)
        print(
            f"{self.name:33} {sparsity:4} {ours:6} {theirs:6} of {self.y.size}"
            f" ({time.monotonic() - begin:.1f} s)",
            flush=True,
        )
        return abs(ours - theirs) <= TOLERANCE


def main(folder, only):
    cases = {**PRUNED, **DENSE, **(SLOW if FULL or only else {})}
    cases.update(dict.fromkeys(SMALL, 350) if only else {})
    oracle = OnnxRuntime()
    failures = []
    for name, samples in cases.items():
        if only and name not in only:
            continue
        if FULL:
            samples = min(int(os.environ["PRUNE_TEST_SAMPLES"]), MOST.get(name, 1 << 30))
        case = Case(name, samples or 50, folder)
        for sparsity in (0, *SPARSITIES) if name in PRUNED or name in SMALL else (0,):
            if not case.check(oracle, sparsity):
                failures.append((name, sparsity))
    oracle.close()
    assert not failures, failures


main(pathlib.Path(sys.argv[1]), sys.argv[2:])
