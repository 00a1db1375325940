// RUN: prune-opt %s --prune-fold-masks --split-input-file | FileCheck %s
// RUN: prune-opt %s --prune-fold-masks --split-input-file --mlir-disable-threading | FileCheck %s

// The lowest magnitudes go; of equal ones the first. Elements that are kept
// keep their bits. 0x3F800000 is 1.0, 0x40000000 is 2.0.
// CHECK-LABEL: func @lowest_first_ties_by_index
func.func @lowest_first_ties_by_index() -> tensor<4xf32> {
  // CHECK-NOT: prune.
  // CHECK: %[[P:.*]] = arith.constant dense_resource<"w#1"> : tensor<4xf32>
  // CHECK: return %[[P]]
  %w = arith.constant dense_resource<w> : tensor<4xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<4xf32>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<4xf32>
  %p = prune.apply %w, %m : tensor<4xf32>, tensor<4xi1>
  return %p : tensor<4xf32>
}
// CHECK: "w#1": "0x40000000000000000000004000000000000080BF"

{-#
  dialect_resources: {
    builtin: {
      w: "0x040000000000803F000000400000803F000080BF"
    }
  }
#-}

// -----

// 1, 2, 1, -1: of three equal ones the first two go. The decision is recorded.
// CHECK: module attributes {prune.weights = {named = {by = "prune.mask", count = 2 : i64, criterion = "#prune.magnitude<l1>", cut = {{.*}} : f64, kept = 2 : i64, pattern = "#prune.element", removed = 2 : i64, scope = "local", unit = "element"}}}
// CHECK-LABEL: func @three_equal
func.func @three_equal() -> tensor<4xf32> {
  %w = arith.constant dense<[1.0, 2.0, 1.0, -1.0]> : tensor<4xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<4xf32>
  %m = prune.mask %s {pattern = #prune.element, count = 2} : tensor<4xf32>
  %p = prune.apply %w, %m {weight = "named"} : tensor<4xf32>, tensor<4xi1>
  return %p : tensor<4xf32>
}
// CHECK: "named#1": "0x40000000000000000000004000000000000080BF"

// -----

// One ranking over two weights: operands in order break ties.
// CHECK-LABEL: func @global
func.func @global() -> (tensor<2xi1>, tensor<2xi1>) {
  // CHECK-DAG: %[[A:.*]] = arith.constant dense<false> : tensor<2xi1>
  // CHECK-DAG: %[[B:.*]] = arith.constant dense<[false, true]> : tensor<2xi1>
  // CHECK: return %[[A]], %[[B]]
  %a = arith.constant dense<1.0> : tensor<2xf32>
  %b = arith.constant dense<[1.0, 1.0]> : tensor<2xf32>
  %sa = prune.score %a {criterion = #prune.magnitude<l1>} : tensor<2xf32>
  %sb = prune.score %b {criterion = #prune.magnitude<l2>} : tensor<2xf32>
  %m:2 = prune.mask %sa, %sb {pattern = #prune.element, sparsity = 0.75} : tensor<2xf32>, tensor<2xf32>
  return %m#0, %m#1 : tensor<2xi1>, tensor<2xi1>
}

// -----

// A threshold removes what scores below it, not what equals it.
// CHECK-LABEL: func @threshold
func.func @threshold() -> tensor<3xi1> {
  // CHECK: arith.constant dense<[false, true, true]> : tensor<3xi1>
  %w = arith.constant dense<[1.0, -2.0, 3.0]> : tensor<3xf64>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<3xf64>
  %m = prune.mask %s {pattern = #prune.element, threshold = 2.0} : tensor<3xf64>
  return %m : tensor<3xi1>
}

// -----

// Blocks of 2x1; the last row of three is a clipped block.
// CHECK-LABEL: func @blocks
func.func @blocks() -> tensor<3x2xi1> {
  // CHECK: arith.constant dense<{{\[\[}}false, true], [false, true], [false, true]]> : tensor<3x2xi1>
  %w = arith.constant dense<[[1.0, 3.0], [1.0, 3.0], [1.5, 2.5]]> : tensor<3x2xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<3x2xf32>
  %m = prune.mask %s {pattern = #prune.block<[2, 1]>, sparsity = 0.5} : tensor<3x2xf32>
  return %m : tensor<3x2xi1>
}

// -----

// Two of every four along dimension 0; the shorter last group keeps two too.
// CHECK-LABEL: func @two_of_four
func.func @two_of_four() -> tensor<7x1xi1> {
  // CHECK: arith.constant dense<{{\[\[}}false], [true], [false], [true], [false], [true], [true]]> : tensor<7x1xi1>
  %w = arith.constant dense<[[1.0], [2.0], [1.0], [4.0], [1.0], [1.0], [1.0]]> : tensor<7x1xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<7x1xf32>
  %m = prune.mask %s {pattern = #prune.nm<2:4, 0>} : tensor<7x1xf32>
  return %m : tensor<7x1xi1>
}

// -----

// Channels: a reduced score, a mask of rank one, applied to filter and bias.
// CHECK-LABEL: func @channels
func.func @channels() -> (tensor<2x2xf32>, tensor<2xi32>) {
  // CHECK-NOT: prune.
  // CHECK: return
  %w = arith.constant dense<[[1.0, 1.0], [3.0, -1.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[7, 8]> : tensor<2xi32>
  %s = prune.score %w {criterion = #prune.magnitude<l2>, reduce_dims = [1]} : tensor<2x2xf32> -> tensor<2xf64>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<2xf64>
  %p = prune.apply %w, %m dims = [0] {weight = "filter"} : tensor<2x2xf32>, tensor<2xi1>
  %q = prune.apply %b, %m {weight = "bias"} : tensor<2xi32>, tensor<2xi1>
  return %p, %q : tensor<2x2xf32>, tensor<2xi32>
}
// CHECK-DAG: "bias#1": "0x400000000000000008000000"
// CHECK-DAG: "filter#1": "0x40000000000000000000000000004040000080BF"

// -----

// Sparsity 0 keeps the constant and its name.
// CHECK-LABEL: func @nothing_removed
func.func @nothing_removed() -> tensor<2xf32> {
  // CHECK: arith.constant dense_resource<w> : tensor<2xf32>
  %w = arith.constant dense_resource<w> : tensor<2xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<2xf32>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.0} : tensor<2xf32>
  %p = prune.apply %w, %m : tensor<2xf32>, tensor<2xi1>
  return %p : tensor<2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      w: "0x040000000000803F00000040"
    }
  }
#-}

// -----

// A negative zero that is removed becomes +0, one that is kept stays; the
// counter behind '#' goes on.
// CHECK-LABEL: func @negative_zero
func.func @negative_zero() -> tensor<2xf32> {
  // CHECK: arith.constant dense_resource<"w#5"> : tensor<2xf32>
  %w = arith.constant dense_resource<"w#4"> : tensor<2xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<2xf32>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<2xf32>
  %p = prune.apply %w, %m : tensor<2xf32>, tensor<2xi1>
  return %p : tensor<2xf32>
}
// CHECK: "w#5": "0x400000000000000000000080"

{-#
  dialect_resources: {
    builtin: {
      "w#4": "0x040000000000008000000080"
    }
  }
#-}

// -----

// Scores with users of their own become constants.
// CHECK-LABEL: func @score_alone
func.func @score_alone() -> tensor<2xf16> {
  // CHECK: arith.constant dense<[1.000000e+00, 4.000000e+00]> : tensor<2xf16>
  %w = arith.constant dense<[-1.0, 2.0]> : tensor<2xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l2>} : tensor<2xf32> -> tensor<2xf16>
  return %s : tensor<2xf16>
}

// -----

// Run-time values stay for another pass.
// CHECK-LABEL: func @run_time_weight
func.func @run_time_weight(%w: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: prune.score
  // CHECK: prune.mask
  // CHECK: prune.apply
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<4xf32>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<4xf32>
  %p = prune.apply %w, %m : tensor<4xf32>, tensor<4xi1>
  return %p : tensor<4xf32>
}

// -----

// Zero-size tensors have nothing to remove.
// CHECK-LABEL: func @empty
func.func @empty() -> tensor<0x4xi1> {
  // CHECK: arith.constant dense<> : tensor<0x4xi1>
  %w = arith.constant dense<> : tensor<0x4xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<0x4xf32>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<0x4xf32>
  return %m : tensor<0x4xi1>
}

// -----

// The same resource under the same decision is one resource afterwards.
// CHECK-LABEL: func @tied_a
// CHECK: dense_resource<"tied#1">
func.func @tied_a() -> tensor<2xf32> {
  %w = arith.constant dense_resource<tied> : tensor<2xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<2xf32>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<2xf32>
  %p = prune.apply %w, %m : tensor<2xf32>, tensor<2xi1>
  return %p : tensor<2xf32>
}
// CHECK-LABEL: func @tied_b
// CHECK: dense_resource<"tied#1">
func.func @tied_b() -> tensor<2xf32> {
  %w = arith.constant dense_resource<tied> : tensor<2xf32>
  %s = prune.score %w {criterion = #prune.magnitude<l1>} : tensor<2xf32>
  %m = prune.mask %s {pattern = #prune.element, sparsity = 0.5} : tensor<2xf32>
  %p = prune.apply %w, %m : tensor<2xf32>, tensor<2xi1>
  return %p : tensor<2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      tied: "0x040000000000803F00000040"
    }
  }
#-}
