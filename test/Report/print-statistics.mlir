// RUN: prune-opt %s --prune-print-statistics -o /dev/null | FileCheck %s
// RUN: prune-opt %s --prune-print-statistics="format=json output=%t.json" | FileCheck %s --check-prefix=MODULE
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t.json
// RUN: prune-opt %s --prune-strip-records --prune-print-statistics -o /dev/null | FileCheck %s --check-prefix=NONE

// CHECK: weight  statistic   shape  least  mean  greatest
// CHECK-NEXT: fc1  input_norm  2x1      0.5  1.25         2
// CHECK-NEXT: fc1  zeros  1x1   0.25  0.25  0.25
// MODULE: prune.statistics
// JSON: "weight": "fc1"
// JSON-NEXT: "statistic": "input_norm"
// JSON-NEXT: "shape": [
// JSON-NEXT: 2,
// JSON-NEXT: 1
// JSON-NEXT: ],
// JSON-NEXT: "least": 0.5,
// JSON-NEXT: "mean": 1.25,
// JSON-NEXT: "greatest": 2,
// JSON-NEXT: "values": [
// JSON-NEXT: 0.5,
// JSON-NEXT: 2
// NONE: the module has no statistics; prune-insert-observers and then prune-run --statistics collect them
module attributes {prune.statistics = {fc1 = {
    input_norm = dense<[[0.5], [2.0]]> : tensor<2x1xf64>,
    zeros = dense<0.25> : tensor<1x1xf32>}}} {
}
