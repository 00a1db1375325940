// RUN: prune-opt %s --split-input-file --verify-diagnostics

func.func @offsets(%a: tensor<1x4xf32>, %d: tensor<8x4xf32>) {
  // expected-error @below {{expects 2 offsets, one per source and dimension, but got 1}}
  %r = prune.insert_slices %a into %d offsets [0] sizes [1, 4] strides [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  return
}

// -----

func.func @sizes(%a: tensor<1x4xf32>, %d: tensor<8x4xf32>) {
  // expected-error @below {{expects 2 sizes, one per source and dimension, but got 3}}
  %r = prune.insert_slices %a into %d offsets [0, 0] sizes [1, 4, 1] strides [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  return
}

// -----

func.func @strides(%a: tensor<1x4xf32>, %d: tensor<8x4xf32>) {
  // expected-error @below {{expects 2 strides, one per source and dimension, but got 0}}
  %r = prune.insert_slices %a into %d offsets [0, 0] sizes [1, 4] strides [] : tensor<1x4xf32> into tensor<8x4xf32>
  return
}

// -----

func.func @open(%a: tensor<1x4xf32>, %d: tensor<8x4xf32>, %i: index) {
  // expected-error @below {{expects 2 values of offsets but got 1}}
  %r = "prune.insert_slices"(%a, %d, %i) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>,
    static_offsets = array<i64: -9223372036854775808, -9223372036854775808>, static_sizes = array<i64: 1, 4>,
    static_strides = array<i64: 1, 1>}> : (tensor<1x4xf32>, tensor<8x4xf32>, index) -> tensor<8x4xf32>
  return
}

// -----

func.func @negative(%a: tensor<1x4xf32>, %d: tensor<8x4xf32>) {
  // expected-error @below {{expects sizes of at least 0 but got -1}}
  %r = prune.insert_slices %a into %d offsets [0, 0] sizes [-1, 4] strides [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  return
}

// -----

func.func @shape(%a: tensor<1x4xf32>, %b: tensor<2x4xf32>, %d: tensor<8x4xf32>) {
  // expected-error @below {{expects source 1 to be 'tensor<1x4xf32>' or that without dimensions of size one but got 'tensor<2x4xf32>'}}
  %r = prune.insert_slices %a, %b into %d offsets [0, 0, 1, 0] sizes [1, 4, 1, 4] strides [1, 1, 1, 1]
     : tensor<1x4xf32>, tensor<2x4xf32> into tensor<8x4xf32>
  return
}

// -----

func.func @element(%a: tensor<1x4xf16>, %d: tensor<8x4xf32>) {
  // expected-error @below {{expects source 0 to be 'tensor<1x4xf32>'}}
  %r = prune.insert_slices %a into %d offsets [0, 0] sizes [1, 4] strides [1, 1] : tensor<1x4xf16> into tensor<8x4xf32>
  return
}

// -----

func.func @bounds(%a: tensor<1x4xf32>, %d: tensor<8x4xf32>) {
  // expected-error @below {{expects source 0 to be within bounds: offset 0 is out-of-bounds: 8 >= 8}}
  %r = prune.insert_slices %a into %d offsets [8, 0] sizes [1, 4] strides [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  return
}
