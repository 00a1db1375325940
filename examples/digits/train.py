"""Trains two digit classifiers with numpy and writes them as MLIR.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The results are committed; this script documents how they were made. Data are the
1,797 digits of 8x8 pixels that scikit-learn packages; 360 of them are held out.
Written to the folder of this file:

    mlp.mlir       64-300-100-10, ReLU
    cnn.mlir       3x3 convolution to 8 channels, max pooling, 3x3 convolution to
                   16 channels, fully connected to 10
    x.npy, y.npy   the held-out images (N x 64, in [0, 1]) and labels

Weights are `dense_resource` constants; their keys are the layers' names.
Everything is seeded: two runs on one machine write the same bytes.
"""

import pathlib

import numpy as np
from sklearn.datasets import load_digits

HELD_OUT = 360
BATCH = 24  # images per call of the compiled function; divides HELD_OUT


# -- Layers: forward returns what backward needs -------------------------------


def relu(x):
    return np.maximum(x, 0), lambda g: g * (x > 0)


class Linear:
    """y = x W^T + b, with W in the usual outputs x inputs layout."""

    def __init__(self, rng, inputs, outputs):
        scale = np.sqrt(2 / inputs)
        self.weight = rng.normal(0, scale, (outputs, inputs)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)

    def __call__(self, x):
        def backward(g):
            self.gradients = g.T @ x, g.sum(0)
            return g @ self.weight

        return x @ self.weight.T + self.bias, backward


class Conv3x3:
    """Convolution with a border of zeros, as a product with shifted copies."""

    def __init__(self, rng, inputs, outputs):
        scale = np.sqrt(2 / (9 * inputs))
        self.weight = rng.normal(0, scale, (outputs, inputs, 3, 3)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)

    def __call__(self, x):
        n, c, h, w = x.shape
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, c * 9)
        matrix = self.weight.reshape(len(self.weight), -1)
        y = (columns @ matrix.T + self.bias).reshape(n, h, w, -1)

        def backward(g):
            g = g.transpose(0, 2, 3, 1).reshape(n * h * w, -1)
            self.gradients = (g.T @ columns).reshape(self.weight.shape), g.sum(0)
            spread = (g @ matrix).reshape(n, h, w, c, 3, 3)
            back = np.zeros_like(padded)
            for i in range(3):
                for j in range(3):
                    back[:, :, i : i + h, j : j + w] += spread[..., i, j].transpose(
                        0, 3, 1, 2
                    )
            return back[:, :, 1:-1, 1:-1]

        return y.transpose(0, 3, 1, 2), backward


