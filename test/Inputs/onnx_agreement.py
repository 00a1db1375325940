"""Imports and runs one model and compares it with ONNX Runtime; shrinks a model on
which the two disagree.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import re

import numpy as np
import onnx
import prune
from onnx import helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE
from onnx_files import signless
from onnxruntime import NoAnswer

# Results that are rounded to integers after float arithmetic, in which the two
# sides may fall on different sides of a half.
ROUNDED = {"DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul"}


class Refused(Exception):
    """The importer ends with a diagnostic."""


class Wrong(Exception):
    """Different numbers, or a failure after the import."""


def convert(path, dims=()):
    """Imports a model in this process."""
    try:
        return prune.Module.import_onnx(path, dict(dims))
    except prune.ParseError as error:
        raise Refused(re.sub(r"^.*?error: ", "", str(error).strip())) from error


def is_half(model, expected):
    """Whether a result may have been made of f16."""
    kinds = {t.data_type for t in model.graph.initializer}
    kinds |= {i.type.tensor_type.elem_type for i in model.graph.input}
    return onnx.TensorProto.FLOAT16 in kinds or expected.dtype == np.float16


def tolerance(expected, model, is_bfloat):
    """Relative and absolute. f16 is rounded by each operator, here and there, and
    bf16 only here; both compute each operator in f32."""
    finite = np.abs(expected[np.isfinite(expected)].astype(np.float64))
    scale = max(1.0, finite.max(initial=0.0))
    if not is_bfloat and not is_half(model, expected):
        return 1e-3, 1e-5 * scale
    operators = sum(node.op_type != "Constant" for node in model.graph.node)
    unit = 2.0**-8 if is_bfloat else 2 * 2.0**-11
    # Rounded operands differ where a later operator cancels what it is given.
    carried = unit * (operators - 1)
    return 1.01 * unit + carried, (2.0**-18 + carried) * scale


def difference(name, ours, expected, model, is_bfloat=False):
    """What is wrong with a result, or None."""
    expected = signless(expected)
    if ours.shape != expected.shape:
        return f"{name} has shape {ours.shape}, but should have {expected.shape}"
    if expected.dtype.kind in "fc":
        rtol, atol = tolerance(expected, model, is_bfloat)
        with np.errstate(invalid="ignore"):
            same = np.isclose(ours, expected, rtol, atol, equal_nan=True)
    elif expected.dtype != bool and {n.op_type for n in model.graph.node} & ROUNDED:
        wide = 1 << 8 * expected.dtype.itemsize
        apart = (ours.astype(np.int64) - expected.astype(np.int64)) % wide
        same = np.minimum(apart, wide - apart) <= 1
    else:
        same = ours == expected
    if np.all(same):
        return None
    at = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
    return (
        f"{name} differs in {np.size(same) - np.count_nonzero(same)} of "
        f"{np.size(same)} elements, at {at}: {ours[at]}, but should be {expected[at]}"
    )


def open_sizes(model, random):
    """Makes sizes of inputs unknown; equal sizes share a name at times. Returns
    the names with what they stand for."""
    dims = {}
    for info in model.graph.input:
        for at, dim in enumerate(info.type.tensor_type.shape.dim):
            if random.random() < 0.4:
                size = dim.dim_value
                shared = random.random() < 0.5
                name = f"S{size}" if shared else f"D_{info.name}_{at}"
                dim.dim_param = name
                dims[name] = size
    return dims


class Comparison:
    """Compares model after model."""

    def __init__(self, runtime, folder):
        self.runtime = runtime
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def run(self, model, inputs, dims=(), narrow=None):
        """Raises Refused, NoAnswer or Wrong if the sides do not agree. With `narrow`,
        that model of bf16 is ours."""
        path = os.path.join(self.folder, "model.onnx")
        onnx.save(narrow or model, path)
        module = convert(path, dims)
        onnx.save(model, path)
        expected = self.runtime.run(path, inputs)
        stored = {t.name for t in model.graph.initializer}
        order = [i.name for i in model.graph.input if i.name not in stored]
        try:
            program = module.compile()
            results = program(*[signless(inputs[name]) for name in order])
        except prune.Error as error:
            raise Wrong(f"does not compile or run: {error}") from error
        results = results if isinstance(results, tuple) else (results,)
        if len(results) != len(expected):
            raise Wrong(f"{len(results)} results, but should be {len(expected)}")
        for ours, (name, value) in zip(results, expected.items()):
            text = difference(name, ours, value, model, narrow is not None)
            if text:
                raise Wrong(text)

    def outcome(self, model, inputs, dims=(), narrow=None):
        """One of agree, refused, unanswered, wrong; and why."""
        try:
            self.run(model, inputs, dims, narrow)
            return "agree", ""
        except Refused as error:
            return "refused", str(error)
        except NoAnswer as error:
            return "unanswered", str(error)
        except Wrong as error:
            return "wrong", str(error)

    def shrink(self, model, inputs):
        """The smallest part that fails: a node alone, on what the oracle has for
        its operands, else the nodes that one output needs."""
        for part in list(self.single_nodes(model, inputs)) + list(parts(model)):
            small, values = part if isinstance(part, tuple) else (part, inputs)
            names = {i.name for i in small.graph.input}
            values = {k: v for k, v in values.items() if k in names}
            if self.outcome(small, values)[0] == "wrong":
                return small, values
        return model, inputs

    def single_nodes(self, model, inputs):
        everything = onnx.ModelProto()
        everything.CopyFrom(model)
        names = [n for node in model.graph.node for n in node.output if n]
        del everything.graph.output[:]
        everything.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names)
        path = os.path.join(self.folder, "everything.onnx")
        onnx.save(everything, path)
        try:
            values = self.runtime.run(path, inputs)
        except NoAnswer:
            return
        values.update(inputs)
        stored = {t.name: t for t in model.graph.initializer}
        for node in model.graph.node:
            read = [name for name in node.input if name in values]
            if any(a.HasField("g") for a in node.attribute):
                read = list(inputs)
            yield build(model, [node], read, values, stored), values


def build(model, nodes, read, values, stored):
    """A model of some nodes; what they read is an input or stored as before."""
    infos = [
        helper.make_tensor_value_info(
            name, NP_TYPE_TO_TENSOR_TYPE[values[name].dtype], values[name].shape
        )
        for name in dict.fromkeys(read)
        if name not in stored
    ]
    outputs = [onnx.ValueInfoProto(name=n) for node in nodes for n in node.output if n]
    graph = helper.make_graph(nodes, "g", infos, outputs, list(stored.values()))
    return helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=model.ir_version
    )


def parts(model):
    """For each node, the nodes that it needs, the shortest first."""
    made = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        needed, work = [], [node]
        while work:
            current = work.pop()
            if current not in needed:
                needed.append(current)
                work += [made[name] for name in current.input if name in made]
        part = onnx.ModelProto()
        part.CopyFrom(model)
        del part.graph.node[:], part.graph.output[:]
        part.graph.node.extend(n for n in model.graph.node if n in needed)
        part.graph.output.extend(onnx.ValueInfoProto(name=n) for n in node.output if n)
        yield part
