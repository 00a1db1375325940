# REQUIRES: onnx
# RUN: %python %s %t
"""Recurrent layers lose hidden units, and the files that they came from too.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Random networks (recurrentnets.py) of LSTM, GRU and RNN: one or two directions, both
layouts, peepholes, clips, lengths, open sizes, biases or none. Half of the channels of
each group are masked. The masked network written back to ONNX and evaluated in numpy
has to be what the compiled masked network, the shrunk one and the exported shrunk one
compute. Every layer has to be smaller, in the module and in the file; without a mask
nothing leaves, and the file stays what it was.

    recurrent-networks.py OUT [--seed=N] [--count=N] [--runtime]

With --runtime, ONNX Runtime evaluates the files, where it has the operators.
PRUNE_RECURRENT_NETWORKS says how many networks are drawn; 12 by default.
"""

import argparse
import os
import pathlib
import re

import numpy as np
import onnx
import onnxnumpy
import recurrentnets
from onnx import numpy_helper
from onnxruntime import NoAnswer, OnnxRuntime
from tools import output_of, run

TOLERANCE = {"rtol": 1e-3, "atol": 1e-4}


class Case:
    """The files of one network."""

    def __init__(self, seed, folder, oracle):
        self.model, self.inputs, self.layers = recurrentnets.draw(seed)
        self.folder, self.oracle = folder, oracle
        self.template = folder / "net.onnx"
        onnx.save(self.model, self.template)
        for name, values in self.inputs.items():
            np.save(folder / f"{name}.npy", values)
        self.run("prune-translate", "--import-onnx", self.template, "-o", folder / "net.mlirbc")

    def run(self, *arguments):
        return output_of(*arguments)

    def opt(self, source, target, *passes):
        out = ["--emit-bytecode", "-o", self.folder / f"{target}.mlirbc"]
        self.run("prune-opt", self.folder / f"{source}.mlirbc", *passes, *out)

    def compute(self, module):
        out = self.folder / f"{module}.npy"
        inputs = [f"--input=@{self.folder}/{name}.npy" for name in self.inputs]
        self.run("prune-run", self.folder / f"{module}.mlirbc", *inputs, f"--output=@{out}")
        return np.load(out)

    def export(self, module):
        path = self.folder / f"{module}.onnx"
        arguments = ["--export-onnx", f"--template={self.template}"]
        self.run("prune-translate", *arguments, self.folder / f"{module}.mlirbc", "-o", path)
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        return model

    def evaluate(self, model):
        if self.oracle:
            path = str(self.folder / "evaluated.onnx")
            onnx.save(model, path)
            return list(self.oracle.run(path, self.inputs).values())[0]
        return onnxnumpy.evaluate(model, self.inputs)[0]

    def free_groups(self):
        done = run("prune-opt", self.folder / "net.mlirbc", "--prune-print-channel-groups", "-o", os.devnull)
        assert done.returncode == 0, done.stderr
        return re.findall(r"channel group '(.*?)': \d+ channels, free", done.stderr)


def hidden_sizes(model):
    """What each layer states, which its weights have to have."""
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    sizes = []
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "hidden_size":
                sizes.append(attribute.i)
                assert tensors[node.input[2]].shape[2] == attribute.i
    return sizes


def check(seed, folder, oracle):
    case = Case(seed, folder, oracle)
    free = case.free_groups()
    assert len(free) >= len(case.layers), f"only {free} of {case.layers} are free"
    case.opt("net", "unmasked", "--prune-remove-channels")
    before = {t.name: numpy_helper.to_array(t) for t in case.model.graph.initializer}
    for tensor in case.export("unmasked").graph.initializer:
        assert (numpy_helper.to_array(tensor) == before[tensor.name]).all(), tensor.name
    case.opt("net", "masked", "--prune-mask-channels=ratio=0.5", "--prune-fold-masks")
    case.opt("masked", "small", "--prune-remove-channels")
    masked, small = case.export("masked"), case.export("small")
    halves = [hidden - hidden // 2 for _, _, hidden in case.layers]
    assert hidden_sizes(small) == halves, f"{hidden_sizes(small)} for {halves}"
    expected = case.evaluate(masked)
    results = {
        "masked": case.compute("masked"),
        "small": case.compute("small"),
        "exported": case.evaluate(small),
    }
    for name, result in results.items():
        assert result.shape == expected.shape, name
        np.testing.assert_allclose(result, expected, err_msg=name, **TOLERANCE)


def main():
    parser = argparse.ArgumentParser()
    count = int(os.environ.get("PRUNE_RECURRENT_NETWORKS", 12))
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--runtime", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    oracle, bad, skipped = OnnxRuntime() if options.runtime else None, [], 0
    for seed in range(options.seed, options.seed + options.count):
        try:
            check(seed, options.out, oracle)
        except NoAnswer:
            skipped += 1
        except AssertionError as failure:
            bad.append(seed)
            print(f"--seed={seed} --count=1: {failure}", flush=True)
    print(f"{options.count} networks, {skipped} not known to the oracle, {len(bad)} bad: {bad}")
    assert not bad and skipped < max(1, options.count)


if __name__ == "__main__":
    main()
