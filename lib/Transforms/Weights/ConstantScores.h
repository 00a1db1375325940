//===- ConstantScores.h - Scores of constants -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TRANSFORMS_WEIGHTS_CONSTANTSCORES_H
#define PRUNE_LIB_TRANSFORMS_WEIGHTS_CONSTANTSCORES_H

#include "prune/Core/MaskSelection.h"

#include "mlir/IR/Value.h"

namespace mlir::prune {

/// The constant that a value is, or null.
Attribute getConstantOf(Value value);

/// The scores that operations compute of constants, or nothing if one of them
/// is none.
std::optional<ScoreSource> readScores(Value scores);

} // namespace mlir::prune

#endif // PRUNE_LIB_TRANSFORMS_WEIGHTS_CONSTANTSCORES_H
