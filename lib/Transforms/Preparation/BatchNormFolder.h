//===- BatchNormFolder.h - Fold around one contraction ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two rewrites of prune-fold-batch-norms for one contraction, and why they
// did not happen.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TRANSFORMS_PREPARATION_BATCHNORMFOLDER_H
#define PRUNE_LIB_TRANSFORMS_PREPARATION_BATCHNORMFOLDER_H

#include "WeightRescaler.h"
#include "prune/Analysis/Evaluation/AffineChains.h"

#include "llvm/ADT/SmallPtrSet.h"

namespace mlir::prune {

/// Why operations stay; the first reason counts.
class FoldReasons {
public:
  void note(Operation *op, std::string reason) {
    reasons.try_emplace(op, std::move(reason));
  }
  /// For the elementwise users of a value, past reshapes.
  void noteUsers(Value value, const std::string &reason);
  /// For the elementwise operation behind an operand, past reshapes.
  void noteSource(Value value, const std::string &reason);
  /// For every operation next to a contraction.
  void noteAround(linalg::LinalgOp op, OpOperand *weight,
                  const std::string &reason);
  StringRef get(Operation *op) const;

private:
  llvm::DenseMap<Operation *, std::string> reasons;
};

/// The constant that lends a new bias its name: of those that operands are, one
/// that is added, and best one that was not rewritten yet. Never null.
Attribute chooseBiasName(ArrayRef<OpOperand *> operands, MLIRContext *context);

class BatchNormFolder {
public:
  /// With `wholeNodes`, only what an ONNX node without its parameters leaves.
  BatchNormFolder(WeightRescaler weight, KeptRecord &kept, FoldReasons &reasons,
                  llvm::SmallPtrSetImpl<Operation *> &changed, bool wholeNodes);

  /// Folds what is done to the result; returns the number of operations that
  /// this shortened or made superfluous.
  unsigned foldAfter();
  /// Folds what was done last to the other operand.
  unsigned foldBefore();

  /// The names of the constants that were folded, behind the contraction and in
  /// front of it.
  ArrayRef<StringRef> getNamesAfter() const { return namesAfter; }
  ArrayRef<StringRef> getNamesBefore() const { return namesBefore; }

private:
  /// An elementwise operation with an affine beginning.
  struct Step {
    linalg::LinalgOp op;
    OpOperand *use;
    SmallVector<Operation *> chain;
    BodyConstants body;
    /// For each constant that varies, where its dimensions come from.
    SmallVector<std::pair<OpOperand *, SmallVector<SmallVector<Factor>>>>
        varying;
    bool isWhole;
    SmallVector<StringRef> names;
  };
  struct Source;

  std::vector<Step> collectSteps();
  std::optional<Step> makeStep(OpOperand &use, const DimFactors &dims);
  std::optional<std::vector<Affine>> multiplyOut(MutableArrayRef<Step> steps);
  bool isNode(linalg::LinalgOp op, ArrayRef<Operation *> chain,
              const BodyConstants &body, bool isWhole);
  bool readInit(std::vector<Affine> &numbers, bool &hasBias);
  bool scaleWeight(ArrayRef<Affine> numbers);
  /// Whether a bias of the result's type holds all these.
  bool canHold(ArrayRef<double> shifts);
  void addBias(ArrayRef<double> shifts, Attribute name);
  void removeSteps(MutableArrayRef<Step> steps);
  OpOperand *getWholeOperand(const Source &source);
  std::optional<Source> findSource();
  std::optional<std::vector<Affine>> readSource(Source &source);
  bool canShift(const Source &source);
  void removeSource(Source &source);

  int64_t countChannels() const;
  WeightRescaler::Steps getChannelSteps() const;

  WeightRescaler weight;
  KeptRecord &kept;
  linalg::LinalgOp contraction;
  FoldReasons &reasons;
  /// Operations with operands that nothing in their bodies uses any more.
  llvm::SmallPtrSetImpl<Operation *> &changed;
  bool wholeNodes;
  SmallVector<StringRef> namesAfter, namesBefore;
  /// The name of the constant that the sum starts from.
  StringRef initName;
  /// The dimensions of the result that the weight has too, their loops, sizes
  /// and strides: together they number the channels.
  struct ChannelDim {
    unsigned dim, loop;
    int64_t size, stride;
  };
  SmallVector<ChannelDim> channelDims;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_TRANSFORMS_PREPARATION_BATCHNORMFOLDER_H
