//===- ChannelRemoval.h - What may leave, and leaving -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of prune-remove-channels: proving which channels the outputs do not
// need, moving what removed constant channels contributed into biases, and
// shrinking every value, constant and attribute that the channels reach.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TRANSFORMS_CHANNELS_CHANNELREMOVAL_H
#define PRUNE_LIB_TRANSFORMS_CHANNELS_CHANNELREMOVAL_H

#include "prune/Analysis/Evaluation/SliceConstants.h"
#include "prune/Core/TensorSlices.h"
#include "prune/IR/KeptRecord.h"

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::prune {

/// A sum that loses terms `x * w` of which `x` is a constant other than zero.
struct FoldedSum {
  linalg::LinalgOp op;
  unsigned loop;
  OpOperand *constantSide;
  OpOperand *weightSide;
};

/// Whether `op` is a sum of products over `loop` in which the constant that an
/// operand holds in step `index` can be multiplied out at compile time.
std::optional<FoldedSum> getFoldedSum(linalg::LinalgOp op, unsigned loop,
                                      int64_t index,
                                      const SliceConstants &constants);

/// Calls `visit(loop, axis)` for each loop that some result does not have.
void forEachReduction(
    linalg::LinalgOp op, const ChannelGroups &groups,
    llvm::function_ref<void(unsigned loop, unsigned axis)> visit);

/// The channels to remove: free, not needed by any reduction over them, and not
/// the last of an axis.
std::vector<bool> chooseChannels(ArrayRef<Operation *> ops,
                                 const ChannelGroups &groups,
                                 SliceConstants &constants);

/// What the removed channels added to each sum, ready to go into its bias.
struct Contribution {
  linalg::LinalgOp op;
  /// The operand whose removed slices these were.
  OpOperand *weight;
  /// The result's dimensions along which the numbers differ, increasing.
  SmallVector<int64_t> dims;
  /// The sizes before removal, and the numbers in row-major order.
  SmallVector<int64_t> shape;
  std::vector<double> values;
  /// The indices that remain along each of `dims`.
  KeptIndices kept;
};
std::vector<Contribution>
computeContributions(ArrayRef<Operation *> ops, const ChannelGroups &groups,
                     SliceConstants &constants,
                     const std::vector<bool> &removed);

/// A constant of `values`, rounded, in the place of `old`: a resource if `old`
/// is one.
TypedAttr createRounded(Attribute old, RankedTensorType type,
                        ArrayRef<double> values);

/// Adds the contribution to the bias that follows the sum, or to what the sum
/// starts from, as a constant that is named after the weight.
void addContribution(const Contribution &contribution, KeptRecord &record);

/// The indices of an axis that remain; nothing if all do.
std::optional<std::vector<int64_t>> getKept(const ChannelGroups &groups,
                                            unsigned axis,
                                            const std::vector<bool> &removed);

/// Makes the IR smaller. Weights get new resources, whose kept indices are
/// recorded on the module as `prune.kept`.
void shrinkChannels(ModuleOp module, ArrayRef<Operation *> ops,
                    const ChannelGroups &groups,
                    const std::vector<bool> &removed);

/// An argument that is taken flat, and what flattened it before.
struct FlatArgument {
  BlockArgument argument;
  Type type;
  SmallVector<ReassociationIndices> groups;
};

/// Takes arguments of entry functions that are only flattened as they are
/// afterwards.
std::vector<FlatArgument> flattenArguments(ModuleOp module);

/// Undoes that for arguments that kept all of their indices. Returns whether
/// any lost some.
bool restoreArguments(ModuleOp module, ArrayRef<FlatArgument> flattened);

/// Before shrinking, writes on arguments which of their indices stay.
void recordArguments(ModuleOp module, const ChannelGroups &groups,
                     const std::vector<bool> &removed);

/// Makes the types of functions those of their arguments.
void updateSignatures(ModuleOp module);

/// Replaces values that hold one number, or one for each channel, by constants,
/// and operations that pass an operand on as it is by the operand. Returns
/// whether anything changed.
bool foldConstantValues(ArrayRef<Operation *> ops, const ChannelGroups &groups,
                        const SliceConstants &constants);

} // namespace mlir::prune

#endif // PRUNE_LIB_TRANSFORMS_CHANNELS_CHANNELREMOVAL_H
