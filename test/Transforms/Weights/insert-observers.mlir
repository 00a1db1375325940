// RUN: prune-opt %s --prune-insert-observers="what=input_norm,mean" --remarks-filter=prune-insert-observers -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t
// RUN: prune-opt %s --prune-insert-observers="exclude=^conv" | FileCheck %s --check-prefix=ALL
// A second time nothing is left to do.
// RUN: prune-opt %t --prune-insert-observers 2>&1 | FileCheck %s --check-prefix=AGAIN

// REMARK-DAG: [Passed] Observed | Category:prune-insert-observers | Weight=fc1
// REMARK-DAG: [Passed] Observed | Category:prune-insert-observers | Weight=conv
// REMARK-DAG: [Missed] NotPrunable | Category:prune-insert-observers | Reason="its weight is an argument of the function; only constants are pruned"
// AGAIN: warning: prune-insert-observers: nothing was observed
// AGAIN: left alone {{.*}}: is observed already

// Only the product sees the observer; other users of its input stay.
// CHECK-LABEL: func @observes_inputs
// CHECK-SAME: (%[[X:[^:]*]]: tensor<?x4xf32>
// CHECK: %[[SEEN:.*]] = prune.observe %[[X]] "fc1" {what = ["input_norm", "mean"]} : tensor<?x4xf32>
// CHECK: linalg.matmul ins(%[[SEEN]],
// CHECK: linalg.add ins(%[[X]],
// ALL: prune.observe %{{.*}} "fc1" {what = ["count", "mean", "second_moment", "min", "max", "zeros", "input_norm"]}
// ALL-NOT: "conv"
func.func @observes_inputs(%x: tensor<?x4xf32>, %o: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = arith.constant dense_resource<fc1> : tensor<4x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x4xf32>) outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  %z = linalg.add ins(%x, %y : tensor<?x4xf32>, tensor<?x4xf32>) outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}

// A convolution is observed behind the padding.
// CHECK-LABEL: func @observes_padded_images
// CHECK: %[[PADDED:.*]] = tensor.pad
// CHECK: %[[SEEN:.*]] = prune.observe %[[PADDED]] "conv"
// CHECK: linalg.conv_2d_nchw_fchw ins(%[[SEEN]],
func.func @observes_padded_images(%x: tensor<1x1x4x4xf32>, %o: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = arith.constant dense_resource<conv> : tensor<1x1x3x3xf32>
  %c = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %c : f32
  } : tensor<1x1x4x4xf32> to tensor<1x1x6x6xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%p, %w : tensor<1x1x6x6xf32>, tensor<1x1x3x3xf32>) outs(%o : tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// No weight, no observer.
// CHECK-LABEL: func @leaves_arguments_alone
// CHECK-NOT: prune.observe
func.func @leaves_arguments_alone(%x: tensor<4x4xf32>, %o: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %y = linalg.matmul ins(%x, %x : tensor<4x4xf32>, tensor<4x4xf32>) outs(%o : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc1: "0x040000000000803F00000040000040400000803F0000803F00000040000040400000803F0000803F00000040000040400000803F0000803F00000040000040400000803F",
      conv: "0x040000000000803F00000040000040400000803F0000803F00000040000040400000803F0000803F"
    }
  }
#-}
