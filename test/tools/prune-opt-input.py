# RUN: %python %s
"""Hostile text gets a diagnostic: nesting, alignment, missing or short data.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from tools import run


def expect_error(text, *words):
    result = run("prune-opt", "-", stdin=text)
    assert result.returncode == 3, (result.returncode, result.stderr[:2000])
    for word in words:
        assert word in result.stderr, (word, result.stderr[:2000])
    assert result.stdout == ""


def with_resource(blob, key="w", type_text="tensor<2x2xf32>"):
    return (
        f"func.func @f() -> {type_text} {{\n"
        f"  %w = arith.constant dense_resource<w> : {type_text}\n"
        f"  return %w : {type_text}\n}}\n"
        f"{{-# dialect_resources: {{ builtin: {{ {key}: {blob} }} }} #-}}\n"
    )


def expect_accepted(text):
    result = run("prune-opt", "-", stdin=text)
    assert result.returncode == 0, result.stderr[:2000]


DATA = "00" * 16

# Deep nesting, in every kind of bracket; ordinary depth is accepted.
for opening, closing in ["{}", "()", "[]", "<>"]:
    for text in (opening * 100000, opening * 100000 + closing * 100000):
        expect_error(f"module {text}", "1000 levels")
expect_error("module{" * 20000 + "}" * 20000, "1000 levels")
expect_accepted("module{" * 300 + "}" * 300)
# Brackets in strings and comments do not nest.
expect_accepted("// " + "{" * 5000 + '\nmodule @"' + "[" * 5000 + '" {}')

# Alignments that nothing can be allocated with.
for alignment in ("00000000", "00000080"):
    for spelling in (f'"0x{alignment}{DATA}"', f'  "0x{alignment}"'):
        expect_error(with_resource(spelling), "alignment of", "65536", ":5:")
    expect_error(with_resource("X").replace(" X", f'"0x{alignment}{DATA}"'), ":5:")
expect_error(with_resource(f'"0x03000000{DATA}"'), "non-power-of-2")
expect_accepted(with_resource(f'"0x04000000{DATA}"'))
# Hexadecimal data elsewhere states no alignment.
expect_accepted(
    'module @"{-#" attributes {llvm.target_triple = "0x00000000"} {\n'
    f'  %c = arith.constant dense<"0x{DATA}"> : tensor<4xf32>\n}}'
)

# Data that is missing, or does not fit the type.
expect_error(with_resource(f'"0x04000000{DATA}"', key="v"), "'w' has no data")
expect_error(with_resource('"0x04000000"'), "'w' holds 0 bytes", "needs 16")
expect_error(with_resource(f'"0x04000000{DATA}00"'), "'w' holds 17 bytes")
expect_error(with_resource(f'"0x04000000{DATA[:-2]}"'), "'w' holds 15 bytes")
expect_error(with_resource('"0x0400"'), "error")
expect_error(with_resource('"0x04000000xyz"'), "error")
expect_error(with_resource('"0x04000000'), "error")
