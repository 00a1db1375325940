// RUN: prune-opt %s --prune-lower-to-llvm | FileCheck %s
// RUN: prune-opt %s --prune-lower-to-llvm=kernels=packed | FileCheck %s
// RUN: prune-opt %s --prune-lower-to-llvm=kernels=reference | FileCheck %s

// An observer becomes a call that takes a number and a buffer, of any rank and in
// any layout, for each element type.
// CHECK-DAG: llvm.func @_mlir_ciface_prune_observe_f32(i64, !llvm.ptr)
// CHECK-DAG: llvm.func @_mlir_ciface_prune_observe_bf16(i64, !llvm.ptr)
// CHECK-LABEL: llvm.func @main(
// CHECK-DAG: %[[SEVEN:.*]] = llvm.mlir.constant(7 : i64)
// CHECK-DAG: %[[EIGHT:.*]] = llvm.mlir.constant(8 : i64)
// CHECK: llvm.call @prune_observe_f32(%[[SEVEN]],
// CHECK: llvm.call @prune_observe_bf16(%[[EIGHT]],
func.func @main(%x: tensor<?x3xf32>, %y: tensor<4xbf16>) -> (tensor<?x3xf32>, tensor<4xbf16>) {
  %a = prune.observe %x "a" {number = 7, what = ["mean"]} : tensor<?x3xf32>
  %b = prune.observe %y "b" {number = 8, what = ["mean"]} : tensor<4xbf16>
  return %a, %b : tensor<?x3xf32>, tensor<4xbf16>
}
