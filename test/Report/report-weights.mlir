// RUN: prune-opt %s --prune-report-weights -o /dev/null | FileCheck %s --check-prefix=UNPRUNED
// RUN: prune-opt %s --prune-weights="sparsity=0.5 exclude=^other" -o %t.pruned
// RUN: prune-opt %t.pruned --prune-report-weights -o /dev/null | FileCheck %s --check-prefix=PRUNED
// RUN: prune-opt %t.pruned --prune-report-weights="format=json output=%t.json" -o /dev/null
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t.json
// RUN: prune-opt %t.pruned --mlir-disable-threading --prune-report-weights="format=json output=%t.single" -o /dev/null
// RUN: diff %t.json %t.single
// The packed forms have names, too, also after each kernel has a function of its own.
// RUN: prune-opt %t.pruned --prune-sparsify-weights="formats=shared:csr,fc:2x1,zeros:csr max-density=1 exclude=other" --prune-outline-sparse-kernels --prune-report-weights -o /dev/null | FileCheck %s --check-prefix=SPARSE
// RUN: prune-opt %t.pruned --prune-pack-weights="form=elements" --prune-report-weights -o /dev/null | FileCheck %s --check-prefix=PACKED
// A module is not changed.
// RUN: prune-opt %t.pruned --prune-report-weights=output=/dev/null | diff - %t.pruned

// One line a weight, in the order of first uses. A constant with two uses is one
// weight; a splat counts with all its elements.
//      UNPRUNED: {{^weight +type +elements +nonzeros +zeros +criterion +pattern +scope +target +removed +cut +format +bytes +was$}}
// UNPRUNED-NEXT: {{^fc +4x2xf32 +8 +8 +0.00% +- +- +- +- +- +- +dense +32 +32$}}
// UNPRUNED-NEXT: {{^shared +2x2xf16 +4 +3 +25.00% +- +- +- +- +- +- +dense +8 +8$}}
// UNPRUNED-NEXT: {{^weight0 +2x2xf32 +4 +4 +0.00% +- +- +- +- +- +- +dense +16 +16$}}
// UNPRUNED-NEXT: {{^zeros +2x2xf32 +4 +0 +100.00% +- +- +- +- +- +- +dense +16 +16$}}
// UNPRUNED-NEXT: {{^other +2x2xf64 +4 +4 +0.00% +- +- +- +- +- +- +dense +32 +32$}}
// UNPRUNED-NEXT: {{^total +24 +19 +20.83% +104 +104$}}
//      UNPRUNED: {{^}}0 of 5 weights pruned
//      UNPRUNED: {{^}}not pruned: fc ({{.*}}report-weights.mlir:[[@LINE+65]]:8): nothing was decided for it
//      UNPRUNED: {{^}}not pruned: linalg.matmul ({{.*}}): its weight is an argument of the function
//      UNPRUNED: {{^}}not pruned: whole ({{.*}}): its weight is a slice of a constant with a stride
//      UNPRUNED: {{^}}not pruned: bytes ({{.*}}): element type i8 is not one of f64, f32, f16, bf16

// What was decided, what is left, and why the rest was left alone.
//      PRUNED: {{^fc +4x2xf32 +8 +4 +50.00% +#prune.magnitude<l1> +#prune.element +local +sparsity 0.5 +4 of 8 elements +[0-9.]+ +dense +32 +32$}}
// PRUNED-NEXT: {{^shared +2x2xf16 +4 +2 +50.00% }}
// PRUNED-NEXT: {{^weight0 +2x2xf32 +4 +2 +50.00% }}
// PRUNED-NEXT: {{^zeros +2x2xf32 +4 +0 +100.00% +#prune.magnitude<l1> }}
// PRUNED-NEXT: {{^other +2x2xf64 +4 +4 +0.00% +- }}
//      PRUNED: {{^}}4 of 5 weights pruned
//      PRUNED: {{^}}not pruned: other ({{.*}}): is filtered out by include or exclude

// JSON: "weights": [
// JSON: "name": "fc",
// JSON: "type": "f32",
// JSON-NEXT: "shape": [
// JSON-NEXT: 4,
// JSON-NEXT: 2
// JSON-NEXT: ],
// JSON-NEXT: "shape_before": [
// JSON-NEXT: 4,
// JSON-NEXT: 2
// JSON-NEXT: ],
// JSON-NEXT: "elements": 8,
// JSON-NEXT: "nonzeros": 4,
// JSON-NEXT: "uses": 1,
// JSON-NEXT: "pruned": true,
// JSON-NEXT: "reason": null,
// JSON-NEXT: "by": "prune-mask-weights",
// JSON-NEXT: "criterion": "#prune.magnitude<l1>",
// JSON-NEXT: "pattern": "#prune.element",
// JSON-NEXT: "scope": "local",
// JSON-NEXT: "group": null,
// JSON-NEXT: "target": {
// JSON-NEXT: "sparsity": 0.5
// JSON-NEXT: },
// JSON-NEXT: "unit": "element",
// JSON-NEXT: "kept": 4,
// JSON-NEXT: "removed": 4,
// JSON-NEXT: "cut": {{[0-9.]+}},
// JSON-NEXT: "earlier": [],
// JSON-NEXT: "achieved": 0.5,
// JSON-NEXT: "format": "dense",
// JSON-NEXT: "bytes_before": 32,
// JSON-NEXT: "bytes_after": 32
// JSON: "name": "shared"
// JSON: "uses": 2
// JSON: "not_pruned": [
// JSON: "totals": {
// JSON-NEXT: "weights": 5,
// JSON-NEXT: "pruned": 4,

