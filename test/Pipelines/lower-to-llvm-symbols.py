"""Compiled programs need the C library and nothing else, on every processor.

RUN: mkdir -p %t
RUN: %python %s %t

Products, convolutions, pools, softmax, selections and conversions of f32, f16, bf16
and quantised i8, with all kernels, are compiled for x86-64-v2, -v3, -v4 and AArch64.
Every symbol that an object file lacks must be one of libc or libm. In the LLVM IR
numbers of 16 bits are only loaded, stored, passed and cast. Nothing is run.
"""

import ctypes
import re
import sys

import numpy as np

import objects

OUT = sys.argv[1]
RANDOM = np.random.default_rng(3)
TARGETS = [objects.X86_V2, objects.X86_V3, objects.X86_V4, objects.AARCH64]
LIBRARIES = [ctypes.CDLL("libc.so.6"), ctypes.CDLL("libm.so.6")]


def constant(shape, element):
    """A weight of which four of five elements are zero."""
    array = RANDOM.standard_normal(shape) * (RANDOM.random(shape) < 0.2)
    dims = "x".join(map(str, shape))
    text = np.array2string(array, separator=", ", threshold=array.size + 1)
    return f"arith.constant dense<{text}> : tensor<{dims}x{element}>"


def floats(t):
    """Functions on one floating-point type."""
    return f"""
func.func @product_{t}(%x: tensor<?x32x{t}>, %n: index) -> tensor<?x24x{t}> {{
  %w = {constant((32, 24), t)}
  %b = {constant((24,), t)}
  %zero = arith.constant 0.0 : {t}
  %e = tensor.empty(%n) : tensor<?x24x{t}>
  %f = linalg.fill ins(%zero : {t}) outs(%e : tensor<?x24x{t}>) -> tensor<?x24x{t}>
  %p = linalg.matmul ins(%x, %w : tensor<?x32x{t}>, tensor<32x24x{t}>)
                     outs(%f : tensor<?x24x{t}>) -> tensor<?x24x{t}>
  %y = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}}
      ins(%p, %b : tensor<?x24x{t}>, tensor<24x{t}>) outs(%e : tensor<?x24x{t}>) {{
  ^bb0(%a: {t}, %c: {t}, %d: {t}):
    %s = arith.addf %a, %c : {t}
    %r = arith.maximumf %s, %zero : {t}
    %q = arith.mulf %r, %s : {t}
    %k = arith.cmpf ogt, %q, %c : {t}
    %o = arith.select %k, %q, %c : {t}
    linalg.yield %o : {t}
  }} -> tensor<?x24x{t}>
  return %y : tensor<?x24x{t}>
}}
func.func @column_{t}(%x: tensor<64x{t}>) -> tensor<96x{t}> {{
  %w = {constant((96, 64), t)}
  %zero = arith.constant dense<0.0> : tensor<96x{t}>
  %p = linalg.matvec ins(%w, %x : tensor<96x64x{t}>, tensor<64x{t}>)
                     outs(%zero : tensor<96x{t}>) -> tensor<96x{t}>
  return %p : tensor<96x{t}>
}}
func.func @convolution_{t}(%x: tensor<1x4x10x10x{t}>) -> tensor<1x8x8x8x{t}> {{
  %w = {constant((8, 4, 3, 3), t)}
  %zero = arith.constant dense<0.0> : tensor<1x8x8x8x{t}>
  %p = linalg.conv_2d_nchw_fchw
      ins(%x, %w : tensor<1x4x10x10x{t}>, tensor<8x4x3x3x{t}>)
      outs(%zero : tensor<1x8x8x8x{t}>) -> tensor<1x8x8x8x{t}>
  return %p : tensor<1x8x8x8x{t}>
}}
func.func @sums_{t}(%x: tensor<8x?x{t}>) -> (tensor<8x{t}>, tensor<8x?x{t}>) {{
  %zero = arith.constant dense<0.0> : tensor<8x{t}>
  %one = arith.constant 1 : index
  %n = tensor.dim %x, %one : tensor<8x?x{t}>
  %e = tensor.empty(%n) : tensor<8x?x{t}>
  %s = linalg.reduce {{ arith.addf }} ins(%x : tensor<8x?x{t}>)
                     outs(%zero : tensor<8x{t}>) dimensions = [1]
  %p = linalg.softmax dimension(1) ins(%x : tensor<8x?x{t}>)
                     outs(%e : tensor<8x?x{t}>) -> tensor<8x?x{t}>
  return %s, %p : tensor<8x{t}>, tensor<8x?x{t}>
}}
func.func @scalars_{t}(%c: i1, %x: {t}, %i: i64, %d: f64) -> ({t}, i64, {t}, {t}) {{
  %f = arith.sitofp %i : i64 to {t}
  %s = arith.select %c, %x, %f : {t}
  %y = math.tanh %s : {t}
  %k = arith.fptosi %s : {t} to i64
  %r = math.roundeven %s : {t}
  %q = math.sqrt %r : {t}
  %m = {f"arith.truncf %d : f64 to {t}" if t != "f64" else "arith.negf %d : f64"}
  return %y, %k, %q, %m : {t}, i64, {t}, {t}
}}
func.func @loop_{t}(%x: tensor<?x{t}>, %n: index) -> {t} {{
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %init = arith.constant 1.0 : {t}
  %r = scf.for %i = %zero to %n step %one iter_args(%a = %init) -> ({t}) {{
    %e = tensor.extract %x[%i] : tensor<?x{t}>
    %k = arith.cmpf olt, %e, %a : {t}
    %o = arith.select %k, %e, %a : {t}
    scf.yield %o : {t}
  }}
  return %r : {t}
}}
"""


