// RUN: prune-opt %s --prune-print-channel-groups=dimensions -o /dev/null 2>&1 | FileCheck %s

// Of each dimension of each result: free and in which group, or what is in the
// way and where. Index 0 of the slice goes to the caller, the others are free.
// CHECK: channel group 'weight0': 1 channels, kept; on weight0[1] in part
// CHECK: note: func.return: is returned
// CHECK: channel group 'weight0': 2 channels, free; on weight0[1] in part
// CHECK: channel group 'weight1': 1 channels, kept; on weight1[1]
// CHECK: :[[@LINE+12]]:8: remark: dimension 0 of result 0: 5 stay
// CHECK: :[[@LINE+6]]:1: note: func.func: takes it as an argument
// CHECK: :[[@LINE+10]]:8: remark: dimension 1 of result 0: 2 free in group 'weight0', 1 stay
// CHECK: :[[@LINE+12]]:3: note: func.return: is returned
// CHECK: :[[@LINE+9]]:8: remark: dimension 0 of result 0: 5 stay
// CHECK: :[[@LINE+8]]:8: remark: dimension 1 of result 0: 1 stay
// CHECK: :[[@LINE+8]]:8: remark: dimension 1 of result 0: 1 stay
func.func @net(%x: tensor<5x2xf32>) -> (tensor<5x1xf32>, tensor<5x1xf32>) {
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<5x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<5x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<5x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<5x3xf32>) -> tensor<5x3xf32>
  %s = tensor.extract_slice %h[0, 0] [5, 1] [1, 1] : tensor<5x3xf32> to tensor<5x1xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<5x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<5x1xf32>) -> tensor<5x1xf32>
  return %s, %y : tensor<5x1xf32>, tensor<5x1xf32>
}
