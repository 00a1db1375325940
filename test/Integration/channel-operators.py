# REQUIRES: onnx
# RUN: %python %s %t
"""Channels pass operators that move them, and those that share weights.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Small ONNX networks, one for each operator that the importer lowers to reshapes,
slices, reads of elements, or several uses of a weight. Half of the channels are
masked and removed; the smaller network computes what the masked one does, which runs
as dense code, and both have the weights that they should.
"""

import pathlib
import re
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnxnets import IMAGE, Net
from tools import output_of

OUT = pathlib.Path(sys.argv[1])


def shuffled_pixels(mode):
    """Channels that become positions, and positions that become channels."""
    n = Net(1)
    x = n.relu(n.op("DepthToSpace", n.conv("x", 3, 16), blocksize=2, mode=mode))
    x = n.op("SpaceToDepth", n.relu(n.conv(x, 4, 6)), blocksize=4)
    return n.model(n.head(n.relu(n.conv(x, 96, 8, kernel=1)), 8), IMAGE)


def picked():
    """Indices in no order, all of them in another one, and a run."""
    n = Net(2)
    x = n.relu(n.conv("x", 3, 8))
    x = n.op("Gather", x, n.ints(7, 1, 1, -3, 0, 4), axis=1)
    x = n.relu(n.conv(x, 6, 8))
    x = n.op("Gather", x, n.ints(0, 4, 1, 5, 2, 6, 3, 7), axis=1)
    x = n.op("Gather", n.conv(x, 8, 8), n.ints(2, 3, 4, 5), axis=1)
    return n.model(n.head(n.conv(x, 4, 6), 6), IMAGE)


def mirrored():
    """A padding by mirrored elements."""
    n = Net(3)
    x = n.op("Pad", n.relu(n.conv("x", 3, 8)), n.ints(0, 0, 1, 1, 0, 0, 1, 1), mode="reflect")
    return n.model(n.head(n.conv(x, 8, 6), 6), IMAGE)


def gated():
    """A channel that is one half behind the sigmoid meets zeros in the padding."""
    n = Net(4)
    x = n.op("Sigmoid", n.conv("x", 3, 8))
    return n.model(n.head(n.conv(x, 8, 6), 6), IMAGE)


def known_branch():
    """One branch of an If is in line."""
    n = Net(5)
    x = n.conv("x", 3, 8)
    n.tensors.append(numpy_helper.from_array(np.array(True), "condition"))
    branches = []
    for kind in ("Relu", "Neg"):
        info = helper.make_tensor_value_info(kind, 1, None)
        node = helper.make_node(kind, [x], [kind])
        branches.append(helper.make_graph([node], kind, [], [info]))
    x = n.op("If", "condition", then_branch=branches[0], else_branch=branches[1])
    return n.model(n.head(n.conv(x, 8, 6), 6), IMAGE)


def spread():
    """A transposed convolution in groups, which leave as a whole."""
    n = Net(6)
    x = n.relu(n.conv("x", 3, 8))
    filters = n.weight(8, 3, 2, 2)
    x = n.op("ConvTranspose", x, filters, n.weight(12), strides=[2, 2], group=4)
    return n.model(n.head(n.relu(x), 12), IMAGE)


def contracted():
    """Products by letters."""
    n = Net(7)
    x = n.relu(n.op("Einsum", "x", n.weight(8, 3), equation="nchw,oc->nohw"))
    x = n.op("Einsum", n.weight(8, 6), x, equation="co,nchw->nohw")
    return n.model(n.head(n.relu(x), 6), IMAGE)


def shared_keys():
    """Heads of queries that share keys and values."""
    n = Net(8)
    heads, width, features = 4, 3, 10
    split = lambda x, count: n.op("Reshape", x, n.ints(2, 6, count, width))
    q = n.op("MatMul", "x", n.weight(features, heads * width))
    k, v = (n.op("MatMul", "x", n.weight(features, width)) for _ in "kv")
    q = n.op("Transpose", split(q, heads), perm=[0, 2, 1, 3])
    k = n.op("Transpose", split(k, 1), perm=[0, 2, 3, 1])
    v = n.op("Transpose", split(v, 1), perm=[0, 2, 1, 3])
    x = n.op("MatMul", n.op("Softmax", n.op("MatMul", q, k), axis=-1), v)
    x = n.op("Transpose", x, perm=[0, 2, 1, 3])
    x = n.op("Reshape", x, n.ints(2, 6, heads * width))
    shape = [2, 6, features]
    return n.model(n.op("MatMul", x, n.weight(heads * width, features)), shape, result=shape)


