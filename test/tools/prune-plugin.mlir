// UNSUPPORTED: sanitized
// A stock mlir-opt with the plugin prints what prune-opt prints.

// RUN: prune-opt %s --pass-pipeline='builtin.module(prune-verify-resources,prune-weights{pattern=block:1x2 sparsity=0.5})' -o %t.own
// RUN: mlir-opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline='builtin.module(prune-verify-resources,prune-weights{pattern=block:1x2 sparsity=0.5})' -o %t.stock
// RUN: diff %t.own %t.stock
// RUN: FileCheck %s --input-file=%t.stock

// Errors are reported by the host tool as its own.
// RUN: not mlir-opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline='builtin.module(prune-weights{sparsity=2})' 2>&1 | FileCheck %s --check-prefix=ERROR
// ERROR: error: prune-mask-weights: option 'sparsity' expects a number in [0, 1] but got '2'

// CHECK: dense_resource<"fc1#1">
func.func @linear(%x: tensor<2x2xf32>, %y: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = arith.constant dense_resource<fc1> : tensor<2x4xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x4xf32>) outs(%y : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// Operations and attributes of the dialect are read and verified.
// CHECK: prune.mask
func.func @ops(%s: tensor<4xf64>) -> tensor<4xi1> {
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5 : f64} : tensor<4xf64> -> tensor<4xi1>
  return %m : tensor<4xi1>
}

{-# dialect_resources: { builtin: {
  fc1: "0x040000000000803F000000400000404000008040000000BF000000BF0000004000000040"
} } #-}
