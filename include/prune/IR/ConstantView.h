//===- ConstantView.h - Constants as buffers --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bridge between constant attributes and the numerics of Core, and the one
// way to make the constant of a rewritten weight.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_CONSTANTVIEW_H
#define PRUNE_IR_CONSTANTVIEW_H

#include "prune/Core/TensorView.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

#include <optional>

namespace mlir::prune {

/// The bytes of a dense or dense_resource constant; `isSplat` if they hold one
/// element for all. Nothing if the constant has another form, or no data, or
/// elements that do not start at bytes.
struct ConstantBytes {
  llvm::ArrayRef<char> data;
  unsigned elementSize;
  bool isSplat;
};
std::optional<ConstantBytes> getConstantBytes(Attribute value);

/// A copy of the elements of a constant that has bytes; all of them, also where
/// one stands for all.
AsmResourceBlob copyElements(ElementsAttr constant);

/// The constant as a tensor of floating-point numbers, if it is one.
std::optional<TensorView> getTensorView(Attribute value);

/// Whether a constant stands for data that was left out when the module was
/// printed: `dense_resource<__elided__>`. Several such constants have one key,
/// and nothing else in common.
bool isElided(Attribute value);

/// Fails after an error that says that the data of `op` was left out, and what
/// to do.
LogicalResult reportElided(Operation *op);

/// Fails after an error if a constant below `root` has no data. For passes that
/// compute with constants.
LogicalResult requireData(Operation *root);

/// A resource constant of the elements of `value`, which is dense or a resource
/// with data, under the key `name`, or a like one if that is taken.
DenseResourceElementsAttr createNamedConstant(ElementsAttr value,
                                              llvm::StringRef name);

/// A resource constant under the key `name#n` with the first free n above the
/// one in `oldKey`, where `name` is what stands before '#' in `oldKey`.
DenseResourceElementsAttr createRewrittenConstant(ShapedType type,
                                                  llvm::StringRef oldKey,
                                                  AsmResourceBlob blob);

/// A constant of new contents in the place of `old`: a resource under a new key
/// if `old` is one, else dense.
TypedAttr createConstantLike(Attribute old, ShapedType type,
                             llvm::ArrayRef<char> data);

} // namespace mlir::prune

#endif // PRUNE_IR_CONSTANTVIEW_H
