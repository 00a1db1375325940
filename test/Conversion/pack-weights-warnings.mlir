// Where no weight is packed, both packing passes say why, unless told not to; a
// lowering that packs what can be packed does not.
// RUN: prune-opt %s --prune-pack-weights -o %t 2>&1 | FileCheck %s --check-prefix=PACK
// RUN: prune-opt %s --prune-pack-weights=exclude=weight -o %t 2>&1 | FileCheck %s --check-prefix=FILTER
// RUN: prune-opt %s --prune-sparsify-weights -o %t 2>&1 | FileCheck %s --check-prefix=SPARSE
// RUN: prune-opt %s --prune-pack-weights=quiet --prune-sparsify-weights=quiet -o %t 2>&1 | FileCheck %s --check-prefix=QUIET --allow-empty
// RUN: prune-opt %s --prune-lower-to-llvm=kernels=packed -o %t 2>&1 | FileCheck %s --check-prefix=QUIET --allow-empty
// RUN: prune-opt %s --prune-lower-to-llvm=kernels=reference -o %t 2>&1 | FileCheck %s --check-prefix=QUIET --allow-empty
// RUN: prune-opt %s --prune-lower-to-llvm --prune-pack-weights -o %t 2>&1 | FileCheck %s --check-prefix=LOWERED

// PACK: warning: prune-pack-weights: nothing was packed
// PACK: note: left alone once: its sums are neither f32 nor f64; prune-widen-sums makes them so ('weight0')
// FILTER: note: left alone once: is filtered out by include or exclude ('weight0')
// SPARSE: warning: prune-sparsify-weights: nothing was packed
// SPARSE: note: left alone once: its density is above max-density ('weight0')
// QUIET-NOT: warning
// LOWERED: warning: prune-pack-weights: nothing was packed: the module is lowered to buffers or LLVM already
func.func @main(%x: tensor<3x2xf16>, %o: tensor<3x2xf16>) -> tensor<3x2xf16> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf16>
  %0 = linalg.matmul ins(%x, %w : tensor<3x2xf16>, tensor<2x2xf16>) outs(%o : tensor<3x2xf16>) -> tensor<3x2xf16>
  return %0 : tensor<3x2xf16>
}
