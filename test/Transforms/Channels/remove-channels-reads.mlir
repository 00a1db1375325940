// RUN: prune-opt %s --prune-remove-channels --split-input-file | FileCheck %s

// An element read at the index of a loop is read along its dimension: every
// second row of an image passes its channels on.
// CHECK-LABEL: @passes_what_is_read_at_the_index
// CHECK: %[[H:.*]] = linalg.matmul {{.*}} -> tensor<4x2xf32>
// CHECK: linalg.generic
// CHECK: %[[C:.*]] = linalg.index 1
// CHECK: tensor.extract %[[H]][%{{.*}}, %[[C]]] : tensor<4x2xf32>
// CHECK: -> tensor<2x2xf32>
// CHECK: linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<2x2xf32>, tensor<2x1xf32>)
func.func @passes_what_is_read_at_the_index(%x: tensor<4x2xf32>) -> tensor<2x1xf32> {
  %w1 = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]> : tensor<2x3xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %table = arith.constant dense<[0, 2]> : tensor<2xi64>
  %z1 = arith.constant dense<0.0> : tensor<4x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<2x1xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<4x3xf32>) -> tensor<4x3xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<2x3xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %t = tensor.extract %table[%i] : tensor<2xi64>
    %r = arith.index_cast %t : i64 to index
    %v = tensor.extract %h[%r, %c] : tensor<4x3xf32>
    linalg.yield %v : f32
  } -> tensor<2x3xf32>
  %y = linalg.matmul ins(%g, %w2 : tensor<2x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// What a constant is read for loses the same indices, and a channel that holds
// one number after the product with it goes into the bias of what follows.
// CHECK-LABEL: @shrinks_constants_that_are_read
// CHECK-DAG: arith.constant dense<[5.000000e+00, 7.000000e+00]> : tensor<2xf32>
// CHECK: linalg.generic
// CHECK: tensor.extract %{{.*}}[%{{.*}}] : tensor<2xf32>
// CHECK: -> tensor<4x2xf32>
func.func @shrinks_constants_that_are_read(%x: tensor<4x2xf32>) -> tensor<4x1xf32> {
  %w1 = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]> : tensor<2x3xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %scale = arith.constant dense<[5.0, 6.0, 7.0]> : tensor<3xf32>
  %z1 = arith.constant dense<0.0> : tensor<4x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x1xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<4x3xf32>) -> tensor<4x3xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i, c)>], iterator_types = ["parallel", "parallel"]} ins(%h : tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = linalg.index 1 : index
    %s = tensor.extract %scale[%c] : tensor<3xf32>
    %v = arith.mulf %a, %s : f32
    linalg.yield %v : f32
  } -> tensor<4x3xf32>
  %y = linalg.matmul ins(%g, %w2 : tensor<4x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<4x1xf32>) -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// -----

// A constant table says where each channel comes from: what it does not list
// leaves by itself, what is zero with its entry, and the others are counted anew.
// CHECK-LABEL: @counts_the_entries_of_a_table_anew
// CHECK: linalg.matmul {{.*}} -> tensor<4x2xf32>
// CHECK: %[[T:.*]] = arith.constant dense<[1, 0]> : tensor<2xi64>
// CHECK: linalg.generic
// CHECK: tensor.extract %[[T]]
// CHECK: tensor.extract %{{.*}} : tensor<4x2xf32>
// CHECK: -> tensor<4x2xf32>
func.func @counts_the_entries_of_a_table_anew(%x: tensor<4x2xf32>) -> tensor<4x1xf32> {
  %w1 = arith.constant dense<[[1.0, 7.0, 0.0, 2.0], [3.0, 8.0, 0.0, 4.0]]> : tensor<2x4xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %table = arith.constant dense<[3, 0, 2]> : tensor<3xi64>
  %z1 = arith.constant dense<0.0> : tensor<4x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x1xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x4xf32>) outs(%z1 : tensor<4x4xf32>) -> tensor<4x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<4x3xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %t = tensor.extract %table[%c] : tensor<3xi64>
    %r = arith.index_cast %t : i64 to index
    %v = tensor.extract %h[%i, %r] : tensor<4x4xf32>
    linalg.yield %v : f32
  } -> tensor<4x3xf32>
  %y = linalg.matmul ins(%g, %w2 : tensor<4x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<4x1xf32>) -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// -----

