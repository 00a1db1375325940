"""Trains a network on scikit-learn's digits and writes it as ONNX.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The 360 images of ../digits are held out; nothing is chosen by them. Everything is
seeded and runs on one thread: two runs on one machine write the same bytes.
"""

import os
import pathlib
import sys
import time

# Before numpy is loaded: sums on several threads come in another order.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import onnx  # noqa: E402
from layers import Graph  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

LEAST = 0.93  # of the held-out images, or something is wrong
FOLDER = pathlib.Path(__file__).resolve().parent


def load(shape):
    """Images and labels, those to train with and those held out."""
    digits = load_digits()
    held_x, held_y = (np.load(FOLDER.parent / "digits" / f"{name}.npy") for name in "xy")
    # As ../digits/train.py draws them.
    order = np.random.default_rng(1).permutation(len(digits.target))
    x, y = (digits.data[order] / 16).astype(np.float32), digits.target[order]
    assert (x[: len(held_x)] == held_x).all() and (y[: len(held_y)] == held_y).all()
    images = lambda x: x.reshape(-1, *shape)
    return images(x[len(held_x) :]), y[len(held_y) :], images(held_x), held_y


def train(network, x, y, rng, epochs, rate, decay=1e-2):
    """Adam with decoupled decay of the matrices; the rate falls to zero."""
    layers = [layer for layer in network.layers() if layer.parameters]
    moments = {(layer, key): [0, 0] for layer in layers for key in layer.parameters}
    batches = len(x) // 32
    steps = epochs * batches
    for step in range(steps):
        if step % batches == 0:
            order = np.array_split(rng.permutation(len(x)), batches)
        batch = order[step % batches]
        logits = network.forward(x[batch], True)
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p[np.arange(len(batch)), y[batch]] -= 1
        network.backward(p / np.float32(len(batch)))
        now = rate * (1 - step / steps)
        for (layer, key), moment in moments.items():
            value, gradient = layer.parameters[key], layer.gradients[key]
            moment[0] = 0.9 * moment[0] + 0.1 * gradient
            moment[1] = 0.99 * moment[1] + 0.01 * gradient**2
            first, second = moment[0] / (1 - 0.9 ** (step + 1)), moment[1] / (1 - 0.99 ** (step + 1))
            if value.ndim > 1:
                value *= np.float32(1 - now * decay)
            value -= (now * first / (np.sqrt(second) + 1e-8)).astype(np.float32)


def main(name, make, shape, epochs, rate):
    """Trains what `make` makes of a random generator; writes NAME.onnx beside this file,
    or in the folder that the command line names."""
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    rng = np.random.default_rng(1)
    x, y, held_x, held_y = load(shape)
    network = make(rng)
    begin = time.process_time()
    train(network, x, y, rng, epochs, rate)
    seconds = time.process_time() - begin
    right = (network.forward(held_x, False).argmax(1) == held_y).mean()
    graph = Graph()
    network.write(graph, "x")
    graph.nodes[-1].output[0] = "logits"
    model = graph.model(shape)
    onnx.checker.check_model(model, full_check=True)
    path = folder / f"{name}.onnx"
    onnx.save(model, str(path))
    parameters = sum(values.size for values in graph.weights.values())
    print(
        f"{name}: {100 * right:.2f} % of {len(held_y)} held-out digits, {parameters} parameters, "
        f"{path.stat().st_size} bytes, trained in {seconds:.0f} s"
    )
    if right < LEAST:
        sys.exit(f"{name} was trained better: it is right on less than {100 * LEAST:.0f} %")
