// RUN: prune-opt %s --prune-lower-tosa --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @product
// CHECK-NOT: tosa.
// CHECK: linalg.batch_matmul
func.func @product(%x: tensor<1x4x6xf32>) -> tensor<1x4x8xf32> {
  %w = "tosa.const"() {values = dense<0.5> : tensor<1x6x8xf32>} : () -> tensor<1x6x8xf32>
  %zp = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %c = tosa.matmul %x, %w, %zp, %zp : (tensor<1x4x6xf32>, tensor<1x6x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
  return %c : tensor<1x4x8xf32>
}

// -----

// Without TOSA nothing happens: equal constants are not merged before they have
// names.
// CHECK-LABEL: func.func @untouched
// CHECK: %[[A:.*]] = arith.constant dense<1.0
// CHECK: %[[B:.*]] = arith.constant dense<1.0
// CHECK: return %[[A]], %[[B]]
func.func @untouched() -> (tensor<2xf32>, tensor<2xf32>) {
  %a = arith.constant dense<1.0> : tensor<2xf32>
  %b = arith.constant dense<1.0> : tensor<2xf32>
  return %a, %b : tensor<2xf32>, tensor<2xf32>
}
