//===- Parts.h - One tensor from the parts that are left --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a module reads slice by slice, the gates and directions of a recurrent
// layer, becomes a constant for each slice when channels are removed.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_EXPORT_TEMPLATE_PARTS_H
#define PRUNE_LIB_EXPORT_TEMPLATE_PARTS_H

#include "prune/Core/TensorSlices.h"
#include "prune/IR/KeptRecord.h"

namespace mlir::prune::onnx_export {

/// A weight put together, and the indices of the original that it consists of.
struct JoinedParts {
  DenseResourceElementsAttr value;
  KeptIndices kept;
};

/// Nothing if the parts leave a gap, or disagree where they overlap.
std::optional<JoinedParts> joinParts(ArrayRef<int64_t> shape,
                                     ArrayRef<DenseResourceElementsAttr> parts,
                                     const KeptRecord &record);

/// Writes a part over the indices that it has in a whole, whose dimensions are
/// all listed in `kept`.
void writePart(MutableArrayRef<char> whole, const KeptIndices &kept,
               DenseResourceElementsAttr value, const KeptIndices &ofPart);

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_EXPORT_TEMPLATE_PARTS_H
