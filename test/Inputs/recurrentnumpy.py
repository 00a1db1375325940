"""LSTM, GRU and RNN in numpy, as ONNX defines them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Evaluated in double precision, sequence by sequence: what a sequence does not
have is not computed at all, neither forward nor backward.
"""

import numpy as np

SIGMOID = lambda x: 1 / (1 + np.exp(-x))
FUNCTIONS = {
    "Relu": lambda x: np.maximum(x, 0),
    "Sigmoid": SIGMOID,
    "Softsign": lambda x: x / (1 + abs(x)),
    "Tanh": np.tanh,
}
DEFAULTS = {
    "LSTM": ["Sigmoid", "Tanh", "Tanh"],
    "GRU": ["Sigmoid", "Tanh"],
    "RNN": ["Tanh"],
}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class Cell:
    """One direction of a layer; a step takes an input and the state (h, c)."""

    def __init__(self, kind, w, r, b, p, functions, clip, attributes):
        self.kind, self.attributes = kind, attributes
        split = lambda x: np.split(x.astype(float), GATES[kind])
        self.w, self.r, (bw, br) = split(w), split(r), np.split(b.astype(float), 2)
        self.bw, self.br = split(bw), split(br)
        self.p = None if p is None else np.split(p.astype(float), 3)
        clipped = lambda f: lambda x: f(np.clip(x, -clip, clip) if clip else x)
        self.functions = [FUNCTIONS[name] for name in functions]
        # What enters a gate is clipped, the cell of an LSTM is not.
        gates = 2 if kind == "LSTM" else len(functions)
        self.f = [clipped(f) for f in self.functions[:gates]] + self.functions[gates:]

    def input(self, x, gate):
        return self.w[gate] @ x + self.bw[gate]

    def state(self, h, gate):
        return self.r[gate] @ h + self.br[gate]

    def step(self, x, h, c):
        return getattr(self, self.kind)(x, h, c)

    def RNN(self, x, h, c):
        return self.f[0](self.input(x, 0) + self.state(h, 0)), c

    def GRU(self, x, h, c):
        z, r = (self.f[0](self.input(x, g) + self.state(h, g)) for g in (0, 1))
        if self.attributes.get("linear_before_reset", 0):
            inner = r * self.state(h, 2)
        else:
            inner = self.r[2] @ (r * h) + self.br[2]
        return (1 - z) * self.f[1](self.input(x, 2) + inner) + z * h, c

    def LSTM(self, x, h, c):
        peep = lambda at, cell: 0 if self.p is None else self.p[at] * cell
        gate = lambda g, more: self.input(x, g) + self.state(h, g) + more
        i = self.f[0](gate(0, peep(0, c)))
        f = 1 - i if self.attributes.get("input_forget", 0) else self.f[0](gate(2, peep(2, c)))
        cell = f * c + i * self.f[1](gate(3, 0))
        return self.f[0](gate(1, peep(1, cell))) * self.f[2](cell), cell


def recurrent(kind, x, w, r, b=None, lengths=None, h=None, c=None, p=None, **attributes):
    """The outputs Y, Y_h and Y_c (for all kinds)."""
    by_batch = attributes.get("layout", 0)
    if by_batch:
        x, h, c = (a if a is None else a.swapaxes(0, 1) for a in (x, h, c))
    steps, batch, _ = x.shape
    directions, hidden = r.shape[0], r.shape[2]
    b = np.zeros((directions, 2 * w.shape[1])) if b is None else b
    zeros = np.zeros((directions, batch, hidden))
    ends = np.array([zeros if s is None else s.astype(float) for s in (h, c)])
    lengths = [steps] * batch if lengths is None else lengths
    text = lambda name: name.decode() if isinstance(name, bytes) else name
    names = [text(name) for name in attributes.get("activations", DEFAULTS[kind] * directions)]
    direction = text(attributes.get("direction", "forward"))
    y = np.zeros((steps, directions, batch, hidden))
    for d in range(directions):
        count = len(DEFAULTS[kind])
        functions = names[d * count : (d + 1) * count]
        peepholes = None if p is None else p[d]
        clip = attributes.get("clip", 0)
        cell = Cell(kind, w[d], r[d], b[d], peepholes, functions, clip, attributes)
        for s in range(batch):
            order = range(lengths[s])
            if direction == "reverse" or d == 1:
                order = reversed(order)
            for t in order:
                ends[:, d, s] = cell.step(x[t, s].astype(float), *ends[:, d, s])
                y[t, d, s] = ends[0, d, s]
    if by_batch:
        return [y.transpose(2, 0, 1, 3), *ends.swapaxes(1, 2)]
    return [y, *ends]


OPERATORS = {
    kind: lambda *arguments, kind=kind, **attributes: recurrent(kind, *arguments, **attributes)
    for kind in GATES
}