// Coordinates that are used for more than one read stay.
// CHECK-LABEL: @keeps_what_two_reads_share
// CHECK: -> tensor<4x4xf32>
// CHECK: tensor.extract %{{.*}} : tensor<4x4xf32>
func.func @keeps_what_two_reads_share(%x: tensor<4x2xf32>, %other: tensor<4x4xf32>) -> tensor<4x1xf32> {
  %w1 = arith.constant dense<[[1.0, 7.0, 0.0, 2.0], [3.0, 8.0, 0.0, 4.0]]> : tensor<2x4xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %table = arith.constant dense<[3, 0, 2]> : tensor<3xi64>
  %z1 = arith.constant dense<0.0> : tensor<4x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x1xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x4xf32>) outs(%z1 : tensor<4x4xf32>) -> tensor<4x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<4x3xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %t = tensor.extract %table[%c] : tensor<3xi64>
    %r = arith.index_cast %t : i64 to index
    %v = tensor.extract %h[%i, %r] : tensor<4x4xf32>
    %u = tensor.extract %other[%i, %r] : tensor<4x4xf32>
    %s = arith.mulf %v, %u : f32
    linalg.yield %s : f32
  } -> tensor<4x3xf32>
  %y = linalg.matmul ins(%g, %w2 : tensor<4x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<4x1xf32>) -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// -----

// The index means more than a place: the neuron stays.
// CHECK-LABEL: @keeps_what_is_numbered
// CHECK: linalg.generic
// CHECK: -> tensor<4x3xf32>
func.func @keeps_what_is_numbered(%x: tensor<4x2xf32>) -> tensor<4x1xf32> {
  %w1 = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]> : tensor<2x3xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<4x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x1xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<4x3xf32>) -> tensor<4x3xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<4x3xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %v = tensor.extract %h[%i, %c] : tensor<4x3xf32>
    %n = arith.index_cast %c : index to i32
    %f = arith.sitofp %n : i32 to f32
    %s = arith.mulf %v, %f : f32
    linalg.yield %s : f32
  } -> tensor<4x3xf32>
  %y = linalg.matmul ins(%g, %w2 : tensor<4x3xf32>, tensor<3x1xf32>) outs(%z2 : tensor<4x1xf32>) -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// -----

// Only a part is read, or the sum over all is: nothing leaves.
// CHECK-LABEL: @keeps_what_is_read_in_part
// CHECK: linalg.matmul {{.*}} -> tensor<4x3xf32>
func.func @keeps_what_is_read_in_part(%x: tensor<4x2xf32>) -> (tensor<4x1xf32>, tensor<4xf32>) {
  %w1 = arith.constant dense<[[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]> : tensor<2x3xf32>
  %w2 = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %z1 = arith.constant dense<0.0> : tensor<4x3xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x1xf32>
  %z3 = arith.constant dense<0.0> : tensor<4xf32>
  %one = arith.constant dense<1.0> : tensor<3xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z1 : tensor<4x3xf32>) -> tensor<4x3xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<4x2xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %v = tensor.extract %h[%i, %c] : tensor<4x3xf32>
    linalg.yield %v : f32
  } -> tensor<4x2xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%one : tensor<3xf32>) outs(%z3 : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %v = tensor.extract %h[%i, %c] : tensor<4x3xf32>
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %y = linalg.matmul ins(%g, %w2 : tensor<4x2xf32>, tensor<2x1xf32>) outs(%z2 : tensor<4x1xf32>) -> tensor<4x1xf32>
  return %y, %s : tensor<4x1xf32>, tensor<4xf32>
}