QUANTISED = """
func.func @quantised(%x: tensor<4x32xi8>, %w: tensor<32x24xi8>, %scale: f32)
    -> tensor<4x24xi8> {
  %zero = arith.constant dense<0> : tensor<4x24xi32>
  %e = tensor.empty() : tensor<4x24xi8>
  %p = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x24xi8>)
                     outs(%zero : tensor<4x24xi32>) -> tensor<4x24xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<4x24xi32>) outs(%e : tensor<4x24xi8>) {
  ^bb0(%a: i32, %b: i8):
    %f = arith.sitofp %a : i32 to f32
    %m = arith.mulf %f, %scale : f32
    %r = math.roundeven %m : f32
    %i = arith.fptosi %r : f32 to i8
    linalg.yield %i : i8
  } -> tensor<4x24xi8>
  return %y : tensor<4x24xi8>
}
"""

# What LLVM may do with a number of 16 bits: conversions of f16 aside.
MOVES = re.compile(r"= (bitcast|load|extractvalue|insertvalue)|\b(store|define|declare|ret|call)\b")


def check_moves(text, target):
    """No arithmetic on numbers of 16 bits."""
    for line in text.splitlines():
        if not re.search(r"\b(bfloat|half)\b", line):
            continue
        converts = (
            target.has_f16c and "bfloat" not in line and re.search("= fp(ext|trunc) ", line)
        )
        assert converts or MOVES.search(line), f"{target.name}: {line}"


def is_library_function(name):
    return any(hasattr(library, name) for library in LIBRARIES)


def main():
    module = "".join(floats(t) for t in ("f32", "f16", "bf16")) + QUANTISED
    for target in TARGETS:
        for kernels in ("dense", "packed", "reference"):
            base = f"{OUT}/{target.name}-{kernels}"
            text = objects.compile_object(module, target, kernels, base)
            check_moves(text, target)
            symbols = objects.undefined_symbols(base + ".o")
            foreign = {name for name in symbols if not is_library_function(name)}
            print(f"{target.name}, {kernels}: {' '.join(sorted(symbols))}")
            assert not foreign, f"{target.name}, {kernels}: {foreign}"
            # Sums that are not fused need no function to fuse them.
            assert "fmaf" not in symbols, f"{target.name}, {kernels}: {symbols}"


main()
