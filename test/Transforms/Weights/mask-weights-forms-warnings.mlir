// Weights that come in other forms than constants: the warning says which, and
// what makes constants of them.
// RUN: prune-opt %s --prune-mask-weights="sparsity=0.5" --split-input-file --verify-diagnostics
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5" --split-input-file 2>&1 | FileCheck %s
// RUN: prune-opt %s --prune-print-channel-groups --split-input-file 2>&1 | FileCheck %s --check-prefix=GROUPS
// RUN: prune-opt %s --prune-report-weights --split-input-file -o /dev/null | FileCheck %s --check-prefix=REPORT

// CHECK: warning: prune-mask-channels: nothing was masked
// CHECK: is TOSA; run prune-lower-tosa first
// GROUPS: warning: prune-print-channel-groups: nothing was found
// GROUPS: is TOSA; run prune-lower-tosa first
// REPORT: not pruned: tosa.matmul ({{.*}}): is TOSA; run prune-lower-tosa first
// expected-warning @below {{prune-mask-weights: nothing was pruned}}
module {
  func.func @tosa(%x: tensor<1x4x6xf32>) -> tensor<1x4x8xf32> {
    %w = "tosa.const"() {values = dense<0.5> : tensor<1x6x8xf32>} : () -> tensor<1x6x8xf32>
    %zp = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
    // expected-note @below {{left alone once: is TOSA; run prune-lower-tosa first}}
    %c = tosa.matmul %x, %w, %zp, %zp : (tensor<1x4x6xf32>, tensor<1x6x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
    return %c : tensor<1x4x8xf32>
  }
}

// -----

// CHECK: its weight is read from a global; run prune-inline-globals first ('w')
// GROUPS: its weight is read from a global; run prune-inline-globals first ('w')
// REPORT: not pruned: w ({{.*}}): its weight is read from a global
// expected-warning @below {{prune-mask-weights: nothing was pruned}}
module {
  ml_program.global private @w(dense<0.5> : tensor<6x4xf32>) : tensor<6x4xf32>
  func.func @global(%x: tensor<2x6xf32>, %o: tensor<2x4xf32>) -> tensor<2x4xf32> {
    %w = ml_program.global_load_const @w : tensor<6x4xf32>
    // expected-note @below {{left alone once: its weight is read from a global; run prune-inline-globals first ('w')}}
    %r = linalg.matmul ins(%x, %w : tensor<2x6xf32>, tensor<6x4xf32>) outs(%o : tensor<2x4xf32>) -> tensor<2x4xf32>
    return %r : tensor<2x4xf32>
  }
}

// -----

// CHECK: its weight is an argument of the function; only constants are pruned
// expected-warning @below {{prune-mask-weights: nothing was pruned}}
module {
  func.func @argument(%x: tensor<2x6xf32>, %w: tensor<6x4xf32>, %o: tensor<2x4xf32>) -> tensor<2x4xf32> {
    // expected-note @below {{left alone once: its weight is an argument of the function; only constants are pruned}}
    %r = linalg.matmul ins(%x, %w : tensor<2x6xf32>, tensor<6x4xf32>) outs(%o : tensor<2x4xf32>) -> tensor<2x4xf32>
    return %r : tensor<2x4xf32>
  }
}

// -----

// Two activations: there is no weight at all.
// CHECK: no operand is a constant
// expected-warning @below {{prune-mask-weights: nothing was pruned}}
module {
  func.func @activations(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
    %y = linalg.add ins(%x, %x : tensor<4x4xf32>, tensor<4x4xf32>) outs(%x : tensor<4x4xf32>) -> tensor<4x4xf32>
    // expected-note @below {{left alone once: no operand is a constant}}
    %r = linalg.matmul ins(%y, %y : tensor<4x4xf32>, tensor<4x4xf32>) outs(%x : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %r : tensor<4x4xf32>
  }
}

// -----

// Integers: of a product of integers, behind a dequantisation, and with zero
// points.
// CHECK: left alone 3 times: element type i8 is not one of f64, f32, f16, bf16 ('bytes', ...)
// expected-warning @below {{prune-mask-weights: nothing was pruned}}
module {
  func.func @integers(%q: tensor<3x2xi8>, %x: tensor<3x2xf32>, %o: tensor<3x2xf32>, %oi: tensor<3x2xi32>) -> (tensor<3x2xi32>, tensor<3x2xf32>, tensor<3x2xi32>) {
    // expected-note @below {{left alone 3 times: element type i8 is not one of f64, f32, f16, bf16 ('bytes', ...)}}
    %a = arith.constant dense_resource<bytes> : tensor<2x2xi8>
    %b = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
    %c = arith.constant dense<[[1, 2], [3, 5]]> : tensor<2x2xi8>
    %scale = arith.constant 0.5 : f32
    %zero = arith.constant 0 : i32
    %e = tensor.empty() : tensor<2x2xf32>
    %0 = linalg.matmul ins(%q, %a : tensor<3x2xi8>, tensor<2x2xi8>) outs(%oi : tensor<3x2xi32>) -> tensor<3x2xi32>
    %w = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%b, %scale : tensor<2x2xi8>, f32) outs(%e : tensor<2x2xf32>) {
    ^bb0(%in: i8, %s: f32, %out: f32):
      %f = arith.sitofp %in : i8 to f32
      %m = arith.mulf %f, %s : f32
      linalg.yield %m : f32
    } -> tensor<2x2xf32>
    %1 = linalg.matmul ins(%x, %w : tensor<3x2xf32>, tensor<2x2xf32>) outs(%o : tensor<3x2xf32>) -> tensor<3x2xf32>
    %2 = linalg.quantized_matmul ins(%q, %c, %zero, %zero : tensor<3x2xi8>, tensor<2x2xi8>, i32, i32) outs(%oi : tensor<3x2xi32>) -> tensor<3x2xi32>
    return %0, %1, %2 : tensor<3x2xi32>, tensor<3x2xf32>, tensor<3x2xi32>
  }
}
{-#
dialect_resources: { builtin: { bytes: "0x0100000001020304" } }
#-}

// -----

// CHECK: its weight is computed from constants; fold them first
// expected-warning @below {{prune-mask-weights: nothing was pruned}}
module {
  func.func @computed(%x: tensor<3x2xf32>, %o: tensor<3x2xf32>) -> tensor<3x2xf32> {
    %a = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %e = tensor.empty() : tensor<2x2xf32>
    %w = linalg.exp ins(%a : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
    // expected-note @below {{left alone once: its weight is computed from constants; fold them first}}
    %0 = linalg.matmul ins(%x, %w : tensor<3x2xf32>, tensor<2x2xf32>) outs(%o : tensor<3x2xf32>) -> tensor<3x2xf32>
    return %0 : tensor<3x2xf32>
  }
}
