// RUN: prune-opt %s --prune-remove-channels --split-input-file | FileCheck %s

// A state that starts as zero and whose weights are zero stays zero, so the unit
// leaves what the loop carries, its row and its column, and the consumer.
// CHECK-LABEL: @removes_a_unit_of_a_state
// CHECK: %[[R:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00], [7.000000e+00, 9.000000e+00]]> : tensor<2x2xf32>
// CHECK: scf.for {{.*}} iter_args(%[[H:.*]] = %{{.*}}) -> (tensor<1x2xf32>)
// CHECK: linalg.matmul ins(%[[H]], %[[R]] : tensor<1x2xf32>, tensor<2x2xf32>)
// CHECK: linalg.matmul {{.*}} : tensor<1x2xf32>, tensor<2x1xf32>)
func.func @removes_a_unit_of_a_state(%x: tensor<1x4xf32>, %n: index) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0], [5.0, 0.0, 6.0], [7.0, 0.0, 8.0]]> : tensor<4x3xf32>
  %r = arith.constant dense<[[1.0, 0.0, 3.0], [4.0, 0.0, 6.0], [7.0, 0.0, 9.0]]> : tensor<3x3xf32>
  %v = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x3xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = linalg.matmul ins(%x, %w : tensor<1x4xf32>, tensor<4x3xf32>) outs(%z : tensor<1x3xf32>) -> tensor<1x3xf32>
  %h = scf.for %i = %c0 to %n step %c1 iter_args(%s = %z) -> (tensor<1x3xf32>) {
    %p = linalg.matmul ins(%s, %r : tensor<1x3xf32>, tensor<3x3xf32>) outs(%z : tensor<1x3xf32>) -> tensor<1x3xf32>
    %q = arith.addf %p, %a : tensor<1x3xf32>
    %t = math.tanh %q : tensor<1x3xf32>
    scf.yield %t : tensor<1x3xf32>
  }
  %y = linalg.matmul ins(%h, %v : tensor<1x3xf32>, tensor<3x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Without readers a unit goes as well, whatever the loop makes of it.
// CHECK-LABEL: @removes_a_unit_without_readers
// CHECK: scf.for {{.*}} -> (tensor<1x1xf32>)
func.func @removes_a_unit_without_readers(%x: tensor<1x2xf32>, %n: index) -> tensor<1x1xf32> {
  %r = arith.constant dense<[[1.0, 2.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[1.0], [0.0]]> : tensor<2x1xf32>
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %h = scf.for %i = %c0 to %n step %c1 iter_args(%s = %a) -> (tensor<1x2xf32>) {
    %p = linalg.matmul ins(%s, %r : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
    scf.yield %p : tensor<1x2xf32>
  }
  %y = linalg.matmul ins(%h, %v : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// The second unit is zero at first, but takes from the first one.
// CHECK-LABEL: @keeps_a_unit_that_does_not_stay_zero
// CHECK: scf.for {{.*}} -> (tensor<1x2xf32>)
func.func @keeps_a_unit_that_does_not_stay_zero(%x: tensor<1x2xf32>, %n: index) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %r = arith.constant dense<[[1.0, 2.0], [3.0, 0.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[1.0], [1.0]]> : tensor<2x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %h = scf.for %i = %c0 to %n step %c1 iter_args(%s = %z) -> (tensor<1x2xf32>) {
    %p = linalg.matmul ins(%s, %r : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
    %q = arith.addf %p, %a : tensor<1x2xf32>
    scf.yield %q : tensor<1x2xf32>
  }
  %y = linalg.matmul ins(%h, %v : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// A start that only the caller knows stays, and so do its units.
// CHECK-LABEL: @keeps_a_state_of_the_caller
// CHECK: scf.for {{.*}} -> (tensor<1x2xf32>)
func.func @keeps_a_state_of_the_caller(%x: tensor<1x2xf32>, %n: index) -> tensor<1x1xf32> {
  %r = arith.constant dense<[[1.0, 0.0], [3.0, 0.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[1.0], [1.0]]> : tensor<2x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %h = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x) -> (tensor<1x2xf32>) {
    %p = linalg.matmul ins(%s, %r : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
    scf.yield %p : tensor<1x2xf32>
  }
  %y = linalg.matmul ins(%h, %v : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Outputs are collected in a tensor that is empty at first: a unit that is zero
// in every step is zero in all of it. The steps stay, at offsets that only the
// run knows.
// CHECK-LABEL: @removes_a_unit_of_collected_outputs
// CHECK: scf.for {{.*}} -> (tensor<5x2xf32>)
// CHECK: tensor.extract_slice %{{.*}}[%{{.*}}, 0] [1, 2] [1, 1] : tensor<5x2xf32> to tensor<1x2xf32>
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%{{.*}}, 0] [1, 2] [1, 1] : tensor<1x2xf32> into tensor<5x2xf32>
// CHECK: linalg.matmul {{.*}} : tensor<5x2xf32>, tensor<2x1xf32>)
func.func @removes_a_unit_of_collected_outputs(%x: tensor<5x4xf32>) -> tensor<5x1xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0], [5.0, 0.0, 6.0], [7.0, 0.0, 8.0]]> : tensor<4x3xf32>
  %v = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %z = arith.constant dense<0.0> : tensor<5x3xf32>
  %z1 = arith.constant dense<0.0> : tensor<5x1xf32>
  %e = tensor.empty() : tensor<5x3xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %a = linalg.matmul ins(%x, %w : tensor<5x4xf32>, tensor<4x3xf32>) outs(%z : tensor<5x3xf32>) -> tensor<5x3xf32>
  %h = scf.for %i = %c0 to %c5 step %c1 iter_args(%s = %e) -> (tensor<5x3xf32>) {
    %p = tensor.extract_slice %a[%i, 0] [1, 3] [1, 1] : tensor<5x3xf32> to tensor<1x3xf32>
    %t = math.tanh %p : tensor<1x3xf32>
    %q = tensor.insert_slice %t into %s[%i, 0] [1, 3] [1, 1] : tensor<1x3xf32> into tensor<5x3xf32>
    scf.yield %q : tensor<5x3xf32>
  }
  %y = linalg.matmul ins(%h, %v : tensor<5x3xf32>, tensor<3x1xf32>) outs(%z1 : tensor<5x1xf32>) -> tensor<5x1xf32>
  return %y : tensor<5x1xf32>
}

// -----

// scf.while passes its state through two regions, and scf.if joins two values.
// CHECK-LABEL: @removes_through_while_and_if
// CHECK: scf.while {{.*}} : (tensor<1x1xf32>, index) -> (tensor<1x1xf32>, index)
// CHECK: scf.if %{{.*}} -> (tensor<1x1xf32>)
func.func @removes_through_while_and_if(%x: tensor<1x2xf32>, %n: index, %c: i1) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[1.0], [1.0]]> : tensor<2x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %h:2 = scf.while (%s = %a, %i = %c0) : (tensor<1x2xf32>, index) -> (tensor<1x2xf32>, index) {
    %more = arith.cmpi slt, %i, %n : index
    scf.condition(%more) %s, %i : tensor<1x2xf32>, index
  } do {
  ^bb0(%s: tensor<1x2xf32>, %i: index):
    %q = arith.addf %s, %a : tensor<1x2xf32>
    %j = arith.addi %i, %c1 : index
    scf.yield %q, %j : tensor<1x2xf32>, index
  }
  %b = scf.if %c -> (tensor<1x2xf32>) {
    %t = math.tanh %h#0 : tensor<1x2xf32>
    scf.yield %t : tensor<1x2xf32>
  } else {
    scf.yield %z : tensor<1x2xf32>
  }
  %y = linalg.matmul ins(%b, %v : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// In nested loops a unit has to stay zero in both.
// CHECK-LABEL: @nested_loops
// CHECK: scf.for {{.*}} -> (tensor<1x2xf32>)
// CHECK: scf.for {{.*}} -> (tensor<1x2xf32>)
func.func @nested_loops(%x: tensor<1x3xf32>, %n: index) -> tensor<1x1xf32> {
  // The second unit is never fed; the third is by what the outer loop adds.
  %w = arith.constant dense<[[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0]]> : tensor<3x3xf32>
  %u = arith.constant dense<[[0.0, 0.0, 1.0], [0.0, 0.0, 2.0], [0.0, 0.0, 3.0]]> : tensor<3x3xf32>
  %v = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x3xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = linalg.matmul ins(%x, %w : tensor<1x3xf32>, tensor<3x3xf32>) outs(%z : tensor<1x3xf32>) -> tensor<1x3xf32>
  %b = linalg.matmul ins(%x, %u : tensor<1x3xf32>, tensor<3x3xf32>) outs(%z : tensor<1x3xf32>) -> tensor<1x3xf32>
  %h = scf.for %i = %c0 to %n step %c1 iter_args(%s = %z) -> (tensor<1x3xf32>) {
    %k = scf.for %j = %c0 to %n step %c1 iter_args(%t = %s) -> (tensor<1x3xf32>) {
      %q = arith.addf %t, %a : tensor<1x3xf32>
      scf.yield %q : tensor<1x3xf32>
    }
    %o = arith.addf %k, %b : tensor<1x3xf32>
    scf.yield %o : tensor<1x3xf32>
  }
  %y = linalg.matmul ins(%h, %v : tensor<1x3xf32>, tensor<3x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
