// RUN: prune-opt %s --prune-prepare | FileCheck %s
// RUN: prune-opt --prune-prepare --dump-pass-pipeline %s -o /dev/null 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not prune-opt %s --pass-pipeline='builtin.module(func.func(prune-prepare))' 2>&1 | FileCheck %s --check-prefix=NESTED

// Globals and TOSA first, then names, before anything else can merge constants.
// ORDER: prune-inline-globals
// ORDER: prune-lower-tosa
// ORDER: prune-name-weights
// ORDER: prune-drop-identities
// NESTED: is a pipeline for builtin.module, not for func.func

// CHECK-LABEL: func.func @main
// CHECK-NOT: tosa.
// CHECK-DAG: %[[W:.*]] = arith.constant dense_resource<first> : tensor<6x4xf32>
// CHECK-DAG: %[[V:.*]] = arith.constant dense_resource<weight0> : tensor<1x4x8xf32>
// CHECK: linalg.matmul ins(%{{.*}}, %[[W]]
// CHECK: linalg.batch_matmul ins(%{{.*}}, %[[V]]
ml_program.global private @first(dense<0.5> : tensor<6x4xf32>) : tensor<6x4xf32>
func.func @main(%x: tensor<2x6xf32>) -> tensor<1x2x8xf32> {
  %z = arith.constant 0.0 : f32
  %w = ml_program.global_load_const @first : tensor<6x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %o = linalg.fill ins(%z : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %r = linalg.matmul ins(%x, %w : tensor<2x6xf32>, tensor<6x4xf32>) outs(%o : tensor<2x4xf32>) -> tensor<2x4xf32>
  %h = tensor.expand_shape %r [[0, 1], [2]] output_shape [1, 2, 4] : tensor<2x4xf32> into tensor<1x2x4xf32>
  %v = "tosa.const"() {values = dense<0.25> : tensor<1x4x8xf32>} : () -> tensor<1x4x8xf32>
  %zp = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %c = tosa.matmul %h, %v, %zp, %zp : (tensor<1x2x4xf32>, tensor<1x4x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x2x8xf32>
  return %c : tensor<1x2x8xf32>
}
