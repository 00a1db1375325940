// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 granularity=block criterion=l1" --prune-fold-masks --prune-remove-channels | FileCheck %s
// RUN: prune-opt %s --prune-mask-channels="ratio=1 granularity=block exclude=second" --prune-fold-masks --prune-remove-channels | FileCheck %s
// RUN: prune-opt %s --prune-mask-channels="ratio=1 granularity=block" --prune-fold-masks --prune-remove-channels | FileCheck %s --check-prefix=ALL
// RUN: prune-opt %s --prune-mask-channels="ratio=1 granularity=block include=second max-ratio=0.5" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 granularity=block" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Of two residual blocks the one of smaller weights becomes an identity. The
// channels of the sum are returned: whole blocks go where no channel could.
// CHECK-LABEL: @residual
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<1x2xf32>
// CHECK-COUNT-2: linalg.matmul
// CHECK-NOT: linalg.matmul
// CHECK: %[[S:.*]] = arith.addf %{{.*}}, %[[X]]
// CHECK: arith.addf %[[S]]
// CHECK: return %[[S]]
// ALL-LABEL: @residual
// ALL-SAME: (%[[X:[a-z0-9]+]]: tensor<1x2xf32>
// ALL-NEXT: arith.addf %[[X]]
// ALL-NEXT: return %[[X]]
// NONE-NOT: MaskedBlock
// REMARK: [Missed] NoBlock | Category:prune-mask-channels | Reason="neither operand is computed from the other alone"
// REMARK: [Passed] MaskedBlock | Category:prune-mask-channels | Block=first, Weights=2
func.func @residual(%x: tensor<1x2xf32>, %other: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %z3 = arith.constant dense<0.0> : tensor<1x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x2xf32>
  %w1 = arith.constant dense_resource<first> : tensor<2x3xf32>
  %w2 = arith.constant dense<0.5> : tensor<3x2xf32>
  %w3 = arith.constant dense_resource<second> : tensor<2x3xf32>
  %w4 = arith.constant dense<4.0> : tensor<3x2xf32>
  %a = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z3 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %b = linalg.matmul ins(%a, %w2 : tensor<1x3xf32>, tensor<3x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %s = arith.addf %x, %b : tensor<1x2xf32>
  %c = linalg.matmul ins(%s, %w3 : tensor<1x2xf32>, tensor<2x3xf32>) outs(%z3 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %d = linalg.matmul ins(%c, %w4 : tensor<1x3xf32>, tensor<3x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %t = arith.addf %d, %s : tensor<1x2xf32>
  %u = arith.addf %t, %other : tensor<1x2xf32>
  return %t, %u : tensor<1x2xf32>, tensor<1x2xf32>
}
{-#
  dialect_resources: { builtin: {
    first: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F",
    second: "0x040000000000004000000040000000400000004000000040000000C0"
  } }
#-}
