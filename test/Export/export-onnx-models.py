# Real networks, exported without half of their channels, in ONNX Runtime.
# REQUIRES: onnx, onnxruntime
# RUN: %python %s %t mlp cnn transformer
# RUN: %if data %{ %python %s %t lenet5_fashion cifar10_resnet20 mlperf_kws_dscnn mlperf_ic01_resnet8 mnist-cnn-bn %}
"""The exported file in ONNX Runtime computes what the masked one does, and what our code does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Every network goes through the commands of the README. `--any-size` accepts those that
stay large; `all` stands for every model of the data.
"""

import os
import pathlib
import sys

import numpy as np
import onnx
from onnxruntime import NoAnswer, OnnxRuntime
from realmodels import data, path_of
from tools import output_of

OUT = pathlib.Path(sys.argv[1])
ANY_SIZE = "--any-size" in sys.argv


def random_inputs(model):
    inputs, known = {}, {tensor.name for tensor in model.graph.initializer}
    for at, info in enumerate(model.graph.input):
        if info.name in known:
            continue
        kind = info.type.tensor_type
        shape = [dim.dim_value or 2 for dim in kind.shape.dim]
        random = np.random.default_rng(at)
        if kind.elem_type == onnx.TensorProto.INT64:
            inputs[info.name] = random.integers(0, 60, shape)
        else:
            inputs[info.name] = random.normal(size=shape).astype(np.float32)
    return inputs


def export(module, template):
    path = module.with_suffix(".onnx")
    output_of("prune-translate", "--export-onnx", f"--template={template}", module, "-o", path)
    return path


def check(name, oracle):
    template = path_of(name)
    module, masked, after = (OUT / f"{name}{kind}.mlirbc" for kind in ("", "-masked", "-small"))
    output_of("prune-translate", "--import-onnx", template, "-o", module)
    fold = ["--prune-drop-identities", "--prune-fold-batch-norms"]
    decide = ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks"]
    output_of("prune-opt", module, *fold, *decide, "--emit-bytecode", "-o", masked)
    output_of("prune-opt", masked, "--prune-remove-channels", "--emit-bytecode", "-o", after)
    small = export(after, template)
    inputs = random_inputs(onnx.load(template))
    expected = list(oracle.run(str(export(masked, template)), inputs).values())
    found = list(oracle.run(str(small), inputs).values())
    for want, have in zip(expected, found):
        scale = max(1.0, float(np.abs(want).max()))
        error = float(np.abs(want - have).max())
        assert error <= 1e-4 * scale, f"{name}: {error} of {scale}"
    arguments = []
    for at, array in enumerate(inputs.values()):
        np.save(OUT / f"in{at}.npy", array)
        arguments.append(f"--input=@{OUT}/in{at}.npy")
    for at, array in enumerate(found):
        np.save(OUT / f"out{at}.npy", array)
        arguments.append(f"--expected=@{OUT}/out{at}.npy")
    output_of("prune-run", masked, *arguments, "--rtol=1e-3", "--atol=1e-4")
    sizes = [path.stat().st_size for path in (template, small)]
    print(f"{name}: {sizes[0]} bytes, {sizes[1]} exported, largest error {error:.2g}")
    assert sizes[1] < 0.6 * sizes[0] or ANY_SIZE, f"{name}: {sizes}"


os.makedirs(OUT, exist_ok=True)
runtime = OnnxRuntime()
networks = [argument for argument in sys.argv[2:] if not argument.startswith("--")]
if networks == ["all"]:
    networks = sorted(path.parent.name for path in (data() / "models").glob("*/model.onnx"))
failed = []
for network in networks:
    try:
        check(network, runtime)
    except (AssertionError, NoAnswer) as problem:
        failed.append(network)
        print(f"{network}: {problem}", flush=True)
runtime.close()
assert not failed, failed
