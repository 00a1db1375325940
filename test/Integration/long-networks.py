# RUN: %python %s
"""What grows with a network compiles in proportion to it, and computes what numpy does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Concatenations and chains of insertions of up to 2,000 operands, and functions of
many loops. That the work is in proportion is seen from what bufferization and LLVM
are given: operations, and blocks of the longest function, counted for n, 2n and 3n.
In cubic time, chains of this length would take hours.
"""

import re

import numpy as np
from execute import check
from tools import run

RANDOM = np.random.default_rng(4)
KERNELS = ("dense", "packed", "reference")


def floats(*shape):
    return RANDOM.integers(-8, 9, shape).astype("f4")


def steps(count, sizes):
    """Every step reads a part of %x, doubles it, and all are put together.

    `sizes` are the numbers of rows; they are known, or come from %n and %m.
    """
    row, text = 0, []
    dims = [str(size) if sizes == (1, 3) else "?" for size in sizes]
    lengths = [str(size) if sizes == (1, 3) else name for size, name in zip(sizes, ("%n", "%m"))]
    types, first = [], "0"
    for at in range(count):
        dim, length = dims[at % 2], lengths[at % 2]
        type_ = f"tensor<{dim}x4xf32>"
        text.append(
            f"%s{at} = tensor.extract_slice %x[{first}, 0] [{length}, 4] [1, 1]"
            f" : tensor<?x4xf32> to {type_}\n"
            f"%p{at} = arith.addf %s{at}, %s{at} : {type_}\n"
        )
        types.append(type_)
        row += sizes[at % 2]
        if dim == "?":
            text.append(f"%o{at} = arith.addi {first if at else '%zero'}, {length} : index\n")
            first = f"%o{at}"
        else:
            first = str(row)
    values = ", ".join(f"%p{at}" for at in range(count))
    whole = "?" if dims[0] == "?" else row
    return (
        "func.func @main(%x: tensor<?x4xf32>, %n: index, %m: index)"
        f" -> tensor<{whole}x4xf32> {{\n%zero = arith.constant 0 : index\n{''.join(text)}"
        f"%r = tensor.concat dim(0) {values} : ({', '.join(types)}) -> tensor<{whole}x4xf32>\n"
        f"return %r : tensor<{whole}x4xf32>\n}}\n"
    ), row


def check_concatenations():
    # Run-time checks are branches between the steps, which LLVM takes long for.
    for kernels, count in (("dense", 60), ("dense", 2000), ("packed", 500), ("reference", 60)):
        # (1, 3) is written into the types; (2, 1) only the run knows.
        for sizes in ((1, 3), (2, 1)):
            text, rows = steps(count, sizes)
            x = floats(rows, 4)
            inputs = [x, np.int64(sizes[0]), np.int64(sizes[1])]
            options = [f"--kernels={kernels}", f"--runtime-checks={'true' if count == 60 else 'false'}"]
            check(f"concat-{count}", text, inputs, [2 * x], options=options)


def insertions(count, is_read):
    """Rows of %x go to other rows of %y, every other column, later ones over
    earlier ones; with `is_read` each step reads what the steps before left."""
    text = ["%t0 = arith.addf %y, %y : tensor<64x8xf32>\n"]
    places = []
    for at in range(count):
        row, column = at * 7 % 63, at % 2
        places.append((row, column))
        source = f"%x{at}"
        text.append(
            f"%x{at} = tensor.extract_slice %x[{at % 16}, 0] [1, 4] [1, 1]"
            " : tensor<16x4xf32> to tensor<4xf32>\n"
        )
        if is_read:
            source = f"%v{at}"
            text.append(
                f"%u{at} = tensor.extract_slice %t{at}[{(row + 1) % 63}, {column}] [1, 4] [1, 2]"
                f" : tensor<64x8xf32> to tensor<4xf32>\n"
                f"%v{at} = arith.addf %x{at}, %u{at} : tensor<4xf32>\n"
            )
        text.append(
            f"%t{at + 1} = tensor.insert_slice {source} into %t{at}[{row}, {column}] [1, 4] [1, 2]"
            f" : tensor<4xf32> into tensor<64x8xf32>\n"
        )
    module = (
        "func.func @main(%x: tensor<16x4xf32>, %y: tensor<64x8xf32>) -> (tensor<64x8xf32>, tensor<64x8xf32>) {\n"
        f"{''.join(text)}return %t{count}, %t0 : tensor<64x8xf32>, tensor<64x8xf32>\n}}\n"
    )
    x, y = floats(16, 4), floats(64, 8)
    t = 2 * y
    for at, (row, column) in enumerate(places):
        value = x[at % 16]
        if is_read:
            value = value + t[(row + 1) % 63, column::2]
        t[row, column::2] = value
    return module, [x, y], [t, 2 * y]


