# REQUIRES: onnx
# RUN: %python %s %t
"""Networks compute the same before and after scales and shifts were folded.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Each model holds a number of random branches, one output each: contractions of
all kinds between normalisations, constant scales and shifts, reshapes and
activations. The folded model is compared with the model as it was imported.
PRUNE_TEST_MODELS sets the number of models.
"""

import os
import pathlib
import re
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools import output_of, run

MODELS = int(os.environ.get("PRUNE_TEST_MODELS", "3"))
BRANCHES = 12


class Branch:
    """A row of nodes; `shape` is what the last one gives."""

    def __init__(self, rng, number, graph):
        self.rng, self.number, self.graph = rng, number, graph
        rank = rng.choice([2, 3, 4])
        sizes = [int(rng.integers(1, 4)), 2 * int(rng.integers(2, 5))]
        self.shape = sizes + [int(rng.integers(5, 9)) for _ in range(rank - 2)]
        self.value = f"x{number}"
        graph["inputs"].append(
            helper.make_tensor_value_info(self.value, TensorProto.FLOAT, self.shape)
        )

    def store(self, values):
        name = f"w{self.number}.{len(self.graph['stored'])}"
        values = np.asarray(values)
        if values.dtype == np.float64:
            values = values.astype(np.float32)
        self.graph["stored"].append(numpy_helper.from_array(values, name))
        return name

    def add(self, op, *others, **attributes):
        name = f"v{self.number}.{len(self.graph['nodes'])}"
        node = helper.make_node(op, [self.value, *others], [name], **attributes)
        self.graph["nodes"].append(node)
        self.value = name

    def normal(self, *shape):
        return self.rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]) or 1)

    # -- Contractions ----------------------------------------------------------

    def contract(self):
        if len(self.shape) == 2:
            return self.rng.choice([self.gemm, self.matmul])()
        return self.rng.choice([self.conv, self.matmul, self.transposed])()

    def gemm(self):
        features = int(self.rng.integers(2, 7))
        transposed = int(self.rng.integers(2))
        shape = (features, self.shape[1]) if transposed else (self.shape[1], features)
        bias = [self.store(self.normal(features))] if self.rng.integers(2) else []
        self.add("Gemm", self.store(self.normal(*shape)), *bias, transB=transposed)
        self.shape[1] = features

    def matmul(self):
        features = int(self.rng.integers(2, 7))
        self.add("MatMul", self.store(self.normal(self.shape[-1], features)))
        self.shape[-1] = features

    def conv(self):
        channels, spatial = self.shape[1], self.shape[2:]
        groups = int(self.rng.choice([g for g in (1, 2, channels) if channels % g == 0]))
        features = groups * int(self.rng.integers(1, 3))
        pad, stride = int(self.rng.integers(2)), int(self.rng.integers(1, 3))
        if min(spatial) + 2 * pad < 3:
            return
        weight = self.normal(features, channels // groups, *[3] * len(spatial))
        bias = [self.store(self.normal(features))] if self.rng.integers(2) else []
        self.add(
            "Conv",
            self.store(weight),
            *bias,
            group=groups,
            pads=[pad] * 2 * len(spatial),
            strides=[stride] * len(spatial),
        )
        spatial = [(size + 2 * pad - 3) // stride + 1 for size in spatial]
        self.shape = [self.shape[0], features, *spatial]

    def transposed(self):
        channels, spatial = self.shape[1], self.shape[2:]
        features = int(self.rng.integers(2, 5))
        weight = self.normal(channels, features, *[2] * len(spatial))
        self.add("ConvTranspose", self.store(weight))
        self.shape = [self.shape[0], features, *[size + 1 for size in spatial]]

    # -- What stands between them ----------------------------------------------

    def per_channel(self):
        values = self.rng.uniform(0.5, 2, self.shape[1]) * self.rng.choice([-1, 1])
        return values.reshape([-1] + [1] * (len(self.shape) - 2))

    def batch_norm(self):
        features = self.shape[1]
        parameters = [self.rng.uniform(0.5, 2, features) for _ in range(4)]
        parameters[1] -= 1
        parameters[2] -= 1
        self.add("BatchNormalization", *[self.store(p) for p in parameters])

    def arithmetic(self):
        op = str(self.rng.choice(["Add", "Sub", "Mul", "Div"]))
        kind = self.rng.integers(3)
        number = self.rng.uniform(0.5, 2)
        values = [
            self.per_channel(),
            np.array(number),
            self.rng.uniform(0.5, 2, self.shape[-1]),
        ]
        self.add(op, self.store(values[kind]))

    def flatten(self):
        self.add("Flatten")
        self.shape = [self.shape[0], int(np.prod(self.shape[1:]))]

    def permute(self):
        order = list(range(len(self.shape)))
        order[1:] = list(self.rng.permutation(order[1:]))
        self.add("Transpose", perm=[int(dim) for dim in order])
        self.shape = [self.shape[dim] for dim in order]

    def between(self):
        steps = [self.batch_norm, self.batch_norm, self.arithmetic, self.arithmetic]
        steps += [lambda: self.add("Neg"), lambda: self.add("Relu")]
        steps += [self.flatten, self.permute]
        for _ in range(self.rng.integers(4)):
            self.rng.choice(steps)()


def make_model(seed, path):
    rng = np.random.default_rng(seed)
    graph = {"nodes": [], "inputs": [], "stored": []}
    outputs = []
    for number in range(BRANCHES):
        branch = Branch(rng, number, graph)
        branch.between()
        for _ in range(rng.integers(1, 4)):
            branch.contract()
            branch.between()
        outputs.append(branch.value)
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs]
    model = helper.make_model(
        helper.make_graph(graph["nodes"], "g", graph["inputs"], infos, graph["stored"]),
        opset_imports=[helper.make_opsetid("", 13)],
    )
    onnx.save(model, str(path))


def count_generics(path):
    return len(re.findall(r"= linalg.generic", output_of("prune-opt", path)))


def check(seed, folder):
    model, before, after = (folder / f"{seed}{end}" for end in (".onnx", "a.mlir", "b.mlir"))
    make_model(seed, model)
    output_of("prune-translate", "--import-onnx", model, "-o", before)
    passes = ["--prune-fold-batch-norms", "--remarks-filter=prune-fold-batch-norms"]
    done = run("prune-opt", before, *passes, "-o", after)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    remarks = done.stderr + done.stdout
    folded = len(re.findall(r"\[Passed\] Folded", remarks))
    kept = len(re.findall(r"\[Missed\] Kept", remarks))
    fewer = count_generics(before) - count_generics(after)
    print(f"seed {seed}: {folded} weights folded, {fewer} operations less, {kept} kept")
    assert folded > 0 and fewer > 0, f"seed {seed} folds nothing"
    arguments = [f"--seed={seed}", "--rtol=1e-4", "--atol=1e-4"]
    done = run("prune-run", after, f"--compare={before}", *arguments, timeout=1800)
    assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr}"


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(MODELS):
        check(seed, folder)


main()
