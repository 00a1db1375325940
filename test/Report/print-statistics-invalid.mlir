// RUN: not prune-opt %s --prune-print-statistics=format=xml 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not prune-opt %s --prune-print-statistics="output=%t.none/statistics.json" 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not prune-opt %s --prune-print-statistics 2>&1 | FileCheck %s --check-prefix=ELIDED

// FORMAT: error: prune-print-statistics: option 'format' expects text or json but got 'xml'
// FOLDER: error: prune-print-statistics: {{.*}}
// ELIDED: error: prune-print-statistics: 'mean' of weight 'fc1' has no numbers of f64, f32, f16 or bf16
module attributes {prune.statistics = {fc1 = {mean = dense_resource<__elided__> : tensor<2x1xf64>}}} {
}
