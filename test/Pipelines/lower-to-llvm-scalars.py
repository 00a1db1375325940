"""Every scalar operation computes what numpy and scipy compute.

RUN: %python %s

One module per element type holds all operations, so that the whole table costs
a few compilations. Tolerances are a few units in the last place of the type:
functions come from the C library, nothing is approximated.
"""

import numpy as np
import scipy.special
from execute import check, to_bfloat

RANDOM = np.random.default_rng(7)
SIZE = 67

# Operation, numpy's function, and the interval of arguments.
UNARY = [
    ("math.absf", np.abs, (-6, 6)),
    ("math.acos", np.arccos, (-1, 1)),
    ("math.acosh", np.arccosh, (1, 6)),
    ("math.asin", np.arcsin, (-1, 1)),
    ("math.asinh", np.arcsinh, (-6, 6)),
    ("math.atan", np.arctan, (-6, 6)),
    ("math.atanh", np.arctanh, (-0.9, 0.9)),
    ("math.cbrt", np.cbrt, (-6, 6)),
    ("math.ceil", np.ceil, (-6, 6)),
    ("math.cos", np.cos, (-6, 6)),
    ("math.cosh", np.cosh, (-6, 6)),
    ("math.erf", scipy.special.erf, (-3, 3)),
    ("math.erfc", scipy.special.erfc, (-3, 3)),
    ("math.exp", np.exp, (-8, 8)),
    ("math.exp2", np.exp2, (-8, 8)),
    ("math.expm1", np.expm1, (-1e-3, 1e-3)),
    ("math.floor", np.floor, (-6, 6)),
    ("math.log", np.log, (0.1, 6)),
    ("math.log10", np.log10, (0.1, 6)),
    ("math.log1p", np.log1p, (-1e-3, 1e-3)),
    ("math.log2", np.log2, (0.1, 6)),
    ("math.roundeven", np.rint, (-6, 6)),
    ("math.rsqrt", lambda x: 1 / np.sqrt(x), (0.1, 6)),
    ("math.sin", np.sin, (-6, 6)),
    ("math.sinh", np.sinh, (-6, 6)),
    ("math.sqrt", np.sqrt, (0, 6)),
    ("math.tan", np.tan, (-1.5, 1.5)),
    ("math.tanh", np.tanh, (-6, 6)),
    ("math.trunc", np.trunc, (-6, 6)),
]
BINARY = [
    ("arith.addf", np.add),
    ("arith.divf", np.divide),
    ("arith.maximumf", np.maximum),
    ("arith.maxnumf", np.fmax),
    ("arith.minimumf", np.minimum),
    ("arith.minnumf", np.fmin),
    ("arith.mulf", np.multiply),
    ("arith.remf", np.fmod),
    ("arith.subf", np.subtract),
    ("math.atan2", np.arctan2),
    ("math.copysign", np.copysign),
    ("math.powf", lambda x, y: np.power(np.abs(x), y)),
]
INTEGER = [
    ("arith.addi", np.add),
    ("arith.andi", np.bitwise_and),
    ("arith.ceildivsi", lambda x, y: -(-x // y)),
    ("arith.divsi", lambda x, y: np.sign(x) * np.sign(y) * (abs(x) // abs(y))),
    ("arith.floordivsi", np.floor_divide),
    ("arith.maxsi", np.maximum),
    ("arith.minsi", np.minimum),
    ("arith.muli", np.multiply),
    ("arith.remsi", np.fmod),
    ("arith.subi", np.subtract),
    ("arith.xori", np.bitwise_xor),
]
# The unit in the last place, relative to the value.
ULP = {"f64": 2.0**-52, "f32": 2.0**-23, "f16": 2.0**-10, "bf16": 2.0**-7}


def module(operations, element, types):
    """A function with one result for each operation; names are operands."""
    tensor = f"tensor<{SIZE}x{element}>"
    arguments = ", ".join(f"%{name}: {t}" for name, t in types.items())
    lines = [f"  %r{i} = {text} : {tensor}" for i, text in enumerate(operations)]
    results = ", ".join(f"%r{i}" for i in range(len(operations)))
    result_types = ", ".join([tensor] * len(operations))
    return (
        f"func.func @main({arguments}) -> ({result_types}) {{\n"
        + "\n".join(lines)
        + f"\n  return {results} : {result_types}\n}}\n"
    )


def rounded(values, element):
    """Values of the element type, as numpy holds them."""
    if element == "bf16":
        return to_bfloat(values)
    return np.asarray(values).astype({"f16": "f2", "f32": "f4", "f64": "f8"}[element])


def check_floats(element):
    """All operations on one floating-point type, in one module."""
    operations, inputs, types, expected = [], [], {}, []
    for i, (name, function, (low, high)) in enumerate(UNARY):
        x = rounded(RANDOM.uniform(low, high, SIZE), element)
        inputs.append(x)
        types[f"x{i}"] = f"tensor<{SIZE}x{element}>"
        operations.append(f"{name} %x{i}")
        expected.append(rounded(function(x.astype("f8")), element))
    x, y = (rounded(RANDOM.uniform(-4, 4, SIZE), element) for _ in range(2))
    inputs += [x, y, np.abs(x)]
    for name in ("x", "y", "p"):
        types[name] = f"tensor<{SIZE}x{element}>"
    for name, function in BINARY:
        first = "%p" if name == "math.powf" else "%x"
        operations.append(f"{name} {first}, %y")
        expected.append(rounded(function(x.astype("f8"), y.astype("f8")), element))
    check(f"floats-{element}", module(operations, element, types), inputs, expected,
          rtol=3 * ULP[element], atol=1e-12)


def check_integers(element, dtype):
    """All operations on one integer type, exactly."""
    x = RANDOM.integers(-50, 50, SIZE).astype(dtype)
    y = (RANDOM.integers(1, 7, SIZE) * RANDOM.choice([-1, 1], SIZE)).astype(dtype)
    types = {name: f"tensor<{SIZE}x{element}>" for name in ("x", "y")}
    operations = [f"{name} %x, %y" for name, _ in INTEGER]
    expected = [function(x, y).astype(dtype) for _, function in INTEGER]
    check(f"integers-{element}", module(operations, element, types), [x, y], expected)


def check_clamp():
    """Upstream's own expansion of clampf never returns less than the maximum."""
    text = """
    func.func @main(%x: tensor<67xf32>) -> tensor<67xf32> {
      %a = arith.constant dense<-0.5> : tensor<67xf32>
      %b = arith.constant dense<0.75> : tensor<67xf32>
      %r = math.clampf %x to [%a, %b] : tensor<67xf32>
      return %r : tensor<67xf32>
    }"""
    x = RANDOM.standard_normal(67).astype("f4")
    x[3] = np.nan
    check("clamp", text, [x], [np.clip(x, -0.5, 0.75)])


def check_powers():
    """Powers with integer exponents."""
    text = """
    func.func @main(%x: tensor<67xf32>, %n: tensor<67xi32>, %m: tensor<67xi32>)
        -> (tensor<67xf32>, tensor<67xi32>) {
      %r = math.fpowi %x, %n : tensor<67xf32>, tensor<67xi32>
      %s = math.ipowi %n, %m : tensor<67xi32>
      return %r, %s : tensor<67xf32>, tensor<67xi32>
    }"""
    x = RANDOM.uniform(0.5, 2, 67).astype("f4")
    n = RANDOM.integers(-4, 5, 67).astype("i4")
    m = RANDOM.integers(0, 5, 67).astype("i4")
    check("powers", text, [x, n, m], [x.astype("f8") ** n, n**m], rtol=8 * 2.0**-23)


def check_predicates():
    """Comparisons and classifications, with numbers that are none."""
    text = """
    func.func @main(%x: tensor<6xf32>)
        -> (tensor<6xi1>, tensor<6xi1>, tensor<6xi1>, tensor<6xf32>, tensor<6xi32>) {
      %z = arith.constant dense<0.0> : tensor<6xf32>
      %n = math.isnan %x : tensor<6xf32>
      %i = math.isinf %x : tensor<6xf32>
      %p = arith.cmpf ogt, %x, %z : tensor<6xf32>
      %s = arith.select %p, %x, %z : tensor<6xi1>, tensor<6xf32>
      %b = tensor.bitcast %x : tensor<6xf32> to tensor<6xi32>
      %c = math.ctpop %b : tensor<6xi32>
      return %n, %i, %p, %s, %c
        : tensor<6xi1>, tensor<6xi1>, tensor<6xi1>, tensor<6xf32>, tensor<6xi32>
    }"""
    x = np.array([1, -2, 0, np.nan, np.inf, -np.inf], "f4")
    ones = np.array([bin(v).count("1") for v in x.view("u4")], "i4")
    check("predicates", text, [x],
          [np.isnan(x), np.isinf(x), x > 0, np.where(x > 0, x, 0).astype("f4"), ones])


def check_casts():
    """Conversions round to nearest even, once."""
    text = """
    func.func @main(%x: tensor<67xf32>, %y: tensor<67xf64>)
        -> (tensor<67xf16>, tensor<67xf64>, tensor<67xi32>, tensor<67xi8>,
            tensor<67xf16>, tensor<67xf32>, tensor<67xbf16>) {
      %a = arith.truncf %x : tensor<67xf32> to tensor<67xf16>
      %b = arith.extf %x : tensor<67xf32> to tensor<67xf64>
      %c = arith.fptosi %x : tensor<67xf32> to tensor<67xi32>
      %d = arith.trunci %c : tensor<67xi32> to tensor<67xi8>
      %e = arith.truncf %y : tensor<67xf64> to tensor<67xf16>
      %f = arith.extf %a : tensor<67xf16> to tensor<67xf32>
      %g = arith.truncf %x : tensor<67xf32> to tensor<67xbf16>
      return %a, %b, %c, %d, %e, %f, %g
        : tensor<67xf16>, tensor<67xf64>, tensor<67xi32>, tensor<67xi8>,
          tensor<67xf16>, tensor<67xf32>, tensor<67xbf16>
    }"""
    x = (RANDOM.standard_normal(67) * 40).astype("f4")
    # A number on which rounding through f32 goes wrong.
    y = x.astype("f8")
    y[0] = 1 + 2.0**-11 + 2.0**-40
    check("casts", text, [x, y],
          [x.astype("f2"), x.astype("f8"), x.astype("i4"), x.astype("i4").astype("i1"),
           y.astype("f2"), x.astype("f2").astype("f4"), to_bfloat(x)])


def check_rounded_sums(element):
    """Sums of 16-bit numbers are kept in f32, in order, and rounded once."""
    text = """
    func.func @main(%x: tensor<4x40xf16>, %w: tensor<40x16xf16>) -> tensor<4x16xf16> {
      %i = arith.constant dense<0.0> : tensor<4x16xf16>
      %m = linalg.matmul ins(%x, %w : tensor<4x40xf16>, tensor<40x16xf16>)
             outs(%i : tensor<4x16xf16>) -> tensor<4x16xf16>
      return %m : tensor<4x16xf16>
    }""".replace("f16", element)
    x = rounded(RANDOM.standard_normal((4, 40)), element)
    w = rounded(RANDOM.standard_normal((40, 16)), element)
    total = np.zeros((4, 16), "f4")
    for k in range(40):
        # Products of two such numbers are exact in f32.
        total += x[:, k : k + 1].astype("f4") * w[k].astype("f4")
    check(f"sums-{element}", text, [x, w], [rounded(total, element)])


def check_denormals():
    """Denormal numbers of bf16 survive, on any processor."""
    text = """
    func.func @main(%x: tensor<3xbf16>, %y: tensor<3xbf16>) -> tensor<3xbf16> {
      %r = arith.mulf %x, %y : tensor<3xbf16>
      return %r : tensor<3xbf16>
    }"""
    x = np.array([2.0**-120, 2.0**-126, -(2.0**-130)], "f4")
    y = np.array([2.0**-10, 0.5, 1], "f4")
    check("denormals", text, [x, y], [x * y])


for float_type in ("f64", "f32", "f16", "bf16"):
    check_floats(float_type)
for integer_type, numpy_type in (("i64", "i8"), ("i32", "i4"), ("i16", "i2"), ("i8", "i1")):
    check_integers(integer_type, numpy_type)
check_clamp()
check_powers()
check_predicates()
check_casts()
check_rounded_sums("f16")
check_rounded_sums("bf16")
check_denormals()
