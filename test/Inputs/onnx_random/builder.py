"""Builds one random model and the inputs to run it with.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Two implementations agree on floats up to rounding, so a graph must not magnify it:
every tensor carries a bound of its elements, and whether both sides get the same
bits (`exact`). What jumps, such as a comparison or a rounding, takes exact operands
only; what grows, such as an exponential, takes bounded ones.
"""

import random

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE, TENSOR_TYPE_TO_NP_TYPE

FLOATS = ("float32", "float64", "float16")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
# Tensors of larger elements are not used any more.
MOST = 1e3
INFERRED_OPSET = 17


class Unfit(Exception):
    """A rule found no operands, or this opset lacks what it drew."""


class Tensor:
    """One value of the graph."""

    def __init__(self, name, dtype, shape, exact, bound):
        self.name = name
        self.dtype = str(np.dtype(dtype))
        self.shape = None if shape is None else tuple(shape)
        self.exact = exact
        self.bound = bound

    @property
    def rank(self):
        return len(self.shape)

    @property
    def is_float(self):
        return self.dtype in FLOATS


class Builder:
    def __init__(self, seed, first, last):
        self.random = random.Random(seed)
        self.numpy = np.random.default_rng(seed)
        self.opset = self.random.randint(first, max(first, last))
        self.inputs, self.initializers, self.nodes = [], [], []
        self.tensors = []
        self.count = 0
        self.used = set()
        self.outer = None

    # ---- Drawing ----------------------------------------------------------

    def chance(self, share):
        return self.random.random() < share

    def choice(self, options):
        return self.random.choice(list(options))

    def shape(self, low=1, high=4, largest=5):
        """Random sizes; one of them is 1 now and then, for broadcasting."""
        rank = self.random.randint(low, high)
        return tuple(self.random.randint(1, largest) for _ in range(rank))

    def float_type(self):
        return self.random.choices(FLOATS, (85, 10, 5))[0]

    def number_type(self, small=False):
        if small and self.chance(0.15):
            return self.choice(INTEGERS)
        names = ("float32", "float64", "float16", "int32", "int64")
        return self.random.choices(names, (68, 8, 4, 10, 10))[0]

    def any_type(self):
        return "bool" if self.chance(0.08) else self.number_type(small=True)

    def axis(self, rank, negative=True):
        """An axis, counted from the end half of the time."""
        at = self.random.randrange(rank)
        return at - rank if negative and self.chance(0.5) else at

    def axes(self, rank, negative=True, at_least=1):
        count = self.random.randint(at_least, rank)
        chosen = self.random.sample(range(rank), count)
        return [at - rank if negative and self.chance(0.4) else at for at in chosen]

    def values(self, shape, dtype, low=-4, high=4):
        """Random elements, of floats half of the time multiples of a quarter, so
        that ties and exact halves occur."""
        if dtype == "bool":
            return self.numpy.integers(0, 2, shape).astype(bool)
        if dtype not in FLOATS:
            if dtype.startswith("u"):
                low = max(low, 0)
            low, high = int(np.ceil(low)), int(np.floor(high))
            return self.numpy.integers(low, high, shape, endpoint=True).astype(dtype)
        if self.chance(0.5):
            quarters = self.numpy.integers(
                int(np.ceil(low * 4)), int(np.floor(high * 4)), shape, endpoint=True
            )
            return (np.asarray(quarters) / 4).astype(dtype)
        return np.asarray(self.numpy.uniform(low, high, shape)).astype(dtype)

    # ---- Operands ---------------------------------------------------------

    def fresh_name(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def constant(self, array, name=None):
        """A stored tensor: an initializer or, sometimes, a Constant node."""
        array = np.asarray(array)
        name = name or self.fresh_name("c")
        stored = numpy_helper.from_array(array, name)
        if self.chance(0.1):
            self.nodes.append(helper.make_node("Constant", [], [name], value=stored))
        else:
            self.initializers.append(stored)
        return self.note(name, array)

    def ints(self, values):
        """A constant list of int64."""
        return self.constant(np.array(values, np.int64))

    def scalar(self, value, dtype):
        return self.constant(np.array(value, dtype))

    def input(self, array):
        name = self.fresh_name("x")
        self.inputs.append((name, np.asarray(array)))
        return self.note(name, np.asarray(array))

    def note(self, name, array):
        bound = 0.0
        if array.size and array.dtype != bool:
            bound = float(np.abs(array.astype(np.float64)).max())
        return Tensor(name, array.dtype, array.shape, True, bound)

    def fresh(self, shape, dtype="float32", low=-4, high=4, constant=None):
        """A new input or stored tensor."""
        array = self.values(shape, dtype, low, high)
        if constant is None:
            constant = self.chance(0.3)
        tensor = self.constant(array) if constant else self.input(array)
        if not constant:
            self.tensors.append(tensor)
        return tensor

    def pick(self, dtype=None, low=0, high=5, exact=False, bound=MOST, fits=None):
        """A tensor that is there, else a new one; rank in [low, high]."""
        found = [
            t
            for t in self.tensors
            if (dtype is None or t.dtype == dtype)
            and low <= t.rank <= high
            and (t.exact or not exact)
            and t.bound <= bound
            and (fits is None or fits(t))
        ]
        if found and self.chance(0.75):
            return self.choice(found)
        for _ in range(20):
            tensor = self.fresh(
                self.shape(low, min(high, 4) if high > low else high),
                dtype or "float32",
                -min(bound, 4),
                min(bound, 4),
                constant=False,
            )
            if fits is None or fits(tensor):
                return tensor
        raise Unfit("no operand fits")

    def broadcastable(self, tensor, dtype=None, **bounds):
        """An operand that broadcasts with `tensor`: of lower rank, with ones, or
        one that stretches it."""
        shape = list(tensor.shape)
        if self.chance(0.5):
            shape = shape[self.random.randint(0, len(shape)) :]
        shape = [1 if self.chance(0.3) else size for size in shape]
        if self.chance(0.15):
            ones = [at for at in range(len(shape)) if shape[at] == 1]
            grown = len(shape) == tensor.rank
            if grown and ones and tensor.shape[ones[0]] == 1:
                shape[ones[0]] = self.random.randint(1, 4)
            if len(shape) < 4 and grown:
                shape.insert(0, self.random.randint(1, 3))
        return self.fresh(shape, dtype or tensor.dtype, **bounds)

    # ---- Nodes ------------------------------------------------------------

    def add(self, op, inputs, outputs=1, exact=None, bound=None, **attributes):
        """Adds a node. `inputs` are tensors or None where one is left out;
        `exact` and `bound` speak of the outputs."""
        while inputs and inputs[-1] is None:
            inputs = inputs[:-1]
        names = [self.fresh_name("t") for _ in range(outputs)]
        node = helper.make_node(
            op,
            [t.name if t else "" for t in inputs],
            names,
            name=self.fresh_name("n") if self.chance(0.8) else "",
            **{k: v for k, v in attributes.items() if v is not None},
        )
        self.nodes.append(node)
        given = [t for t in inputs if t]
        self.used |= {t.name for t in given}
        if exact is None:
            exact = False
        if bound is None:
            bound = max([t.bound for t in given], default=1.0)
        results = [Tensor(name, "float32", None, exact, bound) for name in names]
        self.infer(results)
        return results

    def infer(self, results):
        """Finds types and sizes; what has none is not used again."""
        if self.opset > INFERRED_OPSET:
            return
        try:
            inferred = shape_inference.infer_shapes(self.model([]), strict_mode=False)
        except Exception as error:
            raise Unfit(f"shape inference: {error}") from error
        known = {info.name: info.type.tensor_type for info in inferred.graph.value_info}
        for result in results:
            kind = known.get(result.name)
            if kind is None or not kind.HasField("shape") or not kind.elem_type:
                continue
            dims = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
            if None in dims or np.prod(dims, initial=1) > 4096 or 0 in dims:
                continue
            if kind.elem_type not in TENSOR_TYPE_TO_NP_TYPE:
                continue
            result.dtype = str(TENSOR_TYPE_TO_NP_TYPE[kind.elem_type])
            result.shape = tuple(dims)
            if result.bound <= MOST:
                self.tensors.append(result)

    def try_rule(self, rules, op):
        """Adds a node of an operator, or nothing."""
        state = (
            list(self.inputs),
            list(self.initializers),
            list(self.nodes),
            list(self.tensors),
            set(self.used),
        )
        for _ in range(5):
            try:
                return rules[op](self, op)
            except Unfit:
                self.inputs, self.initializers, self.nodes, self.tensors, self.used = (
                    list(part) if isinstance(part, list) else set(part) for part in state
                )
        return None

    # ---- The model --------------------------------------------------------

    def model(self, outputs):
        infos = [
            helper.make_tensor_value_info(
                name, NP_TYPE_TO_TENSOR_TYPE[array.dtype], array.shape
            )
            for name, array in self.inputs
        ]
        results = [onnx.ValueInfoProto(name=name) for name in outputs]
        graph = helper.make_graph(self.nodes, "g", infos, results, self.initializers)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8
        )

    def finish(self):
        """The model, whose outputs are what no node reads, and its inputs."""
        read = {name for node in self.nodes for name in node.input}
        read |= self.used
        if not any(node.op_type != "Constant" for node in self.nodes):
            raise Unfit("no node")
        outputs = [
            name
            for node in self.nodes
            for name in node.output
            if name and name not in read and not name.startswith("c")
        ]
        model = self.model(outputs)
        names = {name for node in self.nodes for name in node.input}
        kept = [(name, array) for name, array in self.inputs if name in read | names]
        unused = {name for name, _ in self.inputs} - {name for name, _ in kept}
        for info in list(model.graph.input):
            if info.name in unused:
                model.graph.input.remove(info)
        for tensor in list(model.graph.initializer):
            if tensor.name not in read | names:
                model.graph.initializer.remove(tensor)
        return model, dict(kept)
