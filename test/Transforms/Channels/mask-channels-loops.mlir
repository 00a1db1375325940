// RUN: prune-opt %s --prune-print-channel-groups --split-input-file --verify-diagnostics -o /dev/null
// RUN: prune-opt %s --prune-mask-channels=ratio=0.5 --split-input-file | FileCheck %s

// Two gates are rows of one weight: a unit is one row of each gate, and a column.
// Slices of the weight get their masks together, so that it stays one weight.
// CHECK-LABEL: @gates
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<1x4x2xf32>
// CHECK: %[[M:.*]] = arith.constant dense<[true, false, true, false]> : tensor<4xi1>
// CHECK: %[[P:.*]] = prune.apply %[[W]], %[[M]] dims = [1]
// CHECK-NOT: prune.apply
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0] [1, 2, 2] [1, 1, 1] : tensor<1x4x2xf32> to tensor<2x2xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 2, 0] [1, 2, 2] [1, 1, 1] : tensor<1x4x2xf32> to tensor<2x2xf32>
func.func @gates(%x: tensor<1x4xf32>, %n: index) -> tensor<1x1xf32> {
  // expected-remark @below {{channel group 'weight0': 2 channels, free; on weight0[1] weight1[1] in part}}
  %w = arith.constant dense<[[9.0, 1.0], [9.0, 2.0], [9.0, 3.0], [9.0, 4.0]]> : tensor<4x2xf32>
  %r = arith.constant dense<[[[5.0, 5.0], [1.0, 1.0], [5.0, 5.0], [1.0, 1.0]]]> : tensor<1x4x2xf32>
  // expected-remark @below {{channel group 'weight2': 1 channels, kept; on weight2[1]}}
  %v = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = linalg.matmul ins(%x, %w : tensor<1x4xf32>, tensor<4x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %h = scf.for %i = %c0 to %n step %c1 iter_args(%s = %z) -> (tensor<1x2xf32>) {
    %f = tensor.extract_slice %r[0, 0, 0] [1, 2, 2] [1, 1, 1] : tensor<1x4x2xf32> to tensor<2x2xf32>
    %ft = linalg.transpose ins(%f : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
    %p = linalg.matmul ins(%s, %ft : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
    %g = tensor.extract_slice %r[0, 2, 0] [1, 2, 2] [1, 1, 1] : tensor<1x4x2xf32> to tensor<2x2xf32>
    %gt = linalg.transpose ins(%g : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
    %k = linalg.matmul ins(%s, %gt : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
    %q = arith.mulf %p, %k : tensor<1x2xf32>
    %o = arith.addf %q, %a : tensor<1x2xf32>
    scf.yield %o : tensor<1x2xf32>
  }
  %y = linalg.matmul ins(%h, %v : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  // expected-note @below {{func.return: is returned}}
  return %y : tensor<1x1xf32>
}

// -----

// exp(0) is 1, so that masked units do not stay at zero: what reads them is masked
// too, in the loop and behind it.
// CHECK-LABEL: @unsteady
// CHECK: %[[V:.*]] = arith.constant dense<{{.*}}> : tensor<2x1xf32>
// CHECK: prune.apply %[[V]], %{{.*}}dims = [0]
func.func @unsteady(%x: tensor<1x2xf32>, %n: index) -> tensor<1x1xf32> {
  // expected-remark @below {{channel group 'weight0': 2 channels, free; on weight0[1]}}
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  // expected-remark @below {{channel group 'weight1': 1 channels, kept; on weight1[1]}}
  %v = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %h = scf.for %i = %c0 to %n step %c1 iter_args(%s = %z) -> (tensor<1x2xf32>) {
    %q = arith.addf %s, %a : tensor<1x2xf32>
    %o = math.exp %q : tensor<1x2xf32>
    scf.yield %o : tensor<1x2xf32>
  }
  %y = linalg.matmul ins(%h, %v : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  // expected-note @below {{func.return: is returned}}
  return %y : tensor<1x1xf32>
}

// -----

// A maximum over units has no weights to mask, and the reason is the loop.
// CHECK-LABEL: @needed
// CHECK-NOT: prune.apply
func.func @needed(%x: tensor<1x2xf32>, %n: index) -> tensor<1xf32> {
  // expected-remark @below {{channel group 'weight0': 2 channels, kept; on weight0[1]}}
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %low = arith.constant dense<0xFF800000> : tensor<1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  // expected-note @below {{scf.for: carries on other numbers in channels even where they start as zero}}
  %h = scf.for %i = %c0 to %n step %c1 iter_args(%s = %z) -> (tensor<1x2xf32>) {
    %q = arith.addf %s, %a : tensor<1x2xf32>
    %o = math.exp %q : tensor<1x2xf32>
    scf.yield %o : tensor<1x2xf32>
  }
  %m = linalg.reduce ins(%h : tensor<1x2xf32>) outs(%low : tensor<1xf32>) dimensions = [1]
    (%u: f32, %o: f32) {
      %g = arith.maximumf %u, %o : f32
      linalg.yield %g : f32
    }
  return %m : tensor<1xf32>
}
