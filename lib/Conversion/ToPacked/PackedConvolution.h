//===- PackedConvolution.h - Build packed convolutions ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The IR side of packing convolutions: from a convolution and a kernel to the
// packed op, with the layout of images around it.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_TOPACKED_PACKEDCONVOLUTION_H
#define PRUNE_LIB_CONVERSION_TOPACKED_PACKEDCONVOLUTION_H

#include "Conversion/Weights/Convolution.h"
#include "PackedProduct.h"

namespace mlir::prune {

/// Replaces the convolution, and the elementwise operations behind it that the
/// epilogue can take, by a packed product for each image.
PackedMatmulOp replaceByPackedConvolution(RewriterBase &rewriter,
                                          const Convolution &convolution,
                                          KernelAttr kernel,
                                          const PackedWeightValues &weight);

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_TOPACKED_PACKEDCONVOLUTION_H
