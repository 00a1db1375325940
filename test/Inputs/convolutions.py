"""Random convolutions with pruned filters, for the guest of products.py.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A convolution is a function of buffers: an input, a bias and the result. Its dimensions
stand in any order in input, filter and result. `expected` computes it in float64, with a
bound of what rounding may change.
"""

import dataclasses
import itertools

import numpy as np

from execute import TYPES
from products import draw, elementwise_text


@dataclasses.dataclass
class Convolution:
    """Loops are named: n images, g groups, f features, c channels, o0, k0, ... in space."""

    filter: np.ndarray  # [groups, features, channels, kernel...]
    images: int
    sizes: tuple  # of the input, without padding
    strides: tuple
    dilations: tuple
    low: tuple
    high: tuple
    orders: tuple  # of the loops in input, filter and result
    exact: bool
    pads: str = "pad"  # or how else the input is padded: "insert"
    dynamic: bool = False
    bias: bool = False
    starts_from_bias: bool = False
    relu: bool = False
    y_feature_major: bool = False

    @property
    def element(self):
        return TYPES[str(self.filter.dtype)]

    @property
    def rank(self):
        return len(self.sizes)

    @property
    def kernel(self):
        return self.filter.shape[3:]

    def padded(self):
        return [low + size + high for low, size, high in zip(self.low, self.sizes, self.high)]

    def out(self):
        steps = zip(self.padded(), self.kernel, self.strides, self.dilations)
        return [(size - (k - 1) * dilation - 1) // stride + 1 for size, k, stride, dilation in steps]

    def loop_sizes(self):
        g, f, c = self.filter.shape[:3]
        sizes = {"n": self.images, "g": g, "f": f, "c": c}
        sizes |= {f"o{i}": size for i, size in enumerate(self.out())}
        return sizes | {f"k{i}": size for i, size in enumerate(self.kernel)}

    def shape(self, operand):
        """Of the input without padding, the filter or the result, in its order."""
        sizes = self.loop_sizes()
        if operand == 0:
            sizes |= {f"o{i}": size for i, size in enumerate(self.sizes)}
        return tuple(sizes[loop] for loop in self.orders[operand])

    def type(self, operand, padded=False):
        sizes = {"n": "?"} if self.dynamic else {}
        if padded:
            sizes |= {f"o{i}": size for i, size in enumerate(self.padded())}
        order = self.orders[operand]
        dims = [str(sizes.get(loop, size)) for loop, size in zip(order, self.shape(operand))]
        return "x".join([*dims, self.element])

    def map(self, operand, loops):
        def position(loop):
            if operand == 0 and loop[0] == "o":
                i = int(loop[1])
                return f"o{i} * {self.strides[i]} + k{i} * {self.dilations[i]}"
            return loop

        results = ", ".join(map(position, self.orders[operand]))
        return f"affine_map<({', '.join(loops)}) -> ({results})>"

    def bias_loop(self):
        """What the bias runs over: features, or groups of one feature."""
        return "f" if "f" in self.orders[2] else "g"

    def text(self, name):
        e, order = self.element, self.orders[2]
        x, w, y = self.type(0), self.type(1), self.type(2)
        b = f"{self.loop_sizes()[self.bias_loop()]}x{e}"
        used = {loop for loops in self.orders for loop in loops}
        used |= {loop.replace("o", "k") for loop in self.orders[0] if loop[0] == "o"}
        loops = [loop for loop in self.loop_sizes() if loop in used]
        kinds = ", ".join(f'"{"reduction" if loop[0] in "ck" else "parallel"}"' for loop in loops)
        identity = f"affine_map<({', '.join(order)}) -> ({', '.join(order)})>"
        row = f"affine_map<({', '.join(order)}) -> ({self.bias_loop()})>"
        parallel = ", ".join(['"parallel"'] * len(order))
        at = self.orders[0].index("n") if "n" in self.orders[0] else 0
        size = "%n" if self.dynamic else ""
        lines = f"""
func.func @{name}(%x: memref<{x}>, %b: memref<{b}>, %y: memref<{y}>) {{
  %tx = bufferization.to_tensor %x restrict : memref<{x}> to tensor<{x}>
  %tb = bufferization.to_tensor %b restrict : memref<{b}> to tensor<{b}>
  %w = arith.constant dense_resource<"{name}.w"> : tensor<{w}>
  %zero = arith.constant 0.0 : {e}
  %dim = arith.constant {at} : index
  %n = tensor.dim %tx, %dim : tensor<{x}>
  %e = tensor.empty({size}) : tensor<{y}>
{self.pad_text(size)}
"""
        if self.starts_from_bias:
            lines += f"""  %z = linalg.generic {{indexing_maps = [{row}, {identity}], iterator_types = [{parallel}]}}
      ins(%tb : tensor<{b}>) outs(%e : tensor<{y}>) {{
  ^bb0(%p: {e}, %out: {e}):
    linalg.yield %p : {e}
  }} -> tensor<{y}>
"""
        else:
            lines += f"  %z = linalg.fill ins(%zero : {e}) outs(%e : tensor<{y}>) -> tensor<{y}>\n"
        maps = ", ".join(self.map(operand, loops) for operand in range(3))
        padded = self.type(0, padded=True)
        lines += f"""  %v0 = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
      ins(%padded, %w : tensor<{padded}>, tensor<{w}>) outs(%z : tensor<{y}>) {{
  ^bb0(%p: {e}, %q: {e}, %s: {e}):
    %product = arith.mulf %p, %q : {e}
    %sum = arith.addf %s, %product : {e}
    linalg.yield %sum : {e}
  }} -> tensor<{y}>
"""
        steps = [
            (self.bias, "%tb", f"tensor<{b}>", row, f"%o = arith.addf %p, %q : {e}"),
            (self.relu, "", "", "", f"%o = arith.maximumf %p, %zero : {e}"),
        ]
        return lines + elementwise_text(steps, identity, y, e)

    def pad_text(self, size):
        x, padded = self.type(0), self.type(0, padded=True)
        if x == padded:
            return f"  %padded = tensor.cast %tx : tensor<{x}> to tensor<{x}>"
        around = {f"o{i}": pads for i, pads in enumerate(zip(self.low, self.high))}
        low, high = zip(*(around.get(loop, (0, 0)) for loop in self.orders[0]))
        if self.pads == "pad":
            arguments = ", ".join(f"%i{i}: index" for i in range(len(low)))
            return (
                f"  %padded = tensor.pad %tx low{list(low)} high{list(high)} {{\n  ^bb0({arguments}):\n"
                f"    tensor.yield %zero : {self.element}\n  }} : tensor<{x}> to tensor<{padded}>"
            )
        sizes = [
            "%n" if loop == "n" and self.dynamic else str(s) for loop, s in zip(self.orders[0], self.shape(0))
        ]
        return (
            f"  %around = tensor.empty({size}) : tensor<{padded}>\n"
            f"  %zeros = linalg.fill ins(%zero : {self.element}) outs(%around : tensor<{padded}>)"
            f" -> tensor<{padded}>\n"
            f"  %padded = tensor.insert_slice %tx into %zeros{list(low)} [{', '.join(sizes)}]"
            f" {[1] * len(low)} : tensor<{x}> into tensor<{padded}>"
        )

    def resource(self, name):
        order = "gfc" + "".join(map(str, range(self.rank)))
        axes = [order.index(loop[-1]) for loop in self.orders[1]]
        left_out = tuple(set(range(len(order))) - set(axes))
        stored = np.squeeze(np.transpose(self.filter, [*axes, *left_out]), tuple(range(len(axes), len(order))))
        stored = np.ascontiguousarray(stored.reshape(self.shape(1)))
        return f'"{name}.w": "0x40000000{stored.tobytes().hex().upper()}"'

    def random_buffers(self, rng):
        dtype, features = self.filter.dtype, self.loop_sizes()[self.bias_loop()]
        inputs = [draw(rng, shape, dtype, self.exact) for shape in (self.shape(0), features)]
        return [*inputs, np.full(self.shape(2), np.nan, dtype)]

    def canonical(self, x):
        """The input as images, groups, channels and space, padded."""
        full = ["n", "g", "c", *[f"o{i}" for i in range(self.rank)]]
        x = np.transpose(x, [self.orders[0].index(loop) for loop in full if loop in self.orders[0]])
        sizes = self.loop_sizes() | {f"o{i}": size for i, size in enumerate(self.sizes)}
        x = x.reshape([sizes[loop] for loop in full])
        return np.pad(x, [(0, 0)] * 3 + list(zip(self.low, self.high)))

    def expected(self, x, b):
        """The result, and how far rounding may be from it."""
        x, w = self.canonical(x.astype(np.float64)), self.filter.astype(np.float64)
        y = np.zeros((self.images, *w.shape[:2], *self.out()))
        size = np.zeros_like(y)
        for at in itertools.product(*map(range, self.kernel)):
            seen = [
                slice(k * dilation, k * dilation + (out - 1) * stride + 1, stride)
                for k, dilation, out, stride in zip(at, self.dilations, self.out(), self.strides)
            ]
            part, taps = x[(..., *seen)], w[(..., *at)]
            y += np.einsum("ngc...,gfc->ngf...", part, taps)
            size += np.einsum("ngc...,gfc->ngf...", np.abs(part), np.abs(taps))
        if self.bias or self.starts_from_bias:
            shape = [1, 1, 1] + [1] * self.rank
            shape[2 if self.bias_loop() == "f" else 1] = len(b)
            times = int(self.bias) + int(self.starts_from_bias)
            y, size = y + times * b.reshape(shape), size + times * np.abs(b).reshape(shape)
        if self.relu:
            y = np.maximum(y, 0)
        full = ["n", "g", "f", *[f"o{i}" for i in range(self.rank)]]
        kept = [loop for loop in full if loop in self.orders[2]]
        order = [kept.index(loop) for loop in self.orders[2]]
        sizes = [self.loop_sizes()[loop] for loop in kept]
        y, size = (a.reshape(sizes).transpose(order) for a in (y, size))
        terms = self.filter[0, 0].size + 3
        return y, 0 * size if self.exact else terms * np.finfo(self.filter.dtype).eps * size