def levels():
    """Two convolutions on two levels: one group, and one tensor of each."""
    n = Net(9)
    low = n.relu(n.conv("x", 3, 6))
    high = n.op("MaxPool", low, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    inner, outer = n.weight(8, 6, 3, 3), n.weight(5, 8, 1, 1)
    parts = []
    for level in (low, high):
        x = n.relu(n.op("Conv", level, inner, pads=[1] * 4))
        parts.append(n.op("GlobalMaxPool", n.op("Conv", x, outer)))
    return n.model(n.op("Flatten", n.op("Add", *parts)), IMAGE)


def shuffled_twice():
    """Two shuffles that undo each other: the module has none, the file has both."""
    n = Net(10)
    x = n.relu(n.conv("x", 3, 12))
    for rows, columns in ((3, 4), (4, 3)):
        x = n.op("Reshape", x, n.ints(0, rows, columns, 8, 8))
        x = n.op("Transpose", x, perm=[0, 2, 1, 3, 4])
        x = n.op("Reshape", x, n.ints(0, 12, 8, 8))
    return n.model(n.head(n.conv(x, 12, 6), 6), IMAGE)


def weights(module):
    """Elements of each weight by name and version."""
    text = output_of("prune-opt", module, "--mlir-elide-resource-strings-if-larger=1")
    found = re.findall(r'dense_resource<("[^"]*"|\S+)> : tensor<([\dx]+)xf32>', text)
    return {key.strip('"'): np.prod([int(n) for n in s.split("x")]) for key, s in found}


def check(name, model, options="ratio=0.5", most=0.6):
    template, module, masked, after = (
        OUT / f"{name}{suffix}" for suffix in (".onnx", ".mlirbc", "-masked.mlirbc", "-small.mlirbc")
    )
    onnx.save(model, template)
    output_of("prune-translate", "--import-onnx", template, "-o", module)
    decide = [f"--prune-mask-channels={options}", "--prune-fold-masks", "--emit-bytecode"]
    output_of("prune-opt", module, "--prune-drop-identities", *decide, "-o", masked)
    output_of("prune-opt", masked, "--prune-remove-channels", "--emit-bytecode", "-o", after)
    sizes = [d.dim_value or 2 for d in model.graph.input[0].type.tensor_type.shape.dim]
    np.save(OUT / "x.npy", np.random.default_rng(1).normal(size=sizes).astype(np.float32))
    compare = [f"--input=@{OUT}/x.npy", f"--compare={masked}", "--rtol=1e-4", "--atol=1e-5"]
    output_of("prune-run", after, *compare)
    exported, again = OUT / f"{name}-small.onnx", OUT / f"{name}-again.mlirbc"
    output_of("prune-translate", f"--template={template}", after, "-o", exported)
    output_of("prune-translate", "--import-onnx", exported, "-o", again)
    output_of("prune-run", again, *compare)
    old, new = weights(masked), weights(after)
    print(f"{name}: {sum(old.values())} elements, {sum(new.values())} after", flush=True)
    assert sum(new.values()) <= most * sum(old.values()), f"{name} hardly became smaller"
    names = [key.split("#")[0] for key in new]
    assert len(set(names)) == len(names), f"{name}: a weight became several, {names}"


OUT.mkdir(parents=True, exist_ok=True)
for order in ("DCR", "CRD"):
    check(f"pixels-{order}", shuffled_pixels(order))
for network in (picked, mirrored, gated, known_branch, spread, contracted, levels, shuffled_twice):
    check(network.__name__, network())
check("shuffled-inner", shuffled_twice(), "ratio=0.5 reshape=inner", most=0.7)
check("heads", shared_keys(), most=0.75)
check("features", shared_keys(), "ratio=0.5 reshape=inner", most=0.75)
