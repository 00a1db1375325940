"""Rules of LSTM, GRU and RNN.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
DEFAULTS = {
    "LSTM": ["Sigmoid", "Tanh", "Tanh"],
    "GRU": ["Sigmoid", "Tanh"],
    "RNN": ["Tanh"],
}
# What has parameters: how many.
ACTIVATIONS = {
    "Affine": 2,
    "Elu": 1,
    "HardSigmoid": 2,
    "LeakyRelu": 1,
    "Relu": 0,
    "ScaledTanh": 2,
    "Sigmoid": 0,
    "Softplus": 0,
    "Softsign": 0,
    "Tanh": 0,
    "ThresholdedRelu": 1,
}


def recurrent(g, op):
    gates = GATES[op]
    steps, batch, size, hidden = (g.random.randint(1, 4) for _ in range(4))
    direction = g.choice([None, "forward", "reverse", "bidirectional"])
    count = 2 if direction == "bidirectional" else 1

    def tensor(*shape):
        return g.fresh(shape, "float32", -1, 1)

    x = g.fresh((steps, batch, size), "float32", -2, 2, constant=False)
    w = tensor(count, gates * hidden, size)
    r = tensor(count, gates * hidden, hidden)
    b = tensor(count, 2 * gates * hidden) if g.chance(0.7) else None
    lengths = None
    if g.chance(0.4):
        values = g.numpy.integers(1, steps, batch, endpoint=True)
        # The longest sequence has all steps.
        values[g.random.randrange(batch)] = steps
        lengths = g.input(values.astype(np.int32))
    state = tensor(count, batch, hidden) if g.chance(0.5) else None
    operands = [x, w, r, b, lengths, state]
    attributes = {"hidden_size": hidden, "direction": direction}
    if op == "LSTM":
        operands.append(tensor(count, batch, hidden) if g.chance(0.5) else None)
        operands.append(tensor(count, 3 * hidden) if g.chance(0.3) else None)
        if g.chance(0.2):
            attributes["input_forget"] = 1
    if op == "GRU" and g.chance(0.5):
        attributes["linear_before_reset"] = g.random.randint(0, 1)
    if g.chance(0.4):
        names = [g.choice(ACTIVATIONS) for _ in range(count * len(DEFAULTS[op]))]
        attributes["activations"] = names
        # Parameters are for the functions that have some, in order.
        alphas = sum(ACTIVATIONS[name] > 0 for name in names)
        betas = sum(ACTIVATIONS[name] > 1 for name in names)
        # Runtimes disagree about what these have where they are not given.
        needed = {"Affine", "ScaledTanh", "ThresholdedRelu"} & set(names)
        if alphas and (needed or g.chance(0.8)):
            attributes["activation_alpha"] = [0.25 + at / 8 for at in range(alphas)]
        if betas and (needed or g.chance(0.8)):
            attributes["activation_beta"] = [0.5 - at / 16 for at in range(betas)]
    if g.chance(0.2):
        attributes["clip"] = 1.5
    outputs = g.random.randint(1, 3 if op == "LSTM" else 2)
    g.add(op, operands, outputs, bound=30, **attributes)


RULES = {name: recurrent for name in GATES}
