# REQUIRES: data, python-package, onnx
# RUN: %python %s
"""Folding removed neurons into similar ones keeps accuracy that pruning loses.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

LeNet-300-100 on Fashion-MNIST loses 50 to 80 % of its neurons by l1, with and
without `merge`. The shrunk networks' accuracy has to be that of the same
procedure in numpy, within a few images whose scores are close, and at 70 and
80 % merging is at least five points better, as Kim et al. report (Neuron
Merging, NeurIPS 2020). No training data is looked at.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import prune
from onnx import numpy_helper

from tools import output_of

DATA = pathlib.Path(os.environ["PRUNE_DATA"])
MODEL = DATA / "models" / "lenet300100_fashion" / "model.onnx"
COUNT = 5000


def weights_of(model):
    """Matrices (outputs x inputs) and biases, in order, in float64."""
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    layers = [n for n in model.graph.node if n.op_type == "Gemm"]
    return [
        (tensors[n.input[1]].astype(float), tensors[n.input[2]].astype(float))
        for n in layers
    ]


def merge_by_hand(layers, ratio, merge):
    """The same decision and folding in numpy."""
    ws, bs = [w.copy() for w, _ in layers], [b.copy() for _, b in layers]
    for i, (original, _) in enumerate(layers[:-1]):
        scores = abs(original).sum(1)
        removed = np.argsort(scores, kind="stable")[: int(len(scores) * ratio)]
        kept = np.setdiff1d(np.arange(len(scores)), removed)
        vectors = np.c_[ws[i], bs[i]]
        norms = np.linalg.norm(vectors, axis=1)
        for j in removed if merge else []:
            cosines = vectors[kept] @ vectors[j] / norms[kept] / norms[j]
            best = cosines.argmax()
            if cosines[best] >= 0:
                factor = norms[j] / norms[kept[best]]
                ws[i + 1][:, kept[best]] += factor * ws[i + 1][:, j]
        ws[i + 1][:, removed] = 0
        ws[i], bs[i] = ws[i][kept], bs[i][kept]
        ws[i + 1] = ws[i + 1][:, kept]
    return list(zip(ws, bs))


def forward(layers, x):
    for i, (w, b) in enumerate(layers):
        x = x @ w.T + b
        if i + 1 != len(layers):
            x = np.maximum(x, 0)
    return x


def top1(scores, labels):
    return 100 * (scores.argmax(1) == labels).mean()


def main():
    layers = weights_of(onnx.load(MODEL))
    with tempfile.TemporaryDirectory() as folder:
        prepare = [sys.executable, DATA / "prepare.py", "lenet300100_fashion"]
        subprocess.run(
            [*prepare, folder, "--count", str(COUNT)], check=True, capture_output=True
        )
        x, y = (np.load(f"{folder}/{name}.npy") for name in "xy")
        text = output_of("prune-translate", "--import-onnx", MODEL)
    assert len(y) == COUNT
    print("ratio  l1     merged")
    for ratio in (0.5, 0.6, 0.7, 0.8):
        found = []
        for merge in (False, True):
            module = prune.Module.parse(text)
            options = f"ratio={ratio} criterion=l1 merge={str(merge).lower()}"
            module.run(
                f"prune-mask-channels{{{options}}},prune-fold-masks,"
                "prune-remove-channels"
            )
            found.append(top1(module.compile()(x), y))
            by_hand = merge_by_hand(layers, ratio, merge)
            kept = by_hand[0][0].shape[0]
            assert f"tensor<{kept}x784xf32>" in module.text(elide_above=4)
            wanted = top1(forward(by_hand, x.reshape(COUNT, -1).astype(float)), y)
            assert abs(found[-1] - wanted) <= 0.2, (ratio, merge, found, wanted)
        print(f"{ratio:.1f}    {found[0]:.2f}  {found[1]:.2f}")
        if ratio >= 0.7:
            assert found[1] >= found[0] + 5, "merging gains too little"


if __name__ == "__main__":
    main()
