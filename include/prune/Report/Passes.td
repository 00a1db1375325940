//===- Passes.td - Passes that report ----------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_REPORT_PASSES_TD
#define PRUNE_REPORT_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// ReportWeights
//===----------------------------------------------------------------------===//

def ReportWeightsPass : Pass<"prune-report-weights", "::mlir::ModuleOp"> {
  let summary = "Report what was decided for each weight, and what is left of it";
  let description = [{
    Writes one line or JSON object for each weight of the module, in the order
    of first uses, and changes nothing. It reads weights in all their forms:
    constants, packed operands of the `sparse_tensor` dialect, and weights of
    `prune.packed_matmul`; what was decided comes from the module's
    `prune.weights`. After the operations are lowered to buffers or to LLVM
    there are no weights to report.

    | key | meaning |
    |---|---|
    | `name`, `type`, `shape`, `elements` | the weight, without the channels that `prune-remove-channels` took; a constant shared by several uses is one weight |
    | `shape_before` | the shape before that |
    | `nonzeros` | the elements that are not +0 or -0; NaN counts |
    | `uses` | the contractions that read it |
    | `criterion`, `pattern`, `scope`, `target` | the decision; null if there was none. `target` has one of the keys `sparsity`, `threshold` and `count`, and is null where the pattern is the target |
    | `achieved` | the fraction of elements that are zero |
    | `format` | `dense`, `elided` (a constant whose data was left out when the module was printed, all of whose elements count), a format of `prune-sparsify-weights`, `packed-` and a form of `prune-pack-weights`, or `removed`; joined with `+` where uses differ |
    | `bytes_before` | of the dense weight with all its channels, splat constants written out |
    | `bytes_after` | of all that it is stored as now, indices included |
    | `pruned`, `reason` | whether something was decided for it; if not, why |

    `not_pruned` lists the weights for which nothing was decided, and the
    contractions and constants that cannot be pruned, each with the reason.
    `totals` adds up the weights; where channels were removed, it also has
    `multiplications_before` and `multiplications`, those with weights in one call
    (sizes that are not known count as 1). Numbers that JSON has no notation for are
    strings.

    The report goes to `output`, which is replaced only when all of it was
    written. On standard output the module follows it, unless that is sent
    elsewhere (`-o`).

    Fails on unknown formats and on files that cannot be written.

    ```mlir
    // prune-opt --prune-weights="sparsity=0.5" --prune-report-weights -o /dev/null
    // Before and after
    %w = arith.constant dense_resource<fc1> : tensor<3x4xf32>
    ```
    ```
    weight  type   elements  nonzeros  zeros   criterion             pattern         target        format  bytes  was
    fc1     3x4xf32      12         6  50.00%  #prune.magnitude<l1>  #prune.element  sparsity 0.5  dense      48   48
    ```
  }];
  let options = [
    Option<"format", "format", "std::string", /*default=*/"\"text\"",
           "text: a table to read; json: one JSON object">,
    Option<"output", "output", "std::string", /*default=*/"\"-\"",
           "The file to write; - is standard output">,
  ];
}

//===----------------------------------------------------------------------===//
// PrintStatistics
//===----------------------------------------------------------------------===//

def PrintStatisticsPass : Pass<"prune-print-statistics", "::mlir::ModuleOp"> {
  let summary = "Print what was observed of the inputs of layers";
  let description = [{
    Writes the record `prune.statistics` of the module, weight by weight, and
    changes nothing. As text it is a table with the least, the mean and the
    greatest number of each statistic; as JSON a list of objects with the keys
    `weight`, `statistic`, `shape`, `least`, `mean`, `greatest` and `values`, all
    numbers in row-major order. Numbers that JSON has no notation for are
    strings.

    Fails on unknown formats, on files that cannot be written, and on statistics
    whose data was left out when the module was printed.

    ```
    weight  statistic   shape  least  mean  greatest
    fc1     input_norm  784x1      0  3.25      11.5
    ```
  }];
  let options = [
    Option<"format", "format", "std::string", /*default=*/"\"text\"",
           "text: a table to read; json: one JSON list">,
    Option<"output", "output", "std::string", /*default=*/"\"-\"",
           "The file to write; - is standard output">,
  ];
}

#endif // PRUNE_REPORT_PASSES_TD
