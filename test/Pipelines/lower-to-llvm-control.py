"""Control flow, calls and ownership of buffers.

RUN: %python %s
"""

import numpy as np
from execute import check

A = np.random.default_rng(13).standard_normal((5, 7)).astype("f4")


def check_structured_loops():
    text = """
    func.func @main(%x: tensor<5x7xf32>, %n: index) -> (tensor<5x7xf32>, f32) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %z = arith.constant 0.0 : f32
      %r, %s = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %z)
          -> (tensor<5x7xf32>, f32) {
        %d = arith.addf %a, %x : tensor<5x7xf32>
        %v = tensor.extract %d[%c0, %c1] : tensor<5x7xf32>
        %e = tensor.insert %z into %d[%c1, %c1] : tensor<5x7xf32>
        %p = arith.cmpf ogt, %v, %z : f32
        %q = scf.if %p -> tensor<5x7xf32> {
          scf.yield %e : tensor<5x7xf32>
        } else {
          scf.yield %x : tensor<5x7xf32>
        }
        scf.yield %q, %v : tensor<5x7xf32>, f32
      }
      return %r, %s : tensor<5x7xf32>, f32
    }"""
    for x in (np.abs(A), -np.abs(A)):
        for n in (0, 1, 3):
            result, last = x, np.float32(0)
            for _ in range(n):
                total = result + x
                last = total[0, 1]
                total[1, 1] = 0
                result = total if last > 0 else x
            check("loops", text, [x, np.int64(n)], [result, last])


def check_branches():
    """A loop made of branches; buffer deallocation alone would reject it."""
    text = """
    func.func @main(%x: tensor<7xf32>, %n: i32) -> tensor<7xf32> {
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      cf.br ^head(%x, %c0 : tensor<7xf32>, i32)
    ^head(%a: tensor<7xf32>, %i: i32):
      %p = arith.cmpi slt, %i, %n : i32
      cf.cond_br %p, ^body, ^exit
    ^body:
      %d = arith.addf %a, %x : tensor<7xf32>
      %j = arith.addi %i, %c1 : i32
      cf.br ^head(%d, %j : tensor<7xf32>, i32)
    ^exit:
      return %a : tensor<7xf32>
    }"""
    check("branches", text, [A[0], np.int32(3)], [A[0] + A[0] + A[0] + A[0]])


def check_while():
    text = """
    func.func @main(%x: tensor<7xf32>, %n: i32) -> tensor<7xf32> {
      %c1 = arith.constant 1 : i32
      %c0 = arith.constant 0 : i32
      %r:2 = scf.while (%a = %x, %i = %c0) : (tensor<7xf32>, i32) -> (tensor<7xf32>, i32) {
        %p = arith.cmpi slt, %i, %n : i32
        scf.condition(%p) %a, %i : tensor<7xf32>, i32
      } do {
      ^bb0(%a: tensor<7xf32>, %i: i32):
        %d = arith.addf %a, %x : tensor<7xf32>
        %j = arith.addi %i, %c1 : i32
        scf.yield %d, %j : tensor<7xf32>, i32
      }
      return %r#0 : tensor<7xf32>
    }"""
    check("while", text, [A[0], np.int32(2)], [A[0] + A[0] + A[0]])


def check_other_regions():
    text = """
    func.func @main(%x: tensor<5x7xf32>, %i: index, %c: i1)
        -> (tensor<5x7xf32>, tensor<5x7xf32>, tensor<5x7xf32>, tensor<5x7xf32>) {
      %e = tensor.empty() : tensor<5x7xf32>
      %a = scf.forall (%k) in (5) shared_outs(%o = %e) -> tensor<5x7xf32> {
        %s = tensor.extract_slice %x[%k, 0] [1, 7] [1, 1] : tensor<5x7xf32> to tensor<1x7xf32>
        %d = arith.addf %s, %s : tensor<1x7xf32>
        scf.forall.in_parallel {
          tensor.parallel_insert_slice %d into %o[%k, 0] [1, 7] [1, 1]
            : tensor<1x7xf32> into tensor<5x7xf32>
        }
      }
      %b = scf.index_switch %i -> tensor<5x7xf32>
      case 1 {
        %d = arith.addf %x, %x : tensor<5x7xf32>
        scf.yield %d : tensor<5x7xf32>
      }
      default {
        scf.yield %x : tensor<5x7xf32>
      }
      %f = scf.execute_region -> tensor<5x7xf32> {
        %d = arith.mulf %x, %x : tensor<5x7xf32>
        scf.yield %d : tensor<5x7xf32>
      }
      %g = arith.select %c, %x, %f : tensor<5x7xf32>
      return %a, %b, %f, %g
        : tensor<5x7xf32>, tensor<5x7xf32>, tensor<5x7xf32>, tensor<5x7xf32>
    }"""
    for i, c in ((0, True), (1, False)):
        check("regions", text, [A, np.int64(i), np.bool_(c)],
              [2 * A, (1 + i) * A, A * A, A if c else A * A])


