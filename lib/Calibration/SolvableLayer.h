//===- SolvableLayer.h - The systems of a layer -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CALIBRATION_SOLVABLELAYER_H
#define PRUNE_LIB_CALIBRATION_SOLVABLELAYER_H

#include "prune/Calibration/Reconstruct.h"

namespace mlir::prune {

/// Which samples a layer is looked at on: all, those kept apart, or the rest.
enum class Share { All, HeldOut, Rest };

/// The systems of a layer with dense weights `values`, by the elements of the
/// layer's parts one after another.
std::vector<LayerSystem> makeSystems(const SweptLayer &layer,
                                     ArrayRef<double> values, bool isAdjusted,
                                     Share share);

/// Whether samples are kept apart, and are not all there are.
bool hasHeldOut(const SweptLayer &layer);

/// The layer without these samples, and none kept apart.
SweptLayer withoutHeldOut(SweptLayer layer);

} // namespace mlir::prune

#endif // PRUNE_LIB_CALIBRATION_SOLVABLELAYER_H
