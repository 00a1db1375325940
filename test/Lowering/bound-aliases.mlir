// RUN: prune-opt %s --prune-bound-aliases=limit=2 | FileCheck %s
// RUN: prune-opt %s --prune-bound-aliases=limit=2 --one-shot-bufferize="bufferize-function-boundaries" | FileCheck %s --check-prefix=BUFFER

// A chain that is longer than the limit is one operation, and one copy a source
// after bufferization.
// CHECK-LABEL: func @chain(
// CHECK-NOT: tensor.insert_slice
// CHECK: %[[R:.*]] = prune.insert_slices %arg0, %arg1, %arg0 into %arg2 offsets [0, 0, %arg3, 0, 0, 1] sizes [1, 4, 1, 4, 1, 4] strides [1, 1, 1, 1, 1, 2] : tensor<1x4xf32>, tensor<4xf32>, tensor<1x4xf32> into tensor<8x9xf32>
// CHECK-NEXT: return %[[R]]
// BUFFER-LABEL: func @chain(
// BUFFER-NOT: memref.alloc
// BUFFER: memref.subview %arg2[0, 0] [1, 4] [1, 1]
// BUFFER-NEXT: memref.copy %arg0
// BUFFER-NEXT: memref.subview %arg2[%arg3, 0] [1, 4] [1, 1]
// BUFFER-NEXT: memref.copy %arg1
// BUFFER-NEXT: memref.subview %arg2[0, 1] [1, 4] [1, 2]
// BUFFER-NEXT: memref.copy %arg0
// BUFFER-NOT: memref.copy
// BUFFER: return
func.func @chain(%a: tensor<1x4xf32>, %b: tensor<4xf32>, %d: tensor<8x9xf32>, %o: index) -> tensor<8x9xf32> {
  %0 = tensor.insert_slice %a into %d[0, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<8x9xf32>
  %1 = tensor.insert_slice %b into %0[%o, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x9xf32>
  %2 = tensor.insert_slice %a into %1[0, 1] [1, 4] [1, 2] : tensor<1x4xf32> into tensor<8x9xf32>
  return %2 : tensor<8x9xf32>
}

// A chain within the limit stays, and so do insertions into the same tensor.
// CHECK-LABEL: func @short(
// CHECK-COUNT-4: tensor.insert_slice
// CHECK-NOT: prune.insert_slices
// CHECK: return
func.func @short(%a: tensor<4xf32>, %d: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %0 = tensor.insert_slice %a into %d[0] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %1 = tensor.insert_slice %a into %0[4] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %2 = tensor.insert_slice %a into %d[2] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %3 = tensor.insert_slice %a into %d[3] [4] [1] : tensor<4xf32> into tensor<8xf32>
  return %1, %2, %3 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// What is inserted may be a chain itself.
// CHECK-LABEL: func @nested(
// CHECK: %[[I:.*]] = prune.insert_slices %arg0, %arg0, %arg0 into %arg1
// CHECK: prune.insert_slices %[[I]], %[[I]], %[[I]] into %arg2
func.func @nested(%a: tensor<2xf32>, %d: tensor<6xf32>, %e: tensor<18xf32>) -> tensor<18xf32> {
  %0 = tensor.insert_slice %a into %d[0] [2] [1] : tensor<2xf32> into tensor<6xf32>
  %1 = tensor.insert_slice %a into %0[2] [2] [1] : tensor<2xf32> into tensor<6xf32>
  %2 = tensor.insert_slice %a into %1[4] [2] [1] : tensor<2xf32> into tensor<6xf32>
  %3 = tensor.insert_slice %2 into %e[0] [6] [1] : tensor<6xf32> into tensor<18xf32>
  %4 = tensor.insert_slice %2 into %3[6] [6] [1] : tensor<6xf32> into tensor<18xf32>
  %5 = tensor.insert_slice %2 into %4[12] [6] [1] : tensor<6xf32> into tensor<18xf32>
  return %5 : tensor<18xf32>
}

// A chain whose links are read, through views as well, is cut by a copy.
// CHECK-LABEL: func @cache(
// CHECK: %[[C1:.*]] = tensor.insert_slice %arg0 into %arg1[0]
// CHECK: %[[C2:.*]] = tensor.insert_slice %{{.*}} into %[[C1]][1]
// CHECK: %[[V:.*]] = tensor.collapse_shape
// CHECK: %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[V]]) : tensor<4xf32>
// CHECK: tensor.insert %{{.*}} into %[[COPY]]
func.func @cache(%a: tensor<1xf32>, %d: tensor<4xf32>, %i: index) -> (tensor<1xf32>, tensor<1xf32>, tensor<4xf32>) {
  %f = arith.constant 2.0 : f32
  %0 = tensor.insert_slice %a into %d[0] [1] [1] : tensor<1xf32> into tensor<4xf32>
  %s = tensor.extract_slice %0[%i] [1] [1] : tensor<4xf32> to tensor<1xf32>
  %1 = tensor.insert_slice %s into %0[1] [1] [1] : tensor<1xf32> into tensor<4xf32>
  %t = tensor.extract_slice %1[%i] [1] [1] : tensor<4xf32> to tensor<1xf32>
  %e = tensor.expand_shape %1 [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %v = tensor.collapse_shape %e [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
  %2 = tensor.insert %f into %v[%i] : tensor<4xf32>
  return %s, %t, %2 : tensor<1xf32>, tensor<1xf32>, tensor<4xf32>
}

// Two uses of an empty tensor share one, the next two have one of their own.
// CHECK-LABEL: func @empty(
// CHECK: %[[E0:.*]] = tensor.empty
// CHECK: %[[E1:.*]] = tensor.empty
// CHECK: linalg.exp {{.*}} outs(%[[E0]]
// CHECK: linalg.exp {{.*}} outs(%[[E0]]
// CHECK: linalg.exp {{.*}} outs(%[[E1]]
// CHECK: linalg.exp {{.*}} outs(%[[E1]]
func.func @empty(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %1 = linalg.exp ins(%0 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %2 = linalg.exp ins(%1 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %3 = linalg.exp ins(%2 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// So do uses of constants and of filled tensors.
// CHECK-LABEL: func @fill(
// CHECK-DAG: %[[W0:.*]] = arith.constant dense_resource<w>
// CHECK-DAG: %[[W1:.*]] = arith.constant dense_resource<w>
// CHECK: %[[F0:.*]] = linalg.fill
// CHECK: %[[E:.*]] = tensor.empty
// CHECK: %[[F1:.*]] = linalg.fill {{.*}} outs(%[[E]]
// CHECK: linalg.matmul ins(%arg0, %{{.*}}) outs(%[[F0]]
// CHECK: linalg.matmul ins(%{{.*}}) outs(%[[F0]]
// CHECK: linalg.matmul ins(%{{.*}}) outs(%[[F1]]
func.func @fill(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %z = arith.constant 0.0 : f32
  %w = arith.constant dense_resource<w> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = linalg.matmul ins(%0, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = linalg.matmul ins(%1, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}

{-#
dialect_resources: { builtin: {
w: "0x400000000000803F0000803F0000803F0000803F"
} }
#-}
