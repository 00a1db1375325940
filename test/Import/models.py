# Real models import, lower and give the outputs recorded with another runtime.
# REQUIRES: onnx, data
# RUN: %python %s %data/models %t

import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import numpy_helper

MODELS = [
    "bh_policy",
    "cifar10_resnet20",
    "dns_lenet300100_original",
    "lenet300100_fashion",
    "lenet5_fashion",
    "mlperf_ad01_autoencoder",
    "mlperf_ic01_resnet8",
    "mlperf_kws_dscnn",
    "mnist-cnn-2017",
    "mnist-cnn-bn",
    "mnist-mlp-softmax",
]


def convert(folder, kind, out):
    """Writes kind_0.pb, kind_1.pb ... as .npy files and lists them."""
    names = []
    while os.path.exists(f"{folder}/{kind}_{len(names)}.pb"):
        tensor = onnx.TensorProto()
        with open(f"{folder}/{kind}_{len(names)}.pb", "rb") as file:
            tensor.ParseFromString(file.read())
        names.append(f"{out}/{kind}_{len(names)}.npy")
        np.save(names[-1], numpy_helper.to_array(tensor))
    return names


def check(folder, out):
    os.makedirs(out, exist_ok=True)
    subprocess.run(
        ["prune-translate", "--import-onnx", f"{folder}/model.onnx"]
        + ["-o", f"{out}/model.mlirbc"],
        check=True,
    )
    inputs = convert(folder, "input", out)
    expected = convert(folder, "output", out)
    assert expected, f"{folder} has no recorded outputs"
    subprocess.run(
        ["prune-run", f"{out}/model.mlirbc", "--rtol=1e-3", "--atol=1e-4"]
        + [f"--input=@{name}" for name in inputs]
        + [f"--expected=@{name}" for name in expected],
        check=True,
    )


for model in MODELS:
    check(os.path.join(sys.argv[1], model), os.path.join(sys.argv[2], model))
