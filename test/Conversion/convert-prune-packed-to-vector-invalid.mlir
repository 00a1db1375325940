// RUN: prune-opt %s --convert-prune-packed-to-vector --split-input-file --verify-diagnostics
// RUN: not prune-opt %s --convert-prune-packed-to-vector=vector-bits=100 --split-input-file 2>&1 | FileCheck %s
// RUN: not prune-opt %s --convert-prune-packed-to-vector=threads=2000 --split-input-file 2>&1 | FileCheck %s --check-prefix=THREADS
// THREADS: expects threads in [1, 1024] but got 2000
// CHECK: expects vector-bits to be a power of two in [64, 2048] but got 100

func.func @tensors(%x: tensor<100x16xf32>, %y: tensor<2x16x64xf32>) -> tensor<2x16x64xf32> {
  // expected-error @below {{cannot expand 'prune.pack_panels' on tensors; bufferize it first}}
  %0 = prune.pack_panels %x into %y : tensor<100x16xf32> into tensor<2x16x64xf32> -> tensor<2x16x64xf32>
  return %0 : tensor<2x16x64xf32>
}

// -----

func.func @strided(%x: memref<100x16xf32, strided<[1, 100]>>, %y: memref<2x16x64xf32>) {
  // expected-error @below {{expects buffers whose innermost dimension is dense but got 'memref<100x16xf32, strided<[1, 100]>>'}}
  prune.pack_panels %x into %y : memref<100x16xf32, strided<[1, 100]>> into memref<2x16x64xf32>
  return
}
