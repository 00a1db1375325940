//===- LeftAlone.h - Why a pass changed nothing -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that decide, fold, pack or remove say of each weight that they leave
// alone why, as a remark, printed on request only. A pass that
// leaves everything alone does not do what it was called for: then it warns,
// with the reasons counted.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_ANALYSIS_LEFTALONE_H
#define PRUNE_ANALYSIS_LEFTALONE_H

#include "prune/Analysis/WeightUses.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

#include <string>

namespace mlir::prune {

/// What to say of a module without anything that could be a weight.
constexpr StringLiteral kNoWeights =
    "the module has no contraction or convolution";

/// Emits a `missed` remark for each contraction or constant that cannot be
/// pruned.
void reportNotPrunable(const WeightUses &uses, StringRef category);

class LeftAlone {
public:
  /// `done` is what the pass does to weights, such as "pruned".
  LeftAlone(Operation *root, StringRef pass, StringRef done)
      : root(root), pass(pass), done(done) {}

  /// Counts something that was left alone. `reason` continues "left alone 3
  /// times: ", says what to do, and is the same for all that it is true of.
  void note(StringRef reason, Location loc, StringRef name = {});

  /// Counts all contractions without a weight that can be pruned.
  void note(const WeightUses &uses);

  /// The pass has done something.
  void noteDone() { anyDone = true; }

  /// Warns if nothing was done. If nothing was left alone either, the module
  /// tells why, or else `otherwise`.
  void warnIfNothing(StringRef otherwise);

private:
  struct Reason {
    int64_t count = 0;
    Location loc;
    /// Of the first ones.
    SmallVector<std::string> names;

    explicit Reason(Location loc) : loc(loc) {}
  };

  Operation *root;
  std::string pass, done;
  bool anyDone = false;
  llvm::MapVector<StringRef, Reason> reasons;
  llvm::StringMap<char> texts;
};

} // namespace mlir::prune

#endif // PRUNE_ANALYSIS_LEFTALONE_H