def max_pool(x):
    """Windows of 2x2 without overlap."""
    n, c, h, w = x.shape
    windows = x.reshape(n, c, h // 2, 2, w // 2, 2)
    y = windows.max((3, 5))

    def backward(g):
        chosen = windows == y[:, :, :, None, :, None]
        return (chosen * g[:, :, :, None, :, None]).reshape(x.shape)

    return y, backward


def reshape(*shape):
    return lambda x: (x.reshape(len(x), *shape), lambda g: g.reshape(x.shape))


# -- Training ------------------------------------------------------------------


def forward(layers, x):
    backward = []
    for layer in layers:
        x, step = layer(x)
        backward.append(step)
    return x, backward


def train(layers, x, y, rng, epochs=60, rate=0.05, decay=1e-4):
    """Stochastic gradient descent with momentum and a falling rate."""
    trained = [layer for layer in layers if hasattr(layer, "weight")]
    speed = {layer: [0, 0] for layer in trained}
    for epoch in range(epochs):
        step = rate * (1 - epoch / epochs)
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            logits, backward = forward(layers, x[batch])
            p = np.exp(logits - logits.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            gradient = p / len(batch)
            for undo in reversed(backward):
                gradient = undo(gradient)
            for layer in trained:
                for i, name in enumerate(("weight", "bias")):
                    value = getattr(layer, name)
                    speed[layer][i] = (
                        0.9 * speed[layer][i] + layer.gradients[i] + decay * value
                    )
                    value -= (step * speed[layer][i]).astype(np.float32)


# -- MLIR ----------------------------------------------------------------------


class Writer:
    """Collects the operations and weights of one function."""

    def __init__(self):
        self.lines, self.resources, self.count = [], {}, 0

    def add(self, operation, *more):
        """Appends an operation; returns the name of its result."""
        name = f"%{self.count}"
        self.count += 1
        self.lines += [f"  {name} = {operation}", *(f"    {line}" for line in more)]
        return name

    def weight(self, key, values):
        """A constant named `key`."""
        self.resources[key] = values
        type_text = f"tensor<{'x'.join(map(str, values.shape))}xf32>"
        name = self.add(f'arith.constant dense_resource<"{key}"> : {type_text}')
        return name, type_text

    def filled(self, value, type_text):
        return self.add(f"arith.constant dense<{value}> : {type_text}")

    def bias(self, x, type_text, rank, layer, values, relu_too):
        """Adds a bias along dimension 1, then applies ReLU if asked."""
        b, b_type = self.weight(f"{layer}.bias", values)
        dims = ", ".join(f"d{i}" for i in range(rank))
        whole = f"affine_map<({dims}) -> ({dims})>"
        along = f"affine_map<({dims}) -> (d1)>"
        kinds = ", ".join(['"parallel"'] * rank)
        init = self.add(f"tensor.empty() : {type_text}")
        body = ["^bb0(%v: f32, %b: f32, %o: f32):", "  %s = arith.addf %v, %b : f32"]
        if relu_too:
            body += [
                "  %z = arith.constant 0.0 : f32",
                "  %r = arith.maximumf %s, %z : f32",
            ]
        return self.add(
            f"linalg.generic {{indexing_maps = [{whole}, {along}, {whole}], "
            f"iterator_types = [{kinds}]}}",
            f"ins({x}, {b} : {type_text}, {b_type}) outs({init} : {type_text}) {{",
            *body,
            f"  linalg.yield %{'r' if relu_too else 's'} : f32",
            f"}} -> {type_text}",
        )

    def linear(self, x, layer, parameters, relu_too):
        outputs, inputs = parameters.weight.shape
        w, w_type = self.weight(f"{layer}.weight", parameters.weight)
        flipped = f"tensor<{inputs}x{outputs}xf32>"
        x_type = f"tensor<{BATCH}x{inputs}xf32>"
        y_type = f"tensor<{BATCH}x{outputs}xf32>"
        empty = self.add(f"tensor.empty() : {flipped}")
        t = self.add(
            f"linalg.transpose ins({w} : {w_type}) outs({empty} : {flipped}) "
            "permutation = [1, 0]"
        )
        zero = self.filled("0.0", y_type)
        y = self.add(
            f"linalg.matmul ins({x}, {t} : {x_type}, {flipped}) "
            f"outs({zero} : {y_type}) -> {y_type}"
        )
        return self.bias(y, y_type, 2, layer, parameters.bias, relu_too)

    def conv(self, x, size, layer, parameters):
        outputs, inputs = parameters.weight.shape[:2]
        w, w_type = self.weight(f"{layer}.weight", parameters.weight)
        x_type = f"tensor<{BATCH}x{inputs}x{size}x{size}xf32>"
        padded = f"tensor<{BATCH}x{inputs}x{size + 2}x{size + 2}xf32>"
        y_type = f"tensor<{BATCH}x{outputs}x{size}x{size}xf32>"
        zero = self.add("arith.constant 0.0 : f32")
        p = self.add(
            f"tensor.pad {x} low[0, 0, 1, 1] high[0, 0, 1, 1] {{",
            "^bb0(%i: index, %j: index, %k: index, %l: index):",
            f"  tensor.yield {zero} : f32",
            f"}} : {x_type} to {padded}",
        )
        init = self.filled("0.0", y_type)
        y = self.add(
            "linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, "
            "strides = dense<1> : vector<2xi64>}",
            f"ins({p}, {w} : {padded}, {w_type}) outs({init} : {y_type}) -> {y_type}",
        )
        return self.bias(y, y_type, 4, layer, parameters.bias, True)

    def max_pool(self, x, channels, size):
        x_type = f"tensor<{BATCH}x{channels}x{size}x{size}xf32>"
        y_type = f"tensor<{BATCH}x{channels}x{size // 2}x{size // 2}xf32>"
        lowest = self.filled("0xFF800000", y_type)
        window = self.add("tensor.empty() : tensor<2x2xf32>")
        return self.add(
            "linalg.pooling_nchw_max {dilations = dense<1> : vector<2xi64>, "
            "strides = dense<2> : vector<2xi64>}",
            f"ins({x}, {window} : {x_type}, tensor<2x2xf32>) "
            f"outs({lowest} : {y_type}) -> {y_type}",
        )

    def text(self, result):
        """The module: a function from images to logits, then the weights."""
        blobs = ",\n".join(
            f'      "{key}": "0x04000000{values.astype("<f4").tobytes().hex().upper()}"'
            for key, values in self.resources.items()
        )
        return "\n".join(
            [
                f"func.func @main(%x: tensor<{BATCH}x64xf32>) "
                f"-> tensor<{BATCH}x10xf32> {{",
                *self.lines,
                f"  return {result} : tensor<{BATCH}x10xf32>",
                "}",
                "",
                "{-#\n  dialect_resources: {\n    builtin: {",
                blobs,
                "    }\n  }\n#-}\n",
            ]
        )


def write_mlp(fc1, fc2, fc3):
    out = Writer()
    y = out.linear("%x", "fc1", fc1, True)
    y = out.linear(y, "fc2", fc2, True)
    return out.text(out.linear(y, "fc3", fc3, False))


def write_cnn(conv1, conv2, fc):
    out = Writer()
    flat = f"tensor<{BATCH}x64xf32>"
    image = f"tensor<{BATCH}x1x8x8xf32>"
    y = out.add(
        f"tensor.expand_shape %x [[0], [1, 2, 3]] output_shape [{BATCH}, 1, 8, 8] "
        f": {flat} into {image}"
    )
    y = out.max_pool(out.conv(y, 8, "conv1", conv1), 8, 8)
    y = out.conv(y, 4, "conv2", conv2)
    y = out.add(
        f"tensor.collapse_shape {y} [[0], [1, 2, 3]] : "
        f"tensor<{BATCH}x16x4x4xf32> into tensor<{BATCH}x256xf32>"
    )
    return out.text(out.linear(y, "fc", fc, False))


def main():
    folder = pathlib.Path(__file__).parent
    rng = np.random.default_rng(1)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    x = (digits.data[order] / 16).astype(np.float32)
    y = digits.target[order].astype(np.int64)
    held_x, held_y = x[:HELD_OUT], y[:HELD_OUT]
    x, y = x[HELD_OUT:], y[HELD_OUT:]
    np.save(folder / "x.npy", held_x)
    np.save(folder / "y.npy", held_y)

    fcs = [Linear(rng, 64, 300), Linear(rng, 300, 100), Linear(rng, 100, 10)]
    mlp = [fcs[0], relu, fcs[1], relu, fcs[2]]
    conv1, conv2, fc = Conv3x3(rng, 1, 8), Conv3x3(rng, 8, 16), Linear(rng, 256, 10)
    cnn = [reshape(1, 8, 8), conv1, relu, max_pool, conv2, relu, reshape(256), fc]
    texts = {"mlp": (mlp, write_mlp, fcs), "cnn": (cnn, write_cnn, (conv1, conv2, fc))}
    for name, (layers, write, parameters) in texts.items():
        train(layers, x, y, rng)
        right = (forward(layers, held_x)[0].argmax(1) == held_y).mean()
        print(f"{name}: {100 * right:.2f} % of {HELD_OUT} held-out digits")
        (folder / f"{name}.mlir").write_text(write(*parameters))


if __name__ == "__main__":
    main()
