//===- Convolution.h - A convolution as a matrix and windows ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A convolution is a product of the filter, one row for each feature of the
// result, with windows of the input: each element of the filter meets the image
// shifted by a fixed offset, and a shift of a flat image is a window of it. The
// product therefore reads the padded image itself, and nothing is unrolled.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CONVERSION_WEIGHTS_CONVOLUTION_H
#define PRUNE_LIB_CONVERSION_WEIGHTS_CONVOLUTION_H

#include "WeightView.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::prune {

/// A convolution over any number of spatial dimensions.
struct Convolution {
  /// A handle, whose accessors are not const.
  mutable linalg::LinalgOp op;
  OpOperand *filter, *input;
  /// The loops, where there are such: images, groups, features of a group and
  /// channels of a group.
  std::optional<unsigned> batch, group, feature, channel;
  /// The spatial loops: positions in the result, and in the filter.
  SmallVector<unsigned> outer, inner;
  int64_t groups = 1, features = 1, channels = 1;
  /// By spatial dimension.
  SmallVector<int64_t> inputSizes, outputSizes, kernel, strides, dilations;
  /// Where in the image the window of each column of the matrix starts, and a
  /// bound of that.
  std::vector<uint32_t> offsets;
  int64_t numOffsets = 0;

  /// The matrix that the filter is.
  int64_t rows() const { return groups * features; }
  int64_t columns() const;

  /// The loop over the matrix's rows, if it is one.
  std::optional<unsigned> rowLoop() const {
    return group && feature ? std::nullopt : group ? group : feature;
  }

  /// With stride s, elements whose indices agree modulo s are brought together,
  /// so that neighbours of a window are neighbours in memory. An image is then
  /// `channels x strides... x phaseSizes...`.
  SmallVector<int64_t> phaseSizes() const;
  int64_t numPhases() const;
  /// The elements of one channel of an image.
  int64_t planeSize() const;
  /// Results of one feature, with those that the rows of an image have too
  /// many.
  int64_t pitch() const;
  /// How many windows of a row of the filter begin next to each other.
  int64_t overlap() const {
    return llvm::divideCeil(kernel.back(), strides.back());
  }
};

/// Where the map reads `loop`, alone or in a sum.
std::optional<unsigned> findResult(AffineMap map, unsigned loop);

/// Understands a convolution, an operation with two inputs and one output and
/// the loops `dims`, of known spatial sizes; empty, with a reason, if it has
/// another form.
std::optional<Convolution>
matchConvolution(const WeightUse &use,
                 const linalg::ConvolutionDimensions &dims,
                 std::string &reason);

/// The filter as a matrix of rows and columns, with zeros where a feature does
/// not see a channel.
ByteBuffer readFilterMatrix(const Convolution &convolution,
                            const WeightView &filter);

} // namespace mlir::prune

#endif // PRUNE_LIB_CONVERSION_WEIGHTS_CONVOLUTION_H
