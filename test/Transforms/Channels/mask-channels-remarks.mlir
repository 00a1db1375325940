// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 exclude=left_out" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s
// RUN: prune-opt %s --prune-mask-channels="ratio=0.75 min-channels=3" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=MIN
// RUN: prune-opt %s --prune-mask-channels="ratio=0.75 max-ratio=0.5" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=MAX
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 scope=global" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=GLOBAL
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 scope=isomorphic" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=GLOBAL
// RUN: prune-opt %s --prune-mask-channels="targets=left_out:0.25" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=TARGET

// CHECK-DAG: [Passed] Masked | Category:prune-mask-channels | Channels=4, Group=fc1, Removed=2
// CHECK-DAG: [Missed] LeftAlone | Category:prune-mask-channels | Channels=4, Group=left_out, Reason="is filtered out by include or exclude"
// CHECK-DAG: [Missed] LeftAlone | Category:prune-mask-channels | Channels=1, Group=fc3, Reason="func.return: is returned"

// MIN: Channels=4, Group=fc1, Removed=1
// MAX: Channels=4, Group=fc1, Removed=2

// All channels of the second layer rank below the first's; one has to stay. The
// layers are built alike, so that isomorphic scope ranks them together too.
// GLOBAL-DAG: Channels=4, Group=left_out, Removed=3
// GLOBAL-DAG: Channels=4, Group=fc1, Removed=1

// TARGET: Channels=4, Group=left_out, Removed=1
// TARGET-NOT: Group=fc1, Removed
func.func @net(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %fc1 = arith.constant dense_resource<fc1> : tensor<1x4xf32>
  %fc2 = arith.constant dense_resource<left_out> : tensor<4x4xf32>
  %fc3 = arith.constant dense_resource<fc3> : tensor<4x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x4xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %a = linalg.matmul ins(%x, %fc1 : tensor<1x1xf32>, tensor<1x4xf32>) outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
  %b = linalg.matmul ins(%a, %fc2 : tensor<1x4xf32>, tensor<4x4xf32>) outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
  %c = linalg.matmul ins(%b, %fc3 : tensor<1x4xf32>, tensor<4x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %c : tensor<1x1xf32>
}
{-#
  dialect_resources: { builtin: {
    fc1: "0x0400000000008040000080400000804000008040",
    left_out: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
    fc3: "0x040000000000803F0000803F0000803F0000803F"
  } }
#-}
