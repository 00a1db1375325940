// RUN: split-file %s %t
// RUN: prune-opt %t/net.mlir --prune-mask-channels=ratio=0.5 --remarks-filter="prune-mask-channels" -o %t/masked.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --check-prefix=MASK < %t/masked.mlir
// RUN: prune-opt %t/net.mlir --prune-mask-channels="ratio=0.5 export-safe=true" -o - | FileCheck %s --check-prefix=MASK
// RUN: prune-opt %t/net.mlir --prune-mask-channels="ratio=0.5 export-safe=false" -o - | FileCheck %s --check-prefix=FREE
// RUN: prune-opt %t/net.mlir --prune-mask-channels="ratio=0.5 export-safe=false" --prune-fold-masks --prune-remove-channels -o - | FileCheck %s --check-prefix=KEPT
// RUN: prune-opt %t/net.mlir --prune-mask-channels="ratio=0.5 export-safe=false" --prune-fold-masks --prune-remove-channels=export-safe=false -o - | FileCheck %s --check-prefix=GONE
// RUN: not prune-opt %t/plain.mlir --prune-mask-channels=export-safe=true -o - 2>&1 | FileCheck %s --check-prefix=PLAIN
// RUN: not prune-opt %t/plain.mlir --prune-remove-channels=export-safe=yes -o - 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not prune-opt %t/plain.mlir --prune-print-channel-groups=export-safe=yes -o - 2>&1 | FileCheck %s --check-prefix=VALUE

// A file needs all channels of the second layer, and of the first those that
// stand beside each other leave together: with all of one size, the last pair.

// REMARK: Group=fc2, Reason="linalg.matmul: no ONNX file can lose it, since node 'mean' (ReduceMean) needs all of it; export-safe=false ignores that"
// MASK: prune.mask {{.*}} {count = 1 : i64, pattern = #prune.block<[2]>} : tensor<4xf64>
// MASK-NOT: prune.mask
// FREE: prune.mask {{.*}} {count = 2 : i64, pattern = #prune.element} : tensor<4xf64>
// FREE: prune.mask {{.*}} {count = 2 : i64, pattern = #prune.element} : tensor<4xf64>

// What was masked all the same stays, until it need not be exported any more.
// KEPT: module
// KEPT: linalg.matmul {{.*}}tensor<1x4xf32>, tensor<4x1xf32>
// GONE: linalg.matmul {{.*}}tensor<1x2xf32>, tensor<2x2xf32>
// GONE: linalg.matmul {{.*}}tensor<1x2xf32>, tensor<2x1xf32>

// PLAIN: error: prune-mask-channels: option 'export-safe': the module has no 'prune.onnx', which an import from ONNX gives it; use auto or false
// VALUE: error: prune-{{.*}}: option 'export-safe' expects auto, true or false but got 'yes'

//--- net.mlir
module attributes {prune.onnx = {fc1 = [unit, array<i64: 0, 0, 2, 2>], fc2 = [array<i64: 7, 7, 1, 1>, "node 'mean' (ReduceMean)"], other = 3}} {
func.func @net(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %fc1 = arith.constant dense_resource<fc1> : tensor<1x4xf32>
  %fc2 = arith.constant dense_resource<fc2> : tensor<4x4xf32>
  %fc3 = arith.constant dense_resource<fc3> : tensor<4x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x4xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %a = linalg.matmul ins(%x, %fc1 : tensor<1x1xf32>, tensor<1x4xf32>) outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
  %b = linalg.matmul ins(%a, %fc2 : tensor<1x4xf32>, tensor<4x4xf32>) outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
  %c = linalg.matmul ins(%b, %fc3 : tensor<1x4xf32>, tensor<4x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %c : tensor<1x1xf32>
}
}
{-#
  dialect_resources: { builtin: {
    fc1: "0x0400000000008040000080400000804000008040",
    fc2: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F",
    fc3: "0x040000000000803F0000803F0000803F0000803F"
  } }
#-}

//--- plain.mlir
func.func @f() {
  return
}
