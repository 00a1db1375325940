// Tools that have never heard of pruning read, and write back, a network that
// was pruned, and the report of it stays the same.

// RUN: prune-opt %s --prune-weights="criterion=l2 sparsity=0.5 include=^dense" --prune-mask-channels="ratio=0.5 include=^first" \
// RUN:   --prune-fold-masks --prune-remove-channels=allow-signature-change -o %t.pruned.mlir
// RUN: FileCheck %s --check-prefix=PRUNED --input-file=%t.pruned.mlir
// RUN: mlir-opt %t.pruned.mlir -o %t.stock.mlir
// RUN: diff %t.pruned.mlir %t.stock.mlir
// RUN: prune-opt %t.pruned.mlir --prune-report-weights="format=json output=%t.own.json" -o /dev/null
// RUN: prune-opt %t.stock.mlir --prune-report-weights="format=json output=%t.stock.json" -o /dev/null
// RUN: sed s/tmp.stock/tmp.pruned/ %t.stock.json | diff %t.own.json -

// Through bytecode as well. (Of files that are read instead of mapped, which are
// those of a few kilobytes, upstream's reader refuses data that is aligned to 64
// bytes. So the last weight is large.)
// RUN: prune-opt %t.pruned.mlir --emit-bytecode -o %t.pruned.mlirbc
// RUN: mlir-opt %t.pruned.mlirbc --emit-bytecode -o %t.stock.mlirbc
// RUN: prune-opt %t.stock.mlirbc | diff %t.pruned.mlir -

// Records consist of builtin attributes, and they are there.
// PRUNED-NOT: #prune.{{[a-z]+}}<{{[^"]*}},
// PRUNED: module attributes {prune.kept = {{.*}}, prune.multiplications = array<i64: {{.*}}>, prune.weights = {dense = {by = "prune-mask-weights", criterion = "#prune.magnitude<l2>", {{.*}}pattern = "#prune.element", {{.*}}scope = "local", sparsity = 5.000000e-01 : f64{{.*}}}, first = {
// PRUNED: prune.kept = [unit, array<i64: 0, 1, 2>]

// Lowering leaves nothing of them, and stock mlir-translate makes LLVM IR of it
// without a word.
// RUN: prune-opt %t.pruned.mlir --prune-lower-to-llvm=kernels=packed -o %t.llvm.mlir
// RUN: FileCheck %s --check-prefix=LOWERED --input-file=%t.llvm.mlir --implicit-check-not=prune
// RUN: mlir-translate --mlir-to-llvmir %t.llvm.mlir 2>&1 | FileCheck %s --check-prefix=LLVM --implicit-check-not=warning --implicit-check-not=prune
// LOWERED: llvm.func @main(
// LLVM: define {{.*}} @main(

// The last input has no weights. Two of the four neurons of `first` leave.
func.func @main(%x: tensor<1x4xf32> {prune.name = "input"}) -> (tensor<1x8192xf32> {prune.name = "output"}) {
  %first = arith.constant dense_resource<first> : tensor<4x4xf32>
  %dense = arith.constant dense_resource<dense> : tensor<4x2xf32>
  %z4 = arith.constant dense<0.0> : tensor<1x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x2xf32>
  %h = linalg.matmul ins(%x, %first : tensor<1x4xf32>, tensor<4x4xf32>) outs(%z4 : tensor<1x4xf32>) -> tensor<1x4xf32>
  %y = linalg.matmul ins(%h, %dense : tensor<1x4xf32>, tensor<4x2xf32>) outs(%z2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %last = arith.constant dense<0.5> : tensor<2x8192xf32>
  %e = tensor.empty() : tensor<1x8192xf32>
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8192xf32>) -> tensor<1x8192xf32>
  %r = linalg.matmul ins(%y, %last : tensor<1x2xf32>, tensor<2x8192xf32>) outs(%z : tensor<1x8192xf32>) -> tensor<1x8192xf32>
  return %r : tensor<1x8192xf32>
}
{-#
dialect_resources: { builtin: {
  first: "0x040000000000803F000000400000404000008040000080400000803F00000040000040400000803F00000040000040400000803F00000000000000000000000000000000",
  dense: "0x040000000000803F0000004000004040000080400000803F000000400000404000008040"
} }
#-}
