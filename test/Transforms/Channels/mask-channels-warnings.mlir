// Where no channel is masked, a warning says why. The exit code is 0.
// RUN: prune-opt %s --prune-mask-channels -o %t 2>&1 | FileCheck %s --check-prefix=RATIO
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 round-to=8" -o %t 2>&1 | FileCheck %s --check-prefix=ROUND
// RUN: prune-opt %s --prune-mask-channels="ratio=0.1 scope=global" -o %t 2>&1 | FileCheck %s --check-prefix=ROUND
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 round-to=8" --remarks-filter=prune-mask-channels -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 exclude=fc1" -o %t 2>&1 | FileCheck %s --check-prefix=FILTER
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5 granularity=head" -o %t 2>&1 | FileCheck %s --check-prefix=HEAD
// RUN: prune-opt %s --prune-mask-channels="ratio=0.5" -o %t 2>&1 | FileCheck %s --check-prefix=DONE --allow-empty

// DONE-NOT: warning
// RATIO: warning: prune-mask-channels: nothing was masked
// RATIO-DAG: note: left alone once: its ratio is 0, which is the default; give ratio=0.5 ('fc1')
// RATIO-DAG: note: left alone once: func.return: is returned ('fc3')
// ROUND-DAG: note: left alone once: its part of the ratio rounds to 0 channels; give a greater ratio or scope=global, or smaller round-to and min-channels ('fc1')
// REMARK: [Missed] LeftAlone | Category:prune-mask-channels | Channels=8, Group=fc1, Reason="a ratio of 0.5 of 8 channels rounds to 0, with round-to=8, min-channels=1 and max-ratio=1"
// FILTER: left alone once: is filtered out by include or exclude ('fc1')
// HEAD: left alone once: has no heads ('fc1')
func.func @net(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %fc1 = arith.constant dense_resource<fc1> : tensor<1x8xf32>
  %fc3 = arith.constant dense_resource<fc3> : tensor<8x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x8xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x1xf32>
  %a = linalg.matmul ins(%x, %fc1 : tensor<1x1xf32>, tensor<1x8xf32>) outs(%z : tensor<1x8xf32>) -> tensor<1x8xf32>
  %c = linalg.matmul ins(%a, %fc3 : tensor<1x8xf32>, tensor<8x1xf32>) outs(%z1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %c : tensor<1x1xf32>
}
{-#
  dialect_resources: { builtin: {
    fc1: "0x040000000000804000008040000080400000804000008040000080400000804000008040",
    fc3: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F"
  } }
#-}