def check_insertions():
    for kernels in KERNELS:
        for count in (15, 16, 17, 33, 150):
            for is_read in (False, True):
                check(f"insert-{count}", *insertions(count, is_read), options=[f"--kernels={kernels}"])


def layers(count, rows):
    """Sums along rows and products with them, in turn, of open or known height."""
    type_, loops = f"tensor<{rows}x4xf32>", '["parallel", "parallel"]'
    text = []
    for at in range(count):
        text.append(
            f"%s{at} = linalg.reduce {{ arith.addf }} ins(%x{at} : {type_})"
            " outs(%zero : tensor<4xf32>) dimensions = [0]\n"
            f"%x{at + 1} = linalg.generic {{indexing_maps = [#all, #row, #all], iterator_types = {loops}}}"
            f" ins(%x{at}, %s{at} : {type_}, tensor<4xf32>) outs(%x{at} : {type_}) {{\n"
            "^bb0(%a: f32, %b: f32, %c: f32):\n"
            f"%q = arith.constant {0.25 if at % 3 else 0.125} : f32\n"
            "%d = arith.mulf %b, %q : f32\n%e = arith.subf %a, %d : f32\nlinalg.yield %e : f32\n"
            f"}} -> {type_}\n"
        )
    return (
        "#all = affine_map<(i, j) -> (i, j)>\n#row = affine_map<(i, j) -> (j)>\n"
        f"func.func @main(%x0: {type_}) -> {type_} {{\n"
        f"%zero = arith.constant dense<0.0> : tensor<4xf32>\n{''.join(text)}return %x{count} : {type_}\n}}\n"
    )


def check_layers():
    x = floats(6, 4)
    expected = x.astype("f8")
    for at in range(40):
        expected = expected - expected.sum(0) * (0.25 if at % 3 else 0.125)
    for kernels in KERNELS:
        for rows in (6, "?"):
            check(f"layers-{rows}", layers(40, rows), [x], [expected.astype("f4")],
                  rtol=1e-4, atol=1e-4, options=[f"--kernels={kernels}"])  # fmt: skip


def lowered(text, *options):
    done = run("prune-opt", "-", *options, stdin=text)
    assert done.returncode == 0, done.stderr[:2000]
    return done


def is_linear(counts):
    return counts[2] - counts[1] == counts[1] - counts[0]


def check_growth():
    """What bufferization and LLVM are given grows by as much from 2n to 3n as from
    n to 2n, and the blocks of the longest function do not grow."""
    for text in (lambda n: steps(n, (1, 3))[0], lambda n: steps(n, (2, 1))[0], lambda n: layers(n, 6)):
        ops, blocks, functions = [], [], []
        for count in (96, 192, 288):
            done = lowered(text(count), "--prune-lower-to-llvm=kernels=dense runtime-checks=false",
                           "--mlir-print-ir-after=prune-bound-aliases")  # fmt: skip
            before = done.stderr
            assert len(re.findall(r"\btensor\.insert_slice\b", before)) <= 16, text(4)
            ops.append(before.count("\n"))
            bodies = re.split(r"\bllvm\.func ", done.stdout)
            blocks.append(max(len(re.findall(r"^\s*\^bb", body, re.M)) for body in bodies))
            functions.append(len(bodies))
        assert is_linear(ops), ops
        assert blocks[0] == blocks[1] == blocks[2], blocks
        assert functions[0] == functions[1] == functions[2], functions


check_concatenations()
check_insertions()
check_layers()
check_growth()
