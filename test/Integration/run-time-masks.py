# RUN: %python %s %t
"""Masks computed at run time equal the masks that folding gives.

One module holds a function for every case. It computes the mask of its
argument, which nobody can fold, and of the same weight as a constant, which
prune-fold-masks folds, and returns how many elements differ. All of them have
to return 0, and each pair of masks has to agree with numpy on how much is kept.
"""

import itertools
import random
import subprocess
import sys

import numpy as np

PATTERNS = {
    "#prune.element": ((7,), (5, 9), (3, 4, 5)),
    "#prune.nm<2:4, 0>": ((8,), (7, 3)),
    "#prune.nm<1:3, 1>": ((4, 6, 2), (3, 7)),
    "#prune.block<[4, 1]>": ((8, 3), (9, 5)),
    "#prune.block<[2, 3]>": ((4, 6), (5, 7, 2)),
}
TARGETS = ("sparsity = 0.5", "sparsity = 0.9", "sparsity = 1.0", "count = 2",
           "threshold = 2.0")
CRITERIA = ("#prune.magnitude<l1>", "#prune.magnitude<l2>",
            "#prune.random<seed = 3>")
TYPES = ("f64", "f32", "f16", "bf16")


def cases():
    choose = random.Random(1)
    for pattern, shapes in PATTERNS.items():
        for shape, criterion in itertools.product(shapes, CRITERIA):
            targets = [""] if "nm" in pattern else TARGETS
            for target in targets:
                yield pattern, shape, criterion, target, choose.choice(TYPES)


def literal(values):
    """A nested list in MLIR's syntax, as decimal numbers."""
    if values.ndim == 0:
        return repr(float(values))
    return "[" + ", ".join(literal(v) for v in values) + "]"


def mask_lines(prefix, values, weights, kind, criterion, pattern, target):
    """Scores and masks of one or two tensors ranked together."""
    text = ""
    for i, (value, weight) in enumerate(zip(values, weights)):
        t = f"tensor<{'x'.join(map(str, weight.shape))}x"
        text += (f"  %{prefix}s{i} = prune.score {value} {{criterion = {criterion}, "
                 f'weight = "w{i}"}} : {t}{kind}> -> {t}f64>\n')
    scores = ", ".join(f"%{prefix}s{i}" for i in range(len(values)))
    types = [f"tensor<{'x'.join(map(str, w.shape))}x" for w in weights]
    attributes = ", ".join(filter(None, [f"pattern = {pattern}", target]))
    return text + (
        f"  %{prefix}m:{len(values)} = prune.mask {scores} {{{attributes}}} : "
        f"{', '.join(t + 'f64>' for t in types)} -> "
        f"{', '.join(t + 'i1>' for t in types)}\n")


def function(index, case, random_state):
    pattern, shape, criterion, target, kind = case
    # Small integers: many ties. Two operands where a ranking can be global.
    count = 1 if "nm" in pattern else 2
    weights = [random_state.integers(-4, 5, shape).astype(float)
               for _ in range(count)]
    types = [f"tensor<{'x'.join(map(str, w.shape))}x{kind}>" for w in weights]
    args = ", ".join(f"%a{i}: {t}" for i, t in enumerate(types))
    text = f"func.func private @case{index}({args}) -> i64 attributes {{no_inline}} {{\n"
    text += mask_lines("r", [f"%a{i}" for i in range(count)], weights, kind,
                       criterion, pattern, target)
    for i, (weight, t) in enumerate(zip(weights, types)):
        text += f"  %c{i} = arith.constant dense<{literal(weight)}> : {t}\n"
    text += mask_lines("f", [f"%c{i}" for i in range(count)], weights, kind,
                       criterion, pattern, target)
    text += "  %zero0 = arith.constant dense<0> : tensor<i64>\n"
    rank = len(shape)
    dims = ", ".join(f"d{d}" for d in range(rank))
    loops = ", ".join(['"reduction"'] * rank)
    for i in range(count):
        t = f"tensor<{'x'.join(map(str, shape))}xi1>"
        text += f"""  %zero{i + 1} = linalg.generic {{
    indexing_maps = [affine_map<({dims}) -> ({dims})>, affine_map<({dims}) -> ({dims})>, affine_map<({dims}) -> ()>],
    iterator_types = [{loops}]
  }} ins(%rm#{i}, %fm#{i} : {t}, {t}) outs(%zero{i} : tensor<i64>) {{
  ^bb0(%x: i1, %y: i1, %sum: i64):
    %differs = arith.xori %x, %y : i1
    %one = arith.extui %differs : i1 to i64
    %next = arith.addi %sum, %one : i64
    linalg.yield %next : i64
  }} -> tensor<i64>
"""
    text += f"  %n = tensor.extract %zero{count}[] : tensor<i64>\n  return %n : i64\n}}\n"
    return text, weights, types


def main(path):
    random_state = np.random.default_rng(0)
    everything = list(cases())
    calls, body = "", ""
    for index, case in enumerate(everything):
        text, weights, types = function(index, case, random_state)
        body += text
        names = []
        for i, (weight, t) in enumerate(zip(weights, types)):
            names.append(f"%w{index}_{i}")
            calls += f"  {names[-1]} = arith.constant dense<{literal(weight)}> : {t}\n"
        calls += f"  %n{index} = func.call @case{index}({', '.join(names)}) : ({', '.join(types)}) -> i64\n"
    total = len(everything)
    results = ", ".join(f"%n{i}" for i in range(total))
    body += f"func.func @main() -> tensor<{total}xi64> {{\n{calls}"
    body += f"  %r = tensor.from_elements {results} : tensor<{total}xi64>\n  return %r : tensor<{total}xi64>\n}}\n"
    with open(path + ".mlir", "w") as file:
        file.write(body)
    subprocess.run(["prune-opt", path + ".mlir", "--prune-fold-masks",
                    "--convert-prune-to-linalg", "-o", path + ".lowered.mlir"],
                   check=True)
    subprocess.run(["prune-run", path + ".lowered.mlir",
                    f"--output=@{path}.npy"], check=True)
    differing = np.load(path + ".npy")
    assert differing.shape == (total,)
    for index in np.flatnonzero(differing):
        print("differs:", everything[index], differing[index])
    assert not differing.any()
    print(f"{total} cases agree")


main(sys.argv[1])
