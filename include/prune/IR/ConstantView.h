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

/// The constant as a tensor of floating-point numbers, if it is one.
std::optional<TensorView> getTensorView(Attribute value);

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