def check_ownership():
    """Every result is a buffer of its own; arguments are never written."""
    text = """
    func.func private @twice(%x: tensor<7xf32>) -> (tensor<7xf32>, tensor<7xf32>) {
      %d = arith.addf %x, %x : tensor<7xf32>
      return %d, %d : tensor<7xf32>, tensor<7xf32>
    }
    func.func @same(%x: tensor<7xf32>) -> tensor<7xf32> {
      return %x : tensor<7xf32>
    }
    func.func @main(%x: tensor<7xf32>)
        -> (tensor<7xf32>, tensor<7xf32>, tensor<7xf32>, tensor<7xf32>, tensor<7xf32>,
            tensor<7xf32>, tensor<7x1xf32>) {
      %a:2 = call @twice(%x) : (tensor<7xf32>) -> (tensor<7xf32>, tensor<7xf32>)
      %b = call @same(%a#0) : (tensor<7xf32>) -> tensor<7xf32>
      %z = arith.constant 0.0 : f32
      %c1 = arith.constant 1 : index
      %c = linalg.fill ins(%z : f32) outs(%a#1 : tensor<7xf32>) -> tensor<7xf32>
      %d = tensor.insert %z into %x[%c1] : tensor<7xf32>
      %e = tensor.expand_shape %a#0 [[0, 1]] output_shape [7, 1] : tensor<7xf32> into tensor<7x1xf32>
      return %a#0, %b, %c, %d, %x, %x, %e
        : tensor<7xf32>, tensor<7xf32>, tensor<7xf32>, tensor<7xf32>, tensor<7xf32>,
          tensor<7xf32>, tensor<7x1xf32>
    }"""
    x = A[0]
    inserted = x.copy()
    inserted[1] = 0
    check("ownership", text, [x], [2 * x, 2 * x, 0 * x, inserted, x, x, 2 * x[:, None]])


def check_shared_init():
    """Two results that start from one tensor do not share a buffer."""
    text = """
    func.func @main(%x: tensor<7xf32>) -> (tensor<7xf32>, tensor<7xf32>) {
      %e = tensor.empty() : tensor<7xf32>
      %m:2 = linalg.generic {
          indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> (a)>, affine_map<(a) -> (a)>],
          iterator_types = ["parallel"]}
          ins(%x : tensor<7xf32>) outs(%e, %e : tensor<7xf32>, tensor<7xf32>) {
      ^bb0(%v: f32, %a: f32, %b: f32):
        %k = arith.addf %v, %v : f32
        linalg.yield %v, %k : f32, f32
      } -> (tensor<7xf32>, tensor<7xf32>)
      return %m#0, %m#1 : tensor<7xf32>, tensor<7xf32>
    }"""
    check("shared-init", text, [A[0]], [A[0], 2 * A[0]])


def check_scalars():
    """Scalars as arguments and results, alone and among others."""
    text = """
    func.func @main(%a: f32, %b: i64, %c: i1, %d: f64, %e: i8, %f: index, %g: bf16)
        -> (i1, f32, i64, f64, i8, index, bf16) {
      return %c, %a, %b, %d, %e, %f, %g : i1, f32, i64, f64, i8, index, bf16
    }"""
    values = [np.float32(2), np.int64(-3), np.bool_(True), np.float64(5), np.int8(-7),
              np.int64(9), np.float32(1.5)]
    check("scalars", text, values, [values[i] for i in (2, 0, 1, 3, 4, 5, 6)])
    check("scalar", "func.func @main(%a: f32) -> f32 { return %a : f32 }",
          [np.float32(2)], [np.float32(2)])
    check("nothing", "func.func @main() { return }", [], [])


for function in [value for name, value in list(globals().items()) if name.startswith("check_")]:
    function()
