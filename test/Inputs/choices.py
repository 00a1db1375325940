"""Random choices that can be recorded, repeated and shrunk.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A generator asks for numbers below a bound. They come from a seed and are written
down, so that the same object can be made again from the record alone; where a
record ends, every further choice is 0. A generator in which 0 is the simplest
choice everywhere then makes something simpler from every shorter or smaller
record, which is all that shrinking needs to know.
"""

import numpy as np


class Choices:
    """Numbers of a seed, or of a record."""

    def __init__(self, seed, record=None):
        self.random = np.random.default_rng(seed)
        self.given, self.record = record, []

    def below(self, bound):
        """A number in [0, bound)."""
        position = len(self.record)
        if self.given is None:
            number = int(self.random.integers(bound))
        else:
            number = self.given[position] if position < len(self.given) else 0
        self.record.append(min(number, bound - 1))
        return self.record[-1]

    def pick(self, items):
        """One of the items; the first is the simplest."""
        return items[self.below(len(items))]

    def chance(self, percent):
        """Whether something happens that is not the simplest."""
        return self.below(100) >= 100 - percent


def candidates(record):
    """Simpler records, the boldest first."""
    size = len(record) // 2
    while size:
        for begin in range(0, len(record), size):
            yield record[:begin] + record[begin + size :]
        size //= 2
    for i, number in enumerate(record):
        for smaller in sorted({0, number // 2, number - 1} - {-1, number}):
            yield record[:i] + [smaller] + record[i + 1 :]


def shrink(record, fails, budget=300):
    """The simplest record found for which `fails(record)` still holds."""
    progress = True
    while progress and budget:
        progress = False
        for candidate in candidates(record):
            budget -= 1
            if fails(candidate):
                record, progress = candidate, True
                break
            if not budget:
                break
    return record
