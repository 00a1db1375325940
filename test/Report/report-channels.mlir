// RUN: prune-opt %s --prune-remove-channels -o %t.small
// RUN: prune-opt %t.small --prune-report-weights -o /dev/null | FileCheck %s
// RUN: prune-opt %t.small --prune-report-weights="format=json output=%t.json" -o /dev/null
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t.json
// What was before the first removal is remembered, also when weights are packed.
// RUN: prune-opt %t.small --prune-weights=sparsity=0.5 --prune-remove-channels --prune-pack-weights --prune-report-weights -o /dev/null | FileCheck %s --check-prefix=LATER

// Widths, parameters and multiplications before and after: of three neurons two are
// left, and a branch that was zero is gone with its weight.

//      CHECK: {{^w1 +2x3->2x2xf32 +4 +4 .* dense +16 +24$}}
// CHECK-NEXT: {{^w2 +3x2->2x2xf32 +4 +4 }}
// CHECK-NEXT: {{^gone +2x2xf32 +4 +0 +.* removed +0 +16$}}
//      CHECK: {{^}}channels removed: 8 of 16 elements left, 8 of 16 multiplications a call

// JSON: "name": "w1"
// JSON: "shape": [
// JSON-NEXT: 2,
// JSON-NEXT: 2
// JSON-NEXT: ],
// JSON-NEXT: "shape_before": [
// JSON-NEXT: 2,
// JSON-NEXT: 3
// JSON-NEXT: ],
// JSON: "totals"
// JSON: "elements_before": 16,
// JSON: "multiplications_before": 16,
// JSON-NEXT: "multiplications": 8

// LATER: {{^w1 +2x3->}}
// LATER-SAME: packed-
// LATER: channels removed: {{[0-9]+}} of 16 elements left, {{[0-9]+}} of 16 multiplications a call

func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w1 = arith.constant dense_resource<w1> : tensor<2x3xf32>
  %w2 = arith.constant dense_resource<w2> : tensor<3x2xf32>
  %w3 = arith.constant dense_resource<gone> : tensor<2x2xf32>
  %z3 = arith.constant dense<0.0> : tensor<1x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x2xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z3 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<1x3xf32>, tensor<3x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %d = linalg.matmul ins(%x, %w3 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %s = linalg.add ins(%y, %d : tensor<1x2xf32>, tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %s : tensor<1x2xf32>
}
{-#
dialect_resources: { builtin: {
  w1: "0x040000000000803F0000000000000040000040400000000000008040",
  w2: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F",
  gone: "0x0400000000000000000000000000000000000000"
} }
#-}
