// RUN: prune-opt %s | prune-opt | FileCheck %s

// Known and open offsets, sizes and strides; a source may leave out dimensions
// of size one.
// CHECK-LABEL: func @insert
// CHECK: prune.insert_slices %arg0, %arg1 into %arg2 offsets [0, 0, %arg3, 0] sizes [1, 4, %arg4, 4] strides [1, 1, %arg5, 1] : tensor<4xf32>, tensor<?x4xf32> into tensor<8x4xf32>
func.func @insert(%a: tensor<4xf32>, %b: tensor<?x4xf32>, %d: tensor<8x4xf32>, %o: index, %n: index, %s: index) -> tensor<8x4xf32> {
  %r = prune.insert_slices %a, %b into %d offsets [0, 0, %o, 0] sizes [1, 4, %n, 4] strides [1, 1, %s, 1]
     : tensor<4xf32>, tensor<?x4xf32> into tensor<8x4xf32>
  return %r : tensor<8x4xf32>
}

// A scalar has no offsets.
// CHECK-LABEL: func @scalar
// CHECK: prune.insert_slices %arg0 into %arg1 offsets [] sizes [] strides [] : tensor<i8> into tensor<i8>
func.func @scalar(%a: tensor<i8>, %d: tensor<i8>) -> tensor<i8> {
  %r = prune.insert_slices %a into %d offsets [] sizes [] strides [] : tensor<i8> into tensor<i8>
  return %r : tensor<i8>
}
