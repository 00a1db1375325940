// Every option out of range is refused with its name, and nothing is written.
// RUN: not prune-opt %s --prune-mask-weights="sparsity=nan" -o %t.out 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: option 'sparsity' expects a number in [0, 1] but got 'nan'
// RUN: not ls %t.out
// RUN: not prune-opt %s --prune-mask-weights="sparsity=1.5" 2>&1 | FileCheck %s --check-prefix=ABOVE
// ABOVE: option 'sparsity' expects a number in [0, 1] but got '1.5'
// RUN: not prune-opt %s --prune-mask-weights="sparsity=-0.1" 2>&1 | FileCheck %s --check-prefix=BELOW
// BELOW: option 'sparsity' expects a number in [0, 1] but got '-0.1'
// RUN: not prune-opt %s --prune-mask-weights="sparsity=half" 2>&1 | FileCheck %s --check-prefix=WORD
// WORD: option 'sparsity' expects a number in [0, 1] but got 'half'
// RUN: not prune-opt %s --prune-mask-weights="threshold=nan" 2>&1 | FileCheck %s --check-prefix=THRESHOLD
// THRESHOLD: option 'threshold' expects a number but got 'nan'
// RUN: not prune-opt %s --prune-mask-weights="count=-1" 2>&1 | FileCheck %s --check-prefix=COUNT
// COUNT: option 'count' expects a number of units of at least 0 but got '-1'
// RUN: not prune-opt %s --prune-mask-weights="count=99" 2>&1 | FileCheck %s --check-prefix=MANY
// MANY: weight 'fc1' has 8 units, fewer than the count of 99
// RUN: not prune-opt %s --prune-mask-weights="count=99 scope=global" 2>&1 | FileCheck %s --check-prefix=MANYGLOBAL
// MANYGLOBAL: the weights have 8 units in all, fewer than the count of 99
// RUN: not prune-opt %s --prune-mask-weights="count=1 sparsity=0.1" 2>&1 | FileCheck %s --check-prefix=TWO
// TWO: options 'sparsity' and 'count' exclude each other; give one of them
// RUN: not prune-opt %s --prune-mask-weights 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: expects one of the options 'sparsity', 'threshold' and 'count', or 'targets' for single layers
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 scope=all" 2>&1 | FileCheck %s --check-prefix=SCOPE
// SCOPE: option 'scope' expects local or global but got 'all'
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 min-size=-1" 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: option 'min-size' expects a number of elements of at least 0 but got -1
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 seed=-1 criterion=random" 2>&1 | FileCheck %s --check-prefix=SEED
// SEED: '-1' value invalid for {{.*}} argument

// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 criterion=l3" 2>&1 | FileCheck %s --check-prefix=CRITERION
// CRITERION: unknown criterion 'l3': expects l1, l2, random, wanda, ria, or an attribute
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 criterion=#prune.element" 2>&1 | FileCheck %s --check-prefix=NOCRITERION
// NOCRITERION: unknown criterion '#prune.element'
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 pattern=rows" 2>&1 | FileCheck %s --check-prefix=PATTERN
// PATTERN: unknown pattern 'rows': expects element, N:M, N:M@dim, block:AxB
// RUN: not prune-opt %s --prune-mask-weights="pattern=4:2" 2>&1 | FileCheck %s --check-prefix=NM
// NM: option 'pattern': N:M pattern expects 0 <= N <= M and M >= 1 but got 4:2
// RUN: not prune-opt %s --prune-mask-weights="pattern=2:4 sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=NMTARGET
// NMTARGET: pattern '2:4' is the target itself; remove option 'sparsity'
// RUN: not prune-opt %s --prune-mask-weights="pattern=2:4 targets=fc1:0.5" 2>&1 | FileCheck %s --check-prefix=NMTARGETS
// NMTARGETS: pattern '2:4' is the target itself; remove option 'targets'
// RUN: not prune-opt %s --prune-mask-weights="pattern=block:4xy sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=BLOCK
// BLOCK: 'block:4xy' expects block sizes such as block:4x1
// RUN: not prune-opt %s --prune-mask-weights="pattern=block:0x1 sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=BLOCKZERO
// BLOCKZERO: option 'pattern': block pattern expects sizes of at least 1 but got 0
// RUN: not prune-opt %s --prune-mask-weights="pattern=block:1x1x1 targets=fc1:0.5" 2>&1 | FileCheck %s --check-prefix=BLOCKRANK
// BLOCKRANK: weight 'fc1': block pattern of rank 3 expects a tensor of that rank or more but got rank 2

// A pattern that does not apply to a weight leaves it alone; to none, with a warning.
// RUN: prune-opt %s --prune-mask-weights="pattern=2:4@3" -o %t.rank 2>&1 | FileCheck %s --check-prefix=RANK
// RANK-NOT: error
// RANK: note: left alone {{.*}}: pattern 2:4@3 does not apply to its shape

// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 include=(" 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: option 'include': '(' is no regular expression: parentheses not balanced
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 exclude=[" 2>&1 | FileCheck %s --check-prefix=REGEX2
// REGEX2: option 'exclude': '[' is no regular expression: brackets ([ ]) not balanced
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 include=^conv" 2>&1 | FileCheck %s --check-prefix=NOMATCH
// NOMATCH: option 'include': '^conv' matches no weight; the weights are 'fc1'
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 exclude=fc9" 2>&1 | FileCheck %s --check-prefix=NOMATCH2
// NOMATCH2: option 'exclude': 'fc9' matches no weight
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 include=(f)\1" 2>&1 | FileCheck %s --check-prefix=BACKREF
// BACKREF: has a back-reference, which is not supported
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 include=(((f{1,255}){1,255}){1,255})c" 2>&1 | FileCheck %s --check-prefix=REPEAT
// REPEAT: has repetitions that make it longer than 100000 characters
// RUN: not prune-opt %s --prune-mask-weights="sparsity=0.5 include=f{1,999}" 2>&1 | FileCheck %s --check-prefix=REPEAT2
// REPEAT2: is no regular expression: invalid repetition count(s)
// RUN: prune-opt %s --prune-mask-weights="sparsity=0.5 include=^(f{1,9}c{1}){1,9}[0-9]{1,255}$" -o %t.repeat
// RUN: not prune-opt %s --prune-mask-weights="targets=fc9:0.5" 2>&1 | FileCheck %s --check-prefix=LAYER
// LAYER: option 'targets': 'fc9' is no weight; the weights are 'fc1'
// RUN: not prune-opt %s --prune-mask-weights="targets=fc1" 2>&1 | FileCheck %s --check-prefix=NOVALUE
// NOVALUE: option 'targets' expects layer:value but got 'fc1'
// RUN: not prune-opt %s --prune-mask-weights="targets=fc1:2" 2>&1 | FileCheck %s --check-prefix=VALUE
// VALUE: option 'targets' expects a number in [0, 1] but got '2'
// RUN: not prune-opt %s --prune-mask-weights="count=1 targets=fc1:0.5" 2>&1 | FileCheck %s --check-prefix=VALUEKIND
// VALUEKIND: option 'targets' expects a number of units of at least 0 but got '0.5'

func.func @main(%x: tensor<1x2xf32>, %o: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %w = arith.constant dense_resource<fc1> : tensor<2x4xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x4xf32>) outs(%o : tensor<1x4xf32>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      fc1: "0x040000000000803F0000803F0000803F0000803F0000803F0000803F0000803F0000803F"
    }
  }
#-}
