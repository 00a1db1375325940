// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.random.default_rng(0).normal(size=(64, 4)).astype('f'))"
// RUN: prune-opt %s --prune-measure-sensitivity="data=%t.npy levels=0.25,0.5 patterns=element,block:1x2,2:4 output=%t.json" -o %t.mlir
// RUN: FileCheck %s --input-file=%t.json
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=SAME
// RUN: prune-opt %s --prune-measure-sensitivity="data=%t.npy levels=0.5 latency=true loss=error output=%t.csv" -o /dev/null
// RUN: FileCheck %s --input-file=%t.csv --check-prefix=CSV
// RUN: prune-opt %s --prune-compress-weights="data=%t.npy levels=0.25,0.5 patterns=element,block:1x2,2:4 table=%t.json budget=params:0.5" 2>&1 | FileCheck %s --check-prefix=ALLOCATED

// The dense layer is the first level. 2:4 has a sparsity of its own.

// CHECK: "version": 1
// CHECK-NEXT: "loss": "kl"
// CHECK-NEXT: "samples": 64
// CHECK: "name": "fc"
// CHECK-NEXT: "elements": 8
// CHECK-NEXT: "uses": 1
// CHECK: "pattern": ""
// CHECK: "kept": 8
// CHECK: "loss": 0
// CHECK: "pattern": "element"
// CHECK-NEXT: "sparsity": 0.25
// CHECK-NEXT: "kept": 6
// CHECK: "pattern": "block:1x2"
// CHECK-NEXT: "sparsity": 0.25
// CHECK-NEXT: "kept": 6
// CHECK: "pattern": "2:4"
// CHECK-NEXT: "sparsity": 0
// CHECK-NEXT: "kept": 4

// SAME: dense_resource<fc> : tensor<2x4xf32>

// CSV: layer,elements,uses,pattern,sparsity,kept,layer_error,error,microseconds
// CSV-NEXT: fc,8,1,dense,0,8,0,0,{{[0-9]}}
// CSV-NEXT: fc,8,1,element,0.5,4,{{.*}},{{.*}},{{[0-9]}}

// ALLOCATED: remark: prune-compress-weights: kept 4 of 8 elements, allocated by {{the|loss|layer|evolution}}
// ALLOCATED: fc = {by = "prune-compress-weights"

func.func @main(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %fc = arith.constant dense_resource<fc> : tensor<2x4xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>]
      ins(%x, %fc : tensor<?x4xf32>, tensor<2x4xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc: "0x040000000000803F0000004000004040000080400000A0400000C0400000E04000000041"
    }
  }
#-}
