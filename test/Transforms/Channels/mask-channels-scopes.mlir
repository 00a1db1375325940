// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 scope=isomorphic" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 scope=global" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=GLOBAL
// RUN: prune-opt %s --prune-mask-channels="ratio=0.75 scope=isomorphic round-to=2" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=ROUND
// RUN: prune-opt %s --prune-mask-channels="ratio=0.75 scope=isomorphic max-ratio=0.25" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=MAX
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 granularity=head" --remarks-filter="prune-mask-channels" -o /dev/null 2>&1 | FileCheck %s --check-prefix=HEAD

// A ReLU stands behind the first layer only: the layers are not alike, and each
// loses half, though all neurons of the second have smaller weights.
// CHECK-DAG: Channels=4, Group=weight0, Removed=2
// CHECK-DAG: Channels=4, Group=weight1, Removed=2
// GLOBAL-DAG: Channels=4, Group=weight0, Removed=1
// GLOBAL-DAG: Channels=4, Group=weight1, Removed=3
// ROUND-DAG: Channels=4, Group=weight0, Removed=2
// ROUND-DAG: Channels=4, Group=weight1, Removed=2
// MAX-DAG: Channels=4, Group=weight0, Removed=1
// MAX-DAG: Channels=4, Group=weight1, Removed=1
// There are no heads among them.
// HEAD-NOT: Masked
// HEAD-DAG: LeftAlone | Category:prune-mask-channels | Channels=4, Group=weight0, Reason="has no heads"
// HEAD-DAG: LeftAlone | Category:prune-mask-channels | Channels=4, Group=weight1, Reason="has no heads"
func.func @net(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[4.0, 5.0, 6.0, 7.0]]> : tensor<1x4xf32>
  %w2 = arith.constant dense<1.0> : tensor<4x4xf32>
  %w3 = arith.constant dense<1.0> : tensor<4x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x4xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %a = linalg.matmul ins(%x, %w1 : tensor<1x1xf32>, tensor<1x4xf32>) outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
  %r = arith.maximumf %a, %z : tensor<1x4xf32>
  %b = linalg.matmul ins(%r, %w2 : tensor<1x4xf32>, tensor<4x4xf32>) outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
  %c = linalg.matmul ins(%b, %w3 : tensor<1x4xf32>, tensor<4x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %c : tensor<1x1xf32>
}
