//===- PackedProduct.h - Build a packed product -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The IR side of packing: from a contraction and a plan to the packed op, with
// the layout of activations and the epilogue around it.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_TOPACKED_PACKEDPRODUCT_H
#define PRUNE_LIB_CONVERSION_TOPACKED_PACKEDPRODUCT_H

#include "Conversion/Weights/WeightContraction.h"

#include "prune/Core/Packing/KernelChoice.h"
#include "prune/IR/Prune.h"

namespace mlir::prune {

/// How the columns of the product lie in input and output.
struct ProductLayout {
  /// The summed dimension stands before the columns in the input; the rows
  /// stand before the columns in the output.
  bool inputFeatureMajor = false, outputFeatureMajor = false;
  /// The number of columns, 0 if unknown.
  int64_t columns = 0;
};

/// Understands the dimensions of a contraction with a weight matrix; empty,
/// with a reason, where columns and features are interleaved.
std::optional<ProductLayout>
matchProductLayout(const WeightContraction &contraction, std::string &reason);

/// The buffers of a packed weight, as values, and the parts for threads.
struct PackedWeightValues {
  Value values, indices, positions;
  DenseI64ArrayAttr rowChunks;
  bool parallelPanels = false;
};

/// Replaces the contraction, and the elementwise operations behind it that the
/// epilogue can take, by a packed product.
PackedMatmulOp replaceByPackedProduct(RewriterBase &rewriter,
                                      const WeightContraction &contraction,
                                      const ProductLayout &layout,
                                      const KernelPlan &plan, KernelAttr kernel,
                                      const PackedWeightValues &weight);

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_TOPACKED_PACKEDPRODUCT_H
