// RUN: prune-opt %s --prune-decompose-operations | FileCheck %s

// CHECK-LABEL: func @softmax
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  // CHECK: arith.maxnumf
  // CHECK: arith.subf
  // CHECK: math.exp
  // CHECK: arith.addf
  // CHECK: arith.divf
  // CHECK-NOT: linalg.softmax
  %s = linalg.softmax dimension(1) ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %s : tensor<4x8xf32>
}

// CHECK-LABEL: func @pack
func.func @pack(%x: tensor<6x8xf32>, %e: tensor<2x4x3x2xf32>, %f: tensor<6x8xf32>) -> (tensor<2x4x3x2xf32>, tensor<6x8xf32>) {
  // CHECK: tensor.expand_shape
  // CHECK: linalg.transpose
  // CHECK: linalg.transpose
  // CHECK: tensor.collapse_shape
  // CHECK-NOT: linalg.{{(un)?}}pack
  %p = linalg.pack %x inner_dims_pos = [0, 1] inner_tiles = [3, 2] into %e : tensor<6x8xf32> -> tensor<2x4x3x2xf32>
  %u = linalg.unpack %p inner_dims_pos = [0, 1] inner_tiles = [3, 2] into %f : tensor<2x4x3x2xf32> -> tensor<6x8xf32>
  return %p, %u : tensor<2x4x3x2xf32>, tensor<6x8xf32>
}

// CHECK-LABEL: func @concat
func.func @concat(%x: tensor<4x8xf32>) -> tensor<8x8xf32> {
  // CHECK-COUNT-2: tensor.insert_slice
  // CHECK-NOT: tensor.concat
  %c = tensor.concat dim(0) %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  return %c : tensor<8x8xf32>
}

// Open offsets are sums of two, whatever the number of operands; a size that one
// operand knows, or the result, holds for all.
// CHECK-LABEL: func @open_concat
// CHECK: %[[A:.*]] = tensor.dim %arg0, %{{.*}} : tensor<?x?xf32>
// CHECK: %[[B:.*]] = tensor.dim %arg1, %{{.*}} : tensor<?x8xf32>
// CHECK: %[[AB:.*]] = arith.addi %[[A]], %[[B]] : index
// CHECK: %[[ALL:.*]] = arith.addi %[[AB]], %{{.*}} : index
// CHECK: %[[E:.*]] = tensor.empty(%[[ALL]]) : tensor<?x8xf32>
// CHECK: tensor.insert_slice %arg0 into %[[E]][0, 0]
// CHECK: tensor.insert_slice %arg1 into %{{.*}}[%[[A]], 0]
// CHECK: tensor.insert_slice %arg2 into %{{.*}}[%[[AB]], 0]
// CHECK: tensor.cast %{{.*}} : tensor<?x8xf32> to tensor<?x?xf32>
func.func @open_concat(%x: tensor<?x?xf32>, %y: tensor<?x8xf32>, %z: tensor<3x?xf32>) -> tensor<?x?xf32> {
  %c = tensor.concat dim(0) %x, %y, %z : (tensor<?x?xf32>, tensor<?x8xf32>, tensor<3x?xf32>) -> tensor<?x?xf32>
  return %c : tensor<?x?xf32>
}

// CHECK-LABEL: func @gather
func.func @gather(%x: tensor<4x?xf32>, %i: tensor<3x1xi32>) -> tensor<3x?xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %{{.*}} : tensor<4x?xf32>
  // CHECK: tensor.generate %[[N]] {
  // CHECK: ^bb0(%[[A:.*]]: index, %[[B:.*]]: index):
  // CHECK: %[[I:.*]] = tensor.extract %{{.*}}[%[[A]], %{{.*}}] : tensor<3x1xi32>
  // CHECK: %[[R:.*]] = arith.index_cast %[[I]] : i32 to index
  // CHECK: tensor.extract %{{.*}}[%[[R]], %[[B]]] : tensor<4x?xf32>
  %g = tensor.gather %x[%i] gather_dims([0]) : (tensor<4x?xf32>, tensor<3x1xi32>) -> tensor<3x?xf32>
  return %g : tensor<3x?xf32>
}

// CHECK-LABEL: func @scatter
func.func @scatter(%s: tensor<2x1x8xf32>, %d: tensor<4x8xf32>, %i: tensor<2x1xindex>) -> tensor<4x8xf32> {
  // CHECK-COUNT-3: scf.for
  // CHECK: tensor.insert
  %r = tensor.scatter %s into %d[%i] scatter_dims([0]) unique : (tensor<2x1x8xf32>, tensor<4x8xf32>, tensor<2x1xindex>) -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// CHECK-LABEL: func @bitcast
func.func @bitcast(%x: tensor<4xf32>) -> tensor<4xi32> {
  // CHECK: arith.bitcast %{{.*}} : tensor<4xf32> to tensor<4xi32>
  %b = tensor.bitcast %x : tensor<4xf32> to tensor<4xi32>
  return %b : tensor<4xi32>
}

// A type that arithmetic does not know stays.
// CHECK-LABEL: func @keeps_unsigned
func.func @keeps_unsigned(%x: tensor<4xi8>) -> tensor<4xui8> {
  // CHECK: tensor.bitcast
  %b = tensor.bitcast %x : tensor<4xi8> to tensor<4xui8>
  return %b : tensor<4xui8>
}

// CHECK-LABEL: func @switch
func.func @switch(%i: index, %x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[R:.*]] = scf.if
  // CHECK-NEXT: scf.yield %{{.*}}
  // CHECK-NEXT: } else {
  // CHECK: scf.if
  // CHECK-NOT: scf.index_switch
  %r = scf.index_switch %i -> tensor<4xf32>
  case 2 {
    scf.yield %x : tensor<4xf32>
  }
  case 7 {
    scf.yield %y : tensor<4xf32>
  }
  default {
    %s = arith.addf %x, %y : tensor<4xf32>
    scf.yield %s : tensor<4xf32>
  }
  // CHECK: return %[[R]]
  return %r : tensor<4xf32>
}

// Two open sizes in a run: upstream cannot lower it.
// CHECK-LABEL: func @open_expansion
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>, %[[N:.*]]: index, %[[M:.*]]: index)
func.func @open_expansion(%x: tensor<?xf32>, %n: index, %m: index) -> tensor<?x3x?xf32> {
  // CHECK: %[[C:.*]] = arith.constant 3 : index
  // CHECK: %[[S:.*]] = tensor.from_elements %[[N]], %[[C]], %[[M]] : tensor<3xindex>
  // CHECK: tensor.reshape %[[X]](%[[S]]) : (tensor<?xf32>, tensor<3xindex>) -> tensor<?x3x?xf32>
  %r = tensor.expand_shape %x [[0, 1, 2]] output_shape [%n, 3, %m] : tensor<?xf32> into tensor<?x3x?xf32>
  return %r : tensor<?x3x?xf32>
}

// One open size in each run follows from the others.
// CHECK-LABEL: func @keeps_expansion
func.func @keeps_expansion(%x: tensor<?x?xf32>, %n: index, %m: index) -> tensor<?x3x2x?xf32> {
  // CHECK: tensor.expand_shape
  %r = tensor.expand_shape %x [[0, 1], [2, 3]] output_shape [%n, 3, 2, %m] : tensor<?x?xf32> into tensor<?x3x2x?xf32>
  return %r : tensor<?x3x2x?xf32>
}
