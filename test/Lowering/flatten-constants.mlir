// RUN: prune-opt %s --prune-flatten-constants | FileCheck %s

// Numbers become bytes; what describes the global stays.
// CHECK: llvm.mlir.global private constant @floats(dense_resource<floats> : tensor<16xi8>) {addr_space = 0 : i32, alignment = 64 : i64} : !llvm.array<16 x i8>
llvm.mlir.global private constant @floats(dense_resource<floats> : tensor<2x2xf32>) {addr_space = 0 : i32, alignment = 64 : i64} : !llvm.array<2 x array<2 x f32>>
// CHECK: llvm.mlir.global private constant @shorts(dense_resource<shorts> : tensor<6xi8>) {{.*}}: !llvm.array<6 x i8>
llvm.mlir.global private constant @shorts(dense_resource<shorts> : tensor<3xi16>) : !llvm.array<3 x i16>

// A splat, bytes, and booleans are not touched.
// CHECK: llvm.mlir.global private constant @splat(dense<1.000000e+00> : tensor<4xf32>) {{.*}}: !llvm.array<4 x f32>
llvm.mlir.global private constant @splat(dense<1.0> : tensor<4xf32>) : !llvm.array<4 x f32>
// CHECK: llvm.mlir.global private constant @bytes(dense_resource<bytes> : tensor<4xi8>) {{.*}}: !llvm.array<4 x i8>
llvm.mlir.global private constant @bytes(dense_resource<bytes> : tensor<4xi8>) : !llvm.array<4 x i8>
// CHECK: llvm.mlir.global private constant @booleans(dense_resource<booleans> : tensor<8xi1>) {{.*}}: !llvm.array<8 x i1>
llvm.mlir.global private constant @booleans(dense_resource<booleans> : tensor<8xi1>) : !llvm.array<8 x i1>
// CHECK: llvm.mlir.global external @variable() {{.*}}: f32
llvm.mlir.global external @variable() : f32

{-#
  dialect_resources: {
    builtin: {
      floats: "0x040000000000803F000000400000404000008040",
      shorts: "0x02000000010002000300",
      bytes: "0x0100000001020304",
      booleans: "0x01000000FF"
    }
  }
#-}
