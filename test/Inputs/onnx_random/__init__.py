"""Random ONNX models: one rule per operator, graphs of one to eight nodes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A rule adds one node with random operands and attributes to a `Builder`. Whatever
opset, sizes, types, broadcasting or optional inputs an operator allows is the
rule's to draw. Which operators there are is not said here: the importer prints its
table, and an operator without a rule is an error.
"""

from . import control, elementwise, indexing, movement, quantized, recurrent, windows
from . import matrices, reductions
from .builder import Builder, Unfit

RULES = {}
for family in (
    control,
    elementwise,
    indexing,
    matrices,
    movement,
    quantized,
    recurrent,
    reductions,
    windows,
):
    for name, rule in family.RULES.items():
        assert name not in RULES, f"{name} has two rules"
        RULES[name] = rule

# The last opset that onnx's own shape inference knows; graphs of several nodes
# need the shapes of what they have so far.
NEWEST_INFERRED = 17


def single(seed, op, since, until):
    """A model of one node."""
    first = max(since, 7)
    builder = Builder(seed, first, until)
    RULES[op](builder, op)
    return builder.finish()


def graph(seed, table):
    """A model of three to eight nodes, of operators that the opset has."""
    builder = Builder(seed, 7, NEWEST_INFERRED)
    names = [
        name
        for name, since, until in table
        if since <= builder.opset <= until and name in RULES
    ]
    for _ in range(builder.random.randint(3, 8)):
        builder.try_rule(RULES, builder.random.choice(names))
    return builder.finish()


__all__ = ["RULES", "Unfit", "graph", "single"]
