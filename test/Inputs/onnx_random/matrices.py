"""Rules of products and of integers multiplied exactly.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""


def gemm(g, op):
    dtype = g.choice(["float32"] * 4 + ["float64"])
    a = g.pick(dtype, 2, 2, bound=100)
    transpose_a, transpose_b = g.chance(0.5), g.chance(0.5)
    rows, inner = a.shape[::-1] if transpose_a else a.shape
    columns = g.random.randint(1, 5)
    shape = (columns, inner) if transpose_b else (inner, columns)
    b = g.fresh(shape, dtype, constant=g.chance(0.7))
    c = None
    if g.opset < 11 or g.chance(0.7):
        shapes = [(rows, columns), (columns,), (1, columns), (rows, 1), (1,), ()]
        c = g.fresh(g.choice(shapes), dtype)
    attributes = {}
    for name, values in (
        ("alpha", (0.5, 2.0)),
        ("beta", (0.25, 1.5)),
        ("transA", (1,) if transpose_a else (None, 0)),
        ("transB", (1,) if transpose_b else (None, 0)),
    ):
        if name.startswith("trans") or g.chance(0.4):
            attributes[name] = g.choice(values)
    g.add(op, [a, b, c], bound=8 * inner * a.bound + 6, **attributes)


def second(g, a, largest=4):
    """Sizes of a right operand for `a`, whose last size is summed over."""
    columns = g.random.randint(1, largest)
    if g.chance(0.15):
        return (a.shape[-1],)
    batch = []
    if a.rank > 2 and g.chance(0.6):
        batch = [g.choice([1, size]) for size in a.shape[:-2]]
        batch = batch[g.random.randint(0, len(batch)) :]
    if g.chance(0.15):
        batch = [g.random.randint(1, 3)] + ([1] * max(a.rank - 2, 0))
    return (*batch, a.shape[-1], columns)


def matmul(g, op):
    kinds = ["float32"] * 6 + ["float64"]
    if g.opset >= 9:
        kinds += ["int32", "int64"]
    dtype = g.choice(kinds)
    a = g.pick(dtype, 1, 4, bound=100)
    b = g.fresh(second(g, a), dtype, constant=g.chance(0.6))
    bound = 4 * a.shape[-1] * a.bound
    if a.rank > 1 and g.chance(0.2):
        # The weight on the left.
        left = g.fresh((g.random.randint(1, 4), a.shape[-2]), dtype, constant=True)
        return g.add(op, [left, a], bound=4 * a.shape[-2] * a.bound)
    return g.add(op, [a, b], bound=bound)


EQUATIONS = (
    "ij,jk->ik",
    "ij,jk",
    "ij->ji",
    "ij->i",
    "ii->i",
    "ii",
    "i,i->",
    "i,j->ij",
    "bij,bjk->bik",
    "...ij,...jk->...ik",
    "bhid,bhjd->bhij",
    "ij,ij->ij",
    "bij->bji",
    "abc->cb",
    " ij , jk -> ik ",
    "i...->...",
)


def einsum(g, op):
    equation = g.choice(EQUATIONS)
    sizes = {letter: g.random.randint(1, 4) for letter in "abcdhijk"}
    dots = tuple(g.random.randint(1, 3) for _ in range(g.random.randint(0, 2)))
    operands = []
    for part in equation.split("->")[0].split(","):
        shape = ()
        for letter in part.strip().replace("...", "."):
            shape += dots if letter == "." else (sizes[letter],)
        operands.append(g.fresh(shape, "float32"))
    g.add(op, operands, bound=64 * 4, equation=equation)


RULES = {"Einsum": einsum, "Gemm": gemm, "MatMul": matmul}
