// RUN: prune-opt %s --prune-print-channel-groups --prune-remove-channels --split-input-file | FileCheck %s

// What is passed to a call, also to oneself, keeps its channels.
// CHECK-LABEL: @recursion
// CHECK: linalg.matmul {{.*}} -> tensor<1x2xf32>
// CHECK: call @recursion
func.func @recursion(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %h = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = func.call @recursion(%h) : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// CHECK-LABEL: func.func @even
// CHECK: call @odd
// CHECK-LABEL: func.func private @odd
// CHECK: call @even
func.func @even(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %y = func.call @odd(%x) : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
func.func private @odd(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %y = func.call @even(%x) : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// Values that go around a loop of blocks stay as they are.
// CHECK-LABEL: @loop_of_blocks
// CHECK: ^bb1(%{{.*}}: tensor<1x2xf32>):
// CHECK: linalg.matmul {{.*}} -> tensor<1x2xf32>
func.func @loop_of_blocks(%x: tensor<1x2xf32>, %c: i1) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  cf.br ^loop(%x : tensor<1x2xf32>)
^loop(%a: tensor<1x2xf32>):
  %h = linalg.matmul ins(%a, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  cf.cond_br %c, ^loop(%h : tensor<1x2xf32>), ^end
^end:
  return %h : tensor<1x2xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// A dimension that a reshape couples with itself: rows cannot move without
// columns, so all stay.
// CHECK-LABEL: @coupled_with_itself
// CHECK: linalg.matmul {{.*}} -> tensor<2x4xf32>
func.func @coupled_with_itself(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 2.0, 0.0], [2.0, 0.0, 3.0, 0.0]]> : tensor<2x4xf32>
  %o = arith.constant dense<1.0> : tensor<4x1xf32>
  %z = arith.constant dense<0.0> : tensor<2x4xf32>
  %z1 = arith.constant dense<0.0> : tensor<2x1xf32>
  %h = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x4xf32>) outs(%z : tensor<2x4xf32>) -> tensor<2x4xf32>
  %f = tensor.collapse_shape %h [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  %g = tensor.expand_shape %f [[0, 1]] output_shape [4, 2] : tensor<8xf32> into tensor<4x2xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %t = linalg.transpose ins(%g : tensor<4x2xf32>) outs(%e : tensor<2x4xf32>) permutation = [1, 0]
  %s = arith.addf %h, %t : tensor<2x4xf32>
  %y = linalg.matmul ins(%s, %o : tensor<2x4xf32>, tensor<4x1xf32>) outs(%z1 : tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// A dynamic batch does not stand in the way.
// CHECK-LABEL: @dynamic_batch
// CHECK: tensor.empty(%{{.*}}) : tensor<?x1xf32>
// CHECK: linalg.matmul {{.*}} -> tensor<?x1xf32>
func.func @dynamic_batch(%x: tensor<?x2xf32>, %n: index) -> tensor<?x2xf32> {
  %w1 = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<1.0> : tensor<2x2xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<?x2xf32>, tensor<2x2xf32>) outs(%z : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<?x2xf32>, tensor<2x2xf32>) outs(%z : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: @zero_sizes
// CHECK: linalg.matmul {{.*}} -> tensor<0x3xf32>
func.func @zero_sizes(%x: tensor<0x2xf32>, %v: tensor<2x0xf32>) -> (tensor<0x3xf32>, tensor<2x1xf32>) {
  %w = arith.constant dense<0.0> : tensor<2x3xf32>
  %none = arith.constant dense<> : tensor<0x1xf32>
  %z = arith.constant dense<> : tensor<0x3xf32>
  %one = arith.constant dense<1.0> : tensor<2x1xf32>
  %y = linalg.matmul ins(%x, %w : tensor<0x2xf32>, tensor<2x3xf32>) outs(%z : tensor<0x3xf32>) -> tensor<0x3xf32>
  %u = linalg.matmul ins(%v, %none : tensor<2x0xf32>, tensor<0x1xf32>) outs(%one : tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y, %u : tensor<0x3xf32>, tensor<2x1xf32>
}

// -----

// A layer that is zero as a whole becomes a constant.
// CHECK-LABEL: @whole_layer
// CHECK-NEXT: %[[Y:.*]] = arith.constant dense<3.000000e+00> : tensor<1x1xf32>
// CHECK-NEXT: return %[[Y]]
func.func @whole_layer(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<0.0> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %b = arith.constant dense<3.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%b : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// A number that comes through a reshape to a scalar bounds like any other.
// CHECK-LABEL: @through_a_scalar
// CHECK: linalg.matmul {{.*}} -> tensor<1x1xf32>
func.func @through_a_scalar(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %one = arith.constant dense<6.0> : tensor<1xf32>
  %six = tensor.collapse_shape %one [] : tensor<1xf32> into tensor<f32>
  %z = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%h, %six : tensor<1x2xf32>, tensor<f32>) outs(%z : tensor<1x2xf32>) {
    ^bb0(%v: f32, %s: f32, %o: f32):
      %m = arith.minimumf %v, %s : f32
      linalg.yield %m : f32
    } -> tensor<1x2xf32>
  %y = linalg.matmul ins(%r, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// A channel that no weight reads, but the caller does.
// CHECK-LABEL: @alive_by_an_output
// CHECK: linalg.matmul {{.*}} -> tensor<1x2xf32>
// CHECK: linalg.matmul {{.*}} -> tensor<1x1xf32>
func.func @alive_by_an_output(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x1xf32>) {
  %w1 = arith.constant dense<[[1.0, 3.0], [2.0, 4.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0], [0.0]]> : tensor<2x1xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%h, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %h, %y : tensor<1x2xf32>, tensor<1x1xf32>
}

// -----

// Neuron 1 of each layer feeds only neuron 1 of the next, and the last feeds
// nothing: all go, in one sweep from the end.
// CHECK-LABEL: @chain_that_leads_nowhere
// CHECK-COUNT-3: linalg.matmul {{.*}} -> tensor<1x1xf32>
func.func @chain_that_leads_nowhere(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 3.0], [2.0, 4.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0, 5.0], [0.0, 6.0]]> : tensor<2x2xf32>
  %w3 = arith.constant dense<[[1.0], [0.0]]> : tensor<2x1xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %a = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.matmul ins(%a, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%b, %w3 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Neuron 1 of each layer has weights only for neuron 1 of the one before, which
// is zero: so are all.
// CHECK-LABEL: @chain_that_comes_from_nowhere
// CHECK-COUNT-3: linalg.matmul {{.*}} -> tensor<1x1xf32>
func.func @chain_that_comes_from_nowhere(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w1 = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0, 0.0], [5.0, 6.0]]> : tensor<2x2xf32>
  %w3 = arith.constant dense<[[1.0], [7.0]]> : tensor<2x1xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x2xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %a = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.matmul ins(%a, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%b, %w3 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Dead as a whole: of each layer one neuron stays, and what it needs.
// CHECK-LABEL: @nothing_is_read
// CHECK: linalg.matmul {{.*}} -> tensor<1x2xf32>
// CHECK: linalg.matmul {{.*}} -> tensor<1x1xf32>
// CHECK: linalg.reduce
func.func @nothing_is_read(%x: tensor<1x2xf32>, %n: tensor<1xf32>) -> tensor<1xf32> {
  %w1 = arith.constant dense<[[1.0, 3.0], [2.0, 4.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[1.0, 2.0], [3.0, 6.0]]> : tensor<2x2xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x2xf32>
  %a = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.matmul ins(%a, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.reduce ins(%b : tensor<1x2xf32>) outs(%n : tensor<1xf32>) dimensions = [1]
    (%v: f32, %o: f32) {
      linalg.yield %o : f32
    }
  return %y : tensor<1xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// A branch of constants becomes one addition, whatever the size of the batch.
// CHECK-LABEL: @branch_of_constants
// CHECK-SAME: (%[[X:.*]]: tensor<?x2xf32>
// CHECK-NOT: linalg.matmul
// CHECK: arith.constant dense<[3.000000e+00, 4.000000e+00]> : tensor<2xf32>
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2xf32>)
// CHECK: arith.addf %[[X]], %[[S]] : tensor<?x2xf32>
func.func @branch_of_constants(%x: tensor<?x2xf32>, %n: index) -> tensor<?x2xf32> {
  %w = arith.constant dense<0.0> : tensor<2x2xf32>
  %b = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %h = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%z : tensor<?x2xf32>) -> tensor<?x2xf32>
  %f = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%h, %b : tensor<?x2xf32>, tensor<2xf32>) outs(%z : tensor<?x2xf32>) {
    ^bb0(%v: f32, %w1: f32, %o: f32):
      %s = arith.addf %v, %w1 : f32
      linalg.yield %s : f32
    } -> tensor<?x2xf32>
  %y = arith.addf %x, %f : tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
