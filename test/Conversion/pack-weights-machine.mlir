// The costs in a machine file decide. It is input, so whatever is wrong with it is said.
// RUN: split-file %s %t
// RUN: prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/loops.json" | FileCheck %s --check-prefix=LOOPS
// RUN: prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/listed.json" | FileCheck %s --check-prefix=LISTED
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/none.json" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/text.json" 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/list.json" 2>&1 | FileCheck %s --check-prefix=LIST
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/bits.json" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/work.json" 2>&1 | FileCheck %s --check-prefix=WORK
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/negative.json" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/member.json" 2>&1 | FileCheck %s --check-prefix=MEMBER
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="machine-file=%t/size.json" 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not prune-opt %t/product.mlir --prune-pack-weights="vector-bits=256 machine-file=%t/loops.json" 2>&1 | FileCheck %s --check-prefix=OTHER

// LOOPS: prune.packed_matmul <dense
// LISTED: prune.packed_matmul <patterns
// NONE: machine file '{{.*}}none.json': No such file
// TEXT: machine file '{{.*}}text.json': {{.*}}Expected , or } after object property
// LIST: machine file '{{.*}}list.json': expects a JSON object
// BITS: machine file '{{.*}}bits.json': expects 'vector-bits' to be 128, 256 or 512
// WORK: machine file '{{.*}}work.json': unknown kind of work 'magic'; expects one of issue, products
// NEGATIVE: machine file '{{.*}}negative.json': expects the cycles of 'loads' to be a number in [0, 1000000]
// MEMBER: machine file '{{.*}}member.json': unknown member 'l4-bytes'; expects vector-bits, registers
// SIZE: machine file '{{.*}}size.json': expects 'registers' to be a whole number in [8, 64]
// OTHER: machine file '{{.*}}loops.json': it is for vectors of 512 bits but vector-bits is 256

//--- product.mlir
func.func @product(%x: tensor<64x8xf32>, %init: tensor<64x4xf32>) -> tensor<64x4xf32> {
  %w = arith.constant dense<[[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0],
                             [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]> : tensor<8x4xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<64x8xf32>, tensor<8x4xf32>) outs(%init : tensor<64x4xf32>) -> tensor<64x4xf32>
  return %0 : tensor<64x4xf32>
}
//--- loops.json
{"vector-bits": 512, "registers": 32, "l1-bytes": 32768, "l2-bytes": 1048576, "l3-bytes": 16777216, "cycles": {"runs": 1000}}
//--- listed.json
{"vector-bits": 512, "cycles": {"products": 1000, "elements": 1000, "runs": 0, "loads": 0, "issue": 0}}
//--- text.json
{"vector-bits": 512
//--- list.json
[512]
//--- bits.json
{"vector-bits": 100}
//--- work.json
{"vector-bits": 512, "cycles": {"magic": 1}}
//--- negative.json
{"vector-bits": 512, "cycles": {"loads": -1}}
//--- member.json
{"vector-bits": 512, "l4-bytes": 1}
//--- size.json
{"vector-bits": 512, "registers": 1e9}
