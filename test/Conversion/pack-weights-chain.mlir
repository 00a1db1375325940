// RUN: prune-opt %s --prune-pack-weights --canonicalize --cse | FileCheck %s

#rows = affine_map<(n, m, k) -> (n, k)>
#transposed = affine_map<(n, m, k) -> (m, k)>
#out = affine_map<(n, m, k) -> (n, m)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#features = affine_map<(d0, d1) -> (d1)>

// Bias, activation and a residual enter the epilogue, and between two layers
// activations stay in panels; what two layers read is brought there once.
// CHECK-LABEL: func @chain
// CHECK-SAME: %[[X:.*]]: tensor<100x4xf32>
// CHECK: %[[P:.*]] = prune.pack_panels %[[X]]
// CHECK: %[[H:.*]] = prune.packed_matmul {{.*}} input(%[[P]] : {{.*}} bias(
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK-NOT: panels
// CHECK: %[[Y:.*]] = prune.packed_matmul {{.*}} input(%[[H]] : {{.*}} residual(%[[P]] :
// CHECK: %[[R:.*]] = prune.unpack_panels %[[Y]]
// CHECK-NOT: linalg
// CHECK: return %[[R]]
func.func @chain(%x: tensor<100x4xf32>) -> tensor<100x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w0 = arith.constant dense<[[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %w1 = arith.constant dense<[[1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 4.0]]> : tensor<4x2xf32>
  %b0 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %e0 = tensor.empty() : tensor<100x2xf32>
  %e1 = tensor.empty() : tensor<100x4xf32>
  %f0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<100x2xf32>) -> tensor<100x2xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<100x4xf32>) -> tensor<100x4xf32>
  %0 = linalg.matmul indexing_maps = [#rows, #transposed, #out]
      ins(%x, %w0 : tensor<100x4xf32>, tensor<2x4xf32>) outs(%f0 : tensor<100x2xf32>) -> tensor<100x2xf32>
  %1 = linalg.generic {indexing_maps = [#id, #features, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %b0 : tensor<100x2xf32>, tensor<2xf32>) outs(%e0 : tensor<100x2xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<100x2xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%1 : tensor<100x2xf32>) outs(%e0 : tensor<100x2xf32>) {
  ^bb0(%a: f32, %c: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<100x2xf32>
  %3 = linalg.matmul indexing_maps = [#rows, #transposed, #out]
      ins(%2, %w1 : tensor<100x2xf32>, tensor<4x2xf32>) outs(%f1 : tensor<100x4xf32>) -> tensor<100x4xf32>
  %4 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%3, %x : tensor<100x4xf32>, tensor<100x4xf32>) outs(%e1 : tensor<100x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<100x4xf32>
  return %4 : tensor<100x4xf32>
}

// What is used twice cannot be taken in: the product itself is needed, too.
// CHECK-LABEL: func @used_twice
// CHECK: prune.packed_matmul
// CHECK-NOT: maximumf
// CHECK: prune.yield
// CHECK: linalg.generic
func.func @used_twice(%x: tensor<100x4xf32>) -> (tensor<100x2xf32>, tensor<100x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %e = tensor.empty() : tensor<100x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<100x2xf32>) -> tensor<100x2xf32>
  %0 = linalg.matmul indexing_maps = [#rows, #transposed, #out]
      ins(%x, %w : tensor<100x4xf32>, tensor<2x4xf32>) outs(%f : tensor<100x2xf32>) -> tensor<100x2xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<100x2xf32>) outs(%e : tensor<100x2xf32>) {
  ^bb0(%a: f32, %c: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<100x2xf32>
  return %0, %1 : tensor<100x2xf32>, tensor<100x2xf32>
}

// One column is not worth a panel: lanes run along the rows of the weight.
// CHECK-LABEL: func @one_column
// CHECK-NOT: panels
// CHECK: prune.packed_matmul <{{.*}}lanes = rows
// CHECK-NOT: panels
// CHECK: return
func.func @one_column(%x: tensor<1x64xf32>, %init: tensor<1x32xf32>) -> tensor<1x32xf32> {
  %w = arith.constant dense<1.0> : tensor<64x32xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<1x64xf32>, tensor<64x32xf32>) outs(%init : tensor<1x32xf32>) -> tensor<1x32xf32>
  return %0 : tensor<1x32xf32>
}

// Leading dimensions are columns, all in one; their sizes may be unknown.
// CHECK-LABEL: func @sequence
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2]]
// CHECK: prune.packed_matmul
// CHECK: tensor.expand_shape %{{.*}} {{\[}}[0, 1], [2]]
func.func @sequence(%x: tensor<?x5x4xf32>, %init: tensor<?x5x2xf32>) -> tensor<?x5x2xf32> {
  %w = arith.constant dense<[[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 0.0]]> : tensor<4x2xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(b, s, m, k) -> (b, s, k)>, affine_map<(b, s, m, k) -> (k, m)>,
                                        affine_map<(b, s, m, k) -> (b, s, m)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x5x4xf32>, tensor<4x2xf32>) outs(%init : tensor<?x5x2xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x5x2xf32>
  return %0 : tensor<?x5x2xf32>
}

// Features stand first in input and output: W times X.
// CHECK-LABEL: func @feature_major
// CHECK: prune.pack_panels %{{.*}} feature_major
// CHECK: prune.unpack_panels %{{.*}} feature_major
func.func @feature_major(%x: tensor<4x100xf32>, %init: tensor<2x100xf32>) -> tensor<2x100xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %0 = linalg.matmul ins(%w, %x : tensor<2x4xf32>, tensor<4x100xf32>) outs(%init : tensor<2x100xf32>) -> tensor<2x100xf32>
  return %0 : tensor<2x100xf32>
}
