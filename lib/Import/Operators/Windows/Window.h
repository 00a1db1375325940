//===- Window.h - Sliding windows of convolutions and pools -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_WINDOW_H
#define PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_WINDOW_H

#include "Import/Model/Node.h"

namespace mlir::prune::onnx_import {

/// A window over the spatial dims of `[N, C, spatial...]`.
struct Window {
  SmallVector<int64_t> kernel, strides, dilations;
  /// Before and after each spatial dim.
  Sizes low, high;
  /// The positions of the window.
  Sizes out;
  /// Additional padding after a dim that only a window rounded up reaches.
  Sizes ceiling;

  unsigned rank() const { return kernel.size(); }
  bool pads(Node &n) const;
  /// The reach of the window in one dim.
  int64_t extent(unsigned dim) const {
    return (kernel[dim] - 1) * dilations[dim] + 1;
  }
};

/// Reads strides, dilations, pads and auto_pad for a kernel over `spatial`.
std::optional<Window> readWindow(Node &n, ArrayRef<AffineExpr> spatial,
                                 ArrayRef<int64_t> kernel, bool ceilMode);

/// Pads the spatial dims of `[N, C, spatial...]`.
Tensor *padSpatial(Node &n, Tensor *x, const Window &window, TypedAttr value);

enum class Pool { Maximum, Sum };

/// Folds every window of a padded `[N, C, spatial...]`.
Tensor *foldWindows(Node &n, Tensor *x, const Window &window, Pool kind);

/// The convolution of a padded `[N, C, spatial...]` with
/// `[F, C / groups, kernel...]`.
Tensor *convolve(Node &n, Tensor *x, Tensor *filter, const Window &window,
                 int64_t groups);

/// The operator AveragePool of a tensor of floats.
Tensor *averagePool(Node &n, Tensor *x);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_OPERATORS_WINDOWS_WINDOW_H
