"""Cases of single ONNX operators, each with what numpy computes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

For operator sets that the installed onnx has no tests of. A module of this package
calls `case` for each way in which an operator can be used; the versions say in which
operator sets that means the same. A case is run in the first and the last of them, in
the oldest that the installed onnx lacks, and in each in which the operator's definition
changed (`versions.py`).
"""

import importlib
import pkgutil

import numpy as np
from onnx import helper, numpy_helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from .versions import CHANGED, NEWEST, OLDEST

# All that the installed onnx has no tests of.
SINCE18 = (OLDEST, NEWEST)
CASES = []


class Case:
    """One node, its inputs and what it gives. Inputs are arrays, or None where an
    optional one is left out; those at `constants` are stored in the model."""

    def __init__(self, op, domain, versions, inputs, outputs, constants, tolerance, attributes):
        self.op, self.domain, self.versions = op, domain, versions
        self.inputs, self.outputs = inputs, outputs
        self.constants, self.tolerance = constants, tolerance
        self.attributes = attributes

    def runs(self):
        """The operator sets in which to run the case."""
        first, last = self.versions
        inner = [OLDEST, *CHANGED.get(self.op, [])]
        return sorted({first, last, *(v for v in inner if first < v < last)})

    def model(self):
        """What `build` makes of this case alone, in its newest version."""
        return build([self], self.versions[1])

    def __str__(self):
        kinds = [None if x is None else f"{x.dtype}{list(x.shape)}" for x in self.inputs]
        return f"{self.op}{kinds} {self.attributes}"


def case(
    op, versions, inputs, outputs, constants=(), tolerance=1e-5, domain="", **attributes
):
    """Adds a case for versions [first, last] of the standard operator set, also if
    the operator is of another domain. The outputs are arrays; None for one that the
    node does not name."""
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    arrays = [None if x is None else np.array(x, order="C") for x in inputs]
    outputs = [None if x is None else np.asarray(x) for x in outputs]
    CASES.append(
        Case(op, domain, versions, arrays, outputs, constants, tolerance, attributes)
    )


def all_cases():
    if not CASES:
        for module in pkgutil.iter_modules(__path__):
            importlib.import_module(f"{__name__}.{module.name}")
    return CASES


def describe(name, array):
    return helper.make_tensor_value_info(name, NP_TYPE_TO_TENSOR_TYPE[array.dtype], array.shape)


def build(cases, version):
    """A model of the nodes of all cases, its inputs and what it has to give."""
    nodes, stored, given, expected = [], [], {}, {}
    for number, case in enumerate(cases):
        names = []
        for at, array in enumerate(case.inputs):
            names.append("" if array is None else f"c{number}_{at}")
            if array is not None and at in case.constants:
                stored.append(numpy_helper.from_array(array, names[-1]))
            elif array is not None:
                given[names[-1]] = array
        outputs = []
        for at, array in enumerate(case.outputs):
            outputs.append("" if array is None else f"c{number}_y{at}")
            if array is not None:
                expected[outputs[-1]] = (array, case)
        node = helper.make_node(case.op, names, outputs, domain=case.domain, **case.attributes)
        nodes.append(node)
    inputs = [describe(name, array) for name, array in given.items()]
    results = [describe(name, array) for name, (array, _) in expected.items()]
    graph = helper.make_graph(nodes, "g", inputs, results, stored)
    opsets = [helper.make_opsetid("", version)]
    others = sorted({case.domain for case in cases if case.domain})
    opsets += [helper.make_opsetid(domain, 1) for domain in others]
    return helper.make_model(graph, opset_imports=opsets), given, expected
