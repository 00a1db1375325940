// What is dense passes and stays as it is; every lowering but one asks first.
// RUN: prune-opt %s --prune-verify-dense | FileCheck %s
// RUN: prune-opt %s --dump-pass-pipeline --prune-lower-to-llvm 2>&1 | FileCheck %s --check-prefix=DENSE
// RUN: prune-opt %s --dump-pass-pipeline --prune-lower-to-llvm=kernels=packed 2>&1 | FileCheck %s --check-prefix=DENSE
// RUN: prune-opt %s --dump-pass-pipeline --prune-lower-to-llvm=kernels=reference 2>&1 | FileCheck %s --check-prefix=SPARSE
// DENSE: prune-verify-dense
// SPARSE-NOT: prune-verify-dense

// CHECK-LABEL: func.func @dense
// CHECK-NEXT: return
func.func @dense(%w: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %w : tensor<2x3xf32>
}
