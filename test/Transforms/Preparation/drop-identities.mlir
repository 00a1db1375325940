// RUN: prune-opt %s --prune-drop-identities | FileCheck %s
// RUN: prune-opt %s --prune-drop-identities --remarks-filter=prune-drop-identities -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// REMARK: [Passed] Dropped | Category:prune-drop-identities | Operation=linalg.generic

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
#column = affine_map<(d0, d1) -> (d0)>

// x * 1 + 0 is x, whether the constants are numbers, tensors or resources.
// CHECK-LABEL: func @arithmetic
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x3xf32>
// CHECK-NOT: {{linalg|tensor[.]|arith[.]subf}}
// CHECK: return %[[X]]
func.func @arithmetic(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %ones = arith.constant dense_resource<ones> : tensor<3xf32>
  %zeros = arith.constant dense<0.0> : tensor<2x3xf32>
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<2x3xf32>
  %a = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %ones : tensor<2x3xf32>, tensor<3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%in: f32, %w: f32, %out: f32):
    %m = arith.mulf %in, %w : f32
    %d = arith.divf %m, %one : f32
    linalg.yield %d : f32
  } -> tensor<2x3xf32>
  %b = linalg.add ins(%a, %zeros : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
  %c = arith.subf %b, %zeros : tensor<2x3xf32>
  return %c : tensor<2x3xf32>
}

// A copy.
// CHECK-LABEL: func @copy
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x3xi8>
// CHECK-NEXT: return %[[X]]
func.func @copy(%x: tensor<?x3xi8>, %e: tensor<?x3xi8>) -> tensor<?x3xi8> {
  %a = linalg.copy ins(%x : tensor<?x3xi8>) outs(%e : tensor<?x3xi8>) -> tensor<?x3xi8>
  return %a : tensor<?x3xi8>
}

// Transposes that keep the order, or undo each other with an identity between.
// CHECK-LABEL: func @transposes
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x3x4xf32>
// CHECK-NEXT: return %[[X]]
func.func @transposes(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %one = arith.constant dense<1.0> : tensor<4x2x3xf32>
  %e = tensor.empty() : tensor<2x3x4xf32>
  %f = tensor.empty() : tensor<4x2x3xf32>
  %a = linalg.transpose ins(%x : tensor<2x3x4xf32>) outs(%e : tensor<2x3x4xf32>) permutation = [0, 1, 2]
  %b = linalg.transpose ins(%a : tensor<2x3x4xf32>) outs(%f : tensor<4x2x3xf32>) permutation = [2, 0, 1]
  %c = arith.mulf %b, %one : tensor<4x2x3xf32>
  %d = linalg.transpose ins(%c : tensor<4x2x3xf32>) outs(%e : tensor<2x3x4xf32>) permutation = [1, 2, 0]
  return %d : tensor<2x3x4xf32>
}

// Reshapes that undo each other, one unknown size included.
// CHECK-LABEL: func @reshapes
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x4xf32>
// CHECK-NEXT: return %[[X]]
func.func @reshapes(%x: tensor<?x4xf32>, %n: index) -> tensor<?x4xf32> {
  %a = tensor.collapse_shape %x [[0, 1]] : tensor<?x4xf32> into tensor<?xf32>
  %b = tensor.expand_shape %a [[0, 1]] output_shape [%n, 4] : tensor<?xf32> into tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}

// Slices, pads, insertions and concatenations of everything.
// CHECK-LABEL: func @movements
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x3xf32>
// CHECK-NOT: {{linalg|tensor[.]|arith[.]subf}}
// CHECK: return %[[X]]
func.func @movements(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %zero = arith.constant 0.0 : f32
  %a = tensor.extract_slice %x[0, 0] [2, 3] [1, 1] : tensor<2x3xf32> to tensor<2x3xf32>
  %b = tensor.pad %a low[0, 0] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x3xf32> to tensor<2x3xf32>
  %c = tensor.insert_slice %b into %y[0, 0] [2, 3] [1, 1] : tensor<2x3xf32> into tensor<2x3xf32>
  %d = tensor.concat dim(0) %c : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %e = tensor.cast %d : tensor<2x3xf32> to tensor<2x3xf32>
  return %e : tensor<2x3xf32>
}

// Numbers that are not neutral, in this place or at all.
// CHECK-LABEL: func @keeps_arithmetic
// CHECK-COUNT-3: linalg.generic
func.func @keeps_arithmetic(%x: tensor<2x3xf32>, %e: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %mixed = arith.constant dense<[1.0, 1.0, 2.0]> : tensor<3xf32>
  %a = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %mixed : tensor<2x3xf32>, tensor<3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%in: f32, %w: f32, %out: f32):
    %m = arith.mulf %in, %w : f32
    linalg.yield %m : f32
  } -> tensor<2x3xf32>
  %one = arith.constant 1.0 : f32
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    %d = arith.divf %one, %in : f32
    linalg.yield %d : f32
  } -> tensor<2x3xf32>
  %zero = arith.constant 0.0 : f32
  %c = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    %d = arith.subf %zero, %in : f32
    linalg.yield %d : f32
  } -> tensor<2x3xf32>
  return %a, %b, %c : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// An operand that is broadcast or transposed is not the result.
// CHECK-LABEL: func @keeps_layouts
// CHECK: linalg.generic
// CHECK: linalg.generic
// CHECK: linalg.transpose
func.func @keeps_layouts(%x: tensor<3x3xf32>, %v: tensor<3xf32>, %e: tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>) {
  %a = linalg.generic {indexing_maps = [#column, #id], iterator_types = ["parallel", "parallel"]} ins(%v : tensor<3xf32>) outs(%e : tensor<3x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<3x3xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x3xf32>) outs(%e : tensor<3x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<3x3xf32>
  %c = linalg.transpose ins(%x : tensor<3x3xf32>) outs(%e : tensor<3x3xf32>) permutation = [1, 0]
  return %a, %b, %c : tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>
}

// Two unknown sizes may come back in other proportions.
// CHECK-LABEL: func @keeps_unknown_sizes
// CHECK: tensor.expand_shape
func.func @keeps_unknown_sizes(%x: tensor<?x?xf32>, %n: index, %m: index) -> tensor<?x?xf32> {
  %a = tensor.collapse_shape %x [[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  %b = tensor.expand_shape %a [[0, 1]] output_shape [%n, %m] : tensor<?xf32> into tensor<?x?xf32>
  return %b : tensor<?x?xf32>
}

{-# dialect_resources: { builtin: { ones: "0x400000000000803f0000803f0000803f" } } #-}