// Kernels in functions of their own come after what stays in the function.
//      SPARSE: {{^other +2x2xf64 +4 +4 +0.00% .* dense +32 +32$}}
//      SPARSE: {{^fc +4x2xf32 +8 +4 +50.00% .* 2x1 +20 +32$}}
// SPARSE-NEXT: {{^shared +2x2xf16 +4 +2 +50.00% .* csr +13 +8$}}
// SPARSE-NEXT: {{^weight0 +2x2xf32 +4 +2 +50.00% .* csr +13 +16$}}
// SPARSE-NEXT: {{^zeros +2x2xf32 +4 +0 +100.00% .* removed +0 +16$}}

// PACKED: {{^fc +4x2xf32 +8 +4 +50.00% .* packed-elements +[0-9]+ +32$}}
// PACKED: {{^shared +2x2xf16 +4 +2 +50.00% .* dense +8 +8$}}
func.func @main(%x: tensor<3x4xf32>, %h: tensor<3x2xf16>, %d: tensor<3x2xf64>, %q: tensor<3x2xi8>, %at: index)
    -> (tensor<3x2xf32>, tensor<3x2xf16>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf64>, tensor<3x2xi8>) {
  %w = arith.constant dense_resource<fc> : tensor<4x2xf32>
  %z = arith.constant dense<0.0> : tensor<3x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>

  // Two uses, one of them transposed.
  %s = arith.constant dense_resource<shared> : tensor<2x2xf16>
  %e = tensor.empty() : tensor<2x2xf16>
  %t = linalg.transpose ins(%s : tensor<2x2xf16>) outs(%e : tensor<2x2xf16>) permutation = [1, 0]
  %hz = arith.constant dense<0.0> : tensor<3x2xf16>
  %1 = linalg.matmul ins(%h, %s : tensor<3x2xf16>, tensor<2x2xf16>) outs(%hz : tensor<3x2xf16>) -> tensor<3x2xf16>
  %2 = linalg.matmul ins(%1, %t : tensor<3x2xf16>, tensor<2x2xf16>) outs(%hz : tensor<3x2xf16>) -> tensor<3x2xf16>

  %splat = arith.constant dense<2.0> : tensor<2x2xf32>
  %3 = linalg.matmul ins(%0, %splat : tensor<3x2xf32>, tensor<2x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  %zeros = arith.constant dense_resource<zeros> : tensor<2x2xf32>
  %4 = linalg.matmul ins(%0, %zeros : tensor<3x2xf32>, tensor<2x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>

  %o = arith.constant dense_resource<other> : tensor<2x2xf64>
  %dz = arith.constant dense<0.0> : tensor<3x2xf64>
  %5 = linalg.matmul ins(%d, %o : tensor<3x2xf64>, tensor<2x2xf64>) outs(%dz : tensor<3x2xf64>) -> tensor<3x2xf64>

  // No operand is a constant; and one whose constant has another type.
  %wt = tensor.extract_slice %x[0, 0] [2, 2] [1, 1] : tensor<3x4xf32> to tensor<2x2xf32>
  %6 = linalg.matmul ins(%4, %wt : tensor<3x2xf32>, tensor<2x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  %whole = arith.constant dense_resource<whole> : tensor<2x2x2xf32>
  %half = tensor.extract_slice %whole[%at, 0, 0] [1, 2, 2] [1, 1, 1] : tensor<2x2x2xf32> to tensor<2x2xf32>
  %half_t = linalg.transpose ins(%half : tensor<2x2xf32>) outs(%wt : tensor<2x2xf32>) permutation = [1, 0]
  %8 = linalg.matmul ins(%6, %half_t : tensor<3x2xf32>, tensor<2x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  %b = arith.constant dense_resource<bytes> : tensor<2x2xi8>
  %bz = arith.constant dense<0> : tensor<3x2xi8>
  %7 = linalg.matmul ins(%q, %b : tensor<3x2xi8>, tensor<2x2xi8>) outs(%bz : tensor<3x2xi8>) -> tensor<3x2xi8>
  return %0, %2, %3, %8, %5, %7 : tensor<3x2xf32>, tensor<3x2xf16>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf64>, tensor<3x2xi8>
}

{-# dialect_resources: { builtin: {
  fc: "0x040000000000803F000000400000404000008040000080BF000000C0000040C0000080C0",
  shared: "0x02000000003C004000420080",
  zeros: "0x0400000000000000000000800000000000000000",
  whole: "0x04000000000080BF000000C000000000000000C0000080BF000000C0000080BF000000C0",
  other: "0x08000000000000000000F03F000000000000004000000000000008400000000000001040",
  bytes: "0x0100000001020304"
} } #-}
