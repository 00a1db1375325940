"""How many tests of ONNX operators end how, by operator and operator set; and what
`prune-translate --list-onnx-ops` claims.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import collections
import re

import tools


class Counts:
    """Outcomes of tests, by operator and operator set."""

    def __init__(self):
        self.table = collections.defaultdict(collections.Counter)

    def add(self, op, opset, outcome, count=1):
        self.table[op, opset][outcome] += count

    def of(self, op, outcome):
        return sum(counts[outcome] for (name, _), counts in self.table.items() if name == op)

    def lines(self):
        """`Conv: opset 11: 5 pass, 2 refused; opset 22: 1 pass`."""
        by_operator = collections.defaultdict(list)
        for (op, opset), counts in sorted(self.table.items()):
            text = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
            by_operator[op].append(f"opset {opset}: {text}")
        return [f"{op}: {'; '.join(parts)}" for op, parts in by_operator.items()]


def claimed(table=None):
    """The rows of the importer's table: operator, first and last operator set."""
    table = table or tools.output_of("prune-translate", "--list-onnx-ops")
    rows = re.findall(r"^\| ([A-Z]\w*) \| (\d+)-(\d+) \|", table, re.MULTILINE)
    return [(op, int(first), int(last)) for op, first, last in rows]
