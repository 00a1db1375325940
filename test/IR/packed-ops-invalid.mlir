// RUN: prune-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{kernel expects m in [1, 2147483648] but got 0}}
#k = #prune.kernel<dense, m = 0, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func private @use() attributes {k = #k}

// -----

// expected-error @below {{kernel expects k_block in [1, 16] but got 17}}
#k = #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 17>
func.func private @use() attributes {k = #k}

// -----

// expected-error @below {{kernel expects a width that is a power of two but got 12}}
#k = #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 12, tile = 4 x 12, k_block = 16>
func.func private @use() attributes {k = #k}

// -----

// expected-error @below {{kernel expects columns of the tile to be a multiple of width 16 but got 24}}
#k = #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 24, k_block = 16>
func.func private @use() attributes {k = #k}

// -----

// expected-error @below {{kernel with lanes along rows expects k_block = k = 16 but got 8}}
#k = #prune.kernel<dense, m = 4, k = 16, lanes = rows, width = 4, tile = 4 x 1, k_block = 8>
func.func private @use() attributes {k = #k}

// -----

// expected-error @below {{kernel of patterns expects lanes along columns and at most 4 tile rows}}
#k = #prune.kernel<patterns, m = 4, k = 16, lanes = columns, width = 4, tile = 8 x 4, k_block = 8>
func.func private @use() attributes {k = #k}

// -----

// expected-error @below {{kernel of elements expects lanes along rows, width 1 and tile 1 x 1}}
#k = #prune.kernel<elements, m = 4, k = 16, lanes = rows, width = 4, tile = 4 x 1, k_block = 16>
func.func private @use() attributes {k = #k}

// -----

#k = #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @mixed(%v: memref<64xf32>, %x: tensor<1x16x16xf32>, %y: tensor<1x4x16xf32>) {
  // expected-error @below {{expects all operands to be tensors like init but got 'memref<64xf32>'}}
  %0 = prune.packed_matmul #k weights(%v : memref<64xf32>) input(%x : tensor<1x16x16xf32>)
      init(%y : tensor<1x4x16xf32>) -> tensor<1x4x16xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @values(%v: tensor<63xf32>, %x: tensor<1x16x16xf32>, %y: tensor<1x4x16xf32>) {
  // expected-error @below {{expects values of shape [64] but got 'tensor<63xf32>'}}
  %0 = prune.packed_matmul #k weights(%v : tensor<63xf32>) input(%x : tensor<1x16x16xf32>)
      init(%y : tensor<1x4x16xf32>) -> tensor<1x4x16xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<blocks, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @no_indices(%v: tensor<8xf32>, %x: tensor<1x16x16xf32>, %y: tensor<1x4x16xf32>) {
  // expected-error @below {{expects values, indices and positions, since the kernel is not dense}}
  %0 = prune.packed_matmul #k weights(%v : tensor<8xf32>) input(%x : tensor<1x16x16xf32>)
      init(%y : tensor<1x4x16xf32>) -> tensor<1x4x16xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<blocks, m = 4, k = 257, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @narrow_indices(%v: tensor<8xf32>, %i: tensor<2xi8>, %p: tensor<18xi32>, %x: tensor<1x257x16xf32>, %y: tensor<1x4x16xf32>) {
  // expected-error @below {{expects indices wide enough for k = 257 but got 'tensor<2xi8>'}}
  %0 = prune.packed_matmul #k weights(%v, %i, %p : tensor<8xf32>, tensor<2xi8>, tensor<18xi32>) input(%x : tensor<1x257x16xf32>)
      init(%y : tensor<1x4x16xf32>) -> tensor<1x4x16xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<patterns, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @positions(%v: tensor<8xf32>, %i: tensor<2xi8>, %p: tensor<31xi32>, %x: tensor<1x16x16xf32>, %y: tensor<1x4x16xf32>) {
  // expected-error @below {{expects positions of shape [32] but got 'tensor<31xi32>'}}
  %0 = prune.packed_matmul #k weights(%v, %i, %p : tensor<8xf32>, tensor<2xi8>, tensor<31xi32>) input(%x : tensor<1x16x16xf32>)
      init(%y : tensor<1x4x16xf32>) -> tensor<1x4x16xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 32, k_block = 16>
func.func @panel(%v: tensor<64xf32>, %x: tensor<1x16x48xf32>, %y: tensor<1x4x48xf32>) {
  // expected-error @below {{expects input in panels that are a multiple or a divisor of 32 columns, in whole vectors, but got 'tensor<1x16x48xf32>'}}
  %0 = prune.packed_matmul #k weights(%v : tensor<64xf32>) input(%x : tensor<1x16x48xf32>)
      init(%y : tensor<1x4x48xf32>) -> tensor<1x4x48xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<dense, m = 4, k = 16, lanes = rows, width = 4, tile = 4 x 1, k_block = 16>
func.func @init_shape(%v: tensor<64xf32>, %x: tensor<3x16xf32>, %y: tensor<2x4xf32>) {
  // expected-error @below {{expects init of shape [3, 4] but got 'tensor<2x4xf32>'}}
  %0 = prune.packed_matmul #k weights(%v : tensor<64xf32>) input(%x : tensor<3x16xf32>)
      init(%y : tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<dense, m = 4, k = 16, lanes = rows, width = 4, tile = 4 x 1, k_block = 16>
func.func @element_type(%v: tensor<64xf64>, %x: tensor<3x16xf32>, %y: tensor<3x4xf32>) {
  // expected-error @below {{expects element type 'f32' like input but got 'tensor<64xf64>'}}
  %0 = prune.packed_matmul #k weights(%v : tensor<64xf64>) input(%x : tensor<3x16xf32>)
      init(%y : tensor<3x4xf32>) -> tensor<3x4xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<dense, m = 4, k = 16, lanes = rows, width = 4, tile = 4 x 1, k_block = 16>
func.func @epilogue_arguments(%v: tensor<64xf32>, %x: tensor<3x16xf32>, %b: tensor<4xf32>, %y: tensor<3x4xf32>) {
  // expected-error @below {{expects an epilogue with 2 arguments (the element, bias, residual) but got 1}}
  %0 = prune.packed_matmul #k weights(%v : tensor<64xf32>) input(%x : tensor<3x16xf32>)
      bias(%b : tensor<4xf32>) init(%y : tensor<3x4xf32>) -> tensor<3x4xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<dense, m = 4, k = 16, lanes = rows, width = 4, tile = 4 x 1, k_block = 16>
func.func @epilogue_operation(%v: memref<64xf32>, %x: memref<3x16xf32>, %y: memref<3x4xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{expects only elementwise operations in the epilogue}}
  prune.packed_matmul #k weights(%v : memref<64xf32>) input(%x : memref<3x16xf32>)
      init(%y : memref<3x4xf32>) {
  ^bb0(%e: f32):
    // expected-note @below {{this one is not: memref.load}}
    %0 = memref.load %v[%c0] : memref<64xf32>
    prune.yield %0 : f32
  }
  return
}

// -----

func.func @panels_rank(%x: tensor<100xf32>, %y: tensor<2x16x64xf32>) {
  // expected-error @below {{expects an activation of rank 2 and panels of rank 3 but got 'tensor<100xf32>' and 'tensor<2x16x64xf32>'}}
  %0 = prune.pack_panels %x into %y : tensor<100xf32> into tensor<2x16x64xf32> -> tensor<2x16x64xf32>
  return
}

// -----

func.func @panels_count(%x: tensor<100x16xf32>, %y: tensor<3x16x64xf32>) {
  // expected-error @below {{expects panels of shape [2, 16, 64] but got 'tensor<3x16x64xf32>'}}
  %0 = prune.pack_panels %x into %y : tensor<100x16xf32> into tensor<3x16x64xf32> -> tensor<3x16x64xf32>
  return
}

// -----

func.func @panels_dynamic(%x: memref<2x16x?xf32>, %y: memref<100x16xf32>) {
  // expected-error @below {{expects panels of a known number of columns but got 'memref<2x16x?xf32>'}}
  prune.unpack_panels %x into %y : memref<2x16x?xf32> into memref<100x16xf32>
  return
}

// -----

func.func @panels_result(%x: memref<100x16xf32>, %y: memref<2x16x64xf32>) {
  // expected-error @below {{expects no result, since init is a buffer, but got 1}}
  %0 = prune.pack_panels %x into %y : memref<100x16xf32> into memref<2x16x64xf32> -> memref<2x16x64xf32>
  return
}

// -----

#chunked = #prune.kernel<dense, m = 18, k = 8, lanes = columns, width = 16, tile = 4 x 16, k_block = 8>

func.func @chunks_end(%w: memref<160xf32>, %x: memref<1x8x16xf32>, %y: memref<1x18x16xf32>) {
  // expected-error @below {{expects row_chunks to ascend from 0 to the number of groups of rows, 5, but got [0, 2, 4]}}
  prune.packed_matmul #chunked weights(%w : memref<160xf32>) input(%x : memref<1x8x16xf32>) init(%y : memref<1x18x16xf32>) attributes {row_chunks = array<i64: 0, 2, 4>} {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#chunked = #prune.kernel<dense, m = 18, k = 8, lanes = columns, width = 16, tile = 4 x 16, k_block = 8>

func.func @chunks_order(%w: memref<160xf32>, %x: memref<1x8x16xf32>, %y: memref<1x18x16xf32>) {
  // expected-error @below {{expects row_chunks to ascend from 0 to the number of groups of rows, 5, but got [0, 3, 3, 5]}}
  prune.packed_matmul #chunked weights(%w : memref<160xf32>) input(%x : memref<1x8x16xf32>) init(%y : memref<1x18x16xf32>) attributes {row_chunks = array<i64: 0, 3, 3, 5>} {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#chunked = #prune.kernel<dense, m = 18, k = 8, lanes = columns, width = 16, tile = 4 x 16, k_block = 8>

func.func @panels_without_chunks(%w: memref<160xf32>, %x: memref<1x8x16xf32>, %y: memref<1x18x16xf32>) {
  // expected-error @below {{expects row_chunks beside parallel_panels}}
  prune.packed_matmul #chunked weights(%w : memref<160xf32>) input(%x : memref<1x8x16xf32>) init(%y : memref<1x18x16xf32>) attributes {parallel_panels} {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#along_rows = #prune.kernel<dense, m = 16, k = 8, lanes = rows, width = 16, tile = 16 x 1, k_block = 8>

func.func @panels_along_rows(%w: memref<128xf32>, %x: memref<1x8xf32>, %y: memref<1x16xf32>) {
  // expected-error @below {{expects no parallel_panels, since activations are not in panels with lanes along rows}}
  prune.packed_matmul #along_rows weights(%w : memref<128xf32>) input(%x : memref<1x8xf32>) init(%y : memref<1x16xf32>) attributes {row_chunks = array<i64: 0, 1>, parallel_panels} {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<dense, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @windows_of_a_dense_kernel(%v: tensor<64xf32>, %x: tensor<64xf32>, %y: tensor<4x32xf32>) {
  // expected-error @below {{expects lanes along columns and a list of columns to multiply windows of 'tensor<64xf32>' but got}}
  %0 = prune.packed_matmul #k weights(%v : tensor<64xf32>) input(%x : tensor<64xf32>)
      init(%y : tensor<4x32xf32>) -> tensor<4x32xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<blocks, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @windows_in_part_of_a_tile(%v: tensor<64xf32>, %i: tensor<16xi8>, %p: tensor<2xi32>, %x: tensor<64xf32>, %y: tensor<4x33xf32>) {
  // expected-error @below {{expects init to have whole tiles of 16 columns but got 'tensor<4x33xf32>'}}
  %0 = prune.packed_matmul #k weights(%v, %i, %p : tensor<64xf32>, tensor<16xi8>, tensor<2xi32>) input(%x : tensor<64xf32>)
      init(%y : tensor<4x33xf32>) -> tensor<4x33xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<blocks, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @windows_longer_than_the_input(%v: tensor<64xf32>, %i: tensor<16xi8>, %p: tensor<2xi32>, %x: tensor<31xf32>, %y: tensor<4x32xf32>) {
  // expected-error @below {{expects input of at least 32 elements, the length of a window, but got 'tensor<31xf32>'}}
  %0 = prune.packed_matmul #k weights(%v, %i, %p : tensor<64xf32>, tensor<16xi8>, tensor<2xi32>) input(%x : tensor<31xf32>)
      init(%y : tensor<4x32xf32>) -> tensor<4x32xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}

// -----

#k = #prune.kernel<blocks, m = 4, k = 16, lanes = columns, width = 16, tile = 4 x 16, k_block = 16>
func.func @fewer_windows_than_columns(%v: tensor<64xf32>, %i: tensor<16xi8>, %p: tensor<2xi32>, %x: tensor<46xf32>, %y: tensor<4x32xf32>) {
  // expected-error @below {{expects at least 16 windows, one for each column, but 'tensor<46xf32>' has 15 of 32 elements}}
  %0 = prune.packed_matmul #k weights(%v, %i, %p : tensor<64xf32>, tensor<16xi8>, tensor<2xi32>) input(%x : tensor<46xf32>)
      init(%y : tensor<4x32xf32>) -> tensor<4x32xf32> {
  ^bb0(%e: f32):
    prune.yield %e : f32
  }
  return
}
