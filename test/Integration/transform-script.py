# RUN: %python %s %t
"""A transform script picks layers by structure and prunes each its own way.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The script knows no names: convolutions lose blocks by their squares, products over
many features keep two of four, products over few lose single elements, and a
product with few outputs stays as it is. Afterwards each weight is what masks.py
leaves of it, and the network computes what numpy computes with these weights.
"""

import pathlib
import sys

import numpy as np

import masks
from mlirtext import Module, quantize, read_resources, decode
from networks import Network
from tools import output_of

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(8)

SCRIPT = """
module attributes {transform.with_named_sequence} {
  transform.named_sequence @is_convolution(%op: !transform.any_op {transform.readonly}) -> !transform.any_op {
    transform.match.operation_name %op ["linalg.conv_2d_nchw_fchw"] : !transform.any_op
    transform.yield %op : !transform.any_op
  }
  transform.named_sequence @is_narrow(%op: !transform.any_op {transform.readonly}) -> !transform.any_op {
    transform.match.operation_name %op ["linalg.matmul"] : !transform.any_op
    %n = transform.match.structured failures(propagate) %op : (!transform.any_op) -> !transform.param<i64> {
    ^bb0(%s: !transform.any_op):
      %d = transform.match.structured.dim %s[1] : (!transform.any_op) -> !transform.param<i64>
      transform.match.structured.yield %d : !transform.param<i64>
    }
    %most = transform.param.constant 4 : i64 -> !transform.param<i64>
    transform.match.param.cmpi le %n, %most : !transform.param<i64>
    transform.yield %op : !transform.any_op
  }
  transform.named_sequence @is_deep(%op: !transform.any_op {transform.readonly}) -> !transform.any_op {
    transform.match.operation_name %op ["linalg.matmul"] : !transform.any_op
    %k = transform.match.structured failures(propagate) %op : (!transform.any_op) -> !transform.param<i64> {
    ^bb0(%s: !transform.any_op):
      %d = transform.match.structured.dim %s[2] {reduction} : (!transform.any_op) -> !transform.param<i64>
      transform.match.structured.yield %d : !transform.param<i64>
    }
    %least = transform.param.constant 32 : i64 -> !transform.param<i64>
    transform.match.param.cmpi ge %k, %least : !transform.param<i64>
    transform.yield %op : !transform.any_op
  }
  transform.named_sequence @is_product(%op: !transform.any_op {transform.readonly}) -> !transform.any_op {
    transform.match.operation_name %op ["linalg.matmul"] : !transform.any_op
    transform.yield %op : !transform.any_op
  }

  transform.named_sequence @leave(%op: !transform.any_op {transform.readonly}) {
    transform.yield
  }
  transform.named_sequence @prune_blocks(%op: !transform.any_op {transform.readonly}) {
    transform.prune.mask %op {criterion = #prune.magnitude<l2>, pattern = "block:2x1", sparsity = 0.5 : f64} : !transform.any_op
    transform.yield
  }
  transform.named_sequence @prune_two_of_four(%op: !transform.any_op {transform.readonly}) {
    transform.prune.mask %op {pattern = "2:4"} : !transform.any_op
    transform.yield
  }
  transform.named_sequence @prune_elements(%op: !transform.any_op {transform.readonly}) {
    transform.prune.mask %op {sparsity = 0.8 : f64} : !transform.any_op
    transform.yield
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %pruned = transform.foreach_match in %root
        @is_convolution -> @prune_blocks,
        @is_narrow -> @leave,
        @is_deep -> @prune_two_of_four,
        @is_product -> @prune_elements : (!transform.any_op) -> !transform.any_op
    %f = transform.structured.match ops{["func.func"]} in %pruned : (!transform.any_op) -> !transform.any_op
    %folded = transform.prune.fold %f : (!transform.any_op) -> !transform.any_op
    transform.yield
  }
}
"""

WAYS = {
    "first": ("block:2x1", "l2", {"sparsity": 0.5}),
    "deep": ("2:4@0", "l1", {}),
    "shallow": ("element", "l1", {"sparsity": 0.8}),
    "last": None,
}
kept = {}


def decide(name, values, summed):
    way = WAYS[name]
    if way:
        pattern, criterion, target = way
        keep = masks.prune({name: values}, criterion, pattern, **target)[name]
        values = masks.apply(values, keep)
    kept[name] = values
    return values


def numbers(*shape):
    return quantize(RNG.normal(0, 1, shape), "f32")


module = Module()
net = Network(module, "f32", decide)
x = net.input(numbers(2, 2, 6, 6))
x = net.relu(net.conv(x, "first", numbers(4, 2, 3, 3)))
x = net.relu(net.linear(net.flatten(x), "deep", numbers(20, 64), "plain"))
x = net.relu(net.linear(x, "shallow", numbers(12, 20), "plain"))
net.output(net.linear(x, "last", numbers(3, 12), "plain"))
net.finish()

source = FOLDER / "net.mlir"
source.write_text(module.text())
script = FOLDER / "script.mlir"
script.write_text(SCRIPT)
pruned = FOLDER / "pruned.mlir"
output_of(
    "prune-opt",
    source,
    f"--transform-preload-library=transform-library-paths={script}",
    "--transform-interpreter",
    "-o",
    pruned,
)
found = read_resources(pruned.read_text())
assert set(found) == {"first#1", "deep#1", "shallow#1", "last"}, set(found)
for name, values in kept.items():
    key = name if name in found else name + "#1"
    assert (decode(found[key], "f32", values.shape) == values).all(), name

np.save(FOLDER / "x.npy", net.inputs[0][1].astype(np.float32))
for kernels in ("dense", "reference", "packed"):
    output = FOLDER / f"{kernels}.npy"
    arguments = [f"--input=@{FOLDER}/x.npy", f"--output=@{output}", f"--kernels={kernels}"]
    output_of("prune-run", pruned, *arguments)
    difference = abs(np.load(output) - net.outputs[0].value)
    assert (difference <= net.outputs[0].error).all(), kernels
print("the script pruned each layer its own way")
